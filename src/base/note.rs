//! What an engine says about its own decisions. Facts of the second kind: used to explain and to measure churn, never
//! to acquit an engine of a violation.

use super::{Epoch, QueueId, TaskId, Time, WorkerId};

/// Why a task is parked: accepted, but not yet in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParkReason {
    /// An earlier conflicting task is parked itself.
    BehindParked(TaskId),
    /// Earlier conflicting tasks lie in two queues (the first two found).
    Split(QueueId, QueueId),
    /// No conflict, but the pool is at its maximum and the policy is to wait for an empty queue.
    AtMax,
    /// It is in the line of whoever places one task at a time.
    InLine,
}

/// Why a queue goes to a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GrantReason {
    /// It had no owner.
    Vacant,
    /// Its owner was on double duty and another worker had room.
    Relief,
    /// To even out the number of queues per worker.
    Balance,
    /// Its owner quiesces.
    Quiesce,
    /// It is empty and about to be deleted.
    Deletion,
}

/// A decision of an engine, stated when it is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// A queue exists from now on, without an owner.
    QueueCreated {
        /// Which.
        queue: QueueId,
    },
    /// A worker was chosen; the grant is on its way.
    QueueOwned {
        /// Which queue.
        queue: QueueId,
        /// The new owner.
        worker: WorkerId,
        /// The fencing token of this grant.
        epoch: Epoch,
        /// Why it was granted.
        why: GrantReason,
    },
    /// The owner was asked to hand the queue back; it finishes its running task of it first.
    QueueRevoking {
        /// Which queue.
        queue: QueueId,
        /// Its owner.
        worker: WorkerId,
        /// Why it is taken back.
        why: GrantReason,
    },
    /// The owner is lost; the queue waits until its lease has surely ended.
    QueueOrphaned {
        /// Which queue.
        queue: QueueId,
        /// The lost owner.
        worker: WorkerId,
        /// When the lease with its margin has ended.
        lease_ends: Time,
    },
    /// No owner: released, or the orphan's lease has ended.
    QueueVacant {
        /// Which queue.
        queue: QueueId,
    },
    /// No fresh reservations from now on; deleted when empty.
    QueueDraining {
        /// Which queue.
        queue: QueueId,
    },
    /// Draining no more.
    QueueRevived {
        /// Which queue.
        queue: QueueId,
    },
    /// Gone.
    QueueDeleted {
        /// Which queue.
        queue: QueueId,
    },
    /// A task was put at the end of a queue.
    Placed {
        /// Which task.
        task: TaskId,
        /// Where.
        queue: QueueId,
    },
    /// A task waits outside the queues.
    Parked {
        /// Which task.
        task: TaskId,
        /// Why.
        why: ParkReason,
    },
    /// An attempt was lost; the task is at the head of its queue again.
    Requeued {
        /// Which task.
        task: TaskId,
        /// Attempts that were lost so far.
        lost: u32,
    },
    /// A worker has not been heard for too long: it counts as dead.
    WorkerLost {
        /// Which worker.
        worker: WorkerId,
    },
}
