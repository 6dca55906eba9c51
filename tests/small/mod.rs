//! A cluster in which one thing happens at a time, and the test says which.
#![allow(unreachable_pub, missing_docs, reason = "a part of one test")]

pub mod brain;
pub mod canonical;
pub mod explore;
mod host;
pub mod judge;
mod part;
pub mod process;
pub mod scope;

use std::hash::Hash;
use std::sync::Arc;

use lanekeeper::base::{TaskId, Time, WorkerId};
use lanekeeper::engine::message::{Ended, Stamp};
use smallvec::SmallVec;

use brain::Given;
use canonical::{Print, Shown};
use host::{Asked, Host, Told};
use judge::Seen;
use part::Part;
use process::{Executes, Happens, Process};
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
    submitted: usize,
    host: Part<Host>,
    processes: SmallVec<[Part<Process>; 2]>,
    seen: Arc<Seen>,
    /// The engine crashes before it carries out this one of all it has to do in the step that is being taken.
    crash_at: Option<usize>,
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
            submitted: 0,
            host: Part::new(Host::new()),
            processes: SmallVec::new(),
            seen: Arc::default(),
            crash_at: None,
        };
        cluster.ask(Asked::Give(Given::Limits));
        cluster
    }

    /// Everything that the future depends on: what is counted here, and what the parts show.
    fn shown(&self) -> (Print, impl Iterator<Item = &Arc<Shown>> + Clone) {
        let Cluster { setup: _, now: _, steps, faults, submitted, host, processes, seen, crash_at: _ } = self;
        let mut print = Print::default();
        (*steps, *faults, *submitted, processes.len(), seen).hash(&mut print);
        let of_host = host.shown();
        let of_host = &of_host[..of_host.len() - usize::from(*faults == 0)];
        (print, of_host.iter().chain(processes.iter().flat_map(|process| process.shown())))
    }

    /// Equal for states that differ only in numbers whose order alone matters.
    pub fn key(&self) -> u128 {
        let (print, shown) = self.shown();
        canonical::canonical(print, shown, self.now, &self.host.given_to)
    }

    /// Tells states apart by every number in them.
    pub fn literal_key(&self) -> u128 {
        let (mut print, shown) = self.shown();
        (self.now, self.host.literal()).hash(&mut print);
        canonical::literal(print, shown)
    }

    /// Forgets what was found out about steps from here.
    pub fn forget(&self) {
        self.host.forget();
        self.processes.iter().for_each(Part::forget);
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
        add(self.steps > 0 && self.processes.iter().all(|process| process.is_quiet()), Action::TimePasses);
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

    /// The cluster after one thing happened, during which the engine crashed before it did this one of all it had to
    /// do; `None`: it had less to do.
    pub fn after_crash(&self, action: Action, before: usize) -> Option<Cluster> {
        let mut next = self.clone();
        next.faults -= 1;
        next.crash_at = Some(before);
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
                next.ask(Asked::Give(Given::Submit(TaskId(self.submitted as u32))));
            }
            Action::Cancel(task) => {
                let task = TaskId(task as u32);
                Arc::make_mut(&mut next.seen).cancelled.insert(task);
                next.ask(Asked::Give(Given::Cancel(task)));
            }
            Action::Join => {
                let options = next.setup.factory.agent(next.setup.detection);
                next.processes.push(Part::new(Process::new(options, self.processes.len())));
                next.happens(self.processes.len(), Happens::Begins);
            }
            Action::ToEngine(w) => {
                let heard = next.heard(w);
                next.ask(Asked::Give(heard));
            }
            Action::ToElder(w) => {
                let heard = next.heard(w);
                next.ask(Asked::GiveElder(heard));
            }
            Action::ToWorker(w) => next.happens(w, Happens::Hears),
            Action::Finish(w) => next.finish(w),
            Action::TimePasses => next.time_passes(),
            Action::SecondEngine => next.ask(Asked::SecondEngine),
            Action::Wake(w) | Action::Crash(w) | Action::Pause(w) | Action::Late(w) | Action::AskToLeave(w) => {
                next.happens(w, Happens::Strikes(action));
            }
            Action::LoseToEngine(w) | Action::RepeatToEngine(w) | Action::OvertakeToEngine(w) => {
                next.happens(w, Happens::Strikes(action));
            }
            Action::LoseToWorker(w) | Action::RepeatToWorker(w) | Action::OvertakeToWorker(w) => {
                next.happens(w, Happens::Strikes(action));
            }
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
                self.happens(w, Happens::Timer);
            }
        }
        self.ask(Asked::Wake);
    }

    fn stamp(&self) -> Stamp {
        Stamp(self.now.micros())
    }

    /// The first message from a worker arrives.
    fn heard(&mut self, w: usize) -> Given {
        let message = self.processes[w].to_engine[0].clone();
        self.happens(w, Happens::IsHeard);
        Given::Worker(WorkerId(w as u32), message)
    }

    /// The attempt runs to its end, and the store takes its effect or refuses it.
    fn finish(&mut self, w: usize) {
        let start = self.processes[w].running.expect("an attempt");
        let good = self.host.good.get(&start.queue).copied().unwrap_or_default();
        let stale = self.host.stale.get(&start.task).copied().unwrap_or_default();
        let refused = start.epoch < good || start.ticket <= stale;
        if !refused {
            Arc::make_mut(&mut self.seen).effect(start.task);
        }
        self.happens(w, Happens::Finishes(if refused { Ended::Refused } else { Ended::Completed }));
    }

    /// To a worker.
    fn happens(&mut self, w: usize, what: Happens) {
        let stamp = self.stamp();
        for Executes(task) in self.processes[w].take(&self.setup, (stamp, what)).iter() {
            Arc::make_mut(&mut self.seen).start(*task);
        }
    }

    /// Of the engine's host.
    fn ask(&mut self, what: Asked) {
        for told in self.host.take(&self.setup, (self.now, what, self.crash_at)).iter() {
            match told {
                Told::Worker(worker, term, message) => {
                    let w = worker.0 as usize;
                    if self.processes[w].alive {
                        self.happens(w, Happens::IsTold(*term, message.clone()));
                    }
                }
                Told::Settled(task, outcome) => Arc::make_mut(&mut self.seen).settle(*task, *outcome),
                Told::Placed(task) => drop(Arc::make_mut(&mut self.seen).placed.insert(*task)),
            }
        }
        self.crash_at = None;
    }
}
