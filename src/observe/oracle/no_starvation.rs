//! no_starvation: while a task was runnable and first in its queue, its owner started at most so many tasks that were
//! submitted later: two rounds over all queues there are. A task of the general queue counts where the owner's start
//! before it was of that queue, too: one at a time is taken after reserved starts, which may all be of older tasks.

use super::super::ledger::WorkerRec;
use super::{Breach, Docket, Ledger, Start};
use crate::base::{IdVec, Property, QueueId, TaskId, WorkerId};

#[derive(Default, Debug)]
pub(super) struct NoStarvation {
    passed: IdVec<QueueId, Option<Passed>>,
}

/// How often the head of a queue was passed over by its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Passed {
    head: TaskId,
    owner: WorkerId,
    times: u64,
}

impl NoStarvation {
    /// Its owner may have passed over the heads of its queues: it is not the head of its only queue.
    #[inline(always)]
    pub(super) fn suspects(start: &Start<'_>, by: &WorkerRec, ledger: &Ledger) -> bool {
        if start.queue.is_general() {
            return by.last_general && !by.queues.is_empty();
        }
        !start.is_only_queue || ledger.head(start.queue) != Some(start.task)
    }

    pub(super) fn started(&mut self, start: &Start<'_>, ledger: &Ledger, docket: &mut Docket) {
        let Some(by) = start.by.filter(|by| NoStarvation::suspects(start, by, ledger)) else {
            return;
        };
        for passed_over in &by.queues {
            self.pass(*passed_over, start, ledger, docket);
        }
    }

    fn pass(&mut self, queue: QueueId, start: &Start<'_>, ledger: &Ledger, docket: &mut Docket) {
        let Start { now, task, worker, .. } = *start;
        let rec = &ledger.queues[queue];
        let Some(head) = rec.fifo.front().copied().filter(|head| *head < task) else { return };
        let waits = &ledger.tasks[head];
        let held = rec.grants.iter().any(|grant| grant.worker == worker && grant.epoch == rec.epoch);
        if waits.uncleared > 0 || waits.open > 0 || rec.revoking || !held {
            return;
        }
        let slot = self.passed.grow_to(queue);
        let times = slot.filter(|it| it.head == head && it.owner == worker).map_or(0, |it| it.times) + 1;
        *slot = Some(Passed { head, owner: worker, times });
        if times == 2 * ledger.tally.queues() + 5 {
            docket.accuse(Property::NoStarvation, now, || Breach {
                tasks: vec![head, task],
                queue: Some(queue),
                workers: vec![worker],
                cause: format!(
                    "{{t:{}}} is runnable and first in {{q:{}}}, and {{w:{}}}, its owner, started {times} tasks that were \
                     submitted later, the last of them {{t:{}}}",
                    head.0, queue.0, worker.0, task.0
                ),
                ..Breach::default()
            });
        }
    }
}
