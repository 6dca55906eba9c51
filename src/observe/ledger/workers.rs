//! Workers, what they do, and the grants that they hold.

use super::attempts::{claims_of, count_loss, stop_running};
use super::records::Grant;
use super::{Doing, Ledger, Phase, Step, WorkerRec};
use crate::base::{Epoch, QueueId, WorkerId};

impl Ledger {
    /// Changes a worker and keeps count of what workers do.
    pub(super) fn change(&mut self, worker: WorkerId, how: impl FnOnce(&mut WorkerRec)) {
        let now = self.now;
        let rec = self.workers.grow_to(worker);
        let before = rec.change(now, how);
        let after = rec.doing();
        if before != after {
            rec.doing_since = now;
            rec.healthy_since = rec.is_healthy().then(|| rec.healthy_since.unwrap_or(now));
            if before != Doing::Gone {
                self.tally.workers[before as usize].fall(now);
            }
            if after != Doing::Gone {
                self.tally.workers[after as usize].rise(now);
            }
        }
        self.touch_queues_of(worker);
    }

    pub(super) fn gone(&mut self, worker: WorkerId) -> Step {
        let rec = self.workers.grow_to(worker);
        let arrived = rec.arrived;
        let known = matches!(rec.phase, Phase::Starting | Phase::Up);
        let mut attempts = std::mem::take(&mut rec.attempts);
        for attempt in attempts.iter_mut() {
            if !attempt.ended {
                for claim in claims_of(&self.tasks, &self.outlived, worker, attempt) {
                    stop_running(&mut self.resources[claim.resource], worker, attempt.ticket);
                }
            }
            count_loss(&mut self.tasks, attempt);
            self.close(attempt.task);
        }
        self.forget_outlived(worker, None);
        let held = std::mem::take(&mut self.workers[worker].held);
        for queue in held {
            self.drop_grant(worker, queue, None);
        }
        self.change(worker, |rec| {
            rec.executing = 0;
            rec.phase = Phase::Gone;
        });
        if known { Step::Gone { arrived } } else { Step::Other }
    }

    pub(super) fn hold(&mut self, worker: WorkerId, queue: QueueId, grant: Grant) {
        let rec = self.queues.grow_to(queue);
        if grant.epoch > rec.epoch_held {
            rec.epoch_held = grant.epoch;
            rec.given_up.clear();
        }
        match rec.grants.iter_mut().find(|other| other.worker == worker) {
            Some(other) => *other = grant,
            None => {
                rec.grants.push(grant);
                self.workers.grow_to(worker).held.push(queue);
            }
        }
        self.touch(queue);
    }

    pub(super) fn drop_grant(&mut self, worker: WorkerId, queue: QueueId, epoch: Option<Epoch>) {
        let rec = self.queues.grow_to(queue);
        let before = rec.grants.len();
        rec.grants.retain(|grant| grant.worker != worker || epoch.is_some_and(|epoch| epoch != grant.epoch));
        if rec.grants.len() < before {
            if epoch == Some(rec.epoch_held) {
                rec.given_up.push(worker);
            }
            self.workers.grow_to(worker).held.retain(|other| *other != queue);
        }
        self.touch(queue);
    }
}
