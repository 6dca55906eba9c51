//! One queue per worker, as soon as a task waits that it could take.

use super::{Demand, Sizing, Wish};
use crate::base::Time;

pub(super) struct PerWorker;

impl Sizing for PerWorker {
    fn wish(&mut self, _: Time, demand: Demand) -> Wish {
        if demand.waiting > 0 && demand.empty_queues == 0 { Wish::Create } else { Wish::Enough }
    }
}
