//! The proposal: queues own the work and its order, workers are anonymous, and the cluster keeps every queue at exactly
//! one healthy worker.
//!
//! A task's way: `router` (which queue, or parked) → `pool` (the queues) → `dispatch` (which task a free worker starts,
//! and what its report means) → settled. A queue's way: `lifecycle` (created, drained, deleted) and `ownership` (vacant,
//! owned, revoking, orphaned). `membership` knows the workers. Goals, where they conflict: exclusion > order > progress
//! > balance > stickiness.

mod dispatch;
mod lifecycle;
mod membership;
mod ownership;
pub mod placement;
mod pool;
mod restore;
mod router;
mod shown;
pub mod sizing;
mod tie;
mod timers;
mod tournament;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::names::PropertySet;
use crate::base::task::copied;
use crate::base::{Claims, IdMap, IdVec, Note, Outcome, QueueId, ResourceId, TaskId, Ticket, Time, WorkerId};
use crate::engine::agent::AgentOptions;
use crate::engine::message::{ClusterMessage, Effect, Input, Outbox, Placed, Record, Report, WorkerMessage};
use crate::engine::spec::{CreateSpec, Discipline, LeaseSpec, PlacementSpec, QueueFirstSpec, QueueLimits, Rebalance};
use crate::engine::{Context, Detection, Engine, EngineFactory, Guarantees, Reason, Records};

use membership::Members;
use placement::{Placement, PlacementMaker};
use pool::Hold;
pub use pool::{Pool, Queue};
use sizing::{Occasion, Sizing, SizingMaker};
use tie::Tie;
use timers::{Timer, Timers};

/// Where a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Parked,
    Queue(QueueId),
}

/// An unsettled task.
#[derive(Debug)]
struct Task {
    claims: Claims,
    place: Place,
    /// The number of its placement: the order within its queue.
    sequence: u64,
    /// Attempts begun.
    attempts: u32,
    /// Attempts lost.
    lost: u32,
    /// The order to start it that is not answered yet.
    running: Option<(WorkerId, Ticket)>,
    /// Its client gave it up while it ran.
    cancelled: bool,
}

impl Task {
    /// What it claims and where it is.
    fn record(&self, task: TaskId) -> Effect {
        let placed = match self.place {
            Place::Parked => None,
            Place::Queue(queue) => Some(Placed { queue, sequence: self.sequence }),
        };
        Effect::Persist(Record::Task { task, claims: copied(&self.claims), placed })
    }

    /// What became of its attempts.
    fn record_attempt(&self, task: TaskId) -> Effect {
        let Task { attempts, lost, cancelled, running, .. } = *self;
        Effect::Persist(Record::Attempt { task, attempts, lost, cancelled, running })
    }
}

/// The engine.
pub struct QueueFirst {
    spec: QueueFirstSpec,
    context: Context,
    limits: QueueLimits,
    begun: bool,
    /// Whether records are kept of what becomes of tasks.
    keeps_records: bool,
    last_ticket: u64,
    /// Placements so far.
    placements: u64,
    tasks: IdMap<TaskId, Task>,
    ties: IdVec<ResourceId, Tie>,
    /// Tasks parked because the pool is at its maximum; nothing in conflict is ahead of them.
    at_max: BTreeSet<TaskId>,
    /// Parked tasks to look at again, in order of submission.
    look_again: BTreeSet<TaskId>,
    parked: u32,
    /// Tasks in reserving queues that are not ordered to start.
    waiting: u32,
    pool: Pool,
    /// Queues without an owner.
    vacant: BTreeSet<QueueId>,
    /// A queue that is being moved only for balance: one at a time.
    moving: Option<QueueId>,
    /// Go on levelling until the number of queues per worker differs by at most one.
    levelling: bool,
    general: VecDeque<TaskId>,
    /// Tasks in `general` that are not settled and not ordered to start.
    general_waiting: u32,
    members: Members,
    placement: Box<dyn Placement>,
    sizing: Box<dyn Sizing>,
    timers: Timers,
}

