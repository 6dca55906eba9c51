//! The simulator against queueing theory: closed forms within confidence, exact sample paths to the microsecond.
//!
//! The exact values are textbook results; for sample paths, Lindley's recursion and its extension by Kiefer and Wolfowitz.

use lanekeeper::base::{IdMap, Note, TaskId, Time, WorkerId};
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

/// Who was taken for dead while alive, and how long after their crashes the others were found out, s.
#[derive(Default)]
struct Suspicions {
    false_ones: u32,
    crashed: IdMap<WorkerId, Time>,
    delays: Vec<f64>,
}

impl Observe for Suspicions {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::WorkerGone { worker, .. } => drop(self.crashed.insert(*worker, now)),
            Fact::Noted(Note::WorkerLost { worker }) => match self.crashed.get(*worker) {
                Some(at) => self.delays.push(now.since(*at).as_secs_f64()),
                None => self.false_ones += 1,
            },
            _ => {}
        }
    }
}

fn suspicions(loss: u32, horizon: &str, workers: &str) -> Suspicions {
    let text = format!(
        "name: detection\nrun: {{horizon: {horizon}}}\nworkers: {workers}\nnetwork: {{loss: {loss}%}}\n\
         detection: {{heartbeat: 10s, ttl: 30s}}\nengine: {{queue_first: {{queues: {{min: 0, max: 1}}}}}}\n\
         script: [{{at: 0s, submit: {{task: t1, claims: [], service: 1s}}}}]\n"
    );
    let (scenario, factory) = read(&text);
    let mut seen = Suspicions::default();
    simulate(&scenario, factory.as_ref(), 0, &mut seen);
    seen
}

/// A worker that lives is taken for dead when a heartbeat arrived and the next three did not: the third is due exactly at
/// the ttl, and would count. Per day that is 86400/h (1 - p) p³ times; were the third too late, it would be p².
#[test]
fn workers_are_taken_for_dead_as_often_as_three_heartbeats_in_a_row_are_lost() {
    for (loss, days) in [(5, 96.0), (20, 24.0)] {
        let seen = suspicions(loss, "1d", &format!("{{initial: {days}}}"));
        let p = f64::from(loss) / 100.0;
        let expected = days * 8_640.0 * (1.0 - p) * (p * p * p);
        let z = (f64::from(seen.false_ones) - expected) / expected.sqrt();
        println!(
            "loss {loss} %: {} false suspicions in {days} days, expected {expected:.1}, z {z:.2}",
            seen.false_ones
        );
        assert!(z.abs() < 4.0, "{} where {expected:.1} are expected", seen.false_ones);
    }
}

/// The last heartbeat before a crash is h/2 old on average, and as many times h older as heartbeats were lost.
#[test]
fn a_crash_is_noticed_when_the_last_heartbeat_that_arrived_is_as_old_as_the_ttl() {
    for loss in [0, 5] {
        let workers =
            "{initial: 24, lifetime: {exponential: {mean: 10m}}, exit: {crash: 100%, quiesce: 0%}, restart_after: 1s}";
        let seen = suspicions(loss, "6h", workers);
        let p = f64::from(loss) / 100.0;
        let expected = 30.0 - 5.0 - 10.0 * p / (1.0 - p);
        let count = seen.delays.len() as f64;
        let mean = seen.delays.iter().sum::<f64>() / count;
        let variance = seen.delays.iter().map(|delay| (delay - mean) * (delay - mean)).sum::<f64>() / (count - 1.0);
        let z = (mean - expected) / (variance / count).sqrt();
        println!("loss {loss} %: {count} crashes noticed after {mean:.3} s, expected {expected:.3}, z {z:.2}");
        assert!(count > 500.0 && z.abs() < 4.0, "{mean} where {expected} is expected, z {z}");
        let longest = seen.delays.iter().copied().fold(0.0, f64::max);
        assert!(longest <= 30.0 && (loss > 0 || seen.delays.iter().all(|delay| *delay >= 20.0)), "{longest}");
    }
}
