//! Recovery. Reservations, tasks and workers are records of a database, and messages to the resource manager survive it;
//! while it is down nothing is placed. Under which names the workers came is not in the records: a restart under an old
//! name is not known as such until the worker is missed.

use super::workers::Worker;
use super::{Place, Task, Timer, WorkerOwned};
use crate::base::{Claims, Time};
use crate::engine::records::Records;

impl WorkerOwned {
    pub(super) fn take_in(&mut self, records: &Records) {
        self.last_queue = records.last_queue;
        for (queue, record) in &records.queues {
            if let Some(owner) = record.owner {
                self.workers.insert(owner, Worker::new(None, *queue));
            }
        }
        for (id, record) in &records.tasks {
            let owner = record.placed.and_then(|placed| records.queues.get(&placed.queue)?.owner);
            let place = match (record.placed, owner) {
                (_, Some(owner)) => Place::Own(owner),
                (Some(_), None) => Place::Shared,
                (None, None) => Place::Line,
            };
            let claims = Claims::from_slice(&record.claims);
            self.tasks.insert(*id, Task { claims, place, cancelled: record.cancelled });
            if let Place::Own(owner) = place {
                self.reserve(*id, owner);
            }
            let line = match (record.running, place) {
                (Some((worker, ticket)), _) => {
                    if let Some(worker) = self.workers.get_mut(worker) {
                        worker.busy = Some((*id, ticket));
                    }
                    continue;
                }
                (None, Place::Own(owner)) => &mut self.workers[owner].own,
                (None, Place::Shared) => &mut self.shared,
                (None, Place::Line) => self.line(),
            };
            line.push_back(*id);
        }
    }

    /// The first instant: silence is counted from here, and the manager goes on with its line.
    pub(super) fn resume(&mut self, now: Time) {
        let workers: Vec<_> = self.workers.iter().map(|(id, _)| id).collect();
        for worker in &workers {
            self.workers[*worker].heard = now;
        }
        if !workers.is_empty() {
            self.checking = true;
            self.set(now + self.options.check, Timer::Check);
        }
        self.turn_to_next(now);
    }
}
