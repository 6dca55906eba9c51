//! The one reconstruction of the world from facts. Metrics and the oracle read it; nobody else writes it.
//!
//! Every fact costs O(1) (plus O(claims)), and memory follows what is unsettled: nothing is kept of a settled task.

mod records;

pub(crate) use records::{
    Attempt, Care, Claimant, Doing, Phase, Place, QueueRec, ResourceRec, Running, TaskRec, WorkerRec,
};

use records::Grant;

use crate::base::{
    Claim, Claims, ClassId, Epoch, IdMap, IdVec, Mode, Note, QueueId, ResourceId, Span, TaskId, Ticket, Time, WorkerId,
};
use crate::fact::{AttemptEnd, Fact};

/// How many there are of what.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Tally {
    pub(crate) in_system: u64,
    /// Unsettled and with no open attempt.
    pub(crate) waiting: u64,
    /// Waiting with nothing in conflict ahead.
    pub(crate) runnable: u64,
    pub(crate) parked: u64,
    pub(crate) active: u64,
    pub(crate) draining: u64,
    /// Non-empty reserving queues by [`Care`].
    pub(crate) nonempty: [u64; 3],
    /// Workers by [`Doing`].
    pub(crate) workers: [u64; Doing::COUNT],
}

impl Tally {
    pub(crate) fn queues(&self) -> u64 {
        self.active + self.draining
    }
    pub(crate) fn doing(&self, doing: Doing) -> u64 {
        self.workers[doing as usize]
    }
    pub(crate) fn workers_up(&self) -> u64 {
        self.doing(Doing::Busy)
            + self.doing(Doing::BusyQuiescing)
            + self.doing(Doing::Idle)
            + self.doing(Doing::IdleQuiescing)
            + self.doing(Doing::Paused)
    }
}

/// Why a task waited, µs by reason, in the order of [`REASONS`]. They add up to the wait.
pub(crate) type Reasons = [u64; REASONS.len()];

/// The metrics of the reasons.
pub(crate) const REASONS: [&str; 6] =
    ["wait.blocked", "wait.parked", "wait.behind", "wait.owner_busy", "wait.no_owner", "wait.dispatch"];

/// The position of "behind" in [`REASONS`].
pub(crate) const BEHIND: usize = 2;

/// What a fact changed that the ledger does not show afterwards.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing of that kind.
    Other,
    /// A task began to execute for the first time.
    FirstStart(Reasons),
    /// A task was settled; this was known of it.
    Settled(TaskRec),
    /// A queue was granted; whether to another worker than before.
    Owned {
        /// To another worker than its previous owner.
        moved: bool,
    },
    /// A worker is gone.
    Gone {
        /// When it had come up.
        arrived: Time,
    },
}

/// The world as facts tell it.
#[derive(Default, Debug)]
pub(crate) struct Ledger {
    pub(crate) now: Time,
    pub(crate) tasks: IdMap<TaskId, TaskRec>,
    pub(crate) resources: IdVec<ResourceId, ResourceRec>,
    pub(crate) workers: IdVec<WorkerId, WorkerRec>,
    pub(crate) queues: IdVec<QueueId, QueueRec>,
    pub(crate) tally: Tally,
    pub(crate) submitted: u64,
    pub(crate) settled: u64,
    /// Whether the engine says where tasks are.
    pub(crate) has_placements: bool,
    /// Queues of which something changed since time last moved.
    pub(crate) touched: Vec<QueueId>,
    /// Clocks of the general queue: no healthy worker, all healthy workers busy.
    general_clocks: (u64, u64),
    /// Reused by `release_claims`.
    cleared: Vec<TaskId>,
}

impl Ledger {
    /// Moves time on; what changed at the last instant has been looked at.
    pub(crate) fn advance(&mut self, now: Time) {
        let passed = now.since(self.now).micros();
        if self.tally.doing(Doing::Idle) == 0 {
            if self.tally.doing(Doing::Busy) == 0 {
                self.general_clocks.0 += passed;
            } else {
                self.general_clocks.1 += passed;
            }
        }
        for queue in self.touched.drain(..) {
            self.queues[queue].touched = false;
        }
        self.now = now;
    }

