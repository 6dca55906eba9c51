//! Engines as a scenario names them, and what each promises.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::pull_locks::spec::PullLocksSpec;
pub use super::worker_owned::spec::WorkerOwnedSpec;
use super::{Detection, EngineFactory};
use crate::base::Span;
use crate::base::names::PropertySet;

/// What an engine promises. A breach of a promise fails a run; a breach of what was never promised is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Guarantees {
    /// The properties that it keeps.
    pub properties: PropertySet,
    /// Within this time of a worker's last heartbeat its queues have a new owner, if a healthy worker is there.
    pub orphan_bound: Option<Span>,
}

/// An engine and its options.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineSpec {
    /// The proposal: queues own the state, workers are anonymous.
    QueueFirst(QueueFirstSpec),
    /// Baseline: Pulp 2 and early Pulp 3; queues belong to named workers.
    WorkerOwned(WorkerOwnedSpec),
    /// Baseline: pulpcore from 3.14 on; workers pull tasks from a database.
    PullLocks(PullLocksSpec),
    /// An engine registered by the program that embeds this crate.
    Custom {
        /// The name under which it was registered.
        name: String,
        /// Its options.
        #[serde(default)]
        options: serde_json::Value,
    },
}

impl EngineSpec {
    /// How workers are monitored where a scenario does not say it.
    pub fn default_detection(&self) -> Detection {
        match self {
            EngineSpec::WorkerOwned(spec) => spec.detection(),
            EngineSpec::PullLocks(spec) => spec.detection(),
            EngineSpec::QueueFirst(_) | EngineSpec::Custom { .. } => {
                Detection { heartbeat: Span::from_secs(10), ttl: Span::from_secs(30) }
            }
        }
    }

    /// Writes the preset's value wherever none is written.
    pub fn fill(&mut self) {
        match self {
            EngineSpec::WorkerOwned(spec) => spec.fill(),
            EngineSpec::PullLocks(spec) => spec.fill(),
            EngineSpec::QueueFirst(_) | EngineSpec::Custom { .. } => {}
        }
    }

    /// What is impossible about a baseline: the key below `engine`, and a sentence.
    pub fn check_baseline(&self) -> Option<(String, &'static str)> {
        let (name, found) = match self {
            EngineSpec::WorkerOwned(spec) => ("worker_owned", spec.check()),
            EngineSpec::PullLocks(spec) => ("pull_locks", spec.check()),
            EngineSpec::QueueFirst(_) | EngineSpec::Custom { .. } => return None,
        };
        found.map(|(key, sentence)| (format!("{name}.{key}"), sentence))
    }
}

impl Default for EngineSpec {
    fn default() -> Self {
        EngineSpec::QueueFirst(QueueFirstSpec::default())
    }
}

/// Options of `queue_first`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueFirstSpec {
    /// The limits of the pool of reserving queues.
    pub queues: QueueLimits,
    /// Which active queue a task without ties goes to.
    pub placement: PlacementSpec,
    /// When a queue beyond `min` is created; only ever for a surplus worker.
    pub create: CreateSpec,
    /// When a queue beyond `min` is drained and deleted.
    pub delete: DeleteSpec,
    /// What happens to a task without ties when the pool is at its maximum and no queue is empty.
    pub at_max: AtMax,
    /// How one worker serves several queues.
    pub double_duty: DoubleDuty,
    /// What a newcomer gets once nothing is vacant, orphaned or on double duty.
    pub newcomers: Newcomers,
    /// When queues are moved only to even out their number per worker.
    pub rebalance: Rebalance,
    /// Who serves tasks without claims, and when.
    pub general_queue: GeneralQueue,
    /// What becomes of the task that a lost worker was executing.
    pub running_task_of_lost_worker: LostTask,
    /// The lease of a grant, or `none`.
    pub lease: LeaseSpec,
}

/// The limits of the pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueLimits {
    /// At least so many active queues, from the first input on. 0 is legal.
    pub min: u32,
    /// At most so many queues, draining ones included.
    pub max: u32,
}
impl Default for QueueLimits {
    fn default() -> Self {
        QueueLimits { min: 1, max: 8 }
    }
}

/// Which active queue a task without ties goes to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlacementSpec {
    /// The one with the fewest unsettled tasks, the lowest number on ties.
    #[default]
    LeastBacklog,
    /// The one where the first claimed resource was last, while it is active; otherwise the least loaded.
    Sticky,
    /// One after the other.
    RoundRobin,
    /// Any, by chance.
    Random,
    /// One registered by the program that embeds this crate.
    Custom(String),
}

/// When a queue beyond `min` is created.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreateSpec {
    /// When there were so many waiting tasks per queue for so long.
    When(CreateWhen),
    /// When there is a worker without a reserving queue.
    PerWorker,
    /// When a task without ties finds no empty queue.
    Eager,
    /// By a policy registered by the program that embeds this crate.
    Custom(String),
}
impl Default for CreateSpec {
    fn default() -> Self {
        CreateSpec::When(CreateWhen::default())
    }
}

/// The condition under which a queue is created.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CreateWhen {
    /// Waiting tasks, parked ones included, per active queue.
    pub backlog_per_queue: u32,
    /// For how long the backlog must have been so large.
    #[serde(rename = "for")]
    pub held_for: Span,
}
impl Default for CreateWhen {
    fn default() -> Self {
        CreateWhen { backlog_per_queue: 8, held_for: Span::from_secs(30) }
    }
}

