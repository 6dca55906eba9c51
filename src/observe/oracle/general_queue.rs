//! work_conserving, of tasks in the general queue, which any worker without a queue of its own may take: none that is
//! runnable waits while such a worker is idle, healthy and reachable. After a fault, or an order from outside, the engine may
//! need a while to learn what became of an order of its own; the time counts from there. Judged when the task starts or
//! the run ends: one breach per start.

use super::super::ledger::{Brain, Doing, Place, TaskRec, WorkerRec};
use super::{Breach, Docket, Ledger, Start};
use crate::base::{Property, QueueId, Span, TaskId, Time, WorkerId};

#[derive(Debug)]
pub(super) struct GeneralQueue {
    /// Within this time of a disturbance the engine knows what became of any order; `None`: not judged.
    pub(super) bound: Option<Span>,
    /// A report may be on its way to the engine for so long, and then the order to start that follows from it.
    pub(super) slack: Span,
}

impl GeneralQueue {
    #[inline(always)]
    pub(super) fn started(&self, start: &Start<'_>, ledger: &Ledger, docket: &mut Docket) {
        if start.queue.is_general()
            && let Some(rec) = start.rec
            && let Some(since) = waits_since(rec, start.now)
        {
            self.judge(start.task, since, start.now, ledger, docket);
        }
    }

    pub(super) fn finish(&self, ledger: &Ledger, docket: &mut Docket) {
        for (task, rec) in ledger.tasks.iter() {
            if let Some(since) = waits_since(rec, ledger.now) {
                self.judge(task, since, ledger.now, ledger, docket);
            }
        }
    }

    fn judge(&self, task: TaskId, since: Time, now: Time, ledger: &Ledger, docket: &mut Docket) {
        let Some(bound) = self.bound.filter(|_| ledger.brain == Brain::Up && ledger.tally.doing(Doing::Idle) > 0)
        else {
            return;
        };
        let clear = ledger.unclear_at.map_or(Time::ZERO, |at| at.saturating_add(bound));
        let since = since.max(clear);
        let in_vain = |since: Time| since.saturating_add(self.slack) < now;
        if !in_vain(since) {
            return;
        }
        let idle = ledger.workers.iter().filter_map(|(worker, rec)| Some((self.free_since(rec)?, worker)));
        if let Some((free, worker)) = idle.min().filter(|(free, _)| in_vain(*free)) {
            accuse(task, worker, since.max(free), now, docket);
        }
    }

    /// Since when a worker has been free for any general task and the engine could know, with no message to or from it
    /// on its way now. A newcomer has joined and been welcomed before it asks for the first one.
    fn free_since(&self, rec: &WorkerRec) -> Option<Time> {
        let free =
            rec.doing() == Doing::Idle && rec.queues.is_empty() && rec.in_flight == 0 && rec.asked_to_leave.is_none();
        let joined = rec.ready.saturating_add(self.slack);
        free.then(|| rec.doing_since.max(rec.without_queue_at).max(joined))
    }
}

/// Since when a task of the general queue could have been started.
#[inline]
fn waits_since(rec: &TaskRec, now: Time) -> Option<Time> {
    let since = rec.runnable_at.max(rec.placed_at).max(rec.closed_at);
    let waits = rec.place == Place::Queue(QueueId::GENERAL) && rec.open == 0 && rec.uncleared == 0;
    (waits && since < now).then_some(since)
}

#[cold]
fn accuse(task: TaskId, worker: WorkerId, since: Time, now: Time, docket: &mut Docket) {
    docket.accuse(Property::WorkConserving, since, || Breach {
        tasks: vec![task],
        queue: Some(QueueId::GENERAL),
        workers: vec![worker],
        lasted: Some(now.since(since)),
        cause: format!(
            "{{t:{}}} could have executed and waited in the general queue for {}, while {{w:{}}} was idle and had no queue",
            task.0,
            now.since(since),
            worker.0
        ),
        ..Breach::default()
    });
}
