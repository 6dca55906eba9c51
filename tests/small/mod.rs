//! A cluster in which one thing happens at a time, and the test says which.
#![allow(unreachable_pub, missing_docs, reason = "a part of one test")]

pub mod brain;
pub mod canonical;
pub mod explore;
mod host;
pub mod judge;
pub mod process;
pub mod scope;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use lanekeeper::base::{Epoch, QueueId, TaskId, Ticket, Time, WorkerId};
use lanekeeper::engine::agent::{AgentEffect, AgentInput};
use lanekeeper::engine::message::{Ended, Holding, Stamp};

use brain::Given;
use host::Host;
use judge::Seen;
use process::Process;
use scope::{STEP, Setup};

/// What may happen next. Workers and tasks by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    Submit,
    Join,
    ToEngine(usize),
    /// The engine that a later one has fenced off hears it, and the later one does not.
    ToElder(usize),
    ToWorker(usize),
    Finish(usize),
    TimePasses,
    Wake(usize),
    // Faults.
    Crash(usize),
    Pause(usize),
    /// Its messages may take longer than a step of time from here on.
    Late(usize),
    LoseToEngine(usize),
    LoseToWorker(usize),
    RepeatToEngine(usize),
    RepeatToWorker(usize),
    OvertakeToEngine(usize),
    OvertakeToWorker(usize),
    // What clients and hosts may do counts as a fault, too.
    Cancel(usize),
    AskToLeave(usize),
    /// A new engine is restored while the old one is alive.
    SecondEngine,
}

impl Action {
    pub fn is_fault(self) -> bool {
        match self {
            Action::Submit | Action::Join | Action::ToEngine(_) | Action::ToElder(_) | Action::ToWorker(_) => false,
            Action::Finish(_) | Action::TimePasses | Action::Wake(_) => false,
            Action::Crash(_) | Action::Pause(_) | Action::Late(_) | Action::Cancel(_) | Action::AskToLeave(_) => true,
            Action::LoseToEngine(_) | Action::RepeatToEngine(_) | Action::OvertakeToEngine(_) => true,
            Action::SecondEngine => true,
            Action::LoseToWorker(_) | Action::RepeatToWorker(_) | Action::OvertakeToWorker(_) => true,
        }
    }
}

#[derive(Clone)]
pub struct Cluster {
    setup: Arc<Setup>,
    now: Time,
    /// So many steps of time are left.
    steps: u32,
    faults: u32,
    host: Host,
    processes: Vec<Process>,
    submitted: usize,
    /// What the store refuses.
    good: BTreeMap<QueueId, Epoch>,
    stale: BTreeMap<TaskId, Ticket>,
    seen: Seen,
    given_to: Arc<BTreeMap<Ticket, WorkerId>>,
}

/// A clock that began long ago: nobody's zero is near.
const BEGIN: Time = Time::from_secs(1_000);

impl Cluster {
    /// Nobody has joined and nothing is submitted.
    pub fn new(setup: &Arc<Setup>) -> Cluster {
        let mut cluster = Cluster {
            setup: Arc::clone(setup),
            now: BEGIN,
            steps: setup.scope.steps,
            faults: setup.scope.faults,
            host: Host::new(),
            processes: Vec::new(),
            submitted: 0,
            good: BTreeMap::new(),
            stale: BTreeMap::new(),
            seen: Seen::default(),
            given_to: Arc::default(),
        };
        cluster.give(Given::Limits);
        cluster
    }

    /// Everything that the future depends on.
    pub fn shown(&self) -> String {
        let Cluster { setup: _, now: _, steps, faults, host, processes, submitted, good, stale, seen, given_to: _ } =
            self;
        let mut text = String::with_capacity(8_192);
        write!(text, "{steps} {faults} {submitted} {processes:?}{good:?}{stale:?}{seen:?}").expect("any text fits");
        host.show(&mut text, *faults > 0);
        text
    }

    /// Equal for states that differ only in numbers whose order alone matters.
    pub fn key(&self) -> u128 {
        canonical::fingerprint(&canonical::canonical(&self.shown(), self.now, &self.given_to))
    }

    /// Tells states apart by every number in them.
    pub fn literal_key(&self) -> u128 {
        canonical::fingerprint(&format!("{} {:?}{}", self.now, self.host.literal(), self.shown()))
    }

    /// A promise that was broken in this state or on the last step to it.
    pub fn wrong(&self) -> Option<String> {
        self.seen.wrong.clone().or_else(|| judge::wrong(self))
    }

