//! The one reconstruction of the world from facts. Metrics and the oracle read it; nobody else writes it.
//!
//! Every fact costs O(1) (plus O(claims)), and memory follows what is unsettled: nothing is kept of a settled task.

mod attempts;
mod level;
mod lists;
mod places;
mod queues;
mod records;
mod table;
mod tasks;
mod waits;
mod workers;

pub(crate) use records::{
    Attempt, Brain, Care, Claimant, Doing, Phase, Place, QueueRec, ResourceRec, Running, TaskRec, WorkerRec,
};

pub(crate) use level::Level;

use attempts::count_loss;
pub(crate) use attempts::{Begun, EffectsBefore, FirstStart, Over};
use records::{Grant, Outlived};
use table::TaskTable;

use crate::base::note::ParkReason;
use crate::base::{IdVec, Note, QueueId, ResourceId, TaskId, Time, WorkerId};
use crate::fact::{EffectAnswer, Fact};

/// How many there are of what.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Tally {
    pub(crate) in_system: Level,
    /// Unsettled and with no open attempt.
    pub(crate) waiting: Level,
    /// Waiting with nothing in conflict ahead.
    pub(crate) runnable: Level,
    pub(crate) parked: Level,
    /// Tasks that could execute and have no place: see [`TaskRec::is_stray`].
    pub(crate) stray: u64,
    pub(crate) active: Level,
    pub(crate) draining: Level,
    /// Non-empty reserving queues by [`Care`].
    pub(crate) nonempty: [Level; 3],
    /// Workers by [`Doing`].
    pub(crate) workers: [Level; Doing::COUNT],
}

impl Tally {
    pub(crate) fn queues(&self) -> u64 {
        self.active.count() + self.draining.count()
    }
    pub(crate) fn doing(&self, doing: Doing) -> u64 {
        self.workers[doing as usize].count()
    }
    /// A worker does something else.
    #[inline(always)]
    fn does(&mut self, before: Doing, after: Doing, now: Time) {
        if before != after {
            self.workers[before as usize].fall(now);
            self.workers[after as usize].rise(now);
        }
    }
    pub(crate) fn workers_up(&self) -> u64 {
        self.doing(Doing::Busy)
            + self.doing(Doing::BusyQuiescing)
            + self.doing(Doing::Idle)
            + self.doing(Doing::IdleQuiescing)
            + self.doing(Doing::Paused)
    }
}

/// Why a task waited, µs by reason, in the order of [`REASONS`]. They add up to the wait.
pub(crate) type Reasons = [u64; REASONS.len()];

/// The metrics of the reasons.
pub(crate) const REASONS: [&str; 6] =
    ["wait.blocked", "wait.parked", "wait.behind", "wait.owner_busy", "wait.no_owner", "wait.dispatch"];

/// The position of "behind" in [`REASONS`].
pub(crate) const BEHIND: usize = 2;

/// What a fact changed that the ledger does not show afterwards.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing of that kind.
    Other,
    /// A queue was granted; whether to another worker than before.
    Owned {
        /// To another worker than its previous owner.
        moved: bool,
    },
    /// A worker is gone.
    Gone {
        /// When it had come up.
        arrived: Time,
    },
}

