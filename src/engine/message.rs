//! Everything that goes into an engine and comes out of it.
//!
//! The wire is lossy, late, duplicating and reordering. Nothing here relies on delivery: an agent repeats its reports
//! until they are answered, every heartbeat says all that the agent holds, and every answer to one says all that it
//! should hold.
//!
//! What nearly every task needs travels in two messages instead of four: a worker that reports an end and is idle says
//! both in [`WorkerMessage::FinishedAndFetch`], and where there is work for it at once the answer comes with the next
//! order, in [`ClusterMessage::AnsweredAndStart`]. Either means exactly its two parts, and where such a message is lost
//! both parts are: the heartbeat repeats the report, and its answer repeats the order.

use smallvec::SmallVec;

use crate::base::{Claim, Claims, Epoch, Note, Outcome, QueueId, Span, TaskId, Ticket, WorkerId};

/// An instant on one worker's own clock, in µs of that clock. An engine never reads it; it only echoes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Stamp(pub u64);

/// What a process calls itself. A process that takes the place of another one comes up under the same name, so a name is
/// never an identity: `queue_first` does not look at it, `worker_owned` mirrors systems that do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct WorkerName(pub u64);

/// An order to execute a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Start {
    /// What to execute.
    pub task: TaskId,
    /// On whose behalf.
    pub queue: QueueId,
    /// The epoch of the grant that allows it; 0 for the general queue, where the ticket is the fence.
    pub epoch: Epoch,
    /// Identifies the attempt.
    pub ticket: Ticket,
}

impl Start {
    /// The grant that allows it.
    pub fn holding(&self) -> Holding {
        Holding { queue: self.queue, epoch: self.epoch }
    }
}

/// How an attempt ended, as its worker tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// It ran to its end.
    Completed,
    /// It ran and failed by itself.
    Failed,
    /// It was stopped: its lease ended, or it was told to abort.
    Aborted,
    /// It ran to its end and the store refused its effect: the task is somebody else's by now.
    Refused,
}

/// The end of an attempt. Kept by the agent and repeated in every heartbeat until it is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Report {
    /// The order that began it.
    pub start: Start,
    /// How it ended; `None`: it was declined, which is no attempt.
    pub ended: Option<Ended>,
}

/// A queue and the epoch under which it is held.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holding {
    /// The queue.
    pub queue: QueueId,
    /// The epoch.
    pub epoch: Epoch,
}

/// Queues held. Three fit without an allocation.
pub type Holdings = SmallVec<[Holding; 3]>;

/// A worker's periodic word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heartbeat {
    /// When it was sent, by the worker's own clock.
    pub stamp: Stamp,
    /// The highest ticket that the worker has seen of an order about grants.
    pub seen: Ticket,
    /// The highest ticket that it has seen of an order to start.
    pub started: Ticket,
    /// It takes no new work and will leave.
    pub quiescing: bool,
    /// The attempt that it executes.
    pub running: Option<Ticket>,
    /// All grants that it holds.
    pub holds: Holdings,
    /// Every report that is not answered yet.
    pub reports: SmallVec<[Report; 1]>,
}

/// What a worker says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WorkerMessage {
    /// A process is ready for work and holds nothing. Repeated at the heartbeat's pace until something is answered.
    Join {
        /// When it was sent, by the worker's own clock.
        stamp: Stamp,
        /// What the process calls itself.
        name: WorkerName,
    },
    /// I am alive, this is all I hold and have to report.
    ///
    /// Boxed, as it is much larger than the messages that every task needs.
    Heartbeat(Box<Heartbeat>),
    /// I am idle. Names no queue: the engine picks, now or when there is work.
    Fetch,
    /// An attempt ended, or a start was declined.
    Finished(Report),
    /// [`WorkerMessage::Finished`] and [`WorkerMessage::Fetch`] in one.
    FinishedAndFetch(Report),
    /// I gave a queue back. Voids every unanswered start of that epoch.
    Released(Holding),
    /// Gone in good order: nothing is held, nothing runs, everything was answered.
    Leave,
}

impl WorkerMessage {
    /// All reports in it.
    pub fn reports(&self) -> &[Report] {
        match self {
            WorkerMessage::Finished(report) | WorkerMessage::FinishedAndFetch(report) => std::slice::from_ref(report),
            WorkerMessage::Heartbeat(heartbeat) => &heartbeat.reports,
            WorkerMessage::Join { .. } | WorkerMessage::Fetch | WorkerMessage::Released(_) | WorkerMessage::Leave => {
                &[]
            }
        }
    }
}

/// The answer to a heartbeat or a join.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Welcome {
    /// The stamp of what is answered: all leases below are renewed from then.
    pub stamp: Stamp,
    /// How long they last; `None`: until they are revoked.
    pub lease: Option<Span>,
    /// All grants that the worker should hold. What it holds beyond them it hands back, as if revoked.
    pub grants: Holdings,
    /// The order's number: a grant given by a later order is not taken back by this answer.
    pub ticket: Ticket,
}

