//! What the unsettled tasks that claim a resource tie it to: the queues in which they are placed, and who is parked.

use crate::base::{Claim, Mode, QueueId, TaskId};

/// A resource's ties. Small, for there is one per resource: what few resources have lies elsewhere.
#[derive(Debug)]
pub(super) struct Tie {
    /// The queue with placed claimants, the first one where there are several.
    queue: QueueId,
    /// How many there are in it; 0: none is placed anywhere.
    count: u32,
    /// Placed claimants that are exclusive.
    exclusive: u32,
    /// The queue that last held a claimant.
    last: Option<QueueId>,
    crowd: Option<Box<Crowd>>,
}

/// What a resource has while claimants share it in several queues, or are parked; kept once it was needed.
#[derive(Debug, Default)]
struct Crowd {
    /// Further queues with placed claimants, and how many. Only while all of them are shared.
    placed: Vec<(QueueId, u32)>,
    /// Parked claimants in order of submission.
    parked: Vec<(TaskId, Mode)>,
    /// Parked claimants that are exclusive.
    parked_exclusive: u32,
}

impl Default for Tie {
    fn default() -> Self {
        Tie { queue: QueueId::GENERAL, count: 0, exclusive: 0, last: None, crowd: None }
    }
}

impl Tie {
    /// A claimant is placed in this queue.
    #[inline(always)]
    pub(super) fn enter(&mut self, queue: QueueId, claim: Claim) {
        if self.count == 0 {
            self.queue = queue;
        }
        if self.queue == queue {
            self.count += 1;
        } else {
            self.enter_further(queue);
        }
        self.exclusive += u32::from(claim.mode == Mode::Exclusive);
        self.last = Some(queue);
    }

    fn enter_further(&mut self, queue: QueueId) {
        let placed = &mut self.crowd.get_or_insert_default().placed;
        match placed.iter_mut().find(|(other, _)| *other == queue) {
            Some((_, count)) => *count += 1,
            None => placed.push((queue, 1)),
        }
    }

    /// A claimant leaves this queue.
    #[inline(always)]
    pub(super) fn leave(&mut self, queue: QueueId, claim: Claim) {
        if self.queue == queue && self.count > 1 {
            self.count -= 1;
        } else {
            self.last_leaves(queue);
        }
        self.exclusive -= u32::from(claim.mode == Mode::Exclusive);
    }

    /// A claimant leaves, the last one of the first queue or any one of another.
    #[inline(always)]
    fn last_leaves(&mut self, queue: QueueId) {
        match &mut self.crowd {
            Some(crowd) if !crowd.placed.is_empty() => {
                if self.queue == queue {
                    (self.queue, self.count) = crowd.placed.remove(0);
                } else {
                    crowd.leave(queue);
                }
            }
            Some(_) | None => {
                assert!(self.queue == queue && self.count == 1, "a claimant leaves {queue} and was not in it");
                self.count = 0;
            }
        }
    }

    pub(super) fn park(&mut self, task: TaskId, mode: Mode) {
        let crowd = self.crowd.get_or_insert_default();
        let position = crowd.parked.partition_point(|(parked, _)| *parked < task);
        crowd.parked.insert(position, (task, mode));
        crowd.parked_exclusive += u32::from(mode == Mode::Exclusive);
    }

    pub(super) fn unpark(&mut self, task: TaskId) {
        let crowd = self.crowd.as_mut().expect("a parked task");
        let position = crowd.parked.binary_search_by_key(&task, |(parked, _)| *parked).expect("a parked task");
        let (_, mode) = crowd.parked.remove(position);
        crowd.parked_exclusive -= u32::from(mode == Mode::Exclusive);
    }

    /// The first parked task before `task` that conflicts with a claim of this mode.
    #[inline(always)]
    pub(super) fn parked_ahead(&self, task: TaskId, mode: Mode) -> Option<TaskId> {
        self.crowd.as_ref()?.parked_ahead(task, mode)
    }

    /// The queues in which placed tasks lie that conflict with a claim of this mode.
    #[inline(always)]
    pub(super) fn conflicting_queues(&self, mode: Mode) -> impl Iterator<Item = QueueId> + '_ {
        let conflicts = mode == Mode::Exclusive || self.exclusive > 0;
        let first = (conflicts && self.count > 0).then_some(self.queue);
        let crowd = self.crowd.as_deref().filter(|_| conflicts);
        first.into_iter().chain(crowd.into_iter().flat_map(|crowd| crowd.placed.iter().map(|(queue, _)| *queue)))
    }

    /// The queue that last held a claimant.
    #[inline(always)]
    pub(super) fn last(&self) -> Option<QueueId> {
        self.last
    }

    /// Parked tasks that may have nothing parked ahead of them on this resource any more.
    pub(super) fn first_parked(&self) -> impl Iterator<Item = TaskId> + '_ {
        let parked = self.crowd.as_ref().map_or(&[][..], |crowd| &crowd.parked);
        let first_is_exclusive = parked.first().is_some_and(|(_, mode)| *mode == Mode::Exclusive);
        let shared_run = parked.iter().take_while(|(_, mode)| *mode == Mode::Shared);
        let exclusive = parked.iter().take(usize::from(first_is_exclusive));
        exclusive.chain(shared_run).map(|(task, _)| *task)
    }
}

impl Crowd {
    fn leave(&mut self, queue: QueueId) {
        let position = self.placed.iter().position(|(placed, _)| *placed == queue).expect("a tie to this queue");
        let (_, count) = &mut self.placed[position];
        *count -= 1;
        if *count == 0 {
            self.placed.remove(position);
        }
    }

    fn parked_ahead(&self, task: TaskId, mode: Mode) -> Option<TaskId> {
        if mode == Mode::Shared && self.parked_exclusive == 0 {
            return None;
        }
        self.parked
            .iter()
            .take_while(|(parked, _)| *parked < task)
            .find(|(_, other)| mode == Mode::Exclusive || *other == Mode::Exclusive)
            .map(|(parked, _)| *parked)
    }
}
