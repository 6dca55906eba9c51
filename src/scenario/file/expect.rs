//! What is expected of a run.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Span;

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