/// The world as facts tell it.
#[derive(Default, Debug)]
pub(crate) struct Ledger {
    pub(crate) now: Time,
    /// The number of this instant: how often time has moved on.
    instant: u64,
    pub(crate) tasks: TaskTable,
    pub(crate) resources: IdVec<ResourceId, ResourceRec>,
    pub(crate) workers: IdVec<WorkerId, WorkerRec>,
    pub(crate) queues: IdVec<QueueId, QueueRec>,
    pub(crate) tally: Tally,
    pub(crate) submitted: u64,
    pub(crate) settled: u64,
    pub(crate) brain: Brain,
    /// When an engine was last restored.
    pub(crate) engine_up_at: Option<Time>,
    /// When something last happened of which the engine may learn late: a fault, or an order from outside.
    pub(crate) unclear_at: Option<Time>,
    /// Since when the engine is what it is: up, held, or down.
    pub(crate) brain_since: Time,
    /// The attempt's end that an engine was last told of: when, and of which task.
    heard: Option<(Time, TaskId)>,
    /// What all unsettled tasks demand, µs.
    pub(crate) work: u64,
    /// Unsettled tasks that execute for ever.
    pub(crate) endless: u64,
    /// Whether the engine says where tasks are.
    pub(crate) has_placements: bool,
    /// Queues of which something changed since time last moved.
    pub(crate) touched: Vec<QueueId>,
    /// Since time last moved, queues came, went or began to drain, or the engine or the limits of the pool changed.
    pub(crate) pool_touched: bool,
    /// Clocks of the general queue: no healthy worker, all healthy workers busy.
    general_clocks: (u64, u64),
    outlived: Vec<Outlived>,
    /// Reused by `release_claims`.
    cleared: Vec<TaskId>,
}

impl Ledger {
    /// Moves time on; what changed at the last instant has been looked at.
    #[inline(always)]
    pub(crate) fn advance(&mut self, now: Time) {
        let passed = now.since(self.now).micros();
        if self.tally.doing(Doing::Idle) == 0 {
            if self.tally.doing(Doing::Busy) == 0 {
                self.general_clocks.0 += passed;
            } else {
                self.general_clocks.1 += passed;
            }
        }
        self.instant += 1;
        self.touched.clear();
        self.pool_touched = false;
        self.now = now;
    }

    /// Enters a fact that happens at `self.now`.
    #[inline(always)]
    pub(crate) fn apply(&mut self, fact: &Fact<'_>) -> Step {
        if disturbs(fact) {
            self.unclear_at = Some(self.now);
        }
        match *fact {
            Fact::Submitted { task, class, claims, service } => self.submit(task, class, claims, service),
            Fact::Settled { task, .. } => self.settle(task),
            Fact::Started { task, worker, queue, epoch, ticket } => {
                self.start(Attempt::new(task, ticket, queue, epoch), worker);
            }
            Fact::Ended { worker, ticket, end, .. } => {
                self.end(worker, ticket, end);
            }
            Fact::Effect { task, queue, epoch, answer: EffectAnswer::Accepted, .. } => {
                self.accept(task, queue, epoch);
            }
            Fact::Effect { worker, ticket, answer: EffectAnswer::Refused, .. } => self.refuse(worker, ticket),
            Fact::Effect { answer: EffectAnswer::AlreadyDone, .. } => {}
            Fact::Reported { worker, ticket, .. } => {
                self.report(worker, ticket);
            }
            Fact::WorkerArrived { worker } => {
                let now = self.now;
                self.workers.grow_to(worker).arrived = now;
                self.change(worker, |rec| rec.phase = Phase::Starting);
            }
            Fact::WorkerReady { worker } => {
                let now = self.now;
                self.change(worker, |rec| {
                    rec.phase = Phase::Up;
                    rec.ready = now;
                });
            }
            Fact::WorkerPaused { worker } => self.change(worker, |rec| rec.paused = true),
            Fact::WorkerResumed { worker } => {
                let now = self.now;
                self.change(worker, |rec| {
                    rec.paused = false;
                    rec.resumed = now;
                });
            }
            Fact::QuiesceAsked { worker } => {
                let now = self.now;
                self.workers.grow_to(worker).asked_to_leave.get_or_insert(now);
            }
            Fact::QuiesceDelivered { worker, deadline } => self.change(worker, |rec| rec.deadline = Some(deadline)),
            Fact::WorkerGone { worker, .. } => return self.gone(worker),
            Fact::Held { worker, queue, epoch, until } => self.hold(worker, queue, Grant { worker, epoch, until }),
            Fact::Dropped { worker, queue, epoch } => self.drop_grant(worker, queue, Some(epoch)),
            Fact::MessageSent { worker } => {
                self.workers.grow_to(worker).in_flight += 1;
                self.touch_queues_of(worker);
            }
            Fact::MessageArrived { worker } => {
                let rec = self.workers.grow_to(worker);
                rec.in_flight = rec.in_flight.saturating_sub(1);
                self.touch_queues_of(worker);
            }
            Fact::MessageLost { worker } | Fact::MessageOvertook { worker } => {
                let now = self.now;
                let rec = self.workers.grow_to(worker);
                rec.lost_at = Some(now);
                if matches!(fact, Fact::MessageLost { .. }) {
                    rec.cut_off_at = Some(now);
                }
                self.touch_queues_of(worker);
            }
            Fact::Poisoned { task, never_ends } => self.poison(task, never_ends),
            Fact::EngineDown { .. } => {
                self.engine_down();
                self.engine_is(Brain::Down);
            }
            Fact::EngineUp { .. } => {
                self.engine_up_at = Some(self.now);
                // It takes as owned what its predecessor was taking back.
                self.queues.values_mut().for_each(|rec| rec.revoking = false);
                self.engine_is(Brain::Up);
            }
            Fact::EngineHeld { held } => self.engine_is(if held { Brain::Held } else { Brain::Up }),
            Fact::Noted(note) => return self.note(note),
            Fact::LimitsSet { .. } => self.pool_touched = true,
            Fact::CancelAsked { .. } => {}
        }
        Step::Other
    }

