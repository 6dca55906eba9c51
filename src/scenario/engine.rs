//! Options of engines that contradict themselves.

use super::convert;
use super::findings::Findings;
use super::places::below;
use crate::engine::EngineSpec;
use crate::engine::spec::{AtMax, CreateSpec, LeaseSpec, LostTask, Rebalance};

/// What no engine can be run with.
pub(super) fn check_engine(engine: &EngineSpec, findings: &mut Findings<'_>) {
    if let Some((key, sentence)) = engine.check_baseline() {
        findings.error(&format!("engine.{key}"), sentence, "");
    }
    let EngineSpec::QueueFirst(spec) = engine else { return };
    let path = |key: &str| format!("engine.queue_first.{key}");
    check_limits(spec.queues.min, spec.queues.max, &path("queues"), findings);
    if spec.general_queue.general_after < 1 {
        findings.error(&path("general_queue.general_after"), "`general_after` is at least 1", "");
    }
    if spec.double_duty.prefer_at_most < 1 {
        findings.error(&path("double_duty.prefer_at_most"), "`prefer_at_most` is at least 1", "");
    }
    match spec.running_task_of_lost_worker {
        LostTask::Requeue(limit) if limit.max_attempts < 1 => {
            findings.error(
                &path("running_task_of_lost_worker.requeue.max_attempts"),
                "`max_attempts` is at least 1",
                "",
            );
        }
        LostTask::Requeue(_) | LostTask::Fail => {}
    }
    match spec.lease {
        LeaseSpec::Lease(lease) => convert::above_zero(lease.duration, &path("lease.duration"), findings),
        LeaseSpec::None => {}
    }
    match spec.rebalance {
        Rebalance::Every(pace) => convert::above_zero(pace, &path("rebalance.every"), findings),
        Rebalance::Never | Rebalance::OnJoin => {}
    }
    match spec.at_max {
        AtMax::Park(limit) => convert::above_zero(limit.at_most, &path("at_max.park.at_most"), findings),
        AtMax::Share => {}
    }
    match &spec.create {
        CreateSpec::When(when) if when.backlog_per_queue < 1 => {
            findings.error(&path("create.when.backlog_per_queue"), "`backlog_per_queue` is at least 1", "");
        }
        CreateSpec::When(_) | CreateSpec::PerWorker | CreateSpec::Eager | CreateSpec::Custom(_) => {}
    }
}

/// Limits of a pool of queues.
pub(super) fn check_limits(min: u32, max: u32, path: &str, findings: &mut Findings<'_>) {
    if min > max {
        findings.error(&below(path, "min"), format!("min {min} is above max {max}"), "make `min` at most `max`");
    }
    if max < 1 {
        findings.error(&below(path, "max"), "a pool has room for at least 1 queue", "");
    }
    if max > 1_000_000 {
        findings.error(&below(path, "max"), format!("{max} queues: at most 1000000"), "");
    }
}
