//! The worker's half of the protocol: holds grants, fences itself, reports until answered, quiesces.
//!
//! A pure state machine like the engine: its driver hands it the worker's own clock, carries out its effects in order,
//! and gives [`AgentInput::Timer`] when [`Agent::next_timer`] has come, and first of all when the worker wakes up after
//! having stood still.
//!
//! An agent never executes for a queue whose grant it does not hold or whose lease has ended by its own clock. Orders
//! with a ticket not above the highest it has seen are old news and change nothing. Orders to start are numbered apart
//! from those about grants: one that was lost is sent again, and newer grants may have come meanwhile.

mod given_up;
mod io;

use smallvec::SmallVec;

use given_up::GivenUps;
pub use io::{AgentEffect, AgentInput, AgentOptions};

use super::message::{
    ClusterMessage, Ended, Heartbeat, Holding, Holdings, Report, Stamp, Start, Welcome, WorkerMessage, WorkerName,
};
use crate::base::{QueueId, Span, Term, Ticket};

#[derive(Clone, Copy, Debug)]
struct Grant {
    holding: Holding,
    until: Option<Stamp>,
    revoked: bool,
}

#[derive(Clone, Copy, Debug)]
struct Running {
    start: Start,
    stopping: bool,
}

/// The worker's half.
#[derive(Clone, Debug)]
pub struct Agent {
    options: AgentOptions,
    name: WorkerName,
    /// The engine has answered since the last join.
    known: bool,
    /// The stamp of the last heartbeat or join that was answered.
    answered: Stamp,
    /// The stamp of the last heartbeat, or later where another one of the same instant was before it: only an answer
    /// that is not older can be to the last one.
    last_beat: Stamp,
    quiescing: bool,
    running: Option<Running>,
    grants: SmallVec<[Grant; 2]>,
    given_up: GivenUps,
    now: Stamp,
    reports: SmallVec<[Report; 1]>,
    /// The highest term of an engine that was heard.
    term: Term,
    /// The highest ticket of an order about grants.
    seen: Ticket,
    /// The highest ticket of an order to start.
    started: Ticket,
    next_beat: Stamp,
    /// The next beat or the end of the first lease, whichever comes first.
    next_timer: Stamp,
}

type Out<'a> = &'a mut Vec<AgentEffect>;

impl Agent {
    /// An agent that has not begun.
    pub fn new(options: AgentOptions, name: WorkerName) -> Agent {
        Agent {
            options,
            name,
            known: false,
            answered: Stamp(0),
            last_beat: Stamp(0),
            quiescing: false,
            running: None,
            grants: SmallVec::new(),
            given_up: GivenUps::default(),
            now: Stamp(0),
            reports: SmallVec::new(),
            term: Term(0),
            seen: Ticket(0),
            started: Ticket(0),
            next_beat: Stamp(0),
            next_timer: Stamp(0),
        }
    }

    /// Consumes one input at `now` on the worker's own clock; appends what must be done, in order, to `out`.
    #[inline(always)]
    pub fn handle(&mut self, now: Stamp, input: AgentInput<'_>, out: Out<'_>) {
        self.now = now;
        match input {
            AgentInput::Begin => self.join(now, out),
            AgentInput::Message(message) => self.message(now, message, out),
            AgentInput::Timer => self.timer(now, out),
            AgentInput::Ended { ticket, ended } => self.ended(ticket, ended, out),
            AgentInput::Quiesce => self.quiesce(now, out),
        }
    }

    /// Whether a message of an engine of this term is to be given to it: those of an engine before the latest that was
    /// heard are not, for that one is fenced off.
    pub fn heeds(&mut self, term: Term) -> bool {
        let heeds = term >= self.term;
        self.term = self.term.max(term);
        heeds
    }

    /// When it next wants [`AgentInput::Timer`].
    #[inline]
    pub fn next_timer(&self) -> Stamp {
        self.next_timer
    }

    /// A beat was sent, or a grant was taken up, renewed or dropped.
    fn set_timer(&mut self) {
        self.next_timer = self.grants.iter().filter_map(|grant| grant.until).fold(self.next_beat, Stamp::min);
    }

