//! What an agent is told, what it wants done, and how it behaves.

use crate::base::{Span, Ticket};
use crate::engine::message::{ClusterMessage, Ended, Holding, Stamp, Start, WorkerMessage};

/// How an agent behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AgentOptions {
    /// The time between two heartbeats.
    pub heartbeat: Span,
    /// A start for the general queue, which no lease protects, is accepted only within this time of the last heartbeat
    /// that was answered: later the engine may have given the task to another worker. `None`: it always is.
    pub session: Option<Span>,
    /// Whether it stops its task when its lease is over or the engine no longer knows it. Without leases it goes on.
    pub fences_itself: bool,
}

/// One input of an agent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum AgentInput<'a> {
    /// The process is ready.
    Begin,
    /// A message of the engine arrived.
    Message(&'a ClusterMessage),
    /// The time of [`Agent::next_timer`](super::Agent::next_timer) has come, or the worker woke up.
    Timer,
    /// The executor is done with an attempt.
    Ended {
        /// Which attempt.
        ticket: Ticket,
        /// How it ended.
        ended: Ended,
    },
    /// The host asks the process to leave (SIGTERM).
    Quiesce,
}

/// One thing that must be done, in order, because of an input.
#[derive(Clone, PartialEq, Debug)]
pub enum AgentEffect {
    /// Send a message to the engine.
    Send(WorkerMessage),
    /// Begin to execute.
    Execute(Start),
    /// Stop an attempt; [`AgentInput::Ended`] must follow.
    Stop {
        /// Which attempt.
        ticket: Ticket,
        /// Because its grant has ended, not because a client or the engine asked for it.
        fenced: bool,
    },
    /// A grant was taken up or renewed.
    Held {
        /// Which.
        holding: Holding,
        /// It is valid before this instant; `None`: until it is dropped.
        until: Option<Stamp>,
    },
    /// A grant was dropped.
    Dropped {
        /// Which.
        holding: Holding,
    },
    /// Everything is handed over: the process ends.
    Exit,
}
