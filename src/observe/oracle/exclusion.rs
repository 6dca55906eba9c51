//! exclusion: conflicting attempts never execute at once, pauses left out. One breach per pair of attempts, with the
//! time for which both executed; meeting at one instant is none.

use super::{Breach, Docket, Ledger};
use crate::base::{Claim, Property, ResourceId, Span, TaskId, Ticket, Time, WorkerId};

/// Pairs of attempts that are in conflict and both not ended.
#[derive(Default, Debug)]
pub(crate) struct Exclusion {
    pairs: Vec<Pair>,
    total: Span,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Party {
    task: TaskId,
    worker: WorkerId,
    ticket: Ticket,
}

#[derive(Debug)]
struct Pair {
    /// The one that was there first.
    first: Party,
    second: Party,
    resource: ResourceId,
    since: Time,
    /// Both execute since; `None`: one of them is paused.
    both: Option<Time>,
    lasted: Span,
}

impl Pair {
    fn stop(&mut self, now: Time) {
        if let Some(since) = self.both.take() {
            self.lasted += now.since(since);
        }
    }
    fn involves(&self, worker: WorkerId, ticket: Option<Ticket>) -> bool {
        [self.first, self.second]
            .iter()
            .any(|party| party.worker == worker && ticket.is_none_or(|ticket| ticket == party.ticket))
    }
}

impl Exclusion {
    /// The overlaps of all pairs, added up.
    pub(crate) fn total(&self) -> Span {
        self.total
    }

    /// An attempt has begun while somebody else executes who claims the same; the ledger has taken it in.
    #[cold]
    pub(crate) fn started_beside(
        &mut self,
        now: Time,
        task: TaskId,
        worker: WorkerId,
        ticket: Ticket,
        ledger: &Ledger,
    ) {
        if let Some(rec) = ledger.tasks.get(task) {
            self.meet(now, Party { task, worker, ticket }, &rec.claims, ledger);
        }
    }

    /// `party` executes from here on: it overlaps with whatever conflicts and executes too.
    fn meet(&mut self, now: Time, party: Party, claims: &[Claim], ledger: &Ledger) {
        for claim in claims {
            for other in ledger.resources[claim.resource].running.iter() {
                let there = Party { task: other.task, worker: other.worker, ticket: other.ticket };
                let conflict = claim.conflicts_with(Claim { resource: claim.resource, mode: other.mode });
                if !conflict || there == party || ledger.workers[other.worker].paused {
                    continue;
                }
                let known = self.pairs.iter_mut().find(|pair| {
                    (pair.first == party && pair.second == there) || (pair.first == there && pair.second == party)
                });
                match known {
                    Some(pair) => {
                        pair.both.get_or_insert(now);
                    }
                    None => self.pairs.push(Pair {
                        first: there,
                        second: party,
                        resource: claim.resource,
                        since: now,
                        both: Some(now),
                        lasted: Span::ZERO,
                    }),
                }
            }
        }
    }

    pub(super) fn paused(&mut self, now: Time, worker: WorkerId) {
        for pair in self.pairs.iter_mut().filter(|pair| pair.involves(worker, None)) {
            pair.stop(now);
        }
    }

    pub(super) fn resumed(&mut self, now: Time, worker: WorkerId, ledger: &Ledger) {
        let Some(rec) = ledger.workers.get(worker) else { return };
        for attempt in rec.attempts.iter().filter(|attempt| !attempt.ended) {
            let party = Party { task: attempt.task, worker, ticket: attempt.ticket };
            self.meet(now, party, ledger.claims_of(worker, attempt), ledger);
        }
    }

    /// An attempt (`None`: all of the worker's) executes no more.
    #[inline(always)]
    pub(super) fn ended(&mut self, now: Time, worker: WorkerId, ticket: Option<Ticket>, docket: &mut Docket) {
        if !self.pairs.is_empty() {
            self.close(now, |pair| pair.involves(worker, ticket), docket);
        }
    }

    pub(super) fn finish(&mut self, now: Time, docket: &mut Docket) {
        self.close(now, |_| true, docket);
    }

    fn close(&mut self, now: Time, which: impl Fn(&Pair) -> bool, docket: &mut Docket) {
        let total = &mut self.total;
        self.pairs.retain_mut(|pair| {
            if !which(pair) {
                return true;
            }
            pair.stop(now);
            if !pair.lasted.is_zero() {
                *total += pair.lasted;
                docket.accuse(Property::Exclusion, pair.since, || pair.breach());
            }
            false
        });
    }
}

impl Pair {
    fn breach(&self) -> Breach {
        let Pair { first, second, resource, lasted, .. } = self;
        Breach {
            tasks: vec![first.task, second.task],
            resource: Some(*resource),
            workers: vec![first.worker, second.worker],
            lasted: Some(*lasted),
            cause: format!(
                "{{t:{}}} on {{w:{}}} and {{t:{}}} on {{w:{}}} executed at once for {lasted}, in conflict over {{r:{}}}",
                first.task.0, first.worker.0, second.task.0, second.worker.0, resource.0
            ),
            ..Breach::default()
        }
    }
}
