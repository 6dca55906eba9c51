//! A cluster in which one thing happens at a time, and the test says which.
#![allow(unreachable_pub, missing_docs, reason = "a part of one test")]

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::str::FromStr;

use lanekeeper::base::mix::mix;
use lanekeeper::base::task::conflict;
use lanekeeper::base::{Claim, Epoch, Note, Outcome, QueueId, ResourceId, Span, TaskId, Term, Ticket, Time, WorkerId};
use lanekeeper::engine::agent::{Agent, AgentEffect, AgentInput};
use lanekeeper::engine::message::{ClusterMessage, Ended, Fence, Holding, Stamp, Start, WorkerMessage, WorkerName};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::spec::{Lease, LeaseSpec, QueueFirstSpec, QueueLimits};
use lanekeeper::engine::{Context, Detection, Effect, Engine, EngineFactory, Input};

/// Time passes in steps of a heartbeat.
const STEP: Span = Span::from_secs(10);

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    pub workers: usize,
    pub queues: u32,
    pub tasks: usize,
    pub faults: u32,
    /// So many steps of time.
    pub steps: u64,
    /// Agents are told that leases last so many steps; the engine waits for two.
    pub promised_lease: u64,
}

/// What the tasks claim, the first ones of these.
const TASKS: [&[u32]; 4] = [&[0], &[0, 1], &[1], &[0]];

impl Scope {
    pub const fn new(workers: usize, queues: u32, tasks: usize, faults: u32, steps: u64) -> Scope {
        Scope { workers, queues, tasks, faults, steps, promised_lease: 2 }
    }
    /// What is tried each time.
    pub const SMALL: &[Scope] = &[
        Scope::new(2, 1, 1, 1, 0),
        Scope::new(2, 2, 1, 0, 0),
        Scope::new(1, 1, 2, 1, 0),
        Scope::new(1, 1, 1, 1, 1),
        Scope::new(1, 1, 1, 0, 2),
        Scope::new(2, 1, 0, 0, 1),
    ];
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Scope, String> {
        let numbers: Result<Vec<u32>, _> = text.split(',').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[workers, queues, tasks @ 0..=4, faults, steps]) => {
                Ok(Scope::new(workers as usize, queues, tasks as usize, faults, u64::from(steps)))
            }
            _ => Err(format!("`{text}` is no scope: write workers,queues,tasks,faults,steps; at most 4 tasks")),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { workers, queues, tasks, faults, steps, .. } = self;
        write!(f, "{workers} workers, {queues} queues, {tasks} tasks, {faults} fault, {steps} steps of time")
    }
}

/// What may happen next.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Submit,
    Join,
    ToEngine(usize),
    ToWorker(usize),
    Finish(usize),
    TimePasses,
    Wake(usize),
    // Faults.
    Crash(usize),
    Pause(usize),
    LoseToEngine(usize),
    LoseToWorker(usize),
    RepeatToEngine(usize),
    RepeatToWorker(usize),
}

#[derive(Clone, Debug)]
struct Process {
    agent: Agent,
    running: Option<Start>,
    alive: bool,
    paused: bool,
    /// Grants that it holds by its own word, and until when.
    holds: BTreeMap<QueueId, (Epoch, Option<Stamp>)>,
    to_engine: VecDeque<WorkerMessage>,
    to_worker: VecDeque<ClusterMessage>,
}

/// An input as it was given.
#[derive(Clone, Debug)]
enum Given {
    Limits,
    Submit(usize),
    Worker(usize, WorkerMessage),
    Timeout,
}

#[derive(Clone)]
pub struct Cluster {
    scope: Scope,
    now: Time,
    /// What the engine was given, and a digest of it.
    inputs: Vec<(Time, Given)>,
    digest: [u64; 2],
    processes: Vec<Process>,
    submitted: usize,
    started: BTreeSet<TaskId>,
    settled: BTreeMap<TaskId, Outcome>,
    placed: BTreeSet<TaskId>,
    /// What the store has and what it refuses.
    done: BTreeSet<TaskId>,
    good: BTreeMap<QueueId, Epoch>,
    stale: BTreeMap<TaskId, Ticket>,
    faults: u32,
}

