//! The workers: heartbeats, clean-up of dead ones, leaving.

use std::collections::BTreeMap;

use super::fetch::order;
use super::spec::CleanUp;
use super::{PullLocks, State, Timer, draw};
use crate::base::{IdMap, Note, TaskId, Ticket, Time, WorkerId, mix};
use crate::engine::message::{ClusterMessage, Effect, Fence, Heartbeat, Holdings, Outbox, Record, Stamp, Welcome};

/// A worker's row.
#[derive(Debug)]
pub(super) struct Worker {
    heard: Time,
    stamp: Stamp,
    pub(super) quiescing: bool,
    /// Its process is gone, its row is not: it takes nothing, and keeps its lock until it is cleaned up.
    pub(super) gone: bool,
    /// The task whose lock it holds.
    pub(super) busy: Option<(TaskId, Ticket)>,
    /// It looks for its next task then.
    pub(super) free_at: Time,
    /// When it would start a task that it finds at that time.
    pub(super) next_start: Option<Time>,
    /// Heartbeats until it cleans up.
    beats_left: u64,
    idle: Option<u64>,
}

#[derive(Default, Debug)]
pub(super) struct Workers {
    known: IdMap<WorkerId, Worker>,
    /// Sleeping workers in the order in which they fell asleep.
    idle: BTreeMap<u64, WorkerId>,
    slept: u64,
}

impl Workers {
    pub(super) fn get(&self, worker: WorkerId) -> Option<&Worker> {
        self.known.get(worker)
    }
    pub(super) fn get_mut(&mut self, worker: WorkerId) -> Option<&mut Worker> {
        self.known.get_mut(worker)
    }
    pub(super) fn longest_idle(&self) -> Option<WorkerId> {
        self.idle.values().next().copied()
    }
    pub(super) fn set_idle(&mut self, worker: WorkerId) {
        let state = &mut self.known[worker];
        if state.idle.is_none() {
            self.slept += 1;
            state.idle = Some(self.slept);
            self.idle.insert(self.slept, worker);
        }
    }
    pub(super) fn set_not_idle(&mut self, worker: WorkerId) {
        if let Some(number) = self.known.get_mut(worker).and_then(|state| state.idle.take()) {
            self.idle.remove(&number);
        }
    }
    /// Counts all as heard at `now`.
    pub(super) fn hear_all(&mut self, now: Time) {
        let workers: Vec<WorkerId> = self.known.keys().collect();
        for worker in workers {
            self.known[worker].heard = now;
        }
    }
    fn remove(&mut self, worker: WorkerId) -> Option<Worker> {
        self.set_not_idle(worker);
        self.known.remove(worker)
    }
}

impl PullLocks {
    pub(super) fn join(&mut self, now: Time, worker: WorkerId, stamp: Stamp, out: &mut Outbox) {
        if let Some(known) = self.workers.get_mut(worker) {
            known.heard = now;
            known.stamp = stamp.max(known.stamp);
        } else {
            self.add(now, worker, stamp, None);
        }
        self.welcome(worker, stamp, out);
    }

    fn add(&mut self, now: Time, worker: WorkerId, stamp: Stamp, busy: Option<(TaskId, Ticket)>) {
        let beats_left = self.first_clean_up(worker);
        let row = Worker {
            heard: now,
            stamp,
            quiescing: false,
            gone: false,
            busy,
            free_at: now,
            next_start: None,
            beats_left,
            idle: None,
        };
        self.workers.known.insert(worker, row);
    }

    /// A worker of which only its task is known.
    pub(super) fn expect(&mut self, worker: WorkerId, busy: (TaskId, Ticket)) {
        self.add(Time::ZERO, worker, Stamp(0), Some(busy));
    }

    /// `random.randint(10, 100)` heartbeats.
    fn first_clean_up(&self, worker: WorkerId) -> u64 {
        match self.options.clean_up {
            CleanUp::Heartbeats(beats) => {
                let random = mix::mix(self.context.seed, &[draw::FIRST_CLEAN_UP, worker.0.into()]);
                beats.first_min + mix::below(random, beats.first_max - beats.first_min + 1)
            }
            CleanUp::OnDisconnect | CleanUp::At(_) => u64::MAX,
        }
    }

    fn welcome(&mut self, worker: WorkerId, stamp: Stamp, out: &mut Outbox) {
        let ticket = self.next_ticket();
        let welcome = Welcome { stamp, lease: None, grants: Holdings::new(), ticket };
        out.push(Effect::Send(worker, ClusterMessage::Welcome(Box::new(welcome))));
    }

