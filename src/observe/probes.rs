//! What happened at least once: tells a test that has tested something from one that has not.

use super::ledger::{BEHIND, Doing, Ledger, Over, Phase, Reasons, TaskRec, WorkerRec};
use super::oracle::Start;
use crate::base::names::ProbeSet;
use crate::base::note::{GrantReason, ParkReason};
use crate::base::{Claim, Epoch, Mode, Note, Outcome, Probe, QueueId, TaskId, Time, WorkerId};
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

    /// An attempt begins; the ledger has not taken it in.
    #[inline(always)]
    pub(crate) fn started(&mut self, start: &Start<'_>, ledger: &Ledger) {
        let Start { task, queue, rec, by, is_only_queue, .. } = *start;
        let claims_alone = rec.is_some_and(|rec| matches!(rec.claims[..], [Claim { mode: Mode::Exclusive, .. }]));
        if !claims_alone || !is_only_queue {
            self.look_at_start(task, queue, rec, by, ledger);
        }
    }

    #[inline(never)]
    fn look_at_start(
        &mut self,
        task: TaskId,
        queue: QueueId,
        rec: Option<&TaskRec>,
        by: Option<&WorkerRec>,
        ledger: &Ledger,
    ) {
        let claims = rec.map_or(&[][..], |rec| &rec.claims);
        let queues = by.map_or(&[][..], |by| &by.queues);
        self.when(claims.len() > 1, Probe::MultiResource);
        self.when(queue.is_general() && by.is_some() && queues.is_empty(), Probe::SurplusOnGeneral);
        self.when(claims.iter().any(|claim| shares(*claim, ledger)), Probe::SharedTogether);
        let first = |queue: &QueueId| ledger.head(*queue).is_some_and(|head| head < task);
        self.when(queues.len() > 1 && queues.iter().any(first), Probe::PassedOver);
    }

    /// Why a task has waited that started.
    #[inline(always)]
    pub(crate) fn waited(&mut self, reasons: &Reasons) {
        self.when(reasons[BEHIND] > 0, Probe::FalseSerialisation);
    }

    /// An attempt has ended on `worker`; the ledger has taken it in.
    #[inline(always)]
    pub(crate) fn ended(&mut self, worker: WorkerId, end: AttemptEnd, over: Option<Over>, ledger: &Ledger) {
        self.when(end == AttemptEnd::SelfFenced, Probe::SelfFenced);
        if let Some(over) = over
            && granted_anew(over.queue, over.epoch, ledger)
        {
            self.ended_late(worker, end, over.queue, ledger);
        }
    }

    /// The attempt's queue was granted to somebody else by now.
    #[cold]
    fn ended_late(&mut self, worker: WorkerId, end: AttemptEnd, queue: QueueId, ledger: &Ledger) {
        let since = ledger.queues[queue].owned_at.max(ledger.workers[worker].resumed);
        self.when(since < ledger.now && end != AttemptEnd::Died, Probe::ZombieExecuting);
    }

    /// A report has come in; whether the attempt was one that was not reported.
    #[inline(always)]
    pub(crate) fn reported(&mut self, queue: QueueId, epoch: Epoch, is_first: bool, ledger: &Ledger) {
        self.when(!is_first, Probe::StaleReport);
        self.when(granted_anew(queue, epoch, ledger), Probe::ZombieReported);
    }

    #[inline(always)]
    pub(crate) fn effect(&mut self, answer: EffectAnswer) {
        self.when(answer == EffectAnswer::Refused, Probe::EffectRefused);
        self.when(answer == EffectAnswer::AlreadyDone, Probe::EffectAlreadyDone);
    }

    #[inline(always)]
    pub(crate) fn settled(&mut self, outcome: Outcome) {
        self.when(outcome == Outcome::Cancelled, Probe::TaskCancelled);
        self.when(outcome == Outcome::Failed, Probe::TaskFailed);
    }

    /// Looks at a fact that not every task brings and that the ledger has not taken in.
    pub(crate) fn enter(&mut self, now: Time, fact: &Fact<'_>, ledger: &Ledger) {
        match *fact {
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
            | Fact::Started { .. }
            | Fact::Ended { .. }
            | Fact::Effect { .. }
            | Fact::Reported { .. }
            | Fact::Settled { .. }
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

#[inline(always)]
fn granted_anew(queue: QueueId, epoch: Epoch, ledger: &Ledger) -> bool {
    !queue.is_general() && ledger.queues.get(queue).is_some_and(|rec| epoch < rec.epoch)
}
