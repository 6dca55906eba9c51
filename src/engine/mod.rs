//! L1, THE PRODUCT: assignment engines. Knows no clock, no randomness but the seed it is handed, no I/O, and nothing of
//! the simulator.

pub mod agent;
pub mod message;
pub mod queue_first;
pub mod spec;

pub use message::{ClusterMessage, Effect, Input, Outbox, Record, WorkerMessage};
pub use spec::{EngineSpec, Guarantees};

use crate::base::{Span, Term, Time};

/// Why an engine wants to be woken.
pub type Reason = &'static str;

/// A cluster brain: one deterministic state machine. No clock, no I/O, no hidden randomness.
///
/// # The driver's contract
/// - `now` never decreases.
/// - Effects are carried out in order, and what follows a [`Effect::Persist`] waits until the record is durable.
/// - Late, duplicate, stale and reordered messages are ordinary inputs. Impossible internal states panic.
/// - [`Input::Timeout`] is given when the instant of [`Engine::next_timeout`] has come, after all other inputs of that
///   instant; a timeout too early or too many does no harm.
/// - A lease crosses the wire as a span that the agent counts from the moment it *sent* the message being answered.
/// - A refused persist ends this engine: the driver discards it and restores one under a higher term.
pub trait Engine {
    /// Consumes one input at `now`; appends what must now be done, in order, to `out`.
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox);

    /// When the engine next wants [`Input::Timeout`], and why. `None`: only an input can wake it.
    fn next_timeout(&self) -> Option<(Time, Reason)>;
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
    /// What it promises, given how workers are monitored.
    fn guarantees(&self, detection: Detection) -> Guarantees;
    /// How its agents must behave.
    fn agent(&self, detection: Detection) -> agent::AgentOptions;
}
