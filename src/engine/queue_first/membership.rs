//! The workers that the engine knows: anonymous, told apart only by when they joined.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::{QueueFirst, Timer, note};
use crate::base::note::GrantReason;
use crate::base::{IdTable, Note, QueueId, TaskId, Time, WorkerId};
use crate::engine::message::{
    ClusterMessage, Effect, Heartbeat, Holding, Holdings, Outbox, Record, Stamp, Start, Welcome,
};
use crate::engine::spec::{Newcomers, Rebalance};

use super::pool::Hold;
use super::tournament::Tournament;

/// An order to start that is not answered yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outstanding {
    pub(super) start: Start,
}

#[derive(Debug)]
pub(super) struct Member {
    /// Its place in the order of joining: the only identity that decisions may use (R15).
    pub(super) seniority: u64,
    /// When its last heartbeat or join arrived.
    pub(super) heard: Time,
    /// The stamp of that message.
    pub(super) stamp: Stamp,
    pub(super) quiescing: bool,
    /// It is known from the records of an earlier engine only, and gets nothing before it is heard.
    pub(super) expected: bool,
    /// Its reserving queues in the order of their grants, revoking ones included.
    pub(super) owned: SmallVec<[QueueId; 2]>,
    /// How many of them are being revoked.
    pub(super) revoking: u32,
    pub(super) outstanding: Option<Outstanding>,
    /// Reserved starts since the last general one.
    pub(super) reserved_streak: u32,
    /// Its number in the order of going idle, while it is idle.
    idle: Option<u32>,
    /// Its place in the tournaments of the idle.
    slot: u32,
}

impl Member {
    pub(super) fn is_idle(&self) -> bool {
        self.idle.is_some()
    }
    /// Queues that it will keep.
    pub(super) fn load(&self) -> u32 {
        u32::try_from(self.owned.len()).expect("few queues") - self.revoking
    }
}

#[derive(Debug, Default)]
pub(super) struct Members {
    members: IdTable<WorkerId, Member>,
    joined: u64,
    idled: u32,
    /// Members that are not quiescing: (load, seniority, who).
    by_load: BTreeSet<(u32, u64, WorkerId)>,
    /// Who is in which place of the tournaments.
    slots: Vec<WorkerId>,
    free_slots: Vec<u32>,
    /// Idle members by how long they have been idle, without a reserving queue and with one.
    idle_surplus: Tournament,
    idle_owners: Tournament,
}

