//! Baseline: pulpcore from 3.14 on. No queues: tasks are rows in a database, workers pull them.
//!
//! What is mirrored, by the names in `pulpcore/tasking/worker.py`:
//!
//! | here | there |
//! |---|---|
//! | `admission` | `_unblock_tasks`: in order of creation, with the sets of taken exclusive and shared resources |
//! | `fetch`, `candidates` | `iter_tasks`/`fetch_task`: one unblocked task by `pulp_created + 8 s * random()`; `cancel_abandoned_task` |
//! | `workers` | `beat`, `app_worker_cleanup`, `handle_worker_heartbeat`, shutdown by SIGTERM |
//! | overheads | notify, scan, fetch and fork: measured times between the columns of a task (`spec`) |
//!
//! A dead worker's running task is failed and never tried again; waiting tasks belong to nobody and are kept. Between a
//! worker's death and the clean-up the claims of its task block whatever comes after, which takes minutes. An abandoned
//! task is noticed only by a worker that looks for work: when it starts, finishes a task, or a task is unblocked.
//!
//! Left out: immediate tasks, auxiliary workers, domains as claims of their own (an importer drops them), the Redis
//! worker. Every task is started for the general queue; there is no grant, so nothing is fenced by a lease.

mod admission;
mod candidates;
mod fetch;
mod restore;
pub mod spec;
mod workers;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use crate::base::names::PropertySet;
use crate::base::{Claim, Claims, IdMap, Mode, Note, Outcome, Property, QueueId, TaskId, Ticket, Time, WorkerId};
use crate::engine::agent::AgentOptions;
use crate::engine::message::{ClusterMessage, Effect, Input, Outbox, Placed, Record, WorkerMessage};
use crate::engine::{Context, Detection, Engine, EngineFactory, Guarantees, Reason, Records};

use admission::Admission;
use candidates::Candidates;
use spec::{CleanUp, Options, PullLocksSpec};
use workers::Workers;

/// An incomplete task: a row of the database.
#[derive(Debug)]
struct Task {
    claims: Claims,
    created: Time,
    state: State,
    /// Its client gave it up while it ran.
    cancelled: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Something in conflict is ahead, or nobody has looked yet.
    Waiting,
    /// Marked: a worker may take it.
    Unblocked,
    /// A worker holds its lock; `started`: it was told to begin.
    Taken { worker: WorkerId, ticket: Ticket, started: bool },
    /// It runs, and its lock is nobody's.
    Abandoned,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Timer {
    /// Dead workers are removed.
    CleanUp,
    /// The task is marked unblocked.
    Unblock(TaskId),
    /// The worker is done with its last task and looks for the next.
    Free(WorkerId),
    /// The task that it has taken begins.
    Start(WorkerId, Ticket),
    /// The worker was told to leave and stops its task.
    GraceOver(WorkerId, Ticket),
}

/// The engine.
#[derive(Debug)]
struct PullLocks {
    options: Options,
    context: Context,
    begun: bool,
    last_ticket: u64,
    tasks: IdMap<TaskId, Task>,
    admission: Admission,
    unblocked: Candidates,
    abandoned: BTreeSet<TaskId>,
    workers: Workers,
    timers: BinaryHeap<Reverse<(Time, Timer)>>,
}

/// What the draws of overheads and choices are for.
mod draw {
    pub(super) const CREATED_TO_UNBLOCKED: u64 = 1;
    pub(super) const BLOCKER_FINISHED_TO_UNBLOCKED: u64 = 2;
    pub(super) const UNBLOCKED_TO_STARTED: u64 = 3;
    pub(super) const FINISHED_TO_NEXT: u64 = 4;
    pub(super) const PICK: u64 = 5;
    pub(super) const FIRST_CLEAN_UP: u64 = 6;
    pub(super) const PICK_AMONG: u64 = 7;
}

impl Engine for PullLocks {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        self.begin(now);
        match input {
            Input::Submit { task, claims } => self.submit(now, task, claims, out),
            Input::Cancel { task } => self.cancel(now, task, out),
            Input::Quiesce { worker } => out.push(Effect::Send(worker, ClusterMessage::Quiesce)),
            Input::Limits { .. } => {} // There is no pool.
            Input::Disconnected { worker } => self.disconnected(now, worker, out),
            Input::Worker { worker, message } => self.worker_message(now, worker, message, out),
            Input::Timeout => self.timeout(now, out),
        }
    }

    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.timers.peek().map(|Reverse((at, timer))| {
            let reason = match timer {
                Timer::CleanUp => "dead workers are removed",
                Timer::Unblock(_) => "a task is marked unblocked",
                Timer::Free(_) => "a worker looks for its next task",
                Timer::Start(..) => "a task begins",
                Timer::GraceOver(..) => "a worker that leaves stops its task",
            };
            (*at, reason)
        })
    }
}

impl PullLocks {
    fn new(options: Options, context: Context) -> Self {
        PullLocks {
            options,
            context,
            begun: false,
            last_ticket: u64::from(context.term.0.saturating_sub(1)) << 40,
            tasks: IdMap::new(),
            admission: Admission::default(),
            unblocked: Candidates::default(),
            abandoned: BTreeSet::new(),
            workers: Workers::default(),
            timers: BinaryHeap::new(),
        }
    }

