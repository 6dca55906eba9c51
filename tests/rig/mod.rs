//! A cluster driven by hand, without the simulator: the real engine, real agents, and a wire whose messages a test may
//! hold back or drop. Executors do nothing but wait for the test to say that a task is done.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part of the rig")]

pub mod steps;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use lanekeeper::base::{Claim, Note, Outcome, QueueId, ResourceId, Span, TaskId, Term, Ticket, Time, WorkerId};
use lanekeeper::engine::agent::{Agent, AgentEffect, AgentInput};
use lanekeeper::engine::message::{
    ClusterMessage, Effect, Ended, Input, Record, Stamp, Start, WorkerMessage, WorkerName,
};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::spec::*;
use lanekeeper::engine::{Context, Detection, Engine, EngineFactory};

pub const A: u32 = 0;
pub const B: u32 = 1;
pub const C: u32 = 2;
pub const D: u32 = 3;

struct Process {
    agent: Agent,
    running: Option<Start>,
    alive: bool,
    paused: bool,
    inbox: VecDeque<ClusterMessage>,
}

pub struct Rig {
    engine: Box<dyn Engine>,
    hears_disconnects: bool,
    pub now: Time,
    processes: Vec<Process>,
    options: lanekeeper::engine::agent::AgentOptions,
    to_engine: VecDeque<(WorkerId, WorkerMessage)>,
    delivering: bool,
    /// Messages to these workers stay on the wire.
    held_to: BTreeSet<WorkerId>,
    /// Messages from these workers stay on the wire.
    held_from: BTreeSet<WorkerId>,
    pub tasks: u32,
    pub owners: BTreeMap<QueueId, Option<WorkerId>>,
    pub draining: BTreeSet<QueueId>,
    pub places: BTreeMap<TaskId, QueueId>,
    pub parked: BTreeSet<TaskId>,
    pub started: Vec<(TaskId, WorkerId)>,
    /// First starts, each with what was settled before.
    pub starts_judged: Vec<(TaskId, BTreeSet<TaskId>)>,
    pub settled: BTreeMap<TaskId, Outcome>,
    pub notes: Vec<Note>,
    pub store: BTreeMap<String, Record>,
    pub effects: Vec<Effect>,
}

pub fn spec(min: u32, max: u32) -> QueueFirstSpec {
    QueueFirstSpec { queues: QueueLimits { min, max }, create: CreateSpec::Eager, ..QueueFirstSpec::default() }
}

pub fn secs(secs: u64) -> Span {
    Span::from_secs(secs)
}

impl Rig {
    /// A cluster of `workers` workers that have joined.
    pub fn new(spec: QueueFirstSpec, workers: u32) -> Rig {
        let detection = Detection { heartbeat: secs(10), ttl: secs(30) };
        let factory = factory(&spec, &Policies::default()).expect("a built-in policy");
        let mut rig = Rig::driving(factory.as_ref(), detection);
        let QueueLimits { min, max } = spec.queues;
        rig.give(Input::Limits { min, max });
        for _ in 0..workers {
            rig.join();
        }
        rig
    }

    /// A cluster without workers, of any engine.
    pub fn driving(factory: &dyn EngineFactory, detection: Detection) -> Rig {
        Rig {
            hears_disconnects: factory.hears_disconnects(),
            engine: factory.fresh(Context { seed: 42, term: Term(1), detection }),
            now: Time::ZERO,
            processes: Vec::new(),
            options: factory.agent(detection),
            to_engine: VecDeque::new(),
            delivering: false,
            held_to: BTreeSet::new(),
            held_from: BTreeSet::new(),
            tasks: 0,
            owners: BTreeMap::new(),
            draining: BTreeSet::new(),
            places: BTreeMap::new(),
            parked: BTreeSet::new(),
            started: Vec::new(),
            starts_judged: Vec::new(),
            settled: BTreeMap::new(),
            notes: Vec::new(),
            store: BTreeMap::new(),
            effects: Vec::new(),
        }
    }

    /// A new process under a name of its own.
    pub fn join(&mut self) -> WorkerId {
        self.join_as(self.processes.len() as u64)
    }

    /// A new process under this name.
    pub fn join_as(&mut self, name: u64) -> WorkerId {
        let worker = WorkerId(self.processes.len() as u32);
        self.processes.push(Process {
            agent: Agent::new(self.options, WorkerName(name)),
            running: None,
            alive: true,
            paused: false,
            inbox: VecDeque::new(),
        });
        self.tell(worker, AgentInput::Begin);
        worker
    }

