//! work_conserving: no length of time with the engine up and the head of a queue runnable and not executing, the queue
//! owned and not revoking, its owner holding a valid grant, idle, healthy and not quiescing, and no message to or from it
//! in flight. A lost message and a new engine excuse until the next heartbeat was answered. Nor any length of time with a
//! runnable task in no queue, unless it waits for an empty one. One breach per stretch of time. Only queues of which
//! something changed are looked at, and those whose excuse is over.

use std::collections::BTreeSet;

use super::super::ledger::{Brain, Doing};
use super::{Breach, Docket, Ledger};
use crate::base::{IdVec, Property, QueueId, Span, TaskId, Time, WorkerId};

/// The shortest length of time.
const MOMENT: Span = Span::from_micros(1);

#[derive(Debug)]
pub(super) struct WorkConserving {
    /// A lost message, or a new engine, excuses for so long: until the next heartbeat is answered.
    excuse: Span,
    stalls: IdVec<QueueId, Option<Stall>>,
    /// Queues that would stall but for an excuse, by the last instant that it covers.
    excused: BTreeSet<(Time, QueueId)>,
    /// A runnable task is in no queue since.
    stray: Option<(Time, TaskId)>,
}

#[derive(Clone, Copy, Debug)]
struct Stall {
    since: Time,
    task: TaskId,
    worker: WorkerId,
}

/// How a queue stands.
enum State {
    Fine,
    /// It stalls, and that is nobody's fault until after this instant.
    Excused(Time),
    /// Its head waits for its idle owner.
    Stalled(TaskId, WorkerId),
}

impl WorkConserving {
    pub(super) fn new(excuse: Span) -> Self {
        WorkConserving { excuse, stalls: IdVec::new(), excused: BTreeSet::new(), stray: None }
    }

    /// Time moves from `ledger.now` to `to`.
    #[inline(always)]
    pub(super) fn advance(&mut self, to: Time, ledger: &Ledger, docket: &mut Docket) {
        if ledger.tally.stray == 0 || !ledger.has_placements || ledger.brain != Brain::Up {
            if self.stray.is_some() {
                self.no_stray(ledger.now, docket);
            }
        } else if self.stray.is_none() {
            self.find_stray(ledger);
        }
        for queue in &ledger.touched {
            let state = state(*queue, ledger.now, self.excuse, ledger);
            if !matches!(state, State::Fine) || self.stalls.get(*queue).is_some_and(Option::is_some) {
                self.enter(*queue, &state, ledger.now, docket);
            }
        }
        if !self.excused.is_empty() {
            self.end_excuses(to, ledger, docket);
        }
    }

    /// Excuses that are over before `to`: nothing need happen at that instant.
    #[cold]
    fn end_excuses(&mut self, to: Time, ledger: &Ledger, docket: &mut Docket) {
        while let Some((until, queue)) = self.excused.first().copied().filter(|(until, _)| *until < to) {
            self.excused.pop_first();
            let state = state(queue, until + MOMENT, self.excuse, ledger);
            self.enter(queue, &state, until, docket);
        }
    }

    /// The queue stalls from here on, still does, or no longer.
    #[cold]
    fn enter(&mut self, queue: QueueId, state: &State, now: Time, docket: &mut Docket) {
        let stalled = match *state {
            State::Fine => None,
            State::Excused(until) => {
                self.excused.insert((until, queue));
                None
            }
            State::Stalled(task, worker) => Some((task, worker)),
        };
        let slot = self.stalls.grow_to(queue);
        match (stalled, *slot) {
            (None, None) => {}
            (Some((task, worker)), None) => *slot = Some(Stall { since: now, task, worker }),
            (Some((task, worker)), Some(stall)) if stall.task == task && stall.worker == worker => {}
            (other, Some(stall)) => {
                accuse(queue, stall, now, docket);
                *slot = other.map(|(task, worker)| Stall { since: now, task, worker });
            }
        }
    }

    #[cold]
    fn find_stray(&mut self, ledger: &Ledger) {
        let stray = ledger.tasks.iter().find(|(_, rec)| rec.is_stray());
        self.stray = stray.map(|(task, _)| (ledger.now, task));
    }

    /// Every runnable task is in a queue from here on, or the run is over.
    #[cold]
    fn no_stray(&mut self, now: Time, docket: &mut Docket) {
        if let Some((since, task)) = self.stray.take() {
            let lasted = now.since(since);
            docket.accuse(Property::WorkConserving, since, || Breach {
                tasks: vec![task],
                lasted: Some(lasted),
                cause: format!("{{t:{}}} could have executed and was in no queue for {lasted}", task.0),
                ..Breach::default()
            });
        }
    }

    pub(super) fn finish(&mut self, now: Time, docket: &mut Docket) {
        self.no_stray(now, docket);
        for (queue, stall) in self.stalls.iter() {
            if let Some(stall) = stall.filter(|stall| stall.since < now) {
                accuse(queue, stall, now, docket);
            }
        }
    }
}

/// How a queue stands at `now`, where the world has stood still since `ledger.now`.
#[inline(always)]
fn state(queue: QueueId, now: Time, excuse: Span, ledger: &Ledger) -> State {
    let rec = &ledger.queues[queue];
    let Some(worker) = rec.owner.filter(|_| rec.exists && !rec.revoking) else { return State::Fine };
    let owner = &ledger.workers[worker];
    if owner.doing() != Doing::Idle || owner.in_flight > 0 || ledger.brain != Brain::Up {
        return State::Fine;
    }
    let Some(task) = ledger.head(queue) else { return State::Fine };
    let head = &ledger.tasks[task];
    let holds =
        || rec.grants.iter().any(|grant| grant.worker == worker && grant.epoch == rec.epoch && grant.is_valid(now));
    if head.uncleared > 0 || head.open > 0 || !holds() {
        return State::Fine;
    }
    match owner.lost_at.max(ledger.engine_up_at).map(|at| at.saturating_add(excuse)) {
        Some(until) if now <= until => State::Excused(until),
        Some(_) | None => State::Stalled(task, worker),
    }
}

fn accuse(queue: QueueId, stall: Stall, until: Time, docket: &mut Docket) {
    let Stall { since, task, worker } = stall;
    let lasted = until.since(since);
    docket.accuse(Property::WorkConserving, since, || Breach {
        tasks: vec![task],
        queue: Some(queue),
        workers: vec![worker],
        lasted: Some(lasted),
        cause: format!(
            "{{w:{}}} was idle for {lasted} while {{t:{}}}, first in its queue {{q:{}}}, could have executed",
            worker.0, task.0, queue.0
        ),
        ..Breach::default()
    });
}
