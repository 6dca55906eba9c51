//! The engine's host: it keeps the engine's records, lets it crash, restores another one from the records alone, and
//! keeps what clients and the operator say meanwhile, in order.
//!
//! Where no fault of the scenario can hit the engine, none of this is in the way.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Claims, Outcome, Span, TaskId, Term};
use crate::engine::{Context, Effect, Engine, EngineFactory, Input, Outbox, Records, WorkerMessage, message::Record};
use crate::fact::Fact;
use crate::scenario::{Action, CrashPoint, EngineCrash, Fault, Scenario, StoreFault};

use super::{Event, World, class};
use crate::base::WorkerId;

/// What the host knows beside the engine that leads.
pub(super) struct Cluster<'a> {
    factory: &'a dyn EngineFactory,
    context: Context,
    /// Whether faults may hit the engine: its records are kept, and every effect is looked at.
    pub(super) watched: bool,
    records: Records,
    /// Settled by the records, and their clients were not told.
    untold: BTreeMap<TaskId, Outcome>,
    /// The engine crashes at this point of what it does next.
    pub(super) crash: Option<EngineCrash>,
    /// The store fails like this; an engine that ends because of it is followed by a new one after so long.
    pub(super) store_fault: Option<(StoreFault, Span)>,
    /// An engine that a later one has fenced off, and that does not know it.
    elder: Option<(Box<dyn Engine>, Term)>,
    /// What clients and the operator said and nobody heard.
    waiting: VecDeque<Said>,
    /// What a slow store holds up: the input and the rest of its effects.
    held: Option<(Option<Said>, VecDeque<Effect>)>,
    /// What came meanwhile.
    queued: VecDeque<Said>,
}

/// An input that has to wait.
enum Said {
    Submit(TaskId, Claims),
    Cancel(TaskId),
    Quiesce(WorkerId),
    Limits(u32, u32),
    Disconnected(WorkerId),
    Worker(WorkerId, Box<WorkerMessage>),
}

impl Said {
    fn of(input: Input<'_>) -> Option<Said> {
        match input {
            Input::Submit { task, claims } => Some(Said::Submit(task, Claims::from_slice(claims))),
            Input::Cancel { task } => Some(Said::Cancel(task)),
            Input::Quiesce { worker } => Some(Said::Quiesce(worker)),
            Input::Limits { min, max } => Some(Said::Limits(min, max)),
            Input::Worker { worker, message } => Some(Said::Worker(worker, Box::new(message.clone()))),
            Input::Disconnected { worker } => Some(Said::Disconnected(worker)),
            Input::Timeout => None,
        }
    }

    fn input(&self) -> Input<'_> {
        match self {
            Said::Submit(task, claims) => Input::Submit { task: *task, claims },
            Said::Cancel(task) => Input::Cancel { task: *task },
            Said::Quiesce(worker) => Input::Quiesce { worker: *worker },
            Said::Limits(min, max) => Input::Limits { min: *min, max: *max },
            Said::Disconnected(worker) => Input::Disconnected { worker: *worker },
            Said::Worker(worker, message) => Input::Worker { worker: *worker, message },
        }
    }
}

impl<'a> Cluster<'a> {
    pub(super) fn new(scenario: &Scenario, factory: &'a dyn EngineFactory, context: Context) -> Self {
        let timed = scenario.faults.timed.iter().any(|timed| {
            matches!(timed.fault, Fault::EngineCrash(_) | Fault::SecondEngine { .. } | Fault::Store { .. })
        });
        let scripted = scenario.script.iter().any(|event| matches!(event.action, Action::EngineCrash(_)));
        Cluster {
            factory,
            context,
            watched: timed || scripted,
            records: Records::default(),
            untold: BTreeMap::new(),
            crash: None,
            store_fault: None,
            elder: None,
            waiting: VecDeque::new(),
            held: None,
            queued: VecDeque::new(),
        }
    }

    fn persist(&mut self, record: &Record) {
        self.records.apply(record);
        if let Record::TaskGone { task, outcome } = record {
            self.untold.insert(*task, *outcome);
        }
    }

    /// Whether the engine crashes before this effect is carried out.
    fn crashes_before(&self, effect: &Effect) -> bool {
        match self.crash.map(|crash| crash.point) {
            Some(CrashPoint::BeforePersist) => matches!(effect, Effect::Persist(_)),
            Some(CrashPoint::BeforeSend) => matches!(effect, Effect::Send(..)),
            Some(CrashPoint::AfterPersist | CrashPoint::AfterSend) | None => false,
        }
    }

