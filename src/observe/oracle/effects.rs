//! effects: the store accepts at most one effect per task; accepted epochs of a queue never go back; accepted effects of
//! conflicting tasks come in order of submission, and none comes after its task was settled.

use super::{Breach, Docket, Ledger};
use crate::base::{Epoch, Mode, Property, QueueId, ResourceId, TaskId, Time, WorkerId};

/// The store accepted an effect; the ledger does not know of it yet.
#[inline]
pub(super) fn accepted(
    now: Time,
    task: TaskId,
    worker: WorkerId,
    queue: QueueId,
    epoch: Epoch,
    ledger: &Ledger,
    docket: &mut Docket,
) {
    let Some(rec) = ledger.tasks.get(task) else {
        return accuse(now, task, worker, queue, docket, || {
            format!("the store accepted {{t:{}}} from {{w:{}}} after it had been settled", task.0, worker.0)
        });
    };
    if rec.done {
        accuse(now, task, worker, queue, docket, || {
            format!("the store accepted a second effect of {{t:{}}}, from {{w:{}}}", task.0, worker.0)
        });
    }
    let highest = ledger.queues.get(queue).map_or(Epoch(0), |rec| rec.epoch_done);
    if epoch < highest {
        accuse(now, task, worker, queue, docket, || {
            format!(
                "the store accepted {{t:{}}} from {{w:{}}} under epoch {} of {{q:{}}}, after one under epoch {}",
                task.0, worker.0, epoch.0, queue.0, highest.0
            )
        });
    }
    for claim in &rec.claims {
        let done = &ledger.resources[claim.resource].done;
        let later = match claim.mode {
            Mode::Exclusive => done.exclusive.max(done.shared),
            Mode::Shared => done.exclusive,
        };
        if let Some(later) = later.filter(|later| *later > task) {
            return out_of_order(now, [task, later], worker, claim.resource, docket);
        }
    }
}

#[cold]
fn accuse(
    now: Time,
    task: TaskId,
    worker: WorkerId,
    queue: QueueId,
    docket: &mut Docket,
    cause: impl FnOnce() -> String,
) {
    docket.accuse(Property::Effects, now, || Breach {
        tasks: vec![task],
        queue: Some(queue),
        workers: vec![worker],
        cause: cause(),
        ..Breach::default()
    });
}

#[cold]
fn out_of_order(now: Time, [task, later]: [TaskId; 2], worker: WorkerId, resource: ResourceId, docket: &mut Docket) {
    docket.accuse(Property::Effects, now, || Breach {
        tasks: vec![task, later],
        resource: Some(resource),
        workers: vec![worker],
        cause: format!(
            "the store accepted {{t:{}}} from {{w:{}}} after {{t:{}}}, which was submitted later and also claims {{r:{}}}",
            task.0, worker.0, later.0, resource.0
        ),
        ..Breach::default()
    });
}
