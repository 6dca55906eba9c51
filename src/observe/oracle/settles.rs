//! settles: where rebalancing is on and nothing comes in between any more, queues are not moved for ever, and their number
//! per worker differs by at most one in the end.

use super::super::ledger::QueueRec;
use super::{Breach, Docket, Ledger};
use crate::base::{IdVec, Property, QueueId, Span, Time, WorkerId};

#[derive(Debug)]
pub(super) struct Settles {
    /// Within this time of the last disturbance; `None`: not judged.
    within: Option<Span>,
    created: IdVec<QueueId, Time>,
    /// When a queue was deleted last that was there when nothing came in between any more.
    shrunk: Time,
}

impl Settles {
    pub(super) fn new(within: Option<Span>) -> Self {
        Settles { within, created: IdVec::new(), shrunk: Time::ZERO }
    }

    pub(super) fn created(&mut self, now: Time, queue: QueueId) {
        *self.created.grow_to(queue) = now;
    }

    /// A queue that has become superfluous is a cause to move others. One that was created meanwhile is none: a pool that
    /// creates and deletes for ever does not settle.
    pub(super) fn deleted(&mut self, now: Time, queue: QueueId, healed_at: Time) {
        if self.was_there(queue, healed_at) {
            self.shrunk = now;
        }
    }

    fn was_there(&self, queue: QueueId, healed_at: Time) -> bool {
        self.created.get(queue).is_none_or(|created| *created <= healed_at)
    }

    /// A queue that has become superfluous is on its way back from its owner: it counts no more, and is not deleted yet.
    fn is_shrinking(&self, healed_at: Time, ledger: &Ledger) -> bool {
        let goes = |(queue, rec): (QueueId, &QueueRec)| {
            rec.exists && rec.draining && rec.revoking && self.was_there(queue, healed_at)
        };
        ledger.queues.iter().any(goes)
    }

    /// A queue is taken from its owner though nothing is wrong with either.
    pub(super) fn moved(
        &self,
        now: Time,
        queue: QueueId,
        worker: WorkerId,
        healed_at: Time,
        ledger: &Ledger,
        docket: &mut Docket,
    ) {
        let changed_at = healed_at.max(self.shrunk);
        let is_late = self.within.is_some_and(|within| changed_at.saturating_add(within) < now);
        if is_late && !self.is_shrinking(healed_at, ledger) {
            docket.accuse(Property::Settles, now, || Breach {
                queue: Some(queue),
                workers: vec![worker],
                cause: format!(
                    "{{q:{}}} was taken from {{w:{}}} at {now}, though nothing had come in between since {changed_at}",
                    queue.0, worker.0
                ),
                ..Breach::default()
            });
        }
    }

    pub(super) fn finish(&self, healed_at: Time, ledger: &Ledger, docket: &mut Docket) {
        let Some(within) = self.within else { return };
        let healed_at = healed_at.max(self.shrunk);
        let moving = ledger.queues.values().any(|rec| rec.exists && rec.revoking);
        if moving || ledger.now <= healed_at.saturating_add(within) {
            return;
        }
        let healthy = ledger.workers.iter().filter(|(_, rec)| rec.is_healthy());
        let counts: Vec<(usize, WorkerId)> = healthy.map(|(id, rec)| (rec.queues.len(), id)).collect();
        let Some(((fewest, poor), (most, rich))) = counts.iter().min().copied().zip(counts.iter().max().copied())
        else {
            return;
        };
        if most - fewest > 1 {
            docket.accuse(Property::Settles, ledger.now, || Breach {
                workers: vec![poor, rich],
                cause: format!(
                    "{{w:{}}} has {most} queues and {{w:{}}} has {fewest}, though nothing came in between since {healed_at}",
                    rich.0, poor.0
                ),
                ..Breach::default()
            });
        }
    }
}