impl Members {
    #[inline]
    pub(super) fn get(&self, worker: WorkerId) -> Option<&Member> {
        self.members.get(worker)
    }
    #[inline]
    pub(super) fn get_mut(&mut self, worker: WorkerId) -> Option<&mut Member> {
        self.members.get_mut(worker)
    }
    fn add(&mut self, now: Time, worker: WorkerId, stamp: Stamp) -> u64 {
        self.joined += 1;
        let slot = self.free_slots.pop().unwrap_or_else(|| {
            self.slots.push(worker);
            self.idle_surplus.grow();
            self.idle_owners.grow()
        });
        self.slots[slot as usize] = worker;
        let member = Member {
            seniority: self.joined,
            heard: now,
            stamp,
            quiescing: false,
            expected: false,
            owned: SmallVec::new(),
            revoking: 0,
            outstanding: None,
            reserved_streak: 0,
            idle: None,
            slot,
        };
        self.members.insert(worker, member);
        self.by_load.insert((0, self.joined, worker));
        self.joined
    }
    /// A member that is known from records only.
    pub(super) fn expect(&mut self, worker: WorkerId) -> &mut Member {
        if self.members.get(worker).is_none() {
            let seniority = self.add(Time::ZERO, worker, Stamp(0));
            self.by_load.remove(&(0, seniority, worker));
        }
        let member = &mut self.members[worker];
        member.expected = true;
        member
    }
    /// Members that were not heard yet.
    pub(super) fn expected(&self) -> Vec<(WorkerId, u64)> {
        let unheard = self.members.iter().filter(|(_, member)| member.expected);
        unheard.map(|(worker, member)| (worker, member.seniority)).collect()
    }
    /// A member that was expected is there.
    pub(super) fn heard(&mut self, worker: WorkerId) {
        let member = &mut self.members[worker];
        member.expected = false;
        // An operator may have asked it to quiesce before it was heard.
        if !member.quiescing {
            self.by_load.insert((member.load(), member.seniority, worker));
        }
    }
    /// From here on it gets nothing; what it owned until then is handed back to the caller to deal with.
    fn retire(&mut self, worker: WorkerId) -> Option<SmallVec<[QueueId; 2]>> {
        self.members.get(worker)?;
        self.set_quiescing(worker);
        Some(self.members[worker].owned.clone())
    }
    /// One that was retired before.
    fn remove(&mut self, worker: WorkerId) {
        if let Some(member) = self.members.remove(worker) {
            self.free_slots.push(member.slot);
        }
    }
    fn set_quiescing(&mut self, worker: WorkerId) {
        self.set_idle(worker, false);
        let member = &mut self.members[worker];
        member.quiescing = true;
        self.by_load.remove(&(member.load(), member.seniority, worker));
    }
    /// Changes what a member owns and keeps the orders by load and idleness.
    pub(super) fn change_owned(&mut self, worker: WorkerId, change: impl FnOnce(&mut Member)) {
        let member = &mut self.members[worker];
        let (load, surplus) = (member.load(), member.owned.is_empty());
        change(member);
        if !member.quiescing && !member.expected && member.load() != load {
            self.by_load.remove(&(load, member.seniority, worker));
            self.by_load.insert((member.load(), member.seniority, worker));
        }
        if let Some(idle) = member.idle
            && surplus != member.owned.is_empty()
        {
            let slot = member.slot;
            self.idle(surplus).withdraw(slot);
            self.idle(!surplus).set(slot, idle);
        }
    }
    #[inline]
    fn idle(&mut self, surplus: bool) -> &mut Tournament {
        if surplus { &mut self.idle_surplus } else { &mut self.idle_owners }
    }
    pub(super) fn set_idle(&mut self, worker: WorkerId, idle: bool) {
        let Some(member) = self.members.get_mut(worker) else {
            return;
        };
        if member.idle.is_some() == idle {
            return;
        }
        let (surplus, slot) = (member.owned.is_empty(), member.slot);
        if idle {
            // Between two times that it is idle a worker is given a task, and those are counted in 32 bits.
            self.idled += 1;
            member.idle = Some(self.idled);
            let number = self.idled;
            self.idle(surplus).set(slot, number);
        } else {
            member.idle = None;
            self.idle(surplus).withdraw(slot);
        }
    }
    #[inline(always)]
    pub(super) fn busy_with(&mut self, worker: WorkerId, outstanding: Outstanding) -> &mut Member {
        let member = &mut self.members[worker];
        if member.idle.take().is_some() {
            let idle = if member.owned.is_empty() { &mut self.idle_surplus } else { &mut self.idle_owners };
            idle.withdraw(member.slot);
        }
        member.outstanding = Some(outstanding);
        member
    }
    /// The idle member that has been idle longest, one without a reserving queue first.
    pub(super) fn longest_idle(&self, everyone: bool) -> Option<WorkerId> {
        let owner = || self.idle_owners.winner().filter(|_| everyone);
        self.idle_surplus.winner().or_else(owner).map(|slot| self.slots[slot as usize])
    }
    /// All idle members, longest idle first.
    pub(super) fn all_idle(&self) -> Vec<WorkerId> {
        let idle = self.members.iter().filter_map(|(worker, member)| Some((member.idle?, worker)));
        let mut idle: Vec<(u32, WorkerId)> = idle.collect();
        idle.sort_unstable();
        idle.into_iter().map(|(_, worker)| worker).collect()
    }
    /// Members in order of (load, seniority), quiescing ones left out.
    pub(super) fn by_load(&self) -> impl DoubleEndedIterator<Item = (u32, WorkerId)> + '_ {
        self.by_load.iter().map(|(load, _, worker)| (*load, *worker))
    }
    /// Whether a healthy worker has no reserving queue to keep.
    pub(super) fn any_surplus(&self) -> bool {
        self.by_load.first().is_some_and(|(load, ..)| *load == 0)
    }
    /// The newest healthy worker without a reserving queue to keep.
    pub(super) fn newest_surplus(&self) -> Option<WorkerId> {
        self.by_load.range(..(1, 0, WorkerId(0))).next_back().map(|(_, _, worker)| *worker)
    }
    /// The most senior healthy worker with a reserving queue to keep.
    pub(super) fn most_senior_owner(&self) -> Option<WorkerId> {
        let owners = self.by_load.range((1, 0, WorkerId(0))..);
        owners.min_by_key(|(_, seniority, _)| *seniority).map(|(_, _, worker)| *worker)
    }
    /// How many healthy workers have no reserving queue to keep, at most `limit`.
    pub(super) fn surplus(&self, limit: usize) -> usize {
        self.by_load.iter().take_while(|(load, ..)| *load == 0).take(limit).count()
    }
}

