//! The lives of workers in a recorded history: who came, who was killed with which task, who left.
//!
//! Recorded workers have no names in the simulation, so a crash is told by what it hit: the task that did not complete
//! and was running at that time. In each simulated run the worker that dies is the one that executes this task.

use std::collections::BTreeMap;

use super::history::History;
use crate::base::{Span, TaskId, Time, WorkerId};
use crate::engine::EngineFactory;
use crate::fact::{Fact, Observe};
use crate::scenario::{Action, Scenario, ScriptEvent};
use crate::world::simulate;

/// Longer than a worker takes from choosing a task to starting it.
const TAKES_AT_MOST: Span = Span::from_secs(1);

/// How many workers there were when, and which task each crash hit.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    /// Workers at the beginning.
    pub workers: u32,
    /// One more or one less, in order of time.
    pub changes: Vec<(Time, i64)>,
    /// By the crash's position in the script: the task that was killed with the worker.
    victims: BTreeMap<usize, TaskId>,
    /// When each was killed.
    killed: BTreeMap<TaskId, Time>,
}

impl Lives {
    /// What a script of joins, crashes and quiesces says of a history. A worker that quiesces counts as gone at once.
    pub fn of(workers: u32, script: &[ScriptEvent], history: &History) -> Lives {
        let mut lives = Lives { workers, ..Lives::default() };
        for (position, event) in script.iter().enumerate() {
            match event.action {
                Action::Join { .. } => lives.changes.push((event.at, 1)),
                Action::Crash { .. } => {
                    lives.changes.push((event.at, -1));
                    let running = |(_, task): &(TaskId, &super::history::Recorded)| {
                        !task.completed && task.started <= event.at && event.at < task.finished
                    };
                    let hit = history.tasks.iter().filter(running).find(|(id, _)| !lives.killed.contains_key(id));
                    if let Some((task, _)) = hit {
                        lives.victims.insert(position, task);
                        lives.killed.insert(task, event.at);
                    }
                }
                Action::Quiesce { .. } => lives.changes.push((event.at, -1)),
                _ => {}
            }
        }
        lives
    }

    /// When this task was killed with its worker.
    pub fn killed(&self, task: TaskId) -> Option<Time> {
        self.killed.get(&task).copied()
    }

    /// How many tasks were killed with their workers.
    pub fn killed_tasks(&self) -> usize {
        self.killed.len()
    }

    /// The fleet in words.
    pub fn words(&self) -> String {
        let count = |sign: i64| self.changes.iter().filter(|(_, change)| *change == sign).count();
        match (count(1), count(-1)) {
            (0, 0) => format!("workers: {}, none of them lost", self.workers),
            (came, went) => format!("workers: {} at first, {came} came, {went} went", self.workers),
        }
    }

    /// When the killed tasks were cleaned up, rising, and how long the shortest clean-up took.
    pub fn clean_ups(&self, history: &History) -> Option<(Vec<Span>, Span)> {
        let end = |task: TaskId| history.tasks[task].finished;
        let mut ends: Vec<Span> = self.killed.keys().map(|task| end(*task).since(Time::ZERO)).collect();
        ends.sort_unstable();
        let shortest = self.killed.iter().map(|(task, at)| end(*task).since(*at)).min()?;
        Some((ends, shortest))
    }

    /// The script with each crash on the worker that executes, in this replication, the task that it hit.
    pub fn cast(&self, scenario: &Scenario, factory: &dyn EngineFactory, replication: u32) -> Vec<ScriptEvent> {
        let mut scene = scenario.clone();
        scene.script.clear();
        for (position, event) in scenario.script.iter().enumerate() {
            let Action::Crash { worker, .. } = event.action else {
                scene.script.push(event.clone());
                continue;
            };
            let at = event.at;
            let mut watch = Watch { at, victim: self.victims.get(&position).copied(), ..Watch::default() };
            simulate(&scene, factory, replication, &mut watch);
            let crash = |worker| Action::Crash { worker, before_report: false };
            let (at, action) = match (watch.victim_started, watch.idlest(worker)) {
                // It may start a little later than it did; the crash meets it then.
                (Some((started, executor)), _) => {
                    (at.max(started.saturating_add(Span::from_micros(1))), crash(executor))
                }
                // It hit a worker between two tasks, or one whose child process finished its task.
                (None, Some((idle, next))) if next.saturating_since(at) > TAKES_AT_MOST => (at, crash(idle)),
                // Where each one has a task or is about to have it: none was killed, so none may be.
                (None, Some((idle, _))) => (at, Action::Quiesce { worker: idle }),
                (None, None) => (at, Action::Quiesce { worker }),
            };
            scene.script.push(ScriptEvent { at, action });
        }
        scene.script.sort_by_key(|event| event.at);
        scene.script
    }
}

/// Who executes what at an instant, and what comes next.
#[derive(Default)]
struct Watch {
    at: Time,
    victim: Option<TaskId>,
    victim_started: Option<(Time, WorkerId)>,
    /// Workers that are up at the instant; of those that execute nothing: when they start their next task.
    up: BTreeMap<WorkerId, Option<Time>>,
}

impl Watch {
    /// Of the workers that execute nothing at the instant the one that is left alone for longest, `preferred` where it
    /// is no worse; and when it starts its next task.
    fn idlest(&self, preferred: WorkerId) -> Option<(WorkerId, Time)> {
        let idle = self.up.iter().filter_map(|(worker, next)| Some((*worker, (*next)?)));
        idle.max_by_key(|(worker, next)| (*next, *worker == preferred, std::cmp::Reverse(*worker)))
    }
}

impl Observe for Watch {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if let Fact::Started { task, worker, .. } = fact
            && Some(*task) == self.victim
            && self.victim_started.is_none()
        {
            self.victim_started = Some((now, *worker));
        }
        if now >= self.at {
            if let Fact::Started { worker, .. } = fact
                && let Some(next @ Some(Time::MAX)) = self.up.get_mut(worker)
            {
                *next = Some(now);
            }
            return;
        }
        match fact {
            Fact::WorkerReady { worker } | Fact::Ended { worker, .. } => {
                self.up.insert(*worker, Some(Time::MAX));
            }
            Fact::Started { worker, .. } => {
                self.up.insert(*worker, None);
            }
            Fact::WorkerGone { worker, .. } | Fact::QuiesceDelivered { worker, .. } => {
                self.up.remove(worker);
            }
            _ => {}
        }
    }
}
