//! The simulator against closed forms of queueing theory ([`cases`]), against exact sample paths ([`paths`]), and
//! whether intervals of 95 % hold the truth that often ([`coverage`]).
//!
//! The response (W) is judged rather than the wait, whose relative error is larger where little is waited.

mod cases;
mod coverage;
mod detection;
mod paths;

use super::replicate::{Options, Progress, replicate};
use super::stats::{Estimate, standard_error};
use crate::engine::queue_first::{self, Policies};
use crate::engine::{EngineFactory, EngineSpec, pull_locks};
use crate::scenario::{Scenario, SourceText, load};
use std::sync::Arc;

pub use cases::cases;
pub use coverage::coverage;
pub use paths::{SamplePath, paths};

/// Replications of each case.
const REPLICATIONS: u32 = 32;
/// What is left out at the beginning of each, seconds: ten times what M/M/1 at 0.8 takes to forget its beginning.
const WARM_UP: u64 = 1_000;
/// At least this part of it is left out of shortened replications too.
const WARM_UP_SCALE_MIN: f64 = 0.2;

/// A system of which something is known exactly.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// Its name: the system and its load.
    pub name: &'static str,
    /// What is known.
    pub known: Vec<Known>,
    /// The half-width that each interval must reach, as a part of the mean; `None`: whatever it reaches.
    pub wanted: Option<f64>,
    /// Only with `--full`.
    pub is_full: bool,
    /// How long each replication is observed, seconds.
    observed: u64,
    /// The scenario without its name and `run`.
    system: String,
}

/// A value that is known exactly.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Known {
    /// Which one, in words; empty: the mean response.
    pub what: &'static str,
    /// The value.
    pub exact: f64,
    value: Value,
}

/// Where the simulated value is taken from.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Value {
    /// A metric, of the workload's n-th class or overall.
    Metric(&'static str, Option<u32>),
    /// The mean time from a worker's crash until it counts as lost.
    Detection,
}

/// What came of a value that is known.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Line {
    /// What it was held against.
    pub known: Known,
    /// The mean over the replications.
    pub mean: f64,
    /// How many standard errors it lies from the exact value.
    pub z: f64,
    /// Half the 95 % interval, as a part of the mean.
    pub half_width: f64,
}

impl Case {
    /// Runs it; `scale` shortens every replication (1: as it is meant). `None` when stopped.
    ///
    /// # Panics
    /// If a property that the engine promises is violated: then the simulator is wrong, whatever the mean.
    pub fn run(&self, scale: f64, jobs: usize, progress: &Progress) -> Option<Vec<Line>> {
        let (scenario, factory) = read(&self.text(scale));
        let results = replicate(&scenario, &*factory, Options { jobs, timeline: false }, progress);
        if !results.complete {
            return None;
        }
        for run in &results.observations {
            let broken = results.guarantees.properties.iter().find(|one| run.violation_counts[one.index()] > 0);
            assert_eq!(broken, None, "{}: {:?}", self.name, run.violations);
        }
        let values = |value: Value| -> Vec<f64> {
            match value {
                Value::Metric(name, class) => {
                    let key = (name, class.map(crate::base::ClassId));
                    results.observations.iter().map(|run| run.metrics[&key]).collect()
                }
                Value::Detection => detection::means(&scenario, &*factory, REPLICATIONS),
            }
        };
        Some(self.known.iter().map(|known| line(*known, &values(known.value))).collect())
    }

    fn text(&self, scale: f64) -> String {
        let warm_up = (WARM_UP as f64 * scale.max(WARM_UP_SCALE_MIN)) as u64;
        let horizon = warm_up + (self.observed as f64 * scale) as u64;
        format!(
            "name: theory
run: {{seed: 1, replications: {REPLICATIONS}, horizon: {horizon}s, drain: 1h, warm_up: {warm_up}s}}
{}",
            self.system
        )
    }
}

fn line(known: Known, values: &[f64]) -> Line {
    let estimate = Estimate::of(values, 0.95).expect("every case has several replications");
    let half_width = estimate.half_width().expect("several replications have an interval");
    Line {
        known,
        mean: estimate.mean,
        z: (estimate.mean - known.exact) / standard_error(values, estimate.mean),
        half_width: half_width / estimate.mean,
    }
}

fn read(text: &str) -> (Scenario, Arc<dyn EngineFactory>) {
    let scenario = load(&SourceText::new("selftest", text), &[]).expect("a valid scenario").scenario;
    let factory = match &scenario.engine {
        EngineSpec::QueueFirst(spec) => queue_first::factory(spec, &Policies::default()).expect("built-in policies"),
        EngineSpec::PullLocks(spec) => pull_locks::factory(spec),
        EngineSpec::WorkerOwned(_) | EngineSpec::Custom { .. } => unreachable!("no case names it"),
    };
    (scenario, factory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_expectation_is_far_away_and_the_right_one_is_not() {
        let mut case = cases().swap_remove(0);
        let [line] = case.run(0.2, 2, &Progress::default()).unwrap()[..] else { panic!("one value") };
        assert!(line.z.abs() < 4.0, "{line:?}");
        case.known[0].exact = 3.0;
        assert!(case.run(0.2, 2, &Progress::default()).unwrap()[0].z < -4.0);
    }
}