impl QueueFirst {
    #[inline(never)]
    pub(super) fn join(&mut self, now: Time, worker: WorkerId, stamp: Stamp, out: &mut Outbox) {
        if let Some(member) = self.members.get_mut(worker) {
            if stamp < member.stamp {
                return; // Overtaken by a later one.
            }
            // Its first welcome is late or lost: the same process is offered all it owns.
            member.heard = now;
            member.stamp = stamp;
            self.renew_leases(now, worker);
            self.welcome(worker, stamp, out);
            return;
        }
        let seniority = self.members.add(now, worker, stamp);
        self.timers.set(now + self.context.detection.ttl, Timer::Lost(worker, seniority));
        self.welcome(worker, stamp, out);
        self.assign(now, out);
        self.levelling |= self.spec.newcomers == Newcomers::Rebalance || self.spec.rebalance == Rebalance::OnJoin;
        self.relieve(false, out);
        if self.spec.newcomers == Newcomers::Relieve && self.members.get(worker).is_some_and(|it| it.owned.is_empty()) {
            self.relieve_most_senior(out);
        }
    }

    pub(super) fn ask_to_rejoin(&mut self, worker: WorkerId, out: &mut Outbox) {
        let ticket = self.next_ticket();
        out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket }));
    }

    /// Gone in good order: what it was ordered to start and did not report was never begun.
    #[inline(never)]
    pub(super) fn leave(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        let Some(owned) = self.members.retire(worker) else {
            return;
        };
        for queue in owned {
            self.vacate(now, queue, out);
        }
        if let Some(task) = self.general_attempt(worker) {
            self.not_started(now, task, out);
        }
        self.members.remove(worker);
        self.assign(now, out);
    }

    /// The task of the general queue that this worker was ordered to start, while that is unanswered.
    fn general_attempt(&self, worker: WorkerId) -> Option<TaskId> {
        let Outstanding { start } = self.members.get(worker)?.outstanding?;
        let running = self.tasks.get(start.task)?.running == Some((worker, start.ticket));
        (running && start.queue.is_general()).then_some(start.task)
    }

    #[inline(never)]
    pub(super) fn heartbeat(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        for report in &beat.reports {
            self.reported(now, worker, *report, out);
        }
        let Some(member) = self.members.get_mut(worker) else {
            return self.ask_to_rejoin(worker, out);
        };
        if beat.stamp < member.stamp {
            return; // Overtaken by a later one.
        }
        member.heard = now;
        member.stamp = beat.stamp;
        if member.quiescing && !beat.quiescing {
            out.push(Effect::Send(worker, ClusterMessage::Quiesce));
        }
        if beat.quiescing {
            self.quiesce(now, worker, false, out);
        }
        let unseen = self.unseen_order(now, worker, beat, out);
        self.notice_lost_releases(now, worker, beat, out);
        self.renew_leases(now, worker);
        self.welcome(worker, beat.stamp, out);
        let Some(member) = self.members.get(worker) else {
            return;
        };
        // After the grant that it may rely on.
        if let Some(start) = unseen
            && member.outstanding.is_some_and(|order| order.start == start)
        {
            out.push(Effect::Send(worker, ClusterMessage::Start(start)));
        }
        if beat.running.is_none() && member.outstanding.is_none() && !member.quiescing {
            self.fetch(worker, None, out);
        }
    }

    /// The answer to a heartbeat or a join: every grant that the worker should hold.
    fn welcome(&mut self, worker: WorkerId, stamp: Stamp, out: &mut Outbox) {
        let ticket = self.next_ticket();
        let lease = self.lease().map(|lease| lease.duration);
        let Some(member) = self.members.get(worker) else {
            return;
        };
        if lease.is_some() && !member.owned.is_empty() {
            out.push(Effect::Persist(Record::Leads));
        }
        let kept = member.owned.iter().filter(|queue| self.keeps(member, **queue));
        let grants: Holdings =
            kept.map(|queue| Holding { queue: *queue, epoch: self.pool.queue(*queue).epoch }).collect();
        let welcome = Welcome { stamp, lease, grants, ticket };
        out.push(Effect::Send(worker, ClusterMessage::Welcome(Box::new(welcome))));
    }

    pub(super) fn renew_leases(&mut self, now: Time, worker: WorkerId) {
        let Some((lease, member)) = self.lease().zip(self.members.get(worker)) else {
            return;
        };
        let kept: SmallVec<[QueueId; 2]> =
            member.owned.iter().copied().filter(|queue| self.keeps(member, *queue)).collect();
        for queue in kept {
            self.pool.queue_mut(queue).lease_ends = now + lease.duration + lease.margin;
        }
    }

    /// Whether a queue's lease is renewed: its owner keeps it, or hands it back and may still execute a task of it.
    fn keeps(&self, member: &Member, queue: QueueId) -> bool {
        let state = self.pool.queue(queue);
        let executes = member.outstanding.is_some_and(|order| state.started == Some(order.start.ticket));
        matches!(state.hold, Hold::Owned(_)) || executes
    }

    /// A grant that the worker has seen and does not hold was released, and the word of it was lost. Unless it stops an
    /// attempt under it at this very moment.
    fn notice_lost_releases(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        let Some(member) = self.members.get(worker) else {
            return;
        };
        let gone: SmallVec<[Holding; 2]> = member
            .owned
            .iter()
            .map(|queue| {
                (self.pool.queue(*queue).granted_by, Holding { queue: *queue, epoch: self.pool.queue(*queue).epoch })
            })
            .filter(|(granted_by, holding)| *granted_by <= beat.seen && !beat.holds.contains(holding))
            .filter(|(_, holding)| beat.running.is_none() || beat.running != self.pool.queue(holding.queue).started)
            .map(|(_, holding)| holding)
            .collect();
        for holding in gone {
            self.released(now, worker, holding, out);
        }
    }

    /// The order to start that the worker cannot have seen. One that it saw and does not execute is void.
    fn unseen_order(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) -> Option<Start> {
        let Outstanding { start } = self.members.get(worker)?.outstanding?;
        if beat.running == Some(start.ticket) {
            if self.tasks.get(start.task).is_some_and(|task| task.cancelled) {
                out.push(Effect::Send(worker, ClusterMessage::Abort { ticket: start.ticket }));
            }
        } else if beat.started < start.ticket {
            return Some(start);
        } else {
            self.members.get_mut(worker).expect("a member").outstanding = None;
            if self.tasks.get(start.task).is_some_and(|task| task.running == Some((worker, start.ticket))) {
                self.not_started(now, start.task, out);
            }
        }
        None
    }

    /// A worker gets no new work, hands over and leaves (R3). `tell`: it does not know yet.
    pub(super) fn quiesce(&mut self, now: Time, worker: WorkerId, tell: bool, out: &mut Outbox) {
        let Some(member) = self.members.get(worker) else {
            return;
        };
        if tell {
            out.push(Effect::Send(worker, ClusterMessage::Quiesce));
        }
        if member.quiescing {
            return;
        }
        let owned = member.owned.clone();
        self.members.set_quiescing(worker);
        for queue in owned {
            self.revoke(queue, GrantReason::Quiesce, out);
        }
        self.assign(now, out);
    }

    pub(super) fn check_lost(&mut self, now: Time, worker: WorkerId, seniority: u64, out: &mut Outbox) {
        let Some(member) = self.members.get(worker).filter(|member| member.seniority == seniority) else {
            return;
        };
        let due = member.heard + self.context.detection.ttl;
        if now < due {
            self.timers.set(due, Timer::Lost(worker, seniority));
            return;
        }
        note(out, Note::WorkerLost { worker });
        let Some(owned) = self.members.retire(worker) else {
            return;
        };
        for queue in owned {
            self.orphan(now, queue, worker, out);
        }
        if let Some(task) = self.general_attempt(worker) {
            self.attempt_lost(now, task, out);
        }
        self.members.remove(worker);
        self.assign(now, out);
    }
}
