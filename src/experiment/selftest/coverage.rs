//! How often an interval of 95 % holds the truth.

use rayon::prelude::*;

use super::super::replicate::Progress;
use super::super::stats::Estimate;
use super::read;
use crate::base::{IdMap, Span, TaskId, Time};
use crate::fact::{Fact, Observe};
use crate::world::simulate;

/// Replications behind each interval whose coverage is counted.
const PER_INTERVAL: u32 = 20;
/// What is left out at the beginning of each.
const WARM_UP: Span = Span::from_secs(100);

/// How many of so many 95 % intervals, each over 20 replications of 1,000 tasks of M/M/1 at 0.5, hold the exact mean
/// response; `None` when stopped.
pub fn coverage(seed: u64, intervals: u32, jobs: usize, progress: &Progress) -> Option<f64> {
    let text = format!(
        "name: coverage
run: {{seed: {seed}, horizon: {}s, drain: 1h}}
workload: [{{class: any, arrivals: {{poisson: 0.5/s}}, service: {{exponential: {{mean: 1s}}}}, claims: {{}}}}]
workers: {{initial: 1}}
detection: {{heartbeat: 10m, ttl: 30m}}
engine: {{queue_first: {{queues: {{min: 0, max: 1}}, lease: none}}}}
",
        WARM_UP.as_secs_f64() + 2_000.0
    );
    let (scenario, factory) = read(&text);
    let mean = |replication| {
        let mut responses = Responses::default();
        simulate(&scenario, &*factory, replication, &mut responses);
        (!progress.is_stopped()).then(|| responses.sum.as_secs_f64() / f64::from(responses.count))
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build().expect("threads can be started");
    let means = pool.install(|| (0..intervals * PER_INTERVAL).into_par_iter().map(mean).collect::<Option<Vec<f64>>>());
    let values = means?;
    let holds = |values: &[f64]| {
        let (low, high) = Estimate::of(values, 0.95).and_then(|it| it.ci).expect("several values have an interval");
        (low..=high).contains(&2.0)
    };
    let held = values.chunks_exact(PER_INTERVAL as usize).filter(|values| holds(values)).count();
    Some(held as f64 / f64::from(intervals))
}

/// The mean response alone: the intervals are what is tested here, and all else that observers do takes longer.
#[derive(Default)]
struct Responses {
    submitted: IdMap<TaskId, Time>,
    sum: Span,
    count: u32,
}

impl Observe for Responses {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Submitted { task, .. } if now >= Time::ZERO + WARM_UP => {
                self.submitted.insert(*task, now);
            }
            Fact::Settled { task, .. } => {
                if let Some(at) = self.submitted.remove(*task) {
                    self.sum += now.since(at);
                    self.count += 1;
                }
            }
            _ => {}
        }
    }
}
