//! A worker: its agent, what it executes, and the messages on their way to it and from it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use lanekeeper::base::{Epoch, QueueId, Term};
use lanekeeper::engine::agent::{Agent, AgentOptions};
use lanekeeper::engine::message::{ClusterMessage, Stamp, Start, WorkerMessage, WorkerName};

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
    pub fn ends(&mut self) {
        self.alive = false;
        self.paused = false;
        self.running = None;
        self.holds.clear();
        self.to_worker.clear();
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
