//! Resources and where tasks come from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::units::{Plain, Rate};
use super::{ClaimFile, DistFile};
use crate::base::Span;

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
