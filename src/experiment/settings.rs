//! What the observer of a run is told: bounds, and what the engine may count on, from the scenario and the engine's word.

use crate::base::names::PropertySet;
use crate::base::{Property, Span};
use crate::engine::spec::{AtMax, LeaseSpec, Rebalance};
use crate::engine::{EngineSpec, Guarantees};
use crate::observe::{DrainBound, Settings};
use crate::scenario::{Action, Fault, Scenario};
use crate::sim::dist::Dist;

/// Points of each series over time.
const SERIES_POINTS: usize = 240;

/// What the observer of a replication is told.
pub(crate) fn settings(scenario: &Scenario, guarantees: &Guarantees, timeline: bool) -> Settings {
    let expect = &scenario.expect;
    let one_way = longest(&scenario.network.delay).saturating_add(latest_in_script(scenario));
    let message_slack = one_way.saturating_add(one_way);
    Settings {
        warm_up: scenario.run.warm_up,
        horizon: scenario.run.horizon,
        classes: scenario.labels.classes.len(),
        resources: scenario.labels.resources.len(),
        orphan_bound: guarantees.orphan_bound,
        heartbeat: stretched(scenario, scenario.detection.heartbeat),
        excused: excused(scenario),
        drain_bound: drain_bound(scenario, message_slack),
        settle_within: settle_within(scenario),
        message_slack,
        abort_takes: scenario.workers.abort_takes,
        timeline,
        series_points: SERIES_POINTS,
        states_wanted: expect.states.iter().map(|state| (state.at, state.task)).collect(),
        keep_starts: !expect.starts.is_empty(),
    }
}

