//! What the ledger remembers of each unsettled task, and of each worker, queue and resource.

use smallvec::SmallVec;

use super::lists::{Few, Line};
use crate::base::{Claim, Claims, ClassId, Epoch, Mode, QueueId, Span, TaskId, Ticket, Time, WorkerId};

/// Where an unsettled task is, by the engine's word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// Nothing was said of it yet.
    Nowhere,
    /// Parked, as what conflicts with it lies in several queues or is parked itself.
    Parked,
    /// Parked, as the pool is at its maximum.
    AtMax,
    /// In a queue.
    Queue(QueueId),
}

impl Place {
    /// Whether it is in a queue that ties what it claims.
    #[inline(always)]
    pub(crate) fn is_reserving(self) -> bool {
        matches!(self, Place::Queue(queue) if !queue.is_general())
    }
}

/// An unsettled task. The instants are [`Time::MAX`] as long as they have not come.
#[derive(Clone, Debug)]
pub(crate) struct TaskRec {
    pub(crate) class: ClassId,
    pub(crate) claims: Claims,
    pub(crate) submitted: Time,
    pub(crate) service: Span,
    pub(crate) place: Place,
    /// Nothing in conflict was ahead of it from here on.
    pub(crate) runnable_at: Time,
    /// In its queue since.
    pub(crate) placed_at: Time,
    /// First in its queue since.
    pub(crate) head_at: Time,
    /// The general queue's clocks (nobody there, everybody busy) when it was placed there.
    pub(crate) general_clocks: (u64, u64),
    /// Claims that wait for an earlier conflicting task.
    pub(crate) uncleared: u32,
    /// Attempts that execute, or whose end is not yet reported.
    pub(crate) open: u32,
    pub(crate) starts: u32,
    /// Its last attempt was closed then.
    pub(crate) closed_at: Time,
    /// Attempts that a fault hit, or whose report it hit.
    pub(crate) lost: u32,
    /// The store has its effect.
    pub(crate) done: bool,
    /// It executes for ever.
    pub(crate) endless: bool,
    /// The highest ticket of its attempts: the last order, though an older one may have begun later.
    pub(crate) last_ticket: Ticket,
}

impl Default for TaskRec {
    fn default() -> Self {
        TaskRec {
            class: ClassId(0),
            claims: Claims::new(),
            submitted: Time::ZERO,
            service: Span::ZERO,
            place: Place::Nowhere,
            runnable_at: Time::MAX,
            placed_at: Time::MAX,
            head_at: Time::MAX,
            general_clocks: (0, 0),
            uncleared: 0,
            open: 0,
            closed_at: Time::ZERO,
            starts: 0,
            lost: 0,
            done: false,
            endless: false,
            last_ticket: Ticket(0),
        }
    }
}

impl TaskRec {
    /// It could execute, and is neither in a queue nor waits for one to be empty.
    pub(crate) fn is_stray(&self) -> bool {
        self.uncleared == 0 && matches!(self.place, Place::Nowhere | Place::Parked)
    }
}

/// An unsettled task's claim of a resource, in order of submission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claimant {
    pub(crate) task: TaskId,
    pub(crate) mode: Mode,
    /// No earlier claim conflicts with it.
    pub(crate) clear: bool,
}

/// An executing attempt's hold on a resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub(crate) ticket: Ticket,
    pub(crate) task: TaskId,
    pub(crate) worker: WorkerId,
    pub(crate) mode: Mode,
}

#[derive(Clone, Debug)]
pub(crate) struct ResourceRec {
    pub(crate) claimants: Line<Claimant>,
    /// Exclusive ones among the claimants.
    pub(crate) exclusives: u32,
    /// Claimants that lie in a queue.
    pub(crate) placed: u32,
    /// The queue in which they lie; `None`: in several.
    pub(crate) tie: Option<QueueId>,
    pub(crate) running: Few<Running>,
    pub(crate) done: DoneOn,
}

/// The latest tasks, by submission, whose effects the store has accepted: one more than the number of each, 0 for none.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct DoneOn {
    pub(crate) exclusive: u64,
    pub(crate) shared: u64,
}

impl ResourceRec {
    /// Some of its claimants that lie in queues may lie in another one than this.
    pub(crate) fn is_tied_elsewhere(&self, queue: QueueId) -> bool {
        self.placed > 0 && self.tie != Some(queue)
    }
}