    /// Enters a fact that happens at `self.now`.
    #[inline(always)]
    pub(crate) fn apply(&mut self, fact: &Fact<'_>) -> Step {
        match *fact {
            Fact::Submitted { task, class, claims, service } => self.submit(task, class, claims, service),
            Fact::Settled { task, .. } => return self.settle(task).map_or(Step::Other, Step::Settled),
            Fact::Started { task, worker, queue, epoch, ticket } => {
                return self.start(task, worker, queue, epoch, ticket);
            }
            Fact::Ended { worker, ticket, end, .. } => self.end(worker, ticket, end),
            Fact::Reported { worker, ticket, .. } => self.report(worker, ticket),
            Fact::WorkerArrived { worker } => {
                let now = self.now;
                self.workers.grow_to(worker).arrived = now;
                self.change(worker, |rec| rec.phase = Phase::Starting);
            }
            Fact::WorkerReady { worker } => {
                let now = self.now;
                self.change(worker, |rec| {
                    rec.phase = Phase::Up;
                    rec.ready = now;
                });
            }
            Fact::WorkerPaused { worker } => self.change(worker, |rec| rec.paused = true),
            Fact::WorkerResumed { worker } => {
                let now = self.now;
                self.change(worker, |rec| {
                    rec.paused = false;
                    rec.resumed = now;
                });
            }
            Fact::QuiesceDelivered { worker, deadline } => self.change(worker, |rec| rec.deadline = Some(deadline)),
            Fact::WorkerGone { worker, .. } => return self.gone(worker),
            Fact::Held { worker, queue, epoch, until } => self.hold(worker, queue, Grant { worker, epoch, until }),
            Fact::Dropped { worker, queue, epoch } => self.drop_grant(worker, queue, Some(epoch)),
            Fact::MessageSent { worker } => {
                self.workers.grow_to(worker).in_flight += 1;
                self.touch_queues_of(worker);
            }
            Fact::MessageArrived { worker } => {
                let rec = self.workers.grow_to(worker);
                rec.in_flight = rec.in_flight.saturating_sub(1);
                self.touch_queues_of(worker);
            }
            Fact::Noted(note) => return self.note(note),
            Fact::CancelAsked { .. } | Fact::LimitsSet { .. } => {}
        }
        Step::Other
    }

    fn note(&mut self, note: Note) -> Step {
        match note {
            Note::Placed { task, queue } => {
                self.has_placements = true;
                self.put(task, Place::Queue(queue));
            }
            Note::Parked { task, .. } => {
                self.has_placements = true;
                self.put(task, Place::Parked);
            }
            Note::QueueCreated { queue } => {
                self.queues.grow_to(queue).exists = true;
                self.tally.active += 1;
            }
            Note::QueueOwned { queue, worker, epoch, .. } => return self.own(queue, worker, epoch),
            Note::QueueRevoking { queue, .. } => {
                self.queues.grow_to(queue).revoking = true;
                self.touch(queue);
            }
            Note::QueueOrphaned { queue, .. } => {
                self.queues.grow_to(queue).orphaned_at = Some(self.now);
                self.set_owner(queue, None, Care::Orphaned);
            }
            Note::QueueVacant { queue } => self.set_owner(queue, None, Care::Vacant),
            Note::QueueDraining { queue } => self.set_draining(queue, true),
            Note::QueueRevived { queue } => self.set_draining(queue, false),
            Note::QueueDeleted { queue } => self.delete(queue),
            Note::WorkerLost { worker } => {
                for attempt in &mut self.workers.grow_to(worker).attempts {
                    count_loss(&mut self.tasks, attempt);
                }
            }
            Note::Requeued { .. } => {}
        }
        Step::Other
    }

    /// The first task of a queue that is unsettled.
    pub(crate) fn head(&self, queue: QueueId) -> Option<TaskId> {
        self.queues.get(queue)?.fifo.front().copied()
    }

    // Tasks.

