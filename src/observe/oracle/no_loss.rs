//! no_loss: accepted = waiting + executing + settled; nothing settles twice or starts without having been submitted;
//! what is said to be completed took effect.
//! Whether a task vanished is judged at the end, where the engine says at all where tasks are: it is unsettled, not
//! executing, not parked, and in no queue that exists.

use super::super::ledger::{Place, TaskRec};
use super::{Breach, Docket, Ledger, Start};
use crate::base::{Outcome, Property, TaskId, Time};

#[derive(Default, Debug)]
pub(crate) struct NoLoss {
    lost: Vec<TaskId>,
}

impl NoLoss {
    /// The tasks that vanished, known at the end.
    pub(crate) fn lost(&self) -> &[TaskId] {
        &self.lost
    }

    pub(super) fn finish(&mut self, ledger: &Ledger, docket: &mut Docket) {
        let unsettled = ledger.tasks.len() as u64;
        if ledger.submitted != unsettled + ledger.settled {
            docket.accuse(Property::NoLoss, ledger.now, || Breach {
                cause: format!(
                    "{} tasks were accepted, and {unsettled} unfinished and {} settled ones are left",
                    ledger.submitted, ledger.settled
                ),
                ..Breach::default()
            });
        }
        if !ledger.has_placements {
            return;
        }
        self.lost = ledger.tasks.iter().filter(|(_, rec)| vanished(rec, ledger)).map(|(task, _)| task).collect();
        for task in &self.lost {
            docket.accuse(Property::NoLoss, ledger.now, || Breach {
                tasks: vec![*task],
                cause: format!("{{t:{}}} is neither settled, nor executing, nor parked, nor in any queue", task.0),
                ..Breach::default()
            });
        }
    }
}

fn vanished(rec: &TaskRec, ledger: &Ledger) -> bool {
    rec.open == 0
        && match rec.place {
            Place::Nowhere => true,
            Place::Parked | Place::AtMax => false,
            Place::Queue(queue) => !queue.is_general() && !ledger.queues[queue].exists,
        }
}

#[inline(always)]
pub(super) fn suspects_settlement(outcome: Outcome, rec: &TaskRec) -> bool {
    outcome == Outcome::Completed && !rec.done
}

pub(super) fn settled(now: Time, task: TaskId, outcome: Outcome, ledger: &Ledger, docket: &mut Docket) {
    let what = match (ledger.tasks.get(task), outcome) {
        (Some(rec), _) if suspects_settlement(outcome, rec) => "as completed, and the store has no effect of it",
        (Some(_), _) => return,
        (None, _) if u64::from(task.0) < ledger.submitted => "a second time",
        (None, _) => "and had never been submitted",
    };
    docket.accuse(Property::NoLoss, now, || Breach {
        tasks: vec![task],
        cause: format!("{{t:{}}} was settled {what}", task.0),
        ..Breach::default()
    });
}

#[inline(always)]
pub(super) fn suspects_start(task: TaskId, ledger: &Ledger) -> bool {
    u64::from(task.0) >= ledger.submitted
}

pub(super) fn started(start: &Start<'_>, ledger: &Ledger, docket: &mut Docket) {
    let Start { now, task, worker, .. } = *start;
    if suspects_start(task, ledger) {
        docket.accuse(Property::NoLoss, now, || Breach {
            tasks: vec![task],
            workers: vec![worker],
            cause: format!("{{t:{}}} started on {{w:{}}} and had never been submitted", task.0, worker.0),
            ..Breach::default()
        });
    }
}
