//! Explicit events.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