    pub fn actions(&self) -> Vec<Action> {
        let mut actions = Vec::new();
        let mut add = |possible: bool, action: Action| actions.extend(possible.then_some(action));
        let fault = self.faults > 0;
        add(self.submitted < self.setup.scope.tasks, Action::Submit);
        add(self.processes.len() < self.setup.scope.workers, Action::Join);
        add(self.steps > 0 && self.processes.iter().all(Process::is_quiet), Action::TimePasses);
        add(fault && !self.host.is_doubled(), Action::SecondEngine);
        for task in 0..self.submitted {
            add(fault && !self.seen.settled.contains_key(&TaskId(task as u32)), Action::Cancel(task));
        }
        for (w, process) in self.processes.iter().enumerate() {
            let (up, down) = (process.to_engine.len(), process.to_worker.len());
            let acts = process.acts();
            add(up > 0, Action::ToEngine(w));
            add(up > 0 && self.host.is_doubled(), Action::ToElder(w));
            add(down > 0 && acts, Action::ToWorker(w));
            add(process.running.is_some() && acts, Action::Finish(w));
            add(process.paused, Action::Wake(w));
            add(fault && process.alive, Action::Crash(w));
            add(fault && acts, Action::Pause(w));
            add(fault && acts, Action::AskToLeave(w));
            add(fault && process.alive, Action::Late(w));
            add(fault && up > 0, Action::LoseToEngine(w));
            add(fault && up > 0, Action::RepeatToEngine(w));
            add(fault && up > 1, Action::OvertakeToEngine(w));
            add(fault && down > 0, Action::LoseToWorker(w));
            add(fault && down > 0, Action::RepeatToWorker(w));
            add(fault && down > 1, Action::OvertakeToWorker(w));
        }
        if let Some(only) = self.setup.only {
            actions.retain(|action| !action.is_fault() || only(*action));
        }
        actions
    }

    /// Whether the engine has something to do then.
    pub fn may_crash_during(&self, action: Action) -> bool {
        self.faults > u32::from(action.is_fault())
            && self.setup.only.is_none()
            && matches!(action, Action::Submit | Action::ToEngine(_) | Action::TimePasses | Action::Cancel(_))
    }

    /// The cluster after one thing happened, during which the engine crashed before it did this one of all it had to do;
    /// `None`: it had less to do.
    pub fn after_crash(&self, action: Action, before: usize) -> Option<Cluster> {
        let mut next = self.clone();
        next.faults -= 1;
        next.host.crash_at = Some(before);
        let next = next.after(action);
        next.host.crash_at.is_none().then_some(next)
    }

    /// The cluster after one thing happened.
    pub fn after(&self, action: Action) -> Cluster {
        let mut next = self.clone();
        next.faults -= u32::from(action.is_fault());
        match action {
            Action::Submit => {
                next.submitted += 1;
                next.give(Given::Submit(TaskId(self.submitted as u32)));
            }
            Action::Cancel(task) => {
                let task = TaskId(task as u32);
                next.seen.cancelled.insert(task);
                next.give(Given::Cancel(task));
            }
            Action::Join => {
                let options = next.setup.factory.agent(next.setup.detection);
                next.processes.push(Process::new(options, self.processes.len()));
                next.tell(self.processes.len(), AgentInput::Begin);
            }
            Action::ToEngine(w) => {
                let message = next.processes[w].to_engine.pop_front().expect("a message");
                next.give(Given::Worker(WorkerId(w as u32), message));
            }
            Action::ToElder(w) => {
                let message = next.processes[w].to_engine.pop_front().expect("a message");
                next.tell_elder(&Given::Worker(WorkerId(w as u32), message));
            }
            Action::ToWorker(w) => {
                let process = &mut next.processes[w];
                let (term, message) = process.to_worker.pop_front().expect("a message");
                if process.agent.heeds(term) {
                    next.tell(w, AgentInput::Message(&message));
                }
            }
            Action::Finish(w) => next.finish(w),
            Action::TimePasses => next.time_passes(),
            Action::SecondEngine => next.second_engine(),
            Action::Wake(w) => {
                next.processes[w].paused = false;
                next.tell(w, AgentInput::Timer);
            }
            Action::Crash(w) => next.processes[w].ends(),
            Action::Pause(w) => next.processes[w].paused = true,
            Action::Late(w) => next.processes[w].late = true,
            Action::AskToLeave(w) => next.tell(w, AgentInput::Quiesce),
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
            Action::OvertakeToEngine(w) => next.processes[w].to_engine.swap(0, 1),
            Action::OvertakeToWorker(w) => next.processes[w].to_worker.swap(0, 1),
        }
        next
    }

    /// One heartbeat later, whatever is due is done: agents first, then the engine.
    fn time_passes(&mut self) {
        self.now += STEP;
        self.steps -= 1;
        for w in 0..self.processes.len() {
            let process = &self.processes[w];
            if process.acts() && process.agent.next_timer() <= self.stamp() {
                self.tell(w, AgentInput::Timer);
            }
        }
        while self.host.is_due(self.now) {
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
            self.seen.effect(start.task);
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
                    self.seen.start(start.task);
                }
                AgentEffect::Stop { ticket, .. } => {
                    process.running = None;
                    self.tell(w, AgentInput::Ended { ticket, ended: Ended::Aborted });
                }
                AgentEffect::Held { holding: Holding { queue, epoch }, until } => {
                    process.holds.insert(queue, (epoch, until));
                }
                AgentEffect::Dropped { holding } => drop(process.holds.remove(&holding.queue)),
                AgentEffect::Exit => process.ends(),
            }
        }
    }
}
