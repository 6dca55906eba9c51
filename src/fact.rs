//! L2: facts, the narrow waist between the world and its observers.
//!
//! The world (executors, wire, clients) writes what physically happened; observers read facts and nothing else. The one
//! exception is [`Fact::Noted`]: what the engine said of its own decisions, which may explain and never acquit.

use crate::base::{Claim, ClassId, Epoch, Note, Outcome, QueueId, Span, TaskId, Term, Ticket, Time, WorkerId};

/// How an attempt physically ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttemptEnd {
    /// It ran to its end.
    Completed,
    /// It failed by itself.
    Failed,
    /// The agent stopped it because its lease had ended.
    SelfFenced,
    /// The agent stopped it because it was told to.
    Aborted,
    /// Its worker died.
    Died,
}

/// What the store said to the effect of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EffectAnswer {
    /// It is done.
    Accepted,
    /// It came under a stale epoch, or of a stale attempt: nothing was changed.
    Refused,
    /// The task had its effect already: nothing was changed, and that is as good as done.
    AlreadyDone,
}

/// How a worker went away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// In good order, after quiescing.
    Left,
    /// It crashed.
    Crashed,
    /// It was killed at the end of its grace.
    Killed,
}

/// Something that happened. Always handed over with the instant at which it happened; instants never decrease.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fact<'a> {
    /// A client submitted a task and it was accepted. Ids rise by one from 0.
    Submitted {
        /// Which task.
        task: TaskId,
        /// Its class.
        class: ClassId,
        /// Its claims, each resource at most once.
        claims: &'a [Claim],
        /// What it demands of a worker of speed 1.
        service: Span,
    },
    /// A client asked to cancel a task.
    CancelAsked {
        /// Which task.
        task: TaskId,
    },
    /// The client was told a task's final outcome.
    Settled {
        /// Which task.
        task: TaskId,
        /// The outcome.
        outcome: Outcome,
    },
    /// The operator set the limits of the pool (also at the first instant, where the engine has a pool).
    LimitsSet {
        /// At least so many active queues.
        min: u32,
        /// At most so many queues.
        max: u32,
    },
    /// A process came up and begins to start.
    WorkerArrived {
        /// Which worker.
        worker: WorkerId,
    },
    /// It is up: its agent begins to join.
    WorkerReady {
        /// Which worker.
        worker: WorkerId,
    },
    /// It stands still: nothing executes, nothing is sent or read.
    WorkerPaused {
        /// Which worker.
        worker: WorkerId,
    },
    /// It goes on.
    WorkerResumed {
        /// Which worker.
        worker: WorkerId,
    },
    /// The operator asked the engine to quiesce it.
    QuiesceAsked {
        /// Which worker.
        worker: WorkerId,
    },
    /// The order to quiesce reached it.
    QuiesceDelivered {
        /// Which worker.
        worker: WorkerId,
        /// When it must be gone: it is killed then.
        deadline: Time,
    },
    /// It is gone, and whatever it executed with it.
    WorkerGone {
        /// Which worker.
        worker: WorkerId,
        /// How.
        exit: Exit,
    },
    /// An attempt begins to execute.
    Started {
        /// Which task.
        task: TaskId,
        /// Where.
        worker: WorkerId,
        /// For which queue.
        queue: QueueId,
        /// Under which epoch of it.
        epoch: Epoch,
        /// Identifies the attempt.
        ticket: Ticket,
    },
    /// An attempt no longer executes.
    Ended {
        /// Which task.
        task: TaskId,
        /// Where.
        worker: WorkerId,
        /// Identifies the attempt.
        ticket: Ticket,
        /// How it ended.
        end: AttemptEnd,
    },
    /// The effect of an attempt that ran to its end reached the store.
    Effect {
        /// Which task.
        task: TaskId,
        /// Who executed it.
        worker: WorkerId,
        /// For which queue.
        queue: QueueId,
        /// Under which epoch of it.
        epoch: Epoch,
        /// Identifies the attempt.
        ticket: Ticket,
        /// What the store said.
        answer: EffectAnswer,
    },
    /// A report of an attempt's end, or of a start declined, reached the engine (each copy of it).
    Reported {
        /// Which task.
        task: TaskId,
        /// Who reported.
        worker: WorkerId,
        /// For which queue.
        queue: QueueId,
        /// Under which epoch of it.
        epoch: Epoch,
        /// Identifies the attempt.
        ticket: Ticket,
    },
    /// A worker took up a grant or had it renewed: it believes to own the queue until then.
    Held {
        /// Which worker.
        worker: WorkerId,
        /// Which queue.
        queue: QueueId,
        /// Under which epoch.
        epoch: Epoch,
        /// Valid before this instant (the worker's own clock, converted to true time); `None`: until it is dropped.
        until: Option<Time>,
    },
    /// A worker dropped a grant (released, lease over, told to rejoin).
    Dropped {
        /// Which worker.
        worker: WorkerId,
        /// Which queue.
        queue: QueueId,
        /// Under which epoch.
        epoch: Epoch,
    },
    /// A message between the engine and a worker is on its way (only where it takes time).
    MessageSent {
        /// Which worker.
        worker: WorkerId,
    },
    /// A message that was on its way arrived, or was given up because its worker is gone.
    MessageArrived {
        /// Which worker.
        worker: WorkerId,
    },
    /// A message between the engine and a worker was lost: on the wire, or because no engine was up.
    MessageLost {
        /// Which worker.
        worker: WorkerId,
    },
    /// A message between the engine and a worker will arrive before one that was sent earlier, which may be of no use then.
    MessageOvertook {
        /// Which worker.
        worker: WorkerId,
    },
    /// A client submitted a task that does harm: it executes for ever, or kills its worker each time.
    Poisoned {
        /// Which task.
        task: TaskId,
        /// Whether it executes for ever.
        never_ends: bool,
    },
    /// The engine is gone.
    EngineDown {
        /// Which one.
        term: Term,
    },
    /// An engine was restored from records; the first one is there from the beginning and is no fact.
    EngineUp {
        /// Which one.
        term: Term,
    },
    /// The store takes its time: what the engine decided waits, or goes on.
    EngineHeld {
        /// It waits from here on.
        held: bool,
    },
    /// What the engine says of a decision.
    Noted(Note),
}

