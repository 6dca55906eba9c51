//! Explicit events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::units::Plain;
use super::{CrashFile, DirectionFile, EngineCrashFile, PoisonFile};
use crate::base::Span;

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
    pub join: Option<JoinFile>,
    /// A worker crashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash: Option<CrashOnceFile>,
    /// A worker stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseOnceFile>,
    /// The operator asks for a worker to quiesce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiesce: Option<WorkerFile>,
    /// A worker's host signals it to quiesce, as at the end of a lifetime; the engine is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<WorkerFile>,
    /// A worker executes slowly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow: Option<SlowOnceFile>,
    /// A worker executes what it begins from here on at another speed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<SpeedOnceFile>,
    /// A worker's clock goes wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockOnceFile>,
    /// Messages of a worker are lost, and its task goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolate: Option<IsolateOnceFile>,
    /// The next message of a worker's link is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<DropFile>,
    /// The next message of a worker's link, or the next effect of a task, comes later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<DelayFile>,
    /// The next message of a worker's link arrives twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<DuplicateFile>,
    /// The engine crashes and a new one is restored from its records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine_crash: Option<EngineCrashFile>,
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
    #[serde(default = "default_class", skip_serializing_if = "is_default_class")]
    pub class: String,
    /// Resources that it claims exclusively.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<String>,
    /// Resources that it claims shared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
    /// What it demands.
    pub service: Span,
    /// What it holds its worker for beside that, at any speed. Default: as `workers.overhead` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overhead: Option<Span>,
    /// The harm that it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poison: Option<PoisonFile>,
}

/// The class of a task that names none.
const DEFAULT_CLASS: &str = "default";

fn default_class() -> String {
    DEFAULT_CLASS.into()
}

fn is_default_class(class: &str) -> bool {
    class == DEFAULT_CLASS
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

/// A worker arrives.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinFile {
    /// Its name.
    pub worker: String,
    /// Time until it is ready. Default: as `workers.startup` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<Span>,
    /// It comes up on the host of this earlier worker, under the name of which engines may remember that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_of: Option<String>,
}

/// A worker crashes once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrashOnceFile {
    /// Which.
    pub worker: String,
    /// At which moment of its work.
    #[serde(default, skip_serializing_if = "is_now")]
    pub when: CrashFile,
}

fn is_now(when: &CrashFile) -> bool {
    *when == CrashFile::Now
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

/// A worker executes slowly once.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlowOnceFile {
    /// Which.
    pub worker: String,
    /// So many times slower, 1 to 1000.
    pub factor: Plain,
    /// For how long.
    #[serde(rename = "for")]
    pub lasts: Span,
}

/// A worker gets another speed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpeedOnceFile {
    /// Which.
    pub worker: String,
    /// Service is divided by this.
    pub to: Plain,
}

/// A worker's clock goes wrong.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockOnceFile {
    /// Whose.
    pub worker: String,
    /// From here on it gains so many µs a second; negative: it loses them.
    #[serde(default)]
    pub drift_ppm: f64,
    /// It jumps by this, like `-5s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<String>,
}

/// Messages of a worker are lost for a while.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IsolateOnceFile {
    /// Whose.
    pub worker: String,
    /// For how long.
    #[serde(rename = "for")]
    pub lasts: Span,
    /// Which way.
    #[serde(default)]
    pub direction: DirectionFile,
}

/// One message is lost.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropFile {
    /// The next one of this worker's link …
    pub worker: String,
    /// … in this direction (both: the next one each way).
    #[serde(default)]
    pub direction: DirectionFile,
}

/// One message, or one effect on its way to the store, comes later.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DelayFile {
    /// The next message of this worker's link …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// … in this direction (both: the next one each way).
    #[serde(default)]
    pub direction: DirectionFile,
    /// Or the next effect of this task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
    /// By so much.
    pub by: Span,
}

/// One message arrives twice.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DuplicateFile {
    /// The next one of this worker's link …
    pub worker: String,
    /// … in this direction (both: the next one each way).
    #[serde(default)]
    pub direction: DirectionFile,
    /// The first time comes later by so much.
    #[serde(default)]
    pub by: Span,
    /// The second time comes later by so much. Default: with the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Span>,
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
