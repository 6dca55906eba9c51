//! L1, THE PRODUCT: assignment engines. Knows no clock, no randomness but the seed it is handed, no I/O, and nothing of
//! the simulator.
//!
//! # Driving it by hand
//!
//! What a real service does: it owns the clock, the wire and the store. Here the wire is two calls, the store a vector.
//!
//! ```
//! use std::collections::VecDeque;
//!
//! use lanekeeper::base::{Claim, ResourceId, Span, TaskId, Term, Ticket, Time, WorkerId};
//! use lanekeeper::engine::agent::{Agent, AgentEffect, AgentInput};
//! use lanekeeper::engine::message::{Ended, Stamp, WorkerMessage, WorkerName};
//! use lanekeeper::engine::queue_first::{Policies, factory};
//! use lanekeeper::engine::spec::QueueFirstSpec;
//! use lanekeeper::engine::{Context, Detection, Effect, Engine, Input};
//!
//! struct Service {
//!     engine: Box<dyn Engine>,
//!     agent: Agent,
//!     wire: VecDeque<WorkerMessage>,
//!     done: VecDeque<Ticket>,
//!     store: Vec<String>,
//!     log: Vec<String>,
//! }
//!
//! impl Service {
//!     /// Gives one input, then whatever follows from it, until nothing moves. An input waits until all effects of the
//!     /// one before are carried out.
//!     fn run(&mut self, now: Time, input: Input<'_>) {
//!         self.engine(now, input);
//!         self.settle_down(now);
//!     }
//!
//!     fn settle_down(&mut self, now: Time) {
//!         loop {
//!             if let Some(message) = self.wire.pop_front() {
//!                 self.engine(now, Input::Worker { worker: WorkerId(0), message: &message });
//!             } else if let Some(ticket) = self.done.pop_front() {
//!                 self.agent(now, AgentInput::Ended { ticket, ended: Ended::Completed });
//!             } else {
//!                 return;
//!             }
//!         }
//!     }
//!
//!     fn engine(&mut self, now: Time, input: Input<'_>) {
//!         let mut effects = Vec::new();
//!         self.engine.handle(now, input, &mut effects);
//!         for effect in effects {
//!             match effect {
//!                 // In this order: what follows a record relies on it.
//!                 Effect::Persist(record) => self.store.push(format!("{record:?}")),
//!                 Effect::Send(_worker, message) => self.agent(now, AgentInput::Message(&message)),
//!                 Effect::Settle(task, outcome) => self.log.push(format!("{task} {outcome}")),
//!                 Effect::Fence(_stale) => {} // This store trusts its workers.
//!                 Effect::Note(_why) => {}
//!             }
//!         }
//!     }
//!
//!     fn agent(&mut self, now: Time, input: AgentInput<'_>) {
//!         let mut effects = Vec::new();
//!         self.agent.handle(Stamp(now.micros()), input, &mut effects);
//!         for effect in effects {
//!             match effect {
//!                 AgentEffect::Send(message) => self.wire.push_back(message),
//!                 AgentEffect::Execute(start) => {
//!                     self.log.push(format!("{} runs", start.task));
//!                     self.done.push_back(start.ticket); // Tasks take no time here.
//!                 }
//!                 AgentEffect::Stop { .. } | AgentEffect::Exit => {}
//!                 AgentEffect::Held { .. } | AgentEffect::Dropped { .. } => {}
//!             }
//!         }
//!     }
//! }
//!
//! let detection = Detection { heartbeat: Span::from_secs(10), ttl: Span::from_secs(30) };
//! let factory = factory(&QueueFirstSpec::default(), &Policies::default())?;
//! let engine = factory.fresh(Context { seed: 42, term: Term(1), detection });
//! let agent = Agent::new(factory.agent(detection), WorkerName(0));
//! let (wire, done) = (VecDeque::new(), VecDeque::new());
//! let mut service = Service { engine, agent, wire, done, store: Vec::new(), log: Vec::new() };
//!
//! let claims = [Claim::exclusive(ResourceId(0))];
//! service.run(Time::ZERO, Input::Submit { task: TaskId(0), claims: &claims });
//! service.run(Time::ZERO, Input::Submit { task: TaskId(1), claims: &claims });
//! assert!(service.log.is_empty(), "nobody is there yet");
//! service.agent(Time::from_secs(1), AgentInput::Begin);
//! service.settle_down(Time::from_secs(1));
//! assert_eq!(service.log, ["t1 runs", "t1 completed", "t2 runs", "t2 completed"]);
//! assert!(service.store.len() >= 6, "accepted, started and settled, twice");
//! assert!(service.engine.next_timeout().is_some(), "it watches the worker's heartbeats");
//! # Ok::<(), String>(())
//! ```