impl Engine for QueueFirst {
    // What a task does not need is kept out of line (`inline(never)`): the way of every task is shorter without it.
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        if !self.begun {
            self.begin(now, &input, out);
        }
        match input {
            Input::Submit { task, claims } => self.submit(now, task, claims, out),
            Input::Cancel { task } => self.cancel(now, task, out),
            Input::Quiesce { worker } => self.quiesce(now, worker, true, out),
            Input::Limits { min, max } => {
                assert!(min <= max, "limits with min above max");
                self.limits = QueueLimits { min, max };
                out.push(Effect::Persist(Record::Limits { min, max }));
                self.keep_limits(now, out);
            }
            Input::Worker { worker, message } => self.worker_message(now, worker, message, out),
            Input::Disconnected { .. } => {} // It goes by heartbeats alone.
            Input::Timeout => self.timeout(now, out),
        }
        if !self.look_again.is_empty() {
            self.look_at_parked(now, out);
        }
        if self.pool.len() < self.limits.max as usize {
            let joins = matches!(input, Input::Worker { message: WorkerMessage::Join { .. }, .. });
            self.size_pool(now, if joins { Occasion::Joined } else { Occasion::Other }, out);
        }
        if self.general_waiting > 0 {
            self.wake_for_general(out);
        }
    }

    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.timers.next()
    }

    fn keep_no_records(&mut self) {
        self.keeps_records = false;
    }
}

impl QueueFirst {
    fn new(spec: &QueueFirstSpec, context: Context, placement: Box<dyn Placement>, sizing: Box<dyn Sizing>) -> Self {
        QueueFirst {
            limits: spec.queues,
            spec: spec.clone(),
            context,
            begun: false,
            keeps_records: true,
            // Orders of a later engine are above all of an earlier one.
            last_ticket: u64::from(context.term.0.saturating_sub(1)) << 40,
            placements: 0,
            tasks: IdMap::new(),
            ties: IdVec::new(),
            at_max: BTreeSet::new(),
            look_again: BTreeSet::new(),
            parked: 0,
            waiting: 0,
            pool: Pool::default(),
            vacant: BTreeSet::new(),
            moving: None,
            levelling: false,
            general: VecDeque::new(),
            general_waiting: 0,
            members: Members::default(),
            placement,
            sizing,
            timers: Timers::default(),
        }
    }

    /// The first input: what needs the time of day can begin.
    fn begin(&mut self, now: Time, input: &Input<'_>, out: &mut Outbox) {
        self.begun = true;
        self.timers.set(now + self.context.detection.ttl, Timer::Review);
        if let Rebalance::Every(pace) = self.spec.rebalance {
            self.timers.set(now + pace, Timer::Rebalance);
        }
        self.await_expected(now, out);
        if !matches!(input, Input::Limits { .. }) {
            self.review(now, out);
        }
    }

    fn next_ticket(&mut self) -> Ticket {
        self.last_ticket += 1;
        Ticket(self.last_ticket)
    }

    fn worker_message(&mut self, now: Time, worker: WorkerId, message: &WorkerMessage, out: &mut Outbox) {
        self.hear_expected(worker);
        match message {
            WorkerMessage::Join { stamp, .. } => self.join(now, worker, *stamp, out),
            WorkerMessage::Heartbeat(heartbeat) => self.heartbeat(now, worker, heartbeat, out),
            WorkerMessage::Fetch => self.fetch(worker, None, out),
            WorkerMessage::Finished(report) => self.reported(now, worker, *report, out),
            WorkerMessage::FinishedAndFetch(report) => {
                self.take_report(now, worker, *report, out);
                self.fetch(worker, Some(report.start.ticket), out);
            }
            WorkerMessage::Released(holding) => self.released(now, worker, *holding, out),
            WorkerMessage::Leave => self.leave(now, worker, out),
        }
    }

    /// A report is answered after what it means is recorded: the worker forgets it then.
    fn reported(&mut self, now: Time, worker: WorkerId, report: Report, out: &mut Outbox) {
        self.take_report(now, worker, report, out);
        answer(worker, Some(report.start.ticket), out);
    }

