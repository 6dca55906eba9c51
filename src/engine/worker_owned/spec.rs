//! Options of `worker_owned`, and what each version sets them to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Span;
use crate::engine::Detection;

/// A version of Pulp.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub enum WorkerOwnedPreset {
    /// Pulp 2.4 (2.4-release 0372231f2): the worker with the fewest reservations, no waiting.
    #[serde(rename = "pulp-2.4")]
    Pulp2_4,
    /// Pulp 2.14 (eb295a9a1): any worker without a reservation, or else the resource manager waits.
    #[default]
    #[serde(rename = "pulp-2.14")]
    Pulp2_14,
    /// pulpcore 3.13 on RQ (26b4e0a72): a random worker without a reservation, or else the resource manager waits.
    #[serde(rename = "rq-3.13")]
    Rq3_13,
}

/// Options of `worker_owned`: a preset, and whatever is to differ from it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WorkerOwnedSpec {
    /// The version whose values hold where nothing else is written.
    pub preset: WorkerOwnedPreset,
    /// Which worker gets a task whose resources nobody holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement: Option<WorkerPlacement>,
    /// How long the resource manager is busy with each task. Default 380ms for rq-3.13, otherwise 0s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_per_task: Option<Span>,
    /// How long it waits before it tries again to place a task. Default 250ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager_retry: Option<Span>,
    /// How often somebody looks for workers that were not heard for the ttl. Default 60s for pulp-2.4, otherwise 5s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<Span>,
}

/// Which worker gets a task whose resources nobody holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorkerPlacement {
    /// The one with the smallest sum of reservations, by chance on ties.
    LeastReservations,
    /// The first without a reservation, by name.
    AnyUnreserved,
    /// One without a reservation, by chance.
    RandomUnreserved,
}

/// All options with their values.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) placement: WorkerPlacement,
    pub(super) manager_per_task: Span,
    pub(super) manager_retry: Span,
    pub(super) check: Span,
    /// Tasks without claims lie in one queue that all workers consume beside their own (Pulp 2's `celery` queue).
    /// Otherwise they need a worker without a reservation like all others, and leave none (RQ).
    pub(super) shared_queue: bool,
}

impl Options {
    pub(super) fn of(spec: &WorkerOwnedSpec) -> Options {
        use WorkerOwnedPreset::{Pulp2_4, Pulp2_14, Rq3_13};
        let (placement, per_task, check) = match spec.preset {
            Pulp2_4 => (WorkerPlacement::LeastReservations, Span::ZERO, Span::from_secs(60)),
            Pulp2_14 => (WorkerPlacement::AnyUnreserved, Span::ZERO, Span::from_secs(5)),
            // 500 no-op tasks on 1 to 16 workers: 2.4 to 2.7 tasks/s. Every heartbeat of every process checks the
            // others; busy ones come every 5 s.
            Rq3_13 => (WorkerPlacement::RandomUnreserved, Span::from_millis(380), Span::from_secs(5)),
        };
        Options {
            placement: spec.placement.unwrap_or(placement),
            manager_per_task: spec.manager_per_task.unwrap_or(per_task),
            manager_retry: spec.manager_retry.unwrap_or(Span::from_millis(250)),
            check: spec.check.unwrap_or(check),
            shared_queue: spec.preset != Rq3_13,
        }
    }
}

impl WorkerOwnedSpec {
    /// Writes the preset's value wherever none is written.
    pub fn fill(&mut self) {
        let Options { placement, manager_per_task, manager_retry, check, .. } = Options::of(self);
        *self = WorkerOwnedSpec {
            preset: self.preset,
            placement: Some(placement),
            manager_per_task: Some(manager_per_task),
            manager_retry: Some(manager_retry),
            check: Some(check),
        };
    }

    /// What is impossible about it: the key below `worker_owned`, and a sentence.
    pub fn check(&self) -> Option<(&'static str, &'static str)> {
        let zero = |span: Option<Span>| span.is_some_and(Span::is_zero);
        match self {
            it if zero(it.manager_retry) => Some(("manager_retry", "this time must be above zero")),
            it if zero(it.check) => Some(("check", "this time must be above zero")),
            _ => None,
        }
    }

    /// When a worker counts as dead: 2.4 after 300 s (a heartbeat every 30 s), 2.14 after 25 s (5 s), RQ after 30 s (5 s
    /// while busy, 15 s while idle; the shorter one here).
    pub(crate) fn detection(&self) -> Detection {
        let (heartbeat, ttl) = match self.preset {
            WorkerOwnedPreset::Pulp2_4 => (30, 300),
            WorkerOwnedPreset::Pulp2_14 => (5, 25),
            WorkerOwnedPreset::Rq3_13 => (5, 30),
        };
        Detection { heartbeat: Span::from_secs(heartbeat), ttl: Span::from_secs(ttl) }
    }
}
