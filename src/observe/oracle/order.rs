//! order: if a was submitted before b and they conflict, b's first start is not before a's settlement. One breach per
//! pair of tasks.

use super::super::ledger::TaskRec;
use super::{Breach, Docket, Ledger, Start};
use crate::base::{Claim, Property};

#[inline(always)]
pub(super) fn suspects(rec: &TaskRec) -> bool {
    rec.starts == 0 && rec.uncleared > 0
}

pub(super) fn started(start: &Start<'_>, ledger: &Ledger, docket: &mut Docket) {
    let Some(rec) = start.rec.filter(|rec| suspects(rec)) else { return };
    let Start { now, task, worker, .. } = *start;
    let mut ahead: Vec<_> = rec
        .claims
        .iter()
        .flat_map(|claim| {
            let claimants = ledger.resources[claim.resource].claimants.iter();
            claimants
                .take_while(|other| other.task != task)
                .filter(|other| claim.conflicts_with(Claim { resource: claim.resource, mode: other.mode }))
                .map(|other| (other.task, claim.resource))
        })
        .collect();
    ahead.sort_unstable();
    ahead.dedup_by_key(|(earlier, _)| *earlier);
    for (earlier, resource) in ahead {
        docket.accuse(Property::Order, now, || Breach {
            tasks: vec![earlier, task],
            resource: Some(resource),
            workers: vec![worker],
            cause: format!(
                "{{t:{}}} started on {{w:{}}} before {{t:{}}} was settled, which was submitted earlier and also claims {{r:{}}}",
                task.0, worker.0, earlier.0, resource.0
            ),
            ..Breach::default()
        });
    }
}
