//! L4: observers see facts and nothing else. This file holds what comes out of a run.

pub mod digest;
pub mod timeline;
pub mod waiting;

mod areas;
mod histogram;
mod ledger;
mod metrics;
mod observer;
mod oracle;
mod probes;
mod samples;
#[cfg(test)]
mod tests;

pub use observer::Observer;
pub use oracle::DrainBound;

use std::collections::BTreeMap;

use crate::base::names::{ProbeSet, PropertySet};
use crate::base::{ClassId, Property, QueueId, ResourceId, Span, TaskId, Time, WorkerId};

/// What an observer is told before the first fact.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Statistics begin here.
    pub warm_up: Time,
    /// Statistics end here: arrivals stop.
    pub horizon: Time,
    /// How many classes there are.
    pub classes: usize,
    /// How many resources there are.
    pub resources: usize,
    /// An orphan must be owned again within this time of its owner's last heartbeat; `None`: not judged.
    pub orphan_bound: Option<Span>,
    /// The longest time between two heartbeats of a worker, by true time.
    pub heartbeat: Span,
    /// Breaches of these are counted apart: the run leaves the timing assumption under which they are promised.
    pub excused: PropertySet,
    /// When all faults are over, the work that remains must be done within this.
    pub drain_bound: DrainBound,
    /// Where queues are rebalanced: within this of the last disturbance they lie evenly; `None`: not judged.
    pub settle_within: Option<Span>,
    /// Added to every bound in time: the longest that messages may take in one exchange. µs.
    pub message_slack: Span,
    /// How long stopping an attempt takes: it may run to its end meanwhile.
    pub abort_takes: Span,
    /// Whether to record the timeline of this run (one replication per experiment).
    pub timeline: bool,
    /// How many points the series over time have; 0: none.
    pub series_points: usize,
    /// Tasks whose states are asked for: (instant, task).
    pub states_wanted: Vec<(Time, TaskId)>,
    /// Whether to keep the order of first starts (scripts).
    pub keep_starts: bool,
}

/// The shares at which the whole distribution of the wait is kept, for charts of its tail.
pub const WAIT_SHARES: [f64; 20] =
    [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999];

/// Everything that was observed in one run.
#[derive(Clone, Default, Debug)]
pub struct Observation {
    /// The digest of all facts.
    pub digest: u128,
    /// Facts seen.
    pub facts: u64,
    /// Tasks submitted.
    pub tasks: u64,
    /// Metrics by name and class (`None`: overall). A metric without data is absent.
    pub metrics: BTreeMap<(&'static str, Option<ClassId>), f64>,
    /// How many values stand behind a distribution: `wait`, `response`, `slowdown` by class (`None`: overall).
    pub sample_sizes: BTreeMap<(&'static str, Option<ClassId>), u64>,
    /// Tasks of the window that had not begun when the run ended: waits, responses and slowdowns are those of the others.
    pub unstarted: u64,
    /// The quantiles of the wait over all classes at [`WAIT_SHARES`], seconds; empty where nothing was started.
    pub wait_quantiles: Vec<f64>,
    /// Mean wait in seconds per resource rank (most claimed first), with the number of tasks; at most 20 ranks.
    pub ranks: Vec<RankRow>,
    /// Breaches by property.
    pub violation_counts: [u64; Property::COUNT],
    /// Breaches by property that happened outside of the timing assumption.
    pub assumption_broken: [u64; Property::COUNT],
    /// The first breaches, a few of each property.
    pub violations: Vec<Violation>,
    /// What happened at least once.
    pub probes: ProbeSet,
    /// Worker time by state, µs, in the window: exactly all of it.
    pub worker_time: WorkerTime,
    /// Counts over time.
    pub series: Series,
    /// Bars and marks of this run, where asked for.
    pub timeline: Option<timeline::Timeline>,
    /// Answers to `Settings::states_wanted`, in that order: the state's name and the worker that executes it.
    pub states: Vec<(&'static str, Option<WorkerId>)>,
    /// First starts in order, where asked for.
    pub starts: Vec<TaskId>,
}

impl Observation {
    /// The properties that were breached.
    pub fn violated(&self) -> PropertySet {
        Property::ALL.iter().copied().filter(|property| self.violation_counts[property.index()] > 0).collect()
    }
}

/// The tasks of one resource.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RankRow {
    /// Which resource.
    pub resource: ResourceId,
    /// Tasks in the window that claim it.
    pub tasks: u64,
    /// Their mean wait, seconds.
    pub wait_mean: f64,
}

/// A breach of a property.
#[derive(Clone, PartialEq, Debug)]
pub struct Violation {
    /// Which property.
    pub property: Property,
    /// When.
    pub at: Time,
    /// The tasks concerned.
    pub tasks: Vec<TaskId>,
    /// The resource, where there is one.
    pub resource: Option<ResourceId>,
    /// The queue, where there is one.
    pub queue: Option<QueueId>,
    /// The workers concerned.
    pub workers: Vec<WorkerId>,
    /// How long it lasted, where that has a meaning.
    pub lasted: Option<Span>,
    /// One sentence, with ids in the form `{t:5}` `{w:0}` `{r:3}` `{q:1}` to be replaced by names.
    pub cause: String,
}

/// Worker time by state in the window, µs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct WorkerTime {
    /// Starting up.
    pub starting: u64,
    /// Executing, overhead and aborting included.
    pub busy: u64,
    /// Standing still.
    pub paused: u64,
    /// Idle while a runnable task waited.
    pub idle_avoidable: u64,
    /// Idle with nothing runnable waiting.
    pub idle_unavoidable: u64,
    /// All worker time, counted on its own.
    pub total: u64,
}

/// Counts sampled at equal steps from the start to the horizon: one value per point.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Series {
    /// The instants.
    pub at: Vec<Time>,
    /// Reserving queues.
    pub queues: Vec<u32>,
    /// Workers that are up (ready and not gone).
    pub workers: Vec<u32>,
    /// Tasks waiting, parked ones included.
    pub backlog: Vec<u32>,
}
