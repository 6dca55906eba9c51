//! One more queue when a task without ties finds no empty queue.

use super::{Demand, Occasion, Sizing, Wish};
use crate::base::Time;

#[derive(Debug)]
pub(super) struct Eager;

impl Sizing for Eager {
    fn wish(&mut self, _: Time, demand: Demand) -> Wish {
        if demand.occasion == Occasion::Placing && demand.empty_queues == 0 { Wish::Create } else { Wish::Enough }
    }
}
