//! L3: the simulated world around an engine: clients, workers, the wire, the operator.
//!
//! The world is what is physically true. It hands an engine nothing but inputs, carries out nothing but its effects and
//! those of the agents, and tells observers every fact in the order in which it happens. Two runs of one scenario, seed
//! and engine give the same facts.
//!
//! At one instant: what ends physically, then deliveries, then submissions and orders from outside, then the timers of
//! agents, then the engine's; among these, what was scheduled first comes first.

mod autoscaler;
mod clock;
mod cluster;
mod driver;
mod executor;
mod faults;
mod hits;
mod network;
mod parcels;
mod plan;
mod script;
mod store;
mod streams;
mod turnover;
mod workers;
mod workload;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::base::{Claims, IdMap, IdTable, Outcome, Span, TaskId, Term, Time, WorkerId, mix};
use crate::engine::agent::{AgentEffect, AgentOptions};
use crate::engine::{Context, Engine, EngineFactory, EngineSpec, Input, Outbox};
use crate::fact::{Choice, Fact, Observe};
use crate::scenario::{Action, Cut, Faults, Harm, Scenario, ScriptEvent};
use crate::sim::{Calendar, Dist, Handle, Stream, Streams};

pub use plan::plan_digest;

use autoscaler::Scaler;
use cluster::Cluster;
use faults::{Fate, Fates};
use hits::Hits;
use parcels::{Next, Parcel, Parcels, Whose};
use store::{Kept, Store};
use workers::{Origin, Place, Places, Worker};
use workload::{ArrivalProcess, Demand, TaskSource};

/// What a run amounted to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WorldStats {
    /// Events that were simulated.
    pub events: u64,
    /// When the run ended: at the horizon or later, when everything was settled or the drain time was over.
    pub ended_at: Time,
}

/// Runs one replication of `scenario` from its beginning to its end with an engine made by `factory`.
///
/// Arrivals stop before the horizon; the run ends as soon after it as every task is settled, no attempt executes and
/// the script is over, or else when the drain time is over.
pub fn simulate(
    scenario: &Scenario,
    factory: &dyn EngineFactory,
    replication: u32,
    observer: &mut dyn Observe,
) -> WorldStats {
    let mut world = World::new(scenario, factory, replication, observer);
    world.begin();
    world.run()
}

/// Ties of one instant are decided by these.
mod class {
    pub(super) const PHYSICAL: u8 = 0;
    pub(super) const DELIVERY: u8 = 1;
    pub(super) const OUTSIDE: u8 = 2;
    pub(super) const AGENT: u8 = 3;
    pub(super) const ENGINE: u8 = 4;
}

/// What happens next; small, for the calendar moves it about. What is larger lies elsewhere.
#[derive(Clone, Copy)]
enum Event {
    AttemptOver(WorkerId),
    Ready(WorkerId),
    PauseDue(WorkerId),
    Resume(WorkerId),
    ExitDue(WorkerId),
    GraceOver(WorkerId),
    Restart { origin: Origin, number: u32, life: u64 },
    ReadInbox(WorkerId),
    Delivery(Parcel),
    TaskArrival(u32),
    WorkerArrival,
    Script,
    ShiftArrive,
    ShiftLeave,
    Batch,
    BatchReady(u32),
    Scale,
    AgentTimer(WorkerId),
    EngineTimeout,
    Fault(u32),
    NextHit,
    Dies(WorkerId),
    Mended { worker: WorkerId, direction: Cut },
    SlowOver { worker: WorkerId, factor: u64 },
    CancelDue { task: TaskId, only_waiting: bool },
    EngineUp,
    ElderOver,
    StoreAnswers,
    StoreWell,
}

const _: () = assert!(size_of::<Event>() <= 16, "the calendar copies events about");

/// What the world must know of a task that is unsettled, executes, or has a start on its way.
struct Task {
    service: Span,
    overhead: Span,
    settled: bool,
    /// Attempts that execute, and starts and effects on their way.
    uses: u32,
    kept: Kept,
    fate: Fate,
}

