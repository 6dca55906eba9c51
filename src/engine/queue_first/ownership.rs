//! Assigning: which worker serves which queue (R17: what is in it plays no part beyond its length).
//!
//! vacant → owned → (revoking → vacant | orphaned → vacant). Every grant has its own epoch. A queue of a lost worker is
//! not granted anew before its lease has surely ended.

use super::pool::Hold;
use super::{QueueFirst, Timer, note};
use crate::base::note::GrantReason;
use crate::base::{Note, QueueId, Time, WorkerId};
use crate::engine::message::{ClusterMessage, Effect, Fence, Holding, Outbox};

impl QueueFirst {
    /// Gives every vacant queue to the best healthy worker, if there is one.
    pub(super) fn assign(&mut self, now: Time, out: &mut Outbox) {
        while let Some(queue) = self.vacant.first().copied() {
            let Some(worker) = self.best_worker() else {
                return;
            };
            self.vacant.remove(&queue);
            self.grant(now, queue, worker, out);
        }
    }

    /// One with no reserving queue first (of these the newest: a fresh worker relieves, and the one it relieved rests),
    /// then the one with the fewest and shortest, then the most senior.
    fn best_worker(&self) -> Option<WorkerId> {
        let (fewest, _) = self.members.by_load().next()?;
        if fewest == 0 {
            return self.members.newest_surplus();
        }
        let candidates = self.members.by_load().take_while(|(load, _)| *load == fewest);
        candidates.map(|(_, worker)| worker).min_by_key(|worker| self.backlog_of(*worker))
    }

    fn backlog_of(&self, worker: WorkerId) -> u64 {
        let owned = self.members.get(worker).map(|member| member.owned.as_slice()).unwrap_or_default();
        owned.iter().map(|queue| u64::from(self.pool.load(*queue))).sum()
    }

    fn grant(&mut self, now: Time, queue: QueueId, worker: WorkerId, out: &mut Outbox) {
        let ticket = self.next_ticket();
        let lease = self.lease();
        let member = self.members.get(worker).expect("a healthy worker");
        let (heard, stamp) = (member.heard, member.stamp);
        let state = self.pool.queue_mut(queue);
        assert!(state.hold == Hold::Vacant, "{queue} is granted while it is held");
        state.hold = Hold::Owned(worker);
        state.epoch = state.epoch.next();
        state.granted_by = ticket;
        state.lease_ends = lease.map_or(now, |lease| heard + lease.duration + lease.margin);
        let epoch = state.epoch;
        self.members.change_owned(worker, |member| member.owned.push(queue));
        out.push(self.record_queue(queue));
        self.fence(Fence::Queue { queue, epoch }, out);
        note(out, Note::QueueOwned { queue, worker, epoch, why: GrantReason::Vacant });
        let holding = Holding { queue, epoch };
        let lease = lease.map(|lease| lease.duration);
        out.push(Effect::Send(worker, ClusterMessage::Grant { holding, counted_from: stamp, lease, ticket }));
        self.serve(worker, out);
        self.maybe_delete(now, queue, out);
    }

    /// Asks the owner to hand a queue back.
    pub(super) fn revoke(&mut self, queue: QueueId, why: GrantReason, out: &mut Outbox) {
        let state = self.pool.queue_mut(queue);
        let Hold::Owned(worker) = state.hold else {
            return; // Nobody's, or on its way back.
        };
        state.hold = Hold::Revoking(worker);
        let holding = Holding { queue, epoch: state.epoch };
        self.members.change_owned(worker, |member| member.revoking += 1);
        let ticket = self.next_ticket();
        note(out, Note::QueueRevoking { queue, worker, why });
        out.push(Effect::Send(worker, ClusterMessage::Revoke { holding, ticket }));
    }

    pub(super) fn released(&mut self, now: Time, worker: WorkerId, holding: Holding, out: &mut Outbox) {
        let current = self.pool.get(holding.queue).is_some_and(|state| state.epoch == holding.epoch);
        if current && self.pool.queue(holding.queue).owner() == Some(worker) {
            self.vacate(now, holding.queue, out);
            self.assign(now, out);
            self.relieve(false, out);
        }
    }

    /// The queue has no owner from here on; an unanswered start of it is void.
    pub(super) fn vacate(&mut self, now: Time, queue: QueueId, out: &mut Outbox) {
        let state = self.pool.queue_mut(queue);
        let started = state.started;
        let hold = std::mem::replace(&mut state.hold, Hold::Vacant);
        let head = state.tasks.front().copied();
        if self.moving == Some(queue) {
            self.moving = None;
        }
        match hold {
            Hold::Owned(worker) | Hold::Revoking(worker) => {
                self.disown(worker, queue, hold != Hold::Owned(worker));
                self.became_vacant(queue, out);
                if let (Some(ticket), Some(task)) = (started, head) {
                    self.forget_outstanding(worker, ticket);
                    self.not_started(now, task, out);
                }
            }
            Hold::Orphaned(_) => {
                let epoch = self.pool.queue(queue).epoch.next();
                self.became_vacant(queue, out);
                self.fence(Fence::Queue { queue, epoch }, out);
                if let (Some(_), Some(task)) = (started, head) {
                    self.attempt_lost(now, task, out);
                }
            }
            Hold::Vacant => unreachable!("{queue} is vacant already"),
        }
        if self.pool.get(queue).is_some_and(|state| state.draining && state.live == 0 && state.hold == Hold::Vacant) {
            self.delete(queue, out);
        }
    }

