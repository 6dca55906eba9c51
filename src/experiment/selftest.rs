//! The simulator against closed forms of queueing theory: M/M/1, M/M/c, M/D/1 and M/G/1 by the general queue, private
//! queues by random, cyclic and shortest-queue placement; and whether intervals of 95 % hold the truth that often.
//!
//! The response (W) is judged rather than the wait, whose relative error is larger where little is waited.

use super::precision;
use super::replicate::{Options, Progress, Run, replicate, run_each};
use super::stats::{Estimate, standard_error};
use crate::base::names::metric_named;
use crate::engine::queue_first::{Policies, factory};
use crate::engine::{EngineFactory, EngineSpec};
use crate::scenario::{Precision, Scenario, SourceText, load};
use std::sync::Arc;

/// Replications of each case.
const REPLICATIONS: u32 = 32;
/// What is left out at the beginning of each.
const WARM_UP: u64 = 1_000;
/// Replications behind each interval whose coverage is counted.
const PER_INTERVAL: u32 = 20;

/// A system whose mean response is known exactly.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Case {
    /// Its name: the system and its load.
    pub name: &'static str,
    /// The exact mean response, in mean demands.
    pub exact: f64,
    /// The half-width that the interval must reach, as a part of the mean; `None`: whatever it reaches.
    pub wanted: Option<f64>,
    /// Tasks in each replication, about.
    tasks: u64,
    workers: u32,
    /// Tasks per second; demands have a mean of one second.
    rate: f64,
    service: &'static str,
    /// How tasks are placed on one private queue a worker; `None`: the general queue.
    placement: Option<&'static str>,
    /// Only with `--full`.
    pub is_full: bool,
}

const EXPONENTIAL: &str = "{exponential: {mean: 1s}}";

const fn general(name: &'static str, workers: u32, rate: f64, service: &'static str, exact: f64, tasks: u64) -> Case {
    Case { name, exact, wanted: Some(0.01), tasks, workers, rate, service, placement: None, is_full: false }
}

const fn private(name: &'static str, workers: u32, rate: f64, placement: &'static str, exact: f64, tasks: u64) -> Case {
    let general = general(name, workers, rate, EXPONENTIAL, exact, tasks);
    Case { placement: Some(placement), ..general }
}

const fn full(case: Case) -> Case {
    Case { wanted: None, is_full: true, ..case }
}

/// Every case: exact values by Pollaczek and Khinchine, Erlang C, and the embedded chain of round robin.
pub const CASES: [Case; 17] = [
    general("M/M/1 0.5", 1, 0.5, EXPONENTIAL, 2.0, 60_000),
    general("M/M/1 0.8", 1, 0.8, EXPONENTIAL, 5.0, 200_000),
    general("M/M/2 0.8", 2, 1.6, EXPONENTIAL, 2.777_778, 200_000),
    general("M/M/4 0.8", 4, 3.2, EXPONENTIAL, 1.745_541, 120_000),
    general("M/M/8 0.8", 8, 6.4, EXPONENTIAL, 1.286_028, 60_000),
    general("M/M/16 0.8", 16, 12.8, EXPONENTIAL, 1.095_276, 60_000),
    general("M/D/1 0.8", 1, 0.8, "1s", 3.0, 80_000),
    general("M/LN(0.5)/1 0.8", 1, 0.8, "{lognormal: {mean: 1s, cv: 0.5}}", 3.5, 120_000),
    general("M/LN(1)/1 0.8", 1, 0.8, "{lognormal: {mean: 1s, cv: 1}}", 5.0, 250_000),
    private("8 x M/M/1 random 0.8", 8, 6.4, "random", 5.0, 160_000),
    private("4 queues, round robin 0.8", 4, 3.2, "round_robin", 3.267_384, 120_000),
    private("2 queues, shortest 0.8", 2, 1.6, "least_backlog", 2.955_737, 200_000),
    full(general("M/M/1 0.9", 1, 0.9, EXPONENTIAL, 10.0, 400_000)),
    full(general("M/M/1 0.95", 1, 0.95, EXPONENTIAL, 20.0, 800_000)),
    full(general("M/M/64 0.95", 64, 60.8, EXPONENTIAL, 1.183_753, 400_000)),
    full(general("M/LN(2)/1 0.8", 1, 0.8, "{lognormal: {mean: 1s, cv: 2}}", 11.0, 400_000)),
    full(private("16 queues, round robin 0.8", 16, 12.8, "round_robin", 2.836_132, 200_000)),
];

/// What came of a case.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Line {
    /// The mean response over the replications.
    pub mean: f64,
    /// How many standard errors it lies from the exact value.
    pub z: f64,
    /// Half the 95 % interval, as a part of the mean.
    pub half_width: f64,
}