impl Task {
    /// What is left of a task that was settled, with one start of it on its way.
    fn forgotten() -> Task {
        let (service, overhead, fate) = Default::default();
        Task { service, overhead, settled: true, uses: 1, kept: Kept::done(), fate }
    }
    /// One use less; whether it may be forgotten.
    fn unuse(&mut self) -> bool {
        self.uses -= 1;
        self.settled && self.uses == 0
    }
}

struct World<'a> {
    scenario: &'a Scenario,
    streams: Streams,
    calendar: Calendar<Event>,
    observer: &'a mut dyn Observe,
    events: u64,

    cluster: Cluster<'a>,
    /// The engine that leads; `None`: none is up.
    engine: Option<Box<dyn Engine>>,
    /// The term of the engine whose effects are carried out.
    speaker: Term,
    outbox: Outbox,
    engine_timer: Option<(Handle, Time)>,
    /// How many timeouts the engine was given at which instant.
    timeouts: (Time, u32),

    agent_options: AgentOptions,
    /// Whether the engine is told of processes that are gone.
    hears_disconnects: bool,
    agent_effects: Vec<AgentEffect>,
    /// Whether messages are there as soon as they are sent, where no chance, fault or script says otherwise.
    instant_wire: bool,
    /// Messages on their way.
    parcels: Parcels,
    /// The one that is delivered next.
    next: Next,
    workers: IdTable<WorkerId, Worker>,
    next_worker: u32,
    places: Places,
    worker_arrivals: Option<ArrivalProcess<'a>>,
    batches: turnover::Batches,
    scaler: Option<Scaler>,

    store: Store,
    /// By how much the next effect of a task will be late.
    late_effects: BTreeMap<TaskId, Span>,
    /// How clocks of workers that come are off (µs), and what they gain (parts of 10^9).
    clocks: (i64, i64),
    /// Where tasks may do harm or be given up.
    fates: Option<Fates<'a>>,
    hits: Hits,

    sources: Vec<TaskSource<'a>>,
    script_overheads: Stream,
    /// The next event of the script.
    script: usize,
    /// The claims of the task that is submitted at the moment.
    claims: Claims,
    tasks: IdMap<TaskId, Task>,
    next_task: u32,
    unsettled: usize,
    executing: usize,
}

impl<'a> World<'a> {
    fn new(
        scenario: &'a Scenario,
        factory: &'a dyn EngineFactory,
        replication: u32,
        observer: &'a mut dyn Observe,
    ) -> Self {
        let run = &scenario.run;
        let streams = Streams::new(run.seed, u64::from(replication));
        let seed = mix::mix(run.seed, &[u64::from(replication)]);
        let end = run.horizon + run.drain;
        let context = Context { seed, term: Term(1), detection: scenario.detection };
        let Faults { poisons, cancels, .. } = &scenario.faults;
        let poisonous = |event: &ScriptEvent| matches!(event.action, Action::Submit { poison: Some(_), .. });
        let is_fateful = !poisons.is_empty() || !cancels.is_empty() || scenario.script.iter().any(poisonous);
        let arrivals = scenario.workers.arrivals.as_ref();
        let source =
            |(number, source)| TaskSource::new(source, number, &scenario.workers.overhead, streams, run.horizon);
        let cluster = Cluster::new(scenario, factory, context);
        let mut engine = factory.fresh(context);
        if !cluster.watched {
            engine.keep_no_records();
        }
        World {
            scenario,
            streams,
            calendar: Calendar::new(),
            observer,
            events: 0,
            cluster,
            engine: Some(engine),
            speaker: context.term,
            outbox: Outbox::new(),
            engine_timer: None,
            timeouts: (Time::ZERO, 0),
            agent_options: factory.agent(scenario.detection),
            hears_disconnects: factory.hears_disconnects(),
            agent_effects: Vec::new(),
            instant_wire: scenario.network.delay == Dist::Constant(Span::ZERO),
            parcels: Parcels::default(),
            next: Next::nothing(),
            workers: IdTable::new(),
            next_worker: 0,
            places: Places::default(),
            worker_arrivals: arrivals.map(|law| ArrivalProcess::new(law, streams, streams::WORKER_ARRIVALS, 0, end)),
            batches: turnover::Batches::default(),
            scaler: scenario.workers.autoscaler.map(Scaler::new),
            store: Store::default(),
            late_effects: BTreeMap::new(),
            clocks: (0, 0),
            hits: Hits::default(),
            fates: is_fateful.then(|| Fates::new(poisons, cancels, streams)),
            sources: (0u64..).zip(&scenario.workload).map(source).collect(),
            script_overheads: streams.open(streams::OVERHEADS, scenario.workload.len() as u64, 0),
            script: 0,
            claims: Claims::new(),
            tasks: IdMap::new(),
            next_task: 0,
            unsettled: 0,
            executing: 0,
        }
    }

