//! A recorded history against its simulation: same arrivals, claims, service times and lives of workers, so that what
//! differs is how the engine decides and what its dispatching costs.

pub mod fidelity;
pub mod history;
pub mod lives;
pub mod overheads;

use crate::base::{IdVec, Span, TaskId, Time};
use crate::engine::EngineFactory;
use crate::fact::{Fact, Observe};
use crate::observe::Observer;
use crate::scenario::Scenario;
use crate::world::simulate;

use super::replicate::{Results, combined, settings};
use fidelity::{Fidelity, Simulated, compare};
use history::History;
use lives::Lives;
use overheads::Overheads;

/// A history and how it is replayed.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'a> {
    /// What was recorded.
    pub history: &'a History,
    /// The lives of its workers.
    pub lives: &'a Lives,
    /// Only tasks created from here on are compared.
    pub judged_from: Time,
    /// A start counts so much later than the attempt begins: what a worker spends before the task itself begins.
    pub start_takes: Span,
    /// Whether the engine mirrors the system that was recorded.
    pub mirrors: bool,
}

impl Replay<'_> {
    /// Simulates the history, once per replication, each with another seed of the engine's own choices.
    ///
    /// `scenario` has the history as its workload, and its lives as its script. No further replication begins after
    /// `stop` says so.
    pub fn run(
        &self,
        scenario: &Scenario,
        factory: &dyn EngineFactory,
        timeline: bool,
        stop: &dyn Fn() -> bool,
    ) -> (Results, Fidelity) {
        let guarantees = factory.guarantees(scenario.detection);
        let (mut observations, mut runs, mut events) = (Vec::new(), Vec::new(), 0);
        let mut scene = scenario.clone();
        for replication in 0..scenario.run.replications {
            if stop() {
                break;
            }
            scene.script = self.lives.cast(scenario, factory, replication, self.mirrors);
            let observer = Observer::new(settings(&scene, &guarantees, timeline && replication == 0));
            let mut watch = Watch { observer, tasks: IdVec::new(), start_takes: self.start_takes };
            let stats = simulate(&scene, factory, replication, &mut watch);
            events += stats.events;
            observations.push(watch.observer.finish(stats.ended_at));
            runs.push(watch.tasks);
        }
        let fidelity = compare(self.history, &runs, self.judged_from);
        let digest = combined(&observations);
        let engine = factory.name().to_owned();
        let complete = runs.len() == scenario.run.replications as usize;
        (Results { engine, guarantees, observations, digest, events, complete }, fidelity)
    }
}

/// What a replay gave, for reports.
#[derive(Clone, PartialEq, Debug)]
pub struct Replayed {
    /// Simulated against recorded waits.
    pub fidelity: Fidelity,
    /// The same where workers chose among several tasks as they did in the history, and nothing but the length of each
    /// step is left to chance; where that was simulated.
    pub as_chosen: Option<Fidelity>,
    /// What dispatching cost in the history.
    pub overheads: Overheads,
    /// What the overheads are taken from, in words.
    pub fitted_on: &'static str,
    /// Whether the engine mirrors the system that was recorded; otherwise it shows what would have happened.
    pub mirrors: bool,
    /// What a reader must know of how it was done.
    pub remarks: Vec<String>,
}

/// Passes facts on and keeps each task's first start and its end.
struct Watch {
    observer: Observer,
    tasks: IdVec<TaskId, Simulated>,
    start_takes: Span,
}

impl Observe for Watch {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.observer.on(now, fact);
        match fact {
            Fact::Started { task, .. } => {
                let task = self.tasks.grow_to(*task);
                task.started = task.started.or(Some(now.saturating_add(self.start_takes)));
            }
            Fact::Settled { task, .. } => self.tasks.grow_to(*task).finished = Some(now),
            _ => {}
        }
    }
}
