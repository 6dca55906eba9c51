//! The oracle: judges every promise from facts, one property a file.
//!
//! Each fact is judged against the ledger as it was *before* the fact; what concerns a length of time is judged when
//! time moves on. Notes name queues and their owners, for no other account of them exists; what acquits is physical.

mod affinity;
mod attempts;
mod drains;
mod effects;
mod exclusion;
mod general_queue;
mod idempotence;
mod no_loss;
mod no_starvation;
mod order;
mod orphan_bound;
mod outcomes;
mod ownership;
mod pool_bounds;
mod quiesce;
mod recovery;
mod settles;
mod work_conserving;

use super::ledger::{Ledger, TaskRec, WorkerRec, disturbs};
use super::{Settings, Violation};
use crate::base::names::PropertySet;
use crate::base::note::GrantReason;
use crate::base::{Note, Outcome, Property, QueueId, ResourceId, Span, TaskId, Ticket, Time, WorkerId};
use crate::fact::{AttemptEnd, Fact};
pub use drains::DrainBound;
pub(crate) use effects::Accepted;

/// Collects breaches: all are counted, a few of each property are kept.
#[derive(Default, Debug)]
pub(crate) struct Docket {
    pub(crate) counts: [u64; Property::COUNT],
    /// Breaches of these are outside of what the engine may count on, and counted apart.
    excused: PropertySet,
    pub(crate) outside: [u64; Property::COUNT],
    pub(crate) examples: Vec<Violation>,
}

/// A breach as a property finds it.
#[derive(Default, Debug)]
struct Breach {
    tasks: Vec<TaskId>,
    resource: Option<ResourceId>,
    queue: Option<QueueId>,
    workers: Vec<WorkerId>,
    lasted: Option<Span>,
    cause: String,
}

impl Docket {
    /// So many breaches of a property are kept in full.
    const EXAMPLES: u64 = 5;

    #[cold]
    #[inline(never)]
    fn accuse(&mut self, property: Property, at: Time, breach: impl FnOnce() -> Breach) {
        if self.excused.contains(property) {
            self.outside[property.index()] += 1;
            return;
        }
        let count = &mut self.counts[property.index()];
        *count += 1;
        if *count <= Docket::EXAMPLES {
            let Breach { tasks, resource, queue, workers, lasted, cause } = breach();
            self.examples.push(Violation { property, at, tasks, resource, queue, workers, lasted, cause });
        }
    }
}

/// An attempt begins, and what the ledger knows of its task and its worker.
#[derive(Clone, Copy)]
pub(crate) struct Start<'a> {
    pub(crate) now: Time,
    pub(crate) task: TaskId,
    pub(crate) worker: WorkerId,
    pub(crate) queue: QueueId,
    pub(crate) ticket: Ticket,
    /// `None`: there is no such unsettled task.
    pub(crate) rec: Option<&'a TaskRec>,
    /// `None`: nothing was heard of this worker.
    pub(crate) by: Option<&'a WorkerRec>,
    /// The worker owns this reserving queue and no other.
    pub(crate) is_only_queue: bool,
}

impl<'a> Start<'a> {
    /// Looks up what `ledger` knows, once for all who judge it.
    #[inline(always)]
    pub(crate) fn new(
        now: Time,
        task: TaskId,
        worker: WorkerId,
        queue: QueueId,
        ticket: Ticket,
        ledger: &'a Ledger,
    ) -> Start<'a> {
        let by = ledger.workers.get(worker);
        let is_only_queue = by.is_some_and(|by| by.owns_only(queue));
        Start { now, task, worker, queue, ticket, rec: ledger.tasks.get(task), by, is_only_queue }
    }
}

/// All properties.
#[derive(Debug)]
pub(crate) struct Oracle {
    pub(crate) docket: Docket,
    pub(crate) exclusion: exclusion::Exclusion,
    pub(crate) no_loss: no_loss::NoLoss,
    pool_bounds: pool_bounds::PoolBounds,
    orphan_bound: orphan_bound::OrphanBound,
    work_conserving: work_conserving::WorkConserving,
    general_queue: general_queue::GeneralQueue,
    /// Within this time the engine has answered whoever can be heard; `None`: not judged.
    answer_bound: Option<Span>,
    /// What is said again with each heartbeat has arrived within this time.
    repeat: Span,
    drains: drains::Drains,
    no_starvation: no_starvation::NoStarvation,
    outcomes: outcomes::Outcomes,
    settles: settles::Settles,
}

