//! The lives of workers: they arrive, start up, stand still now and then, and crash or quiesce.
//!
//! A worker is one life of one place. Everything drawn for it is keyed by place and life, so that no draw moves
//! another; the engine only ever sees the worker's number, which no other one ever has.

use crate::base::{Span, Term, Ticket, Time, WorkerId};
use crate::engine::agent::{Agent, AgentInput};
use crate::engine::message::{Ended, WorkerName};
use crate::engine::{ClusterMessage, Input};
use crate::fact::{AttemptEnd, Choice, Exit, Fact};
use crate::scenario::Workers;
use crate::sim::{Calendar, Handle, Stream, Streams};

use super::clock::Clock;
use super::executor::Attempt;
use super::network::Links;
use super::{Event, World, class, streams};

/// Why a place for a worker exists. Places of one origin are counted apart, so that what reacts to the engine (the
/// autoscaler) does not move the draws of the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Origin {
    Initial,
    Outside,
    Shift,
    Rolling,
    Scaler,
    Script,
    Herd,
}

/// A place that a worker takes, and the number of its life there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) origin: Origin,
    pub(super) number: u32,
    pub(super) life: u64,
}

impl Place {
    /// What names this place in the keys of random streams.
    pub(super) fn key(self) -> u64 {
        (self.origin as u64) << 32 | u64::from(self.number)
    }
    /// Where a worker of a script comes up: the host of an initial worker, or of one that the script let join.
    pub(super) fn scripted(first: WorkerId, life: u64, initial: u32) -> Place {
        let origin = if first.0 < initial { Origin::Initial } else { Origin::Script };
        Place { origin, number: first.0, life }
    }
    pub(super) fn next_life(self) -> Place {
        Place { life: self.life + 1, ..self }
    }
}

/// How many places of each origin there are.
#[derive(Default)]
pub(super) struct Places([u32; 7]);

impl Places {
    pub(super) fn new_place(&mut self, origin: Origin) -> Place {
        let count = &mut self.0[origin as usize];
        *count += 1;
        Place { origin, number: *count - 1, life: 0 }
    }
}

/// What is drawn for one life of a place.
pub(super) struct Life {
    pub(super) startup: Span,
    /// In millionths.
    pub(super) speed: u64,
    pub(super) lifetime: Option<Span>,
    pub(super) crashes: bool,
    pub(super) restart_after: Option<Span>,
}

impl Life {
    pub(super) fn draw(options: &Workers, streams: Streams, place: Place) -> Life {
        let mut lives = streams.open(streams::LIVES, place.key(), place.life);
        Life {
            startup: options.startup.sample(&mut lives),
            speed: options.speed.sample(&mut lives).micros(),
            lifetime: options.lifetime.as_ref().map(|dist| dist.sample(&mut lives)),
            crashes: lives.chance(options.crash_share),
            restart_after: options.restart_after.as_ref().map(|dist| dist.sample(&mut lives)),
        }
    }
}

/// A worker that is not gone.
pub(super) struct Worker {
    place: Place,
    pub(super) agent: Agent,
    pub(super) links: Links,
    pub(super) attempt: Option<Attempt>,
    pub(super) clock: Clock,
    /// The slownesses that go on, in millionths.
    pub(super) slow: Vec<u64>,
    /// It crashes when the store has answered its next effect.
    pub(super) doomed: bool,
    /// What the store answered while it stood still.
    pub(super) answer: Option<(Ticket, Ended)>,
    timer: Option<(Handle, Time)>,
    /// In millionths.
    pub(super) speed: u64,
    pub(super) is_ready: bool,
    /// When it was or will be ready.
    pub(super) ready_at: Time,
    lifetime: Option<Span>,
    crashes: bool,
    restart_after: Option<Span>,
    /// Draws of its pauses.
    pauses: Option<Box<Stream>>,
    /// Since when and until when it stands still.
    pub(super) paused: Option<(Time, Time)>,
    /// Whether it reads messages as they come.
    pub(super) reads: bool,
    pub(super) inbox: Vec<(Term, ClusterMessage)>,
    /// Its host's signal to quiesce waits until it goes on.
    pub(super) signalled: bool,
    /// It is killed then. Set: it quiesces, or will as soon as it goes on.
    pub(super) deadline: Option<Time>,
    /// A new worker arrives when it is gone.
    pub(super) successor: Option<Origin>,
}

impl Worker {
    /// One entry of the calendar stands for the agent's timer; it is brought forward, and put off only when it fires.
    #[inline(always)]
    pub(super) fn arm(&mut self, id: WorkerId, calendar: &mut Calendar<Event>) {
        let wanted = self.clock.when(self.agent.next_timer());
        if self.timer.is_none_or(|(_, at)| wanted < at) {
            self.bring_forward(id, wanted.max(calendar.now()), calendar);
        }
    }

