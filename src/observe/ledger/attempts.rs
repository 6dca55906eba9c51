//! Attempts begin, end and are reported; a first one says why its task waited.

use super::table::TaskTable;
use super::waits::reasons;
use super::{Attempt, Ledger, Outlived, Place, QueueRec, Reasons, ResourceRec, Running, TaskRec};
use crate::base::{Claim, Epoch, Mode, QueueId, TaskId, Ticket, WorkerId};
use crate::fact::AttemptEnd;

/// A task starts for the first time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstStart<'a> {
    pub(crate) rec: &'a TaskRec,
    /// Why it has waited.
    pub(crate) waited: Reasons,
}

/// An attempt has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun<'a> {
    /// The first of its task; `None`: its task is not unsettled, or had begun before.
    pub(crate) first: Option<FirstStart<'a>>,
    /// Somebody else executes who claims the same.
    pub(crate) is_beside: bool,
}

/// An attempt whose end nobody doubts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over {
    pub(crate) queue: QueueId,
    pub(crate) epoch: Epoch,
}

/// What the store had accepted before an effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EffectsBefore {
    /// One of the same task.
    pub(crate) own: bool,
    /// The highest epoch of its queue.
    pub(crate) epoch: Epoch,
    /// One more than the number of the latest task that claims the same in conflict; 0: there was none.
    pub(crate) latest: u64,
}

impl Ledger {
    /// An attempt begins.
    #[inline(always)]
    pub(crate) fn start(&mut self, attempt: Attempt, worker: WorkerId) -> Begun<'_> {
        let now = self.now;
        let Attempt { task, ticket, queue, .. } = attempt;
        // Ordered before its worker counted as lost, and begun under a lease that is not over: hit as it begins.
        let taken = |rec: &QueueRec| rec.owner != Some(worker) && rec.last_owner == Some(worker);
        let by = self.workers.grow_to(worker);
        let lost = !by.owns_only(queue) && self.queues.get(queue).is_some_and(taken);
        by.last_general = queue.is_general();
        by.attempts.push(Attempt { counted: lost, ..attempt });
        let (before, after) = by.begin(now);
        self.tally.does(before, after, now);
        self.touch_queues_of(worker);

