//! Baseline: Pulp 2 (Celery) and early Pulp 3 (RQ, until 3.13). Queues belong to named workers.
//!
//! What is mirrored:
//!
//! | here | there |
//! |---|---|
//! | `manager` | the resource manager: `_queue_reserved_task` (`server/async/tasks.py`), `_acquire_worker` (`pulpcore/tasking/tasks.py`): one at a time, and whoever cannot be placed holds up all behind it |
//! | `workers` | `_delete_worker`, `HeartbeatStep.shutdown`, `initialize_worker`; `mark_worker_offline` |
//! | `dispatch` | a worker consumes its own queue and, in Pulp 2, the shared `celery` queue, in turn |
//!
//! A resource is reserved on one worker while a task there claims it, so whatever conflicts lies in one queue, in order.
//! When a worker counts as dead, stops gracefully, or comes back under its name, all its tasks, running and queued, are
//! cancelled and its reservations released. Nothing is fenced: a worker that only stood still goes on with a cancelled
//! task, registers anew at its next heartbeat, and may meet the next task of the resource on another worker.
//!
//! Read into it: a shared claim reserves like an exclusive one (3.15 brought sharing); a task of several resources
//! follows the rule of 2.21 and RQ in every preset; a worker's queue is a new one in each of its lives. Left out: the
//! fail-over of the manager itself.

mod dispatch;
mod manager;
mod restore;
pub mod spec;
mod workers;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use crate::base::names::PropertySet;
use crate::base::{Claim, Claims, IdMap, Note, Outcome, Property, QueueId, TaskId, Ticket, Time, WorkerId};
use crate::engine::agent::AgentOptions;
use crate::engine::message::{ClusterMessage, Effect, Input, Outbox, Placed, Record, WorkerMessage};
use crate::engine::{Context, Detection, Engine, EngineFactory, Guarantees, Reason, Records};

use manager::Manager;
use spec::{Options, WorkerOwnedSpec};
use workers::Worker;

/// An incomplete task.
#[derive(Debug)]
struct Task {
    claims: Claims,
    place: Place,
    /// Its client gave it up while it ran.
    cancelled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    /// In the resource manager's line.
    Line,
    /// In the queue that all workers consume.
    Shared,
    /// In a worker's own queue.
    Own(WorkerId),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Timer {
    /// Somebody looks for dead workers.
    Check,
    /// The resource manager tries to place the first task of its line.
    Manager,
}

/// The engine.
#[derive(Debug)]
struct WorkerOwned {
    options: Options,
    context: Context,
    last_ticket: u64,
    last_queue: u32,
    tasks: IdMap<TaskId, Task>,
    manager: Manager,
    /// Tasks that any worker may take; settled ones are skipped.
    shared: VecDeque<TaskId>,
    workers: IdMap<WorkerId, Worker>,
    timers: BinaryHeap<Reverse<(Time, Timer)>>,
    checking: bool,
    /// It was restored, and has not been given any input yet.
    resumes: bool,
}

impl Engine for WorkerOwned {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        if std::mem::take(&mut self.resumes) {
            self.resume(now);
        }
        match input {
            Input::Submit { task, claims } => self.submit(now, task, claims, out),
            Input::Cancel { task } => self.cancel(now, task, out),
            Input::Quiesce { worker } => out.push(Effect::Send(worker, ClusterMessage::Quiesce)),
            // There is no pool, and the death of a process is found out by its silence.
            Input::Limits { .. } | Input::Disconnected { .. } => {}
            Input::Worker { worker, message } => self.worker_message(now, worker, message, out),
            Input::Timeout => self.timeout(now, out),
        }
    }

    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.timers.peek().map(|Reverse((at, timer))| {
            let reason = match timer {
                Timer::Check => "somebody looks for dead workers",
                Timer::Manager => "the resource manager places a task",
            };
            (*at, reason)
        })
    }
}

impl WorkerOwned {
    fn new(options: Options, context: Context) -> Self {
        WorkerOwned {
            options,
            context,
            last_ticket: u64::from(context.term.0.saturating_sub(1)) << 40,
            last_queue: 0,
            tasks: IdMap::new(),
            manager: Manager::default(),
            shared: VecDeque::new(),
            workers: IdMap::new(),
            timers: BinaryHeap::new(),
            checking: false,
            resumes: false,
        }
    }

    fn set(&mut self, at: Time, timer: Timer) {
        self.timers.push(Reverse((at, timer)));
    }

