//! The reference: what `queue_first` may do when, and what it must not leave undone, written for obviousness. It decides
//! nothing itself; it looks at every input and every effect of an engine and objects to what the rules forbid. No index,
//! no cache: every question is asked of all unsettled tasks, queues and workers.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part of the reference")]

mod duties;
mod rules;
pub mod watched;

use std::collections::BTreeMap;

use lanekeeper::base::task::conflict;
use lanekeeper::base::{Claim, Epoch, QueueId, Span, TaskId, Ticket, Time, WorkerId};
use lanekeeper::engine::message::{Effect, Input, Stamp, Start, WorkerMessage};
use lanekeeper::engine::spec::QueueFirstSpec;

/// Where an unsettled task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Nowhere,
    Parked,
    /// In this queue, as so-manieth placement.
    Queue(QueueId, u64),
}

#[derive(Debug)]
struct Task {
    claims: Vec<Claim>,
    place: Place,
    /// Who was ordered to start it, while that order stands.
    attempt: Option<(WorkerId, Start)>,
    /// That worker was lost since: should it join again, it is free.
    outlived: bool,
    cancelled: bool,
}

impl Task {
    fn executed_by(&self, worker: WorkerId) -> Option<Start> {
        self.attempt.filter(|(by, _)| *by == worker && !self.outlived).map(|(_, start)| start)
    }
}

#[derive(Default, Debug)]
struct Queue {
    owner: Option<WorkerId>,
    epoch: Epoch,
    revoking: bool,
    orphaned: bool,
    draining: bool,
    /// Before this instant somebody may still act under the last grant, unless he gave it back.
    held_until: Time,
}

#[derive(Debug)]
struct Worker {
    heard: Time,
    stamp: Stamp,
    leaving: bool,
    /// It said that it is idle and was ordered nothing since.
    wants_work: bool,
}

#[derive(Debug)]
pub struct Reference {
    spec: QueueFirstSpec,
    ttl: Span,
    /// The unsettled ones. Their numbers rise with the order of submission.
    tasks: BTreeMap<TaskId, Task>,
    queues: BTreeMap<QueueId, Queue>,
    /// Those that joined and are neither lost nor gone.
    workers: BTreeMap<WorkerId, Worker>,
    placements: u64,
    now: Time,
    objections: Vec<String>,
}

impl Reference {
    pub fn new(spec: QueueFirstSpec, ttl: Span) -> Reference {
        Reference {
            spec,
            ttl,
            tasks: BTreeMap::new(),
            queues: BTreeMap::new(),
            workers: BTreeMap::new(),
            placements: 0,
            now: Time::ZERO,
            objections: Vec::new(),
        }
    }

    /// One step of an engine: what went in, what came out.
    pub fn watch(&mut self, now: Time, input: Input<'_>, effects: &[Effect]) {
        self.now = now;
        self.hear(input);
        for effect in effects {
            self.judge(input, effect);
        }
        for undone in [self.a_queue_without_owner(), self.an_idle_worker(), self.a_task_in_no_queue()] {
            undone.into_iter().for_each(|what| self.object(what));
        }
    }

    pub fn objections(&self) -> &[String] {
        &self.objections
    }

    fn require(&mut self, holds: bool, objection: impl FnOnce() -> String) {
        if !holds {
            self.object(objection());
        }
    }

    fn object(&mut self, objection: String) {
        self.objections.push(format!("at {}: {objection}", self.now));
    }

    // What is true, by the inputs.

    fn hear(&mut self, input: Input<'_>) {
        match input {
            Input::Submit { task, claims } => {
                let fresh = Task {
                    claims: claims.to_vec(),
                    place: Place::Nowhere,
                    attempt: None,
                    outlived: false,
                    cancelled: false,
                };
                self.tasks.entry(task).or_insert(fresh);
            }
            Input::Cancel { task } => {
                if let Some(task) = self.tasks.get_mut(&task) {
                    task.cancelled = true;
                }
            }
            Input::Quiesce { worker } => {
                if let Some(worker) = self.workers.get_mut(&worker) {
                    worker.leaving = true;
                }
            }
            Input::Worker { worker, message } => self.hear_worker(worker, message),
            Input::Limits { .. } | Input::Disconnected { .. } | Input::Timeout => {}
        }
    }

    fn hear_worker(&mut self, worker: WorkerId, message: &WorkerMessage) {
        if let WorkerMessage::Join { stamp, .. } = message {
            let fresh = Worker { heard: self.now, stamp: *stamp, leaving: false, wants_work: false };
            self.workers.entry(worker).or_insert(fresh);
        }
        let goes_on = |start: Start| !over_by_message(start.ticket, message);
        let free = !self.tasks.values().any(|task| task.executed_by(worker).is_some_and(goes_on));
        let Some(known) = self.workers.get_mut(&worker) else { return };
        match message {
            WorkerMessage::Join { .. } => known.heard = self.now,
            WorkerMessage::Heartbeat(beat) if beat.stamp >= known.stamp => {
                (known.heard, known.stamp) = (self.now, beat.stamp);
                known.leaving |= beat.quiescing;
                known.wants_work |= free && beat.running.is_none();
            }
            WorkerMessage::Fetch | WorkerMessage::FinishedAndFetch(_) => known.wants_work |= free,
            WorkerMessage::Leave => drop(self.workers.remove(&worker)),
            WorkerMessage::Heartbeat(_) | WorkerMessage::Finished(_) | WorkerMessage::Released(_) => {}
        }
    }

    // Questions.

    /// The earlier unsettled tasks that conflict with a task.
    fn ahead_of(&self, task: TaskId) -> Vec<TaskId> {
        let Some(state) = self.tasks.get(&task) else { return Vec::new() };
        let earlier = self.tasks.range(..task).filter(|(_, other)| conflict(&other.claims, &state.claims));
        earlier.map(|(other, _)| *other).collect()
    }

    /// The one queue in which all lie that are ahead of a task, if there are any.
    fn tied_to(&self, task: TaskId) -> Option<QueueId> {
        let ahead = self.ahead_of(task);
        let queue = self.queue_of(*ahead.first()?)?;
        ahead.iter().all(|other| self.queue_of(*other) == Some(queue)).then_some(queue)
    }

    fn queue_of(&self, task: TaskId) -> Option<QueueId> {
        match self.tasks.get(&task)?.place {
            Place::Queue(queue, _) => Some(queue),
            Place::Nowhere | Place::Parked => None,
        }
    }

    /// The unsettled task that was placed first in a queue.
    fn first_in(&self, queue: QueueId) -> Option<TaskId> {
        let placed = self.tasks.iter().filter_map(|(task, state)| match state.place {
            Place::Queue(in_, number) if in_ == queue => Some((number, *task)),
            _ => None,
        });
        placed.min().map(|(_, task)| task)
    }

    fn queues_of(&self, worker: WorkerId) -> impl Iterator<Item = (QueueId, &Queue)> {
        self.queues.iter().filter(move |(_, state)| state.owner == Some(worker)).map(|(queue, state)| (*queue, state))
    }

    fn is_busy(&self, worker: WorkerId) -> bool {
        self.tasks.values().any(|state| state.executed_by(worker).is_some())
    }
}

/// By its worker's word an attempt is over, or was never begun.
fn over_by_message(ticket: Ticket, message: &WorkerMessage) -> bool {
    let reported = message.reports().iter().any(|report| report.start.ticket == ticket);
    let not_begun = matches!(message, WorkerMessage::Heartbeat(beat)
        if beat.started >= ticket && beat.running != Some(ticket));
    reported || not_begun || *message == WorkerMessage::Leave
}
