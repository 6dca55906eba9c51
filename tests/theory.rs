//! The simulator against queueing theory: closed forms within confidence, exact sample paths to the microsecond.
//!
//! The exact values are textbook results; for sample paths, Lindley's recursion and its extension by Kiefer and Wolfowitz.

use lanekeeper::base::{IdMap, TaskId, Time};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::experiment::Progress;
use lanekeeper::experiment::selftest::CASES;
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

/// A slice of `lanekeeper selftest`, which runs every case for longer.
#[test]
fn a_slice_of_the_selftest_agrees_with_theory() {
    for name in ["M/M/8 0.8", "M/D/1 0.8", "8 x M/M/1 random 0.8", "2 queues, shortest 0.8"] {
        let case = CASES.iter().find(|case| case.name == name).expect("a case");
        let line = case.run(0.02, 2, &Progress::default()).expect("nobody stops it");
        assert!(line.z.abs() < 4.0, "{name}: {line:?}");
    }
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
