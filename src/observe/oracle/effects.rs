//! effects: the store accepts at most one effect per task; accepted epochs of a queue never go back; accepted effects of
//! conflicting tasks come in order of submission, and none comes after its task was settled.

use super::super::ledger::EffectsBefore;
use super::{Breach, Docket, Ledger};
use crate::base::{Claim, Epoch, Property, QueueId, TaskId, Time, WorkerId};

/// An effect that the store accepted, and what it had accepted before.
#[derive(Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) task: TaskId,
    pub(crate) worker: WorkerId,
    pub(crate) queue: QueueId,
    pub(crate) epoch: Epoch,
    /// `None`: the task is not unsettled.
    pub(crate) before: Option<EffectsBefore>,
}

#[inline(always)]
pub(super) fn suspects(it: &Accepted) -> bool {
    it.before.is_none_or(|before| before.own || it.epoch < before.epoch || before.latest > u64::from(it.task.0) + 1)
}

pub(super) fn accepted(now: Time, it: &Accepted, ledger: &Ledger, docket: &mut Docket) {
    let Some(before) = it.before else { return it.too_late(now, docket) };
    if before.own {
        it.is_second(now, docket);
    }
    if it.epoch < before.epoch {
        it.is_stale(now, before.epoch, docket);
    }
    let claims = ledger.tasks.get(it.task).map_or(&[][..], |rec| &rec.claims);
    if let Some((claim, later)) = claims.iter().find_map(|claim| Some((claim, overtaken(it.task, claim, ledger)?))) {
        it.out_of_order(now, later, claim, docket);
    }
}

/// A task that was submitted later, claims the same in conflict, and has its effect.
fn overtaken(task: TaskId, claim: &Claim, ledger: &Ledger) -> Option<TaskId> {
    let latest = ledger.resources[claim.resource].done.in_conflict(claim.mode).checked_sub(1)?;
    let latest = TaskId(u32::try_from(latest).ok()?);
    (latest > task).then_some(latest)
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

    fn too_late(&self, now: Time, docket: &mut Docket) {
        let Accepted { task, worker, .. } = self;
        docket.accuse(Property::Effects, now, || {
            self.breach(format!(
                "the store accepted {{t:{}}} from {{w:{}}} after it had been settled",
                task.0, worker.0
            ))
        });
    }

    fn is_second(&self, now: Time, docket: &mut Docket) {
        let Accepted { task, worker, .. } = self;
        docket.accuse(Property::Effects, now, || {
            self.breach(format!("the store accepted a second effect of {{t:{}}}, from {{w:{}}}", task.0, worker.0))
        });
    }

    fn is_stale(&self, now: Time, highest: Epoch, docket: &mut Docket) {
        let Accepted { task, worker, queue, epoch, .. } = self;
        docket.accuse(Property::Effects, now, || {
            self.breach(format!(
                "the store accepted {{t:{}}} from {{w:{}}} under epoch {} of {{q:{}}}, after one under epoch {}",
                task.0, worker.0, epoch.0, queue.0, highest.0
            ))
        });
    }

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
