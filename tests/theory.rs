//! The simulator against queueing theory: a slice of `lanekeeper selftest`, which runs every case for longer, and how
//! often and how late the dead are noticed where heartbeats are lost.

use lanekeeper::base::{IdMap, Note, Time, WorkerId};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::experiment::Progress;
use lanekeeper::experiment::selftest::{cases, paths};
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

#[test]
fn a_slice_of_every_case_agrees_with_theory() {
    for case in cases().iter().filter(|case| !case.is_full) {
        for line in case.run(0.02, 2, &Progress::default()).expect("nobody stops it") {
            assert!(line.z.abs() < 4.0, "{}: {line:?}", case.name);
        }
    }
}

#[test]
fn sample_paths_are_those_of_lindley_and_of_kiefer_and_wolfowitz_to_the_microsecond() {
    for path in paths() {
        assert_eq!(path.simulated, path.exact, "{}", path.name);
    }
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
