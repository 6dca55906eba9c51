//! Looks at the ledger at chosen instants, after everything that happens at each of them.

use std::collections::BTreeMap;

use super::ledger::{Ledger, Place};
use super::{Series, Settings};
use crate::base::{Outcome, TaskId, Time, WorkerId};
use crate::fact::Fact;

#[derive(Default, Debug)]
pub(crate) struct Samples {
    pub(crate) series: Series,
    points: u64,
    horizon: Time,
    /// What is asked for, by instant, and the position of its answer.
    wanted: Vec<(Time, TaskId, usize)>,
    asked: usize,
    pub(crate) states: Vec<(&'static str, Option<WorkerId>)>,
    /// Outcomes of tasks that are asked for.
    outcomes: BTreeMap<TaskId, Option<Outcome>>,
    keep_starts: bool,
    pub(crate) starts: Vec<TaskId>,
    /// The next instant at which to look; [`Time::MAX`]: there is none.
    next: Time,
}

impl Samples {
    pub(crate) fn new(settings: &Settings) -> Self {
        let wanted = settings.states_wanted.iter().enumerate();
        let mut wanted: Vec<_> = wanted.map(|(index, (at, task))| (*at, *task, index)).collect();
        wanted.sort_unstable_by_key(|(at, _, index)| (*at, *index));
        let mut samples = Samples {
            points: settings.series_points as u64,
            horizon: settings.horizon,
            states: vec![("absent", None); wanted.len()],
            outcomes: wanted.iter().map(|(_, task, _)| (*task, None)).collect(),
            wanted,
            keep_starts: settings.keep_starts,
            ..Samples::default()
        };
        samples.next = samples.find_next();
        samples
    }

    fn next_point(&self) -> Option<Time> {
        let index = self.series.at.len() as u64;
        let steps = u128::from(self.points.saturating_sub(1).max(1));
        (index < self.points).then(|| {
            let micros = u128::from(self.horizon.micros()) * u128::from(index) / steps;
            Time::from_micros(u64::try_from(micros).expect("a point lies within the horizon"))
        })
    }

    fn find_next(&self) -> Time {
        let state = self.wanted.get(self.asked).map(|(at, ..)| *at);
        self.next_point().into_iter().chain(state).min().unwrap_or(Time::MAX)
    }

    /// The world stands as it is before `to` (and at it, where `inclusive`).
    #[inline]
    pub(crate) fn advance(&mut self, to: Time, inclusive: bool, ledger: &Ledger) {
        if self.next <= to {
            self.look_until(to, inclusive, ledger);
        }
    }

    #[cold]
    fn look_until(&mut self, to: Time, inclusive: bool, ledger: &Ledger) {
        while self.next < to || (inclusive && self.next == to && to < Time::MAX) {
            self.look(self.next, ledger);
            self.next = self.find_next();
        }
    }

    fn look(&mut self, at: Time, ledger: &Ledger) {
        if self.next_point() == Some(at) {
            let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
            self.series.at.push(at);
            self.series.queues.push(count(ledger.tally.queues()));
            self.series.workers.push(count(ledger.tally.workers_up()));
            self.series.backlog.push(count(ledger.tally.waiting.count()));
        }
        while let Some((_, task, index)) = self.wanted.get(self.asked).copied().filter(|(when, ..)| *when == at) {
            self.states[index] = self.state(task, ledger);
            self.asked += 1;
        }
    }

    fn state(&self, task: TaskId, ledger: &Ledger) -> (&'static str, Option<WorkerId>) {
        match self.outcomes.get(&task).copied().flatten() {
            Some(Outcome::Completed) => return ("completed", None),
            Some(Outcome::Failed) => return ("failed", None),
            Some(Outcome::Cancelled) => return ("cancelled", None),
            None => {}
        }
        let Some(rec) = ledger.tasks.get(task) else { return ("absent", None) };
        let executes = ledger.workers.iter().find(|(_, worker)| worker.attempts.iter().any(|one| one.task == task));
        match (executes, rec.place) {
            (Some((worker, _)), _) => ("running", Some(worker)),
            (None, Place::Parked | Place::AtMax) => ("parked", None),
            (None, Place::Queue(_) | Place::Nowhere) => ("waiting", None),
        }
    }

    /// Whether outcomes of tasks are asked for.
    pub(crate) fn asks_of_outcomes(&self) -> bool {
        !self.outcomes.is_empty()
    }

    /// Notes what the ledger does not show.
    pub(crate) fn note(&mut self, fact: &Fact<'_>) {
        if let Fact::Settled { task, outcome } = fact
            && let Some(slot) = self.outcomes.get_mut(task)
        {
            slot.get_or_insert(*outcome);
        }
    }

    /// A task starts for the first time.
    #[inline(always)]
    pub(crate) fn first_start(&mut self, task: TaskId) {
        if self.keep_starts {
            self.starts.push(task);
        }
    }
}
