//! affinity: unsettled, placed, conflicting tasks lie in one queue. One breach per task that is put apart.

use super::super::ledger::Place;
use super::{Breach, Docket, Ledger};
use crate::base::{Claim, Property, QueueId, TaskId, Time};

/// Others that claim the same as a task lie in other queues than that into which it was put: they may share it.
pub(super) fn placed_apart(now: Time, task: TaskId, queue: QueueId, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = ledger.tasks.get(task) else { return };
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
