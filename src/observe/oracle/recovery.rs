//! recovery: every accepted task and every epoch survives an engine crash. A restored engine grants no queue under an
//! epoch that was given before, and what was accepted before the crash is settled in the end.

use super::{Breach, Docket, Ledger};
use crate::base::{Epoch, Property, QueueId, TaskId, Time, WorkerId};

pub(super) fn owned(now: Time, queue: QueueId, worker: WorkerId, epoch: Epoch, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = ledger.queues.get(queue).filter(|rec| epoch <= rec.epoch && ledger.engine_up_at.is_some()) else {
        return;
    };
    docket.accuse(Property::Recovery, now, || Breach {
        queue: Some(queue),
        workers: vec![worker],
        cause: format!(
            "a restored engine granted {{q:{}}} to {{w:{}}} under epoch {}, and epoch {} had been given before",
            queue.0, worker.0, epoch.0, rec.epoch.0
        ),
        ..Breach::default()
    });
}

/// A worker takes up an older epoch than was granted before the crash, by the word of an engine that forgot it. Judged
/// where leases end: a grant without end may be an old one, on its way since before the crash.
pub(super) fn held(now: Time, worker: WorkerId, queue: QueueId, epoch: Epoch, ledger: &Ledger, docket: &mut Docket) {
    let forgotten = |up: Time| ledger.queues.get(queue).filter(|rec| epoch < rec.epoch && rec.owned_at <= up);
    let Some(rec) = ledger.engine_up_at.and_then(forgotten) else { return };
    docket.accuse(Property::Recovery, now, || Breach {
        queue: Some(queue),
        workers: vec![worker],
        cause: format!(
            "{{w:{}}} took up {{q:{}}} under epoch {} of a restored engine, and epoch {} had been given before",
            worker.0, queue.0, epoch.0, rec.epoch.0
        ),
        ..Breach::default()
    });
}

/// A task should have been settled by now.
pub(super) fn overdue(task: TaskId, ledger: &Ledger, docket: &mut Docket) {
    let Some(restored) = ledger.engine_up_at else { return };
    let submitted = ledger.tasks[task].submitted;
    if submitted < restored {
        docket.accuse(Property::Recovery, ledger.now, || Breach {
            tasks: vec![task],
            cause: format!(
                "{{t:{}}}, accepted at {submitted}, did not survive the engine's crash: a new one came at {restored}",
                task.0
            ),
            ..Breach::default()
        });
    }
}
