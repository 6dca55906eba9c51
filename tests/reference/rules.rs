//! What may be done: each effect of the engine against what is true.

use lanekeeper::base::{Epoch, Note, Outcome, QueueId, Span, TaskId, WorkerId};
use lanekeeper::engine::message::{
    ClusterMessage, Effect, Ended, Holding, Input, Record, Report, Start, WorkerMessage,
};
use lanekeeper::engine::spec::LeaseSpec;

use super::{Place, Queue, Reference, over_by_message};

impl Reference {
    pub(super) fn judge(&mut self, input: Input<'_>, effect: &Effect) {
        match effect {
            Effect::Send(worker, message) => {
                if let Some(start) = message.start() {
                    self.start(*worker, *start);
                }
                self.leases(*worker, message);
            }
            Effect::Persist(Record::Attempt { task, running: None, .. }) => self.attempt_is_given_up(*task, input),
            Effect::Settle(task, outcome) => self.settle(*task, *outcome, input),
            Effect::Note(note) => self.note(*note, input),
            Effect::Persist(_) | Effect::Fence(_) => {}
        }
    }

    /// A task starts when no earlier unsettled task conflicts with it, first in its queue, on the queue's owner, which
    /// has nothing else to do.
    fn start(&mut self, worker: WorkerId, start: Start) {
        let Start { task, queue, epoch, .. } = start;
        if self.tasks.get(&task).is_some_and(|state| state.attempt == Some((worker, start))) {
            return; // The same order once more.
        }
        let busy = self.is_busy(worker);
        let ready = self.workers.get(&worker).is_some_and(|worker| !worker.leaving);
        self.require(ready && !busy, || format!("{task} is started on {worker}, which is not free for it"));
        if !queue.is_general() {
            let owned =
                self.queues.get(&queue).is_some_and(|it| it.owner == Some(worker) && it.epoch == epoch && !it.revoking);
            self.require(owned, || format!("{task} is started on {worker}, which does not own {queue} under {epoch}"));
            let first = self.first_in(queue);
            self.require(first == Some(task), || format!("{task} is started, and {first:?} is first in {queue}"));
        }
        let placed =
            self.tasks.get(&task).is_some_and(|state| matches!(state.place, Place::Queue(in_, _) if in_ == queue));
        self.require(placed, || format!("{task} is started from {queue}, where it does not lie"));
        let ahead = self.ahead_of(task).first().copied();
        self.require(ahead.is_none(), || {
            format!("{task} is started before {ahead:?}, with which it conflicts, is settled")
        });
        let Some(state) = self.tasks.get_mut(&task) else { return };
        let running = state.attempt.replace((worker, start));
        state.outlived = false;
        self.require(running.is_none(), || format!("{task} is started while {running:?} may execute it"));
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.wants_work = false;
        }
    }

    /// Only owners are told that they hold a queue; from then on they may act for it until the lease is over.
    fn leases(&mut self, worker: WorkerId, message: &ClusterMessage) {
        let (holdings, from, lease): (&[Holding], _, _) = match message {
            ClusterMessage::Grant { holding, lease, .. } => {
                let heard = self.workers.get(&worker).map_or(self.now, |worker| worker.heard);
                (std::slice::from_ref(holding), heard, *lease)
            }
            ClusterMessage::Welcome(welcome) => (&welcome.grants, self.now, welcome.lease),
            _ => return,
        };
        let margin = match self.spec.lease {
            LeaseSpec::None => Span::ZERO,
            LeaseSpec::Lease(lease) => lease.margin,
        };
        for Holding { queue, epoch } in holdings {
            let state = self.queues.entry(*queue).or_default();
            if let Some(lease) = lease {
                state.held_until = state.held_until.max(from + lease + margin);
            }
            let owned = state.owner == Some(worker) && state.epoch == *epoch;
            self.require(owned, || {
                format!("{worker} is told that it holds {queue} under {epoch}, and does not own it")
            });
        }
    }

    fn attempt_is_given_up(&mut self, task: TaskId, input: Input<'_>) {
        let over = self.attempt_is_over(task, input);
        self.require(over, || format!("the attempt of {task} is given up, and nothing says that it is over"));
        if let Some(state) = self.tasks.get_mut(&task) {
            state.attempt = None;
        }
    }

    fn settle(&mut self, task: TaskId, outcome: Outcome, input: Input<'_>) {
        let over = self.attempt_is_over(task, input);
        self.require(over, || format!("{task} is {outcome} while somebody may execute it"));
        let Some(state) = self.tasks.remove(&task) else {
            return self.require(false, || format!("{task} is settled, and is not unsettled"));
        };
        let reported = |ended| {
            reports(input).any(|(by, report)| report.ended == Some(ended) && state.attempt == Some((by, report.start)))
        };
        let so = match outcome {
            Outcome::Completed => reported(Ended::Completed),
            Outcome::Cancelled => state.cancelled,
            Outcome::Failed => state.attempt.is_some(),
        };
        self.require(so, || format!("{task} is {outcome}, and nobody said so"));
    }

    /// The order to start a task stands no more: its end was reported, its worker has seen it and does not execute it,
    /// its queue was taken from its worker, or the worker is lost or gone.
    fn attempt_is_over(&self, task: TaskId, input: Input<'_>) -> bool {
        let Some((worker, start)) = self.tasks.get(&task).and_then(|state| state.attempt) else { return true };
        let said = matches!(input, Input::Worker { worker: by, message } if by == worker
            && over_by_message(start.ticket, message));
        let queue = self.queues.get(&start.queue);
        let taken = match start.queue.is_general() {
            true => !self.workers.contains_key(&worker),
            false => queue.is_none_or(|it| !it.orphaned && (it.owner != Some(worker) || it.epoch != start.epoch)),
        };
        said || taken
    }

    fn note(&mut self, note: Note, input: Input<'_>) {
        match note {
            Note::Placed { task, queue } => self.placed(task, queue),
            Note::Parked { task, .. } => self.parked(task),
            Note::QueueCreated { queue } => drop(self.queues.insert(queue, Queue::default())),
            Note::QueueDeleted { queue } => {
                let first = self.first_in(queue);
                self.require(first.is_none(), || format!("{queue} is deleted with {first:?} in it"));
                self.queues.remove(&queue);
            }
            Note::QueueDraining { queue } => self.queues.entry(queue).or_default().draining = true,
            Note::QueueRevived { queue } => self.queues.entry(queue).or_default().draining = false,
            Note::QueueRevoking { queue, .. } => self.queues.entry(queue).or_default().revoking = true,
            Note::QueueOwned { queue, worker, epoch, .. } => self.owned(queue, worker, epoch),
            Note::QueueOrphaned { queue, .. } => {
                let state = self.queues.entry(queue).or_default();
                (state.owner, state.orphaned) = (None, true);
            }
            Note::QueueVacant { queue } => self.vacant(queue, input),
            Note::WorkerLost { worker } => {
                let heard = self.workers.get(&worker).map(|worker| worker.heard);
                let silent = heard.is_none_or(|heard| heard + self.ttl <= self.now);
                self.require(silent, || format!("{worker} counts as lost and was heard at {heard:?}"));
                self.workers.remove(&worker);
                let executed = self.tasks.values_mut().filter(|state| state.executed_by(worker).is_some());
                executed.for_each(|state| state.outlived = true);
            }
            Note::Requeued { .. } => {}
        }
    }

    /// All that conflicts with a task and is ahead of it lies in its queue; a queue that drains gets nothing new.
    fn placed(&mut self, task: TaskId, queue: QueueId) {
        let ahead = self.ahead_of(task);
        let strays: Vec<_> = ahead.into_iter().filter(|other| self.queue_of(*other) != Some(queue)).collect();
        self.require(strays.is_empty(), || {
            format!("{task} is put in {queue}, and {strays:?} ahead of it are not there")
        });
        let free = self.ahead_of(task).is_empty();
        let claimless = self.tasks.get(&task).is_some_and(|state| state.claims.is_empty());
        self.require(claimless == queue.is_general(), || format!("{task} does not belong in {queue}"));
        let takes = queue.is_general() || self.queues.get(&queue).is_some_and(|it| !it.draining || !free);
        self.require(takes, || format!("{task} is put in {queue}, which takes nothing new"));
        self.placements += 1;
        if let Some(state) = self.tasks.get_mut(&task) {
            state.place = Place::Queue(queue, self.placements);
        }
    }

    fn parked(&mut self, task: TaskId) {
        let tied = self.tied_to(task);
        self.require(tied.is_none(), || format!("{task} is parked, and all ahead of it lies in {tied:?}"));
        if let Some(state) = self.tasks.get_mut(&task) {
            state.place = Place::Parked;
        }
    }

    fn owned(&mut self, queue: QueueId, worker: WorkerId, epoch: Epoch) {
        let healthy = self.workers.get(&worker).is_some_and(|worker| !worker.leaving);
        self.require(healthy, || format!("{queue} is given to {worker}, which is not there to stay"));
        let state = self.queues.entry(queue).or_default();
        let (owner, before, orphaned) = (state.owner, state.epoch, state.orphaned);
        *state = Queue { owner: Some(worker), epoch, draining: state.draining, ..Queue::default() };
        self.require(owner.is_none() && !orphaned, || format!("{queue} is given to {worker} while {owner:?} has it"));
        self.require(epoch == before.next(), || format!("{queue} is given under {epoch} after {before}"));
    }

    /// The owner gave the queue back, or its lease is over.
    fn vacant(&mut self, queue: QueueId, input: Input<'_>) {
        let state = self.queues.entry(queue).or_default();
        let holding = Holding { queue, epoch: state.epoch };
        let owner = state.owner;
        let given_back = matches!(input, Input::Worker { worker, message } if owner == Some(worker) && match message {
            WorkerMessage::Released(given) => *given == holding,
            WorkerMessage::Heartbeat(beat) => !beat.holds.contains(&holding),
            WorkerMessage::Leave => true,
            _ => false,
        });
        let over = state.orphaned && (state.held_until <= self.now || self.spec.lease == LeaseSpec::None);
        (state.owner, state.revoking, state.orphaned) = (None, false, false);
        self.require(given_back || over, || format!("{queue} is taken from {owner:?}, which may still act for it"));
    }
}

fn reports(input: Input<'_>) -> impl Iterator<Item = (WorkerId, Report)> {
    let (worker, reports) = match input {
        Input::Worker { worker, message } => (worker, message.reports()),
        _ => (WorkerId(0), &[][..]),
    };
    reports.iter().map(move |report| (worker, *report))
}
