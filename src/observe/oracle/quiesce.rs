//! quiesce: the operator's order is passed on; once it is delivered, the worker gets no new grant and begins no new
//! attempt, and it is gone within its grace: it is not kept waiting, idle, until it is killed. That its queues are owned
//! again is judged by orphan_bound, which counts from its leaving.

use super::super::ledger::{Brain, Doing, Phase, WorkerRec};
use super::{Breach, Docket, Ledger, Start};
use crate::base::{Epoch, Property, QueueId, Span, Time, WorkerId};
use crate::fact::Exit;

fn deadline(worker: WorkerId, ledger: &Ledger) -> Option<Time> {
    ledger.workers.get(worker)?.deadline
}

#[inline(always)]
pub(super) fn suspects(by: &WorkerRec) -> bool {
    by.deadline.is_some()
}

pub(super) fn started(start: &Start<'_>, docket: &mut Docket) {
    let Start { now, task, worker, queue, by, .. } = *start;
    if by.is_some_and(suspects) {
        docket.accuse(Property::Quiesce, now, || Breach {
            tasks: vec![task],
            queue: Some(queue),
            workers: vec![worker],
            cause: format!("{{w:{}}} started {{t:{}}} after it had been told to quiesce", worker.0, task.0),
            ..Breach::default()
        });
    }
}

pub(super) fn held(now: Time, worker: WorkerId, queue: QueueId, epoch: Epoch, ledger: &Ledger, docket: &mut Docket) {
    let grants = ledger.queues.get(queue).map_or(&[][..], |rec| &rec.grants);
    let renewed = grants.iter().any(|grant| grant.worker == worker && grant.epoch == epoch);
    if !renewed && deadline(worker, ledger).is_some() {
        docket.accuse(Property::Quiesce, now, || Breach {
            queue: Some(queue),
            workers: vec![worker],
            cause: format!("{{w:{}}} took up {{q:{}}} after it had been told to quiesce", worker.0, queue.0),
            ..Breach::default()
        });
    }
}

pub(super) fn gone(
    now: Time,
    worker: WorkerId,
    exit: Exit,
    answer_bound: Option<Span>,
    ledger: &Ledger,
    docket: &mut Docket,
) {
    if let Some(deadline) = deadline(worker, ledger).filter(|deadline| *deadline < now) {
        late(now, worker, deadline, docket);
    }
    let Some((rec, bound)) = ledger.workers.get(worker).zip(answer_bound) else { return };
    // Whom no message reaches cannot be let go.
    let idle = now.since(rec.doing_since.max(rec.cut_off_at.unwrap_or(Time::ZERO)));
    if exit == Exit::Killed
        && rec.doing() == Doing::IdleQuiescing
        && rec.in_flight == 0
        && idle > bound
        && ledger.brain == Brain::Up
    {
        docket.accuse(Property::Quiesce, now, || Breach {
            workers: vec![worker],
            lasted: Some(idle),
            cause: format!(
                "{{w:{}}} was killed at the end of its grace, and had waited idle for {idle} to be let go",
                worker.0
            ),
            ..Breach::default()
        });
    }
}

/// The order reaches the worker, or never will: that must not have taken longer than until its next heartbeat was
/// answered, unless a message was lost, it stood still, or the engine was gone.
pub(super) fn passed_on(now: Time, worker: WorkerId, within: Span, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = ledger.workers.get(worker).filter(|rec| rec.phase == Phase::Up && rec.deadline.is_none()) else {
        return;
    };
    let Some(asked) = rec.asked_to_leave.filter(|asked| asked.saturating_add(within) < now) else { return };
    let disturbed = rec.ready.max(rec.resumed).max(ledger.brain_since).max(rec.lost_at.unwrap_or_default());
    let excused = rec.paused || ledger.brain != Brain::Up || disturbed.saturating_add(within) > asked;
    if !excused {
        docket.accuse(Property::Quiesce, now, || Breach {
            workers: vec![worker],
            lasted: Some(now.since(asked)),
            cause: format!(
                "the operator wanted {{w:{}}} to quiesce at {asked}, and by {now} nobody had told it",
                worker.0
            ),
            ..Breach::default()
        });
    }
}

pub(super) fn finish(within: Span, ledger: &Ledger, docket: &mut Docket) {
    for (worker, rec) in ledger.workers.iter().filter(|(_, rec)| rec.phase != Phase::Gone) {
        passed_on(ledger.now, worker, within, ledger, docket);
        if let Some(deadline) = rec.deadline.filter(|deadline| *deadline < ledger.now) {
            late(ledger.now, worker, deadline, docket);
        }
    }
}

fn late(now: Time, worker: WorkerId, deadline: Time, docket: &mut Docket) {
    docket.accuse(Property::Quiesce, now, || Breach {
        workers: vec![worker],
        lasted: Some(now.since(deadline)),
        cause: format!("{{w:{}}} was told to be gone by {deadline} and was still there at {now}", worker.0),
        ..Breach::default()
    });
}
