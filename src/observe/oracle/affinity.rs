//! affinity: unsettled, placed, conflicting tasks lie in one queue. One breach per task that is put apart.

use super::super::ledger::{Place, ResourceRec, TaskRec};
use super::{Breach, Docket, Ledger};
use crate::base::{Claim, Property, QueueId, TaskId, Time};

#[inline(always)]
pub(super) fn placed(
    now: Time,
    task: TaskId,
    queue: QueueId,
    rec: Option<&TaskRec>,
    ledger: &Ledger,
    docket: &mut Docket,
) {
    let alone = |resource: &ResourceRec| resource.placed == 0 || resource.tie == Some(queue);
    if let Some(rec) = rec
        && !rec.claims.iter().all(|claim| alone(&ledger.resources[claim.resource]))
    {
        look(now, task, queue, rec, ledger, docket);
    }
}

/// Others that claim the same lie in other queues: they may share it.
#[cold]
fn look(now: Time, task: TaskId, queue: QueueId, rec: &TaskRec, ledger: &Ledger, docket: &mut Docket) {
    for claim in &rec.claims {
        let resource = &ledger.resources[claim.resource];
        let apart = resource.claimants.iter().find_map(|other| {
            let conflict = claim.conflicts_with(Claim { resource: claim.resource, mode: other.mode });
            match ledger.tasks.get(other.task)?.place {
                Place::Queue(there) if conflict && other.task != task && there != queue => Some((other.task, there)),
                Place::Queue(_) | Place::Parked | Place::AtMax | Place::Nowhere => None,
            }
        });
        if let Some((other, there)) = apart {
            docket.accuse(Property::Affinity, now, || Breach {
                tasks: vec![other, task],
                resource: Some(claim.resource),
                queue: Some(queue),
                cause: format!(
                    "{{t:{}}} was put into {{q:{}}} while {{t:{}}}, in conflict over {{r:{}}}, lay in {{q:{}}}",
                    task.0, queue.0, other.0, claim.resource.0, there.0
                ),
                ..Breach::default()
            });
            return;
        }
    }
}