    fn begin(&mut self, now: Time) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        if let CleanUp::At(instants) = &self.options.clean_up {
            self.timers.extend(instants.iter().map(|at| Reverse((Time::ZERO + *at, Timer::CleanUp))));
        }
        self.workers.hear_all(now); // Of a restored engine: silence is counted from here.
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
                Timer::CleanUp => self.clean_up(now, out),
                Timer::Unblock(task) => self.unblock(now, task, out),
                Timer::Free(worker) => self.look_for_work(now, worker, out),
                Timer::Start(worker, ticket) => self.start(worker, ticket, out),
                Timer::GraceOver(worker, ticket) => self.grace_over(worker, ticket, out),
            }
        }
    }

    fn worker_message(&mut self, now: Time, worker: WorkerId, message: &WorkerMessage, out: &mut Outbox) {
        match message {
            WorkerMessage::Join { stamp, .. } => self.join(now, worker, *stamp, out),
            WorkerMessage::Heartbeat(heartbeat) => self.heartbeat(now, worker, heartbeat, out),
            WorkerMessage::Fetch => self.fetch(now, worker, out),
            WorkerMessage::Finished(report) => self.reported(now, worker, *report, out),
            WorkerMessage::FinishedAndFetch(report) => {
                self.reported(now, worker, *report, out);
                self.fetch(now, worker, out);
            }
            WorkerMessage::Released(_) => {} // Nothing is ever granted.
            WorkerMessage::Leave => self.leave(now, worker, out),
        }
    }

    fn submit(&mut self, now: Time, task: TaskId, claims: &[Claim], out: &mut Outbox) {
        let mut claims = Claims::from_slice(claims);
        if !self.options.shares {
            claims.iter_mut().for_each(|claim| claim.mode = Mode::Exclusive);
        }
        out.push(Effect::Persist(Record::Task {
            task,
            claims: claims.clone(),
            placed: Some(Placed { queue: QueueId::GENERAL, sequence: 0 }),
        }));
        out.push(Effect::Note(Note::Placed { task, queue: QueueId::GENERAL }));
        let runnable = self.admission.enter(task, &claims);
        self.tasks.insert(task, Task { claims, created: now, state: State::Waiting, cancelled: false });
        if runnable {
            let at = self.first_look(task);
            self.set(at, Timer::Unblock(task));
        }
    }

    /// When the scan that a task's creation causes has come to it.
    fn first_look(&self, task: TaskId) -> Time {
        let keys = [draw::CREATED_TO_UNBLOCKED, task.0.into()];
        self.tasks[task].created + self.options.created_to_unblocked.draw(self.context.seed, &keys)
    }

    fn unblock(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        let Some(row) = self.tasks.get_mut(task).filter(|row| row.state == State::Waiting) else { return };
        row.state = State::Unblocked;
        self.unblocked.insert(row.created, task);
        self.wake_one(now, out);
    }

    fn cancel(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        let Some(row) = self.tasks.get_mut(task) else { return };
        match row.state {
            State::Taken { worker, ticket, started: true } => {
                row.cancelled = true;
                out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
            }
            State::Taken { worker, started: false, .. } => {
                self.settle(now, task, Outcome::Cancelled, out);
                self.idle_again(now, worker, out);
            }
            State::Waiting | State::Unblocked | State::Abandoned => self.settle(now, task, Outcome::Cancelled, out),
        }
    }

    /// The task is complete; whatever waited for nothing else is unblocked when a worker has looked.
    fn settle(&mut self, now: Time, task: TaskId, outcome: Outcome, out: &mut Outbox) {
        let row = self.tasks.remove(task).expect("an incomplete task");
        self.unblocked.remove(row.created, task);
        self.abandoned.remove(&task);
        out.push(Effect::Persist(Record::TaskGone { task, outcome }));
        out.push(Effect::Settle(task, outcome));
        for runnable in self.admission.leave(task, &row.claims) {
            let keys = [draw::BLOCKER_FINISHED_TO_UNBLOCKED, runnable.0.into()];
            let look = now + self.options.blocker_finished_to_unblocked.draw(self.context.seed, &keys);
            let at = look.max(self.first_look(runnable));
            self.set(at, Timer::Unblock(runnable));
        }
    }
}

/// A factory of `pull_locks` engines with these options.
pub fn factory(spec: &PullLocksSpec) -> Arc<dyn EngineFactory> {
    Arc::new(Factory { options: Options::of(spec) })
}

struct Factory {
    options: Options,
}

impl EngineFactory for Factory {
    fn name(&self) -> &str {
        "pull_locks"
    }

    fn fresh(&self, context: Context) -> Box<dyn Engine> {
        Box::new(PullLocks::new(self.options.clone(), context))
    }

    fn restore(&self, records: &Records, context: Context) -> Box<dyn Engine> {
        let mut engine = PullLocks::new(self.options.clone(), context);
        engine.take_in(records);
        Box::new(engine)
    }

    /// What is about queues is not promised: there are none. Nor is exclusion, where a worker that stood still is
    /// cleaned up by the clock: its process goes on until its next heartbeat fails. With `app_lock` it can change
    /// nothing in the database any more.
    fn guarantees(&self, _detection: Detection) -> Guarantees {
        use Property::{Attempts, Effects, Exclusion, NoLoss, Order, Quiesce};
        let mut properties = PropertySet::EMPTY.with(Order).with(NoLoss).with(Quiesce);
        let dies_with_its_process = self.options.clean_up == CleanUp::OnDisconnect;
        if dies_with_its_process {
            properties = properties.with(Exclusion);
        }
        if dies_with_its_process || self.options.app_lock {
            properties = properties.with(Attempts);
        }
        if self.options.app_lock {
            properties = properties.with(Effects);
        }
        Guarantees { properties, orphan_bound: None }
    }

    fn agent(&self, detection: Detection) -> AgentOptions {
        AgentOptions {
            heartbeat: detection.heartbeat,
            session: self.options.app_lock.then_some(detection.ttl),
            fences_itself: false,
        }
    }

    fn hears_disconnects(&self) -> bool {
        true
    }
}
