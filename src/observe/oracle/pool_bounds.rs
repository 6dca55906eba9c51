//! pool_bounds: from the first limits on, active queues >= min and active + draining <= max, except that after max is
//! lowered the excess drains and never grows; a queue is deleted only when it is empty. One breach per stretch of time.

use super::super::ledger::Brain;
use super::{Breach, Docket, Ledger};
use crate::base::{Property, QueueId, Time};

#[derive(Default, Debug)]
pub(super) struct PoolBounds {
    limits: Option<Limits>,
}

#[derive(Debug)]
struct Limits {
    min: u64,
    max: u64,
    /// What is allowed: `max`, or what was there when it was lowered and has not drained since.
    ceiling: u64,
    too_few: bool,
    too_many: bool,
}

impl PoolBounds {
    pub(super) fn limits_set(&mut self, min: u32, max: u32, ledger: &Ledger) {
        let (min, max) = (u64::from(min), u64::from(max));
        // The first limits come before any queue; later ones may find more than they allow.
        let ceiling = if self.limits.is_some() { max.max(ledger.tally.queues()) } else { max };
        self.limits = Some(Limits { min, max, ceiling, too_few: false, too_many: false });
    }

    #[inline]
    pub(super) fn advance(&mut self, ledger: &Ledger, docket: &mut Docket) {
        if ledger.pool_touched {
            self.look(ledger, docket);
        }
    }

    #[cold]
    fn look(&mut self, ledger: &Ledger, docket: &mut Docket) {
        let Some(limits) = self.limits.as_mut().filter(|_| ledger.brain == Brain::Up) else { return };
        let (active, all) = (ledger.tally.active.count(), ledger.tally.queues());
        let (too_few, too_many) = (active < limits.min, all > limits.ceiling);
        limits.ceiling = limits.ceiling.min(all.max(limits.max));
        if too_few && !limits.too_few {
            docket.accuse(Property::PoolBounds, ledger.now, || Breach {
                cause: format!("there were {active} active queues, and at least {} are asked for", limits.min),
                ..Breach::default()
            });
        }
        if too_many && !limits.too_many {
            docket.accuse(Property::PoolBounds, ledger.now, || Breach {
                cause: format!("there were {all} queues, and at most {} are allowed", limits.ceiling),
                ..Breach::default()
            });
        }
        (limits.too_few, limits.too_many) = (too_few, too_many);
    }
}

pub(super) fn deleted(now: Time, queue: QueueId, ledger: &Ledger, docket: &mut Docket) {
    if let Some(rec) = ledger.queues.get(queue).filter(|rec| rec.unsettled > 0) {
        docket.accuse(Property::PoolBounds, now, || Breach {
            tasks: rec.fifo.front().copied().into_iter().collect(),
            queue: Some(queue),
            cause: format!("{{q:{}}} was deleted with {} unsettled tasks in it", queue.0, rec.unsettled),
            ..Breach::default()
        });
    }
}
