//! Routing: which queue a task goes to (R17: workers play no part in it).
//!
//! All unsettled placed tasks that conflict lie in one queue, in order of submission. A task whose earlier conflicting
//! tasks lie in several queues, or are parked, is parked: it ties nothing, but every later conflicting task waits for
//! it, so order holds and nobody unrelated waits.

use super::placement::Choice;
use super::sizing::Occasion;
use super::tie::Tie;
use super::{Place, QueueFirst, Task, Timer, note};
use crate::base::note::ParkReason;
use crate::base::task::copied;
use crate::base::{Claim, IdVec, Note, Outcome, QueueId, ResourceId, TaskId, Time};
use crate::engine::message::{ClusterMessage, Effect, Outbox};
use crate::engine::spec::AtMax;

/// Ties what a task claims to the queue in which it is placed.
#[inline(always)]
fn tie(ties: &mut IdVec<ResourceId, Tie>, queue: QueueId, claims: &[Claim]) {
    for claim in claims {
        ties[claim.resource].enter(queue, *claim);
    }
}

enum Route {
    /// Nothing in conflict is ahead of it.
    Free,
    /// Everything in conflict ahead of it lies in this queue.
    Tied(QueueId),
    Park(ParkReason),
}

impl QueueFirst {
    #[inline(always)]
    pub(super) fn submit(&mut self, now: Time, task: TaskId, claims: &[Claim], out: &mut Outbox) {
        if self.tasks.contains(task) {
            return; // Its client was not told that it is accepted, and asks again.
        }
        let state = Task {
            claims: copied(claims),
            place: Place::Parked,
            sequence: 0,
            attempts: 0,
            lost: 0,
            running: None,
            cancelled: false,
        };
        self.tasks.insert(task, state);
        if claims.is_empty() {
            self.place_general(task, out);
            return;
        }
        for claim in claims {
            self.ties.grow_to(claim.resource);
        }
        let queue = match self.route(task, claims) {
            Route::Tied(queue) => Some(queue),
            Route::Free => self.choose_queue(now, task, claims, out),
            Route::Park(why) => return self.park(task, why, out),
        };
        match queue {
            Some(queue) => self.enter(task, queue, out),
            None => {
                self.park(task, ParkReason::AtMax, out);
                self.park_at_max(now, task);
            }
        }
    }

    #[inline(always)]
    fn route(&self, task: TaskId, claims: &[Claim]) -> Route {
        let mut tied: Option<QueueId> = None;
        for claim in claims {
            let tie = &self.ties[claim.resource];
            if let Some(ahead) = tie.parked_ahead(task, claim.mode) {
                return Route::Park(ParkReason::BehindParked(ahead));
            }
            for queue in tie.conflicting_queues(claim.mode) {
                match tied {
                    Some(other) if other != queue => return Route::Park(ParkReason::Split(other, queue)),
                    _ => tied = Some(queue),
                }
            }
        }
        tied.map_or(Route::Free, Route::Tied)
    }

    /// A queue for a task without ties; `None`: it must be parked.
    #[inline(always)]
    fn choose_queue(&mut self, now: Time, task: TaskId, claims: &[Claim], out: &mut Outbox) -> Option<QueueId> {
        if self.pool.active().is_empty() {
            return self.create_or_revive(now, true, out);
        }
        if self.pool.empty_queues() == 0 {
            let at_max = self.pool.len() >= self.limits.max as usize;
            if !at_max {
                self.size_pool(now, Occasion::Placing, out);
            }
            if at_max && matches!(self.spec.at_max, AtMax::Park(_)) {
                return None;
            }
        }
        Some(self.choose_active(task, claims))
    }

    #[inline(always)]
    fn choose_active(&mut self, task: TaskId, claims: &[Claim]) -> QueueId {
        let last = self.ties[claims[0].resource].last();
        let queue = self.placement.choose(&self.pool, &Choice { task, claims, last, seed: self.context.seed });
        assert!(self.pool.is_active(queue), "the placement policy chose {queue}, which is not active");
        queue
    }

