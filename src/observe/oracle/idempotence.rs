//! idempotence: a duplicate or stale message changes nothing in the world. An order begins one attempt, however often it
//! arrives; a grant that was given up is not taken up again; an old report settles nothing while a newer attempt executes.

use super::super::ledger::TaskRec;
use super::{Breach, Docket, Ledger, Start};
use crate::base::{Epoch, Outcome, Property, QueueId, TaskId, Ticket, Time, WorkerId};

#[inline(always)]
pub(super) fn suspects_start(ticket: Ticket, rec: &TaskRec) -> bool {
    rec.starts > 0 && rec.last_ticket == ticket
}

pub(super) fn started(start: &Start<'_>, docket: &mut Docket) {
    let Start { now, task, worker, ticket, rec, .. } = *start;
    if rec.is_some_and(|rec| suspects_start(ticket, rec)) {
        docket.accuse(Property::Idempotence, now, || Breach {
            tasks: vec![task],
            workers: vec![worker],
            cause: format!("one order began {{t:{}}} twice, the second time on {{w:{}}}", task.0, worker.0),
            ..Breach::default()
        });
    }
}

pub(super) fn held(now: Time, worker: WorkerId, queue: QueueId, epoch: Epoch, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = ledger.queues.get(queue).filter(|rec| rec.epoch_held == epoch) else { return };
    // A restored engine knows no better than to offer what its predecessor had granted.
    let restored = ledger.engine_up_at.is_some_and(|up| rec.owned_at <= up);
    if rec.given_up.contains(&worker) && !restored {
        docket.accuse(Property::Idempotence, now, || Breach {
            queue: Some(queue),
            workers: vec![worker],
            cause: format!(
                "{{w:{}}} took up {{q:{}}} under epoch {} again, which it had given up",
                worker.0, queue.0, epoch.0
            ),
            ..Breach::default()
        });
    }
}

/// An attempt is not over, or was not reported.
#[inline(always)]
pub(super) fn suspects_settlement(outcome: Outcome, rec: &TaskRec) -> bool {
    rec.open > 0 && outcome == Outcome::Completed
}

pub(super) fn settled(now: Time, task: TaskId, outcome: Outcome, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = ledger.tasks.get(task).filter(|rec| suspects_settlement(outcome, rec)) else { return };
    let running = rec.claims.first().map(|claim| &ledger.resources[claim.resource].running);
    let newer =
        running.and_then(|running| running.iter().find(|one| one.task == task && one.ticket == rec.last_ticket));
    if let Some(newer) = newer {
        docket.accuse(Property::Idempotence, now, || Breach {
            tasks: vec![task],
            workers: vec![newer.worker],
            cause: format!(
                "{{t:{}}} was settled by an old report while its latest attempt executed on {{w:{}}}",
                task.0, newer.worker.0
            ),
            ..Breach::default()
        });
    }
}