    /// Nothing that was given up changes anything any more.
    pub(super) fn fence(&self, fence: Fence, out: &mut Outbox) {
        if self.lease().is_some_and(|lease| lease.fencing) {
            out.push(Effect::Fence(fence));
        }
    }

    fn became_vacant(&mut self, queue: QueueId, out: &mut Outbox) {
        self.vacant.insert(queue);
        out.push(self.record_queue(queue));
        note(out, Note::QueueVacant { queue });
    }

    fn disown(&mut self, worker: WorkerId, queue: QueueId, revoking: bool) {
        self.members.change_owned(worker, |member| {
            let position = member.owned.iter().position(|owned| *owned == queue).expect("an owned queue");
            member.owned.remove(position);
            member.revoking -= u32::from(revoking);
        });
    }

    fn forget_outstanding(&mut self, worker: WorkerId, ticket: crate::base::Ticket) {
        if let Some(member) = self.members.get_mut(worker)
            && member.outstanding.is_some_and(|outstanding| outstanding.start.ticket == ticket)
        {
            member.outstanding = None;
        }
    }

    /// The owner of a queue is lost.
    pub(super) fn orphan(&mut self, now: Time, queue: QueueId, worker: WorkerId, out: &mut Outbox) {
        let state = self.pool.queue_mut(queue);
        let revoking = state.hold == Hold::Revoking(worker);
        state.hold = Hold::Orphaned(worker);
        let lease_ends = state.lease_ends.max(now);
        if self.moving == Some(queue) {
            self.moving = None;
        }
        self.disown(worker, queue, revoking);
        out.push(self.record_queue(queue));
        note(out, Note::QueueOrphaned { queue, worker, lease_ends });
        if lease_ends <= now || self.lease().is_none() {
            self.vacate(now, queue, out);
        } else {
            self.timers.set(lease_ends, Timer::LeaseEnd(queue));
        }
    }

    pub(super) fn check_lease_end(&mut self, now: Time, queue: QueueId, out: &mut Outbox) {
        let over = |state: &super::Queue| matches!(state.hold, Hold::Orphaned(_)) && state.lease_ends <= now;
        if self.pool.get(queue).is_some_and(over) {
            self.vacate(now, queue, out);
            self.assign(now, out);
        }
    }

    /// Moves one queue from the worker with the most to the one with the fewest, where they differ by two or more and
    /// - the one with the fewest has none: double duty is relieved whenever somebody is free for it;
    /// - or the one with the most has more than is preferred;
    /// - or the number of queues per worker is to be evened out.
    ///
    /// One queue at a time: voluntary moves are rationed.
    pub(super) fn relieve(&mut self, even_out: bool, out: &mut Outbox) {
        if self.moving.is_some() || !self.vacant.is_empty() {
            return;
        }
        let extremes = self.members.by_load().next().zip(self.members.by_load().next_back());
        let Some(((fewest, _), (most, worker))) = extremes else {
            return;
        };
        if most - fewest < 2 {
            self.levelling = false;
            return;
        }
        if fewest == 0 || most > self.spec.double_duty.prefer_at_most || even_out || self.levelling {
            self.take_one_from(worker, GrantReason::Relief, out);
        }
    }

    /// A newcomer without a queue takes one over from the most senior owner (R18).
    pub(super) fn relieve_most_senior(&mut self, out: &mut Outbox) {
        if self.moving.is_none()
            && self.vacant.is_empty()
            && let Some(worker) = self.members.most_senior_owner()
        {
            self.take_one_from(worker, GrantReason::Relief, out);
        }
    }

    fn take_one_from(&mut self, worker: WorkerId, why: GrantReason, out: &mut Outbox) {
        let member = self.members.get(worker).expect("a member");
        let owned = member.owned.iter().copied().filter(|queue| matches!(self.pool.queue(*queue).hold, Hold::Owned(_)));
        // One that is not being served moves at once; the longest of those gains most.
        let queue = owned.max_by_key(|queue| {
            let state = self.pool.queue(*queue);
            (state.started.is_none(), state.live, std::cmp::Reverse(*queue))
        });
        let queue = queue.expect("an owner keeps a queue");
        self.moving = Some(queue);
        self.revoke(queue, why, out);
    }
}