impl DoneOn {
    /// The latest task in conflict with a claim of this mode.
    #[inline(always)]
    pub(crate) fn in_conflict(&self, mode: Mode) -> u64 {
        match mode {
            Mode::Exclusive => self.exclusive.max(self.shared),
            Mode::Shared => self.exclusive,
        }
    }
}

impl Default for ResourceRec {
    fn default() -> Self {
        ResourceRec {
            claimants: Line::default(),
            exclusives: 0,
            placed: 0,
            tie: Some(QueueId::GENERAL),
            running: Few::default(),
            done: DoneOn::default(),
        }
    }
}

/// An attempt that executes, or whose end is not yet reported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt {
    pub(crate) task: TaskId,
    pub(crate) ticket: Ticket,
    pub(crate) queue: QueueId,
    pub(crate) epoch: Epoch,
    /// It executes no more; its report is on its way.
    pub(crate) ended: bool,
    /// A fault that hit it is counted in its task already.
    pub(crate) counted: bool,
}

impl Attempt {
    pub(crate) fn new(task: TaskId, ticket: Ticket, queue: QueueId, epoch: Epoch) -> Attempt {
        Attempt { task, ticket, queue, epoch, ended: false, counted: false }
    }
}

/// What an attempt claims that executes while its task is settled already.
#[derive(Clone, Debug)]
pub(crate) struct Outlived {
    pub(crate) worker: WorkerId,
    pub(crate) ticket: Ticket,
    pub(crate) claims: Box<[Claim]>,
}

/// Whether there is an engine that can act.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Brain {
    #[default]
    Up,
    /// It waits for its store.
    Held,
    Down,
}

/// What a worker's time is spent on.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Doing {
    Starting,
    Busy,
    BusyQuiescing,
    Idle,
    IdleQuiescing,
    Paused,
    #[default]
    Gone,
}

