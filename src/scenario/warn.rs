//! What is legal and probably not meant.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::resolve::{TOO_LATE, after_the_end};
use super::{Action, Chosen, Fault, Scenario, Source, convert, workload};
use crate::engine::EngineSpec;
use crate::engine::spec::{Lease, LeaseSpec, LostTask};
use crate::sim::dist::Dist;

/// Notes every warning about a scenario.
pub(crate) fn warn(scenario: &Scenario, findings: &mut Findings<'_>) {
    let detection = scenario.detection;
    if u128::from(detection.heartbeat.micros()) * 2 > u128::from(detection.ttl.micros()) {
        let message = format!(
            "a heartbeat of {} is more than half of the ttl of {}: one late heartbeat loses a worker",
            detection.heartbeat, detection.ttl
        );
        findings.warn("detection.heartbeat", message, "make the ttl at least twice the heartbeat");
    }
    if let EngineSpec::QueueFirst(spec) = &scenario.engine
        && let LeaseSpec::Lease(lease) = spec.lease
    {
        timings(scenario, lease, findings);
    }
    let joins = scenario.script.iter().any(|event| matches!(event.action, Action::Join { .. }));
    let workers = &scenario.workers;
    let comes = workers.arrivals.is_some() || workers.autoscaler.is_some() || workers.shift_change.is_some();
    if workers.initial == 0 && !joins && !comes {
        findings.warn("workers", "there is no worker and none ever comes", "write `workers: {initial: 2}`");
    }
    let leaves = workers.lifetime.is_some() && workers.crash_share < 1.0;
    if leaves && !comes && !joins {
        findings.warn(
            "workers.exit",
            "workers that quiesce are not replaced, and nobody else comes: the fleet shrinks".to_owned(),
            "add `arrivals`, or let all exits be crashes: `restart_after` replaces what crashed",
        );
    }
    restarts(scenario, findings);
    faults(scenario, findings);
    fleet(scenario, findings);
    hot_resource(scenario, findings);
}

fn timings(scenario: &Scenario, lease: Lease, findings: &mut Findings<'_>) {
    if lease.margin < scenario.workers.abort_takes {
        let message = format!(
            "the lease's margin of {} is below workers.abort_takes of {}: a task may still execute when its queue is \
             granted anew",
            lease.margin, scenario.workers.abort_takes
        );
        findings.warn("engine.queue_first.lease.margin", message, "make the margin at least as long");
    }
    let least = scenario.detection.heartbeat.saturating_add(lease.margin);
    if lease.duration < least {
        let message = format!(
            "a lease of {} may end before the heartbeat that renews it is answered: a task that outlasts it is never \
             finished",
            lease.duration
        );
        let help = format!("make it at least {least}: a heartbeat and the margin");
        findings.warn("engine.queue_first.lease.duration", message, &help);
    }
}

/// A task that is lost with its worker and starts again with the same demand takes E[(e^θS - 1)/θ] on average where
/// workers crash at the rate θ: no finite value for a demand S whose tail is heavier than exponential, or exponential
/// with a mean as long as a worker's life.
fn restarts(scenario: &Scenario, findings: &mut Findings<'_>) {
    /// Fewer attempts than this cut the tail off: such tasks fail.
    const MANY_ATTEMPTS: u32 = 10;
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { return };
    let LostTask::Requeue(limit) = spec.running_task_of_lost_worker else { return };
    let workers = &scenario.workers;
    let Some(lifetime) = workers.lifetime.as_ref().filter(|_| workers.crash_share > 0.0) else { return };
    if limit.max_attempts < MANY_ATTEMPTS {
        return;
    }
    for (index, source) in scenario.workload.iter().enumerate() {
        let Source::Drawn { service, .. } = source else { continue };
        let endless = match service {
            Dist::Lognormal { cv, .. } => *cv > 0.0,
            Dist::Weibull { shape, .. } => *shape < 1.0,
            Dist::Exponential { mean } => *mean * workers.crash_share >= convert::mean_micros(lifetime),
            Dist::Constant(_)
            | Dist::Uniform { .. }
            | Dist::Erlang { .. }
            | Dist::Pareto { .. }
            | Dist::Empirical(_) => false,
        };
        if endless {
            let message = format!(
                "workers crash and lost tasks start again up to {} times with the same demand: with this tail the mean \
                 time to complete one has no finite value",
                limit.max_attempts
            );
            let help = "lower `max_attempts` so that such tasks fail, or use a demand with a bound (pareto with a cap)";
            findings.warn(&format!("workload[{index}].service"), message, help);
        }
    }
}

