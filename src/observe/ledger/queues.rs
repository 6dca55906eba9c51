//! Queues and their owners, by the engine's word.

use super::lists::Line;
use super::{Care, Ledger, Phase, QueueRec, Step};
use crate::base::{Epoch, QueueId, WorkerId};

impl Ledger {
    pub(super) fn own(&mut self, queue: QueueId, worker: WorkerId, epoch: Epoch) -> Step {
        self.set_owner(queue, Some(worker), Care::Owned);
        let now = self.now;
        let rec = &mut self.queues[queue];
        let moved = rec.last_owner.is_some_and(|last| last != worker);
        rec.last_owner = Some(worker);
        rec.epoch = epoch;
        rec.owned_at = now;
        rec.orphaned_at = None;
        rec.relieved = false;
        Step::Owned { moved }
    }

    pub(super) fn set_owner(&mut self, queue: QueueId, owner: Option<WorkerId>, care: Care) {
        self.queues.grow_to(queue);
        if let Some(owner) = owner {
            self.workers.grow_to(owner);
        }
        self.wind_head(queue);
        let now = self.now;
        let rec = &mut self.queues[queue];
        if rec.unsettled > 0 && rec.exists && !queue.is_general() {
            self.tally.nonempty[rec.care as usize].fall(now);
            self.tally.nonempty[care as usize].rise(now);
        }
        rec.care = care;
        rec.revoking = false;
        if let Some(before) = rec.owner {
            let worker = &mut self.workers[before];
            rec.relieved = worker.queues.len() > 1 && worker.phase == Phase::Up && care != Care::Orphaned;
            worker.queues.retain(|other| *other != queue);
            worker.without_queue_at = now;
        }
        rec.owner = owner;
        if let Some(owner) = owner {
            let worker = &mut self.workers[owner];
            worker.queues.push(queue);
            rec.owner_clocks = worker.clocks(now);
        }
        self.touch(queue);
    }

    pub(super) fn set_draining(&mut self, queue: QueueId, draining: bool) {
        let rec = self.queues.grow_to(queue);
        if rec.exists && rec.draining != draining {
            rec.draining = draining;
            self.pool_touched = true;
            let (more, fewer) = if draining {
                (&mut self.tally.draining, &mut self.tally.active)
            } else {
                (&mut self.tally.active, &mut self.tally.draining)
            };
            more.rise(self.now);
            fewer.fall(self.now);
        }
    }

    pub(super) fn delete(&mut self, queue: QueueId) {
        self.set_owner(queue, None, Care::Vacant);
        let rec = &mut self.queues[queue];
        if !rec.exists {
            return;
        }
        rec.exists = false;
        self.pool_touched = true;
        if rec.draining {
            self.tally.draining.fall(self.now);
        } else {
            self.tally.active.fall(self.now);
        }
        if rec.unsettled > 0 {
            self.tally.nonempty[Care::Vacant as usize].fall(self.now);
        } else {
            rec.fifo = Line::default();
        }
    }

    #[inline(always)]
    pub(super) fn touch(&mut self, queue: QueueId) {
        touch(queue, self.instant, &mut self.queues[queue], &mut self.touched);
    }

    #[inline(always)]
    pub(super) fn touch_queues_of(&mut self, worker: WorkerId) {
        for queue in &self.workers[worker].queues {
            touch(*queue, self.instant, &mut self.queues[*queue], &mut self.touched);
        }
    }
}

/// Something of `queue` changes: it is looked at before time moves on.
#[inline(always)]
fn touch(queue: QueueId, instant: u64, rec: &mut QueueRec, touched: &mut Vec<QueueId>) {
    if rec.untouched_from <= instant {
        rec.untouched_from = instant + 1;
        touched.push(queue);
    }
}