    fn bring_forward(&mut self, id: WorkerId, wanted: Time, calendar: &mut Calendar<Event>) {
        if !self.is_ready || self.paused.is_some() {
            return;
        }
        if let Some((handle, at)) = self.timer {
            if at <= wanted {
                return; // It is due already.
            }
            calendar.cancel(handle);
        }
        self.timer = Some((calendar.schedule(wanted, class::AGENT, Event::AgentTimer(id)), wanted));
    }
}

impl World<'_> {
    /// A worker that is up when the run begins.
    pub(super) fn initial_worker(&mut self) {
        let place = self.places.new_place(Origin::Initial);
        let worker = self.new_worker(place);
        self.workers[worker].ready_at = self.now();
        self.meddle_from_the_start(worker);
        self.ready(worker);
    }

    /// A process comes up and begins to start; returns when it will be ready.
    pub(super) fn worker_arrives(&mut self, place: Place) -> Time {
        self.worker_comes(place, None)
    }

    /// Its time to start is drawn, unless it is given.
    pub(super) fn worker_comes(&mut self, place: Place, startup: Option<Span>) -> Time {
        let worker = self.new_worker(place);
        let drawn = self.workers[worker].ready_at;
        let at = startup.map_or(drawn, |startup| self.now() + startup);
        self.workers[worker].ready_at = at;
        self.calendar.schedule(at, class::PHYSICAL, Event::Ready(worker));
        at
    }

    fn new_worker(&mut self, place: Place) -> WorkerId {
        let options = &self.scenario.workers;
        let id = WorkerId(self.next_worker);
        self.next_worker = self.next_worker.checked_add(1).expect("too many workers");
        let Life { startup, speed, lifetime, crashes, restart_after } = Life::draw(options, self.streams, place);
        let mut clock = Clock::default();
        if self.clocks != (0, 0) {
            clock.set(self.calendar.now(), self.clocks.0, self.clocks.1);
        }
        let pauses = || Box::new(self.streams.open(streams::PAUSES, place.key(), place.life));
        let worker = Worker {
            place,
            agent: Agent::new(self.agent_options, WorkerName(place.key())),
            links: Links::new(&self.scenario.network, self.streams, place),
            attempt: None,
            clock,
            slow: Vec::new(),
            doomed: false,
            answer: None,
            timer: None,
            speed,
            is_ready: false,
            ready_at: self.calendar.now() + startup,
            lifetime,
            crashes,
            restart_after,
            pauses: options.pause.as_ref().map(|_| pauses()),
            paused: None,
            reads: true,
            inbox: Vec::new(),
            signalled: false,
            deadline: None,
            successor: None,
        };
        self.workers.insert(id, worker);
        self.observer.chose(self.calendar.now(), Choice::Arrived { worker: id, host: place.key(), speed });
        self.fact(Fact::WorkerArrived { worker: id });
        id
    }

    pub(super) fn schedule_worker_arrival(&mut self) {
        if let Some(at) = self.worker_arrivals.as_mut().and_then(|arrivals| arrivals.next()) {
            self.calendar.schedule(at, class::OUTSIDE, Event::WorkerArrival);
        }
    }

    pub(super) fn worker_from_outside(&mut self) {
        self.schedule_worker_arrival();
        let place = self.places.new_place(Origin::Outside);
        self.worker_arrives(place);
    }

    pub(super) fn ready(&mut self, id: WorkerId) {
        let now = self.now();
        // A process that stood still while it started is ready later, by an event of its own.
        let Some(worker) = self.workers.get_mut(id).filter(|worker| !worker.is_ready && worker.ready_at == now) else {
            return;
        };
        worker.is_ready = true;
        if let Some(lifetime) = worker.lifetime
            && let Some(at) = now.checked_add(lifetime)
        {
            self.calendar.schedule(at, class::PHYSICAL, Event::ExitDue(id));
        }
        self.schedule_pause(id, now);
        self.fact(Fact::WorkerReady { worker: id });
        self.tell_agent(id, AgentInput::Begin);
    }

    fn schedule_pause(&mut self, id: WorkerId, from: Time) {
        let Some(options) = &self.scenario.workers.pause else { return };
        let Some(pauses) = self.workers.get_mut(id).and_then(|worker| worker.pauses.as_mut()) else { return };
        if let Some(at) = from.checked_add(options.every.sample(pauses)) {
            self.calendar.schedule(at, class::PHYSICAL, Event::PauseDue(id));
        }
    }

    pub(super) fn pause_due(&mut self, id: WorkerId) {
        let Some(options) = &self.scenario.workers.pause else { return };
        let Some(pauses) = self.workers.get_mut(id).and_then(|worker| worker.pauses.as_mut()) else { return };
        let lasts = options.lasts.sample(pauses);
        self.pause(id, lasts);
        let ends = self.now() + lasts;
        self.schedule_pause(id, ends);
    }

    /// The worker stands still. Two pauses that overlap are one; a process that is starting up is ready later.
    pub(super) fn pause(&mut self, id: WorkerId, lasts: Span) {
        let now = self.now();
        let until = now + lasts;
        let Some(worker) = self.workers.get_mut(id) else { return };
        if !worker.is_ready {
            worker.ready_at += lasts;
            self.calendar.schedule(worker.ready_at, class::PHYSICAL, Event::Ready(id));
            return;
        }
        let since = match worker.paused {
            Some((_, ends)) if ends >= until => return,
            Some((since, _)) => since,
            None => now,
        };
        let begins = worker.paused.replace((since, until)).is_none();
        worker.reads = false;
        self.calendar.schedule(until, class::PHYSICAL, Event::Resume(id));
        if begins {
            if let Some(attempt) = &worker.attempt {
                self.calendar.cancel(attempt.timer);
            }
            self.fact(Fact::WorkerPaused { worker: id });
        }
    }

    /// The agent looks at its clock before anything else; what came meanwhile is read afterwards, in order.
    pub(super) fn resume(&mut self, id: WorkerId) {
        let now = self.now();
        let Some(worker) = self.workers.get_mut(id) else { return };
        let Some((since, _)) = worker.paused.filter(|(_, until)| *until == now) else { return };
        worker.paused = None;
        self.thaw(id, now.since(since));
        self.fact(Fact::WorkerResumed { worker: id });
        self.calendar.schedule(now, class::DELIVERY, Event::ReadInbox(id));
        self.tell_agent(id, AgentInput::Timer);
    }

    pub(super) fn exit_due(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(id) else { return };
        if worker.crashes { self.crash(id) } else { self.signal(id) }
    }

    /// It vanishes; its place is taken by a new one where the scenario says so.
    pub(super) fn crash(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(id) else { return };
        let restart = worker.restart_after.map(|after| (after, worker.place.next_life()));
        if let Some((after, Place { origin, number, life })) = restart {
            self.workers[id].successor = None;
            let at = self.now() + after;
            self.calendar.schedule(at, class::PHYSICAL, Event::Restart { origin, number, life });
        }
        self.worker_gone(id, Exit::Crashed);
    }

    /// The host asks a worker to quiesce, and kills it when its grace is over. One that is still starting just ends.
    pub(super) fn signal(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(id).filter(|worker| worker.deadline.is_none()) else { return };
        if !worker.is_ready {
            return self.worker_gone(id, Exit::Left);
        }
        let now_reads = worker.reads;
        worker.signalled = !now_reads;
        self.set_deadline(id);
        if now_reads {
            self.deliver_signal(id);
        }
    }

    fn set_deadline(&mut self, id: WorkerId) -> Time {
        let deadline = self.now().saturating_add(self.scenario.workers.grace);
        self.workers[id].deadline = Some(deadline);
        self.calendar.schedule(deadline, class::PHYSICAL, Event::GraceOver(id));
        deadline
    }

    pub(super) fn deliver_signal(&mut self, id: WorkerId) {
        let Some(deadline) = self.workers.get(id).and_then(|worker| worker.deadline) else { return };
        self.fact(Fact::QuiesceDelivered { worker: id, deadline });
        self.tell_agent(id, AgentInput::Quiesce);
    }

    /// The engine's order to quiesce reaches a worker; its grace begins, unless it quiesces already.
    pub(super) fn told_to_quiesce(&mut self, id: WorkerId) {
        if self.workers.get(id).is_some_and(|worker| worker.deadline.is_none()) {
            let deadline = self.set_deadline(id);
            self.fact(Fact::QuiesceDelivered { worker: id, deadline });
        }
    }

    pub(super) fn grace_over(&mut self, id: WorkerId) {
        self.worker_gone(id, Exit::Killed);
    }

    /// The worker is gone, and what it executed with it. Messages that it sent still arrive.
    pub(super) fn worker_gone(&mut self, id: WorkerId, exit: Exit) {
        let Some(worker) = self.workers.remove(id) else { return };
        if let Some((handle, _)) = worker.timer {
            self.calendar.cancel(handle);
        }
        if let Some(attempt) = worker.attempt {
            self.calendar.cancel(attempt.timer);
            self.attempt_ended(id, &attempt, AttemptEnd::Died);
            self.unuse_task(attempt.start.task);
        }
        for (_, message) in &worker.inbox {
            self.drop_message(message);
        }
        self.fact(Fact::WorkerGone { worker: id, exit });
        if self.hears_disconnects {
            self.tell_engine(Input::Disconnected { worker: id });
        }
        if let Some(origin) = worker.successor {
            let place = self.places.new_place(origin);
            self.worker_arrives(place);
        }
    }

    /// Its clock was set: the timer is set anew.
    pub(super) fn rearm_agent(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        if let Some((handle, _)) = worker.timer.take() {
            self.calendar.cancel(handle);
        }
        worker.arm(id, &mut self.calendar);
    }

    pub(super) fn agent_timer(&mut self, id: WorkerId) {
        let now = self.calendar.now();
        let Some(worker) = self.workers.get_mut(id) else { return };
        worker.timer = None;
        if worker.paused.is_some() {
            return; // It looks at its clock when it goes on.
        }
        if worker.agent.next_timer() <= worker.clock.read(now) {
            self.tell_agent(id, AgentInput::Timer);
        } else {
            worker.arm(id, &mut self.calendar);
        }
    }
}
