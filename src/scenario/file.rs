//! A scenario as it is written. Every type is read, written back and described to editors by the same derive; what it
//! means, and what of it is impossible, is decided where it is resolved.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use super::units::{Amount, Percent, Plain, Rate};
use crate::base::Span;
use crate::engine::EngineSpec;

/// A scenario: everything that is needed to repeat a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name: letters, digits, `-`, `_`, `.`; results are written to a folder of this name.
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub description: String,
    /// Seed, length, replications.
    #[serde(default)]
    pub run: RunFile,
    /// Groups of resources.
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceFile>,
    /// Where tasks come from.
    #[serde(default)]
    pub workload: Vec<WorkloadFile>,
    /// How workers come, live and go.
    pub workers: WorkersFile,
    /// The wire between the engine and each worker.
    #[serde(default)]
    pub network: NetworkFile,
    /// How lost workers are found out.
    #[serde(default)]
    pub detection: DetectionFile,
    /// The engine and its options.
    #[serde(default)]
    pub engine: EngineSpec,
    /// Explicit events.
    #[serde(default)]
    pub script: Vec<ScriptFile>,
    /// What is expected.
    #[serde(default)]
    pub expect: ExpectFile,
    /// Named overrides for `compare`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variants: Option<BTreeMap<String, serde_json::Value>>,
    /// What to vary in `sweep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<BTreeMap<String, serde_json::Value>>,
}

/// Seed, length, replications.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunFile {
    /// The only seed there is.
    pub seed: u64,
    /// Independent repetitions, 1 to 1,000,000.
    pub replications: u32,
    /// Arrivals stop here. By default 8h; where there is nothing but a script or a trace, its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Span>,
    /// Time after the horizon to finish what is left.
    pub drain: Span,
    /// Left out of the statistics, never out of the oracle.
    pub warm_up: Span,
    /// The level of confidence intervals.
    pub confidence: Percent,
}
impl Default for RunFile {
    fn default() -> Self {
        RunFile {
            seed: 42,
            replications: 8,
            horizon: None,
            drain: Span::from_secs(7_200),
            warm_up: Span::ZERO,
            confidence: Percent::whole(95),
        }
    }
}

/// A group of resources, named `group-1`, `group-2`, ….
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceFile {
    /// How many there are.
    pub count: u64,
    /// How popular each is.
    #[serde(default)]
    pub popularity: PopularityFile,
}

/// How popular the resources of a group are.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PopularityFile {
    /// All alike.
    #[default]
    Uniform,
    /// The k-th has weight k^-s.
    Zipf(Plain),
}

/// Tasks drawn at random (`class`, `arrivals`, `service`, `claims`) or from a table (`trace`).
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkloadFile {
    /// The class of its tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// When they come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalsFile>,
    /// What each demands of a worker of speed 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<DistFile<Span>>,
    /// What each claims, by group of resources; nothing: tasks of the general queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<BTreeMap<String, ClaimFile>>,
    /// Tasks from a table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceFile>,
}

/// When tasks or workers come.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ArrivalsFile {
    /// At exponential intervals.
    Poisson(Rate),
    /// At fixed intervals, the first one interval after the start.
    Every(Span),
    /// At intervals drawn from a distribution.
    Renewal(DistFile<Span>),
    /// Poisson with a rate that changes at fixed times; after the last piece nothing comes.
    Piecewise(Vec<PieceFile>),
    /// So many at one instant.
    Burst {
        /// When.
        at: Span,
        /// How many.
        tasks: u64,
    },
    /// Poisson with a rate that jumps through the states in turn.
    Mmpp(Vec<MmppFile>),
}

/// A piece of a piecewise rate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PieceFile {
    /// It ends here.
    pub until: Span,
    /// The rate until then.
    pub rate: Rate,
}

/// A state of an MMPP.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MmppFile {
    /// The rate in this state.
    pub rate: Rate,
    /// The mean time in this state; it is exponential.
    pub dwell: Span,
}

