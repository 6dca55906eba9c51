//! The wire, and how lost workers are found out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DistFile;
use crate::base::Span;

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
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DetectionFile {
    /// The time between two heartbeats of a worker. By default the engine's: 10s, for a baseline its preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Span>,
    /// A worker that was not heard for longer is lost. By default the engine's: 30s, for a baseline its preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
}