    #[inline(never)]
    fn timeout(&mut self, now: Time, out: &mut Outbox) {
        while let Some(timer) = self.timers.due(now) {
            match timer {
                Timer::Lost(worker, seniority) => self.check_lost(now, worker, seniority, out),
                Timer::LeaseEnd(queue) => self.check_lease_end(now, queue, out),
                Timer::ParkDeadline(task) => self.share_after_all(task, out),
                Timer::Empty(queue) => self.empty_deadline(now, queue, out),
                Timer::Sizing => {}
                Timer::Rebalance => {
                    if let Rebalance::Every(pace) = self.spec.rebalance {
                        self.timers.set(now + pace, Timer::Rebalance);
                    }
                    self.relieve(true, out);
                }
                Timer::Review => {
                    self.timers.set(now + self.context.detection.ttl, Timer::Review);
                    self.review(now, out);
                }
            }
        }
    }

    /// Level-triggered: whatever an event should have caused and did not, this does.
    fn review(&mut self, now: Time, out: &mut Outbox) {
        self.keep_limits(now, out);
        self.assign(now, out);
        self.relieve(false, out);
        let queues: Vec<QueueId> = self.pool.active().to_vec();
        for queue in queues {
            self.maybe_delete(now, queue, out);
        }
        self.retire_empty(out);
        for worker in self.members.all_idle() {
            self.serve(worker, out);
        }
    }

    fn record_queue(&self, queue: QueueId) -> Effect {
        let state = self.pool.queue(queue);
        let owner = match state.hold {
            Hold::Vacant => None,
            Hold::Owned(worker) | Hold::Revoking(worker) | Hold::Orphaned(worker) => Some(worker),
        };
        let orphaned = matches!(state.hold, Hold::Orphaned(_));
        Effect::Persist(Record::Queue { queue, epoch: state.epoch, owner, orphaned, draining: state.draining })
    }

    fn settle(&mut self, now: Time, task: TaskId, outcome: Outcome, out: &mut Outbox) {
        let mut left = None;
        self.tasks.drop_if(task, |it| {
            left = Some((std::mem::take(&mut it.claims), it.place, it.running.is_some()));
            true
        });
        let (claims, place, was_running) = left.expect("an unsettled task");
        if self.keeps_records {
            out.push(Effect::Persist(Record::TaskGone { task, outcome }));
        }
        out.push(Effect::Settle(task, outcome));
        match place {
            Place::Parked => {
                self.parked -= 1;
                self.at_max.remove(&task);
                self.look_again.remove(&task);
                for claim in &claims {
                    self.ties[claim.resource].unpark(task);
                }
            }
            Place::Queue(QueueId::GENERAL) => {
                if !was_running {
                    self.general_waiting -= 1;
                    self.skip_settled_general();
                }
            }
            Place::Queue(queue) => {
                for claim in &claims {
                    self.ties[claim.resource].leave(queue, *claim);
                }
                self.waiting -= u32::from(!was_running);
                self.left_queue(now, queue, task, was_running, out);
            }
        }
        self.look_again_behind(&claims);
    }

    /// A task of `queue` was settled and its ties are gone.
    #[inline(always)]
    fn left_queue(&mut self, now: Time, queue: QueueId, task: TaskId, was_running: bool, out: &mut Outbox) {
        let tasks = &self.tasks;
        let state = self.pool.settled_one(queue, now);
        if was_running {
            let ordered = state.started.take();
            state.took_turn(ordered);
        }
        let is_settled = |first: &TaskId| *first == task || !tasks.contains(*first);
        while state.tasks.len() > state.live as usize && state.tasks.front().is_some_and(is_settled) {
            state.tasks.pop_front();
        }
        if state.live == 0 {
            state.tasks.clear();
            if !state.draining
                && let Some(first) = self.at_max.first().copied()
            {
                self.place(first, queue, out);
                return;
            }
            self.queue_is_empty(now, queue, out);
        }
    }

    fn lease(&self) -> Option<crate::engine::spec::Lease> {
        match self.spec.lease {
            LeaseSpec::None => None,
            LeaseSpec::Lease(lease) => Some(lease),
        }
    }
}

