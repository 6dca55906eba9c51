//! How many replications: a fixed number, or rounds until a metric is known precisely enough (Chow and Robbins, 1965).
//!
//! The numbers at which it is looked depend on nothing but the scenario, so that no number of threads changes a result.

use super::stats::Estimate;
use crate::observe::Observation;
use crate::scenario::{Precision, Run};

/// Fewer replications say too little of their own spread to stop on.
const FIRST_ROUND: u32 = 10;

/// How many replications to run before the first look.
pub(crate) fn first_round(run: &Run) -> u32 {
    if run.precision.is_some() { run.replications.min(FIRST_ROUND) } else { run.replications }
}

/// How many to have after one more round; `None` when `done` are all there may be.
pub(crate) fn next_round(run: &Run, done: u32) -> Option<u32> {
    (run.precision.is_some() && done < run.replications).then(|| (done + done / 2).min(run.replications))
}

/// What a replication says of the metric that a precision is about; `None` without data.
pub(crate) fn value(precision: &Precision, observation: &Observation) -> Option<f64> {
    observation.metrics.get(&(precision.metric.name, precision.class)).copied()
}

/// Whether an interval is narrow enough against `reference`.
pub(crate) fn is_met(estimate: Option<&Estimate>, relative: f64, reference: f64) -> bool {
    estimate.and_then(Estimate::half_width).is_some_and(|half| half <= relative * reference.abs())
}

/// What to tell of a precision that all the replications did not reach.
pub(crate) fn shortfall(run: &Run, observations: &[Observation]) -> Option<String> {
    let precision = run.precision.as_ref()?;
    let values: Vec<f64> = observations.iter().filter_map(|one| value(precision, one)).collect();
    let found = Estimate::of(&values, run.confidence);
    if is_met(found.as_ref(), precision.relative, found.map_or(0.0, |it| it.mean)) {
        return None;
    }
    let reached = match found.and_then(|it| Some(it.half_width()? / it.mean.abs())).filter(|it| it.is_finite()) {
        Some(reached) => format!("{:.1} %", reached * 100.0),
        None => "no interval".to_owned(),
    };
    Some(format!(
        "{} is not known to {} %: {reached} after {} replications; raise `at_most` or make the runs longer",
        precision.metric.name,
        precision.relative * 100.0,
        observations.len()
    ))
}