impl Doing {
    pub(crate) const COUNT: usize = 7;
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Phase {
    #[default]
    Unknown,
    Starting,
    Up,
    Gone,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct WorkerRec {
    pub(crate) phase: Phase,
    pub(crate) paused: bool,
    /// The operator asked the engine to let it go.
    pub(crate) asked_to_leave: Option<Time>,
    /// Told to quiesce: when it must be gone.
    pub(crate) deadline: Option<Time>,
    pub(crate) arrived: Time,
    pub(crate) ready: Time,
    /// Up, not paused, not quiescing since.
    pub(crate) healthy_since: Option<Time>,
    pub(crate) resumed: Time,
    /// It does what it does since.
    pub(crate) doing_since: Time,
    pub(crate) attempts: Few<Attempt>,
    /// Its last start was of the general queue.
    pub(crate) last_general: bool,
    pub(crate) executing: u32,
    /// Reserving queues that it owns, by the engine's word.
    pub(crate) queues: Vec<QueueId>,
    /// Queues of which it holds a grant.
    pub(crate) held: SmallVec<[QueueId; 2]>,
    /// Its last queue was taken then.
    pub(crate) without_queue_at: Time,
    pub(crate) in_flight: u32,
    /// When a message between it and the engine was last lost, or overtaken and maybe of no use.
    pub(crate) lost_at: Option<Time>,
    /// When a message between it and the engine was last lost.
    pub(crate) cut_off_at: Option<Time>,
    /// Clocks that run while it executes, and while it cannot.
    busy_clock: u64,
    down_clock: u64,
    clocks_at: Time,
    doing: Doing,
}

impl WorkerRec {
    /// Whether it owns this reserving queue and no other.
    #[inline(always)]
    pub(crate) fn owns_only(&self, queue: QueueId) -> bool {
        self.queues[..] == [queue]
    }

    /// What it does.
    #[inline]
    pub(crate) fn doing(&self) -> Doing {
        self.doing
    }

    /// Changes it at `now`, and returns what it did before.
    #[inline]
    pub(super) fn change(&mut self, now: Time, how: impl FnOnce(&mut WorkerRec)) -> Doing {
        (self.busy_clock, self.down_clock) = self.clocks(now);
        self.clocks_at = now;
        how(self);
        let after = self.judged();
        std::mem::replace(&mut self.doing, after)
    }

    /// One attempt more executes on it, and nothing else of it changes. Returns what it did before and does now.
    #[inline(always)]
    pub(super) fn begin(&mut self, now: Time) -> (Doing, Doing) {
        self.executing += 1;
        let before = self.doing;
        let after = match before {
            Doing::Idle => Doing::Busy,
            Doing::IdleQuiescing => Doing::BusyQuiescing,
            other => return (other, other),
        };
        // No clock ran while it was idle.
        (self.clocks_at, self.doing_since, self.doing) = (now, now, after);
        (before, after)
    }

    /// One attempt less executes on it, and nothing else of it changes. Returns what it did before and does now.
    #[inline(always)]
    pub(super) fn cease(&mut self, now: Time) -> (Doing, Doing) {
        self.executing -= 1;
        let before = self.doing;
        let after = match before {
            Doing::Busy if self.executing == 0 => Doing::Idle,
            Doing::BusyQuiescing if self.executing == 0 => Doing::IdleQuiescing,
            other => return (other, other),
        };
        self.busy_clock += now.since(self.clocks_at).micros();
        (self.clocks_at, self.doing_since, self.doing) = (now, now, after);
        (before, after)
    }

    fn judged(&self) -> Doing {
        match (self.phase, self.paused, self.executing > 0, self.deadline.is_some()) {
            (Phase::Unknown | Phase::Gone, ..) => Doing::Gone,
            (_, true, ..) => Doing::Paused,
            (Phase::Starting, ..) => Doing::Starting,
            (Phase::Up, _, true, false) => Doing::Busy,
            (Phase::Up, _, true, true) => Doing::BusyQuiescing,
            (Phase::Up, _, false, false) => Doing::Idle,
            (Phase::Up, _, false, true) => Doing::IdleQuiescing,
        }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.phase == Phase::Up && !self.paused && self.deadline.is_none()
    }

    /// The clocks that run while it executes, and while it cannot, at `now`.
    #[inline(always)]
    pub(crate) fn clocks(&self, now: Time) -> (u64, u64) {
        let passed = now.since(self.clocks_at).micros();
        match self.doing {
            Doing::Busy | Doing::BusyQuiescing => (self.busy_clock + passed, self.down_clock),
            Doing::Starting | Doing::Paused | Doing::Gone => (self.busy_clock, self.down_clock + passed),
            Doing::Idle | Doing::IdleQuiescing => (self.busy_clock, self.down_clock),
        }
    }
}

/// A grant that a worker holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grant {
    pub(crate) worker: WorkerId,
    pub(crate) epoch: Epoch,
    pub(crate) until: Option<Time>,
}

impl Grant {
    pub(crate) fn is_valid(&self, now: Time) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// Who looks after a queue, by the engine's word.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Care {
    Owned,
    Orphaned,
    #[default]
    Vacant,
}

#[derive(Clone, Default, Debug)]
pub(crate) struct QueueRec {
    pub(crate) exists: bool,
    pub(crate) draining: bool,
    pub(crate) revoking: bool,
    /// Its owner left it while on double duty and alive.
    pub(crate) relieved: bool,
    /// Nothing of it has changed from this instant on, by number.
    pub(crate) untouched_from: u64,
    pub(crate) care: Care,
    pub(crate) owner: Option<WorkerId>,
    pub(crate) last_owner: Option<WorkerId>,
    pub(crate) epoch: Epoch,
    pub(crate) owned_at: Time,
    pub(crate) orphaned_at: Option<Time>,
    /// The highest epoch that a worker took up.
    pub(crate) epoch_held: Epoch,
    /// Who gave up the highest epoch that was taken up.
    pub(crate) given_up: SmallVec<[WorkerId; 1]>,
    /// The highest epoch under which the store accepted an effect.
    pub(crate) epoch_done: Epoch,
    /// Placed and unsettled, in order of placement; the first one is always placed here and unsettled.
    pub(crate) fifo: Line<TaskId>,
    pub(crate) unsettled: u32,
    pub(crate) grants: SmallVec<[Grant; 1]>,
    /// How long its runnable, unstarted head has waited for a worker, and for a busy one, up to `clocks_at`.
    pub(crate) head_no_owner: u64,
    pub(crate) head_busy: u64,
    pub(crate) clocks_at: Time,
    /// The owner's clocks at `clocks_at`.
    pub(crate) owner_clocks: (u64, u64),
}