/// A fault that comes when all is over tests nothing.
fn faults(scenario: &Scenario, findings: &mut Findings<'_>) {
    let end = scenario.run.horizon + scenario.run.drain;
    for (index, timed) in scenario.faults.timed.iter().enumerate().filter(|(_, timed)| timed.at >= end) {
        let message = after_the_end(timed.at, end);
        findings.warn(&format!("faults[{index}]"), message, TOO_LATE);
    }
    let workers = &scenario.workers;
    let grows = workers.arrivals.is_some() || workers.autoscaler.is_some() || workers.shift_change.is_some();
    let joins = scenario.script.iter().any(|event| matches!(event.action, Action::Join { .. }));
    let herd = scenario.faults.timed.iter().any(|timed| matches!(timed.fault, Fault::WorkerHerd { .. }));
    if grows || joins || herd {
        return;
    }
    for (index, timed) in scenario.faults.timed.iter().enumerate() {
        let wanted = match timed.fault {
            Fault::Crash { count, .. } => count,
            Fault::Pause { workers: Chosen::Count(count), .. }
            | Fault::Quiesce { workers: Chosen::Count(count) }
            | Fault::Isolate { workers: Chosen::Count(count), .. }
            | Fault::Slow { workers: Chosen::Count(count), .. }
            | Fault::Clock { workers: Chosen::Count(count), .. } => count,
            _ => 0,
        };
        if wanted > workers.initial {
            let message = format!("it is to befall {wanted} workers, and there are {}", workers.initial);
            findings.warn(&format!("faults[{index}]"), message, "ask for fewer, or make `workers.initial` larger");
        }
    }
}

fn fleet(scenario: &Scenario, findings: &mut Findings<'_>) {
    let workers = match &scenario.workers.autoscaler {
        Some(scaler) => scaler.max,
        None => scenario.workers.initial,
    };
    let speed = convert::mean_micros(&scenario.workers.speed) / 1e6;
    let overhead = convert::mean_micros(&scenario.workers.overhead);
    let mut busy = 0.0;
    for source in &scenario.workload {
        match source {
            Source::Drawn { arrivals, service, .. } => {
                let each = workload::mean_service(service) / speed.max(1e-9) + overhead;
                busy += workload::rate_per_micro(arrivals) * each;
            }
            Source::Table { .. } => {}
        }
    }
    if workers > 0 && busy >= f64::from(workers) {
        let message = format!("the offered load is {busy:.2} workers' time and there are {workers}: no steady state");
        findings.warn("workload", message, "add workers, or lower the rates or the service times");
    }
}

fn hot_resource(scenario: &Scenario, findings: &mut Findings<'_>) {
    let mut load = BTreeMap::new();
    for source in &scenario.workload {
        let Source::Drawn { arrivals, service, claims, .. } = source else { continue };
        for claim in claims {
            let drawn = f64::from(claim.exclusive.min) / 2.0 + f64::from(claim.exclusive.max) / 2.0;
            let share = (workload::top_share(claim.popularity, claim.count) * drawn).min(1.0);
            let busy = workload::rate_per_micro(arrivals) * workload::mean_service(service) * share;
            *load.entry(claim.first).or_insert(0.0) += busy;
        }
    }
    for (resource, busy) in load {
        if busy >= 1.0 {
            let message = format!(
                "the most popular resource {} is claimed exclusively for {busy:.2} of the time: no steady state",
                scenario.labels.resource(resource)
            );
            findings.warn("workload", message, "add resources, flatten their popularity, or lower the rates");
        }
    }
}