/// A distribution, or a constant.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum DistFile<V: Amount> {
    /// Always the same.
    Constant(V),
    /// By chance.
    Drawn(DrawnFile<V>),
}

/// A distribution.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields, bound(deserialize = "V: Amount"))]
pub enum DrawnFile<V: Amount> {
    /// Uniform, both bounds included.
    Uniform {
        /// Lower bound.
        min: V,
        /// Upper bound.
        max: V,
    },
    /// Exponential.
    Exponential {
        /// Its mean.
        mean: V,
    },
    /// Lognormal.
    Lognormal {
        /// Its own mean.
        mean: V,
        /// Standard deviation / mean.
        cv: Plain,
    },
    /// A sum of `shape` exponentials.
    Erlang {
        /// How many stages.
        shape: u32,
        /// Its mean.
        mean: V,
    },
    /// Weibull.
    Weibull {
        /// Its shape.
        shape: Plain,
        /// Its mean.
        mean: V,
    },
    /// Pareto, cut off: what is beyond `cap` is `cap`.
    Pareto {
        /// Its shape.
        shape: Plain,
        /// Its smallest value.
        min: V,
        /// Its largest value.
        cap: V,
    },
    /// One of recorded values, each alike.
    Empirical {
        /// A table with a column `service`, or one column without a header; relative to the scenario file.
        file: String,
        /// Only the rows of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
}

impl<'de, V: Amount> Deserialize<'de> for DistFile<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(PhantomData<V>);
        impl<'de, V: Amount> serde::de::Visitor<'de> for Visitor<V> {
            type Value = DistFile<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a constant, or a distribution like {exponential: {mean: …}}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                V::from_text(text).map(DistFile::Constant)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                V::from_number(number as f64).map(DistFile::Constant)
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                V::from_number(number as f64).map(DistFile::Constant)
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
                V::from_number(number).map(DistFile::Constant)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                DrawnFile::deserialize(MapAccessDeserializer::new(map)).map(DistFile::Drawn)
            }
        }
        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

impl<V: Amount> JsonSchema for DistFile<V> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Distribution_of_{}", V::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<V>(), generator.subschema_for::<DrawnFile<V>>()] })
    }
}

/// What a task claims of a group: a number of exclusive claims, or both kinds.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ClaimFile {
    /// So many exclusive claims.
    Exclusive(u32),
    /// Exclusive and shared claims.
    Both(BothFile),
}

/// Exclusive and shared claims; a resource is claimed at most once per task.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BothFile {
    /// How many are claimed exclusively.
    pub exclusive: CountFile,
    /// How many are claimed shared.
    pub shared: CountFile,
}

/// A number of claims: fixed, or `{uniform: {min: 1, max: 2}}`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum CountFile {
    /// Always so many.
    Fixed(u32),
    /// By chance.
    Drawn(CountDrawn),
}
impl Default for CountFile {
    fn default() -> Self {
        CountFile::Fixed(0)
    }
}

/// A number by chance.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CountDrawn {
    /// Uniform, both bounds included.
    Uniform {
        /// At least so many.
        min: u32,
        /// At most so many.
        max: u32,
    },
}

/// Reads a whole number into one variant and a map into another.
macro_rules! number_or_map {
    ($name:ident, $number:path, $map:path, $inner:ty, $expected:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$name, E> {
                        u32::try_from(number).map($number).map_err(|_| {
                            E::invalid_value(serde::de::Unexpected::Unsigned(number), &$expected)
                        })
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        <$inner>::deserialize(MapAccessDeserializer::new(map)).map($map)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, generator.subschema_for::<$inner>()] })
            }
        }
    };
}
number_or_map!(
    ClaimFile,
    ClaimFile::Exclusive,
    ClaimFile::Both,
    BothFile,
    "a number of exclusive claims, or {exclusive: …, shared: …}"
);
number_or_map!(
    CountFile,
    CountFile::Fixed,
    CountFile::Drawn,
    CountDrawn,
    "a number of claims, or {uniform: {min: …, max: …}}"
);