    fn submit(&mut self, task: TaskId, class: ClassId, claims: &[Claim], service: Span) {
        let mut uncleared = 0;
        for claim in claims {
            let resource = self.resources.grow_to(claim.resource);
            let clear = match claim.mode {
                Mode::Exclusive => resource.claimants.is_empty(),
                Mode::Shared => resource.exclusives == 0,
            };
            resource.claimants.push_back(Claimant { task, mode: claim.mode, clear });
            resource.exclusives += u32::from(claim.mode == Mode::Exclusive);
            uncleared += u32::from(!clear);
        }
        self.submitted += 1;
        self.tally.in_system += 1;
        self.tally.waiting += 1;
        self.tally.runnable += u64::from(uncleared == 0);
        let rec = TaskRec {
            class,
            claims: Claims::from_slice(claims),
            submitted: self.now,
            service,
            place: Place::Nowhere,
            runnable_at: if uncleared == 0 { self.now } else { Time::MAX },
            placed_at: Time::MAX,
            head_at: Time::MAX,
            general_clocks: (0, 0),
            uncleared,
            open: 0,
            starts: 0,
            lost: 0,
        };
        self.tasks.insert(task, rec);
    }

    fn settle(&mut self, task: TaskId) -> Option<TaskRec> {
        let rec = self.tasks.remove(task)?;
        self.settled += 1;
        self.tally.in_system -= 1;
        if rec.open == 0 {
            self.tally.waiting -= 1;
            self.tally.runnable -= u64::from(rec.uncleared == 0);
        }
        self.leave(task, rec.place, &rec.claims);
        self.release_claims(task, &rec.claims);
        Some(rec)
    }

    fn release_claims(&mut self, task: TaskId, claims: &[Claim]) {
        let mut cleared = std::mem::take(&mut self.cleared);
        for claim in claims {
            let resource = &mut self.resources[claim.resource];
            let claimants = &mut resource.claimants;
            let position = claimants.iter().position(|other| other.task == task).expect("a claim is listed until then");
            if position == 0 {
                claimants.pop_front();
            } else {
                claimants.remove(position);
            }
            resource.exclusives -= u32::from(claim.mode == Mode::Exclusive);
            let Some(first) = claimants.front_mut() else { continue };
            if first.mode == Mode::Exclusive {
                if !first.clear {
                    first.clear = true;
                    cleared.push(first.task);
                }
            } else if claim.mode == Mode::Exclusive {
                for shared in claimants.iter_mut().take_while(|other| other.mode == Mode::Shared) {
                    if !shared.clear {
                        shared.clear = true;
                        cleared.push(shared.task);
                    }
                }
            }
        }
        for task in cleared.drain(..) {
            self.clear_one(task);
        }
        self.cleared = cleared;
    }

    fn clear_one(&mut self, task: TaskId) {
        let rec = &mut self.tasks[task];
        rec.uncleared -= 1;
        if rec.uncleared > 0 {
            return;
        }
        rec.runnable_at = self.now;
        self.tally.runnable += u64::from(rec.open == 0);
        match rec.place {
            // Engines without queues put tasks with claims there too: what they wait for from here on is a worker.
            Place::Queue(QueueId::GENERAL) => rec.general_clocks = self.general_clocks,
            Place::Queue(queue) if self.queues[queue].fifo.front() == Some(&task) => self.begin_head(queue),
            Place::Queue(_) | Place::Parked | Place::Nowhere => {}
        }
    }

    fn put(&mut self, task: TaskId, place: Place) {
        let Some(rec) = self.tasks.get_mut(task) else { return };
        let before = std::mem::replace(&mut rec.place, place);
        if before == place {
            return;
        }
        rec.placed_at = Time::MAX;
        rec.head_at = Time::MAX;
        if before != Place::Nowhere {
            let claims = Claims::from_slice(&rec.claims);
            self.leave(task, before, &claims);
        }
        let rec = &mut self.tasks[task];
        let Place::Queue(queue) = place else {
            self.tally.parked += 1;
            return;
        };
        rec.placed_at = self.now;
        let queue_rec = self.queues.grow_to(queue);
        queue_rec.unsettled += 1;
        if queue.is_general() {
            rec.head_at = self.now;
            rec.general_clocks = self.general_clocks;
            return;
        }
        if queue_rec.unsettled == 1 && queue_rec.exists {
            self.tally.nonempty[queue_rec.care as usize] += 1;
        }
        for claim in &rec.claims {
            let resource = &mut self.resources[claim.resource];
            if resource.placed == 0 {
                resource.tie = Some(queue);
            } else if resource.tie != Some(queue) {
                resource.tie = None;
            }
            resource.placed += 1;
        }
        queue_rec.fifo.push_back(task);
        if queue_rec.fifo.len() == 1 {
            self.find_head(queue);
        }
    }

