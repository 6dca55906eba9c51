//! A queue's life: created by min, by policy or for the first claim; drained and deleted when it is not needed.

use super::pool::Hold;
use super::sizing::{Demand, Occasion, Wish};
use super::{QueueFirst, Timer, note};
use crate::base::note::GrantReason;
use crate::base::{Note, QueueId, Time};
use crate::engine::message::{Effect, Outbox, Record};
use crate::engine::spec::DeleteSpec;

impl QueueFirst {
    /// Keeps the number of active queues between the limits: creates up to min, drains what is beyond max.
    pub(super) fn keep_limits(&mut self, now: Time, out: &mut Outbox) {
        while self.pool.active().len() > self.limits.max as usize {
            let emptiest = self.pool.least_loaded().expect("an active queue");
            self.drain(emptiest, out);
        }
        while self.pool.active().len() < self.limits.min as usize {
            if self.create_or_revive(now, true, out).is_none() {
                break;
            }
        }
    }

    /// Asks the sizing policy whether a surplus worker needs a queue of its own.
    pub(super) fn size_pool(&mut self, now: Time, occasion: Occasion, out: &mut Outbox) {
        let vacant = self.vacant.len();
        let surplus = self.members.surplus(vacant + 1).saturating_sub(vacant);
        if surplus == 0 {
            return;
        }
        let demand = Demand {
            queues: u32::try_from(self.pool.active().len()).expect("few queues"),
            empty_queues: self.pool.empty_queues(),
            waiting: self.waiting + self.parked,
            surplus: u32::try_from(surplus).expect("few workers"),
            occasion,
        };
        match self.sizing.wish(now, demand) {
            Wish::Create => {
                self.create_or_revive(now, false, out);
            }
            Wish::Enough => {}
            Wish::AskAgain(at) => self.timers.set_sizing(at),
        }
    }

    /// One more active queue: a draining one, else a new one; `None` at the maximum. A queue that is empty and on its
    /// way out is revived only where one must be there at once (`urgent`).
    pub(super) fn create_or_revive(&mut self, now: Time, urgent: bool, out: &mut Outbox) -> Option<QueueId> {
        let may_revive = |queue: &super::Queue| queue.draining && (urgent || queue.live > 0);
        let draining = self.pool.iter().find(|(_, queue)| may_revive(queue)).map(|(id, _)| id);
        let queue = match draining {
            Some(queue) if self.pool.active().len() < self.limits.max as usize => {
                self.pool.revive(queue);
                out.push(self.record_queue(queue));
                note(out, Note::QueueRevived { queue });
                queue
            }
            _ if self.pool.len() < self.limits.max as usize => {
                let queue = self.pool.create(now);
                self.vacant.insert(queue);
                out.push(self.record_queue(queue));
                note(out, Note::QueueCreated { queue });
                queue
            }
            _ => return None,
        };
        self.offer_to_parked(queue, out);
        self.assign(now, out);
        if self.pool.get(queue).is_some_and(|state| state.live == 0) {
            self.queue_is_empty(now, queue, out);
        }
        Some(queue)
    }

    /// A queue has no task: it may go, now or after a while.
    pub(super) fn queue_is_empty(&mut self, now: Time, queue: QueueId, out: &mut Outbox) {
        if self.pool.queue(queue).draining {
            self.retire(queue, out);
        } else if self.pool.active().len() > self.limits.min as usize {
            match self.spec.delete {
                DeleteSpec::EmptyFor(span) => self.look_when_empty_for(now + span, queue),
                DeleteSpec::AfterDoubleDuty => self.maybe_delete(now, queue, out),
                DeleteSpec::Never => {}
            }
        }
    }

    /// Drains an empty queue beyond min when the policy says so.
    pub(super) fn maybe_delete(&mut self, now: Time, queue: QueueId, out: &mut Outbox) {
        if !self.pool.is_active(queue) || self.pool.active().len() <= self.limits.min as usize {
            return;
        }
        let state = self.pool.queue(queue);
        let Some(empty_since) = state.empty_since else {
            return;
        };
        let unneeded = match self.spec.delete {
            DeleteSpec::EmptyFor(span) => {
                let due = empty_since + span;
                if now < due {
                    self.look_when_empty_for(due, queue);
                }
                due <= now
            }
            DeleteSpec::AfterDoubleDuty => match state.hold {
                Hold::Owned(worker) => self.members.get(worker).is_some_and(|member| member.load() >= 2),
                Hold::Vacant | Hold::Revoking(_) | Hold::Orphaned(_) => false,
            },
            DeleteSpec::Never => false,
        };
        if unneeded {
            self.drain(queue, out);
        }
    }

    /// At most one deadline per queue is set, however often it empties.
    fn look_when_empty_for(&mut self, due: Time, queue: QueueId) {
        let state = self.pool.queue_mut(queue);
        if !std::mem::replace(&mut state.empty_timer, true) {
            self.timers.set(due, Timer::Empty(queue));
        }
    }

    /// The deadline of [`Self::look_when_empty_for`] has come.
    pub(super) fn empty_deadline(&mut self, now: Time, queue: QueueId, out: &mut Outbox) {
        if self.pool.get(queue).is_some() {
            self.pool.queue_mut(queue).empty_timer = false;
            self.maybe_delete(now, queue, out);
        }
    }

    fn drain(&mut self, queue: QueueId, out: &mut Outbox) {
        self.pool.drain(queue);
        out.push(self.record_queue(queue));
        note(out, Note::QueueDraining { queue });
        if self.pool.queue(queue).live == 0 {
            self.retire(queue, out);
        }
    }

    /// A draining queue is empty: revoked if owned, then deleted.
    fn retire(&mut self, queue: QueueId, out: &mut Outbox) {
        match self.pool.queue(queue).hold {
            Hold::Vacant => self.delete(queue, out),
            Hold::Owned(_) => self.revoke(queue, GrantReason::Deletion, out),
            Hold::Revoking(_) | Hold::Orphaned(_) => {}
        }
    }

    /// Draining queues that are empty go, if nothing has seen to it yet.
    pub(super) fn retire_empty(&mut self, out: &mut Outbox) {
        let empty = |state: &super::Queue| state.draining && state.live == 0;
        let queues: Vec<QueueId> = self.pool.iter().filter(|(_, state)| empty(state)).map(|(id, _)| id).collect();
        for queue in queues {
            self.retire(queue, out);
        }
    }

    pub(super) fn delete(&mut self, queue: QueueId, out: &mut Outbox) {
        self.vacant.remove(&queue);
        self.pool.delete(queue);
        out.push(Effect::Persist(Record::QueueGone { queue }));
        note(out, Note::QueueDeleted { queue });
    }
}
