//! What one task waits for from its submission to its first start, instant by instant: the same reasons as those of
//! `wait.*`, with the names of whom it waits for.

use super::ledger::{Doing, Ledger, Place};
use crate::base::{Claim, QueueId, ResourceId, Span, TaskId, Time, WorkerId};
use crate::fact::{Fact, Observe};

/// What a task waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitsFor {
    /// An earlier conflicting task, the first of them.
    Blocker {
        /// Which.
        task: TaskId,
        /// What both claim.
        resource: ResourceId,
        /// Where it executes; `None`: it waits too.
        on: Option<WorkerId>,
        /// How many more there are.
        others: usize,
    },
    /// A place in the pool, which is at its maximum: it is parked.
    Room,
    /// Others in its queue, though it is in conflict with none.
    Others {
        /// Which queue.
        queue: QueueId,
        /// The first of them.
        head: TaskId,
    },
    /// The owner of its queue, which executes another task.
    BusyOwner {
        /// Which queue.
        queue: QueueId,
        /// Its owner.
        worker: WorkerId,
        /// What that executes.
        with: Option<TaskId>,
    },
    /// The owner of its queue, which is not up: it starts, stands still, or is gone and not yet missed.
    DownOwner {
        /// Which queue.
        queue: QueueId,
        /// Its owner.
        worker: WorkerId,
        /// Whether it stands still.
        paused: bool,
    },
    /// An owner of its queue.
    Owner {
        /// Which queue.
        queue: QueueId,
        /// The owner before, where it was lost.
        lost: Option<WorkerId>,
    },
    /// A worker for the general queue: `true` where all that are up are busy, `false` where none is up.
    AnyWorker {
        /// Whether there are workers.
        busy: bool,
    },
    /// Its worker, which is free: messages are on their way.
    Dispatch {
        /// Its queue.
        queue: QueueId,
        /// The queue's owner; `None` for the general queue.
        worker: Option<WorkerId>,
    },
    /// The engine, which has not said where it belongs though nothing in conflict is ahead.
    Engine,
}

/// A stretch of a task's wait with one cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitSpan {
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
    /// What it waited for.
    pub waits_for: WaitsFor,
}

/// Follows one task.
#[derive(Debug)]
pub struct Waiting {
    task: TaskId,
    ledger: Ledger,
    over: bool,
    spans: Vec<WaitSpan>,
}

impl Waiting {
    /// An observer of `task` before the first fact.
    pub fn new(task: TaskId) -> Waiting {
        Waiting { task, ledger: Ledger::default(), over: false, spans: Vec::new() }
    }

    /// The stretches of its wait, in order and without gaps, up to `end` where it never started.
    pub fn finish(mut self, end: Time) -> Vec<WaitSpan> {
        self.stand_until(end);
        self.spans
    }

    /// The world stands as it is until `to`.
    fn stand_until(&mut self, to: Time) {
        let from = self.ledger.now;
        if self.over || to <= from || self.ledger.tasks.get(self.task).is_none() {
            return;
        }
        let waits_for = self.waits_for();
        match self.spans.last_mut() {
            Some(last) if last.waits_for == waits_for && last.to == from => last.to = to,
            Some(_) | None => self.spans.push(WaitSpan { from, to, waits_for }),
        }
    }

    fn waits_for(&self) -> WaitsFor {
        let ledger = &self.ledger;
        let rec = &ledger.tasks[self.task];
        if rec.uncleared > 0 {
            return self.blocker(&rec.claims);
        }
        match rec.place {
            Place::Nowhere | Place::Parked => WaitsFor::Engine,
            Place::AtMax => WaitsFor::Room,
            Place::Queue(QueueId::GENERAL) => {
                if ledger.tally.doing(Doing::Idle) > 0 {
                    WaitsFor::Dispatch { queue: QueueId::GENERAL, worker: None }
                } else {
                    WaitsFor::AnyWorker { busy: ledger.tally.doing(Doing::Busy) > 0 }
                }
            }
            Place::Queue(queue) => match ledger.head(queue) {
                Some(head) if head != self.task => WaitsFor::Others { queue, head },
                Some(_) | None => self.owner(queue),
            },
        }
    }

    fn blocker(&self, claims: &[Claim]) -> WaitsFor {
        let mut ahead: Vec<(TaskId, ResourceId)> = Vec::new();
        for claim in claims {
            let claimants = self.ledger.resources[claim.resource].claimants.iter();
            let earlier = claimants
                .take_while(|other| other.task != self.task)
                .filter(|other| claim.conflicts_with(Claim { resource: claim.resource, mode: other.mode }));
            ahead.extend(earlier.map(|other| (other.task, claim.resource)));
        }
        ahead.sort_unstable();
        ahead.dedup_by_key(|(task, _)| *task);
        let (task, resource) = *ahead.first().expect("an uncleared claim has somebody ahead of it");
        let running = &self.ledger.resources[resource].running;
        let on = running.iter().find(|one| one.task == task).map(|one| one.worker);
        WaitsFor::Blocker { task, resource, on, others: ahead.len() - 1 }
    }

    fn owner(&self, queue: QueueId) -> WaitsFor {
        let rec = &self.ledger.queues[queue];
        let Some(worker) = rec.owner else {
            let lost = rec.orphaned_at.is_some().then_some(rec.last_owner).flatten();
            return WaitsFor::Owner { queue, lost };
        };
        let owner = &self.ledger.workers[worker];
        match owner.doing() {
            Doing::Busy | Doing::BusyQuiescing => {
                let with = owner.attempts.iter().find(|attempt| !attempt.ended).map(|attempt| attempt.task);
                WaitsFor::BusyOwner { queue, worker, with }
            }
            Doing::Paused => WaitsFor::DownOwner { queue, worker, paused: true },
            Doing::Starting | Doing::Gone => WaitsFor::DownOwner { queue, worker, paused: false },
            Doing::Idle | Doing::IdleQuiescing => WaitsFor::Dispatch { queue, worker: Some(worker) },
        }
    }
}

impl Observe for Waiting {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if now > self.ledger.now {
            self.stand_until(now);
            self.ledger.advance(now);
        }
        if let Fact::Started { task, .. } | Fact::Settled { task, .. } = *fact {
            self.over |= task == self.task;
        }
        self.ledger.apply(fact);
    }
}

impl WaitSpan {
    /// Its length.
    pub fn lasted(&self) -> Span {
        self.to.since(self.from)
    }
}