    fn now(&self) -> Time {
        self.calendar.now()
    }

    #[inline(always)]
    fn fact(&mut self, fact: Fact<'_>) {
        self.observer.on(self.calendar.now(), &fact);
    }

    /// The first instant: limits before anything else, so that they hold from the engine's first input; then the
    /// workers that are up already, in order.
    fn begin(&mut self) {
        if let EngineSpec::QueueFirst(spec) = &self.scenario.engine {
            self.set_limits(spec.queues.min, spec.queues.max);
        }
        self.begin_script();
        for _ in 0..self.scenario.workers.initial {
            self.initial_worker();
        }
        for number in 0..self.sources.len() {
            self.schedule_task(number);
        }
        self.schedule_script();
        self.schedule_faults();
        self.schedule_worker_arrival();
        self.schedule_turnover();
    }

    fn run(mut self) -> WorldStats {
        let horizon = self.scenario.run.horizon;
        let end = horizon + self.scenario.run.drain;
        let ended_at = loop {
            if self.next.whose != Whose::Nobodys && !self.calendar.is_due(class::PHYSICAL) {
                self.events += 1;
                self.deliver_next();
                continue;
            }
            let before = self.now();
            let Some((at, event)) = self.calendar.pop() else {
                break if self.is_done() { before.max(horizon) } else { end };
            };
            if at > horizon {
                // An instant is simulated to its end, and none after the horizon is begun when all is done.
                if at > before && self.is_done() {
                    break before.max(horizon);
                }
                if at > end {
                    break end;
                }
            }
            self.events += 1;
            self.happen(event);
        };
        WorldStats { events: self.events, ended_at }
    }

    fn is_done(&self) -> bool {
        self.unsettled == 0 && self.executing == 0 && self.script == self.scenario.script.len()
    }

    #[inline(always)]
    fn happen(&mut self, event: Event) {
        match event {
            Event::AttemptOver(worker) => self.attempt_over(worker),
            Event::Ready(worker) => self.ready(worker),
            Event::PauseDue(worker) => self.pause_due(worker),
            Event::Resume(worker) => self.resume(worker),
            Event::ExitDue(worker) => self.exit_due(worker),
            Event::GraceOver(worker) => self.grace_over(worker),
            Event::Restart { origin, number, life } => {
                self.worker_arrives(Place { origin, number, life });
            }
            Event::ReadInbox(worker) => self.read_inbox(worker),
            Event::Delivery(parcel) => {
                let message = self.parcels.take(parcel);
                self.deliver(&message);
            }
            Event::TaskArrival(source) => self.task_arrives(source as usize),
            Event::WorkerArrival => self.worker_from_outside(),
            Event::Script => self.script_event(),
            Event::ShiftArrive => self.shift_arrives(),
            Event::ShiftLeave => self.shift_leaves(),
            Event::Batch => self.batch(),
            Event::BatchReady(number) => self.batch_ready(number as usize),
            Event::Scale => self.scale(),
            Event::AgentTimer(worker) => self.agent_timer(worker),
            Event::EngineTimeout => self.engine_timeout(),
            Event::Fault(number) => self.fault(number),
            Event::NextHit => self.next_hit(),
            Event::Dies(worker) => self.crash(worker),
            Event::Mended { worker, direction } => self.mended(worker, direction),
            Event::SlowOver { worker, factor } => self.slow_over(worker, factor),
            Event::CancelDue { task, only_waiting } => self.cancel_due(task, only_waiting),
            Event::EngineUp => self.engine_up(),
            Event::ElderOver => self.elder_over(),
            Event::StoreAnswers => self.store_answers(),
            Event::StoreWell => self.cluster.store_fault = None,
        }
    }