    /// Takes a task out of where it was; its record says otherwise already, or is gone.
    fn leave(&mut self, task: TaskId, place: Place, claims: &[Claim]) {
        let queue = match place {
            Place::Nowhere => return,
            Place::Parked => {
                self.tally.parked -= 1;
                return;
            }
            Place::Queue(queue) => queue,
        };
        let rec = &mut self.queues[queue];
        rec.unsettled -= 1;
        if queue.is_general() {
            return;
        }
        if rec.unsettled == 0 && rec.exists {
            self.tally.nonempty[rec.care as usize] -= 1;
        }
        for claim in claims {
            self.resources[claim.resource].placed -= 1;
        }
        if rec.fifo.front() == Some(&task) {
            rec.fifo.pop_front();
            self.find_head(queue);
        }
    }

    /// Drops what left the queue from elsewhere than its head, and greets the new head.
    fn find_head(&mut self, queue: QueueId) {
        while let Some(task) = self.queues[queue].fifo.front().copied() {
            if let Some(rec) = self.tasks.get_mut(task)
                && rec.place == Place::Queue(queue)
            {
                rec.head_at = rec.head_at.min(self.now);
                if rec.uncleared == 0 {
                    self.begin_head(queue);
                }
                return;
            }
            self.queues[queue].fifo.pop_front();
        }
    }

    /// The head is runnable from here on: what it waits for is its owner.
    fn begin_head(&mut self, queue: QueueId) {
        let rec = &mut self.queues[queue];
        rec.head_busy = 0;
        rec.head_no_owner = 0;
        rec.clocks_at = self.now;
        rec.owner_clocks = rec.owner.map_or((0, 0), |owner| self.workers[owner].clocks(self.now));
        self.touch(queue);
    }

    /// Brings the head's account up to date: to be called before the owner changes.
    fn wind_head(&mut self, queue: QueueId) {
        let now = self.now;
        let rec = &mut self.queues[queue];
        match rec.owner {
            None => rec.head_no_owner += now.since(rec.clocks_at).micros(),
            Some(owner) => {
                let (busy, down) = self.workers[owner].clocks(now);
                rec.head_busy += busy - rec.owner_clocks.0;
                rec.head_no_owner += down - rec.owner_clocks.1;
                rec.owner_clocks = (busy, down);
            }
        }
        rec.clocks_at = now;
    }

    // Attempts.

    fn start(&mut self, task: TaskId, worker: WorkerId, queue: QueueId, epoch: Epoch, ticket: Ticket) -> Step {
        let mut step = Step::Other;
        let first = self.tasks.get(task).is_some_and(|rec| rec.starts == 0);
        if first {
            step = Step::FirstStart(self.reasons(task));
        }
        let mut claims = Claims::new();
        if let Some(rec) = self.tasks.get_mut(task) {
            claims = Claims::from_slice(&rec.claims);
            rec.starts += 1;
            rec.open += 1;
            if rec.open == 1 {
                self.tally.waiting -= 1;
                self.tally.runnable -= u64::from(rec.uncleared == 0);
            }
        }
        for claim in &claims {
            self.resources[claim.resource].running.push(Running { ticket, task, worker, mode: claim.mode });
        }
        self.workers.grow_to(worker);
        self.change(worker, |rec| {
            rec.executing += 1;
            rec.attempts.push(Attempt { task, ticket, queue, epoch, claims, ended: false, counted: false });
        });
        step
    }

