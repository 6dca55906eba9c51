//! What to know of estimates that assume a steady state.

use super::precision;
use super::stats::{missing_warm_up, unstarted};
use crate::base::Time;
use crate::observe::{Observation, Series};
use crate::scenario::{Arrivals, Scenario, Source};

/// A sentence for everything that whoever reads the estimates should know.
pub fn warnings(scenario: &Scenario, observations: &[Observation]) -> Vec<String> {
    let mut warnings: Vec<String> = precision::shortfall(&scenario.run, observations).into_iter().collect();
    let left = unstarted(observations);
    if left > 0 {
        warnings.push(format!(
            "tasks that had not begun when a run ended: {left}; waits, responses and slowdowns are those of the others, \
             and too short"
        ));
    }
    if is_stationary(scenario) {
        let series: Vec<&Series> = observations.iter().map(|it| &it.series).collect();
        warnings.extend(missing_warm_up(&series, scenario.run.warm_up).map(|at| {
            let at = Time::from_secs(at.micros().div_ceil(1_000_000));
            format!(
                "the beginning differs from the rest until about {at} (MSER-5, Welch): set `run.warm_up` to that, or the \
                 estimates mix the two"
            )
        }));
    }
    warnings
}

/// Whether nothing in the scenario changes at a certain time: then its statistics are meant to be those of a steady state.
fn is_stationary(scenario: &Scenario) -> bool {
    let workers = &scenario.workers;
    let steady = |source: &Source| match source {
        Source::Drawn { arrivals, .. } => match arrivals {
            Arrivals::Poisson { .. } | Arrivals::Every(_) | Arrivals::Renewal(_) | Arrivals::Mmpp(_) => true,
            Arrivals::Piecewise(_) | Arrivals::Burst { .. } => false,
        },
        Source::Table { .. } => false,
    };
    let changes = workers.shift_change.is_some() || workers.rolling_replace.is_some() || !scenario.script.is_empty();
    !changes && scenario.workload.iter().all(steady)
}
