//! How long it takes until a crashed worker counts as lost.

use crate::base::{IdMap, Note, Span, Time, WorkerId};
use crate::engine::EngineFactory;
use crate::fact::{Exit, Fact, Observe};
use crate::scenario::Scenario;
use crate::world::simulate;

/// The mean of each of the first so many replications, seconds.
pub(super) fn means(scenario: &Scenario, factory: &dyn EngineFactory, replications: u32) -> Vec<f64> {
    let mean = |replication| {
        let mut detections = Detections::default();
        simulate(scenario, factory, replication, &mut detections);
        detections.sum.as_secs_f64() / detections.count as f64
    };
    (0..replications).map(mean).collect()
}

#[derive(Default)]
struct Detections {
    crashed: IdMap<WorkerId, Time>,
    sum: Span,
    count: u64,
}

impl Observe for Detections {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::WorkerGone { worker, exit: Exit::Crashed } => drop(self.crashed.insert(*worker, now)),
            Fact::Noted(Note::WorkerLost { worker }) => {
                let at = self.crashed.remove(*worker).expect("nobody is lost who lives");
                self.sum += now.since(at);
                self.count += 1;
            }
            _ => {}
        }
    }
}