/// A span by the slowest of all workers' clocks, in true time: it may run slow, and jump back meanwhile, and makes good the
/// jump as slowly. Rounded up to whole µs, as the clock is that is waited for.
fn stretched(scenario: &Scenario, span: Span) -> Span {
    let timed = scenario.faults.timed.iter().filter_map(|timed| match timed.fault {
        Fault::Clock { jump_micros, drift_ppb, .. } => Some((jump_micros, drift_ppb)),
        _ => None,
    });
    let scripted = scenario.script.iter().filter_map(|event| match event.action {
        Action::Clock { jump_micros, drift_ppb, .. } => Some((jump_micros, drift_ppb)),
        _ => None,
    });
    let (longest, slowest) = timed.chain(scripted).fold((span, 0), |(longest, slowest), (jump_micros, drift_ppb)| {
        let back = Span::from_micros((-jump_micros).max(0).unsigned_abs());
        (longest.saturating_add(back), slowest.max(-drift_ppb))
    });
    let rate = 1_000_000_000 - slowest.unsigned_abs();
    let micros = (u128::from(longest.micros()) * 1_000_000_000).div_ceil(u128::from(rate));
    Span::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

/// By how much a script delays a message at most.
fn latest_in_script(scenario: &Scenario) -> Span {
    let delays = scenario.script.iter().filter_map(|event| match event.action {
        Action::Delay { by, .. } => Some(by),
        Action::Duplicate { by, again, .. } => Some(by.max(again)),
        _ => None,
    });
    delays.max().unwrap_or(Span::ZERO)
}

/// With leases, exclusion and ownership are promised while a worker has surely stopped when its lease with the margin is
/// over: by the slowest clock, and with the time that stopping takes. A worker that wakes up stops later than that.
fn excused(scenario: &Scenario) -> PropertySet {
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { return PropertySet::EMPTY };
    let LeaseSpec::Lease(lease) = spec.lease else { return PropertySet::EMPTY };
    let pauses = scenario.workers.pause.is_some()
        || scenario.script.iter().any(|event| matches!(event.action, Action::Pause { .. }))
        || scenario.faults.timed.iter().any(|timed| matches!(timed.fault, Fault::Pause { .. }));
    let abort = scenario.workers.abort_takes;
    let late = stretched(scenario, lease.duration).saturating_sub(lease.duration).saturating_add(abort);
    if late > lease.margin || (pauses && !abort.is_zero()) {
        PropertySet::EMPTY.with(Property::Exclusion).with(Property::Ownership)
    } else {
        PropertySet::EMPTY
    }
}

/// What remaining work may cost when all faults are over.
fn drain_bound(scenario: &Scenario, message_slack: Span) -> DrainBound {
    let workers = &scenario.workers;
    let actions = scenario.script.iter().map(|event| &event.action);
    let speeds = actions.clone().filter_map(|action| match action {
        Action::Speed { to, .. } => Some(*to as f64),
        _ => None,
    });
    let mut factor = (1e6 / speeds.fold(least(&workers.speed), f64::min).max(1.0)).max(1.0);
    let overheads = actions.clone().filter_map(|action| match action {
        Action::Submit { overhead, .. } => *overhead,
        _ => None,
    });
    let overhead = overheads.fold(longest(&workers.overhead), Span::max);
    let scripted = actions.filter_map(|action| match action {
        Action::Slow { factor, .. } => Some(*factor),
        _ => None,
    });
    let timed = scenario.faults.timed.iter().filter_map(|timed| match timed.fault {
        Fault::Slow { factor, .. } => Some(factor),
        _ => None,
    });
    for slow in scripted.chain(timed) {
        factor *= slow as f64 / 1e6;
    }
    let heartbeat = stretched(scenario, scenario.detection.heartbeat);
    let per_task = overhead.saturating_add(heartbeat).saturating_add(message_slack);
    let mut once = scenario.detection.ttl.saturating_add(heartbeat).saturating_add(heartbeat);
    if let EngineSpec::QueueFirst(spec) = &scenario.engine {
        if let LeaseSpec::Lease(lease) = spec.lease {
            once = once.saturating_add(lease.duration).saturating_add(lease.margin);
        }
        if let AtMax::Park(limit) = spec.at_max {
            once = once.saturating_add(limit.at_most);
        }
    }
    DrainBound { factor: libm::ceil(factor.min(1e9)) as u32, per_task, once: once.saturating_add(once) }
}

fn settle_within(scenario: &Scenario) -> Option<Span> {
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { return None };
    let Rebalance::Every(pace) = spec.rebalance else { return None };
    let heartbeat = stretched(scenario, scenario.detection.heartbeat);
    let moves = u64::from(spec.queues.max) + 2;
    let micros = pace.saturating_add(heartbeat).micros().saturating_mul(moves);
    Some(Span::from_micros(micros).saturating_add(scenario.detection.ttl).saturating_add(scenario.detection.ttl))
}

/// The smallest value of a distribution, µs.
fn least(dist: &Dist) -> f64 {
    match dist {
        Dist::Constant(span) => span.micros() as f64,
        Dist::Uniform { min, .. } => min.micros() as f64,
        Dist::Pareto { min, .. } => *min,
        Dist::Empirical(values) => values.iter().map(|value| value.micros() as f64).fold(f64::MAX, f64::min),
        Dist::Exponential { .. } | Dist::Lognormal { .. } | Dist::Erlang { .. } | Dist::Weibull { .. } => 1.0,
    }
}

/// A span that no variate of this distribution is longer than (for unbounded ones: not once in 10^13 draws).
fn longest(dist: &Dist) -> Span {
    const EXPONENTIAL_MEANS: f64 = 32.0;
    const DEVIATIONS: f64 = 8.0;
    let micros = match dist {
        Dist::Constant(span) => return *span,
        Dist::Uniform { max, .. } => return *max,
        Dist::Exponential { mean } | Dist::Erlang { mean, .. } => EXPONENTIAL_MEANS * mean,
        Dist::Lognormal { mean, cv } => {
            let variance = libm::log1p(cv * cv);
            mean * libm::exp(DEVIATIONS * libm::sqrt(variance) - variance / 2.0)
        }
        Dist::Weibull { shape, mean } => {
            mean / libm::tgamma(1.0 + 1.0 / shape) * libm::pow(EXPONENTIAL_MEANS, 1.0 / shape)
        }
        Dist::Pareto { cap, .. } => *cap,
        Dist::Empirical(values) => return values.iter().copied().max().unwrap_or(Span::ZERO),
    };
    Span::from_micros(micros.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{SourceText, load};

    #[test]
    fn a_span_by_a_slow_clock_is_longer_and_rounded_up_as_the_clock_is() {
        let text = "name: slow\nworkers: {initial: 1}\nrun: {horizon: 100s}\n\
                    faults: [{clock: {at: 1s, workers: all, drift_ppm: -2476, jump: -1s}}]\n";
        let scenario = load(&SourceText::new("slow.yaml", text), &[]).expect("a valid scenario").scenario;
        // (10 s + 1 s) / (1 - 0.002476) = 11.02730360372… s
        assert_eq!(stretched(&scenario, Span::from_secs(10)), Span::from_micros(11_027_304));
    }

    #[test]
    fn unbounded_delays_have_a_bound_that_is_practically_never_passed() {
        assert_eq!(longest(&Dist::Constant(Span::from_millis(3))), Span::from_millis(3));
        assert_eq!(longest(&Dist::Exponential { mean: 2_000.0 }), Span::from_millis(64));
        assert_eq!(longest(&Dist::Weibull { shape: 1.0, mean: 2_000.0 }), Span::from_millis(64));
        assert!(longest(&Dist::Lognormal { mean: 2_000.0, cv: 0.5 }) > Span::from_millis(60));
        assert!(longest(&Dist::Empirical([Span::from_secs(1), Span::from_secs(4)].into())) == Span::from_secs(4));
    }
}
