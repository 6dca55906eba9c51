//! Sample paths that are known exactly: not within confidence, to the microsecond.

use super::read;
use crate::base::{IdMap, TaskId, Time};
use crate::fact::{Fact, Observe};
use crate::world::simulate;

const ARRIVALS: [u64; 8] = [0, 10, 11, 12, 30, 31, 31, 60];
const SERVICE: [u64; 8] = [15, 5, 20, 1, 7, 7, 7, 3];
/// Start and end of each task, by the recursion of Lindley (1952).
const ONE_WORKER: [(u64, u64); 8] = [(0, 15), (15, 20), (20, 40), (40, 41), (41, 48), (48, 55), (55, 62), (62, 65)];
/// By that of Kiefer and Wolfowitz (1955).
const TWO_WORKERS: [(u64, u64); 8] = [(0, 15), (10, 15), (15, 35), (15, 16), (30, 37), (35, 42), (37, 44), (60, 63)];

/// A sample path that is known, and the one that was simulated: start and end of each task in µs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SamplePath {
    /// What of.
    pub name: &'static str,
    /// What it must be.
    pub exact: Vec<(u64, u64)>,
    /// What it is.
    pub simulated: Vec<(u64, u64)>,
}

/// All of them.
pub fn paths() -> Vec<SamplePath> {
    let path = |name, workers, claims, exact: [(u64, u64); 8]| SamplePath {
        name,
        exact: exact.to_vec(),
        simulated: simulated(workers, claims),
    };
    vec![
        path("Lindley, 1 worker, general queue", 1, "", ONE_WORKER),
        path("Lindley, 1 worker, one resource", 1, "repo", ONE_WORKER),
        path("Kiefer-Wolfowitz, 2 workers", 2, "", TWO_WORKERS),
    ]
}

fn simulated(workers: u32, claims: &str) -> Vec<(u64, u64)> {
    let submit = |(i, (at, service)): (usize, (&u64, &u64))| {
        format!("  - {{at: {at}us, submit: {{task: t{i}, claims: [{claims}], service: {service}us}}}}\n")
    };
    let events: String = ARRIVALS.iter().zip(&SERVICE).enumerate().map(submit).collect();
    let (scenario, factory) = read(&format!(
        "name: path\nrun: {{horizon: 1s, drain: 1s}}\nworkers: {{initial: {workers}}}\nscript:\n{events}"
    ));
    let mut path = Path::default();
    simulate(&scenario, &*factory, 0, &mut path);
    path.spans.sort_unstable();
    path.spans.into_iter().map(|(_, from, to)| (from, to)).collect()
}

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
