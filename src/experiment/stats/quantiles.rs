//! How many values a quantile needs before it says anything.
//!
//! The largest of n values lies above the p-quantile with chance 1 - p^n. Below the smallest n at which that reaches
//! 95 % the sample holds no upper bound on the quantile, whatever the distribution: 29 values for p90, 59 for p95, 299
//! for p99.

use std::collections::BTreeSet;

use crate::base::ClassId;
use crate::observe::Observation;

/// The fewest values from which this quantile is estimated; 0 for what is no quantile.
pub fn values_needed(metric: &str) -> u32 {
    match metric.rsplit_once('.').map(|(_, suffix)| suffix) {
        Some("p50") => 5,
        Some("p90") => 29,
        Some("p95") => 59,
        Some("p99") => 299,
        Some(_) | None => 0,
    }
}

/// A quantile that is not estimated, since a replication had too few values for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Refusal {
    /// The metric.
    pub metric: &'static str,
    /// Its class; `None`: overall.
    pub class: Option<ClassId>,
}

impl Refusal {
    /// Why, for people.
    pub fn reason(&self) -> String {
        let needed = values_needed(self.metric);
        format!("needs at least {needed} tasks in the window of every replication")
    }
}

/// The quantiles that some replication has too few values for. Where there is no value at all, nothing is refused.
pub fn refusals(observations: &[Observation]) -> BTreeSet<Refusal> {
    let too_few = |observation: &Observation| -> Vec<Refusal> {
        observation
            .metrics
            .keys()
            .filter(|(metric, class)| {
                let count = observation.sample_sizes.get(&(base_of(metric), *class)).copied().unwrap_or(u64::MAX);
                count < u64::from(values_needed(metric))
            })
            .map(|(metric, class)| Refusal { metric, class: *class })
            .collect()
    };
    observations.iter().flat_map(too_few).collect()
}

/// Tasks of the window that never began, in all replications.
pub fn unstarted(observations: &[Observation]) -> u64 {
    observations.iter().map(|it| it.unstarted).sum()
}

/// Whether a metric is about tasks that have begun: it knows nothing of those that never did.
pub fn is_of_begun(metric: &'static str) -> bool {
    ["wait", "response", "slowdown"].contains(&base_of(metric))
}

/// The quantity that a metric is about: `wait` of `wait.p95`.
fn base_of(metric: &'static str) -> &'static str {
    metric.split('.').next().unwrap_or(metric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_sizes_are_the_smallest_that_bound_the_quantile() {
        for (metric, share) in
            [("wait.p50", 0.5_f64), ("wait.p90", 0.9), ("response.p95", 0.95), ("slowdown.p99", 0.99)]
        {
            let needed = f64::from(values_needed(metric));
            assert!(libm::pow(share, needed) <= 0.05 && libm::pow(share, needed - 1.0) > 0.05, "{metric}");
        }
        assert_eq!(values_needed("wait.mean") + values_needed("throughput"), 0);
    }
}
