//! Simulated against recorded waits.

use super::history::{History, last_blockers};
use crate::base::{IdVec, Span, TaskId, Time};

/// A statistic of the wait, seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Comparison {
    /// The metric's name.
    pub metric: &'static str,
    /// In the history.
    pub recorded: f64,
    /// The mean over the simulated runs.
    pub simulated: f64,
    /// The smallest and the largest of the simulated runs.
    pub range: (f64, f64),
}

impl Comparison {
    /// Simulated / recorded - 1; `None` where nothing waited.
    pub fn error(&self) -> Option<f64> {
        (self.recorded > 0.0).then(|| self.simulated / self.recorded - 1.0)
    }
}

/// A task's waits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TaskWaits {
    /// Which task.
    pub task: TaskId,
    /// Its recorded wait.
    pub recorded: Span,
    /// Its mean wait over the simulated runs in which it started, seconds; `None`: in none.
    pub simulated: Option<f64>,
}

/// How near a simulation comes to a history.
#[derive(Clone, PartialEq, Debug)]
pub struct Fidelity {
    /// Mean, median, 95th and 99th percentile.
    pub comparisons: Vec<Comparison>,
    /// The mean over tasks of |simulated - recorded| of a task's wait, seconds.
    pub error_per_task: f64,
    /// Tasks that are compared.
    pub tasks: Vec<TaskWaits>,
    /// Tasks of the history that started before an earlier task in conflict was finished.
    pub recorded_out_of_order: u64,
    /// Tasks of all simulated runs that did.
    pub simulated_out_of_order: u64,
    /// Tasks of the history with an earlier task in conflict: these had no free choice of their order.
    pub in_conflict: u64,
}

/// When a task was started and when it ended, in one simulated run; `None`: it did not.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Simulated {
    /// The first start.
    pub started: Option<Time>,
    /// The settlement.
    pub finished: Option<Time>,
}

/// Compares the tasks created from `from` on.
///
/// # Panics
/// If no run is given.
pub fn compare(history: &History, runs: &[IdVec<TaskId, Simulated>], from: Time) -> Fidelity {
    assert!(!runs.is_empty(), "at least one run is compared");
    let judged: Vec<TaskId> =
        history.tasks.iter().filter(|(_, task)| task.submitted >= from).map(|(id, _)| id).collect();
    let wait = |run: &IdVec<TaskId, Simulated>, id: TaskId| {
        run.get(id).and_then(|task| task.started).map(|at| at.saturating_since(history.tasks[id].submitted))
    };
    let recorded = sorted(judged.iter().map(|id| history.tasks[*id].wait()));
    let simulated: Vec<Vec<Span>> =
        runs.iter().map(|run| sorted(judged.iter().filter_map(|id| wait(run, *id)))).collect();
    let comparison = |(metric, statistic): Statistic| {
        let values: Vec<f64> = simulated.iter().map(|waits| statistic(waits)).collect();
        Comparison {
            metric,
            recorded: statistic(&recorded),
            simulated: values.iter().sum::<f64>() / values.len() as f64,
            range: values.iter().fold((f64::INFINITY, 0.0), |(low, high), it| (it.min(low), it.max(high))),
        }
    };
    let tasks: Vec<TaskWaits> = judged
        .iter()
        .map(|id| {
            let waits: Vec<f64> = runs.iter().filter_map(|run| wait(run, *id)).map(Span::as_secs_f64).collect();
            let simulated = (!waits.is_empty()).then(|| waits.iter().sum::<f64>() / waits.len() as f64);
            TaskWaits { task: *id, recorded: history.tasks[*id].wait(), simulated }
        })
        .collect();
    let errors: Vec<f64> =
        tasks.iter().filter_map(|it| Some((it.simulated? - it.recorded.as_secs_f64()).abs())).collect();
    Fidelity {
        comparisons: STATISTICS.iter().copied().map(comparison).collect(),
        error_per_task: errors.iter().sum::<f64>() / errors.len().max(1) as f64,
        tasks,
        recorded_out_of_order: out_of_order(
            history,
            |id| Some(history.tasks[id].started),
            |id| history.tasks[id].finished,
        ),
        simulated_out_of_order: runs.iter().map(|run| simulated_out_of_order(history, run)).sum(),
        in_conflict: history.last_blockers().values().filter(|blocker| blocker.is_some()).count() as u64,
    }
}

/// A metric and how it is computed from waits in rising order.
type Statistic = (&'static str, fn(&[Span]) -> f64);

const STATISTICS: [Statistic; 4] = [
    ("wait.mean", |waits| waits.iter().map(|wait| wait.as_secs_f64()).sum::<f64>() / waits.len().max(1) as f64),
    ("wait.p50", |waits| quantile(waits, 50)),
    ("wait.p95", |waits| quantile(waits, 95)),
    ("wait.p99", |waits| quantile(waits, 99)),
];

fn sorted(waits: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut waits: Vec<Span> = waits.collect();
    waits.sort_unstable();
    waits
}

/// The smallest wait that is not below `percent` of all; zero of none.
fn quantile(sorted: &[Span], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |wait| wait.as_secs_f64())
}

fn simulated_out_of_order(history: &History, run: &IdVec<TaskId, Simulated>) -> u64 {
    let of = |id: TaskId| run.get(id).copied().unwrap_or_default();
    out_of_order(history, |id| of(id).started, |id| of(id).finished.unwrap_or(Time::MAX))
}

fn out_of_order(history: &History, started: impl Fn(TaskId) -> Option<Time>, finished: impl Fn(TaskId) -> Time) -> u64 {
    let blockers = last_blockers(history, finished);
    let early = |(id, blocker): &(TaskId, &Option<Time>)| {
        started(*id).zip(**blocker).is_some_and(|(started, end)| started < end)
    };
    blockers.iter().filter(early).count() as u64
}
