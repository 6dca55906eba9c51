//! The resource manager: one process that places one task at a time. While the first of its line cannot be placed, all
//! others wait behind it, whatever they claim.

use std::collections::VecDeque;

use super::spec::WorkerPlacement;
use super::{Place, Timer, Worker, WorkerOwned};
use crate::base::note::ParkReason;
use crate::base::{Claim, IdVec, Note, ResourceId, TaskId, Time, WorkerId, mix};
use crate::engine::message::{Effect, Outbox, Record, WorkerName};

#[derive(Default, Debug)]
pub(super) struct Manager {
    /// Tasks to be placed, in order of submission; settled ones are skipped.
    line: VecDeque<TaskId>,
    state: State,
    reservations: IdVec<ResourceId, Option<Reservation>>,
    /// Choices made so far: names the draw of the next.
    choices: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum State {
    #[default]
    Idle,
    /// It tries to place the first task when its timer comes.
    Busy,
    /// It could not, and tries again every so often from this instant on. Between two changes each try fails like the
    /// one before, so only the first one after a change is made.
    Waiting { since: Time },
}

/// A resource's tie to a worker.
#[derive(Clone, Copy, Debug)]
struct Reservation {
    holder: WorkerId,
    /// Tasks of the holder that claim it.
    count: u32,
}

/// What comes of a try to place a task.
enum Choice {
    Worker(WorkerId),
    Wait,
}

impl WorkerOwned {
    pub(super) fn enqueue(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        let claims = self.tasks[task].claims.clone();
        out.push(Effect::Persist(Record::Task { task, claims, placed: None }));
        out.push(Effect::Note(Note::Parked { task, why: ParkReason::InLine }));
        self.manager.line.push_back(task);
        if self.manager.state == State::Idle {
            self.turn_to_next(now);
        }
    }

    /// The manager takes the next task of its line in hand.
    pub(super) fn turn_to_next(&mut self, now: Time) {
        while self.manager.line.front().is_some_and(|task| !self.tasks.contains(*task)) {
            self.manager.line.pop_front();
        }
        if self.manager.line.is_empty() {
            self.manager.state = State::Idle;
        } else {
            self.manager.state = State::Busy;
            self.set(now + self.options.manager_per_task, Timer::Manager);
        }
    }

    /// Tasks to be placed, in order.
    pub(super) fn line(&mut self) -> &mut VecDeque<TaskId> {
        &mut self.manager.line
    }

    /// Tries to place the first task of the line.
    pub(super) fn manage(&mut self, now: Time, out: &mut Outbox) {
        let first = self.manager.line.front().copied();
        let Some(task) = first.filter(|task| self.tasks.contains(*task)) else {
            return self.turn_to_next(now);
        };
        match self.choose(now, task) {
            Choice::Wait => self.manager.state = State::Waiting { since: now },
            Choice::Worker(worker) => {
                self.manager.line.pop_front();
                self.reserve(task, worker);
                self.put(task, worker, out);
                self.turn_to_next(now);
            }
        }
    }

    /// Something changed that may let the waiting manager place its task at its next try.
    pub(super) fn nudge(&mut self, now: Time) {
        let State::Waiting { since } = self.manager.state else { return };
        let retry = self.options.manager_retry.micros();
        let tries = now.since(since).micros().div_ceil(retry).max(1);
        self.manager.state = State::Busy;
        self.set(since + self.options.manager_retry * tries, Timer::Manager);
    }

    /// Exactly one worker holds any of the resources: that one, heard or not. Several: wait. None: by the placement.
    fn choose(&mut self, now: Time, task: TaskId) -> Choice {
        let holders = self.tasks[task].claims.iter().filter_map(|claim| self.manager.holder(claim.resource));
        let mut holders: Vec<WorkerId> = holders.collect();
        holders.sort_unstable();
        holders.dedup();
        match holders[..] {
            [holder] => Choice::Worker(holder),
            [] => self.place_freely(now).map_or(Choice::Wait, Choice::Worker),
            _ => Choice::Wait,
        }
    }

    fn place_freely(&mut self, now: Time) -> Option<WorkerId> {
        let ttl = self.context.detection.ttl;
        let online = |worker: &Worker| worker.heard + ttl >= now;
        let all = self.workers.iter().filter(|(_, worker)| online(worker));
        let mut candidates: Vec<(u32, Option<WorkerName>, WorkerId)> =
            all.map(|(id, worker)| (worker.reservations, worker.name, id)).collect();
        candidates.sort_unstable();
        let least = candidates.first()?.0;
        match self.options.placement {
            WorkerPlacement::LeastReservations => candidates.retain(|(reservations, ..)| *reservations == least),
            WorkerPlacement::AnyUnreserved | WorkerPlacement::RandomUnreserved if least > 0 => return None,
            WorkerPlacement::AnyUnreserved => candidates.truncate(1),
            WorkerPlacement::RandomUnreserved => candidates.retain(|(reservations, ..)| *reservations == 0),
        }
        self.manager.choices += 1;
        let random = mix::mix(self.context.seed, &[self.manager.choices]);
        Some(candidates[mix::below(random, candidates.len() as u64) as usize].2)
    }

    pub(super) fn reserve(&mut self, task: TaskId, worker: WorkerId) {
        for claim in &self.tasks[task].claims {
            let slot = self.manager.reservations.grow_to(claim.resource);
            slot.get_or_insert(Reservation { holder: worker, count: 0 }).count += 1;
            self.workers[worker].reservations += 1;
        }
        self.tasks[task].place = Place::Own(worker);
    }

    /// A task of this worker is settled. The release is queued behind the task, so it is worked off right after it.
    pub(super) fn release(&mut self, now: Time, worker: WorkerId, claims: &[Claim]) {
        for claim in claims {
            let slot = &mut self.manager.reservations[claim.resource];
            let reservation = slot.as_mut().expect("a reservation");
            reservation.count -= 1;
            if reservation.count == 0 {
                *slot = None;
            }
            if let Some(worker) = self.workers.get_mut(worker) {
                worker.reservations -= 1;
            }
        }
        self.nudge(now);
    }
}

impl Manager {
    fn holder(&self, resource: ResourceId) -> Option<WorkerId> {
        self.reservations.get(resource)?.map(|reservation| reservation.holder)
    }
}
