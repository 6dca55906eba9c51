//! Which of many cells is best in a metric, and which cannot be told from it.

use super::compare::{Measure, lower_is_better};
use super::stats::{Paired, Refusal, holm, refusals, unstarted};
use crate::base::Property;
use crate::base::names::{MetricInfo, PropertySet};
use crate::observe::Observation;

/// The best cell in a metric, by paired differences over common replications.
#[derive(Clone, PartialEq, Debug)]
pub struct Ranking {
    /// The metric's name.
    pub metric: &'static str,
    /// The cell with the best mean.
    pub best: usize,
    /// Its mean.
    pub mean: f64,
    /// Cells whose difference to the best may be chance (Holm-corrected over all), from the next best on.
    pub equals: Vec<usize>,
}

/// Ranks cells that have the metric in every replication, keep what their engines promise, and began every task: one that
/// stands still has the shortest waits of all. `None` without one.
pub fn rank(cells: &[(&[Observation], PropertySet)], (metric, class): Measure, confidence: f64) -> Option<Ranking> {
    let sign = if lower_is_better(metric.name) == Some(false) { -1.0 } else { 1.0 };
    let mut candidates: Vec<(usize, Vec<f64>)> = cells
        .iter()
        .enumerate()
        .filter(|(_, (observations, promised))| {
            keeps(observations, *promised)
                && unstarted(observations) == 0
                && !refusals(observations).contains(&Refusal { metric: metric.name, class })
        })
        .filter_map(|(index, (observations, _))| {
            let value = |it: &Observation| it.metrics.get(&(metric.name, class)).copied();
            let values = observations.iter().map(value).collect::<Option<Vec<f64>>>()?;
            (!values.is_empty()).then_some((index, values))
        })
        .collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    candidates.sort_by(|a, b| (sign * mean(&a.1)).total_cmp(&(sign * mean(&b.1))).then(a.0.cmp(&b.0)));
    let ((best, values), rest) = candidates.split_first()?;
    let chance = |other: &Vec<f64>| {
        let pairs: Vec<_> = values.iter().copied().zip(other.iter().copied()).collect();
        Paired::of(&pairs, confidence).map_or(1.0, |it| it.p)
    };
    let adjusted = holm(&rest.iter().map(|(_, other)| chance(other)).collect::<Vec<_>>());
    let equals = rest.iter().zip(adjusted).filter(|(_, p)| *p > 1.0 - confidence).map(|((index, _), _)| *index);
    Some(Ranking { metric: metric.name, best: *best, mean: mean(values), equals: equals.collect() })
}

fn keeps(observations: &[Observation], promised: PropertySet) -> bool {
    let breached = |property: Property| observations.iter().any(|it| it.violation_counts[property.index()] > 0);
    !promised.iter().any(breached)
}

/// The metrics in which a sweep is answered.
pub fn ranked_measures() -> Vec<Measure> {
    let named =
        |name: &str| -> &'static MetricInfo { crate::base::names::metric_named(name).expect("a metric of the list") };
    ["wait.mean", "worker.idle_avoidable", "queue.churn"].map(|name| (named(name), None)).to_vec()
}