/// Policies registered by the program that embeds this crate, by name.
#[derive(Clone, Default)]
pub struct Policies {
    /// For `placement: {custom: name}`.
    pub placements: BTreeMap<String, PlacementMaker>,
    /// For `create: {custom: name}`.
    pub sizings: BTreeMap<String, SizingMaker>,
}

/// A factory of `queue_first` engines with these options.
///
/// # Errors
/// A sentence, when the options name a policy that is not registered.
pub fn factory(spec: &QueueFirstSpec, policies: &Policies) -> Result<Arc<dyn EngineFactory>, String> {
    let placement = match &spec.placement {
        PlacementSpec::Custom(name) => named(&policies.placements, name, "placement")?,
        PlacementSpec::LeastBacklog | PlacementSpec::Sticky | PlacementSpec::RoundRobin | PlacementSpec::Random => {
            placement::built_in(&spec.placement).expect("a built-in placement")
        }
    };
    let sizing = match &spec.create {
        CreateSpec::Custom(name) => named(&policies.sizings, name, "create")?,
        CreateSpec::When(_) | CreateSpec::PerWorker | CreateSpec::Eager => {
            sizing::built_in(&spec.create).expect("a built-in sizing")
        }
    };
    Ok(Arc::new(Factory { spec: spec.clone(), placement, sizing }))
}

fn named<T: Clone>(registered: &BTreeMap<String, T>, name: &str, key: &str) -> Result<T, String> {
    registered.get(name).cloned().ok_or_else(|| {
        let known: Vec<_> = registered.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none is".to_owned() } else { format!("there is {}", known.join(", ")) };
        format!("no {key} policy `{name}` is registered in this program ({known})")
    })
}

struct Factory {
    spec: QueueFirstSpec,
    placement: PlacementMaker,
    sizing: SizingMaker,
}

impl EngineFactory for Factory {
    fn name(&self) -> &str {
        "queue_first"
    }

    fn fresh(&self, context: Context) -> Box<dyn Engine> {
        Box::new(QueueFirst::new(&self.spec, context, (self.placement)(), (self.sizing)()))
    }

    fn restore(&self, records: &Records, context: Context) -> Box<dyn Engine> {
        let mut engine = QueueFirst::new(&self.spec, context, (self.placement)(), (self.sizing)());
        engine.take_in(records);
        Box::new(engine)
    }

    fn guarantees(&self, detection: Detection) -> Guarantees {
        use crate::base::Property::{Attempts, Effects, Exclusion, NoStarvation, Ownership, Settles};
        let mut properties = PropertySet::ALL;
        let mut orphan_bound = detection.ttl;
        match self.spec.lease {
            // Nothing keeps a worker that stood still from carrying out what it was told before, beside its successor.
            LeaseSpec::None => {
                properties = properties.without(Attempts).without(Exclusion).without(Ownership).without(Effects);
            }
            LeaseSpec::Lease(lease) => {
                orphan_bound = orphan_bound.max(lease.duration + lease.margin);
                if !lease.fencing {
                    properties = properties.without(Effects);
                }
            }
        }
        if self.spec.double_duty.discipline == Discipline::DrainFirst {
            properties = properties.without(NoStarvation);
        }
        if !matches!(self.spec.rebalance, Rebalance::Every(_)) {
            properties = properties.without(Settles);
        }
        Guarantees { properties, orphan_bound: Some(orphan_bound) }
    }

    fn agent(&self, detection: Detection) -> AgentOptions {
        let session = match self.spec.lease {
            LeaseSpec::None => None,
            // By the agent's own clock, which may be as wrong as with a lease.
            LeaseSpec::Lease(lease) => Some(detection.ttl.saturating_sub(lease.margin)),
        };
        AgentOptions { heartbeat: detection.heartbeat, session, fences_itself: self.spec.lease != LeaseSpec::None }
    }
}

fn answer(worker: WorkerId, report: Option<Ticket>, out: &mut Outbox) {
    out.extend(report.map(|ticket| Effect::Send(worker, ClusterMessage::Answered { ticket })));
}

fn note(out: &mut Outbox, note: Note) {
    out.push(Effect::Note(note));
}
