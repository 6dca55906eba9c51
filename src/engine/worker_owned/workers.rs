//! Named workers: they come, are heard, are missed, and take their queue with them.

use std::collections::VecDeque;

use smallvec::smallvec;

use super::dispatch::{ONLY_EPOCH, order};
use super::{Place, Timer, WorkerOwned};
use crate::base::note::GrantReason;
use crate::base::{Note, Outcome, QueueId, TaskId, Ticket, Time, WorkerId};
use crate::engine::message::{ClusterMessage, Effect, Heartbeat, Holding, Outbox, Record, Stamp, Welcome, WorkerName};

/// One life of a named worker, and its queue.
#[derive(Debug)]
pub(super) struct Worker {
    /// `None`: it came under an engine before this one.
    pub(super) name: Option<WorkerName>,
    pub(super) queue: QueueId,
    pub(super) heard: Time,
    stamp: Stamp,
    /// Waiting tasks of its own queue.
    pub(super) own: VecDeque<TaskId>,
    pub(super) busy: Option<(TaskId, Ticket)>,
    pub(super) is_idle: bool,
    /// It took its last task from the shared queue.
    pub(super) shared_last: bool,
    /// The sum over its reserved resources of the tasks that claim them.
    pub(super) reservations: u32,
}

impl Worker {
    /// A worker that has not been heard yet.
    pub(super) fn new(name: Option<WorkerName>, queue: QueueId) -> Worker {
        Worker {
            name,
            queue,
            heard: Time::ZERO,
            stamp: Stamp(0),
            own: VecDeque::new(),
            busy: None,
            is_idle: false,
            shared_last: false,
            reservations: 0,
        }
    }

    /// A task of its own queue is settled.
    pub(super) fn forget(&mut self, task: TaskId) {
        if let Some(position) = self.own.iter().position(|other| *other == task) {
            self.own.remove(position);
        }
    }
}

impl WorkerOwned {
    /// A process registers under its name. `initialize_worker`: whatever an earlier life of that name left is cancelled.
    pub(super) fn join(&mut self, now: Time, worker: WorkerId, stamp: Stamp, name: WorkerName, out: &mut Outbox) {
        if let Some(known) = self.workers.get_mut(worker) {
            known.heard = now;
            known.name = Some(name);
            known.stamp = stamp.max(known.stamp);
            self.welcome(worker, stamp, out);
            return;
        }
        let earlier = self.workers.iter().find(|(_, other)| other.name == Some(name)).map(|(id, _)| id);
        if let Some(earlier) = earlier {
            self.delete(now, earlier, out);
        }
        self.last_queue += 1;
        let queue = QueueId(self.last_queue);
        out.push(Effect::Note(Note::QueueCreated { queue }));
        let record = Record::Queue { queue, epoch: ONLY_EPOCH, owner: Some(worker), orphaned: false, draining: false };
        out.push(Effect::Persist(record));
        out.push(Effect::Note(Note::QueueOwned { queue, worker, epoch: ONLY_EPOCH, why: GrantReason::Vacant }));
        self.workers.insert(worker, Worker { heard: now, stamp, ..Worker::new(Some(name), queue) });
        self.welcome(worker, stamp, out);
        self.nudge(now);
        if !std::mem::replace(&mut self.checking, true) {
            self.set(now + self.options.check, Timer::Check);
        }
    }

    fn welcome(&mut self, worker: WorkerId, stamp: Stamp, out: &mut Outbox) {
        let ticket = self.next_ticket();
        let Some(state) = self.workers.get(worker) else { return };
        let grants = smallvec![Holding { queue: state.queue, epoch: ONLY_EPOCH }];
        let welcome = Welcome { stamp, lease: None, grants, ticket };
        out.push(Effect::Send(worker, ClusterMessage::Welcome(Box::new(welcome))));
    }

    pub(super) fn heartbeat(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        for report in &beat.reports {
            self.reported(now, worker, *report, out);
        }
        if beat.quiescing {
            return self.stop(now, worker, beat, out);
        }
        let ttl = self.context.detection.ttl;
        let Some(state) = self.workers.get_mut(worker) else {
            let ticket = self.next_ticket();
            out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket }));
            return;
        };
        if beat.stamp < state.stamp {
            return; // Overtaken by a later one.
        }
        let was_missed = state.heard + ttl < now;
        state.heard = now;
        state.stamp = beat.stamp;
        if was_missed {
            self.nudge(now);
        }
        self.notice_lost_orders(now, worker, beat, out);
        self.welcome(worker, beat.stamp, out);
        if beat.running.is_none() {
            self.fetch(worker, out);
        }
    }

    /// Graceful stop (SIGQUIT): everything of the worker is cancelled, the task that it executes too.
    fn stop(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        self.delete(now, worker, out);
        if let Some(ticket) = beat.running {
            out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
        }
    }

    /// Looks for workers that were not heard for the ttl, for as long as there are workers.
    pub(super) fn check(&mut self, now: Time, out: &mut Outbox) {
        let ttl = self.context.detection.ttl;
        let missed = self.workers.iter().filter(|(_, worker)| worker.heard + ttl < now);
        let missed: Vec<WorkerId> = missed.map(|(id, _)| id).collect();
        for worker in missed {
            out.push(Effect::Note(Note::WorkerLost { worker }));
            self.delete(now, worker, out);
        }
        self.checking = !self.workers.is_empty();
        if self.checking {
            self.set(now + self.options.check, Timer::Check);
        }
    }

    /// `_delete_worker`: its record and its reservations go, all its tasks are cancelled. Nobody tells the worker.
    pub(super) fn delete(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        let Some(session) = self.workers.remove(worker) else { return };
        let running = session.busy.map(|(task, _)| task);
        for task in running.into_iter().chain(session.own) {
            self.settle(now, task, Outcome::Cancelled, out);
        }
        let queue = session.queue;
        out.push(Effect::Note(Note::QueueVacant { queue }));
        out.push(Effect::Note(Note::QueueDeleted { queue }));
        out.push(Effect::Persist(Record::QueueGone { queue }));
        self.nudge(now);
    }

    /// An order that the worker cannot have seen is sent again; one that it saw and does not execute is void.
    fn notice_lost_orders(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        let Some(state) = self.workers.get(worker) else { return };
        let Some((task, ticket)) = state.busy else { return };
        if beat.running == Some(ticket) {
            if self.tasks[task].cancelled {
                out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
            }
        } else if beat.started < ticket {
            let from_shared = self.tasks[task].place == Place::Shared;
            let queue = if from_shared { QueueId::GENERAL } else { state.queue };
            out.push(Effect::Send(worker, ClusterMessage::Start(order(task, queue, ticket))));
        } else {
            self.not_begun(now, worker, out);
        }
    }
}
