//! The wire, and how lost workers are found out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::units::Percent;
use super::DistFile;
use crate::base::Span;

/// The wire between the engine and each worker.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFile {
    /// Each way; messages of one link never overtake each other unless `reorder` is on.
    pub delay: DistFile<Span>,
    /// Which share of the messages is lost.
    pub loss: Percent,
    /// Which share of them arrives twice.
    pub duplicate: Percent,
    /// Whether messages of one link overtake each other where their delays are drawn so.
    pub reorder: bool,
    /// From here on nothing is lost, doubled or reordered any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Span>,
}
impl Default for NetworkFile {
    fn default() -> Self {
        NetworkFile {
            delay: DistFile::Constant(Span::ZERO),
            loss: Percent::whole(0),
            duplicate: Percent::whole(0),
            reorder: false,
            until: None,
        }
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