    /// Splits the wait of a task that starts at this instant. Each instant of it has exactly one reason.
    fn reasons(&mut self, task: TaskId) -> Reasons {
        let now = self.now;
        let rec = &self.tasks[task];
        let runnable = rec.runnable_at.min(now);
        let placed = rec.placed_at.min(now).max(runnable);
        let head = rec.head_at.min(now).max(placed);
        let rest = now.since(head).micros();
        let [blocked, parked, behind] =
            [runnable.since(rec.submitted), placed.since(runnable), head.since(placed)].map(Span::micros);
        let (no_owner, busy) = match rec.place {
            Place::Queue(QueueId::GENERAL) => {
                (self.general_clocks.0 - rec.general_clocks.0, self.general_clocks.1 - rec.general_clocks.1)
            }
            Place::Queue(queue) if rest > 0 => {
                self.wind_head(queue);
                (self.queues[queue].head_no_owner, self.queues[queue].head_busy)
            }
            Place::Queue(_) | Place::Parked | Place::Nowhere => (0, 0),
        };
        // Clamped for engines that start a task before it is runnable; otherwise the clocks fit.
        let busy = busy.min(rest);
        let no_owner = no_owner.min(rest - busy);
        let dispatch = rest - busy - no_owner;
        [blocked, parked, behind, busy, no_owner, dispatch]
    }

