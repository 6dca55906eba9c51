//! A worker: its agent, what it executes, and the messages on their way to it and from it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use lanekeeper::base::{Epoch, QueueId, TaskId, Term};
use lanekeeper::engine::agent::{Agent, AgentEffect, AgentInput, AgentOptions};
use lanekeeper::engine::message::{ClusterMessage, Ended, Holding, Stamp, Start, WorkerMessage, WorkerName};

use super::Action;
use super::canonical::{self, Shown};
use super::part::Machine;
use super::scope::Setup;

#[derive(Clone)]
pub struct Process {
    pub agent: Agent,
    pub running: Option<Start>,
    pub alive: bool,
    pub paused: bool,
    /// Its messages may stay under way while time passes.
    pub late: bool,
    /// Grants that it holds by its own word, and until when.
    pub holds: BTreeMap<QueueId, (Epoch, Option<Stamp>)>,
    pub to_engine: VecDeque<WorkerMessage>,
    pub to_worker: VecDeque<(Term, ClusterMessage)>,
}

/// What happens to a worker.
#[derive(Clone, PartialEq, Debug)]
pub enum Happens {
    Begins,
    /// This message is sent to it.
    IsTold(Term, ClusterMessage),
    /// The first message to it arrives.
    Hears,
    /// The first message from it arrives.
    IsHeard,
    /// Its attempt runs to its end.
    Finishes(Ended),
    Timer,
    Strikes(Action),
}

/// It begins to execute a task.
pub struct Executes(pub TaskId);

impl Process {
    pub fn new(options: AgentOptions, number: usize) -> Process {
        Process {
            agent: Agent::new(options, WorkerName(number as u64)),
            running: None,
            alive: true,
            paused: false,
            late: false,
            holds: BTreeMap::new(),
            to_engine: VecDeque::new(),
            to_worker: VecDeque::new(),
        }
    }

    pub fn acts(&self) -> bool {
        self.alive && !self.paused
    }

    /// Whether nothing of it is under way that must arrive before time passes.
    pub fn is_quiet(&self) -> bool {
        self.late || self.to_engine.is_empty() && (!self.acts() || self.to_worker.is_empty())
    }

    /// It is gone; what it said before may still arrive.
    fn ends(&mut self) {
        self.alive = false;
        self.paused = false;
        self.running = None;
        self.holds.clear();
        self.to_worker.clear();
    }

    fn struck(&mut self, stamp: Stamp, action: Action, out: &mut Vec<Executes>) {
        match action {
            Action::Wake(_) => {
                self.paused = false;
                self.tell(stamp, AgentInput::Timer, out);
            }
            Action::Crash(_) => self.ends(),
            Action::Pause(_) => self.paused = true,
            Action::Late(_) => self.late = true,
            Action::AskToLeave(_) => self.tell(stamp, AgentInput::Quiesce, out),
            Action::LoseToEngine(_) => drop(self.to_engine.pop_front()),
            Action::LoseToWorker(_) => drop(self.to_worker.pop_front()),
            Action::RepeatToEngine(_) => self.to_engine.push_back(self.to_engine[0].clone()),
            Action::RepeatToWorker(_) => self.to_worker.push_back(self.to_worker[0].clone()),
            Action::OvertakeToEngine(_) => self.to_engine.swap(0, 1),
            Action::OvertakeToWorker(_) => self.to_worker.swap(0, 1),
            Action::Submit | Action::Join | Action::ToEngine(_) | Action::ToElder(_) | Action::ToWorker(_) => {
                unreachable!("{action:?} does not strike a worker")
            }
            Action::Finish(_) | Action::TimePasses | Action::Cancel(_) | Action::SecondEngine => {
                unreachable!("{action:?} does not strike a worker")
            }
        }
    }

    fn tell(&mut self, stamp: Stamp, input: AgentInput<'_>, out: &mut Vec<Executes>) {
        let mut effects = Vec::new();
        self.agent.handle(stamp, input, &mut effects);
        for effect in effects {
            match effect {
                AgentEffect::Send(message) => self.to_engine.push_back(message),
                AgentEffect::Execute(start) => {
                    self.running = Some(start);
                    out.push(Executes(start.task));
                }
                AgentEffect::Stop { ticket, .. } => {
                    self.running = None;
                    self.tell(stamp, AgentInput::Ended { ticket, ended: Ended::Aborted }, out);
                }
                AgentEffect::Held { holding: Holding { queue, epoch }, until } => {
                    self.holds.insert(queue, (epoch, until));
                }
                AgentEffect::Dropped { holding } => drop(self.holds.remove(&holding.queue)),
                AgentEffect::Exit => self.ends(),
            }
        }
    }
}

impl Machine for Process {
    type Input = (Stamp, Happens);
    type Output = Executes;

    fn take(&mut self, _: &Setup, (stamp, happens): &Self::Input) -> Vec<Executes> {
        let (stamp, mut out) = (*stamp, Vec::new());
        match happens {
            Happens::Begins => self.tell(stamp, AgentInput::Begin, &mut out),
            Happens::IsTold(term, message) => self.to_worker.push_back((*term, message.clone())),
            Happens::Hears => {
                let (term, message) = self.to_worker.pop_front().expect("a message");
                if self.agent.heeds(term) {
                    self.tell(stamp, AgentInput::Message(&message), &mut out);
                }
            }
            Happens::IsHeard => drop(self.to_engine.pop_front()),
            Happens::Finishes(ended) => {
                let ticket = self.running.take().expect("an attempt").ticket;
                self.tell(stamp, AgentInput::Ended { ticket, ended: *ended }, &mut out);
            }
            Happens::Timer => self.tell(stamp, AgentInput::Timer, &mut out),
            Happens::Strikes(action) => self.struck(stamp, *action, &mut out),
        }
        out
    }

    fn show(&self) -> Vec<Arc<Shown>> {
        vec![Arc::new(canonical::read(format_args!("{self:?}"), Shown::new))]
    }
}

/// Of one that is gone only the messages that may still arrive.
impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Process { agent, running, alive, paused, late, holds, to_engine, to_worker } = self;
        if *alive {
            write!(f, "{agent:?}{running:?}{paused}{late}{holds:?}{to_engine:?}{to_worker:?}")
        } else {
            write!(f, "gone{late}{to_engine:?}")
        }
    }
}
