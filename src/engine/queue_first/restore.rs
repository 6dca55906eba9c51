//! Recovery: an engine from the records of its predecessor, and nothing else.
//!
//! Whoever owned a queue or had an order to start is expected: it is a member that gets nothing before it is heard, and
//! counts as lost when it is not heard for the ttl. Until then, and until its lease has surely ended, its queues stay its
//! own. Those of a worker that was lost already stay orphans, even if it has joined again meanwhile. The first heartbeat
//! tells what it holds, executes and has to report, and the answer says what it should hold; from then on it heeds no
//! earlier engine, so that what it does not hold then was given up.

use super::pool::Hold;
use super::{Place, Queue, QueueFirst, Task, Timer};
use crate::base::{Claims, Epoch, QueueId, TaskId, Time, WorkerId};
use crate::engine::message::{Outbox, Start};
use crate::engine::records::{Records, TaskRecord};
use crate::engine::spec::QueueLimits;

use super::membership::Outstanding;

impl QueueFirst {
    /// Takes in what an earlier engine persisted. Nothing is sent before the first input.
    pub(super) fn take_in(&mut self, records: &Records) {
        if let Some((min, max)) = records.limits {
            self.limits = QueueLimits { min, max };
        }
        for (queue, record) in &records.queues {
            let held_by = if record.orphaned { Hold::Orphaned } else { Hold::Owned };
            self.pool.restore(*queue, record.epoch, record.owner.map_or(Hold::Vacant, held_by), record.draining);
            match record.owner {
                Some(_) if record.orphaned => {}
                Some(worker) => self.members.expect(worker).owned.push(*queue),
                None => {
                    self.vacant.insert(*queue);
                }
            }
        }
        self.pool.never_reuse(records.last_queue);
        let mut tasks: Vec<(u64, TaskId, &TaskRecord)> = records
            .tasks
            .iter()
            .map(|(task, record)| (record.placed.map_or(0, |placed| placed.sequence), *task, record))
            .collect();
        tasks.sort_unstable_by_key(|(sequence, task, _)| (*sequence, *task));
        for (sequence, task, record) in tasks {
            self.take_in_task(sequence, task, record);
        }
    }

    fn take_in_task(&mut self, sequence: u64, task: TaskId, record: &TaskRecord) {
        self.placements = self.placements.max(sequence);
        let place = record.placed.map_or(Place::Parked, |placed| Place::Queue(placed.queue));
        let state = Task {
            claims: Claims::from_slice(&record.claims),
            place,
            sequence,
            attempts: record.attempts,
            lost: record.lost,
            running: record.running,
            cancelled: record.cancelled,
        };
        self.tasks.insert(task, state);
        for claim in &record.claims {
            self.ties.grow_to(claim.resource);
        }
        match place {
            Place::Parked => {
                self.tie_parked(task);
                self.look_again.insert(task);
            }
            Place::Queue(QueueId::GENERAL) => match record.running {
                Some((worker, ticket)) => {
                    let start = Start { task, queue: QueueId::GENERAL, epoch: Epoch(0), ticket };
                    self.members.expect(worker).outstanding = Some(Outstanding { start });
                }
                None => {
                    self.general.push_back(task);
                    self.general_waiting += 1;
                }
            },
            Place::Queue(queue) => {
                self.tie_placed(task, queue);
                if let Some((worker, ticket)) = record.running {
                    self.waiting -= 1;
                    let state = self.pool.queue_mut(queue);
                    state.started = Some(ticket);
                    let start = Start { task, queue, epoch: state.epoch, ticket };
                    if state.owner() == Some(worker) {
                        self.members.expect(worker).outstanding = Some(Outstanding { start });
                    }
                }
            }
        }
    }

    /// The first instant of a restored engine: leases and silences are counted from here.
    pub(super) fn await_expected(&mut self, now: Time, out: &mut Outbox) {
        for (worker, seniority) in self.members.expected() {
            if let Some(member) = self.members.get_mut(worker) {
                member.heard = now;
            }
            self.timers.set(now + self.context.detection.ttl, Timer::Lost(worker, seniority));
            self.renew_leases(now, worker);
        }
        let orphans = |(queue, state): (QueueId, &Queue)| matches!(state.hold, Hold::Orphaned(_)).then_some(queue);
        let orphans: Vec<QueueId> = self.pool.iter().filter_map(orphans).collect();
        for queue in orphans {
            match self.lease() {
                None => self.vacate(now, queue, out),
                Some(lease) => {
                    let lease_ends = now + lease.duration + lease.margin;
                    self.pool.queue_mut(queue).lease_ends = lease_ends;
                    self.timers.set(lease_ends, Timer::LeaseEnd(queue));
                }
            }
        }
        // The predecessor may have taken a queue away from a worker and not yet put its running task back.
        let vacant: Vec<QueueId> = self.vacant.iter().copied().collect();
        for queue in vacant {
            let state = self.pool.queue(queue);
            if let (Some(_), Some(task)) = (state.started, state.tasks.front().copied()) {
                self.attempt_lost(now, task, out);
            }
        }
    }

    /// A worker says something: if it was expected, it is there.
    pub(super) fn hear_expected(&mut self, worker: WorkerId) {
        let Some(member) = self.members.get(worker).filter(|member| member.expected) else { return };
        let owned = member.owned.clone();
        self.members.heard(worker);
        // What it does not hold when it has seen this engine's answer was given up, and not before.
        let ticket = self.next_ticket();
        for queue in owned {
            self.pool.queue_mut(queue).granted_by = ticket;
        }
    }
}