impl Oracle {
    pub(crate) fn new(settings: &Settings) -> Self {
        let answer_bound = settings.orphan_bound.map(|bound| bound.saturating_add(settings.message_slack));
        let repeat = settings.heartbeat.saturating_add(settings.message_slack);
        let stopped = settings.message_slack.saturating_add(settings.abort_takes);
        Oracle {
            answer_bound,
            repeat,
            docket: Docket { excused: settings.excused, ..Docket::default() },
            exclusion: exclusion::Exclusion::default(),
            no_loss: no_loss::NoLoss::default(),
            pool_bounds: pool_bounds::PoolBounds::default(),
            orphan_bound: orphan_bound::OrphanBound::new(settings.orphan_bound, settings.message_slack),
            work_conserving: work_conserving::WorkConserving::new(repeat),
            general_queue: general_queue::GeneralQueue {
                bound: answer_bound.map(|bound| bound.saturating_add(repeat)),
                slack: settings.message_slack,
            },
            drains: drains::Drains::new(settings.drain_bound),
            no_starvation: no_starvation::NoStarvation::default(),
            outcomes: outcomes::Outcomes::new(stopped, settings.drain_bound.once.saturating_add(stopped)),
            settles: settles::Settles::new(settings.settle_within),
        }
    }

    /// Time moves from `ledger.now` to `to`: the world stood as it is for that long.
    #[inline(always)]
    pub(crate) fn advance(&mut self, to: Time, ledger: &Ledger) {
        self.pool_bounds.advance(ledger, &mut self.docket);
        self.orphan_bound.advance(to, ledger, &mut self.docket);
        self.work_conserving.advance(to, ledger, &mut self.docket);
        self.drains.advance(ledger);
    }

    /// Judges a fact that happens at `now` and that not every task brings, before the ledger takes it in.
    pub(crate) fn judge(&mut self, now: Time, fact: &Fact<'_>, ledger: &Ledger) {
        if disturbs(fact) {
            self.drains.disturbed();
            self.outcomes.disturbed(now);
        }
        let docket = &mut self.docket;
        match *fact {
            Fact::CancelAsked { task } => self.outcomes.cancel_asked(now, task, ledger),
            Fact::WorkerPaused { worker } => {
                self.exclusion.paused(now, worker);
                self.orphan_bound.lost(now, worker, ledger);
            }
            Fact::WorkerResumed { worker } => {
                self.exclusion.resumed(now, worker, ledger);
                self.orphan_bound.resumed(worker, ledger);
            }
            Fact::WorkerGone { worker, exit } => {
                quiesce::passed_on(now, worker, self.repeat, ledger, docket);
                quiesce::gone(now, worker, exit, self.answer_bound, ledger, docket);
                self.exclusion.ended(now, worker, None, docket);
                self.orphan_bound.lost(now, worker, ledger);
            }
            Fact::Held { worker, queue, epoch, until } if !queue.is_general() => {
                ownership::held(now, worker, queue, epoch, ledger, docket);
                quiesce::held(now, worker, queue, epoch, ledger, docket);
                idempotence::held(now, worker, queue, epoch, ledger, docket);
                if until.is_some() {
                    recovery::held(now, worker, queue, epoch, ledger, docket);
                }
                self.orphan_bound.held(queue, epoch);
            }
            Fact::LimitsSet { min, max } => {
                self.pool_bounds.limits_set(min, max, ledger);
                self.drains.disturbed();
            }
            Fact::QuiesceDelivered { worker, .. } => {
                quiesce::passed_on(now, worker, self.repeat, ledger, docket);
            }
            Fact::WorkerReady { .. } => self.drains.disturbed(),
            Fact::Noted(Note::QueueRevoking { queue, worker, why: GrantReason::Relief | GrantReason::Balance }) => {
                self.settles.moved(now, queue, worker, self.drains.healed_at(now), ledger, docket);
            }
            Fact::Noted(Note::QueueOwned { queue, worker, epoch, .. }) => {
                ownership::owned(now, queue, worker, epoch, ledger, docket);
                recovery::owned(now, queue, worker, epoch, ledger, docket);
                self.orphan_bound.owned(now, queue, worker, epoch, ledger);
            }
            Fact::Noted(Note::QueueCreated { queue }) => self.settles.created(now, queue),
            Fact::Noted(Note::QueueDeleted { queue }) => {
                pool_bounds::deleted(now, queue, ledger, docket);
                self.settles.deleted(now, queue, self.drains.healed_at(now));
            }
            Fact::Noted(
                Note::Placed { .. }
                | Note::QueueRevoking { .. }
                | Note::QueueOrphaned { .. }
                | Note::QueueVacant { .. }
                | Note::QueueDraining { .. }
                | Note::QueueRevived { .. }
                | Note::Parked { .. }
                | Note::Requeued { .. }
                | Note::WorkerLost { .. },
            )
            | Fact::Submitted { .. }
            | Fact::Started { .. }
            | Fact::Ended { .. }
            | Fact::Effect { .. }
            | Fact::Reported { .. }
            | Fact::Settled { .. }
            | Fact::WorkerArrived { .. }
            | Fact::Held { .. }
            | Fact::Dropped { .. }
            | Fact::QuiesceAsked { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageArrived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageOvertook { .. }
            | Fact::EngineDown { .. }
            | Fact::EngineUp { .. }
            | Fact::EngineHeld { .. }
            | Fact::Poisoned { .. } => {}
        }
    }

    /// The end of the run: what is still going on ends here.
    pub(crate) fn finish(&mut self, ledger: &Ledger) {
        let docket = &mut self.docket;
        self.exclusion.finish(ledger.now, docket);
        self.work_conserving.finish(ledger.now, docket);
        self.general_queue.finish(ledger, docket);
        self.no_loss.finish(ledger, docket);
        quiesce::finish(self.repeat, ledger, docket);
        self.outcomes.finish(ledger, docket);
        self.drains.finish(ledger, docket);
        self.settles.finish(self.drains.healed_at(ledger.now), ledger, docket);
        docket.examples.sort_by_key(|violation| (violation.at, violation.property));
    }
}

/// The facts that every task brings, before the ledger takes them in where nothing else is said. A property says when one
/// is suspect; it is looked at closely only then.
impl Oracle {
    #[inline(always)]
    pub(crate) fn submitted(&mut self) {
        self.drains.disturbed();
    }

