//! effects: the store accepts at most one effect per task; accepted epochs of a queue never go back; accepted effects of
//! conflicting tasks come in order of submission, and none comes after its task was settled.

use super::super::ledger::TaskRec;
use super::{Breach, Docket, Ledger};
use crate::base::{Claim, Epoch, Mode, Property, QueueId, TaskId, Time, WorkerId};

/// An effect that the store accepted; the ledger does not know of it yet.
pub(super) struct Accepted {
    pub(super) task: TaskId,
    pub(super) worker: WorkerId,
    pub(super) queue: QueueId,
    pub(super) epoch: Epoch,
}

#[inline(always)]
pub(super) fn accepted(now: Time, it: &Accepted, rec: Option<&TaskRec>, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = rec else { return it.too_late(now, docket) };
    let highest = ledger.queues.get(it.queue).map_or(Epoch(0), |rec| rec.epoch_done);
    if rec.done {
        it.is_second(now, docket);
    }
    if it.epoch < highest {
        it.is_stale(now, highest, docket);
    }
    if let Some((claim, later)) = rec.claims.iter().find_map(|claim| Some((claim, overtaken(it.task, claim, ledger)?)))
    {
        it.out_of_order(now, later, claim, docket);
    }
}

/// A task that was submitted later, claims the same in conflict, and has its effect.
#[inline(always)]
fn overtaken(task: TaskId, claim: &Claim, ledger: &Ledger) -> Option<TaskId> {
    let done = &ledger.resources[claim.resource].done;
    let later = match claim.mode {
        Mode::Exclusive => done.exclusive.max(done.shared),
        Mode::Shared => done.exclusive,
    };
    later.filter(|later| *later > task)
}

impl Accepted {
    fn breach(&self, cause: String) -> Breach {
        Breach {
            tasks: vec![self.task],
            queue: Some(self.queue),
            workers: vec![self.worker],
            cause,
            ..Breach::default()
        }
    }

    #[cold]
    fn too_late(&self, now: Time, docket: &mut Docket) {
        let Accepted { task, worker, .. } = self;
        docket.accuse(Property::Effects, now, || {
            self.breach(format!(
                "the store accepted {{t:{}}} from {{w:{}}} after it had been settled",
                task.0, worker.0
            ))
        });
    }

    #[cold]
    fn is_second(&self, now: Time, docket: &mut Docket) {
        let Accepted { task, worker, .. } = self;
        docket.accuse(Property::Effects, now, || {
            self.breach(format!("the store accepted a second effect of {{t:{}}}, from {{w:{}}}", task.0, worker.0))
        });
    }

    #[cold]
    fn is_stale(&self, now: Time, highest: Epoch, docket: &mut Docket) {
        let Accepted { task, worker, queue, epoch } = self;
        docket.accuse(Property::Effects, now, || {
            self.breach(format!(
                "the store accepted {{t:{}}} from {{w:{}}} under epoch {} of {{q:{}}}, after one under epoch {}",
                task.0, worker.0, epoch.0, queue.0, highest.0
            ))
        });
    }

    #[cold]
    fn out_of_order(&self, now: Time, later: TaskId, claim: &Claim, docket: &mut Docket) {
        let (task, worker, resource) = (self.task, self.worker, claim.resource);
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
}