    fn engine_is(&mut self, brain: Brain) {
        self.brain = brain;
        self.brain_since = self.now;
        self.pool_touched = true;
        let queues: Vec<QueueId> = self.queues.iter().map(|(queue, _)| queue).collect();
        for queue in queues {
            self.touch(queue);
        }
    }

    #[inline(always)]
    fn note(&mut self, note: Note) -> Step {
        match note {
            Note::Placed { task, queue } => {
                self.place(task, queue);
            }
            Note::Parked { task, why } => {
                self.park(task, if why == ParkReason::AtMax { Place::AtMax } else { Place::Parked });
            }
            Note::QueueCreated { queue } => {
                self.queues.grow_to(queue).exists = true;
                self.tally.active.rise(self.now);
                self.pool_touched = true;
            }
            Note::QueueOwned { queue, worker, epoch, .. } => return self.own(queue, worker, epoch),
            Note::QueueRevoking { queue, .. } => {
                self.queues.grow_to(queue).revoking = true;
                self.touch(queue);
            }
            Note::QueueOrphaned { queue, .. } => {
                self.queues.grow_to(queue).orphaned_at = Some(self.now);
                self.set_owner(queue, None, Care::Orphaned);
            }
            Note::QueueVacant { queue } => self.set_owner(queue, None, Care::Vacant),
            Note::QueueDraining { queue } => self.set_draining(queue, true),
            Note::QueueRevived { queue } => self.set_draining(queue, false),
            Note::QueueDeleted { queue } => self.delete(queue),
            Note::WorkerLost { worker } => {
                for attempt in self.workers.grow_to(worker).attempts.iter_mut() {
                    count_loss(&mut self.tasks, attempt);
                }
            }
            Note::Requeued { .. } => {}
        }
        Step::Other
    }
}

/// A fault, or an order from outside to a worker: the engine may learn late of what it means for its own orders. Whoever
/// joins and new limits take nothing away that was ordered: the queues that are moved for them say so themselves.
#[inline]
pub(crate) fn disturbs(fact: &Fact<'_>) -> bool {
    matches!(
        fact,
        Fact::WorkerGone { .. }
            | Fact::WorkerPaused { .. }
            | Fact::WorkerResumed { .. }
            | Fact::QuiesceAsked { .. }
            | Fact::QuiesceDelivered { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageOvertook { .. }
            | Fact::EngineDown { .. }
            | Fact::EngineUp { .. }
            | Fact::EngineHeld { .. }
    )
}