    pub(super) fn heartbeat(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        for report in &beat.reports {
            self.reported(now, worker, *report, out);
        }
        let Some(state) = self.workers.get_mut(worker) else {
            if let Some(ticket) = beat.running.filter(|_| self.options.app_lock) {
                out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
            }
            let ticket = self.next_ticket();
            out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket }));
            return;
        };
        if beat.stamp < state.stamp {
            return; // Overtaken by a later one.
        }
        state.heard = now;
        state.stamp = beat.stamp;
        if beat.quiescing {
            self.shut_down(now, worker);
        }
        self.count_beat(now, worker, out);
        self.notice_lost_orders(now, worker, beat, out);
        self.welcome(worker, beat.stamp, out);
        let sleeps = self.workers.get(worker).is_none_or(|state| state.idle.is_some());
        if beat.running.is_none() && !sleeps {
            self.fetch(now, worker, out); // Its word that it is idle was lost.
        }
    }

    fn count_beat(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        let CleanUp::Heartbeats(beats) = self.options.clean_up else { return };
        let Some(state) = self.workers.get_mut(worker) else { return };
        state.beats_left = state.beats_left.saturating_sub(1);
        if state.beats_left == 0 {
            state.beats_left = beats.every;
            self.clean_up(now, out);
        }
    }

    /// `app_worker_cleanup`: rows of workers that were not heard for the ttl are deleted, and with them their locks.
    pub(super) fn clean_up(&mut self, now: Time, out: &mut Outbox) {
        let ttl = self.context.detection.ttl;
        let missing = |(worker, state): (WorkerId, &Worker)| (state.heard + ttl < now).then_some(worker);
        let missing: Vec<WorkerId> = self.workers.known.iter().filter_map(missing).collect();
        for worker in missing {
            self.remove(now, worker, out);
        }
        if matches!(self.options.clean_up, CleanUp::At(_)) {
            self.give_up_abandoned(now, out); // At this instant, by the record.
        }
    }

    /// A worker's process is gone. Before 3.89 its locks go with its connection, later they stay until the clean-up.
    pub(super) fn disconnected(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        if self.options.clean_up == CleanUp::OnDisconnect {
            self.remove(now, worker, out);
        } else if let Some(state) = self.workers.get_mut(worker) {
            state.gone = true;
            self.workers.set_not_idle(worker);
        }
    }

    /// The worker's row is gone. A task that it executed is abandoned, one that it had not begun waits again.
    pub(super) fn remove(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        let Some(state) = self.workers.remove(worker) else { return };
        let Some((task, ticket)) = state.busy else { return };
        out.push(Effect::Note(Note::WorkerLost { worker }));
        if matches!(self.tasks[task].state, State::Taken { started: true, .. }) {
            self.tasks[task].state = State::Abandoned;
            if self.options.app_lock {
                out.push(Effect::Fence(Fence::Attempt { task, ticket }));
            }
            let cancelled = self.tasks[task].cancelled;
            out.push(Effect::Persist(Record::Attempt { task, attempts: 1, lost: 1, cancelled, running: None }));
            self.abandoned.insert(task);
        } else {
            self.put_back(now, task, out);
        }
    }

    /// Gone in good order: what it was told to start and did not report was never begun.
    pub(super) fn leave(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        if let Some((task, _)) = self.workers.remove(worker).and_then(|state| state.busy) {
            self.put_back(now, task, out);
        }
    }

    /// SIGTERM: it takes nothing new and finishes its task, for ever or within its grace.
    fn shut_down(&mut self, now: Time, worker: WorkerId) {
        let Some(state) = self.workers.get_mut(worker).filter(|state| !state.quiescing) else { return };
        state.quiescing = true;
        let busy = state.busy;
        self.workers.set_not_idle(worker);
        if let Some(((_, ticket), beats)) = busy.zip(self.options.grace_beats) {
            self.set(now + self.context.detection.heartbeat * beats, Timer::GraceOver(worker, ticket));
        }
    }

    pub(super) fn grace_over(&mut self, worker: WorkerId, ticket: Ticket, out: &mut Outbox) {
        if self.workers.get(worker).and_then(|state| state.busy).is_some_and(|(_, current)| current == ticket) {
            out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
        }
    }

    /// An order that the worker cannot have seen is sent again; one that it saw and does not execute is void.
    fn notice_lost_orders(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        let Some((task, ticket)) = self.workers.get(worker).and_then(|state| state.busy) else { return };
        let row = &self.tasks[task];
        if !matches!(row.state, State::Taken { started: true, .. }) {
            return;
        }
        if beat.running == Some(ticket) {
            if row.cancelled {
                out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
            }
        } else if beat.started < ticket {
            out.push(Effect::Send(worker, ClusterMessage::Start(order(task, ticket))));
        } else {
            self.put_back(now, task, out);
        }
    }

    /// The task that the worker was about to begin is gone.
    pub(super) fn idle_again(&mut self, now: Time, worker: WorkerId, out: &mut Outbox) {
        if let Some(state) = self.workers.get_mut(worker) {
            state.busy = None;
            self.look_for_work(now, worker, out);
        }
    }
}
