//! Where tasks are, and what the first of a queue waits for.

use super::{Ledger, Place};
use crate::base::{Claim, Claims, QueueId, TaskId, Time};

impl Ledger {
    /// The first task of a queue that is unsettled.
    pub(crate) fn head(&self, queue: QueueId) -> Option<TaskId> {
        self.queues.get(queue)?.fifo.front().copied()
    }

    #[inline(always)]
    pub(super) fn put(&mut self, task: TaskId, place: Place) {
        let Some(rec) = self.tasks.get_mut(task) else { return };
        self.tally.stray -= u64::from(rec.is_stray());
        let before = std::mem::replace(&mut rec.place, place);
        self.tally.stray += u64::from(rec.is_stray());
        if before != Place::Nowhere {
            if before == place {
                return;
            }
            self.move_out(task, before);
        }
        let rec = &mut self.tasks[task];
        let Place::Queue(queue) = place else {
            self.tally.parked.rise(self.now);
            return;
        };
        rec.placed_at = self.now;
        let queue_rec = self.queues.grow_to(queue);
        queue_rec.unsettled += 1;
        if queue.is_general() {
            rec.head_at = self.now;
            rec.general_clocks = self.general_clocks;
            return;
        }
        if queue_rec.unsettled == 1 && queue_rec.exists {
            self.tally.nonempty[queue_rec.care as usize].rise(self.now);
        }
        for claim in &rec.claims {
            let resource = &mut self.resources[claim.resource];
            if resource.placed == 0 {
                resource.tie = Some(queue);
            } else if resource.tie != Some(queue) {
                resource.tie = None;
            }
            resource.placed += 1;
        }
        queue_rec.fifo.push_back(task);
        if queue_rec.fifo.len() == 1 {
            rec.head_at = self.now;
            if rec.uncleared == 0 {
                self.begin_head(queue);
            }
        }
    }

    /// Takes a task that goes on elsewhere out of where it was.
    #[cold]
    fn move_out(&mut self, task: TaskId, before: Place) {
        let rec = &mut self.tasks[task];
        rec.placed_at = Time::MAX;
        rec.head_at = Time::MAX;
        let claims = Claims::from_slice(&rec.claims);
        self.leave(task, before, &claims);
    }

    /// Takes a task out of where it was; its record says otherwise already, or is gone.
    #[inline(always)]
    pub(super) fn leave(&mut self, task: TaskId, place: Place, claims: &[Claim]) {
        let queue = match place {
            Place::Nowhere => return,
            Place::Parked | Place::AtMax => {
                self.tally.parked.fall(self.now);
                return;
            }
            Place::Queue(queue) => queue,
        };
        let rec = &mut self.queues[queue];
        rec.unsettled -= 1;
        if queue.is_general() {
            return;
        }
        if rec.unsettled == 0 && rec.exists {
            self.tally.nonempty[rec.care as usize].fall(self.now);
        }
        for claim in claims {
            self.resources[claim.resource].placed -= 1;
        }
        if rec.fifo.front() == Some(&task) {
            rec.fifo.pop_front();
            self.find_head(queue);
        }
    }

    /// Drops what left the queue from elsewhere than its head, and greets the new head.
    #[inline(always)]
    fn find_head(&mut self, queue: QueueId) {
        while let Some(task) = self.queues[queue].fifo.front().copied() {
            if let Some(rec) = self.tasks.get_mut(task)
                && rec.place == Place::Queue(queue)
            {
                rec.head_at = rec.head_at.min(self.now);
                if rec.uncleared == 0 {
                    self.begin_head(queue);
                }
                return;
            }
            self.queues[queue].fifo.pop_front();
        }
    }

    /// The head is runnable from here on: what it waits for is its owner.
    #[inline(always)]
    pub(super) fn begin_head(&mut self, queue: QueueId) {
        let rec = &mut self.queues[queue];
        rec.head_busy = 0;
        rec.head_no_owner = 0;
        rec.clocks_at = self.now;
        rec.owner_clocks = rec.owner.map_or((0, 0), |owner| self.workers[owner].clocks(self.now));
        self.touch(queue);
    }

    /// How long the head of a queue has waited for a worker, and for a busy one, up to `now`.
    #[inline(always)]
    pub(super) fn head_clocks(&self, queue: QueueId, now: Time) -> (u64, u64) {
        let rec = &self.queues[queue];
        let Some(owner) = rec.owner else {
            return (rec.head_no_owner + now.since(rec.clocks_at).micros(), rec.head_busy);
        };
        let (busy, down) = self.workers[owner].clocks(now);
        (rec.head_no_owner + (down - rec.owner_clocks.1), rec.head_busy + (busy - rec.owner_clocks.0))
    }

    /// Brings the head's account up to date: to be called before the owner changes.
    pub(super) fn wind_head(&mut self, queue: QueueId) {
        let now = self.now;
        let (no_owner, busy) = self.head_clocks(queue, now);
        let rec = &mut self.queues[queue];
        rec.head_no_owner = no_owner;
        rec.head_busy = busy;
        if let Some(owner) = rec.owner {
            rec.owner_clocks = self.workers[owner].clocks(now);
        }
        rec.clocks_at = now;
    }
}
