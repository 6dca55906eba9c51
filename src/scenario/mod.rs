//! L2: a resolved scenario. What is in here cannot be wrong: everything was checked when it was read.

#![allow(clippy::result_large_err, reason = "a finding is made at most a few times per file")]

pub mod assumptions;
mod condition;
mod convert;
pub mod diagnose;
mod engine;
mod expect;
mod faults;
pub mod file;
mod findings;
pub mod grid;
mod overrides;
mod places;
mod resolve;
mod script;
mod table;
mod typed;
pub mod units;
pub mod variants;
mod warn;
mod workload;
pub mod write;

use std::sync::Arc;

use crate::base::names::{MetricInfo, Probe, Property};
use crate::base::{Claims, ClassId, Labels, ResourceId, Span, TaskId, Time, WorkerId};
use crate::engine::{Detection, EngineSpec};
use crate::sim::dist::Dist;

pub use diagnose::{Diagnostic, Kind, Severity};
pub use expect::{metric, threshold};
pub use faults::{
    CancelRace, CancelWhen, Chosen, CrashPoint, Cut, EngineCrash, Fault, Faults, Harm, Poison, StoreFault, TimedFault,
};
pub use resolve::{Loaded, Override, SourceText, legal_name, load, load_cell, load_document, load_variant};
pub use script::{Action, ScriptEvent};
pub use variants::{Change, Variant};

/// Everything that is needed to repeat a run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: letters, digits, `-`, `_`, `.`; usable as the name of a folder.
    pub name: String,
    /// What it shows.
    pub description: String,
    /// Seed, length, replications.
    pub run: Run,
    /// Names of classes, resources, scripted tasks and workers.
    pub labels: Labels,
    /// Where tasks come from. The order is part of the seed.
    pub workload: Vec<Source>,
    /// How workers come, live and go.
    pub workers: Workers,
    /// The wire between the engine and each worker.
    pub network: Network,
    /// Heartbeats and ttl.
    pub detection: Detection,
    /// The engine and its options.
    pub engine: EngineSpec,
    /// Faults beyond what workers and network say.
    pub faults: Faults,
    /// Explicit events, in order of time, ties in the order written.
    pub script: Vec<ScriptEvent>,
    /// What is expected.
    pub expect: Expect,
}

impl Scenario {
    /// About how many tasks come in one replication.
    pub fn tasks_expected(&self) -> f64 {
        let horizon = self.run.horizon.micros() as f64;
        let of = |source: &Source| match source {
            Source::Drawn { arrivals, .. } => workload::tasks_expected(arrivals, horizon),
            Source::Table { rows } => rows.len() as f64,
        };
        self.workload.iter().map(of).sum::<f64>() + self.script.len() as f64
    }
}

/// How long, how often, from which seed.
#[derive(Clone, Debug)]
pub struct Run {
    /// The only seed there is.
    pub seed: u64,
    /// Independent repetitions, at least 1; with a precision: at most so many.
    pub replications: u32,
    /// Repeat until the estimate of a metric is this precise.
    pub precision: Option<Precision>,
    /// Arrivals stop here.
    pub horizon: Time,
    /// Time after the horizon to finish what is left.
    pub drain: Span,
    /// Left out of the statistics, never out of the oracle.
    pub warm_up: Time,
    /// The level of confidence intervals, between 0 and 1.
    pub confidence: f64,
}

/// When to stop repeating: the half-width of the confidence interval is at most this part of the mean.
#[derive(Clone, Copy, Debug)]
pub struct Precision {
    /// Which metric.
    pub metric: &'static MetricInfo,
    /// Of which class; `None`: all.
    pub class: Option<ClassId>,
    /// The part, above zero.
    pub relative: f64,
}

/// A source of tasks.
#[derive(Clone, Debug)]
pub enum Source {
    /// Tasks drawn at random.
    Drawn {
        /// The class of its tasks.
        class: ClassId,
        /// When they come.
        arrivals: Arrivals,
        /// What each demands.
        service: Dist,
        /// What each claims. Several lines may draw from one group; a resource is claimed at most once per task
        /// (drawn without replacement; where exclusive and shared meet, exclusive is drawn first).
        claims: Vec<ClaimDraw>,
    },
    /// Tasks from a table, sorted by submission.
    Table {
        /// The rows.
        rows: Arc<[Row]>,
    },
}