    fn join(&mut self, now: Stamp, out: Out<'_>) {
        self.next_beat = after(now, self.options.heartbeat);
        self.set_timer();
        out.push(AgentEffect::Send(WorkerMessage::Join { stamp: now, name: self.name }));
    }

    #[inline(never)]
    fn timer(&mut self, now: Stamp, out: Out<'_>) {
        self.end_leases(now, out);
        if now < self.next_beat {
            return;
        }
        if self.known {
            // Beats keep their rhythm; after a long standstill it begins anew.
            self.next_beat = after(self.next_beat, self.options.heartbeat);
            if self.next_beat <= now {
                self.next_beat = after(now, self.options.heartbeat);
            }
            self.set_timer();
            self.beat(now, out);
        } else {
            self.join(now, out);
        }
    }

    fn end_leases(&mut self, now: Stamp, out: Out<'_>) {
        let over = |grant: &Grant| grant.until.is_some_and(|until| until <= now);
        while let Some(position) = self.grants.iter().position(over) {
            let holding = self.grants[position].holding;
            self.drop_grant(position, false, out);
            self.fence_attempts_of(holding.queue, out);
        }
    }

    fn fence_attempts_of(&mut self, queue: QueueId, out: Out<'_>) {
        if let Some(running) = &mut self.running
            && running.start.queue == queue
            && !running.stopping
            && self.options.fences_itself
        {
            running.stopping = true;
            out.push(AgentEffect::Stop { ticket: running.start.ticket, fenced: true });
        }
    }

    fn beat(&mut self, now: Stamp, out: Out<'_>) {
        self.last_beat = if self.last_beat < now { now } else { Stamp(self.last_beat.0 + 1) };
        out.push(AgentEffect::Send(WorkerMessage::Heartbeat(Box::new(Heartbeat {
            stamp: now,
            seen: self.seen,
            started: self.started,
            quiescing: self.quiescing,
            running: self.running.map(|running| running.start.ticket),
            holds: self.grants.iter().map(|grant| grant.holding).collect(),
            reports: self.reports.clone(),
        }))));
    }

    #[inline(always)]
    fn message(&mut self, now: Stamp, message: &ClusterMessage, out: Out<'_>) {
        match message {
            ClusterMessage::Grant { holding, counted_from, lease, ticket } => {
                if self.known && self.is_news(*ticket) {
                    self.take_up(now, *holding, lease.map(|lease| after(*counted_from, lease)), out);
                }
            }
            ClusterMessage::Revoke { holding, ticket } => {
                self.is_news(*ticket);
                self.revoke(*holding, out);
                self.leave_when_done(out);
            }
            ClusterMessage::Start(start) => self.ordered(now, *start, out),
            ClusterMessage::Abort { ticket } => {
                if let Some(running) = &mut self.running
                    && running.start.ticket == *ticket
                    && !running.stopping
                {
                    running.stopping = true;
                    out.push(AgentEffect::Stop { ticket: *ticket, fenced: false });
                }
            }
            ClusterMessage::Quiesce => self.quiesce(now, out),
            ClusterMessage::Answered { ticket } => self.answered(*ticket, out),
            ClusterMessage::AnsweredAndStart { answered, start } => {
                // In this order: one that quiesces declines the start before it leaves.
                self.ordered(now, *start, out);
                self.answered(*answered, out);
            }
            ClusterMessage::Welcome(welcome) => {
                let Welcome { stamp, lease, grants, ticket } = &**welcome;
                if self.is_news(*ticket) {
                    if !self.known {
                        // What was ordered before is somebody else's by now.
                        self.started = self.started.max(*ticket);
                    }
                    self.answered = self.answered.max(*stamp);
                    let (running, reports) = (self.running, &self.reports);
                    self.given_up.forget(*stamp, grants, |holding| engaged_for(holding, running, reports));
                    self.welcome(now, *stamp, lease.map(|lease| after(*stamp, lease)), grants, out);
                }
            }
            ClusterMessage::Rejoin { ticket } => {
                if self.is_news(*ticket) {
                    self.rejoin(now, out);
                }
            }
        }
    }

    /// Whether this order about grants is later than every one seen; if so it is seen from now on.
    fn is_news(&mut self, ticket: Ticket) -> bool {
        let news = ticket > self.seen;
        self.seen = self.seen.max(ticket);
        news
    }