    fn next_ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    fn timeout(&mut self, now: Time, out: &mut Outbox) {
        while let Some(Reverse((_, timer))) = self.timers.peek().filter(|due| due.0.0 <= now).copied() {
            self.timers.pop();
            match timer {
                Timer::Check => self.check(now, out),
                Timer::Manager => self.manage(now, out),
            }
        }
    }

    fn worker_message(&mut self, now: Time, worker: WorkerId, message: &WorkerMessage, out: &mut Outbox) {
        match message {
            WorkerMessage::Join { stamp, name } => self.join(now, worker, *stamp, *name, out),
            WorkerMessage::Heartbeat(heartbeat) => self.heartbeat(now, worker, heartbeat, out),
            WorkerMessage::Fetch => self.fetch(worker, out),
            WorkerMessage::Finished(report) => self.reported(now, worker, *report, out),
            WorkerMessage::FinishedAndFetch(report) => {
                self.reported(now, worker, *report, out);
                self.fetch(worker, out);
            }
            WorkerMessage::Released(_) => {} // The queue goes with its worker.
            WorkerMessage::Leave => self.delete(now, worker, out),
        }
    }

    fn submit(&mut self, now: Time, task: TaskId, claims: &[Claim], out: &mut Outbox) {
        let shared = claims.is_empty() && self.options.shared_queue;
        let place = if shared { Place::Shared } else { Place::Line };
        self.tasks.insert(task, Task { claims: Claims::from_slice(claims), place, cancelled: false });
        if shared {
            self.record(task, QueueId::GENERAL, out);
            self.shared.push_back(task);
            self.wake_for_shared(out);
        } else {
            self.enqueue(now, task, out);
        }
    }

    /// The task lies in a queue from here on.
    fn record(&self, task: TaskId, queue: QueueId, out: &mut Outbox) {
        let claims = self.tasks[task].claims.clone();
        out.push(Effect::Persist(Record::Task { task, claims, placed: Some(Placed { queue, sequence: 0 }) }));
        out.push(Effect::Note(Note::Placed { task, queue }));
    }

    fn cancel(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        let Some(state) = self.tasks.get_mut(task) else { return };
        let executes = |(_, worker): &(WorkerId, &Worker)| worker.busy.is_some_and(|(busy, _)| busy == task);
        if let Some((id, worker)) = self.workers.iter().find(executes) {
            state.cancelled = true;
            let (_, ticket) = worker.busy.expect("it executes the task");
            out.push(Effect::Send(id, ClusterMessage::Abort { ticket }));
        } else {
            self.settle(now, task, Outcome::Cancelled, out);
        }
    }

    fn settle(&mut self, now: Time, task: TaskId, outcome: Outcome, out: &mut Outbox) {
        let state = self.tasks.remove(task).expect("an incomplete task");
        out.push(Effect::Persist(Record::TaskGone { task, outcome }));
        out.push(Effect::Settle(task, outcome));
        if let Place::Own(worker) = state.place {
            if let Some(worker) = self.workers.get_mut(worker) {
                worker.forget(task);
            }
            self.release(now, worker, &state.claims);
        }
    }
}

/// A factory of `worker_owned` engines with these options.
pub fn factory(spec: &WorkerOwnedSpec) -> Arc<dyn EngineFactory> {
    Arc::new(Factory { options: Options::of(spec) })
}

struct Factory {
    options: Options,
}

impl EngineFactory for Factory {
    fn name(&self) -> &str {
        "worker_owned"
    }

    fn fresh(&self, context: Context) -> Box<dyn Engine> {
        Box::new(WorkerOwned::new(self.options.clone(), context))
    }

    fn restore(&self, records: &Records, context: Context) -> Box<dyn Engine> {
        let mut engine = WorkerOwned::new(self.options.clone(), context);
        engine.take_in(records);
        engine.resumes = true;
        Box::new(engine)
    }

    /// Neither exclusion nor a task's one attempt are promised: nothing stops a worker that stood still from executing,
    /// or beginning, what was cancelled. Nor that an orphaned queue is taken up: it is cancelled.
    fn guarantees(&self, _detection: Detection) -> Guarantees {
        use Property::{Affinity, NoLoss, Order, Ownership, Quiesce};
        let properties = [Order, Ownership, NoLoss, Affinity, Quiesce];
        Guarantees { properties: properties.into_iter().collect::<PropertySet>(), orphan_bound: None }
    }

    fn agent(&self, detection: Detection) -> AgentOptions {
        AgentOptions { heartbeat: detection.heartbeat, session: None, fences_itself: false }
    }
}