/// A row of a table of tasks.
#[derive(Clone, Debug)]
pub struct Row {
    /// When it is submitted.
    pub submitted: Time,
    /// Its class.
    pub class: ClassId,
    /// What it demands.
    pub service: Span,
    /// What it claims.
    pub claims: Claims,
}

/// When tasks come.
#[derive(Clone, Debug)]
pub enum Arrivals {
    /// At exponential intervals of this mean, µs as a float (rates need not be whole).
    Poisson {
        /// Mean interval in µs, above zero.
        mean_micros: f64,
    },
    /// At fixed intervals, the first one interval after the start.
    Every(Span),
    /// At intervals drawn from a distribution.
    Renewal(Dist),
    /// Poisson with a rate that changes at fixed times; after the last piece nothing comes.
    Piecewise(Vec<Piece>),
    /// So many at one instant.
    Burst {
        /// When.
        at: Time,
        /// How many.
        tasks: u64,
    },
    /// Poisson with a rate that jumps through the states in turn, each held for an exponential time.
    Mmpp(Vec<MmppState>),
}

/// A piece of a piecewise rate.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// It ends here.
    pub until: Time,
    /// Tasks per µs, zero allowed.
    pub per_micro: f64,
}

/// A state of an MMPP.
#[derive(Clone, Copy, Debug)]
pub struct MmppState {
    /// Tasks per µs, zero allowed.
    pub per_micro: f64,
    /// Mean time in this state.
    pub dwell: Span,
}

/// What a task draws from one group of resources.
#[derive(Clone, Debug)]
pub struct ClaimDraw {
    /// The group: resources `first .. first + count`.
    pub first: ResourceId,
    /// How many resources the group has, at least 1.
    pub count: u32,
    /// How popular each is.
    pub popularity: Popularity,
    /// How many are claimed exclusively.
    pub exclusive: Count,
    /// How many are claimed shared.
    pub shared: Count,
}

/// How popular the resources of a group are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Popularity {
    /// All alike.
    Uniform,
    /// The k-th has weight k^-s.
    Zipf(f64),
}

/// A number of claims: fixed, or uniform between two bounds, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    /// At least so many.
    pub min: u32,
    /// At most so many.
    pub max: u32,
}

/// How workers come, live and go.
#[derive(Clone, Debug)]
pub struct Workers {
    /// Workers that are up when the run begins (they do not start up).
    pub initial: u32,
    /// Time from arrival to being ready.
    pub startup: Dist,
    /// New workers from outside.
    pub arrivals: Option<Arrivals>,
    /// Time from being ready to the exit.
    pub lifetime: Option<Dist>,
    /// Share of exits that are crashes; the others quiesce.
    pub crash_share: f64,
    /// A quiescing worker that is not gone after this is killed.
    pub grace: Span,
    /// A crashed worker's place is taken by a new one after this.
    pub restart_after: Option<Dist>,
    /// Pauses.
    pub pause: Option<Pause>,
    /// Per task, holds the worker, before the service.
    pub overhead: Dist,
    /// From being told to stop a task to having stopped it.
    pub abort_takes: Span,
    /// Service is divided by the speed; in millionths (1_000_000 µs = speed 1), drawn once per worker.
    pub speed: Dist,
    /// Many leave and many arrive.
    pub shift_change: Option<ShiftChange>,
    /// Workers are replaced batch by batch.
    pub rolling_replace: Option<RollingReplace>,
    /// A loop from outside that starts and quiesces workers.
    pub autoscaler: Option<Autoscaler>,
}

/// A worker's pauses.
#[derive(Clone, Debug)]
pub struct Pause {
    /// Time from being ready, or from the end of the last pause, to the next.
    pub every: Dist,
    /// How long it lasts.
    pub lasts: Dist,
}