    fn end(&mut self, worker: WorkerId, ticket: Ticket, end: AttemptEnd) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        let Some(index) = rec.attempts.iter().position(|attempt| attempt.ticket == ticket && !attempt.ended) else {
            return;
        };
        let reports = matches!(end, AttemptEnd::Completed | AttemptEnd::Failed);
        let attempt = &mut rec.attempts[index];
        attempt.ended = true;
        for claim in &attempt.claims {
            stop_running(&mut self.resources[claim.resource], worker, ticket);
        }
        if !reports {
            let mut attempt = rec.attempts.remove(index);
            count_loss(&mut self.tasks, &mut attempt);
            self.close(attempt.task);
        }
        self.change(worker, |rec| rec.executing -= 1);
    }

    fn report(&mut self, worker: WorkerId, ticket: Ticket) {
        let Some(rec) = self.workers.get_mut(worker) else { return };
        if let Some(index) = rec.attempts.iter().position(|attempt| attempt.ticket == ticket && attempt.ended) {
            let attempt = rec.attempts.swap_remove(index);
            self.close(attempt.task);
        }
    }

    /// One open attempt less.
    fn close(&mut self, task: TaskId) {
        let Some(rec) = self.tasks.get_mut(task) else { return };
        rec.open -= 1;
        if rec.open == 0 {
            self.tally.waiting += 1;
            self.tally.runnable += u64::from(rec.uncleared == 0);
            if let Place::Queue(queue) = rec.place {
                self.touch(queue);
            }
        }
    }

    // Workers.

    /// Changes a worker and keeps count of what workers do.
    fn change(&mut self, worker: WorkerId, how: impl FnOnce(&mut WorkerRec)) {
        let now = self.now;
        let rec = self.workers.grow_to(worker);
        rec.wind(now);
        let before = rec.doing();
        how(rec);
        let after = rec.doing();
        if before != after {
            rec.healthy_since = rec.is_healthy().then(|| rec.healthy_since.unwrap_or(now));
            self.tally.workers[before as usize] = self.tally.workers[before as usize].saturating_sub(1);
            self.tally.workers[after as usize] += 1;
        }
        self.touch_queues_of(worker);
    }

    fn gone(&mut self, worker: WorkerId) -> Step {
        let rec = self.workers.grow_to(worker);
        let arrived = rec.arrived;
        let known = matches!(rec.phase, Phase::Starting | Phase::Up);
        let attempts = std::mem::take(&mut rec.attempts);
        for mut attempt in attempts {
            if !attempt.ended {
                for claim in &attempt.claims {
                    stop_running(&mut self.resources[claim.resource], worker, attempt.ticket);
                }
            }
            count_loss(&mut self.tasks, &mut attempt);
            self.close(attempt.task);
        }
        let held = std::mem::take(&mut self.workers[worker].held);
        for queue in held {
            self.drop_grant(worker, queue, None);
        }
        self.change(worker, |rec| {
            rec.executing = 0;
            rec.phase = Phase::Gone;
        });
        if known { Step::Gone { arrived } } else { Step::Other }
    }

    fn hold(&mut self, worker: WorkerId, queue: QueueId, grant: Grant) {
        let rec = self.queues.grow_to(queue);
        rec.epoch_held = rec.epoch_held.max(grant.epoch);
        match rec.grants.iter_mut().find(|other| other.worker == worker) {
            Some(other) => *other = grant,
            None => {
                rec.grants.push(grant);
                self.workers.grow_to(worker).held.push(queue);
            }
        }
        self.touch(queue);
    }

    fn drop_grant(&mut self, worker: WorkerId, queue: QueueId, epoch: Option<Epoch>) {
        let rec = self.queues.grow_to(queue);
        let before = rec.grants.len();
        rec.grants.retain(|grant| grant.worker != worker || epoch.is_some_and(|epoch| epoch != grant.epoch));
        if rec.grants.len() < before {
            self.workers.grow_to(worker).held.retain(|other| *other != queue);
        }
        self.touch(queue);
    }

    // Queues.

    fn own(&mut self, queue: QueueId, worker: WorkerId, epoch: Epoch) -> Step {
        self.set_owner(queue, Some(worker), Care::Owned);
        let now = self.now;
        let rec = &mut self.queues[queue];
        let moved = rec.last_owner.is_some_and(|last| last != worker);
        rec.last_owner = Some(worker);
        rec.epoch = epoch;
        rec.owned_at = now;
        rec.orphaned_at = None;
        rec.relieved = false;
        Step::Owned { moved }
    }

    fn set_owner(&mut self, queue: QueueId, owner: Option<WorkerId>, care: Care) {
        self.queues.grow_to(queue);
        if let Some(owner) = owner {
            self.workers.grow_to(owner);
        }
        self.wind_head(queue);
        let now = self.now;
        let rec = &mut self.queues[queue];
        if rec.unsettled > 0 && rec.exists && !queue.is_general() {
            self.tally.nonempty[rec.care as usize] -= 1;
            self.tally.nonempty[care as usize] += 1;
        }
        rec.care = care;
        rec.revoking = false;
        if let Some(before) = rec.owner {
            let worker = &mut self.workers[before];
            rec.relieved = worker.queues.len() > 1 && worker.phase == Phase::Up && care != Care::Orphaned;
            worker.queues.retain(|other| *other != queue);
        }
        rec.owner = owner;
        if let Some(owner) = owner {
            let worker = &mut self.workers[owner];
            worker.queues.push(queue);
            rec.owner_clocks = worker.clocks(now);
        }
        self.touch(queue);
    }

    fn set_draining(&mut self, queue: QueueId, draining: bool) {
        let rec = self.queues.grow_to(queue);
        if rec.exists && rec.draining != draining {
            rec.draining = draining;
            let (more, fewer) = if draining {
                (&mut self.tally.draining, &mut self.tally.active)
            } else {
                (&mut self.tally.active, &mut self.tally.draining)
            };
            *more += 1;
            *fewer -= 1;
        }
    }

    fn delete(&mut self, queue: QueueId) {
        self.set_owner(queue, None, Care::Vacant);
        let rec = &mut self.queues[queue];
        if !rec.exists {
            return;
        }
        rec.exists = false;
        if rec.draining {
            self.tally.draining -= 1;
        } else {
            self.tally.active -= 1;
        }
        if rec.unsettled > 0 {
            self.tally.nonempty[Care::Vacant as usize] -= 1;
        } else {
            rec.fifo = std::collections::VecDeque::new();
        }
    }

    #[inline]
    fn touch(&mut self, queue: QueueId) {
        let rec = &mut self.queues[queue];
        if !rec.touched {
            rec.touched = true;
            self.touched.push(queue);
        }
    }

    #[inline]
    fn touch_queues_of(&mut self, worker: WorkerId) {
        for queue in &self.workers[worker].queues {
            let rec = &mut self.queues[*queue];
            if !rec.touched {
                rec.touched = true;
                self.touched.push(*queue);
            }
        }
    }
}

/// Counts at most one fault per attempt.
fn count_loss(tasks: &mut IdMap<TaskId, TaskRec>, attempt: &mut Attempt) {
    if !std::mem::replace(&mut attempt.counted, true)
        && let Some(rec) = tasks.get_mut(attempt.task)
    {
        rec.lost += 1;
    }
}

fn stop_running(resource: &mut ResourceRec, worker: WorkerId, ticket: Ticket) {
    if let Some(index) = resource.running.iter().position(|one| one.ticket == ticket && one.worker == worker) {
        resource.running.swap_remove(index);
    }
}
