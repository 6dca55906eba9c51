//! The program with one more engine: one task at a time, in order of submission, whatever it claims.
//!
//! `cargo run --release --example own_engine -- run my.yaml`, where `my.yaml` says
//! `engine: {custom: {name: one_at_a_time}}`. `lanekeeper::conformance` tells whether an engine keeps its word.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::ExitCode;
use std::sync::Arc;

use lanekeeper::base::names::PropertySet;
use lanekeeper::base::{Epoch, Note, Outcome, Property, QueueId, Span, TaskId, Ticket, Time, WorkerId};
use lanekeeper::engine::agent::AgentOptions;
use lanekeeper::engine::message::{ClusterMessage, Ended, Heartbeat, Report, Stamp, Start, Welcome};
use lanekeeper::engine::{Context, Detection, Effect, Engine, EngineFactory, Guarantees, Input, Outbox};
use lanekeeper::engine::{Reason, WorkerMessage};
use lanekeeper::registry::Registry;

#[derive(Debug)]
struct OneAtATime {
    ttl: Span,
    waiting: VecDeque<TaskId>,
    running: Option<(WorkerId, Start)>,
    heard: BTreeMap<WorkerId, Time>,
    idle: BTreeSet<WorkerId>,
    leaving: BTreeSet<WorkerId>,
    tickets: u64,
}

impl Engine for OneAtATime {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Submit { task, .. } => {
                self.waiting.push_back(task);
                out.push(Effect::Note(Note::Placed { task, queue: QueueId::GENERAL }));
            }
            Input::Cancel { task } => self.cancel(task, out),
            Input::Quiesce { worker } => {
                self.leaving.insert(worker);
                out.push(Effect::Send(worker, ClusterMessage::Quiesce));
            }
            Input::Worker { worker, message } => self.message(now, worker, message, out),
            Input::Timeout => self.lose_the_silent(now, out),
            Input::Limits { .. } | Input::Disconnected { .. } => {}
        }
        self.start_next(out);
    }

    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.heard.values().min().map(|heard| (*heard + self.ttl, "a worker may be lost"))
    }
}

impl OneAtATime {
    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn start_next(&mut self, out: &mut Outbox) {
        let free = self.idle.iter().copied().find(|worker| !self.leaving.contains(worker));
        let Some(worker) = free.filter(|_| self.running.is_none()) else { return };
        let Some(task) = self.waiting.pop_front() else { return };
        let start = Start { task, queue: QueueId::GENERAL, epoch: Epoch(0), ticket: self.ticket() };
        self.idle.remove(&worker);
        self.running = Some((worker, start));
        out.push(Effect::Send(worker, ClusterMessage::Start(start)));
    }

