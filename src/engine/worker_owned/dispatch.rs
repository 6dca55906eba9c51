//! What a worker executes next, and what its report means.

use super::{Place, WorkerOwned};
use crate::base::{Epoch, Outcome, QueueId, TaskId, Ticket, Time, WorkerId};
use crate::engine::message::{ClusterMessage, Effect, Ended, Outbox, Record, Report, Start};

/// A queue has one owner in its whole life.
pub(super) const ONLY_EPOCH: Epoch = Epoch(1);

impl WorkerOwned {
    /// Puts a task at the end of a worker's queue.
    pub(super) fn put(&mut self, task: TaskId, worker: WorkerId, out: &mut Outbox) {
        let state = &mut self.workers[worker];
        state.own.push_back(task);
        let queue = state.queue;
        self.record(task, queue, out);
        self.serve(worker, out);
    }

    pub(super) fn fetch(&mut self, worker: WorkerId, out: &mut Outbox) {
        let Some(state) = self.workers.get_mut(worker) else {
            let ticket = self.next_ticket();
            out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket }));
            return;
        };
        if state.busy.is_none() {
            state.is_idle = true;
            self.serve(worker, out);
        }
    }

    pub(super) fn wake_for_shared(&mut self, out: &mut Outbox) {
        let idle = self.workers.iter().find(|(_, worker)| worker.is_idle).map(|(id, _)| id);
        if let Some(worker) = idle {
            self.serve(worker, out);
        }
    }

    /// Gives an idle worker the next task: of its own queue and of the shared one in turn.
    pub(super) fn serve(&mut self, worker: WorkerId, out: &mut Outbox) {
        while self.shared.front().is_some_and(|task| !self.tasks.contains(*task)) {
            self.shared.pop_front();
        }
        let Some(state) = self.workers.get_mut(worker).filter(|state| state.is_idle) else { return };
        let from_shared = match (state.own.front(), self.shared.front()) {
            (None, None) => return,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (Some(_), Some(_)) => !state.shared_last,
        };
        state.shared_last = from_shared;
        state.is_idle = false;
        let queue = if from_shared { QueueId::GENERAL } else { state.queue };
        let line = if from_shared { &mut self.shared } else { &mut state.own };
        let task = line.pop_front().expect("a waiting task");
        let ticket = self.next_ticket();
        self.workers[worker].busy = Some((task, ticket));
        out.push(Effect::Persist(Record::Attempt {
            task,
            attempts: 1,
            lost: 0,
            cancelled: false,
            running: Some((worker, ticket)),
        }));
        out.push(Effect::Send(worker, ClusterMessage::Start(order(task, queue, ticket))));
    }

    pub(super) fn reported(&mut self, now: Time, worker: WorkerId, report: Report, out: &mut Outbox) {
        let Start { task, ticket, .. } = report.start;
        out.push(Effect::Send(worker, ClusterMessage::Answered { ticket }));
        let Some(state) = self.workers.get_mut(worker).filter(|state| state.busy == Some((task, ticket))) else {
            return; // The task was cancelled with the worker's earlier life.
        };
        let Some(ended) = report.ended else {
            return self.not_begun(now, worker, out);
        };
        state.busy = None;
        let outcome = match ended {
            Ended::Completed => Outcome::Completed,
            Ended::Failed => Outcome::Failed,
            Ended::Aborted if self.tasks[task].cancelled => Outcome::Cancelled,
            Ended::Aborted | Ended::Refused => Outcome::Failed,
        };
        self.settle(now, task, outcome, out);
    }

    /// The worker's task is first in its queue again.
    pub(super) fn not_begun(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        let Some((task, _)) = self.workers.get_mut(worker).and_then(|state| state.busy.take()) else { return };
        if self.tasks[task].cancelled {
            return self.settle(now, task, Outcome::Cancelled, out);
        }
        out.push(Effect::Persist(Record::Attempt { task, attempts: 0, lost: 0, cancelled: false, running: None }));
        if self.tasks[task].place == Place::Shared {
            self.shared.push_front(task);
            self.wake_for_shared(out);
        } else {
            self.workers[worker].own.push_front(task);
        }
    }
}

/// The order to execute a task of this queue.
pub(super) fn order(task: TaskId, queue: QueueId, ticket: Ticket) -> Start {
    Start { task, queue, epoch: if queue.is_general() { Epoch(0) } else { ONLY_EPOCH }, ticket }
}