fn parts(scope: &Scope) -> (std::sync::Arc<dyn EngineFactory>, Detection) {
    let spec = QueueFirstSpec {
        queues: QueueLimits { min: scope.queues, max: scope.queues },
        lease: LeaseSpec::Lease(Lease { duration: STEP * 2, margin: Span::from_secs(5), ..Lease::default() }),
        ..QueueFirstSpec::default()
    };
    let detection = Detection { heartbeat: STEP, ttl: STEP * 2 };
    (factory(&spec, &Policies::default()).expect("built-in policies"), detection)
}

impl Cluster {
    /// Nobody has joined and nothing is submitted.
    pub fn new(scope: Scope) -> Cluster {
        let mut cluster = Cluster {
            scope,
            now: Time::ZERO,
            inputs: Vec::new(),
            digest: [0, 1],
            processes: Vec::new(),
            submitted: 0,
            started: BTreeSet::new(),
            settled: BTreeMap::new(),
            placed: BTreeSet::new(),
            done: BTreeSet::new(),
            good: BTreeMap::new(),
            stale: BTreeMap::new(),
            faults: scope.faults,
        };
        cluster.give(Given::Limits);
        cluster
    }

    /// Tells states apart: everything there is, the engine by what it was given.
    pub fn key(&self) -> [u64; 2] {
        let Cluster { now, digest, processes, started, settled, done, good, stale, faults, .. } = self;
        let text = format!("{now:?}{digest:?}{processes:?}{started:?}{settled:?}{done:?}{good:?}{stale:?}{faults}");
        hash(&text, *digest)
    }

