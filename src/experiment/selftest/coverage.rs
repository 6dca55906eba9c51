//! How often an interval of 95 % holds the truth.

use super::super::replicate::{Progress, Run, run_each};
use super::super::stats::Estimate;
use super::read;

/// Replications behind each interval whose coverage is counted.
const PER_INTERVAL: u32 = 20;

/// How many of so many 95 % intervals, each over 20 replications of 1,000 tasks of M/M/1 at 0.5, hold the exact mean
/// response; `None` when stopped.
pub fn coverage(seed: u64, intervals: u32, jobs: usize, progress: &Progress) -> Option<f64> {
    let text = format!(
        "name: coverage
run: {{seed: {seed}, horizon: 2100s, drain: 1h, warm_up: 100s}}
workload: [{{class: any, arrivals: {{poisson: 0.5/s}}, service: {{exponential: {{mean: 1s}}}}, claims: {{}}}}]
workers: {{initial: 1}}
detection: {{heartbeat: 10m, ttl: 30m}}
engine: {{queue_first: {{queues: {{min: 0, max: 1}}, lease: none}}}}
"
    );
    let (scenario, factory) = read(&text);
    let run = |replication| Run { scenario: &scenario, factory: &*factory, replication, timeline: false };
    let runs: Vec<Run<'_>> = (0..intervals * PER_INTERVAL).map(run).collect();
    let mut values = Vec::with_capacity(runs.len());
    run_each(&runs, jobs, progress, |_, one, _| values.push(one.metrics[&("response.mean", None)]));
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