/// A table of tasks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceFile {
    /// A table with the header `submitted,class,service,exclusive,shared`, relative to the scenario file.
    pub file: String,
    /// Times of submission are multiplied by this; service times are not.
    #[serde(default = "one")]
    pub time_scale: Plain,
    /// What becomes of shared claims.
    #[serde(default)]
    pub shared: SharedFile,
}

fn one() -> Plain {
    Plain(1.0)
}

/// What becomes of the shared claims of a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SharedFile {
    /// They stay.
    #[default]
    Keep,
    /// They become exclusive.
    Exclusive,
    /// They are left out.
    Drop,
}

/// How workers come, live and go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkersFile {
    /// Workers that are up when the run begins.
    pub initial: u64,
    /// Time from arrival to being ready.
    pub startup: DistFile<Span>,
    /// New workers from outside.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<ArrivalsFile>,
    /// Time from being ready to the exit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<DistFile<Span>>,
    /// How they exit at the end of their lifetime; by default they crash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitFile>,
    /// A quiescing worker that is not done by then is killed.
    pub grace: Span,
    /// A crashed worker's place is taken by a new one after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_after: Option<DistFile<Span>>,
    /// Pauses: the worker stands still and comes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseFile>,
    /// Per task, holds the worker.
    pub overhead: DistFile<Span>,
    /// From being told to stop to having stopped it.
    pub abort_takes: Span,
    /// Service is divided by the speed, which is drawn once per worker.
    pub speed: DistFile<Plain>,
    /// Many leave and many arrive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shift_change: Option<ShiftFile>,
    /// Workers are replaced batch by batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling_replace: Option<RollingFile>,
    /// A loop from outside that starts and quiesces workers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaler: Option<AutoscalerFile>,
}
impl Default for WorkersFile {
    fn default() -> Self {
        WorkersFile {
            initial: 0,
            startup: DistFile::Constant(Span::ZERO),
            arrivals: None,
            lifetime: None,
            exit: None,
            grace: Span::from_secs(600),
            restart_after: None,
            pause: None,
            overhead: DistFile::Constant(Span::ZERO),
            abort_takes: Span::ZERO,
            speed: DistFile::Constant(Plain(1.0)),
            shift_change: None,
            rolling_replace: None,
            autoscaler: None,
        }
    }
}

/// Shares of the kinds of exit; together 100%. Where one is left out it is the rest.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExitFile {
    /// They vanish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crash: Option<Percent>,
    /// They finish their task and hand over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiesce: Option<Percent>,
}

/// A worker's pauses.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseFile {
    /// Time from being ready, or from the end of the last pause, to the next.
    pub every: DistFile<Span>,
    /// How long it lasts.
    #[serde(rename = "for")]
    pub lasts: DistFile<Span>,
}

/// Many leave and many arrive.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShiftFile {
    /// When the old ones are told to quiesce.
    pub at: Span,
    /// How many leave: those that are up longest.
    pub leave: u32,
    /// How many arrive.
    pub arrive: u32,
    /// The new ones arrive so long before `at`; negative (`-30s`): after it.
    #[serde(default = "no_overlap")]
    pub overlap: String,
}

fn no_overlap() -> String {
    "0s".into()
}

/// Workers are replaced batch by batch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollingFile {
    /// When the first batch begins.
    pub at: Span,
    /// How many are replaced at once.
    pub batch: u32,
    /// Time between batches.
    pub every: Span,
    /// How many new ones come before the old ones of a batch are told to quiesce.
    #[serde(default)]
    pub surge: u32,
}

/// A loop from outside that starts and quiesces workers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AutoscalerFile {
    /// What it looks at.
    pub signal: SignalFile,
    /// Aim at so much of the signal per worker.
    pub target: Plain,
    /// At least so many workers.
    pub min: u32,
    /// At most so many.
    pub max: u32,
    /// How often it looks.
    pub every: Span,
    /// No change for so long after one.
    #[serde(default)]
    pub cooldown: Span,
}

