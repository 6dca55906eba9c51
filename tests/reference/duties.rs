//! What must be done at once: nobody who could work is left idle, and nothing is left lying about.

use lanekeeper::base::{QueueId, TaskId, WorkerId};
use lanekeeper::engine::spec::{AtMax, ServedBy};

use super::{Place, Reference, Task};

impl Reference {
    fn healthy(&self) -> impl Iterator<Item = WorkerId> + '_ {
        self.workers.iter().filter(|(_, worker)| !worker.leaving).map(|(worker, _)| *worker)
    }

    pub(super) fn a_queue_without_owner(&self) -> Option<String> {
        let worker = self.healthy().next()?;
        let (queue, _) = self.queues.iter().find(|(_, state)| state.owner.is_none() && !state.orphaned)?;
        Some(format!("{queue} has no owner, and {worker} is there"))
    }

    /// A healthy worker is idle, and a task waits that it serves.
    pub(super) fn an_idle_worker(&self) -> Option<String> {
        let idle = |worker: &WorkerId| self.workers[worker].wants_work && !self.is_busy(*worker);
        self.healthy().filter(idle).find_map(|worker| {
            let own = self.queues_of(worker).filter(|(_, state)| !state.revoking);
            let reserved = own.filter_map(|(queue, _)| self.first_in(queue)).next();
            let task = reserved.or_else(|| self.waiting_in_general().filter(|_| self.serves_general(worker)))?;
            Some(format!("{worker} is idle, and {task} waits for it"))
        })
    }

    fn waiting_in_general(&self) -> Option<TaskId> {
        let waits = |state: &Task| {
            state.attempt.is_none() && matches!(state.place, Place::Queue(queue, _) if queue.is_general())
        };
        self.tasks.iter().find(|(_, state)| waits(state)).map(|(task, _)| *task)
    }

    fn serves_general(&self, worker: WorkerId) -> bool {
        let keeps_none = |worker: WorkerId| self.queues_of(worker).all(|(_, state)| state.revoking);
        match self.spec.general_queue.served_by {
            ServedBy::Everyone => true,
            ServedBy::Surplus => self.queues_of(worker).next().is_none() || !self.healthy().any(keeps_none),
        }
    }

    pub(super) fn a_task_in_no_queue(&self) -> Option<String> {
        let outside = self.tasks.iter().filter(|(_, state)| !matches!(state.place, Place::Queue(..)));
        outside.map(|(task, _)| *task).find_map(|task| {
            let queue = self.tied_to(task).or_else(|| self.free_place(task))?;
            Some(format!("{task} is in no queue, and could be in {queue}"))
        })
    }

    /// A queue for a task with which nothing ahead conflicts.
    fn free_place(&self, task: TaskId) -> Option<QueueId> {
        if !self.ahead_of(task).is_empty() {
            return None;
        }
        let mut active = self.queues.iter().filter(|(_, state)| !state.draining).map(|(queue, _)| *queue);
        match self.spec.at_max {
            AtMax::Share => active.next(),
            AtMax::Park(_) => active.find(|queue| self.first_in(*queue).is_none()),
        }
    }
}
