//! The lives of workers in a recorded history: who came, who was killed with which task, who left.
//!
//! Recorded workers have no names in the simulation, so a crash is told by what it hit: the task that did not complete
//! and was running at that time, or one that nobody else could start long after. In each simulated run the worker that
//! dies is the one that executes this task, or is about to.

use std::collections::BTreeMap;

use super::history::{History, Recorded};
use crate::base::{Span, TaskId, Time, WorkerId};
use crate::engine::EngineFactory;
use crate::fact::{Fact, Observe};
use crate::scenario::{Action, Scenario, ScriptEvent};
use crate::world::simulate;

/// Longer than a worker takes from choosing a task to starting it.
const TAKES_AT_MOST: Span = Span::from_secs(1);
/// The age by which a worker passes over a task at most: `pick_jitter` of the recent versions.
const PASSED_OVER_AT_MOST: Span = Span::from_secs(8);
const INSTANT: Span = Span::from_micros(1);

/// How many workers there were when, and which task each crash hit.
#[derive(Clone, Debug, Default)]
pub struct Lives {
    /// Workers at the beginning.
    pub workers: u32,
    /// One more or one less, in order of time.
    pub changes: Vec<(Time, i64)>,
    /// By the crash's position in the script.
    victims: BTreeMap<usize, Victim>,
}

/// What a crash hit.
#[derive(Clone, Copy, Debug)]
struct Victim {
    task: TaskId,
    at: Time,
    /// It was running, and was killed; else its worker had only taken it, and it waited for the clean-up.
    begun: bool,
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
                    let taken = |id: TaskId| lives.victims.values().any(|it| it.task == id);
                    if let Some(victim) = hit(event.at, history, taken) {
                        lives.victims.insert(position, victim);
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
        self.victims.values().find(|it| it.begun && it.task == task).map(|it| it.at)
    }

    /// How many tasks were killed with their workers.
    pub fn killed_tasks(&self) -> usize {
        self.victims.values().filter(|it| it.begun).count()
    }

    /// How many tasks were taken by a worker that died before it started them.
    pub fn held_tasks(&self) -> usize {
        self.victims.len() - self.killed_tasks()
    }

    /// In which order workers took the tasks that were started before `until`: as they were started, but for those whose
    /// first worker died before it could.
    pub fn order_of_choices(&self, history: &History, until: Time) -> Vec<u32> {
        let died = |id: TaskId| self.victims.values().find(|it| !it.begun && it.task == id).map(|it| it.at);
        let started = history.tasks.iter().filter(|(_, task)| task.started < until);
        let mut choices: Vec<(Time, TaskId)> =
            started.map(|(id, task)| (died(id).unwrap_or(task.started), id)).collect();
        choices.sort_unstable();
        choices.into_iter().map(|(_, id)| id.0).collect()
    }

    /// The fleet in words.
    pub fn words(&self) -> String {
        let count = |sign: i64| self.changes.iter().filter(|(_, change)| *change == sign).count();
        match (count(1), count(-1)) {
            (0, 0) => format!("workers: {}, none of them lost", self.workers),
            (came, went) => format!("workers: {} at first, {came} came, {went} went", self.workers),
        }
    }

    /// When dead workers were cleaned up, rising, and how long the shortest clean-up took. A task that its worker had not
    /// begun is started `start_takes` after the clean-up.
    pub fn clean_ups(&self, history: &History, start_takes: Span) -> Option<(Vec<Span>, Span)> {
        let clean_up = |victim: &Victim| {
            let task = &history.tasks[victim.task];
            if victim.begun { task.finished } else { victim.at.max(task.started.saturating_sub(start_takes)) }
        };
        let mut instants: Vec<Span> = self.victims.values().map(|it| clean_up(it).since(Time::ZERO)).collect();
        instants.sort_unstable();
        let shortest = self.victims.values().map(|it| clean_up(it).saturating_since(it.at)).min()?;
        Some((instants, shortest))
    }

    /// The script with each crash on the worker that executes, in this replication, the task that it hit. One that hit
    /// none meets nobody's task where the engine `mirrors` the system that was recorded; under another engine, which asks
    /// what would have happened, it meets the worker that is named.
    pub fn cast(
        &self,
        scenario: &Scenario,
        factory: &dyn EngineFactory,
        replication: u32,
        mirrors: bool,
    ) -> Vec<ScriptEvent> {
        let mut scene = scenario.clone();
        scene.script.clear();
        for (position, event) in scenario.script.iter().enumerate() {
            let Action::Crash { worker, .. } = event.action else {
                scene.script.push(event.clone());
                continue;
            };
            let at = event.at;
            let victim = self.victims.get(&position);
            if victim.is_none() && !mirrors {
                scene.script.push(event.clone());
                continue;
            }
            let mut watch = Watch { at, victim: victim.map(|it| it.task), ..Watch::default() };
            simulate(&scene, factory, replication, &mut watch);
            let crash = |worker| Action::Crash { worker, before_report: false };
            let begun = victim.is_none_or(|it| it.begun);
            let (at, action) = match (watch.victim_started, watch.idlest(worker)) {
                // It may start a little later than it did; the crash meets it then.
                (Some((started, executor)), _) if begun => (at.max(started.saturating_add(INSTANT)), crash(executor)),
                (Some((started, executor)), _) => (started.saturating_sub(INSTANT), crash(executor)),
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

/// What a crash at this instant hit that no other has: the task that was running and did not complete, else one that
/// nobody could take from then on, though it was unblocked and far younger ones were started.
fn hit(at: Time, history: &History, taken: impl Fn(TaskId) -> bool) -> Option<Victim> {
    let tasks = || history.tasks.iter().filter(|(id, _)| !taken(*id));
    let running = tasks().find(|(_, task)| !task.completed && task.started <= at && at < task.finished);
    if let Some((task, _)) = running {
        return Some(Victim { task, at, begun: true });
    }
    let blockers = history.last_blockers();
    let later = at.saturating_add(TAKES_AT_MOST);
    let held = tasks().find(|(id, task)| {
        let unblocked = task.unblocked.or(blockers[*id]).unwrap_or(task.submitted);
        let passed_over = |other: &Recorded| {
            let younger = other.submitted > task.submitted.saturating_add(PASSED_OVER_AT_MOST);
            younger && later < other.started && other.started < task.started
        };
        unblocked <= at && later < task.started && history.tasks.values().any(passed_over)
    });
    held.map(|(task, _)| Victim { task, at, begun: false })
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
