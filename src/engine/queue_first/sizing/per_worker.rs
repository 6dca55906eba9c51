//! One queue per worker: when a worker joins while tasks wait, or a task without ties finds no empty queue.

use super::{Demand, Occasion, Sizing, Wish};
use crate::base::Time;

#[derive(Debug)]
pub(super) struct PerWorker;

impl Sizing for PerWorker {
    fn wish(&mut self, _: Time, demand: Demand) -> Wish {
        let needed = match demand.occasion {
            Occasion::Placing => true,
            Occasion::Joined => demand.waiting > 0,
            Occasion::Other => false,
        };
        if needed && demand.empty_queues == 0 { Wish::Create } else { Wish::Enough }
    }
}