/// What an engine says to a worker.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClusterMessage {
    /// Serve this queue from now on.
    Grant {
        /// Which queue, under which epoch.
        holding: Holding,
        /// The stamp of the worker's last heartbeat or join: the lease counts from then.
        counted_from: Stamp,
        /// How long it lasts; `None`: until it is revoked.
        lease: Option<Span>,
        /// The order's number.
        ticket: Ticket,
    },
    /// Finish your running task of this queue, start none, release it.
    Revoke {
        /// Which queue, under which epoch.
        holding: Holding,
        /// The order's number.
        ticket: Ticket,
    },
    /// Execute this task.
    Start(Start),
    /// Stop this attempt and report it.
    Abort {
        /// The ticket of its start.
        ticket: Ticket,
    },
    /// Take no new work, hand over, leave.
    Quiesce,
    /// Your report has arrived; forget it.
    Answered {
        /// The ticket of the report's start.
        ticket: Ticket,
    },
    /// [`ClusterMessage::Answered`] and [`ClusterMessage::Start`] in one.
    AnsweredAndStart {
        /// The ticket of the answered report's start.
        answered: Ticket,
        /// What to execute next.
        start: Start,
    },
    /// The answer to a heartbeat or a join.
    Welcome(Box<Welcome>),
    /// I do not know you (any more): drop all grants and join.
    Rejoin {
        /// The order's number: whom a later order has reached is known again.
        ticket: Ticket,
    },
}

impl ClusterMessage {
    /// The order to start in it.
    pub fn start(&self) -> Option<&Start> {
        match self {
            ClusterMessage::Start(start) | ClusterMessage::AnsweredAndStart { start, .. } => Some(start),
            ClusterMessage::Grant { .. }
            | ClusterMessage::Revoke { .. }
            | ClusterMessage::Abort { .. }
            | ClusterMessage::Quiesce
            | ClusterMessage::Answered { .. }
            | ClusterMessage::Welcome(_)
            | ClusterMessage::Rejoin { .. } => None,
        }
    }
}

/// A task's place in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Which queue.
    pub queue: QueueId,
    /// The number of the placement: the order within the queue.
    pub sequence: u64,
}

/// What an engine must not forget. Keyed upserts and deletes, so that their size follows what is unfinished.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// Nothing but the assertion that this engine leads: refused where a later one does. Goes before whatever lengthens
    /// a lease, for a later engine counts on its not being lengthened.
    Leads,
    /// A task is accepted or placed.
    Task {
        /// The key.
        task: TaskId,
        /// What it claims.
        claims: Claims,
        /// Where it is; `None`: parked.
        placed: Option<Placed>,
    },
    /// A task is started, put back or given up.
    Attempt {
        /// The key.
        task: TaskId,
        /// Attempts begun so far.
        attempts: u32,
        /// Attempts lost so far.
        lost: u32,
        /// Its client gave it up.
        cancelled: bool,
        /// The last order to start it, while that is unanswered.
        running: Option<(WorkerId, Ticket)>,
    },
    /// A task is settled: its records go. The outcome is what its client reads if nobody tells it.
    TaskGone {
        /// The key.
        task: TaskId,
        /// The one final outcome.
        outcome: Outcome,
    },
    /// A queue was created, granted, released, or changed between active and draining.
    Queue {
        /// The key.
        queue: QueueId,
        /// The last epoch given.
        epoch: Epoch,
        /// Who may still act under that epoch: its owner, also when it is lost and its lease has not surely ended.
        owner: Option<WorkerId>,
        /// The owner is lost.
        orphaned: bool,
        /// Whether it takes fresh reservations.
        draining: bool,
    },
    /// A queue is deleted.
    QueueGone {
        /// The key.
        queue: QueueId,
    },
    /// The limits of the pool.
    Limits {
        /// At least so many active queues.
        min: u32,
        /// At most so many queues.
        max: u32,
    },
}

/// One input of an engine.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Input<'a> {
    /// A client submits a task. Task ids rise with the order of submission.
    Submit {
        /// Which task.
        task: TaskId,
        /// Its claims, each resource at most once.
        claims: &'a [Claim],
    },
    /// A client gives a task up.
    Cancel {
        /// Which task.
        task: TaskId,
    },
    /// The operator asks a worker to quiesce.
    Quiesce {
        /// Which worker.
        worker: WorkerId,
    },
    /// The operator sets the limits of the pool. `min <= max`.
    Limits {
        /// At least so many active queues.
        min: u32,
        /// At most so many queues.
        max: u32,
    },
    /// A worker's message arrives.
    Worker {
        /// Who said it.
        worker: WorkerId,
        /// What it said.
        message: &'a WorkerMessage,
    },
    /// The worker's connection broke, because its process is gone. Given only to engines that ask for it
    /// (`EngineFactory::hears_disconnects`).
    Disconnected {
        /// Which worker.
        worker: WorkerId,
    },
    /// The time for which the engine asked has come (or an earlier one: it must not mind).
    Timeout,
}

/// What the store refuses from here on, so that an attempt that was given up cannot change anything any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fence {
    /// Effects of a queue under an epoch below this one.
    Queue {
        /// Which queue.
        queue: QueueId,
        /// The lowest epoch that is good.
        epoch: Epoch,
    },
    /// The effect of an attempt of the general queue, which has no epochs, and of those before it.
    Attempt {
        /// Of which task.
        task: TaskId,
        /// The highest ticket that is stale.
        ticket: Ticket,
    },
}

/// One thing that must be done, in order, because of an input.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// Make this durable before anything that follows it is carried out.
    Persist(Record),
    /// Tell the store what to refuse, before anything that follows is carried out.
    Fence(Fence),
    /// Send a message to a worker.
    Send(WorkerId, ClusterMessage),
    /// Tell the client the one final outcome.
    Settle(TaskId, Outcome),
    /// A decision and its reason.
    Note(Note),
}

/// Where an engine puts its effects. Owned and emptied by the driver, so that it is allocated once.
pub type Outbox = Vec<Effect>;