#![deny(clippy::wildcard_enum_match_arm, reason = "whoever adds a message or a state must see every place it meets")]

pub mod agent;
pub mod message;
mod overhead;
pub mod pull_locks;
pub mod queue_first;
pub mod records;
pub mod spec;
pub mod worker_owned;

pub use message::{ClusterMessage, Effect, Input, Outbox, Record, WorkerMessage};
pub use overhead::Overhead;
pub use records::Records;
pub use spec::{EngineSpec, Guarantees};

use std::fmt::Debug;

use crate::base::{Span, Term, Time};

/// Why an engine wants to be woken.
pub type Reason = &'static str;

/// A cluster brain: one deterministic state machine. No clock, no I/O, no hidden randomness.
///
/// `Debug` shows all of its state: two engines of one kind and context that show the same answer every input alike. An
/// exhaustive search tells states apart by it.
///
/// # The driver's contract
/// - `now` never decreases.
/// - Effects are carried out in order, and what follows a [`Effect::Persist`] waits until the record is durable.
/// - Late, duplicate, stale and reordered messages are ordinary inputs. Impossible internal states panic.
/// - [`Input::Timeout`] is given when the instant of [`Engine::next_timeout`] has come, after all other inputs of that
///   instant; a timeout too early or too many does no harm.
/// - A lease crosses the wire as a span that the agent counts from the moment it *sent* the message being answered.
/// - An attempt counts as completed only when the store has accepted its effect: one per task at most, and none that a
///   [`Effect::Fence`] forbids.
/// - A refused persist ends this engine: the driver discards it and restores one under a higher term.
pub trait Engine: Debug {
    /// Consumes one input at `now`; appends what must now be done, in order, to `out`.
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox);

    /// When the engine next wants [`Input::Timeout`], and why. `None`: only an input can wake it.
    fn next_timeout(&self) -> Option<(Time, Reason)>;

    /// The driver keeps no records and will restore nobody: [`Effect::Persist`] may be left out from here on. Nothing
    /// else may depend on it.
    fn keep_no_records(&mut self) {}
}

/// How a cluster notices that a worker is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Detection {
    /// The time between two heartbeats of a worker.
    pub heartbeat: Span,
    /// A worker that was not heard for longer is lost. A heartbeat exactly at the ttl counts.
    pub ttl: Span,
}

/// What an engine is told when it begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context {
    /// The seed of its choices by chance.
    pub seed: u64,
    /// The number of its life, higher than any before it.
    pub term: Term,
    /// How workers are monitored.
    pub detection: Detection,
}

/// Makes engines of one kind and says what they promise.
pub trait EngineFactory: Send + Sync {
    /// The name under which reports show it.
    fn name(&self) -> &str;
    /// A new engine that knows nothing yet.
    fn fresh(&self, context: Context) -> Box<dyn Engine>;
    /// A new engine from what its predecessor persisted. The term in `context` is higher than any before. It must honour
    /// leases that may still run, and learns from heartbeats who holds what. An engine that persists nothing begins anew.
    fn restore(&self, records: &Records, context: Context) -> Box<dyn Engine> {
        let _ = records;
        self.fresh(context)
    }
    /// What it promises, given how workers are monitored.
    fn guarantees(&self, detection: Detection) -> Guarantees;
    /// How its agents must behave.
    fn agent(&self, detection: Detection) -> agent::AgentOptions;
    /// Whether it is told by [`Input::Disconnected`] that a worker's process is gone. By default it has to find out.
    fn hears_disconnects(&self) -> bool {
        false
    }
}