/// What chance decided and no fact tells in full: whoever writes a run down needs it, whoever judges one does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// A worker arrived.
    Arrived {
        /// Which.
        worker: WorkerId,
        /// Where: the number is that of others on the same host.
        host: u64,
        /// In millionths.
        speed: u64,
    },
    /// What a task will hold its worker for, beside its service.
    Overhead {
        /// Which task.
        task: TaskId,
        /// For how long, at any speed.
        overhead: Span,
    },
    /// A worker will crash when the store has answered its next effect.
    Doomed {
        /// Which.
        worker: WorkerId,
    },
    /// A worker executes slowly for a while.
    Slowed {
        /// Which.
        worker: WorkerId,
        /// So many times slower, in millionths.
        factor: u64,
        /// For how long.
        lasts: Span,
    },
    /// A clock was set that is not all workers'.
    ClockSet {
        /// Whose.
        worker: WorkerId,
        /// By so much it jumps, µs.
        jump_micros: i64,
        /// It gains so many parts of 10^9 from here on.
        drift_ppb: i64,
    },
    /// Messages of a worker are lost for a while.
    Isolated {
        /// Whose.
        worker: WorkerId,
        /// Those to the engine.
        to_engine: bool,
        /// Those of the engine.
        from_engine: bool,
        /// For how long.
        lasts: Span,
    },
    /// A message was sent on a wire with chance in it.
    Sent {
        /// By or to which worker.
        worker: WorkerId,
        /// Whether to the engine.
        to_engine: bool,
        /// How long it takes; `None`: it is lost.
        takes: Option<Span>,
        /// How long it takes to arrive once more; `None`: it does not.
        again: Option<Span>,
    },
}

/// Whoever reads facts.
pub trait Observe {
    /// Takes the next fact. `now` never decreases.
    fn on(&mut self, now: Time, fact: &Fact<'_>);

    /// Takes note of a choice. Observers have no need of it.
    fn chose(&mut self, _now: Time, _choice: Choice) {}
}