impl Case {
    /// Runs it; `scale` shortens every replication (1: as it is meant).
    ///
    /// # Panics
    /// If a property is violated: then the simulator is wrong, whatever the mean.
    pub fn run(&self, scale: f64, jobs: usize, progress: &Progress) -> Option<Line> {
        let (scenario, factory) = read(&self.text(scale));
        let results = replicate(&scenario, &*factory, Options { jobs, timeline: false }, progress);
        if !results.complete {
            return None;
        }
        for run in &results.observations {
            assert_eq!(run.violation_counts.iter().sum::<u64>(), 0, "{}: {:?}", self.name, run.violations);
        }
        let values: Vec<f64> = results.observations.iter().map(|run| run.metrics[&("response.mean", None)]).collect();
        let estimate = Estimate::of(&values, 0.95)?;
        let error = standard_error(&values, estimate.mean);
        Some(Line {
            mean: estimate.mean,
            z: (estimate.mean - self.exact) / error,
            half_width: estimate.half_width()? / estimate.mean,
        })
    }

    fn text(&self, scale: f64) -> String {
        let horizon = WARM_UP + (self.tasks as f64 * scale / self.rate) as u64;
        let (claims, engine) = match self.placement {
            None => ("{}", format!("queues: {{min: 0, max: {}}}", self.workers)),
            // So many keys that two tasks hardly ever meet on one: nothing but the placement decides.
            Some(placement) => {
                let count = self.workers;
                ("{key: 1}", format!("queues: {{min: {count}, max: {count}}}, placement: {placement}"))
            }
        };
        format!(
            "name: theory
run: {{seed: 1, replications: {REPLICATIONS}, horizon: {horizon}s, drain: 1h, warm_up: {WARM_UP}s}}
resources: {{key: {{count: 100000}}}}
workload: [{{class: any, arrivals: {{poisson: {}/s}}, service: {}, claims: {claims}}}]
workers: {{initial: {}}}
detection: {{heartbeat: 10m, ttl: 30m}}
engine: {{queue_first: {{{engine}, lease: none}}}}
",
            self.rate, self.service, self.workers
        )
    }
}

/// How many of so many 95 % intervals, each over 20 replications of 1,000 tasks of M/M/1 at 0.5, hold the exact mean
/// response; `None` when stopped.
pub fn coverage(seed: u64, intervals: u32, jobs: usize, progress: &Progress) -> Option<f64> {
    let text = format!(
        "name: coverage
run: {{seed: {seed}, horizon: 2100s, drain: 1h, warm_up: 100s}}
workload: [{{class: any, arrivals: {{poisson: 0.5/s}}, service: {EXPONENTIAL}, claims: {{}}}}]
workers: {{initial: 1}}
detection: {{heartbeat: 10m, ttl: 30m}}
engine: {{queue_first: {{queues: {{min: 0, max: 1}}, lease: none}}}}
"
    );
    let (scenario, factory) = read(&text);
    let metric = Precision { metric: metric_named("response.mean")?, class: None, relative: 1.0 };
    let run = |replication| Run { scenario: &scenario, factory: &*factory, replication, timeline: false };
    let runs: Vec<Run<'_>> = (0..intervals * PER_INTERVAL).map(run).collect();
    let mut values = Vec::with_capacity(runs.len());
    run_each(&runs, jobs, progress, |_, observation, _| values.extend(precision::value(&metric, &observation)));
    if values.len() < runs.len() {
        return None;
    }
    let holds = |values: &[f64]| {
        let (low, high) = Estimate::of(values, 0.95).and_then(|it| it.ci).expect("several values have an interval");
        (low..=high).contains(&2.0)
    };
    let held = values.chunks_exact(PER_INTERVAL as usize).filter(|values| holds(values)).count();
    Some(held as f64 / f64::from(intervals))
}

fn read(text: &str) -> (Scenario, Arc<dyn EngineFactory>) {
    let scenario = load(&SourceText::new("selftest", text), &[]).expect("a valid scenario").scenario;
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { unreachable!("the cases name no other engine") };
    let factory = factory(spec, &Policies::default()).expect("built-in policies");
    (scenario, factory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_expectation_is_far_away_and_the_right_one_is_not() {
        let line = CASES[0].run(0.02, 2, &Progress::default()).unwrap();
        assert!(line.z.abs() < 4.0, "{line:?}");
        let wrong = Case { exact: 3.0, ..CASES[0] };
        assert!(wrong.run(0.02, 2, &Progress::default()).unwrap().z < -4.0);
    }
}
