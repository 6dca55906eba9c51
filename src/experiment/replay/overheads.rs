//! What dispatching costs, read off a history's own columns: created, unblocked, started, finished.
//!
//! | step | taken from |
//! |---|---|
//! | created to unblocked | tasks with nothing in conflict unfinished before them |
//! | blocker finished to unblocked | the others, from the end of the last task in conflict |
//! | unblocked to started | tasks that found an idle worker |
//! | finished to next | tasks that found none: the n-th of them started on the n-th worker that had finished since |
//!
//! Which worker ran what is not recorded, and need not be: matched in order of time, the differences have the right mean
//! whichever of two workers took which of two tasks. A worker counts as idle only some time after the end of its task:
//! the difference of the last two steps, found by repeating the count a few times.

use std::collections::{BTreeSet, VecDeque};

use super::history::History;
use super::lives::Lives;
use crate::base::{Span, TaskId, Time};
use crate::engine::Overhead;
use crate::engine::spec::PullLocksSpec;

/// Rounds of the count; the difference of two steps settles after two or three.
const ROUNDS: u32 = 5;
/// A difference so many times as long as the median is two events that do not belong together.
const OUTLIER_MEDIANS: u64 = 8;
/// Samples beyond so many are put together, equally many in each.
const SAMPLES_MAX: usize = 256;

/// The measured times of each step, rising.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Overheads {
    /// From its creation until a task with nothing in conflict ahead is unblocked.
    pub created_to_unblocked: Vec<Span>,
    /// From the end of the last task in conflict until a blocked task is unblocked.
    pub blocker_finished_to_unblocked: Vec<Span>,
    /// From being unblocked to the start on an idle worker.
    pub unblocked_to_started: Vec<Span>,
    /// From the end of a task to the start of the next on the same worker, while tasks wait for one.
    pub finished_to_next: Vec<Span>,
}

/// Reads them off what happened before `until`, given how many workers there were when.
pub fn fit(history: &History, lives: &Lives, until: Time) -> Overheads {
    let blockers = history.last_blockers();
    let mut overheads = Overheads::default();
    for ((_, task), blocker) in history.tasks.iter().zip(blockers.values()) {
        let Some(unblocked) = task.unblocked.filter(|at| *at < until) else { continue };
        match blocker.filter(|end| *end > task.submitted) {
            Some(end) => overheads.blocker_finished_to_unblocked.push(unblocked.saturating_since(end)),
            None => overheads.created_to_unblocked.push(unblocked.saturating_since(task.submitted)),
        }
    }
    let unblocked: Vec<Time> = history
        .tasks
        .values()
        .zip(blockers.values())
        .map(|(task, blocker)| {
            task.unblocked.unwrap_or_else(|| blocker.map_or(task.submitted, |end| end.max(task.submitted)))
        })
        .collect();
    let events = events(history, &unblocked, lives, until);
    let mut held = Span::ZERO;
    for _ in 0..ROUNDS {
        let mut count = Count { workers: i64::from(lives.workers), held, ..Count::default() };
        for (at, event) in &events {
            count.take(*at, *event, &unblocked);
        }
        overheads.unblocked_to_started = without_outliers(count.from_idle);
        overheads.finished_to_next = without_outliers(count.from_busy);
        held = mean(&overheads.finished_to_next).saturating_sub(mean(&overheads.unblocked_to_started));
    }
    overheads.created_to_unblocked = without_outliers(overheads.created_to_unblocked);
    overheads.blocker_finished_to_unblocked = without_outliers(overheads.blocker_finished_to_unblocked);
    overheads
}

/// What happens, in this order at one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Event {
    Workers(i64),
    /// With its worker: no worker is free after it.
    Killed(TaskId),
    Finished(TaskId),
    Unblocked(TaskId),
    Started(TaskId),
}

fn events(history: &History, unblocked: &[Time], lives: &Lives, until: Time) -> Vec<(Time, Event)> {
    let mut events: Vec<(Time, Event)> =
        lives.changes.iter().map(|(at, change)| (*at, Event::Workers(*change))).collect();
    for ((id, task), unblocked) in history.tasks.iter().zip(unblocked) {
        events.push((*unblocked, Event::Unblocked(id)));
        events.push((task.started, Event::Started(id)));
        events.push(match lives.killed(id) {
            Some(at) => (at, Event::Killed(id)),
            None => (task.finished, Event::Finished(id)),
        });
    }
    events.retain(|(at, _)| *at < until);
    events.sort_unstable();
    events
}