    fn take_up(&mut self, now: Stamp, holding: Holding, until: Option<Stamp>, out: Out<'_>) {
        if self.quiescing {
            // While it stops a task of it, the heartbeats say so, and a release would void the attempt.
            if !self.engaged_for(holding) {
                self.beat(now, out); // Whoever grants does not know yet, and would grant it to us again.
                out.push(AgentEffect::Send(WorkerMessage::Released(holding)));
            }
            return;
        }
        if self.given_up.contains(holding) {
            // Old news: the engine learns of it from a heartbeat, or from the word that may be lost, and grants under the
            // next epoch.
            if self.given_up.was_released_before(holding, self.answered) {
                out.push(AgentEffect::Send(WorkerMessage::Released(holding)));
            }
            return;
        }
        if until.is_some_and(|until| until <= now) {
            return; // Over before it arrived; the answer to the next heartbeat offers it again.
        }
        match self.grants.iter_mut().find(|grant| grant.holding == holding) {
            Some(grant) => grant.until = grant.until.max(until),
            None => {
                self.grants.push(Grant { holding, until, revoked: false });
                // A start that came before its grant was declined, and the engine may not know that we are idle.
                if self.running.is_none() {
                    out.push(AgentEffect::Send(WorkerMessage::Fetch));
                }
            }
        }
        self.set_timer();
        out.push(AgentEffect::Held { holding, until });
    }

    #[inline(never)]
    fn revoke(&mut self, holding: Holding, out: Out<'_>) {
        match self.grants.iter().position(|grant| grant.holding == holding) {
            Some(position) if self.engaged_for(holding) => self.grants[position].revoked = true,
            Some(position) => self.release(position, out),
            None => {
                // It, or an answer that names it, may still be on its way: then it comes too late.
                let released = !self.engaged_for(holding);
                self.given_up.add(holding, self.now, released);
                if released {
                    out.push(AgentEffect::Send(WorkerMessage::Released(holding)));
                } else {
                    // Over before it was taken back: the heartbeat says so, together with how its last task ended.
                    self.beat(self.now, out);
                }
            }
        }
    }

    /// It executes a task under this grant, or the engine does not know yet how one ended: the queue cannot be handed
    /// back, for that would void the start.
    fn engaged_for(&self, holding: Holding) -> bool {
        engaged_for(holding, self.running, &self.reports)
    }

    fn release(&mut self, position: usize, out: Out<'_>) {
        let holding = self.grants[position].holding;
        self.drop_grant(position, true, out);
        out.push(AgentEffect::Send(WorkerMessage::Released(holding)));
    }

    fn drop_grant(&mut self, position: usize, released: bool, out: Out<'_>) {
        let holding = self.grants.remove(position).holding;
        self.set_timer();
        self.given_up.add(holding, self.now, released);
        out.push(AgentEffect::Dropped { holding });
    }

    fn answered(&mut self, ticket: Ticket, out: Out<'_>) {
        if !self.given_up.is_empty() {
            for report in self.reports.iter().filter(|report| report.start.ticket == ticket) {
                self.given_up.was_engaged_until(self.now, report.start.holding());
            }
        }
        match self.reports.as_slice() {
            [only] if only.start.ticket == ticket => self.reports.clear(),
            _ => self.reports.retain(|report| report.start.ticket != ticket),
        }
        let may_go = |grant: &Grant| grant.revoked && !self.engaged_for(grant.holding);
        if let Some(position) = self.grants.iter().position(may_go) {
            self.release(position, out);
        }
        self.leave_when_done(out);
    }

    #[inline(always)]
    fn ordered(&mut self, now: Stamp, start: Start, out: Out<'_>) {
        if start.ticket <= self.started {
            return;
        }
        self.started = start.ticket;
        let allowed = if start.queue.is_general() {
            self.options.session.is_none_or(|session| now < after(self.answered, session))
        } else {
            self.allows(now, start.holding())
        };
        if allowed && self.known && !self.quiescing && self.running.is_none() {
            self.running = Some(Running { start, stopping: false });
            out.push(AgentEffect::Execute(start));
        } else {
            let declined = Report { start, ended: None };
            self.reports.push(declined);
            out.push(AgentEffect::Send(WorkerMessage::Finished(declined)));
        }
    }

