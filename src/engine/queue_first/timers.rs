//! The engine's own deadlines. Lazy: a deadline that moved on is found early, and set again by whoever looks at it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;

use crate::base::{QueueId, TaskId, Time, WorkerId};
use crate::engine::Reason;

/// What may be due.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Timer {
    /// A worker of this seniority may not have been heard for the ttl.
    Lost(WorkerId, u64),
    /// An orphan's lease may have ended.
    LeaseEnd(QueueId),
    /// A task was parked at the maximum for as long as is declared.
    ParkDeadline(TaskId),
    /// A queue may have been empty for long enough.
    Empty(QueueId),
    /// The sizing policy wants to be asked.
    Sizing,
    /// A queue may be moved for balance.
    Rebalance,
    /// Everything is looked at once more.
    Review,
}

impl Timer {
    fn reason(self) -> Reason {
        match self {
            Timer::Lost(..) => "a worker may be lost",
            Timer::LeaseEnd(_) => "an orphan's lease may have ended",
            Timer::ParkDeadline(_) => "a task was parked for as long as is declared",
            Timer::Empty(_) => "a queue may have been empty for long enough",
            Timer::Sizing => "the sizing policy wants to be asked",
            Timer::Rebalance => "a queue may be moved for balance",
            Timer::Review => "everything is looked at once more",
        }
    }
}

#[derive(Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Time, Timer)>>,
    /// The first of them: it is asked for after every input.
    next: Option<(Time, Reason)>,
    /// The earliest `Timer::Sizing` that is set.
    sizing: Option<Time>,
}

/// Deadlines in the order in which they are due, however they lie in the heap.
impl fmt::Debug for Timers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set: Vec<&(Time, Timer)> = self.heap.iter().map(|Reverse(deadline)| deadline).collect();
        set.sort_unstable();
        f.debug_list().entries(set).finish()
    }
}

impl Timers {
    pub(super) fn set(&mut self, at: Time, timer: Timer) {
        self.heap.push(Reverse((at, timer)));
        self.look_at_first();
    }

    fn look_at_first(&mut self) {
        self.next = self.heap.peek().map(|Reverse((at, timer))| (*at, timer.reason()));
    }

    /// Asks the sizing policy again at `at`, once, however often this is called.
    pub(super) fn set_sizing(&mut self, at: Time) {
        if self.sizing.is_none_or(|earlier| at < earlier) {
            self.sizing = Some(at);
            self.set(at, Timer::Sizing);
        }
    }

    pub(super) fn next(&self) -> Option<(Time, Reason)> {
        self.next
    }

    pub(super) fn due(&mut self, now: Time) -> Option<Timer> {
        let Reverse((at, _)) = self.heap.peek()?;
        if *at > now {
            return None;
        }
        let Reverse((_, timer)) = self.heap.pop()?;
        self.look_at_first();
        if timer == Timer::Sizing {
            self.sizing = None;
        }
        Some(timer)
    }
}
