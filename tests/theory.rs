//! The simulator against queueing theory: closed forms within confidence, exact sample paths to the microsecond.
//!
//! The exact values are textbook results: Erlang C for M/M/c, W = 1/(mu - lambda) for M/M/1, Lindley's recursion and its
//! extension by Kiefer and Wolfowitz for sample paths.

use lanekeeper::base::{IdMap, TaskId, Time};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::experiment::{Options, Progress, replicate};
use lanekeeper::fact::{Fact, Observe};
use lanekeeper::scenario::{Scenario, SourceText, load};
use lanekeeper::world::simulate;
use std::sync::Arc;

fn read(text: &str) -> (Scenario, Arc<dyn EngineFactory>) {
    let scenario = load(&SourceText::new("theory.yaml", text), &[]).expect("a valid scenario").scenario;
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("a built-in engine") };
    let factory = factory(spec, &Policies::default()).expect("built-in policies");
    (scenario, factory)
}

/// z of the mean response against theory, and the 95 % half-width relative to the mean.
fn response_against(exact: f64, text: &str) -> (f64, f64) {
    let (scenario, factory) = read(text);
    let results = replicate(&scenario, factory.as_ref(), Options { jobs: 2, timeline: false }, &Progress::default());
    let means: Vec<f64> = results.observations.iter().map(|run| run.metrics[&("response.mean", None)]).collect();
    for run in &results.observations {
        assert_eq!(run.violation_counts.iter().sum::<u64>(), 0, "{:?}", run.violations);
    }
    let n = means.len() as f64;
    let mean = means.iter().sum::<f64>() / n;
    let variance = means.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    eprintln!("mean {mean:.5}, exact {exact:.5}, z {:+.2}", (mean - exact) / error);
    ((mean - exact) / error, 2.04 * error / mean)
}

#[test]
fn claimless_tasks_on_eight_workers_agree_with_m_m_8() {
    let (z, half_width) = response_against(
        1.286_028,
        "
name: mm8
run: {seed: 1, replications: 32, horizon: 12000s, drain: 1h, warm_up: 500s}
workload: [{class: any, arrivals: {poisson: 6.4/s}, service: {exponential: {mean: 1s}}, claims: {}}]
workers: {initial: 8}
engine: {queue_first: {queues: {min: 0, max: 8}}}
",
    );
    assert!(z.abs() < 4.0 && half_width < 0.01, "z {z}, half-width {half_width}");
}

#[test]
fn private_queues_agree_with_independent_m_m_1() {
    let (z, half_width) = response_against(
        5.0,
        "
name: private
run: {seed: 2, replications: 32, horizon: 25000s, drain: 1h, warm_up: 1000s}
resources: {key: {count: 1000000}}
workload: [{class: any, arrivals: {poisson: 6.4/s}, service: {exponential: {mean: 1s}}, claims: {key: 1}}]
workers: {initial: 8}
engine: {queue_first: {queues: {min: 8, max: 8}, placement: random}}
",
    );
    assert!(z.abs() < 4.0 && half_width < 0.01, "z {z}, half-width {half_width}");
}

const ARRIVALS: [u64; 8] = [0, 10, 11, 12, 30, 31, 31, 60];
const SERVICE: [u64; 8] = [15, 5, 20, 1, 7, 7, 7, 3];

#[derive(Default)]
struct Path {
    started: IdMap<TaskId, Time>,
    spans: Vec<(TaskId, u64, u64)>,
}

impl Observe for Path {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Started { task, .. } => drop(self.started.insert(*task, now)),
            Fact::Ended { task, .. } => {
                let from = self.started.remove(*task).expect("it started");
                self.spans.push((*task, from.micros(), now.micros()));
            }
            _ => {}
        }
    }
}

/// (start, end) of each task in µs.
fn path(workers: u32, claims: &str) -> Vec<(u64, u64)> {
    let events: Vec<_> = ARRIVALS
        .iter()
        .zip(SERVICE)
        .enumerate()
        .map(|(i, (at, s))| format!("  - {{at: {at}us, submit: {{task: t{i}, claims: [{claims}], service: {s}us}}}}"))
        .collect();
    let text = format!(
        "name: path\nrun: {{horizon: 1s, drain: 1s}}\nworkers: {{initial: {workers}}}\nscript:\n{}\n",
        events.join("\n")
    );
    let (scenario, factory) = read(&text);
    let mut path = Path::default();
    simulate(&scenario, factory.as_ref(), 0, &mut path);
    path.spans.sort();
    path.spans.into_iter().map(|(_, from, to)| (from, to)).collect()
}

#[test]
fn one_worker_follows_lindley_to_the_microsecond() {
    let exact = [(0, 15), (15, 20), (20, 40), (40, 41), (41, 48), (48, 55), (55, 62), (62, 65)];
    assert_eq!(path(1, ""), exact, "general queue");
    assert_eq!(path(1, "repo"), exact, "one resource");
}

#[test]
fn two_workers_follow_kiefer_and_wolfowitz_to_the_microsecond() {
    let exact = [(0, 15), (10, 15), (15, 35), (15, 16), (30, 37), (35, 42), (37, 44), (60, 63)];
    assert_eq!(path(2, ""), exact);
}
