//! Why a task waited until it started: each instant of it has exactly one reason.

use super::{Place, QueueRec, Reasons, TaskRec, WorkerRec};
use crate::base::{IdVec, QueueId, Span, Time, WorkerId};

/// Splits the wait of a task that starts at `now`.
#[inline(always)]
pub(super) fn reasons(
    now: Time,
    rec: &TaskRec,
    queues: &IdVec<QueueId, QueueRec>,
    workers: &IdVec<WorkerId, WorkerRec>,
    general_clocks: (u64, u64),
) -> Reasons {
    let runnable = rec.runnable_at.min(now);
    let placed = rec.placed_at.min(now).max(runnable);
    let head = rec.head_at.min(now).max(placed);
    let rest = now.since(head).micros();
    let [blocked, parked, behind] =
        [runnable.since(rec.submitted), placed.since(runnable), head.since(placed)].map(Span::micros);
    if rest == 0 {
        return [blocked, parked, behind, 0, 0, 0];
    }
    let (no_owner, busy) = match rec.place {
        Place::Queue(QueueId::GENERAL) => {
            (general_clocks.0 - rec.general_clocks.0, general_clocks.1 - rec.general_clocks.1)
        }
        Place::Queue(queue) => head_clocks(&queues[queue], workers, now),
        Place::Parked | Place::AtMax | Place::Nowhere => (0, 0),
    };
    // Clamped for engines that start a task before it is runnable; otherwise the clocks fit.
    let busy = busy.min(rest);
    let no_owner = no_owner.min(rest - busy);
    let dispatch = rest - busy - no_owner;
    [blocked, parked, behind, busy, no_owner, dispatch]
}

/// How long the head of a queue has waited for a worker, and for a busy one, up to `now`.
#[inline(always)]
pub(super) fn head_clocks(rec: &QueueRec, workers: &IdVec<WorkerId, WorkerRec>, now: Time) -> (u64, u64) {
    let Some(owner) = rec.owner else {
        return (rec.head_no_owner + now.since(rec.clocks_at).micros(), rec.head_busy);
    };
    let (busy, down) = workers[owner].clocks(now);
    (rec.head_no_owner + (down - rec.owner_clocks.1), rec.head_busy + (busy - rec.owner_clocks.0))
}