/// Many leave and many arrive.
#[derive(Clone, Copy, Debug)]
pub struct ShiftChange {
    /// When the old ones are told to quiesce.
    pub at: Time,
    /// How many leave: those that are up longest.
    pub leave: u32,
    /// How many arrive.
    pub arrive: u32,
    /// The new ones arrive so long before `at` (positive) or after it (negative), µs.
    pub overlap_micros: i64,
}

/// Workers are replaced batch by batch.
#[derive(Clone, Copy, Debug)]
pub struct RollingReplace {
    /// When the first batch begins.
    pub at: Time,
    /// How many are replaced at once, at least 1.
    pub batch: u32,
    /// Time between batches.
    pub every: Span,
    /// How many new ones come before the old ones of a batch are told to quiesce; the rest comes when they are gone.
    pub surge: u32,
}

/// A loop from outside that starts and quiesces workers.
#[derive(Clone, Copy, Debug)]
pub struct Autoscaler {
    /// Aim at so much of the signal per worker, above zero.
    pub target: f64,
    /// What it looks at.
    pub signal: ScaleSignal,
    /// At least so many workers.
    pub min: u32,
    /// At most so many.
    pub max: u32,
    /// How often it looks.
    pub every: Span,
    /// No change for so long after one.
    pub cooldown: Span,
}

/// What an autoscaler looks at. A worker that starts up counts as a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScaleSignal {
    /// Tasks that could execute (runnable or executing) per worker: parallelism that is really there.
    RunnablePerWorker,
    /// All unsettled tasks per worker, blocked ones included: what overshoots on a hot resource.
    BacklogPerWorker,
}

/// The wire between the engine and each worker.
#[derive(Clone, Debug)]
pub struct Network {
    /// Each way.
    pub delay: Dist,
    /// The share of messages that is lost, from 0 to 1.
    pub loss: f64,
    /// The share of messages that arrives twice, from 0 to 1.
    pub duplicate: f64,
    /// Whether messages of one link overtake each other where their delays are drawn so.
    pub reorder: bool,
    /// From here on nothing is lost, doubled or reordered any more.
    pub until: Time,
}

/// What is expected of a run.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// Properties that must hold; `None`: all that the engine guarantees.
    pub always: Option<Vec<Property>>,
    /// Probes that some replication must have hit.
    pub sometimes: Vec<Probe>,
    /// Bounds on metrics.
    pub thresholds: Vec<Threshold>,
    /// Properties that must be violated: a known bad case must stay bad.
    pub violated: Vec<Property>,
    /// States of tasks at instants (scripts).
    pub states: Vec<ExpectedState>,
    /// The order of first starts (scripts); empty: not judged.
    pub starts: Vec<TaskId>,
    /// The golden digest of the facts of replication 0.
    pub digest: Option<String>,
}

/// A bound on a metric.
#[derive(Clone, Debug)]
pub struct Threshold {
    /// As written: its id.
    pub text: String,
    /// Which metric.
    pub metric: &'static MetricInfo,
    /// Of which class; `None`: all.
    pub class: Option<ClassId>,
    /// How it is compared.
    pub comparison: Comparison,
    /// In the metric's unit (seconds, fraction, per hour, …).
    pub bound: f64,
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    More,
    /// `>=`
    AtLeast,
    /// `==`, judged on the mean alone.
    Equal,
}

/// The state of a task at an instant.
#[derive(Clone, Debug)]
pub struct ExpectedState {
    /// When (after everything that happens at that instant).
    pub at: Time,
    /// Which task.
    pub task: TaskId,
    /// `waiting`, `parked`, `running`, `completed`, `failed` or `cancelled`.
    pub state: TaskState,
    /// Where it executes, where that matters.
    pub worker: Option<WorkerId>,
}

/// The state of a task as facts tell it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TaskState {
    /// In a queue, not executing.
    Waiting,
    /// Accepted, in no queue.
    Parked,
    /// Executing.
    Running,
    /// Settled as completed.
    Completed,
    /// Settled as failed.
    Failed,
    /// Settled as cancelled.
    Cancelled,
}