    /// Puts a task that is in no queue at the end of one.
    #[inline(always)]
    fn enter(&mut self, task: TaskId, queue: QueueId, out: &mut Outbox) {
        let state = self.tasks.get_mut(task).expect("an unsettled task");
        self.placements += 1;
        (state.place, state.sequence) = (Place::Queue(queue), self.placements);
        if self.keeps_records {
            out.push(state.record(task));
        }
        note(out, Note::Placed { task, queue });
        tie(&mut self.ties, queue, &state.claims);
        self.waiting += 1;
        let state = self.pool.push(queue, task);
        if state.live == 1
            && let Some(owner) = state.owner()
        {
            self.serve(owner, out);
        }
    }

    /// Puts a task back where it was: at the end of a queue.
    pub(super) fn tie_placed(&mut self, task: TaskId, queue: QueueId) {
        tie(&mut self.ties, queue, &self.tasks[task].claims);
        self.waiting += 1;
        self.pool.push(queue, task);
    }

    /// Lists a parked task with what it claims.
    pub(super) fn tie_parked(&mut self, task: TaskId) {
        for claim in &self.tasks[task].claims {
            self.ties[claim.resource].park(task, claim.mode);
        }
        self.parked += 1;
    }

    fn park(&mut self, task: TaskId, why: ParkReason, out: &mut Outbox) {
        self.tie_parked(task);
        out.push(self.tasks[task].record(task));
        note(out, Note::Parked { task, why });
    }

    fn park_at_max(&mut self, now: Time, task: TaskId) {
        self.at_max.insert(task);
        if let AtMax::Park(limit) = self.spec.at_max {
            self.timers.set(now + limit.at_most, Timer::ParkDeadline(task));
        }
    }

    /// Places a parked task.
    #[inline(never)]
    pub(super) fn place(&mut self, task: TaskId, queue: QueueId, out: &mut Outbox) {
        self.parked -= 1;
        self.at_max.remove(&task);
        self.look_again.remove(&task);
        let claims = self.tasks[task].claims.clone();
        for claim in &claims {
            self.ties[claim.resource].unpark(task);
        }
        self.enter(task, queue, out);
        self.look_again_behind(&claims);
    }

    /// A task with these claims left or was placed: what is parked behind it is looked at again.
    pub(super) fn look_again_behind(&mut self, claims: &[Claim]) {
        if self.parked > 0 {
            for claim in claims {
                self.look_again.extend(self.ties[claim.resource].first_parked());
            }
        }
    }

    /// Looks at parked tasks again, in order of submission, until nothing changes.
    #[inline(never)]
    pub(super) fn look_at_parked(&mut self, now: Time, out: &mut Outbox) {
        while let Some(task) = self.look_again.pop_first() {
            if self.at_max.contains(&task) {
                continue; // Waits for an empty queue, not for a task.
            }
            let claims = self.tasks[task].claims.clone();
            match self.route(task, &claims) {
                Route::Tied(queue) => self.place(task, queue, out),
                Route::Free => match self.choose_queue(now, task, &claims, out) {
                    Some(queue) => self.place(task, queue, out),
                    None => {
                        note(out, Note::Parked { task, why: ParkReason::AtMax });
                        self.park_at_max(now, task);
                    }
                },
                Route::Park(_) => {}
            }
        }
    }

    /// The pool has a new or revived active queue: whoever waited for one is placed.
    pub(super) fn offer_to_parked(&mut self, queue: QueueId, out: &mut Outbox) {
        let all = self.spec.at_max == AtMax::Share;
        while let Some(first) = self.at_max.first().copied()
            && (all || self.pool.load(queue) == 0)
        {
            self.place(first, queue, out);
        }
    }

    pub(super) fn share_after_all(&mut self, task: TaskId, out: &mut Outbox) {
        if self.at_max.contains(&task) && !self.pool.active().is_empty() {
            let claims = self.tasks[task].claims.clone();
            let queue = self.choose_active(task, &claims);
            self.place(task, queue, out);
        }
    }

    #[inline(never)]
    pub(super) fn cancel(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        let Some(state) = self.tasks.get_mut(task) else {
            return; // Settled before the wish arrived.
        };
        match state.running {
            Some((worker, ticket)) => {
                state.cancelled = true;
                out.push(state.record_attempt(task));
                out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
            }
            None => self.settle(now, task, Outcome::Cancelled, out),
        }
    }
}
