//! Where tasks are, and what the first of a queue waits for.

use super::waits::head_clocks;
use super::{Ledger, Place};
use crate::base::{QueueId, TaskId, Time};

impl Ledger {
    /// The first task of a queue that is unsettled.
    pub(crate) fn head(&self, queue: QueueId) -> Option<TaskId> {
        self.queues.get(queue)?.fifo.front().copied()
    }

    /// The engine put a task into a queue; whether others that claim the same lie in other queues.
    #[inline(always)]
    pub(crate) fn place(&mut self, task: TaskId, queue: QueueId) -> bool {
        self.has_placements = true;
        let Some(mut rec) = self.tasks.get_mut(task) else { return false };
        self.tally.stray -= u64::from(rec.is_stray());
        let before = std::mem::replace(&mut rec.place, Place::Queue(queue));
        if before != Place::Nowhere {
            if before == Place::Queue(queue) {
                return rec.claims.iter().any(|claim| self.resources[claim.resource].is_tied_elsewhere(queue));
            }
            self.move_out(task, before);
            rec = &mut self.tasks[task];
        }
        rec.placed_at = self.now;
        let queue_rec = self.queues.grow_to(queue);
        queue_rec.unsettled += 1;
        if queue.is_general() {
            rec.head_at = self.now;
            rec.general_clocks = self.general_clocks;
            return rec.claims.iter().any(|claim| self.resources[claim.resource].is_tied_elsewhere(queue));
        }
        if queue_rec.unsettled == 1 && queue_rec.exists {
            self.tally.nonempty[queue_rec.care as usize].rise(self.now);
        }
        let mut is_apart = false;
        for claim in &rec.claims {
            let resource = &mut self.resources[claim.resource];
            if resource.placed == 0 {
                resource.tie = Some(queue);
            } else if resource.tie != Some(queue) {
                resource.tie = None;
                is_apart = true;
            }
            resource.placed += 1;
        }
        if queue_rec.fifo.push(task) {
            rec.head_at = self.now;
            if rec.uncleared == 0 {
                self.begin_head(queue);
            }
        }
        is_apart
    }

    /// The engine parked a task: `place` is no queue.
    pub(super) fn park(&mut self, task: TaskId, place: Place) {
        self.has_placements = true;
        let Some(rec) = self.tasks.get_mut(task) else { return };
        self.tally.stray -= u64::from(rec.is_stray());
        let before = std::mem::replace(&mut rec.place, place);
        self.tally.stray += u64::from(rec.is_stray());
        if before != place {
            self.move_out(task, before);
            self.tally.parked.rise(self.now);
        }
    }

    /// Takes a task that goes on elsewhere out of where it was.
    #[cold]
    fn move_out(&mut self, task: TaskId, before: Place) {
        if before == Place::Nowhere {
            return;
        }
        let rec = &mut self.tasks[task];
        rec.placed_at = Time::MAX;
        rec.head_at = Time::MAX;
        for claim in rec.claims.iter().filter(|_| before.is_reserving()) {
            self.resources[claim.resource].placed -= 1;
        }
        self.leave(task, before);
    }

    /// Takes a task out of where it was; its record says otherwise already, or is gone.
    #[inline(always)]
    pub(super) fn leave(&mut self, task: TaskId, place: Place) {
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
        if rec.fifo.front() == Some(&task) {
            rec.fifo.pop();
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
            self.queues[queue].fifo.pop();
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

    /// Brings the head's account up to date: to be called before the owner changes.
    pub(super) fn wind_head(&mut self, queue: QueueId) {
        let now = self.now;
        let (no_owner, busy) = head_clocks(&self.queues[queue], &self.workers, now);
        let rec = &mut self.queues[queue];
        rec.head_no_owner = no_owner;
        rec.head_busy = busy;
        if let Some(owner) = rec.owner {
            rec.owner_clocks = self.workers[owner].clocks(now);
        }
        rec.clocks_at = now;
    }
}