/// What an autoscaler looks at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalFile {
    /// Tasks that could execute, per worker.
    RunnablePerWorker,
    /// All unsettled tasks per worker, blocked ones included.
    BacklogPerWorker,
}

/// The wire between the engine and each worker.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFile {
    /// Each way; messages of one link never overtake each other.
    pub delay: DistFile<Span>,
}
impl Default for NetworkFile {
    fn default() -> Self {
        NetworkFile { delay: DistFile::Constant(Span::ZERO) }
    }
}

/// How lost workers are found out.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DetectionFile {
    /// The time between two heartbeats of a worker.
    pub heartbeat: Span,
    /// A worker that was not heard for longer is lost.
    pub ttl: Span,
}
impl Default for DetectionFile {
    fn default() -> Self {
        DetectionFile { heartbeat: Span::from_secs(10), ttl: Span::from_secs(30) }
    }
}

/// An explicit event: `at`, and exactly one of the others.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScriptFile {
    /// When.
    pub at: Span,
    /// A client submits a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submit: Option<SubmitFile>,
    /// A client cancels a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel: Option<TaskFile>,
    /// A new worker arrives and starts up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join: Option<WorkerFile>,
    /// A worker crashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash: Option<WorkerFile>,
    /// A worker stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseOnceFile>,
    /// The operator asks for a worker to quiesce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiesce: Option<WorkerFile>,
    /// The operator sets the limits of the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_limits: Option<LimitsFile>,
}

/// A task to submit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitFile {
    /// Its name.
    pub task: String,
    /// Its class.
    #[serde(default = "default_class")]
    pub class: String,
    /// Resources that it claims exclusively.
    #[serde(default)]
    pub claims: Vec<String>,
    /// Resources that it claims shared.
    #[serde(default)]
    pub shared: Vec<String>,
    /// What it demands.
    pub service: Span,
}

fn default_class() -> String {
    "default".into()
}

/// A task, by name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskFile {
    /// Which.
    pub task: String,
}

/// A worker, by name: `w1` … for the initial ones, then those that joined.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkerFile {
    /// Which.
    pub worker: String,
}

/// A worker stands still once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PauseOnceFile {
    /// Which.
    pub worker: String,
    /// For how long.
    #[serde(rename = "for")]
    pub lasts: Span,
}

/// The limits of the pool.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsFile {
    /// At least so many active queues.
    pub min: u32,
    /// At most so many queues.
    pub max: u32,
}

/// What is expected.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExpectFile {
    /// Properties that must hold; by default all that the engine guarantees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub always: Option<Vec<String>>,
    /// Probes that some replication must have hit.
    pub sometimes: Vec<String>,
    /// Bounds on metrics, like `wait.p95{class=sync} < 45s`.
    pub thresholds: Vec<String>,
    /// Properties that must be violated.
    pub violated: Vec<String>,
    /// States of tasks at instants.
    pub states: Vec<StateFile>,
    /// The order of first starts.
    pub starts: Vec<String>,
    /// The golden digest of the facts of replication 0.
    pub digest: Option<String>,
}

/// The state of a task at an instant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StateFile {
    /// When, after everything that happens at that instant.
    pub at: Span,
    /// Which task.
    pub task: String,
    /// Its state.
    pub state: StateName,
    /// Where it executes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
}

/// The state of a task.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
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

/// The JSON Schema (draft 7) of a scenario file, for editors.
pub fn json_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft07();
    let mut schema = settings.into_generator().into_root_schema_for::<File>().to_value();
    if let Some(lease) = schema.pointer_mut("/definitions/Lease/properties").and_then(|it| it.as_object_mut()) {
        let fencing = serde_json::json!({
            "description": "Whether the store refuses writes of an older epoch.", "const": false, "default": false
        });
        lease.insert("fencing".into(), fencing);
    }
    schema
}