    fn message(&mut self, now: Time, worker: WorkerId, message: &WorkerMessage, out: &mut Outbox) {
        match message {
            WorkerMessage::Join { stamp, .. } => {
                self.heard.insert(worker, now);
                self.welcome(worker, *stamp, out);
            }
            WorkerMessage::Heartbeat(beat) => self.heartbeat(now, worker, beat, out),
            WorkerMessage::Fetch if self.heard.contains_key(&worker) => _ = self.idle.insert(worker),
            WorkerMessage::Fetch => out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket: self.ticket() })),
            WorkerMessage::Finished(report) => self.reported(worker, *report, out),
            WorkerMessage::FinishedAndFetch(report) => {
                self.reported(worker, *report, out);
                self.message(now, worker, &WorkerMessage::Fetch, out);
            }
            WorkerMessage::Released(_) => {}
            WorkerMessage::Leave => self.forget(worker),
        }
    }

    fn welcome(&mut self, worker: WorkerId, stamp: Stamp, out: &mut Outbox) {
        let welcome = Welcome { stamp, lease: None, grants: Default::default(), ticket: self.ticket() };
        out.push(Effect::Send(worker, ClusterMessage::Welcome(Box::new(welcome))));
    }

    /// Messages get lost: a start that the worker cannot have seen is repeated, one that it does not execute is void.
    fn heartbeat(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        for report in &beat.reports {
            self.reported(worker, *report, out);
        }
        if !self.heard.contains_key(&worker) {
            return out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket: self.ticket() }));
        }
        self.heard.insert(worker, now);
        if beat.quiescing {
            self.leaving.insert(worker);
        }
        match self.running {
            Some((runner, start)) if runner == worker && beat.running != Some(start.ticket) => {
                if beat.started < start.ticket {
                    out.push(Effect::Send(worker, ClusterMessage::Start(start)));
                } else {
                    self.put_back(start.task);
                }
            }
            _ if beat.running.is_none() => _ = self.idle.insert(worker),
            _ => {}
        }
        self.welcome(worker, beat.stamp, out);
    }

    fn reported(&mut self, worker: WorkerId, report: Report, out: &mut Outbox) {
        let Start { task, ticket, .. } = report.start;
        out.push(Effect::Send(worker, ClusterMessage::Answered { ticket }));
        if self.running.is_none_or(|(runner, start)| runner != worker || start.ticket != ticket) {
            return; // Old news.
        }
        self.running = None;
        match report.ended {
            Some(Ended::Completed) => out.push(Effect::Settle(task, Outcome::Completed)),
            Some(Ended::Failed | Ended::Aborted) => out.push(Effect::Settle(task, Outcome::Failed)),
            Some(Ended::Refused) | None => self.put_back(task),
        }
    }

    fn cancel(&mut self, task: TaskId, out: &mut Outbox) {
        if let Some(position) = self.waiting.iter().position(|waiting| *waiting == task) {
            self.waiting.remove(position);
            out.push(Effect::Settle(task, Outcome::Cancelled));
        } else if let Some((worker, start)) = self.running.filter(|(_, start)| start.task == task) {
            out.push(Effect::Send(worker, ClusterMessage::Abort { ticket: start.ticket }));
        }
    }

    fn lose_the_silent(&mut self, now: Time, out: &mut Outbox) {
        let ttl = self.ttl;
        let silent = self.heard.iter().filter(|(_, heard)| **heard + ttl <= now).map(|(worker, _)| *worker);
        for worker in silent.collect::<Vec<_>>() {
            out.push(Effect::Note(Note::WorkerLost { worker }));
            self.forget(worker);
        }
    }

    fn forget(&mut self, worker: WorkerId) {
        self.heard.remove(&worker);
        self.idle.remove(&worker);
        self.leaving.remove(&worker);
        if let Some((_, start)) = self.running.filter(|(runner, _)| *runner == worker) {
            self.put_back(start.task);
        }
    }

    fn put_back(&mut self, task: TaskId) {
        self.running = None;
        self.waiting.push_front(task);
    }
}

struct Factory;

impl EngineFactory for Factory {
    fn name(&self) -> &str {
        "one_at_a_time"
    }
    fn fresh(&self, context: Context) -> Box<dyn Engine> {
        Box::new(OneAtATime {
            ttl: context.detection.ttl,
            waiting: VecDeque::new(),
            running: None,
            heard: BTreeMap::new(),
            idle: BTreeSet::new(),
            leaving: BTreeSet::new(),
            tickets: 0,
        })
    }
    fn guarantees(&self, _: Detection) -> Guarantees {
        let properties = [Property::Order, Property::NoLoss, Property::Affinity, Property::Quiesce];
        Guarantees { properties: PropertySet::from_iter(properties), orphan_bound: None }
    }
    fn agent(&self, detection: Detection) -> AgentOptions {
        AgentOptions { heartbeat: detection.heartbeat, session: Some(detection.ttl), fences_itself: true }
    }
}

fn main() -> ExitCode {
    lanekeeper::cli::main_with(&Registry::new().engine("one_at_a_time", Arc::new(|_| Ok(Arc::new(Factory)))))
}