    pub fn exclusive(&mut self, resources: &[u32]) -> TaskId {
        let claims: Vec<_> = resources.iter().map(|r| Claim::exclusive(ResourceId(*r))).collect();
        self.submit(&claims)
    }
    pub fn shared(&mut self, resources: &[u32]) -> TaskId {
        let claims: Vec<_> = resources.iter().map(|r| Claim::shared(ResourceId(*r))).collect();
        self.submit(&claims)
    }
    pub fn claimless(&mut self) -> TaskId {
        self.submit(&[])
    }
    pub fn submit(&mut self, claims: &[Claim]) -> TaskId {
        let task = TaskId(self.tasks);
        self.tasks += 1;
        self.give(Input::Submit { task, claims });
        task
    }
    pub fn cancel(&mut self, task: TaskId) {
        self.give(Input::Cancel { task });
    }
    pub fn limits(&mut self, min: u32, max: u32) {
        self.give(Input::Limits { min, max });
    }
    /// The operator's wish.
    pub fn quiesce(&mut self, worker: WorkerId) {
        self.give(Input::Quiesce { worker });
    }
    /// The host's wish (SIGTERM).
    pub fn terminate(&mut self, worker: WorkerId) {
        self.tell(worker, AgentInput::Quiesce);
    }
    pub fn crash(&mut self, worker: WorkerId) {
        let process = &mut self.processes[worker.0 as usize];
        process.alive = false;
        process.running = None;
        process.inbox.clear();
        if self.hears_disconnects {
            self.give(Input::Disconnected { worker });
        }
    }
    pub fn pause(&mut self, worker: WorkerId) {
        self.processes[worker.0 as usize].paused = true;
    }
    pub fn wake(&mut self, worker: WorkerId) {
        self.processes[worker.0 as usize].paused = false;
        self.tell(worker, AgentInput::Timer);
    }
    pub fn hold_to(&mut self, worker: WorkerId) {
        self.held_to.insert(worker);
    }
    pub fn hold_from(&mut self, worker: WorkerId) {
        self.held_from.insert(worker);
    }
    pub fn let_go(&mut self) {
        self.held_to.clear();
        self.held_from.clear();
        self.deliver();
    }
    /// Loses what is held back to a worker and lets later messages through.
    pub fn lose_to(&mut self, worker: WorkerId) {
        self.processes[worker.0 as usize].inbox.clear();
        self.held_to.remove(&worker);
    }
    /// Loses what is held back from a worker and lets later messages through.
    pub fn lose_from(&mut self, worker: WorkerId) {
        self.to_engine.retain(|(from, _)| *from != worker);
        self.held_from.remove(&worker);
    }
    /// The worker's running task is done.
    pub fn finish(&mut self, worker: WorkerId) -> TaskId {
        self.end(worker, Ended::Completed)
    }
    pub fn end(&mut self, worker: WorkerId, ended: Ended) -> TaskId {
        let start = self.processes[worker.0 as usize].running.take().expect("a running task");
        self.tell(worker, AgentInput::Ended { ticket: start.ticket, ended });
        start.task
    }

    pub fn running(&self, worker: WorkerId) -> Option<TaskId> {
        self.processes[worker.0 as usize].running.map(|start| start.task)
    }
    pub fn workers(&self) -> usize {
        self.processes.len()
    }
    /// What this worker executes, unless it stands still.
    pub fn executing(&self, worker: WorkerId) -> Option<TaskId> {
        self.running(worker).filter(|_| !self.processes[worker.0 as usize].paused)
    }
    /// Who executes this task.
    pub fn executor(&self, task: TaskId) -> WorkerId {
        let index = self.processes.iter().position(|process| process.running.is_some_and(|start| start.task == task));
        WorkerId(index.expect("an executing task") as u32)
    }
    pub fn is_running(&self, task: TaskId) -> bool {
        self.processes.iter().any(|process| process.running.is_some_and(|start| start.task == task))
    }
    pub fn ticket(&self, worker: WorkerId) -> Option<Ticket> {
        self.processes[worker.0 as usize].running.map(|start| start.ticket)
    }
    pub fn is_alive(&self, worker: WorkerId) -> bool {
        self.processes[worker.0 as usize].alive
    }
    pub fn owner(&self, queue: u32) -> Option<WorkerId> {
        self.owners.get(&QueueId(queue)).copied().flatten()
    }
    pub fn queues(&self) -> usize {
        self.owners.len()
    }
    pub fn place(&self, task: TaskId) -> Option<u32> {
        self.places.get(&task).map(|queue| queue.0)
    }
    pub fn owned_by(&self, worker: WorkerId) -> usize {
        self.owners.values().filter(|owner| **owner == Some(worker)).count()
    }
    pub fn starts_of(&self, task: TaskId) -> usize {
        self.started.iter().filter(|(started, _)| *started == task).count()
    }
    pub fn order_of_starts(&self) -> Vec<TaskId> {
        self.started.iter().map(|(task, _)| *task).collect()
    }

    /// Finishes whatever runs, one after the other, until nothing runs.
    pub fn run_dry(&mut self) {
        while let Some(worker) = (0..self.processes.len()).find(|w| self.processes[*w].running.is_some()) {
            self.finish(WorkerId(worker as u32));
        }
    }

