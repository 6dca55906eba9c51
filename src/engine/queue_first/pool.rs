//! The pool of reserving queues: what each holds, and which active one is the least loaded, in O(log queues).

use std::collections::VecDeque;

use super::tournament::Tournament;
use crate::base::{Epoch, IdTable, QueueId, TaskId, Ticket, Time, WorkerId};

/// Who serves a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Hold {
    /// Nobody.
    Vacant,
    /// Its owner, under the current epoch.
    Owned(WorkerId),
    /// Its owner, who was asked to hand it back.
    Revoking(WorkerId),
    /// A lost worker, until its lease has surely ended.
    Orphaned(WorkerId),
}

/// A reserving queue.
#[derive(Debug)]
pub struct Queue {
    /// In order; settled tasks are taken out when they reach the front.
    pub(super) tasks: VecDeque<TaskId>,
    /// Unsettled tasks in it.
    pub(super) live: u32,
    pub(super) draining: bool,
    pub(super) hold: Hold,
    pub(super) epoch: Epoch,
    /// When the owner's lease has surely ended, by the engine's clock.
    pub(super) lease_ends: Time,
    /// The order that granted it.
    pub(super) granted_by: Ticket,
    /// The first task was ordered to start under this ticket.
    pub(super) started: Option<Ticket>,
    /// The last order to start a task of it that was carried out, by whichever owner.
    pub(super) last_start: Ticket,
    /// Since when it has had no task.
    pub(super) empty_since: Option<Time>,
    /// Somebody will look whether it has been empty for long enough.
    pub(super) empty_timer: bool,
    slot: u32,
}

impl Queue {
    /// Its owner, revoking or not.
    #[inline]
    pub(super) fn owner(&self) -> Option<WorkerId> {
        match self.hold {
            Hold::Owned(worker) | Hold::Revoking(worker) => Some(worker),
            Hold::Vacant | Hold::Orphaned(_) => None,
        }
    }
    /// Its turn is over: the order to start its first task was carried out.
    #[inline]
    pub(super) fn took_turn(&mut self, ordered: Option<Ticket>) {
        self.last_start = ordered.unwrap_or(self.last_start);
    }
    /// The first task, when it may be started.
    pub(super) fn startable(&self) -> Option<TaskId> {
        if self.started.is_none() && matches!(self.hold, Hold::Owned(_)) { self.tasks.front().copied() } else { None }
    }
}

/// All reserving queues.
#[derive(Debug, Default)]
pub struct Pool {
    queues: IdTable<QueueId, Queue>,
    /// Active queues in order of creation.
    active: Vec<QueueId>,
    /// Active queues without a task.
    empty: u32,
    created: u32,
    slots: Vec<Option<QueueId>>,
    free_slots: Vec<u32>,
    /// Unsettled tasks by slot, of active queues.
    loads: Tournament,
}

impl Pool {
    /// Active queues in order of creation.
    pub fn active(&self) -> &[QueueId] {
        &self.active
    }
    /// All queues, draining ones included.
    pub fn len(&self) -> usize {
        self.queues.len()
    }
    /// Whether there is no queue at all.
    pub fn is_empty(&self) -> bool {
        self.queues.is_empty()
    }
    /// Whether this queue exists and is not draining.
    #[inline]
    pub fn is_active(&self, queue: QueueId) -> bool {
        self.queues.get(queue).is_some_and(|queue| !queue.draining)
    }
    /// Unsettled tasks in a queue; 0 where it does not exist.
    pub fn load(&self, queue: QueueId) -> u32 {
        self.queues.get(queue).map_or(0, |queue| queue.live)
    }
    /// The active queue with the fewest unsettled tasks.
    #[inline]
    pub fn least_loaded(&self) -> Option<QueueId> {
        self.slots[self.loads.winner()? as usize]
    }
    /// How many active queues have no task.
    pub fn empty_queues(&self) -> u32 {
        self.empty
    }
    /// All queues in order of creation.
    pub fn iter(&self) -> impl Iterator<Item = (QueueId, &Queue)> {
        self.queues.iter()
    }

