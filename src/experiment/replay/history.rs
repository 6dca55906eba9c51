//! A recorded history: what each task claimed, when it was created, unblocked, started and finished.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::{Claim, Claims, ClassId, IdVec, Labels, Mode, ResourceId, Span, TaskId, Time};
use crate::import::table::TableRow;
use crate::scenario::Row;

use super::lives::Lives;
use super::overheads::mean;

/// A task as it was recorded. Times count from the first submission.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When it was created.
    pub submitted: Time,
    /// Its class.
    pub class: ClassId,
    /// What it claims.
    pub claims: Claims,
    /// How long it ran.
    pub service: Span,
    /// When nothing earlier was in its way, where that was recorded.
    pub unblocked: Option<Time>,
    /// When it was started.
    pub started: Time,
    /// When it was finished; of a task killed with its worker: when it was cleaned up.
    pub finished: Time,
    /// Whether it ran to its end.
    pub completed: bool,
}

impl Recorded {
    /// From its creation to its start.
    pub fn wait(&self) -> Span {
        self.started.saturating_since(self.submitted)
    }
}

/// A recorded history, in order of submission: the n-th task is task n of its simulation.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Its tasks.
    pub tasks: IdVec<TaskId, Recorded>,
    /// The names of classes and resources.
    pub labels: Labels,
}

impl History {
    /// The history in a table, whose rows are in order of submission.
    ///
    /// # Errors
    /// A sentence, when a row does not say when its task was started, or says that this was before it was submitted or
    /// after it was finished.
    pub fn of(rows: &[TableRow]) -> Result<History, String> {
        let mut history = History::default();
        let mut names = Names::default();
        let origin = rows.first().map_or(Time::ZERO, |row| row.submitted);
        let since = |at: Time| Time::ZERO + at.saturating_since(origin);
        for (number, row) in rows.iter().enumerate() {
            let started = row.started.ok_or_else(|| {
                format!("row {} has no time in the column `started`: this is a workload, no history", number + 1)
            })?;
            let finished = row.finished.unwrap_or_else(|| started.saturating_add(row.service));
            if !(row.submitted <= started && started <= finished) {
                return Err(format!(
                    "row {}: submitted at {}, started at {started}, finished at {finished}: times are in this order",
                    number + 1,
                    row.submitted
                ));
            }
            let exclusive = row.exclusive.iter().map(|name| (name, Mode::Exclusive));
            let claims = exclusive.chain(row.shared.iter().map(|name| (name, Mode::Shared)));
            let claims = claims.map(|(name, mode)| Claim { resource: names.resource(name, &mut history.labels), mode });
            history.tasks.push(Recorded {
                submitted: since(row.submitted),
                claims: claims.collect(),
                class: names.class(&row.class, &mut history.labels),
                service: row.service,
                unblocked: row.unblocked.map(since),
                started: since(started),
                finished: since(finished),
                completed: row.state.as_deref().is_none_or(|state| matches!(state, "completed" | "skipped")),
            });
        }
        Ok(history)
    }

    /// Its tasks as the workload of a scenario.
    pub fn workload(&self) -> Arc<[Row]> {
        let row = |task: &Recorded| Row {
            submitted: task.submitted,
            class: task.class,
            service: task.service,
            claims: task.claims.clone(),
        };
        self.tasks.values().map(row).collect()
    }

    /// The history for an engine that did not lose these tasks. How long a task that was killed would have run is not
    /// known: as long as the others of its class on average, or as it had run already.
    pub fn with_guessed_services(mut self, lives: &Lives) -> History {
        let mut services: IdVec<ClassId, Vec<Span>> = IdVec::new();
        for task in self.tasks.values().filter(|task| task.completed) {
            services.grow_to(task.class).push(task.service);
        }
        let killed: Vec<(TaskId, Time)> =
            self.tasks.iter().filter_map(|(id, _)| Some((id, lives.killed(id)?))).collect();
        for (id, at) in killed {
            let task = &mut self.tasks[id];
            let usual = services.get(task.class).map_or(Span::ZERO, |all| mean(all));
            task.service = usual.max(at.saturating_since(task.started));
        }
        self
    }

    /// The most tasks that ran at once: at least so many workers there were.
    pub fn concurrency(&self) -> u32 {
        let starts = self.tasks.values().map(|task| (task.started, 1));
        let ends = self.tasks.values().map(|task| (task.finished.max(task.started), -1));
        let mut changes: Vec<(Time, i64)> = starts.chain(ends).collect();
        changes.sort_unstable(); // An end before a start of the same instant.
        let (mut running, mut most) = (0, 0);
        for (_, change) in changes {
            running += change;
            most = most.max(running);
        }
        u32::try_from(most).expect("tasks are counted in u32")
    }

    /// When the last earlier task in conflict with each task was finished; `None`: there was none before it.
    pub fn last_blockers(&self) -> IdVec<TaskId, Option<Time>> {
        let finished = |task: TaskId| self.tasks[task].finished;
        last_blockers(self, finished)
    }

    /// The instant up to which a prediction may know the history: the creation of the first task of the second half.
    pub fn half(&self) -> Time {
        let middle = self.tasks.len() / 2;
        self.tasks.values().nth(middle).map_or(Time::ZERO, |task| task.submitted)
    }
}

/// For each task the latest of `finished` over the earlier tasks in conflict with it.
pub(super) fn last_blockers(history: &History, finished: impl Fn(TaskId) -> Time) -> IdVec<TaskId, Option<Time>> {
    /// The latest ends among the claimants of a resource so far: of exclusive ones, and of all.
    #[derive(Clone, Copy, Default)]
    struct Ends {
        exclusive: Option<Time>,
        any: Option<Time>,
    }
    let mut ends: IdVec<ResourceId, Ends> = IdVec::new();
    let mut blockers = IdVec::new();
    for (id, task) in history.tasks.iter() {
        let mut last = None;
        for claim in &task.claims {
            let before = ends.grow_to(claim.resource);
            last = last.max(if claim.mode == Mode::Exclusive { before.any } else { before.exclusive });
            before.any = before.any.max(Some(finished(id)));
            if claim.mode == Mode::Exclusive {
                before.exclusive = before.exclusive.max(Some(finished(id)));
            }
        }
        blockers.push(last);
    }
    blockers
}

/// Numbers for names, in order of appearance.
#[derive(Default)]
struct Names {
    classes: BTreeMap<String, ClassId>,
    resources: BTreeMap<String, ResourceId>,
}

impl Names {
    fn class(&mut self, name: &str, labels: &mut Labels) -> ClassId {
        *self.classes.entry(name.to_owned()).or_insert_with(|| labels.classes.push(name.to_owned()))
    }
    fn resource(&mut self, name: &str, labels: &mut Labels) -> ResourceId {
        *self.resources.entry(name.to_owned()).or_insert_with(|| labels.resources.push(name.to_owned()))
    }
}