    pub fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.submitted < self.scope.tasks {
            actions.push(Action::Submit);
        }
        if self.processes.len() < self.scope.workers {
            actions.push(Action::Join);
        }
        if self.now < Time::ZERO + STEP * self.scope.steps {
            actions.push(Action::TimePasses);
        }
        let fault = self.faults > 0;
        for (w, process) in self.processes.iter().enumerate() {
            let mut add = |possible: bool, action: Action| actions.extend(possible.then_some(action));
            let (up, down) = (!process.to_engine.is_empty(), !process.to_worker.is_empty());
            let acts = process.alive && !process.paused;
            add(up, Action::ToEngine(w));
            add(down && acts, Action::ToWorker(w));
            add(process.running.is_some() && acts, Action::Finish(w));
            add(process.alive && process.paused, Action::Wake(w));
            add(fault && process.alive, Action::Crash(w));
            add(fault && acts, Action::Pause(w));
            add(fault && up, Action::LoseToEngine(w));
            add(fault && up, Action::RepeatToEngine(w));
            add(fault && down && process.alive, Action::LoseToWorker(w));
            add(fault && down && process.alive, Action::RepeatToWorker(w));
        }
        actions
    }

    /// The cluster after one thing happened.
    pub fn after(&self, action: Action) -> Cluster {
        let mut next = self.clone();
        match action {
            Action::Submit => {
                next.submitted += 1;
                next.give(Given::Submit(self.submitted));
            }
            Action::Join => next.join(),
            Action::ToEngine(w) => {
                let message = next.processes[w].to_engine.pop_front().expect("a message");
                next.give(Given::Worker(w, message));
            }
            Action::ToWorker(w) => {
                let message = next.processes[w].to_worker.pop_front().expect("a message");
                next.tell(w, AgentInput::Message(&message));
            }
            Action::Finish(w) => next.finish(w),
            Action::TimePasses => next.time_passes(),
            Action::Wake(w) => {
                next.processes[w].paused = false;
                next.tell(w, AgentInput::Timer);
            }
            Action::Crash(w) => {
                let process = &mut next.processes[w];
                process.alive = false;
                process.running = None;
                process.holds.clear();
                process.to_worker.clear();
            }
            Action::Pause(w) => next.processes[w].paused = true,
            Action::LoseToEngine(w) => drop(next.processes[w].to_engine.pop_front()),
            Action::LoseToWorker(w) => drop(next.processes[w].to_worker.pop_front()),
            Action::RepeatToEngine(w) => {
                let link = &mut next.processes[w].to_engine;
                link.push_back(link[0].clone());
            }
            Action::RepeatToWorker(w) => {
                let link = &mut next.processes[w].to_worker;
                link.push_back(link[0].clone());
            }
        }
        let fault = matches!(
            action,
            Action::Crash(_)
                | Action::Pause(_)
                | Action::LoseToEngine(_)
                | Action::LoseToWorker(_)
                | Action::RepeatToEngine(_)
                | Action::RepeatToWorker(_)
        );
        next.faults -= u32::from(fault);
        next
    }

    /// The cluster when every message has arrived.
    pub fn delivered(self) -> Cluster {
        let message = |action: &Action| matches!(action, Action::ToEngine(_) | Action::ToWorker(_));
        match self.actions().into_iter().find(message) {
            Some(action) => self.after(action).delivered(),
            None => self,
        }
    }

    fn join(&mut self) {
        let (factory, detection) = parts(&self.scope);
        let number = u32::try_from(self.processes.len()).expect("few workers");
        self.processes.push(Process {
            agent: Agent::new(factory.agent(detection), WorkerName(u64::from(number))),
            running: None,
            alive: true,
            paused: false,
            holds: BTreeMap::new(),
            to_engine: VecDeque::new(),
            to_worker: VecDeque::new(),
        });
        self.tell(number as usize, AgentInput::Begin);
    }

    /// One heartbeat later, whatever is due is done: agents first, then the engine.
    fn time_passes(&mut self) {
        self.now += STEP;
        for w in 0..self.processes.len() {
            let process = &self.processes[w];
            if process.alive && !process.paused && process.agent.next_timer() <= self.stamp() {
                self.tell(w, AgentInput::Timer);
            }
        }
        while self.engine().next_timeout().is_some_and(|(at, _)| at <= self.now) {
            self.give(Given::Timeout);
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp(self.now.micros())
    }

    /// The attempt runs to its end, and the store takes its effect or refuses it.
    fn finish(&mut self, w: usize) {
        let start = self.processes[w].running.take().expect("an attempt");
        let good = self.good.get(&start.queue).copied().unwrap_or_default();
        let stale = self.stale.get(&start.task).copied().unwrap_or_default();
        let refused = start.epoch < good || start.ticket <= stale;
        if !refused {
            self.done.insert(start.task);
        }
        let ended = if refused { Ended::Refused } else { Ended::Completed };
        self.tell(w, AgentInput::Ended { ticket: start.ticket, ended });
    }

    fn tell(&mut self, w: usize, input: AgentInput<'_>) {
        let mut effects = Vec::new();
        let stamp = self.stamp();
        self.processes[w].agent.handle(stamp, input, &mut effects);
        for effect in effects {
            let process = &mut self.processes[w];
            match effect {
                AgentEffect::Send(message) => process.to_engine.push_back(message),
                AgentEffect::Execute(start) => {
                    process.running = Some(start);
                    self.judge_start(start);
                    self.started.insert(start.task);
                }
                AgentEffect::Stop { ticket, .. } => {
                    process.running = None;
                    self.tell(w, AgentInput::Ended { ticket, ended: Ended::Aborted });
                }
                AgentEffect::Held { holding: Holding { queue, epoch }, until } => {
                    process.holds.insert(queue, (epoch, until));
                }
                AgentEffect::Dropped { holding } => drop(process.holds.remove(&holding.queue)),
                AgentEffect::Exit => process.alive = false,
            }
        }
    }

    /// The engine as its inputs have made it.
    fn engine(&self) -> Box<dyn Engine> {
        let (factory, detection) = parts(&self.scope);
        let mut engine = factory.fresh(Context { seed: 42, term: Term(1), detection });
        let mut effects = Vec::new();
        for (now, given) in &self.inputs {
            hand(engine.as_mut(), &self.scope, *now, given, &mut effects);
            effects.clear();
        }
        engine
    }

    fn give(&mut self, given: Given) {
        let mut effects = Vec::new();
        hand(self.engine().as_mut(), &self.scope, self.now, &given, &mut effects);
        self.digest = hash(&format!("{:?}{given:?}", self.now), self.digest);
        self.inputs.push((self.now, given));
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(_) => {}
            Effect::Fence(Fence::Queue { queue, epoch }) => drop(self.good.insert(queue, epoch)),
            Effect::Fence(Fence::Attempt { task, ticket }) => drop(self.stale.insert(task, ticket)),
            Effect::Send(worker, mut message) => {
                let lease = STEP * self.scope.promised_lease;
                match &mut message {
                    ClusterMessage::Grant { lease: promised, .. } => *promised = Some(lease),
                    ClusterMessage::Welcome(welcome) => welcome.lease = Some(lease),
                    _ => {}
                }
                let process = &mut self.processes[worker.0 as usize];
                if process.alive {
                    process.to_worker.push_back(message);
                }
            }
            Effect::Settle(task, outcome) => {
                assert_eq!(self.settled.insert(task, outcome), None, "{task} settles twice");
                let accounted = outcome != Outcome::Completed || self.done.contains(&task);
                assert!(accounted, "{task} is said to be completed without an effect");
            }
            Effect::Note(Note::Placed { task, .. } | Note::Parked { task, .. }) => drop(self.placed.insert(task)),
            Effect::Note(_) => {}
        }
    }

    fn claims(&self, task: TaskId) -> Vec<Claim> {
        claims_of(task.0 as usize)
    }

    /// Order: a first start is not before the settlement of what conflicts and is earlier.
    fn judge_start(&self, start: Start) {
        let task = start.task;
        assert!(!self.settled.contains_key(&task) || self.started.contains(&task), "{task} starts after settlement");
        for earlier in (0..task.0).map(TaskId).filter(|_| !self.started.contains(&task)) {
            let ahead = !self.settled.contains_key(&earlier) && conflict(&self.claims(earlier), &self.claims(task));
            assert!(!ahead, "{task} starts before {earlier} is settled");
        }
    }

    /// What must hold in every state.
    pub fn judge(&self) {
        let executing = |process: &&Process| process.running.is_some() && !process.paused;
        let running: Vec<TaskId> = self.processes.iter().filter(executing).map(|it| it.running.unwrap().task).collect();
        for (position, a) in running.iter().enumerate() {
            for b in &running[..position] {
                assert!(!conflict(&self.claims(*a), &self.claims(*b)), "{a} and {b} execute at once");
            }
        }
        for queue in (1..=self.scope.queues).map(QueueId) {
            let held = self.processes.iter().filter_map(|process| process.holds.get(&queue));
            let valid = held.filter(|(_, until)| until.is_none_or(|until| self.stamp() < until)).count();
            assert!(valid <= 1, "{valid} workers hold {queue} at {}", self.now);
        }
        for task in (0..self.submitted).map(|task| TaskId(task as u32)) {
            assert!(self.placed.contains(&task), "{task} was accepted and is nowhere");
        }
    }
}

fn claims_of(task: usize) -> Vec<Claim> {
    TASKS[task].iter().map(|resource| Claim::exclusive(ResourceId(*resource))).collect()
}

fn hand(engine: &mut dyn Engine, scope: &Scope, now: Time, given: &Given, out: &mut Vec<Effect>) {
    match given {
        Given::Limits => engine.handle(now, Input::Limits { min: scope.queues, max: scope.queues }, out),
        Given::Submit(task) => {
            let claims = claims_of(*task);
            engine.handle(now, Input::Submit { task: TaskId(*task as u32), claims: &claims }, out);
        }
        Given::Worker(w, message) => engine.handle(now, Input::Worker { worker: WorkerId(*w as u32), message }, out),
        Given::Timeout => engine.handle(now, Input::Timeout, out),
    }
}

fn hash(text: &str, seeds: [u64; 2]) -> [u64; 2] {
    let word = |bytes: &[u8]| bytes.iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
    let words: Vec<u64> = text.as_bytes().chunks(8).map(word).collect();
    seeds.map(|seed| mix(seed, &words))
}