    #[inline]
    pub(super) fn get(&self, queue: QueueId) -> Option<&Queue> {
        self.queues.get(queue)
    }
    #[inline]
    pub(super) fn queue(&self, queue: QueueId) -> &Queue {
        &self.queues[queue]
    }
    #[inline]
    pub(super) fn queue_mut(&mut self, queue: QueueId) -> &mut Queue {
        &mut self.queues[queue]
    }

    pub(super) fn create(&mut self, now: Time) -> QueueId {
        self.created += 1;
        let id = QueueId(self.created);
        let slot = self.free_slots.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.loads.grow()
        });
        self.slots[slot as usize] = Some(id);
        self.queues.insert(
            id,
            Queue {
                tasks: VecDeque::new(),
                live: 0,
                draining: false,
                hold: Hold::Vacant,
                epoch: Epoch(0),
                lease_ends: Time::ZERO,
                granted_by: Ticket(0),
                started: None,
                last_start: Ticket(0),
                empty_since: Some(now),
                empty_timer: false,
                slot,
            },
        );
        self.active.push(id);
        self.empty += 1;
        self.loads.set(slot, 0);
        id
    }

    /// A queue as the records say it is.
    pub(super) fn restore(&mut self, id: QueueId, epoch: Epoch, hold: Hold, draining: bool) {
        self.created = id.0 - 1;
        self.create(Time::ZERO);
        let queue = self.queue_mut(id);
        (queue.epoch, queue.hold) = (epoch, hold);
        if draining {
            self.drain(id);
        }
    }
    /// Numbers up to this one were used.
    pub(super) fn never_reuse(&mut self, last: u32) {
        self.created = self.created.max(last);
    }

    pub(super) fn drain(&mut self, id: QueueId) {
        let queue = &mut self.queues[id];
        assert!(!queue.draining, "{id} drains already");
        queue.draining = true;
        self.empty -= u32::from(queue.live == 0);
        self.loads.withdraw(queue.slot);
        let position = self.active.binary_search(&id).expect("an active queue");
        self.active.remove(position);
    }

    pub(super) fn revive(&mut self, id: QueueId) {
        let queue = &mut self.queues[id];
        assert!(queue.draining, "{id} does not drain");
        queue.draining = false;
        self.empty += u32::from(queue.live == 0);
        self.loads.set(queue.slot, queue.live);
        let position = self.active.binary_search(&id).expect_err("a draining queue");
        self.active.insert(position, id);
    }

    pub(super) fn delete(&mut self, id: QueueId) {
        let queue = self.queues.remove(id).expect("a queue");
        assert!(queue.draining && queue.live == 0 && queue.hold == Hold::Vacant, "{id} is in use");
        self.slots[queue.slot as usize] = None;
        self.free_slots.push(queue.slot);
    }

    /// Appends a task.
    #[inline(always)]
    pub(super) fn push(&mut self, id: QueueId, task: TaskId) -> &Queue {
        let queue = &mut self.queues[id];
        queue.tasks.push_back(task);
        queue.live += 1;
        queue.empty_since = None;
        if !queue.draining {
            self.empty -= u32::from(queue.live == 1);
            self.loads.set(queue.slot, queue.live);
        }
        queue
    }

    /// One task of the queue is settled.
    #[inline(always)]
    pub(super) fn settled_one(&mut self, id: QueueId, now: Time) -> &mut Queue {
        let queue = &mut self.queues[id];
        queue.live -= 1;
        if queue.live == 0 {
            queue.empty_since = Some(now);
        }
        if !queue.draining {
            self.empty += u32::from(queue.live == 0);
            self.loads.set(queue.slot, queue.live);
        }
        queue
    }
}
