//! What an engine must not forget, as a store keeps it: records are keyed upserts and deletes, so that their size follows
//! what is unfinished. A new engine is built from these alone.

use std::collections::BTreeMap;

use super::message::{Placed, Record};
use crate::base::{Claims, Epoch, QueueId, TaskId, Ticket, WorkerId};

/// Everything that was persisted and not deleted.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Records {
    /// Accepted tasks that are not settled.
    pub tasks: BTreeMap<TaskId, TaskRecord>,
    /// Queues that exist.
    pub queues: BTreeMap<QueueId, QueueRecord>,
    /// The highest number that a queue ever had: numbers are not used twice, for the store knows their epochs.
    pub last_queue: u32,
    /// The limits of the pool, once they were set: at least, at most.
    pub limits: Option<(u32, u32)>,
}

/// An accepted task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskRecord {
    /// What it claims.
    pub claims: Claims,
    /// Where it is; `None`: parked.
    pub placed: Option<Placed>,
    /// Attempts begun so far.
    pub attempts: u32,
    /// Attempts lost so far.
    pub lost: u32,
    /// Its client gave it up.
    pub cancelled: bool,
    /// The last order to start it, while that is unanswered.
    pub running: Option<(WorkerId, Ticket)>,
}

/// A queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueueRecord {
    /// The last epoch given.
    pub epoch: Epoch,
    /// Who may still act under it.
    pub owner: Option<WorkerId>,
    /// That owner is lost.
    pub orphaned: bool,
    /// Whether it takes fresh reservations.
    pub draining: bool,
}

impl Records {
    /// Takes a record in.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Leads => {}
            Record::Task { task, claims, placed } => {
                let known = self.tasks.entry(*task).or_insert_with(|| TaskRecord {
                    claims: Claims::from_slice(claims),
                    placed: None,
                    attempts: 0,
                    lost: 0,
                    cancelled: false,
                    running: None,
                });
                known.placed = *placed;
            }
            Record::Attempt { task, attempts, lost, cancelled, running } => {
                if let Some(known) = self.tasks.get_mut(task) {
                    (known.attempts, known.lost) = (*attempts, *lost);
                    (known.cancelled, known.running) = (*cancelled, *running);
                }
            }
            Record::TaskGone { task, .. } => {
                self.tasks.remove(task);
            }
            Record::Queue { queue, epoch, owner, orphaned, draining } => {
                self.last_queue = self.last_queue.max(queue.0);
                let record = QueueRecord { epoch: *epoch, owner: *owner, orphaned: *orphaned, draining: *draining };
                self.queues.insert(*queue, record);
            }
            Record::QueueGone { queue } => {
                self.queues.remove(queue);
            }
            Record::Limits { min, max } => self.limits = Some((*min, *max)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Outcome;

    #[test]
    fn records_are_upserts_and_deletes_and_numbers_of_queues_are_never_forgotten() {
        let mut records = Records::default();
        let (task, queue) = (TaskId(3), QueueId(2));
        let placed = Some(Placed { queue, sequence: 9 });
        records.apply(&Record::Task { task, claims: Claims::new(), placed: None });
        records.apply(&Record::Attempt { task, attempts: 2, lost: 1, cancelled: true, running: None });
        records.apply(&Record::Task { task, claims: Claims::new(), placed });
        let known = &records.tasks[&task];
        assert_eq!((known.placed, known.attempts, known.lost, known.cancelled), (placed, 2, 1, true));
        records.apply(&Record::Queue { queue, epoch: Epoch(4), owner: None, orphaned: false, draining: false });
        records.apply(&Record::QueueGone { queue });
        records.apply(&Record::TaskGone { task, outcome: Outcome::Completed });
        assert_eq!((records.tasks.len(), records.queues.len(), records.last_queue), (0, 0, 2));
    }
}
