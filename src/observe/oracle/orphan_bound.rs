//! orphan_bound: a lost owner's queue is taken up again within the bound, if a healthy worker existed throughout.
//!
//! The time counts from the last instant at which the owner could surely send a heartbeat: its end, or the beginning of
//! a pause (a pause that ends in time is no loss, unless the engine took the queue away). Where no worker was there
//! throughout that the engine could reach, or no engine that could act, the time counts anew: while its store holds it
//! up, it hears late. So it does where the last owner comes back to a restored engine, which may know it as the owner.

use std::collections::VecDeque;

use super::super::ledger::{Brain, Phase, WorkerRec};
use super::{Breach, Docket, Ledger};
use crate::base::{Epoch, IdVec, Property, QueueId, Span, Time, WorkerId};

#[derive(Debug)]
pub(super) struct OrphanBound {
    bound: Option<Span>,
    lost: IdVec<QueueId, Option<Loss>>,
    /// Instants after which a loss is judged. All wait equally long, so they are in order.
    due: VecDeque<(Time, QueueId, Time)>,
}

#[derive(Clone, Copy, Debug)]
struct Loss {
    since: Time,
    owner: WorkerId,
    epoch: Epoch,
}

impl OrphanBound {
    pub(super) fn new(bound: Option<Span>, slack: Span) -> Self {
        let bound = bound.map(|bound| bound.saturating_add(slack));
        OrphanBound { bound, lost: IdVec::new(), due: VecDeque::new() }
    }

    fn arm(&mut self, queue: QueueId, loss: Loss) {
        if let Some(bound) = self.bound {
            *self.lost.grow_to(queue) = Some(loss);
            self.due.push_back((loss.since.saturating_add(bound), queue, loss.since));
        }
    }

    /// The worker can send nothing from here on.
    pub(super) fn lost(&mut self, now: Time, worker: WorkerId, ledger: &Ledger) {
        let Some(rec) = ledger.workers.get(worker) else { return };
        for queue in &rec.queues {
            let epoch = ledger.queues[*queue].epoch;
            let known = self.lost.get(*queue).copied().flatten().is_some_and(|loss| loss.epoch == epoch);
            if !known {
                self.arm(*queue, Loss { since: now, owner: worker, epoch });
            }
        }
    }

    pub(super) fn resumed(&mut self, worker: WorkerId, ledger: &Ledger) {
        let Some(rec) = ledger.workers.get(worker) else { return };
        for queue in &rec.queues {
            let epoch = ledger.queues[*queue].epoch;
            if let Some(slot) = self.lost.get_mut(*queue)
                && slot.is_some_and(|loss| loss.epoch == epoch)
            {
                *slot = None;
            }
        }
    }

    /// A grant to a worker that can take nothing up is no rescue, but the engine cannot know yet.
    pub(super) fn owned(&mut self, now: Time, queue: QueueId, worker: WorkerId, epoch: Epoch, ledger: &Ledger) {
        if ledger.workers.get(worker).is_none_or(|rec| rec.phase != Phase::Up || rec.paused) {
            self.arm(queue, Loss { since: now, owner: worker, epoch });
        } else if let Some(loss) = self.lost.get(queue).copied().flatten()
            && let Some(chosen) = ledger.queues.get(queue).and_then(|rec| rec.owner.or(rec.last_owner))
            && chosen != loss.owner
            && ledger.workers[chosen].lost_at >= Some(loss.since)
        {
            // The word to whoever was chosen before was lost, which the engine could not know.
            self.arm(queue, Loss { since: now, ..loss });
        }
    }

    /// Somebody has taken it up: the next owner, or the last one again, by a restored engine that knows it as the owner.
    pub(super) fn held(&mut self, queue: QueueId, epoch: Epoch) {
        if let Some(slot) = self.lost.get_mut(queue)
            && slot.is_some_and(|loss| epoch >= loss.epoch)
        {
            *slot = None;
        }
    }

    #[inline(always)]
    pub(super) fn advance(&mut self, to: Time, ledger: &Ledger, docket: &mut Docket) {
        if self.due.front().is_some_and(|(due, ..)| *due < to) {
            self.fall_due(to, ledger, docket);
        }
    }

    #[cold]
    fn fall_due(&mut self, to: Time, ledger: &Ledger, docket: &mut Docket) {
        while self.due.front().is_some_and(|(due, ..)| *due < to) {
            let (due, queue, since) = self.due.pop_front().expect("it was just looked at");
            let Some(loss) = self.lost[queue].filter(|loss| loss.since == since) else { continue };
            self.lost[queue] = None;
            if !ledger.queues[queue].exists {
                continue;
            }
            let rec = &ledger.queues[queue];
            let chosen = rec.owner.or(rec.last_owner).and_then(|worker| ledger.workers[worker].lost_at);
            let restored = ledger.engine_up_at.is_some_and(|up| rec.owned_at <= up);
            let returned = restored && ledger.workers[loss.owner].resumed >= since;
            let held_up = ledger.brain != Brain::Up || Some(ledger.brain_since).max(chosen) >= Some(since);
            let excused = held_up || returned;
            let reachable = |rec: &WorkerRec| {
                rec.healthy_since.is_some_and(|at| at <= since) && rec.lost_at.is_none_or(|at| at < since)
            };
            let rescuer = ledger.workers.iter().find(|(_, rec)| reachable(rec) && !excused).map(|(worker, _)| worker);
            match rescuer {
                None => self.arm(queue, Loss { since: due, ..loss }),
                Some(rescuer) => docket.accuse(Property::OrphanBound, due, || Breach {
                    queue: Some(queue),
                    workers: vec![loss.owner, rescuer],
                    lasted: Some(due.since(since)),
                    cause: format!(
                        "{{q:{}}} lost its owner {{w:{}}} at {since}, and by {due} no worker had taken it up, though {{w:{}}} was healthy all the time",
                        queue.0, loss.owner.0, rescuer.0
                    ),
                    ..Breach::default()
                }),
            }
        }
    }
}
