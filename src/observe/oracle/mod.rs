//! The oracle: judges every promise from facts, one property a file.
//!
//! Each fact is judged against the ledger as it was *before* the fact; what concerns a length of time is judged when
//! time moves on. Notes name queues and their owners, for no other account of them exists; what acquits is physical.

mod affinity;
mod attempts;
mod drains;
mod effects;
mod exclusion;
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

use super::ledger::{Known, Ledger, TaskRec, WorkerRec};
use super::{Settings, Violation};
use crate::base::names::PropertySet;
use crate::base::{Claim, Note, Property, QueueId, ResourceId, Span, TaskId, Ticket, Time, WorkerId};
use crate::fact::{EffectAnswer, Fact};
pub use drains::DrainBound;

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
struct Start<'a> {
    now: Time,
    task: TaskId,
    worker: WorkerId,
    queue: QueueId,
    ticket: Ticket,
    /// `None`: there is no such unsettled task.
    rec: Option<&'a TaskRec>,
    claims: &'a [Claim],
    /// `None`: nothing was heard of this worker.
    by: Option<&'a WorkerRec>,
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
        self.work_conserving.advance(ledger, &mut self.docket);
        self.drains.advance(ledger);
    }

    /// Judges a fact that happens at `now`, before the ledger takes it in.
    #[inline(always)]
    pub(crate) fn judge(&mut self, now: Time, fact: &Fact<'_>, known: &Known<'_>, ledger: &Ledger) {
        let docket = &mut self.docket;
        match *fact {
            Fact::Settled { task, outcome } => {
                no_loss::settled(now, task, outcome, known.task, ledger, docket);
                idempotence::settled(now, task, outcome, known.task, ledger, docket);
                self.outcomes.settled(now, task, outcome, known.task, docket);
            }
            Fact::Submitted { .. } => self.drains.disturbed(),
            Fact::Started { task, worker, queue, ticket, .. } => {
                let Known { task: rec, claims, worker: by, .. } = *known;
                let start = Start { now, task, worker, queue, ticket, rec, claims, by };
                no_loss::started(&start, ledger, docket);
                attempts::started(&start, ledger, docket);
                order::started(&start, ledger, docket);
                quiesce::started(&start, docket);
                idempotence::started(&start, docket);
                self.no_starvation.started(&start, ledger, docket);
                self.exclusion.started(&start, ledger);
                self.outcomes.started(now, task, worker, docket);
            }
            Fact::Ended { task, worker, ticket, end } => {
                self.exclusion.ended(now, worker, Some(ticket), docket);
                self.outcomes.ended(now, task, worker, end, docket);
            }
            Fact::CancelAsked { task } => self.outcomes.cancel_asked(now, task, ledger),
            Fact::Effect { task, worker, queue, epoch, answer: EffectAnswer::Accepted, .. } => {
                effects::accepted(now, &effects::Accepted { task, worker, queue, epoch }, known.task, ledger, docket);
            }
            Fact::WorkerPaused { worker } => {
                self.exclusion.paused(now, worker);
                self.orphan_bound.lost(now, worker, ledger);
                self.came_between(now);
            }
            Fact::WorkerResumed { worker } => {
                self.exclusion.resumed(now, worker, ledger);
                self.orphan_bound.resumed(worker, ledger);
                self.came_between(now);
            }
            Fact::WorkerGone { worker, exit } => {
                quiesce::passed_on(now, worker, self.repeat, ledger, docket);
                quiesce::gone(now, worker, exit, self.answer_bound, ledger, docket);
                self.exclusion.ended(now, worker, None, docket);
                self.orphan_bound.lost(now, worker, ledger);
                self.came_between(now);
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
                self.came_between(now);
            }
            Fact::WorkerReady { .. }
            | Fact::QuiesceAsked { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageOvertook { .. }
            | Fact::EngineDown { .. }
            | Fact::EngineUp { .. }
            | Fact::EngineHeld { .. } => self.came_between(now),
            Fact::Noted(Note::QueueRevoking { queue, worker, why }) => {
                self.settles.revoking(now, queue, worker, why, self.drains.healed_at(now), docket);
            }
            Fact::Noted(Note::Placed { task, queue }) => {
                affinity::placed(now, task, queue, known.task, ledger, docket);
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
                Note::QueueOrphaned { .. }
                | Note::QueueVacant { .. }
                | Note::QueueDraining { .. }
                | Note::QueueRevived { .. }
                | Note::Parked { .. }
                | Note::Requeued { .. }
                | Note::WorkerLost { .. },
            )
            | Fact::WorkerArrived { .. }
            | Fact::Effect { .. }
            | Fact::Reported { .. }
            | Fact::Held { .. }
            | Fact::Dropped { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageArrived { .. }
            | Fact::Poisoned { .. } => {}
        }
    }

    /// A fault, or an order from outside.
    fn came_between(&mut self, now: Time) {
        self.drains.disturbed();
        self.outcomes.disturbed(now);
    }

    /// The end of the run: what is still going on ends here.
    pub(crate) fn finish(&mut self, ledger: &Ledger) {
        let docket = &mut self.docket;
        self.exclusion.finish(ledger.now, docket);
        self.work_conserving.finish(ledger.now, docket);
        self.no_loss.finish(ledger, docket);
        quiesce::finish(self.repeat, ledger, docket);
        self.outcomes.finish(ledger, docket);
        self.drains.finish(ledger, docket);
        self.settles.finish(self.drains.healed_at(ledger.now), ledger, docket);
        docket.examples.sort_by_key(|violation| (violation.at, violation.property));
    }
}