/// When a queue beyond `min` is drained and deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeleteSpec {
    /// When it was empty for so long.
    EmptyFor(Span),
    /// When it is empty and its owner has another one, beyond what is preferred or not.
    AfterDoubleDuty,
    /// Never.
    Never,
}
impl Default for DeleteSpec {
    fn default() -> Self {
        DeleteSpec::EmptyFor(Span::from_secs(120))
    }
}

/// What happens to a task without ties at the maximum, when no queue is empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AtMax {
    /// It shares a queue with tasks that it does not conflict with.
    #[default]
    Share,
    /// It waits for an empty queue, then shares.
    Park(ParkLimit),
}

/// How long a task is parked at the maximum.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParkLimit {
    /// At most so long.
    pub at_most: Span,
}

/// How one worker serves several queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DoubleDuty {
    /// More queues per worker than this are accepted only rather than leaving a queue without an owner: a worker with
    /// more is relieved even by one that has queues already.
    pub prefer_at_most: u32,
    /// Which of its queues a free worker serves next.
    pub discipline: Discipline,
}
impl Default for DoubleDuty {
    fn default() -> Self {
        DoubleDuty { prefer_at_most: 2, discipline: Discipline::RoundRobin }
    }
}

/// Which of its queues a free worker serves next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discipline {
    /// In turn.
    #[default]
    RoundRobin,
    /// The one whose first task was submitted first.
    OldestHead,
    /// Stay with one until it is empty. Promises no freedom from starvation.
    DrainFirst,
}

/// What a newcomer gets once nothing is vacant, orphaned or on double duty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Newcomers {
    /// The general queue only.
    #[default]
    GeneralOnly,
    /// One queue, 1:1, from the most senior worker that has one.
    Relieve,
    /// Queues until their number per worker differs by at most one.
    Rebalance,
}

/// When queues are moved only to even out their number per worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rebalance {
    /// Never.
    #[default]
    Never,
    /// When a worker joins.
    OnJoin,
    /// At this pace, one queue at a time.
    Every(Span),
}

/// Who serves tasks without claims, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GeneralQueue {
    /// Who serves it.
    pub served_by: ServedBy,
    /// After so many reserved starts in a row a worker takes a waiting general task. At least 1.
    pub general_after: u32,
}
impl Default for GeneralQueue {
    fn default() -> Self {
        GeneralQueue { served_by: ServedBy::Everyone, general_after: 16 }
    }
}

/// Who serves the general queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServedBy {
    /// Every worker.
    #[default]
    Everyone,
    /// Workers without a reserving queue; while there is none, everyone.
    Surplus,
}

/// What becomes of the task that a lost worker was executing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LostTask {
    /// Back to the head of its queue, until so many attempts were lost; then it fails.
    Requeue(RequeueLimit),
    /// It fails.
    Fail,
}
impl Default for LostTask {
    fn default() -> Self {
        LostTask::Requeue(RequeueLimit::default())
    }
}

/// How often a task is tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RequeueLimit {
    /// Attempts in all, at least 1.
    pub max_attempts: u32,
}
impl Default for RequeueLimit {
    fn default() -> Self {
        RequeueLimit { max_attempts: 3 }
    }
}

/// The lease of a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeaseSpec {
    /// Grants hold until they are revoked; a lost worker's queue is granted anew at once. Unsafe, and common.
    None,
    /// Grants end by themselves.
    Lease(Lease),
}
impl Default for LeaseSpec {
    fn default() -> Self {
        LeaseSpec::Lease(Lease::default())
    }
}

/// The lease of a grant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lease {
    /// How long the agent may act on a grant after it sent the heartbeat that renewed it.
    pub duration: Span,
    /// How much longer the engine waits: for the drift of clocks and for aborts to be over.
    pub margin: Span,
    /// Whether the store refuses effects under a stale epoch, or of a stale attempt.
    pub fencing: bool,
}
impl Default for Lease {
    fn default() -> Self {
        Lease { duration: Span::from_secs(30), margin: Span::from_secs(1), fencing: true }
    }
}

/// `none`, or the lease's fields.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum LeaseForm {
    Word(LeaseWord),
    Lease(Lease),
}
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LeaseWord {
    None,
}

impl Serialize for LeaseSpec {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            LeaseSpec::None => LeaseForm::Word(LeaseWord::None).serialize(serializer),
            LeaseSpec::Lease(lease) => lease.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for LeaseSpec {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = LeaseSpec;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("`none`, or a map like {duration: 30s, margin: 1s}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<LeaseSpec, E> {
                match text {
                    "none" => Ok(LeaseSpec::None),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<LeaseSpec, A::Error> {
                Lease::deserialize(serde::de::value::MapAccessDeserializer::new(map)).map(LeaseSpec::Lease)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for LeaseSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "LeaseSpec".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        LeaseForm::json_schema(generator)
    }
}

/// A constructor of engines from the options of `EngineSpec::Custom`. The error is a sentence for the author.
pub type EngineMaker = Arc<dyn Fn(&serde_json::Value) -> Result<Arc<dyn EngineFactory>, String> + Send + Sync>;