    /// The ledger has taken it in: others that claim the same lie in other queues.
    #[cold]
    pub(crate) fn placed_apart(&mut self, now: Time, task: TaskId, queue: QueueId, ledger: &Ledger) {
        affinity::placed_apart(now, task, queue, ledger, &mut self.docket);
    }

    #[inline(always)]
    pub(crate) fn started(&mut self, start: &Start<'_>, ledger: &Ledger) {
        let Start { now, task, worker, queue, ticket, rec, by, .. } = *start;
        let is_suspect = match (rec, by) {
            (Some(rec), Some(by)) => {
                no_loss::suspects_start(task, ledger)
                    || attempts::suspects(rec)
                    || order::suspects(rec)
                    || quiesce::suspects(by)
                    || idempotence::suspects_start(ticket, rec)
                    || no_starvation::NoStarvation::suspects(start, by, ledger)
            }
            _ => true,
        };
        if is_suspect {
            self.look_at_start(now, task, worker, queue, ticket, ledger);
        }
        self.general_queue.started(start, ledger, &mut self.docket);
        self.outcomes.started(now, task, worker, &mut self.docket);
    }

    #[cold]
    fn look_at_start(
        &mut self,
        now: Time,
        task: TaskId,
        worker: WorkerId,
        queue: QueueId,
        ticket: Ticket,
        ledger: &Ledger,
    ) {
        let docket = &mut self.docket;
        let start = &Start::new(now, task, worker, queue, ticket, ledger);
        no_loss::started(start, ledger, docket);
        attempts::started(start, ledger, docket);
        order::started(start, ledger, docket);
        quiesce::started(start, docket);
        idempotence::started(start, docket);
        self.no_starvation.started(start, ledger, docket);
    }

    #[inline(always)]
    pub(crate) fn ended(&mut self, now: Time, task: TaskId, worker: WorkerId, ticket: Ticket, end: AttemptEnd) {
        self.exclusion.ended(now, worker, Some(ticket), &mut self.docket);
        self.outcomes.ended(now, task, worker, end, &mut self.docket);
    }

    /// The ledger has taken it in: of what was there before, it holds what is later.
    #[inline(always)]
    pub(crate) fn accepted(&mut self, now: Time, it: &Accepted, ledger: &Ledger) {
        if effects::suspects(it) {
            self.look_at_effect(now, *it, ledger);
        }
    }

    #[cold]
    fn look_at_effect(&mut self, now: Time, it: Accepted, ledger: &Ledger) {
        effects::accepted(now, &it, ledger, &mut self.docket);
    }

    #[inline(always)]
    pub(crate) fn settled(
        &mut self,
        now: Time,
        task: TaskId,
        outcome: Outcome,
        rec: Option<&TaskRec>,
        ledger: &Ledger,
    ) {
        let suspects = |rec: &TaskRec| {
            no_loss::suspects_settlement(outcome, rec) || idempotence::suspects_settlement(outcome, rec)
        };
        if rec.is_none_or(suspects) {
            self.look_at_settlement(now, task, outcome, ledger);
        }
        self.outcomes.settled(now, task, outcome, rec, &mut self.docket);
    }

    #[cold]
    fn look_at_settlement(&mut self, now: Time, task: TaskId, outcome: Outcome, ledger: &Ledger) {
        no_loss::settled(now, task, outcome, ledger, &mut self.docket);
        idempotence::settled(now, task, outcome, ledger, &mut self.docket);
    }
}