/// Who does what, as far as the columns tell.
#[derive(Default)]
struct Count {
    workers: i64,
    /// A worker is held so much longer than its task runs.
    held: Span,
    running: i64,
    /// Tasks that found an idle worker and are about to start on it.
    starting: BTreeSet<TaskId>,
    /// Unblocked tasks that found none and wait.
    waiting: u64,
    /// When workers finished that are about to start a task that waited.
    turning: VecDeque<Time>,
    /// When workers finished that found nothing to do and are still held.
    held_since: VecDeque<Time>,
    from_idle: Vec<Span>,
    from_busy: Vec<Span>,
}

impl Count {
    /// Workers that cannot take a task.
    fn busy(&self) -> i64 {
        let occupied = self.starting.len() + self.turning.len() + self.held_since.len();
        self.running + i64::try_from(occupied).expect("tasks are counted in u32")
    }

    fn take(&mut self, at: Time, event: Event, unblocked: &[Time]) {
        while self.held_since.front().is_some_and(|since| since.saturating_add(self.held) < at) {
            self.held_since.pop_front();
        }
        match event {
            Event::Workers(change) => self.workers += change,
            Event::Killed(_) => self.running -= 1,
            Event::Finished(_) => {
                self.running -= 1;
                if self.busy() >= self.workers {
                    // Its worker was leaving, or dead already: the others are all accounted for.
                } else if self.waiting > 0 {
                    self.waiting -= 1;
                    self.turning.push_back(at);
                } else {
                    self.held_since.push_back(at);
                }
            }
            Event::Unblocked(task) => {
                if self.busy() < self.workers {
                    self.starting.insert(task);
                } else if let Some(since) = self.held_since.pop_front() {
                    self.turning.push_back(since);
                } else {
                    self.waiting += 1;
                }
            }
            Event::Started(task) => {
                self.running += 1;
                if self.starting.remove(&task) {
                    self.from_idle.push(at.saturating_since(unblocked[task.0 as usize]));
                } else if let Some(since) = self.turning.pop_front() {
                    self.from_busy.push(at.saturating_since(since));
                } else {
                    self.waiting = self.waiting.saturating_sub(1);
                }
            }
        }
    }
}

/// The samples in rising order.
fn without_outliers(mut samples: Vec<Span>) -> Vec<Span> {
    samples.sort_unstable();
    if let Some(median) = samples.get(samples.len() / 2).copied() {
        samples.retain(|sample| sample.micros() <= median.micros().saturating_mul(OUTLIER_MEDIANS));
    }
    samples
}

/// The mean, rounded down to whole µs; zero of nothing.
pub fn mean(samples: &[Span]) -> Span {
    let sum: u128 = samples.iter().map(|sample| u128::from(sample.micros())).sum();
    Span::from_micros(u64::try_from(sum / samples.len().max(1) as u128).expect("a mean of spans is a span"))
}

impl Overheads {
    /// Sets the steps of an engine that has them. A step that the history never shows costs what the one nearest to it
    /// costs.
    pub fn apply(&self, spec: &mut PullLocksSpec) {
        let first_of = |one: &Vec<Span>, other: &Vec<Span>| match (overhead(one), overhead(other)) {
            (Some(found), _) | (None, Some(found)) => Some(found),
            (None, None) => Some(Overhead::NONE),
        };
        let (created, blocked) = (&self.created_to_unblocked, &self.blocker_finished_to_unblocked);
        spec.created_to_unblocked = first_of(created, blocked);
        spec.blocker_finished_to_unblocked = first_of(blocked, created);
        spec.unblocked_to_started = first_of(&self.unblocked_to_started, &self.finished_to_next);
        spec.finished_to_next = first_of(&self.finished_to_next, &self.unblocked_to_started);
    }

    /// The steps by name.
    pub fn steps(&self) -> [(&'static str, &[Span]); 4] {
        [
            ("created_to_unblocked", &self.created_to_unblocked),
            ("blocker_finished_to_unblocked", &self.blocker_finished_to_unblocked),
            ("unblocked_to_started", &self.unblocked_to_started),
            ("finished_to_next", &self.finished_to_next),
        ]
    }
}

/// At most [`SAMPLES_MAX`] times with the mean and the shape of these.
fn overhead(samples: &[Span]) -> Option<Overhead> {
    let groups = samples.len().min(SAMPLES_MAX);
    let bounds = |group: usize| group * samples.len() / groups;
    (groups > 0).then(|| {
        Overhead::Measured((0..groups).map(|group| mean(&samples[bounds(group)..bounds(group + 1)])).collect())
    })
}
