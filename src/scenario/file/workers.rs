//! How workers come, live and go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::units::{Percent, Plain};
use super::{ArrivalsFile, DistFile};
use crate::base::Span;

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
