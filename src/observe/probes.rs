//! What happened at least once: tells a test that has tested something from one that has not.

use super::ledger::{Attempt, BEHIND, Doing, Known, Ledger, Phase, WorkerRec};
use crate::base::names::ProbeSet;
use crate::base::note::{GrantReason, ParkReason};
use crate::base::{Claim, Epoch, Mode, Note, Outcome, Probe, QueueId, Ticket, Time, WorkerId};
use crate::fact::{AttemptEnd, EffectAnswer, Exit, Fact};

#[derive(Default, Debug)]
pub(crate) struct Probes {
    pub(crate) hit: ProbeSet,
    has_limits: bool,
}

impl Probes {
    /// The world stood as it is in the ledger for some time.
    #[inline]
    pub(crate) fn advance(&mut self, ledger: &Ledger) {
        let tally = &ledger.tally;
        if tally.nonempty[1].count() + tally.nonempty[2].count() > 0 && tally.workers_up() == tally.doing(Doing::Paused)
        {
            self.hit.hit(Probe::NoWorkers);
        }
    }

    /// Looks at a fact that the ledger has not taken in.
    #[inline(always)]
    pub(crate) fn enter(&mut self, now: Time, fact: &Fact<'_>, known: &Known<'_>, ledger: &Ledger) {
        match *fact {
            Fact::Started { task, queue, .. } => {
                self.when(known.waited.is_some_and(|reasons| reasons[BEHIND] > 0), Probe::FalseSerialisation);
                let claims = known.claims;
                let queues = known.worker.map_or(&[][..], |rec| &rec.queues);
                self.when(claims.len() > 1, Probe::MultiResource);
                self.when(queue.is_general() && known.worker.is_some() && queues.is_empty(), Probe::SurplusOnGeneral);
                self.when(claims.iter().any(|claim| shares(*claim, ledger)), Probe::SharedTogether);
                let first = |queue: &QueueId| ledger.head(*queue).is_some_and(|head| head < task);
                self.when(queues.len() > 1 && queues.iter().any(first), Probe::PassedOver);
            }
            Fact::Ended { ticket, end, .. } if end != AttemptEnd::Completed || ledger.has_placements => {
                self.when(end == AttemptEnd::SelfFenced, Probe::SelfFenced);
                let zombie = known.worker.is_some_and(|rec| is_zombie(now, ticket, rec, ledger));
                self.when(zombie && end != AttemptEnd::Died, Probe::ZombieExecuting);
            }
            Fact::Reported { queue, epoch, ticket, .. } => {
                let same = |attempt: &Attempt| attempt.ticket == ticket;
                let stale = known.worker.is_none_or(|rec| !rec.attempts.iter().any(same));
                self.when(stale, Probe::StaleReport);
                self.when(granted_anew(queue, epoch, ledger), Probe::ZombieReported);
            }
            Fact::Effect { answer, .. } => {
                self.when(answer == EffectAnswer::Refused, Probe::EffectRefused);
                self.when(answer == EffectAnswer::AlreadyDone, Probe::EffectAlreadyDone);
            }
            Fact::Settled { outcome, .. } => {
                self.when(outcome == Outcome::Cancelled, Probe::TaskCancelled);
                self.when(outcome == Outcome::Failed, Probe::TaskFailed);
            }
            Fact::MessageLost { .. } => self.hit.hit(Probe::MessageLost),
            Fact::MessageOvertook { .. } => self.hit.hit(Probe::MessageOvertook),
            Fact::Poisoned { .. } => self.hit.hit(Probe::PoisonTask),
            Fact::EngineUp { .. } => {
                self.hit.hit(Probe::EngineRestored);
                self.when(ledger.tally.in_system.count() > 0, Probe::RestoredWithTasks);
                let leased = ledger.queues.values().any(|rec| rec.grants.iter().any(|grant| grant.is_valid(now)));
                self.when(leased, Probe::RestoredWithLease);
            }
            Fact::EngineHeld { .. } => self.hit.hit(Probe::StoreSlow),
            Fact::LimitsSet { .. } => {
                self.when(self.has_limits, Probe::LimitsChanged);
                self.has_limits = true;
            }
            Fact::WorkerReady { .. } => self.when(now > Time::ZERO, Probe::WorkerJoined),
            Fact::WorkerPaused { .. } => self.hit.hit(Probe::WorkerPaused),
            Fact::WorkerGone { exit, .. } => self.hit.hit(match exit {
                Exit::Left => Probe::WorkerQuiesced,
                Exit::Crashed => Probe::WorkerCrashed,
                Exit::Killed => Probe::GraceExceeded,
            }),
            Fact::Noted(note) => self.note(now, note, ledger),
            Fact::Submitted { .. }
            | Fact::CancelAsked { .. }
            | Fact::QuiesceAsked { .. }
            | Fact::WorkerArrived { .. }
            | Fact::WorkerResumed { .. }
            | Fact::QuiesceDelivered { .. }
            | Fact::Ended { .. }
            | Fact::Held { .. }
            | Fact::Dropped { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageArrived { .. }
            | Fact::EngineDown { .. } => {}
        }
    }

    #[inline(always)]
    fn when(&mut self, condition: bool, probe: Probe) {
        if condition {
            self.hit.hit(probe);
        }
    }

    #[inline(always)]
    fn note(&mut self, now: Time, note: Note, ledger: &Ledger) {
        match note {
            Note::Placed { .. } | Note::QueueVacant { .. } | Note::WorkerLost { .. } => {}
            Note::QueueRevoking { why, .. } => {
                self.when(matches!(why, GrantReason::Relief | GrantReason::Balance), Probe::QueueRebalanced);
            }
            Note::QueueCreated { .. } => self.when(now > Time::ZERO, Probe::QueueCreated),
            Note::QueueOwned { queue, worker, .. } => self.owned(queue, worker, ledger),
            Note::QueueOrphaned { .. } => self.hit.hit(Probe::OrphanedQueue),
            Note::QueueDraining { .. } => self.hit.hit(Probe::QueueDraining),
            Note::QueueRevived { .. } => self.hit.hit(Probe::QueueRevived),
            Note::QueueDeleted { queue } => {
                self.hit.hit(Probe::QueueDeleted);
                let relieved = ledger.queues.get(queue).is_some_and(|rec| {
                    let on_double_duty = |owner: WorkerId| ledger.workers[owner].queues.len() > 1;
                    rec.relieved || rec.owner.is_some_and(on_double_duty)
                });
                self.when(relieved, Probe::DoubleDutyRelieved);
            }
            Note::Parked { why, .. } => match why {
                ParkReason::AtMax => self.hit.hit(Probe::ParkedAtMax),
                ParkReason::BehindParked(_) | ParkReason::Split(..) => self.hit.hit(Probe::TaskParked),
                ParkReason::InLine => {}
            },
            Note::Requeued { .. } => self.hit.hit(Probe::TaskRequeued),
        }
    }

    fn owned(&mut self, queue: QueueId, worker: WorkerId, ledger: &Ledger) {
        let owner = ledger.workers.get(worker);
        self.when(owner.is_some_and(|rec| rec.queues.iter().any(|other| *other != queue)), Probe::DoubleDuty);
        let Some(rec) = ledger.queues.get(queue) else { return };
        let moved = rec.last_owner.is_some_and(|last| last != worker);
        self.when(moved && rec.unsettled > 0, Probe::QueueMoved);
        self.when(moved && rec.relieved, Probe::DoubleDutyRelieved);
        let newcomer = rec
            .orphaned_at
            .is_some_and(|lost| owner.is_some_and(|owner| owner.phase == Phase::Up && owner.ready >= lost));
        self.when(newcomer, Probe::OrphanToNewcomer);
    }
}

/// A shared claim of what another executing task has a shared claim of.
#[inline(always)]
fn shares(claim: Claim, ledger: &Ledger) -> bool {
    let running = &ledger.resources[claim.resource].running;
    claim.mode == Mode::Shared
        && running.iter().any(|other| other.mode == Mode::Shared && !ledger.workers[other.worker].paused)
}

/// The attempt's queue was granted to somebody else some time before `now`.
#[inline(always)]
fn is_zombie(now: Time, ticket: Ticket, rec: &WorkerRec, ledger: &Ledger) -> bool {
    rec.attempts.iter().any(|attempt| {
        attempt.ticket == ticket
            && granted_anew(attempt.queue, attempt.epoch, ledger)
            && ledger.queues[attempt.queue].owned_at.max(rec.resumed) < now
    })
}

#[inline(always)]
fn granted_anew(queue: QueueId, epoch: Epoch, ledger: &Ledger) -> bool {
    !queue.is_general() && ledger.queues.get(queue).is_some_and(|rec| epoch < rec.epoch)
}