    /// Whether it may begin to execute for this queue.
    #[inline(always)]
    fn allows(&self, now: Stamp, holding: Holding) -> bool {
        let allows =
            |grant: &Grant| grant.holding == holding && !grant.revoked && grant.until.is_none_or(|until| now < until);
        match self.grants.as_slice() {
            [only] => allows(only),
            grants => grants.iter().any(allows),
        }
    }

    #[inline(always)]
    fn ended(&mut self, ticket: Ticket, ended: Ended, out: Out<'_>) {
        let Some(running) = self.running.filter(|running| running.start.ticket == ticket) else {
            return;
        };
        self.running = None;
        let report = Report { start: running.start, ended: Some(ended) };
        self.reports.push(report);
        let message = match self.known && !self.quiescing {
            true => WorkerMessage::FinishedAndFetch(report),
            false => WorkerMessage::Finished(report),
        };
        out.push(AgentEffect::Send(message));
        self.leave_when_done(out);
    }

    fn welcome(&mut self, now: Stamp, stamp: Stamp, until: Option<Stamp>, grants: &Holdings, out: Out<'_>) {
        let newcomer = !self.known;
        self.known = true;
        let mut position = 0;
        while position < self.grants.len() {
            let grant = self.grants[position];
            if grants.contains(&grant.holding) || grant.revoked {
                position += 1;
            } else if self.engaged_for(grant.holding) {
                self.grants[position].revoked = true;
                position += 1;
            } else {
                self.release(position, out);
            }
        }
        for holding in grants {
            match self.grants.iter_mut().find(|grant| grant.holding == *holding) {
                // A later heartbeat has said that it is not held: the engine takes that for a release.
                None if stamp < self.last_beat => {}
                // Its task is to be finished.
                Some(grant) if grant.revoked => {
                    grant.until = grant.until.max(until);
                    let until = grant.until;
                    self.set_timer();
                    out.push(AgentEffect::Held { holding: *holding, until });
                }
                Some(_) | None => self.take_up(now, *holding, until, out),
            }
        }
        if newcomer && !self.reports.is_empty() {
            // With one of them, which is older than this membership, it may have asked for an order that it does not heed.
            self.beat(now, out);
        } else if newcomer && grants.is_empty() && !self.quiescing && self.running.is_none() {
            out.push(AgentEffect::Send(WorkerMessage::Fetch));
        }
        self.leave_when_done(out);
    }

    fn rejoin(&mut self, now: Stamp, out: Out<'_>) {
        self.known = false;
        while !self.grants.is_empty() {
            self.drop_grant(self.grants.len() - 1, false, out);
        }
        if let Some(running) = self.running {
            self.fence_attempts_of(running.start.queue, out);
        }
        if self.quiescing {
            self.leave_when_done(out);
        } else {
            self.join(now, out);
        }
    }

    fn quiesce(&mut self, now: Stamp, out: Out<'_>) {
        if self.quiescing {
            return;
        }
        self.quiescing = true;
        if self.known {
            self.beat(now, out);
        }
        self.leave_when_done(out);
    }

    #[inline(always)]
    fn leave_when_done(&mut self, out: Out<'_>) {
        if self.quiescing {
            self.leave_if_done(out);
        }
    }

    /// A quiescing agent hands back every queue that it executes nothing for, and leaves when nothing is left to do.
    fn leave_if_done(&mut self, out: Out<'_>) {
        for position in (0..self.grants.len()).rev() {
            if self.engaged_for(self.grants[position].holding) {
                self.grants[position].revoked = true;
            } else {
                self.release(position, out);
            }
        }
        if self.running.is_none() && self.reports.is_empty() && self.grants.is_empty() {
            out.push(AgentEffect::Send(WorkerMessage::Leave));
            out.push(AgentEffect::Exit);
        }
    }
}

fn engaged_for(holding: Holding, running: Option<Running>, reports: &[Report]) -> bool {
    running.is_some_and(|running| running.start.holding() == holding)
        || reports.iter().any(|report| report.start.holding() == holding)
}

fn after(stamp: Stamp, span: Span) -> Stamp {
    Stamp(stamp.0.saturating_add(span.micros()))
}
