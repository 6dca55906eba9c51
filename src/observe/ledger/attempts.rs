//! Attempts begin, end and are reported; a first one says why its task waited.

use super::{Attempt, Ledger, Place, QueueRec, Reasons, ResourceRec, Running, TaskRec};
use crate::base::{Claim, Epoch, IdMap, Mode, QueueId, Span, TaskId, Ticket, Time, WorkerId};
use crate::fact::AttemptEnd;

impl Ledger {
    #[inline(always)]
    pub(super) fn start(&mut self, task: TaskId, worker: WorkerId, queue: QueueId, epoch: Epoch, ticket: Ticket) {
        let now = self.now;
        // Ordered before its worker counted as lost, and begun under a lease that is not over: hit as it begins.
        let taken = |rec: &QueueRec| rec.owner != Some(worker) && rec.last_owner == Some(worker);
        let lost = self.queues.get(queue).is_some_and(taken);
        if let Some(rec) = self.tasks.get_mut(task) {
            rec.starts += 1;
            rec.lost += u32::from(lost);
            rec.last_ticket = rec.last_ticket.max(ticket);
            rec.open += 1;
            if rec.open == 1 {
                self.tally.waiting.fall(now);
                if rec.uncleared == 0 {
                    self.tally.runnable.fall(now);
                }
            }
            for claim in &rec.claims {
                self.resources[claim.resource].running.push(Running { ticket, task, worker, mode: claim.mode });
            }
        }
        self.execute(worker, |rec| {
            rec.executing += 1;
            let attempt = Attempt { task, ticket, queue, epoch, outlived: None, ended: false, counted: lost };
            rec.attempts.push(attempt);
        });
    }

    /// Splits the wait of a task that starts at `now`. Each instant of it has exactly one reason.
    #[inline(always)]
    pub(super) fn reasons(&self, now: Time, rec: &TaskRec) -> Reasons {
        let runnable = rec.runnable_at.min(now);
        let placed = rec.placed_at.min(now).max(runnable);
        let head = rec.head_at.min(now).max(placed);
        let rest = now.since(head).micros();
        let [blocked, parked, behind] =
            [runnable.since(rec.submitted), placed.since(runnable), head.since(placed)].map(Span::micros);
        if rest == 0 {
            return [blocked, parked, behind, 0, 0, 0];
        }
        let (no_owner, busy) = match rec.place {
            Place::Queue(QueueId::GENERAL) => {
                (self.general_clocks.0 - rec.general_clocks.0, self.general_clocks.1 - rec.general_clocks.1)
            }
            Place::Queue(queue) => self.head_clocks(queue, now),
            Place::Parked | Place::AtMax | Place::Nowhere => (0, 0),
        };
        // Clamped for engines that start a task before it is runnable; otherwise the clocks fit.
        let busy = busy.min(rest);
        let no_owner = no_owner.min(rest - busy);
        let dispatch = rest - busy - no_owner;
        [blocked, parked, behind, busy, no_owner, dispatch]
    }

    #[inline(always)]
    pub(super) fn end(&mut self, worker: WorkerId, ticket: Ticket, end: AttemptEnd) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        let Some(index) = rec.attempts.iter().position(|attempt| attempt.ticket == ticket && !attempt.ended) else {
            return;
        };
        let attempt = &mut rec.attempts[index];
        attempt.ended = true;
        for claim in claims_of(&self.tasks, attempt) {
            stop_running(&mut self.resources[claim.resource], worker, ticket);
        }
        if !matches!(end, AttemptEnd::Completed | AttemptEnd::Failed) {
            self.forget_attempt(worker, index);
        }
        self.execute(worker, |rec| rec.executing -= 1);
    }

    /// An attempt that will not be reported is over: that counts as a fault that hit it.
    #[cold]
    fn forget_attempt(&mut self, worker: WorkerId, index: usize) {
        let mut attempt = self.workers[worker].attempts.remove(index);
        count_loss(&mut self.tasks, &mut attempt);
        self.close(attempt.task);
    }

    /// What an attempt that executes claims.
    pub(crate) fn claims_of<'a>(&'a self, attempt: &'a Attempt) -> &'a [Claim] {
        claims_of(&self.tasks, attempt)
    }

    /// What a task claims that is settled while attempts of it execute, they claim until they end.
    #[cold]
    pub(super) fn outlive(&mut self, task: TaskId, claims: &[Claim]) {
        let Some(first) = claims.first() else { return };
        for running in self.resources[first.resource].running.iter().filter(|one| one.task == task) {
            let attempts = &mut self.workers[running.worker].attempts;
            for attempt in attempts.iter_mut().filter(|attempt| attempt.task == task) {
                attempt.outlived = Some(claims.into());
            }
        }
    }

    /// The store accepted an effect of this task.
    #[inline(always)]
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

    #[inline(always)]
    pub(super) fn report(&mut self, worker: WorkerId, ticket: Ticket) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        if let Some(index) = rec.attempts.iter().position(|attempt| attempt.ticket == ticket && attempt.ended) {
            let task = rec.attempts[index].task;
            rec.attempts.swap_remove(index);
            self.heard = Some((self.now, task));
            self.close(task);
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
    #[inline(always)]
    pub(super) fn close(&mut self, task: TaskId) {
        let Some(rec) = self.tasks.get_mut(task) else { return };
        rec.open -= 1;
        if rec.open == 0 {
            self.tally.waiting.rise(self.now);
            if rec.uncleared == 0 {
                self.tally.runnable.rise(self.now);
            }
            if let Place::Queue(queue) = rec.place {
                self.touch(queue);
            }
        }
    }
}

/// What an attempt that executes claims.
#[inline(always)]
pub(super) fn claims_of<'a>(tasks: &'a IdMap<TaskId, TaskRec>, attempt: &'a Attempt) -> &'a [Claim] {
    match tasks.get(attempt.task) {
        Some(rec) => &rec.claims,
        None => attempt.outlived.as_deref().unwrap_or_default(),
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

#[inline(always)]
pub(super) fn stop_running(resource: &mut ResourceRec, worker: WorkerId, ticket: Ticket) {
    if let Some(index) = resource.running.iter().position(|one| one.ticket == ticket && one.worker == worker) {
        resource.running.swap_remove(index);
    }
}
