//! ownership: at any instant at most one worker holds a grant of a queue that is valid by its own clock; epochs rise.
//! Judged whenever a worker takes a grant up anew, so that one overlap is one breach.

use super::{Breach, Docket, Ledger};
use crate::base::{Epoch, Property, QueueId, Time, WorkerId};

pub(super) fn held(now: Time, worker: WorkerId, queue: QueueId, epoch: Epoch, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = ledger.queues.get(queue) else { return };
    let own = rec.grants.iter().find(|grant| grant.worker == worker);
    if own.is_some_and(|grant| grant.epoch == epoch && grant.is_valid(now)) {
        return;
    }
    let highest = rec.epoch_held;
    if epoch < highest {
        docket.accuse(Property::Ownership, now, || Breach {
            queue: Some(queue),
            workers: vec![worker],
            cause: format!(
                "{{w:{}}} took up {{q:{}}} under epoch {}, after epoch {} had been taken up",
                worker.0, queue.0, epoch.0, highest.0
            ),
            ..Breach::default()
        });
    }
    for other in rec.grants.iter().filter(|grant| grant.worker != worker && grant.is_valid(now)) {
        docket.accuse(Property::Ownership, now, || Breach {
            queue: Some(queue),
            workers: vec![other.worker, worker],
            cause: format!(
                "{{w:{}}} took up {{q:{}}} under epoch {} while {{w:{}}} held it under epoch {}, {}",
                worker.0,
                queue.0,
                epoch.0,
                other.worker.0,
                other.epoch.0,
                other.until.map_or("without a lease".to_owned(), |until| format!("valid until {until}"))
            ),
            ..Breach::default()
        });
    }
}

pub(super) fn owned(now: Time, queue: QueueId, worker: WorkerId, epoch: Epoch, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = ledger.queues.get(queue).filter(|rec| epoch <= rec.epoch) else { return };
    docket.accuse(Property::Ownership, now, || Breach {
        queue: Some(queue),
        workers: vec![worker],
        cause: format!(
            "{{q:{}}} was granted to {{w:{}}} under epoch {}, and before that under epoch {}",
            queue.0, worker.0, epoch.0, rec.epoch.0
        ),
        ..Breach::default()
    });
}
