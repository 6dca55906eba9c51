//! What must hold in every state, and what must not have happened on the way to it.

use std::collections::{BTreeMap, BTreeSet};

use lanekeeper::base::task::conflict;
use lanekeeper::base::{Outcome, QueueId, TaskId};

use super::Cluster;
use super::process::Process;
use super::scope::claims_of;

/// What has happened, as far as it matters for what must not happen.
#[derive(Clone, Default, Hash, Debug)]
pub struct Seen {
    pub started: BTreeSet<TaskId>,
    pub settled: BTreeMap<TaskId, Outcome>,
    pub placed: BTreeSet<TaskId>,
    pub cancelled: BTreeSet<TaskId>,
    /// Whose effects the store has.
    done: BTreeSet<TaskId>,
    /// The first promise that was broken.
    pub wrong: Option<String>,
}

impl Seen {
    fn check(&mut self, holds: bool, broken: impl FnOnce() -> String) {
        if !holds && self.wrong.is_none() {
            self.wrong = Some(broken());
        }
    }

    /// Order: a first start is not before the settlement of what conflicts and is earlier.
    pub fn start(&mut self, task: TaskId) {
        self.check(!self.settled.contains_key(&task), || format!("{task} starts after settlement"));
        if self.started.insert(task) {
            let ahead = earlier(task).find(|earlier| !self.settled.contains_key(earlier));
            self.check(ahead.is_none(), || format!("{task} starts before {} is settled", ahead.expect("one")));
        }
    }

    /// Effects come in order.
    pub fn effect(&mut self, task: TaskId) {
        let overtaken = self.done.iter().find(|later| earlier(**later).any(|it| it == task)).copied();
        if self.done.insert(task) {
            self.check(overtaken.is_none(), || format!("{task} takes effect after {}", overtaken.expect("one")));
        }
    }

    pub fn settle(&mut self, task: TaskId, outcome: Outcome) {
        let before = self.settled.insert(task, outcome);
        self.check(before.is_none(), || format!("{task} settles twice"));
        let fits = match outcome {
            Outcome::Completed => self.done.contains(&task),
            Outcome::Cancelled => self.cancelled.contains(&task),
            Outcome::Failed => true,
        };
        self.check(fits, || format!("{task} is said to be {outcome}, which nothing accounts for"));
    }
}

/// The earlier tasks that conflict with one.
fn earlier(task: TaskId) -> impl Iterator<Item = TaskId> {
    (0..task.0).map(TaskId).filter(move |earlier| conflict(&claims_of(*earlier), &claims_of(task)))
}

/// What must hold in every state.
pub fn wrong(cluster: &Cluster) -> Option<String> {
    let executing = |process: &Process| process.running.filter(|_| process.acts());
    let running: Vec<TaskId> = cluster.processes.iter().filter_map(|it| Some(executing(it)?.task)).collect();
    for (position, a) in running.iter().enumerate() {
        for b in &running[..position] {
            if conflict(&claims_of(*a), &claims_of(*b)) {
                return Some(format!("{b} and {a} execute at once"));
            }
        }
    }
    for queue in (1..=cluster.setup.scope.queues).map(QueueId) {
        let held = cluster.processes.iter().filter_map(|process| process.holds.get(&queue));
        let valid = held.filter(|(_, until)| until.is_none_or(|until| cluster.stamp() < until)).count();
        if valid > 1 {
            return Some(format!("{valid} workers hold {queue}"));
        }
    }
    let lost = (0..cluster.submitted).map(|task| TaskId(task as u32)).find(|it| !cluster.seen.placed.contains(it));
    if let Some(task) = lost {
        return Some(format!("{task} was accepted and is nowhere"));
    }
    stuck(cluster)
}

/// Where nothing has struck and nothing is under way, nothing may wait beside a worker that is there.
fn stuck(cluster: &Cluster) -> Option<String> {
    let calm = cluster.faults == cluster.setup.scope.faults && !cluster.processes.is_empty();
    let nothing_under_way = |process: &Process| process.running.is_none() && process.is_quiet();
    if calm && cluster.processes.iter().all(|it| nothing_under_way(it)) {
        let waits =
            (0..cluster.submitted).map(|it| TaskId(it as u32)).find(|it| !cluster.seen.settled.contains_key(it));
        return waits.map(|task| format!("{task} waits though everybody is idle"));
    }
    None
}
