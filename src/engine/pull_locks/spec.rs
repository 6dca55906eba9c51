//! Options of `pull_locks`, and what each version of pulpcore sets them to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{Outcome, Span, TaskId};
use crate::engine::Detection;
use crate::engine::overhead::Overhead;

/// A version of pulpcore.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum PullLocksPreset {
    /// 3.14 (adbf7fb45): every worker scans for itself and takes the first runnable task whose advisory lock it gets.
    #[serde(rename = "pulpcore-3.14")]
    V3_14,
    /// 3.48 (51c29b503): one worker marks runnable tasks unblocked, all take marked ones.
    #[serde(rename = "pulpcore-3.48")]
    V3_48,
    /// 3.123: `app_lock` instead of advisory locks (3.89, 8bb828ec0), jittered pick order, clean-up by heartbeats (3.90).
    #[default]
    #[serde(rename = "pulpcore-3.123")]
    V3_123,
}

/// Options of `pull_locks`: a preset, and whatever is to differ from it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PullLocksSpec {
    /// The version whose values hold where nothing else is written.
    pub preset: PullLocksPreset,
    /// From the creation of a task with nothing in conflict ahead to its being unblocked. Default 14ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_to_unblocked: Option<Overhead>,
    /// From the end of the last task in conflict ahead to the task's being unblocked. Default 29ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocker_finished_to_unblocked: Option<Overhead>,
    /// From being unblocked to the start on a worker that was idle. Default 74ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unblocked_to_started: Option<Overhead>,
    /// From the end of a task to the start of the next one on the same worker, while unblocked tasks wait. Default 95ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_to_next: Option<Overhead>,
    /// A worker takes the task with the smallest creation time + random share of this. 8s from 3.89 on, 0s before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pick_jitter: Option<Span>,
    /// A worker takes the unblocked task that stands first here, as a recorded history shows it: numbers of tasks, from
    /// 0, in order of submission. Those that do not stand here come after them, by `pick_jitter`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pick_order: Vec<u32>,
    /// When dead workers are found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clean_up: Option<CleanUp>,
}

/// When dead workers are found and their running tasks given up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CleanUp {
    /// Its locks vanish with its connection to the database; the next worker that looks for work finds the task.
    OnDisconnect,
    /// Every worker removes those not heard for the ttl, each time it has sent so many heartbeats.
    Heartbeats(CleanUpBeats),
    /// At these instants of the run, as a recorded history shows them, those not heard for the ttl are removed and their
    /// tasks given up.
    At(Vec<Span>),
}

/// After how many of its own heartbeats a worker removes dead ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CleanUpBeats {
    /// The first time after a number by chance, at least this.
    pub first_min: u64,
    /// The first time after a number by chance, at most this.
    pub first_max: u64,
    /// Then each time after so many.
    pub every: u64,
}
impl Default for CleanUpBeats {
    fn default() -> Self {
        CleanUpBeats { first_min: 10, first_max: 100, every: 100 }
    }
}

/// All options with their values.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) created_to_unblocked: Overhead,
    pub(super) blocker_finished_to_unblocked: Overhead,
    pub(super) unblocked_to_started: Overhead,
    pub(super) finished_to_next: Overhead,
    pub(super) pick_jitter: Span,
    /// The place of each task in the recorded order.
    pub(super) pick_ranks: BTreeMap<TaskId, u32>,
    pub(super) clean_up: CleanUp,
    /// Before 3.15 a claim could not be shared.
    pub(super) shares: bool,
    /// What becomes of a task whose worker is gone: cancelled before 3.16, failed since.
    pub(super) abandoned: Outcome,
    /// For how many heartbeats a worker that was told to leave goes on with its task; `None`: for ever (3.29).
    pub(super) grace_beats: Option<u64>,
    /// A lock is a worker's row in a column of the task (3.89): without its row a worker can neither start a task nor
    /// change one, and when its heartbeat fails, it stops what it executes (3.85).
    pub(super) app_lock: bool,
}

impl Options {
    pub(super) fn of(spec: &PullLocksSpec) -> Options {
        let old = spec.preset == PullLocksPreset::V3_14;
        let recent = spec.preset == PullLocksPreset::V3_123;
        let clean_up = if recent { CleanUp::Heartbeats(CleanUpBeats::default()) } else { CleanUp::OnDisconnect };
        let overhead = |written: &Option<Overhead>, millis| written.clone().unwrap_or(Overhead::millis(millis));
        Options {
            // Means measured on a pulpcore 3.123.1 with four workers. PULP.md leaves dispatch costs to us.
            created_to_unblocked: overhead(&spec.created_to_unblocked, 14),
            blocker_finished_to_unblocked: overhead(&spec.blocker_finished_to_unblocked, 29),
            unblocked_to_started: overhead(&spec.unblocked_to_started, 74),
            finished_to_next: overhead(&spec.finished_to_next, 95),
            pick_jitter: spec.pick_jitter.unwrap_or(if recent { Span::from_secs(8) } else { Span::ZERO }),
            pick_ranks: ranks(&spec.pick_order),
            clean_up: spec.clean_up.clone().unwrap_or(clean_up),
            shares: !old,
            abandoned: if old { Outcome::Cancelled } else { Outcome::Failed },
            grace_beats: old.then_some(3),
            app_lock: recent,
        }
    }
}

/// The place of each task in this order.
fn ranks(order: &[u32]) -> BTreeMap<TaskId, u32> {
    order.iter().map(|task| TaskId(*task)).zip(0..).collect()
}

impl PullLocksSpec {
    /// Writes the preset's value wherever none is written.
    pub fn fill(&mut self) {
        let Options {
            created_to_unblocked,
            blocker_finished_to_unblocked,
            unblocked_to_started,
            finished_to_next,
            pick_jitter,
            clean_up,
            ..
        } = Options::of(self);
        *self = PullLocksSpec {
            preset: self.preset,
            created_to_unblocked: Some(created_to_unblocked),
            blocker_finished_to_unblocked: Some(blocker_finished_to_unblocked),
            unblocked_to_started: Some(unblocked_to_started),
            finished_to_next: Some(finished_to_next),
            pick_jitter: Some(pick_jitter),
            pick_order: std::mem::take(&mut self.pick_order),
            clean_up: Some(clean_up),
        };
    }

    /// What is impossible about it: the key below `pull_locks`, and a sentence.
    pub fn check(&self) -> Option<(&'static str, &'static str)> {
        match &self.clean_up {
            Some(CleanUp::Heartbeats(beats)) if beats.first_min > beats.first_max => {
                Some(("clean_up.heartbeats.first_min", "`first_min` is above `first_max`"))
            }
            Some(CleanUp::Heartbeats(beats)) if beats.every < 1 || beats.first_max == u64::MAX => {
                Some(("clean_up.heartbeats.every", "`every` is at least 1, and `first_max` below 2^64 - 1"))
            }
            Some(CleanUp::Heartbeats(_) | CleanUp::OnDisconnect | CleanUp::At(_)) | None => None,
        }
    }

    /// `WORKER_TTL` is 30 s, a heartbeat comes every third of it.
    pub(crate) fn detection(&self) -> Detection {
        Detection { heartbeat: Span::from_secs(10), ttl: Span::from_secs(30) }
    }
}
