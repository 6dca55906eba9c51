//! A worker looks for work, takes a task, executes it and looks again.
//!
//! Between two columns of the database lie measured times. A worker that was idle starts `unblocked_to_started` after
//! the task was unblocked. One that has just finished looks again a little later, and if it finds a task, starts it
//! `finished_to_next` after the end of the last one.

use super::{PullLocks, State, Timer, draw};
use crate::base::{Epoch, Outcome, QueueId, TaskId, Ticket, Time, WorkerId};
use crate::engine::message::{ClusterMessage, Effect, Ended, Outbox, Record, Report, Start};

impl PullLocks {
    /// The worker has nothing to do from here on. It looks for work as soon as it is done with its last task.
    pub(super) fn fetch(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        let Some(state) = self.workers.get(worker) else {
            let ticket = self.next_ticket();
            out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket }));
            return;
        };
        if state.busy.is_some() || state.quiescing || state.gone {
            return;
        }
        let free_at = state.free_at;
        if free_at > now {
            self.set(free_at, Timer::Free(worker));
        } else {
            self.look_for_work(now, worker, out);
        }
    }

    pub(super) fn look_for_work(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        let Some(state) = self.workers.get_mut(worker) else { return };
        if state.busy.is_some() || state.quiescing || state.gone || state.free_at > now {
            return;
        }
        let next_start = state.next_start.take();
        if !self.take(now, worker, next_start, out) {
            self.workers.set_idle(worker);
        }
    }

    /// A task was unblocked: one of the sleeping workers takes one.
    pub(super) fn wake_one(&mut self, now: Time, out: &mut Outbox) {
        if let Some(worker) = self.workers.longest_idle()
            && self.take(now, worker, None, out)
        {
            self.workers.set_not_idle(worker);
        }
    }

    /// The worker takes an unblocked task, to start it at `next_start`, or as an idle worker would.
    fn take(&mut self, now: Time, worker: WorkerId, next_start: Option<Time>, out: &mut Outbox) -> bool {
        self.give_up_abandoned(now, out);
        let (ranks, jitter) = (&self.options.pick_ranks, self.options.pick_jitter);
        let Some(task) = self.unblocked.pick(ranks, self.context.seed, jitter) else { return false };
        let ticket = self.next_ticket();
        self.unblocked.remove(self.tasks[task].created, task);
        self.tasks[task].state = State::Taken { worker, ticket, started: false };
        self.workers.get_mut(worker).expect("a known worker").busy = Some((task, ticket));
        let keys = [draw::UNBLOCKED_TO_STARTED, ticket.0];
        let from_idle = || now + self.options.unblocked_to_started.draw(self.context.seed, &keys);
        let at = next_start.map_or_else(from_idle, |at| at.max(now));
        self.set(at, Timer::Start(worker, ticket));
        true
    }

    /// "Worker has gone missing."
    pub(super) fn give_up_abandoned(&mut self, now: Time, out: &mut Outbox) {
        while let Some(task) = self.abandoned.first().copied() {
            let outcome = if self.tasks[task].cancelled { Outcome::Cancelled } else { self.options.abandoned };
            self.settle(now, task, outcome, out);
        }
    }

    pub(super) fn start(&mut self, worker: WorkerId, ticket: Ticket, out: &mut Outbox) {
        let busy = self.workers.get(worker).filter(|state| !state.gone).and_then(|state| state.busy);
        let Some((task, _)) = busy.filter(|(_, current)| *current == ticket) else { return };
        // A new number: orders are old news to a worker that has seen a later one, like the answer to a heartbeat.
        let ticket = self.next_ticket();
        self.workers.get_mut(worker).expect("a known worker").busy = Some((task, ticket));
        self.tasks[task].state = State::Taken { worker, ticket, started: true };
        out.push(Effect::Persist(Record::Attempt {
            task,
            attempts: 1,
            lost: 0,
            cancelled: false,
            running: Some((worker, ticket)),
        }));
        out.push(Effect::Send(worker, ClusterMessage::Start(order(task, ticket))));
    }

    pub(super) fn reported(&mut self, now: Time, worker: WorkerId, report: Report, out: &mut Outbox) {
        let Start { task, ticket, .. } = report.start;
        out.push(Effect::Send(worker, ClusterMessage::Answered { ticket }));
        let current = State::Taken { worker, ticket, started: true };
        if self.tasks.get(task).is_none_or(|row| row.state != current) {
            return; // `set_completed` needs the lock.
        }
        let Some(ended) = report.ended else {
            return self.put_back(now, task, out);
        };
        self.workers.get_mut(worker).expect("who holds a lock is known").busy = None;
        self.occupy(now, worker, ticket);
        let outcome = match ended {
            Ended::Completed => Outcome::Completed,
            Ended::Failed => Outcome::Failed,
            Ended::Aborted if self.tasks[task].cancelled => Outcome::Cancelled,
            Ended::Aborted | Ended::Refused => self.options.abandoned,
        };
        self.settle(now, task, outcome, out);
    }

    /// After a task the worker is held a while: it clears the lock, notifies, and looks for the next.
    fn occupy(&mut self, now: Time, worker: WorkerId, ticket: Ticket) {
        let keys = [draw::FINISHED_TO_NEXT, ticket.0];
        let next = self.options.finished_to_next.draw(self.context.seed, &keys);
        let held = self.options.finished_to_next.mean().saturating_sub(self.options.unblocked_to_started.mean());
        let state = self.workers.get_mut(worker).expect("a known worker");
        state.free_at = now + held.min(next);
        state.next_start = Some(now + next);
    }

    /// The worker did not begin with the task after all; it waits for another one.
    pub(super) fn put_back(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        if let State::Taken { worker, .. } = self.tasks[task].state
            && let Some(state) = self.workers.get_mut(worker)
        {
            state.busy = None;
        }
        if self.tasks[task].cancelled {
            return self.settle(now, task, Outcome::Cancelled, out);
        }
        self.tasks[task].state = State::Unblocked;
        out.push(Effect::Persist(Record::Attempt { task, attempts: 0, lost: 0, cancelled: false, running: None }));
        self.unblocked.insert(self.tasks[task].created, task);
        self.wake_one(now, out);
    }
}

/// The order to execute a task.
pub(super) fn order(task: TaskId, ticket: Ticket) -> Start {
    Start { task, queue: QueueId::GENERAL, epoch: Epoch(0), ticket }
}