        let Some(rec) = self.tasks.get_mut(task) else { return Begun { first: None, is_beside: false } };
        let first = rec.starts == 0;
        let waited = if first {
            reasons(now, rec, &self.queues, &self.workers, self.general_clocks)
        } else {
            Reasons::default()
        };
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
        let mut is_beside = false;
        for claim in &rec.claims {
            let running = &mut self.resources[claim.resource].running;
            is_beside |= !running.is_empty();
            running.push(Running { ticket, task, worker, mode: claim.mode });
        }
        Begun { first: first.then_some(FirstStart { rec, waited }), is_beside }
    }

    /// An attempt ends; `None`: nothing is known of it.
    #[inline(always)]
    pub(crate) fn end(&mut self, worker: WorkerId, ticket: Ticket, end: AttemptEnd) -> Option<Over> {
        let now = self.now;
        let rec = self.workers.get_mut(worker)?;
        let attempt = rec.attempts.find(|attempt| attempt.ticket == ticket && !attempt.ended)?;
        attempt.ended = true;
        let over = Over { queue: attempt.queue, epoch: attempt.epoch };
        for claim in claims_of(&self.tasks, &self.outlived, worker, attempt) {
            stop_running(&mut self.resources[claim.resource], worker, ticket);
        }
        let (before, after) = rec.cease(now);
        self.tally.does(before, after, now);
        if !matches!(end, AttemptEnd::Completed | AttemptEnd::Failed) {
            self.forget_attempt(worker, ticket);
        }
        if !self.outlived.is_empty() {
            self.forget_outlived(worker, Some(ticket));
        }
        self.touch_queues_of(worker);
        Some(over)
    }

    /// An attempt that will not be reported is over: that counts as a fault that hit it.
    #[cold]
    fn forget_attempt(&mut self, worker: WorkerId, ticket: Ticket) {
        let attempts = &mut self.workers[worker].attempts;
        let Some(mut attempt) = attempts.take(|attempt| attempt.ticket == ticket && attempt.ended) else { return };
        count_loss(&mut self.tasks, &mut attempt);
        self.close(attempt.task);
    }

    /// What an attempt that executes on `worker` claims.
    pub(crate) fn claims_of(&self, worker: WorkerId, attempt: &Attempt) -> &[Claim] {
        claims_of(&self.tasks, &self.outlived, worker, attempt)
    }

    /// What a task claims that is settled while attempts of it execute, they claim until they end.
    #[cold]
    pub(super) fn outlive(&mut self, task: TaskId, claims: &[Claim]) {
        let Some(first) = claims.first() else { return };
        for running in self.resources[first.resource].running.iter().filter(|one| one.task == task) {
            let Running { worker, ticket, .. } = *running;
            self.outlived.push(Outlived { worker, ticket, claims: claims.into() });
        }
    }

    /// Attempts of settled tasks that executed on `worker`, this one or all, are over.
    #[cold]
    pub(super) fn forget_outlived(&mut self, worker: WorkerId, ticket: Option<Ticket>) {
        self.outlived.retain(|one| one.worker != worker || ticket.is_some_and(|ticket| ticket != one.ticket));
    }

    /// The store accepted an effect of this task; what was there before it, `None`: the task is not unsettled.
    #[inline(always)]
    pub(crate) fn accept(&mut self, task: TaskId, queue: QueueId, epoch: Epoch) -> Option<EffectsBefore> {
        let rec = self.tasks.get_mut(task)?;
        let mut before = EffectsBefore { own: rec.done, epoch: Epoch(0), latest: 0 };
        rec.done = true;
        for claim in &rec.claims {
            let done = &mut self.resources[claim.resource].done;
            before.latest = before.latest.max(done.in_conflict(claim.mode));
            let latest = match claim.mode {
                Mode::Exclusive => &mut done.exclusive,
                Mode::Shared => &mut done.shared,
            };
            *latest = (*latest).max(u64::from(task.0) + 1);
        }
        let rec = self.queues.grow_to(queue);
        before.epoch = rec.epoch_done;
        rec.epoch_done = rec.epoch_done.max(epoch);
        Some(before)
    }

    /// The store refused the effect of an attempt: it was in vain.
    pub(crate) fn refuse(&mut self, worker: WorkerId, ticket: Ticket) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        for attempt in rec.attempts.iter_mut().filter(|attempt| attempt.ticket == ticket) {
            count_loss(&mut self.tasks, attempt);
        }
    }

    /// The engine is told of an attempt; whether the attempt was one that is not reported.
    #[inline(always)]
    pub(crate) fn report(&mut self, worker: WorkerId, ticket: Ticket) -> bool {
        let Some(rec) = self.workers.get_mut(worker) else { return false };
        match rec.attempts.take(|attempt| attempt.ticket == ticket && attempt.ended) {
            Some(attempt) => {
                self.heard = Some((self.now, attempt.task));
                self.close(attempt.task);
                true
            }
            None => {
                // Declined: the order overtook the grant that allows it, which is as good as lost. Or repeated.
                rec.lost_at = Some(self.now);
                self.unclear_at = Some(self.now);
                rec.attempts.find(|attempt| attempt.ticket == ticket).is_some()
            }
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
            rec.closed_at = self.now;
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

/// What an attempt that executes on `worker` claims.
#[inline(always)]
pub(super) fn claims_of<'a>(
    tasks: &'a TaskTable,
    outlived: &'a [Outlived],
    worker: WorkerId,
    attempt: &Attempt,
) -> &'a [Claim] {
    match tasks.get(attempt.task) {
        Some(rec) => &rec.claims,
        None => {
            let own = outlived.iter().find(|one| one.worker == worker && one.ticket == attempt.ticket);
            own.map_or(&[], |one| &one.claims)
        }
    }
}

/// Counts at most one fault per attempt.
pub(super) fn count_loss(tasks: &mut TaskTable, attempt: &mut Attempt) {
    if !std::mem::replace(&mut attempt.counted, true)
        && let Some(rec) = tasks.get_mut(attempt.task)
    {
        rec.lost += 1;
    }
}

#[inline(always)]
pub(super) fn stop_running(resource: &mut ResourceRec, worker: WorkerId, ticket: Ticket) {
    resource.running.take(|one| one.ticket == ticket && one.worker == worker);
}
