//! Attempts begin, end and are reported; a first one says why its task waited.

use super::{Attempt, Ledger, Place, Reasons, ResourceRec, Running, Step, TaskRec};
use crate::base::{Claims, Epoch, IdMap, Mode, QueueId, Span, TaskId, Ticket, WorkerId};
use crate::fact::AttemptEnd;

impl Ledger {
    #[inline]
    pub(super) fn start(
        &mut self,
        task: TaskId,
        worker: WorkerId,
        queue: QueueId,
        epoch: Epoch,
        ticket: Ticket,
    ) -> Step {
        let mut step = Step::Other;
        let first = self.tasks.get(task).is_some_and(|rec| rec.starts == 0);
        if first {
            step = Step::FirstStart(self.reasons(task));
        }
        let mut claims = Claims::new();
        if let Some(rec) = self.tasks.get_mut(task) {
            claims = Claims::from_slice(&rec.claims);
            rec.starts += 1;
            rec.last_ticket = rec.last_ticket.max(ticket);
            rec.open += 1;
            if rec.open == 1 {
                self.tally.waiting -= 1;
                self.tally.runnable -= u64::from(rec.uncleared == 0);
            }
        }
        for claim in &claims {
            self.resources[claim.resource].running.push(Running { ticket, task, worker, mode: claim.mode });
        }
        self.change(worker, |rec| {
            rec.executing += 1;
            rec.attempts.push(Attempt { task, ticket, queue, epoch, claims, ended: false, counted: false });
        });
        step
    }

    /// Splits the wait of a task that starts at this instant. Each instant of it has exactly one reason.
    fn reasons(&mut self, task: TaskId) -> Reasons {
        let now = self.now;
        let rec = &self.tasks[task];
        let runnable = rec.runnable_at.min(now);
        let placed = rec.placed_at.min(now).max(runnable);
        let head = rec.head_at.min(now).max(placed);
        let rest = now.since(head).micros();
        let [blocked, parked, behind] =
            [runnable.since(rec.submitted), placed.since(runnable), head.since(placed)].map(Span::micros);
        let (no_owner, busy) = match rec.place {
            Place::Queue(QueueId::GENERAL) => {
                (self.general_clocks.0 - rec.general_clocks.0, self.general_clocks.1 - rec.general_clocks.1)
            }
            Place::Queue(queue) if rest > 0 => {
                self.wind_head(queue);
                (self.queues[queue].head_no_owner, self.queues[queue].head_busy)
            }
            Place::Queue(_) | Place::Parked | Place::AtMax | Place::Nowhere => (0, 0),
        };
        // Clamped for engines that start a task before it is runnable; otherwise the clocks fit.
        let busy = busy.min(rest);
        let no_owner = no_owner.min(rest - busy);
        let dispatch = rest - busy - no_owner;
        [blocked, parked, behind, busy, no_owner, dispatch]
    }

    #[inline]
    pub(super) fn end(&mut self, worker: WorkerId, ticket: Ticket, end: AttemptEnd) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        let Some(index) = rec.attempts.iter().position(|attempt| attempt.ticket == ticket && !attempt.ended) else {
            return;
        };
        let reports = matches!(end, AttemptEnd::Completed | AttemptEnd::Failed);
        let attempt = &mut rec.attempts[index];
        attempt.ended = true;
        for claim in &attempt.claims {
            stop_running(&mut self.resources[claim.resource], worker, ticket);
        }
        if !reports {
            let mut attempt = rec.attempts.remove(index);
            count_loss(&mut self.tasks, &mut attempt);
            self.close(attempt.task);
        }
        self.change(worker, |rec| rec.executing -= 1);
    }

    /// The store accepted an effect of this task.
    pub(super) fn accept(&mut self, task: TaskId, queue: QueueId, epoch: Epoch) {
        let Some(rec) = self.tasks.get_mut(task) else { return };
        rec.done = true;
        for claim in &rec.claims {
            let done = &mut self.resources[claim.resource].done;
            let latest = match claim.mode {
                Mode::Exclusive => &mut done.exclusive,
                Mode::Shared => &mut done.shared,
            };
            *latest = (*latest).max(Some(task));
        }
        let rec = self.queues.grow_to(queue);
        rec.epoch_done = rec.epoch_done.max(epoch);
    }

    /// The store refused the effect of an attempt: it was in vain.
    pub(super) fn refuse(&mut self, worker: WorkerId, ticket: Ticket) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        for attempt in rec.attempts.iter_mut().filter(|attempt| attempt.ticket == ticket) {
            count_loss(&mut self.tasks, attempt);
        }
    }

    #[inline]
    pub(super) fn report(&mut self, worker: WorkerId, ticket: Ticket) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        if let Some(index) = rec.attempts.iter().position(|attempt| attempt.ticket == ticket && attempt.ended) {
            let attempt = rec.attempts.swap_remove(index);
            self.heard = Some((self.now, attempt.task));
            self.close(attempt.task);
        } else {
            // Declined: the order overtook the grant that allows it, which is as good as lost. Or repeated.
            rec.lost_at = Some(self.now);
        }
    }

    /// The engine is gone. A report that it was given at this very instant may be gone with it.
    pub(super) fn engine_down(&mut self) {
        if let Some((at, task)) = self.heard
            && at == self.now
            && let Some(rec) = self.tasks.get_mut(task)
        {
            rec.lost += 1;
        }
    }

    /// One open attempt less.
    pub(super) fn close(&mut self, task: TaskId) {
        let Some(rec) = self.tasks.get_mut(task) else { return };
        rec.open -= 1;
        if rec.open == 0 {
            self.tally.waiting += 1;
            self.tally.runnable += u64::from(rec.uncleared == 0);
            if let Place::Queue(queue) = rec.place {
                self.touch(queue);
            }
        }
    }
}

/// Counts at most one fault per attempt.
pub(super) fn count_loss(tasks: &mut IdMap<TaskId, TaskRec>, attempt: &mut Attempt) {
    if !std::mem::replace(&mut attempt.counted, true)
        && let Some(rec) = tasks.get_mut(attempt.task)
    {
        rec.lost += 1;
    }
}

pub(super) fn stop_running(resource: &mut ResourceRec, worker: WorkerId, ticket: Ticket) {
    if let Some(index) = resource.running.iter().position(|one| one.ticket == ticket && one.worker == worker) {
        resource.running.swap_remove(index);
    }
}