    /// What ends the engine when a record was handed to the store: so long later there is a new one.
    fn ends_after_persist(&self) -> Option<Span> {
        match (self.store_fault, self.crash) {
            (Some((StoreFault::Refuse | StoreFault::LoseAnswer, recover_after)), _) => Some(recover_after),
            (_, Some(EngineCrash { point: CrashPoint::AfterPersist, recover_after })) => Some(recover_after),
            (Some((StoreFault::Slow(_), _)) | None, _) => None,
        }
    }
}

impl World<'_> {
    /// Gives the engine an input where faults may hit it.
    pub(super) fn tell_watched(&mut self, input: Input<'_>) {
        if self.cluster.held.is_some() {
            self.cluster.queued.extend(Said::of(input));
            return;
        }
        self.tell_elder(input);
        let now = self.now();
        if self.engine.is_some()
            && let Input::Limits { min, max } = input
        {
            self.fact(Fact::LimitsSet { min, max });
        }
        if self.engine.is_some() {
            self.reports_arrive(input);
        }
        let Some(engine) = &mut self.engine else { return self.unheard(Said::of(input)) };
        let mut outbox = Outbox::new();
        engine.handle(now, input, &mut outbox);
        self.carry_out(|| Said::of(input), outbox.into(), false);
        self.arm_engine();
    }

    /// Nobody is there to hear it. Clients and the operator say it again, in order; a worker's message is lost.
    fn unheard(&mut self, said: Option<Said>) {
        match said {
            Some(Said::Worker(worker, _)) => self.fact(Fact::MessageLost { worker }),
            Some(other) => self.cluster.waiting.push_back(other),
            None => {}
        }
    }

    /// `said`: what has these effects, asked for only where it has to wait or is said again.
    fn carry_out(&mut self, said: impl FnOnce() -> Option<Said>, mut effects: VecDeque<Effect>, waited: bool) {
        if !waited
            && let Some((StoreFault::Slow(by), _)) = self.cluster.store_fault
            && effects.iter().any(|effect| matches!(effect, Effect::Persist(_)))
        {
            let at = self.now() + by;
            self.cluster.held = Some((said(), effects));
            self.fact(Fact::EngineHeld { held: true });
            self.calendar.schedule(at, class::DELIVERY, Event::StoreAnswers);
            return;
        }
        while let Some(effect) = effects.pop_front() {
            if self.cluster.crashes_before(&effect) {
                let recover_after = self.cluster.crash.take().map_or(Span::ZERO, |crash| crash.recover_after);
                return self.engine_ends(said(), recover_after);
            }
            match effect {
                Effect::Persist(record) => {
                    let refused = matches!(self.cluster.store_fault, Some((StoreFault::Refuse, _)));
                    if !refused {
                        self.cluster.persist(&record);
                    }
                    if let Some(recover_after) = self.cluster.ends_after_persist() {
                        if !refused {
                            self.say_what_is_durable(&mut effects);
                        }
                        if self.cluster.crash.is_some_and(|crash| crash.point == CrashPoint::AfterPersist) {
                            self.cluster.crash = None;
                        }
                        return self.engine_ends(said(), recover_after);
                    }
                }
                Effect::Settle(task, outcome) => {
                    self.cluster.untold.remove(&task);
                    self.client_is_told(task, outcome);
                }
                Effect::Send(worker, message) => {
                    self.send_to_worker(worker, message);
                    if let Some(EngineCrash { point: CrashPoint::AfterSend, recover_after }) = self.cluster.crash {
                        self.cluster.crash = None;
                        return self.engine_ends(said(), recover_after);
                    }
                }
                Effect::Fence(fence) => self.fence(fence),
                Effect::Note(note) => self.fact(Fact::Noted(note)),
            }
        }
    }

    /// What goes with a record that is durable: the store's fences, and the engine's word of what it has decided.
    fn say_what_is_durable(&mut self, effects: &mut VecDeque<Effect>) {
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Fence(fence) => self.fence(fence),
                Effect::Note(note) => self.fact(Fact::Noted(note)),
                Effect::Persist(_) | Effect::Send(..) | Effect::Settle(..) => return,
            }
        }
    }

    /// A slow store answers: what was held up goes on, then what came meanwhile.
    pub(super) fn store_answers(&mut self) {
        let Some((said, effects)) = self.cluster.held.take() else { return };
        self.fact(Fact::EngineHeld { held: false });
        self.carry_out(|| said, effects, true);
        self.arm_engine();
        while self.cluster.held.is_none()
            && let Some(said) = self.cluster.queued.pop_front()
        {
            self.tell_watched(said.input());
        }
    }

    /// The engine is gone, and whatever it had not done. Who said something and got no answer says it again.
    fn engine_ends(&mut self, said: Option<Said>, recover_after: Span) {
        self.engine = None;
        if let Some((handle, _)) = self.engine_timer.take() {
            self.calendar.cancel(handle);
        }
        self.fact(Fact::EngineDown { term: self.cluster.context.term });
        self.unanswered(said);
        let at = self.now() + recover_after;
        self.calendar.schedule(at, class::PHYSICAL, Event::EngineUp);
    }

    /// Who said something and got no answer says it again, and so do those who waited to be heard after it.
    fn unanswered(&mut self, said: Option<Said>) {
        match said {
            Some(Said::Submit(task, _)) if self.cluster.records.tasks.contains_key(&task) => {}
            Some(Said::Worker(..)) | None => {}
            Some(other) => self.cluster.waiting.push_front(other),
        }
        let queued = std::mem::take(&mut self.cluster.queued);
        queued.into_iter().for_each(|said| self.unheard(Some(said)));
    }

    /// A new engine is restored from the records, under a higher term.
    fn restore(&mut self) {
        let context = &mut self.cluster.context;
        context.term = Term(context.term.0 + 1);
        self.speaker = context.term;
        self.engine = Some(self.cluster.factory.restore(&self.cluster.records, *context));
        self.fact(Fact::EngineUp { term: self.speaker });
    }

    pub(super) fn engine_up(&mut self) {
        if self.engine.is_some() {
            return;
        }
        self.restore();
        for (task, outcome) in std::mem::take(&mut self.cluster.untold) {
            self.client_is_told(task, outcome);
        }
        self.lead();
    }

    /// The restored engine begins: with what is due by its records, then with what nobody heard.
    fn lead(&mut self) {
        self.tell_watched(Input::Timeout);
        while self.engine.is_some()
            && let Some(said) = self.cluster.waiting.pop_front()
        {
            self.tell_watched(said.input());
        }
    }

    /// Another engine is restored while this one is alive, and leads from here on.
    pub(super) fn second_engine(&mut self, lasts: Span) {
        let Some(elder) = self.engine.take() else { return };
        if let Some((handle, _)) = self.engine_timer.take() {
            self.calendar.cancel(handle);
        }
        if let Some((said, _)) = self.cluster.held.take() {
            // What the store has not taken yet comes under an older term: it is refused, and that ends the elder.
            self.fact(Fact::EngineHeld { held: false });
            self.unanswered(said);
        } else {
            self.cluster.elder = Some((elder, self.speaker));
            let at = self.now() + lasts;
            self.calendar.schedule(at, class::OUTSIDE, Event::ElderOver);
        }
        self.restore();
        self.lead();
    }

    pub(super) fn elder_over(&mut self) {
        self.cluster.elder = None;
    }

    /// The elder hears what workers say, too, and its own clock. It ends when the store refuses it; until then its
    /// messages go out under its term. What it says of its decisions is nothing that counts any more.
    fn tell_elder(&mut self, input: Input<'_>) {
        let Some((mut elder, term)) = self.cluster.elder.take() else { return };
        let now = self.now();
        let mut outbox = Outbox::new();
        if elder.next_timeout().is_some_and(|(at, _)| at <= now) {
            elder.handle(now, Input::Timeout, &mut outbox);
        }
        if matches!(input, Input::Worker { .. }) {
            elder.handle(now, input, &mut outbox);
        }
        let leader = std::mem::replace(&mut self.speaker, term);
        let mut refused = false;
        for effect in outbox {
            match effect {
                Effect::Persist(_) | Effect::Fence(_) => {
                    refused = true;
                    break;
                }
                Effect::Send(worker, message) => self.send_to_worker(worker, message),
                Effect::Settle(..) | Effect::Note(_) => {}
            }
        }
        self.speaker = leader;
        if !refused {
            self.cluster.elder = Some((elder, term));
        }
    }
}