    /// Every source has its next arrival in the calendar, once.
    #[inline(always)]
    fn schedule_task(&mut self, number: usize) {
        if let Some(at) = self.sources[number].next_arrival(self.scenario.run.horizon) {
            let source = u32::try_from(number).expect("sources are counted in u32");
            self.calendar.schedule(at, class::OUTSIDE, Event::TaskArrival(source));
        }
    }

    #[inline(always)]
    fn task_arrives(&mut self, number: usize) {
        let mut claims = std::mem::take(&mut self.claims);
        let demand = self.sources[number].draw(&mut claims);
        self.schedule_task(number);
        self.submit(&demand, &claims, None);
        self.claims = claims;
    }

    #[inline(always)]
    fn submit(&mut self, demand: &Demand, claims: &Claims, poison: Option<Harm>) {
        let task = TaskId(self.next_task);
        self.next_task = self.next_task.checked_add(1).expect("too many tasks");
        let Demand { class, service, overhead } = *demand;
        let mut fate = self.fates.as_mut().map(|fates| fates.draw(class)).unwrap_or_default();
        fate.poison = fate.poison.or(poison);
        self.tasks.insert(task, Task { service, overhead, settled: false, uses: 0, kept: Kept::default(), fate });
        self.unsettled += 1;
        if let Some(scaler) = &mut self.scaler {
            scaler.submitted(task, claims);
        }
        self.fact(Fact::Submitted { task, class, claims, service });
        if !overhead.is_zero() {
            self.observer.chose(self.calendar.now(), Choice::Overhead { task, overhead });
        }
        if self.fates.is_some() {
            self.submitted_with_fate(task, fate);
        }
        self.tell_engine(Input::Submit { task, claims });
    }

    fn set_limits(&mut self, min: u32, max: u32) {
        if !self.cluster.watched {
            self.fact(Fact::LimitsSet { min, max });
        }
        self.tell_engine(Input::Limits { min, max });
    }

    #[inline(always)]
    fn client_is_told(&mut self, task: TaskId, outcome: Outcome) {
        self.fact(Fact::Settled { task, outcome });
        self.settled(task);
    }

    #[inline(always)]
    fn settled(&mut self, task: TaskId) {
        let mut settles = false;
        self.tasks.drop_if(task, |known| {
            settles = !std::mem::replace(&mut known.settled, true);
            known.uses == 0
        });
        if !settles {
            return;
        }
        self.unsettled -= 1;
        if let Some(scaler) = &mut self.scaler {
            scaler.settled(task);
        }
    }

    /// The task must not be forgotten: it may have to execute. One that was settled long ago, or that nobody submitted,
    /// executes in no time, and the oracle has its say.
    #[inline(always)]
    fn use_task(&mut self, task: TaskId) {
        match self.tasks.get_mut(task) {
            Some(known) => known.uses += 1,
            None => drop(self.tasks.insert(task, Task::forgotten())),
        }
    }

    #[inline]
    fn unuse_task(&mut self, task: TaskId) {
        self.tasks.drop_if(task, Task::unuse);
    }
}