    /// Lets time pass: every timer of agents and engine fires when it is due.
    pub fn pass(&mut self, span: Span) {
        let end = self.now + span;
        loop {
            let agent_due = (0..self.processes.len())
                .filter(|index| self.processes[*index].alive && !self.processes[*index].paused)
                .map(|index| (Time::from_micros(self.processes[index].agent.next_timer().0), 0, index));
            let engine_due = self.engine.next_timeout().map(|(at, _)| (at, 1, usize::MAX));
            let Some((at, kind, index)) = agent_due.chain(engine_due).min().filter(|(at, ..)| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            if kind == 0 {
                self.tell(WorkerId(index as u32), AgentInput::Timer);
            } else {
                self.give(Input::Timeout);
            }
        }
        self.now = end;
    }

    fn tell(&mut self, worker: WorkerId, input: AgentInput<'_>) {
        let process = &mut self.processes[worker.0 as usize];
        if !process.alive || process.paused {
            return;
        }
        let mut effects = Vec::new();
        process.agent.handle(Stamp(self.now.micros()), input, &mut effects);
        for effect in effects {
            match effect {
                AgentEffect::Send(message) => self.to_engine.push_back((worker, message)),
                AgentEffect::Execute(start) => {
                    self.processes[worker.0 as usize].running = Some(start);
                    if self.starts_of(start.task) == 0 {
                        self.starts_judged.push((start.task, self.settled.keys().copied().collect()));
                    }
                    self.started.push((start.task, worker));
                }
                AgentEffect::Stop { .. } => {
                    self.end(worker, Ended::Aborted);
                }
                AgentEffect::Held { .. } | AgentEffect::Dropped { .. } => {}
                AgentEffect::Exit => self.processes[worker.0 as usize].alive = false,
            }
        }
        self.deliver();
    }

    pub fn give(&mut self, input: Input<'_>) {
        let mut out = Vec::new();
        self.engine.handle(self.now, input, &mut out);
        for effect in out {
            self.effects.push(effect.clone());
            match effect {
                Effect::Persist(record) => self.persist(record),
                Effect::Fence(_) => {}
                Effect::Send(worker, message) => {
                    if let Some(process) = self.processes.get_mut(worker.0 as usize).filter(|process| process.alive) {
                        process.inbox.push_back(message);
                    }
                }
                Effect::Settle(task, outcome) => {
                    let before = self.settled.insert(task, outcome);
                    assert_eq!(before, None, "{task} settles twice");
                    self.parked.remove(&task);
                }
                Effect::Note(note) => self.note(note),
            }
        }
        self.deliver();
    }

    fn persist(&mut self, record: Record) {
        match record {
            Record::Task { task, .. } => self.store.insert(task.to_string(), record),
            Record::Attempt { task, .. } => self.store.insert(format!("{task}'s attempt"), record),
            Record::Leads => None,
            Record::TaskGone { task, .. } => {
                self.store.remove(&format!("{task}'s attempt"));
                self.store.remove(&task.to_string())
            }
            Record::Queue { queue, .. } => self.store.insert(queue.to_string(), record),
            Record::QueueGone { queue } => self.store.remove(&queue.to_string()),
            Record::Limits { .. } => self.store.insert("limits".into(), record),
        };
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
        match note {
            Note::QueueCreated { queue } | Note::QueueVacant { queue } | Note::QueueOrphaned { queue, .. } => {
                self.owners.insert(queue, None);
            }
            Note::QueueOwned { queue, worker, .. } => {
                self.owners.insert(queue, Some(worker));
            }
            Note::QueueDeleted { queue } => {
                self.owners.remove(&queue);
                self.draining.remove(&queue);
            }
            Note::QueueDraining { queue } => {
                self.draining.insert(queue);
            }
            Note::QueueRevived { queue } => {
                self.draining.remove(&queue);
            }
            Note::Placed { task, queue } => {
                self.parked.remove(&task);
                self.places.insert(task, queue);
            }
            Note::Parked { task, .. } => {
                self.parked.insert(task);
            }
            Note::QueueRevoking { .. } | Note::Requeued { .. } | Note::WorkerLost { .. } => {}
        }
    }

    /// Delivers everything that is not held back, in order.
    fn deliver(&mut self) {
        if std::mem::replace(&mut self.delivering, true) {
            return; // What is sent meanwhile is delivered by the loop that runs.
        }
        for round in 0.. {
            assert!(
                round < 100_000,
                "messages without end at {}: {:?}",
                self.now,
                &self.effects[self.effects.len() - 14..]
            );
            let ready = self.to_engine.iter().position(|(worker, _)| !self.held_from.contains(worker));
            if let Some(position) = ready {
                let (worker, message) = self.to_engine.remove(position).expect("a message");
                self.give(Input::Worker { worker, message: &message });
                continue;
            }
            let next = (0..self.processes.len()).find(|index| {
                let process = &self.processes[*index];
                let reads = process.alive && !process.paused && !self.held_to.contains(&WorkerId(*index as u32));
                reads && !process.inbox.is_empty()
            });
            let Some(index) = next else {
                break;
            };
            let message = self.processes[index].inbox.pop_front().expect("a message");
            self.tell(WorkerId(index as u32), AgentInput::Message(&message));
        }
        self.delivering = false;
    }
}
