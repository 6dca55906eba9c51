//! attempts: no start after settlement; starts <= 1 + faults that hit an attempt or its report.
//!
//! A fault hits an attempt that is stopped, or whose worker dies or counts as lost before its report has arrived: before
//! it begins, too.

use super::super::ledger::TaskRec;
use super::{Breach, Docket, Ledger, Start};
use crate::base::Property;

#[inline(always)]
pub(super) fn suspects(rec: &TaskRec) -> bool {
    rec.starts > rec.lost
}

pub(super) fn started(start: &Start<'_>, ledger: &Ledger, docket: &mut Docket) {
    let Start { now, task, worker, queue, rec, .. } = *start;
    let cause = match rec {
        None if u64::from(task.0) < ledger.submitted => {
            format!("{{t:{}}} started on {{w:{}}} after it had been settled", task.0, worker.0)
        }
        Some(rec) if suspects(rec) => format!(
            "{{t:{}}} started again on {{w:{}}}: attempt {}, though faults hit only {} of those before",
            task.0,
            worker.0,
            rec.starts + 1,
            rec.lost
        ),
        None | Some(_) => return,
    };
    docket.accuse(Property::Attempts, now, || Breach {
        tasks: vec![task],
        workers: vec![worker],
        queue: Some(queue),
        cause,
        ..Breach::default()
    });
}
