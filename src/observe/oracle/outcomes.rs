//! outcomes: every outcome has its cause, and a task that its client gave up is not carried on with.
//!
//! Nothing is cancelled unasked, nor when its effect is in the store and no fault hit the attempt. Nothing fails unless an
//! attempt failed by itself or was hit by a fault (that its client had it stopped is none), or something came in between
//! that may have hit the order to start it. A task that was given up begins nothing and ends nothing once the word has
//! surely arrived, and is settled within the time in which a lost worker is noticed and its lease is over. Whatever comes
//! in between makes that count anew.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ledger::{Brain, TaskRec};
use super::{Breach, Docket, Ledger};
use crate::base::{Outcome, Property, Span, TaskId, Time, WorkerId};
use crate::fact::AttemptEnd;

/// A client's wish.
#[derive(Debug)]
struct GivenUp {
    at: Time,
    /// Attempts that were stopped since.
    aborted: u32,
}

#[derive(Debug)]
pub(super) struct Outcomes {
    /// The longest that it takes until an attempt is stopped, where nothing comes in between.
    stopped: Span,
    /// Within so much of what came in between all is as if it had not.
    recovers: Span,
    disturbed: Time,
    /// Unsettled tasks that their clients gave up.
    given_up: BTreeMap<TaskId, GivenUp>,
    /// Unsettled tasks of which an attempt failed by itself.
    failed: BTreeSet<TaskId>,
}

impl Outcomes {
    pub(super) fn new(stopped: Span, recovers: Span) -> Self {
        let (given_up, failed) = (BTreeMap::new(), BTreeSet::new());
        Outcomes { stopped, recovers, disturbed: Time::ZERO, given_up, failed }
    }

    /// A fault, or an order from outside to a worker.
    pub(super) fn disturbed(&mut self, now: Time) {
        self.disturbed = now;
    }

    pub(super) fn cancel_asked(&mut self, now: Time, task: TaskId, ledger: &Ledger) {
        if ledger.tasks.contains(task) {
            self.given_up.entry(task).or_insert(GivenUp { at: now, aborted: 0 });
        }
    }

    /// When the word of a client has surely had its effect.
    fn arrives(&self, given_up: &GivenUp) -> Time {
        if self.is_calm(given_up.at) { given_up.at.saturating_add(self.stopped) } else { self.recovered(given_up) }
    }

    /// Whether nothing came in between of late.
    fn is_calm(&self, at: Time) -> bool {
        self.disturbed.saturating_add(self.recovers) < at
    }

    fn recovered(&self, given_up: &GivenUp) -> Time {
        given_up.at.max(self.disturbed).saturating_add(self.recovers)
    }

    #[inline(always)]
    pub(super) fn started(&self, now: Time, task: TaskId, worker: WorkerId, docket: &mut Docket) {
        if !self.given_up.is_empty() {
            self.carried_on(now, task, worker, "began", docket);
        }
    }

    #[inline(always)]
    pub(super) fn ended(&mut self, now: Time, task: TaskId, worker: WorkerId, end: AttemptEnd, docket: &mut Docket) {
        match end {
            AttemptEnd::Completed if self.given_up.is_empty() => {}
            AttemptEnd::Completed => self.carried_on(now, task, worker, "ran to its end", docket),
            AttemptEnd::Failed => drop(self.failed.insert(task)),
            AttemptEnd::Aborted => {
                if let Some(given_up) = self.given_up.get_mut(&task) {
                    given_up.aborted += 1;
                }
            }
            AttemptEnd::SelfFenced | AttemptEnd::Died => {}
        }
    }

    #[cold]
    fn carried_on(&self, now: Time, task: TaskId, worker: WorkerId, what: &str, docket: &mut Docket) {
        let Some(given_up) = self.given_up.get(&task).filter(|given_up| self.arrives(given_up) < now) else { return };
        docket.accuse(Property::Outcomes, now, || Breach {
            tasks: vec![task],
            workers: vec![worker],
            lasted: Some(now.since(given_up.at)),
            cause: format!("{{t:{}}} was given up at {} and {what} on {{w:{}}}", task.0, given_up.at, worker.0),
            ..Breach::default()
        });
    }

    #[inline(always)]
    pub(super) fn settled(
        &mut self,
        now: Time,
        task: TaskId,
        outcome: Outcome,
        rec: Option<&TaskRec>,
        docket: &mut Docket,
    ) {
        if let Some(rec) = rec
            && (outcome != Outcome::Completed || !self.given_up.is_empty() || !self.failed.is_empty())
        {
            self.look(now, task, outcome, rec, docket);
        }
    }

    #[cold]
    fn look(&mut self, now: Time, task: TaskId, outcome: Outcome, rec: &TaskRec, docket: &mut Docket) {
        let given_up = self.given_up.remove(&task);
        let failed = self.failed.remove(&task);
        let aborted = given_up.as_ref().map_or(0, |given_up| given_up.aborted);
        let wrong = match outcome {
            Outcome::Cancelled if given_up.is_none() => Some("cancelled, and nobody had asked for that"),
            Outcome::Cancelled if rec.done && rec.lost == 0 => {
                Some("cancelled, and its effect was in the store before the report was due")
            }
            Outcome::Failed if !failed && rec.lost <= aborted && self.is_calm(now) => {
                Some("failed, and no attempt of it had")
            }
            Outcome::Cancelled | Outcome::Failed | Outcome::Completed => None,
        };
        if let Some(what) = wrong {
            docket.accuse(Property::Outcomes, now, || Breach {
                tasks: vec![task],
                cause: format!("{{t:{}}} is said to be {what}", task.0),
                ..Breach::default()
            });
        }
        if let Some(given_up) = given_up {
            self.overdue(now, task, &given_up, docket);
        }
    }

    fn overdue(&self, now: Time, task: TaskId, given_up: &GivenUp, docket: &mut Docket) {
        if self.recovered(given_up) < now {
            docket.accuse(Property::Outcomes, now, || Breach {
                tasks: vec![task],
                lasted: Some(now.since(given_up.at)),
                cause: format!("{{t:{}}} was given up at {} and not settled before {now}", task.0, given_up.at),
                ..Breach::default()
            });
        }
    }

    pub(super) fn finish(&self, ledger: &Ledger, docket: &mut Docket) {
        if ledger.brain == Brain::Up {
            for (task, given_up) in &self.given_up {
                self.overdue(ledger.now, *task, given_up, docket);
            }
        }
    }
}
