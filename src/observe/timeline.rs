//! What the timelines of workers and queues show: bars and marks of one run.

use crate::base::{QueueId, TaskId, Time, WorkerId};

/// Bars and marks of one run. Recording stops at [`Timeline::LIMIT`] bars; `truncated` says so.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Timeline {
    /// Attempts: who executed what for which queue.
    pub attempts: Vec<AttemptBar>,
    /// Lives of workers.
    pub lives: Vec<LifeBar>,
    /// Ownership of queues.
    pub tenures: Vec<TenureBar>,
    /// Lives of queues: created, deleted.
    pub queues: Vec<QueueBar>,
    /// Pauses, crashes, ….
    pub marks: Vec<Mark>,
    /// The end of the recording.
    pub end: Time,
    /// Whether something was left out.
    pub truncated: bool,
}

impl Timeline {
    /// At most so many bars of a kind are kept.
    pub const LIMIT: usize = 200_000;
}

/// One attempt on one worker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AttemptBar {
    /// Where.
    pub worker: WorkerId,
    /// For which queue.
    pub queue: QueueId,
    /// Which task.
    pub task: TaskId,
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// The life of a worker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LifeBar {
    /// Who.
    pub worker: WorkerId,
    /// Its process came up.
    pub arrived: Time,
    /// It was ready for work (the end of the recording where it never was).
    pub ready: Time,
    /// It was gone.
    pub gone: Time,
}

/// A worker's time as the owner of a queue, by the engine's word.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TenureBar {
    /// Which queue.
    pub queue: QueueId,
    /// Its owner; `None`: vacant or orphaned.
    pub owner: Option<WorkerId>,
    /// Whether the owner was lost.
    pub orphaned: bool,
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// The life of a queue.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct QueueBar {
    /// Which.
    pub queue: QueueId,
    /// Since when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// Something at an instant.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mark {
    /// When.
    pub at: Time,
    /// At which worker.
    pub worker: Option<WorkerId>,
    /// At which queue.
    pub queue: Option<QueueId>,
    /// What.
    pub kind: MarkKind,
    /// For pauses: until when; otherwise the same as `at`.
    pub until: Time,
}

/// What a mark shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MarkKind {
    /// A worker stood still.
    Pause,
    /// A worker crashed.
    Crash,
    /// A worker was killed at the end of its grace.
    Kill,
    /// A worker was told to quiesce.
    Quiesce,
    /// An agent stopped its task because its lease had ended.
    LeaseEnd,
    /// A property was breached.
    Violation,
}
