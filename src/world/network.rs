//! The wire between the engine and each worker. Unless the scenario says otherwise, messages of one link never overtake
//! each other and none is lost while its receiver lives. A message without a delay is delivered at the same instant and
//! is no fact.

use std::collections::VecDeque;

use crate::base::{Span, Term, Time, WorkerId};
use crate::engine::agent::AgentInput;
use crate::engine::message::Start;
use crate::engine::{ClusterMessage, Input, WorkerMessage};
use crate::fact::{Choice, Fact};
use crate::scenario::{Cut, Network};
use crate::sim::{Dist, Stream, Streams};

use super::parcels::{Body, Message, Whose};
use super::workers::Place;
use super::{Event, World, class, streams};

/// Both directions of the wire to one worker. A constant delay and no chance need no memory.
pub(super) struct Links {
    drawn: Option<Box<[Link; 2]>>,
    meddled: Option<Box<[Meddled; 2]>>,
}

struct Link {
    delays: Stream,
    losses: Stream,
    copies: Stream,
    last: Time,
}

/// What faults and scripts do to one direction.
#[derive(Default)]
struct Meddled {
    /// So many faults lose everything.
    cuts: u32,
    /// What becomes of the next messages; `None`: lost.
    next: VecDeque<Option<Late>>,
    /// When the last message arrives that was meddled with.
    last: Time,
}

/// What a fault or a script makes of a message that arrives.
#[derive(Clone, Copy, Default)]
pub(super) struct Late {
    /// It arrives later by so much.
    pub(super) by: Span,
    /// It arrives once more, later by so much.
    pub(super) again: Option<Span>,
}

#[derive(Clone, Copy)]
enum Direction {
    ToEngine,
    ToWorker,
}

/// When a message that is sent arrives.
struct Passage {
    at: Time,
    /// When it arrives once more.
    copy: Option<Time>,
    /// It arrives before one that was sent earlier.
    overtakes: bool,
}

impl Links {
    pub(super) fn new(network: &Network, streams: Streams, place: Place) -> Self {
        let is_plain = matches!(network.delay, Dist::Constant(_)) && network.loss == 0.0 && network.duplicate == 0.0;
        let link = |delays, losses, copies| {
            let open = |source| streams.open(source, place.key(), place.life);
            Link { delays: open(delays), losses: open(losses), copies: open(copies), last: Time::ZERO }
        };
        let links = || {
            Box::new([
                link(streams::TO_ENGINE, streams::LOSSES_TO_ENGINE, streams::COPIES_TO_ENGINE),
                link(streams::TO_WORKER, streams::LOSSES_TO_WORKER, streams::COPIES_TO_WORKER),
            ])
        };
        Links { drawn: (!is_plain).then(links), meddled: None }
    }

    /// Whether there is no chance in it and nobody meddles with it.
    fn is_plain(&self) -> bool {
        self.drawn.is_none() && self.meddled.is_none()
    }

    /// What chance makes of a message that is sent now, where there is chance in it.
    fn drawn(&mut self, now: Time, network: &Network, direction: Direction) -> Option<Option<Passage>> {
        self.drawn.as_mut().map(|links| links[direction as usize].passage(now, network))
    }

    /// What faults and scripts make of it.
    fn meddled(&mut self, passage: Option<Passage>, direction: Direction) -> Option<Passage> {
        let Some(meddled) = &mut self.meddled else { return passage };
        let Meddled { cuts, next, last } = &mut meddled[direction as usize];
        let late = next.pop_front().unwrap_or(Some(Late::default()));
        let (Passage { at, copy, overtakes }, late) = (passage.filter(|_| *cuts == 0)?, late?);
        let overtakes = overtakes || at + late.by < *last;
        *last = (*last).max(at + late.by);
        Some(Passage { at: at + late.by, copy: late.again.map_or(copy, |again| Some(at + again)), overtakes })
    }

    fn meddle(&mut self, direction: Cut, how: impl Fn(&mut Meddled)) {
        let [to_engine, to_worker] = &mut **self.meddled.get_or_insert_default();
        if direction.to_engine {
            how(to_engine);
        }
        if direction.from_engine {
            how(to_worker);
        }
    }

    /// Everything in this direction is lost, until it is mended as often as it was cut.
    pub(super) fn cut(&mut self, direction: Cut) {
        self.meddle(direction, |it| it.cuts += 1);
    }

    /// One cut less.
    pub(super) fn mend(&mut self, direction: Cut) {
        self.meddle(direction, |it| it.cuts -= 1);
    }

    /// The next message is lost, or late.
    pub(super) fn meddle_with_next(&mut self, direction: Cut, late: Option<Late>) {
        self.meddle(direction, |it| it.next.push_back(late));
    }
}

impl Link {
    /// Every message takes the same draws, whatever becomes of it.
    fn passage(&mut self, now: Time, network: &Network) -> Option<Passage> {
        let mut at = now + network.delay.sample(&mut self.delays);
        let mut copy = None;
        let is_faulty = now < network.until;
        if network.duplicate > 0.0 {
            let twice = self.copies.chance(network.duplicate);
            let again = now + network.delay.sample(&mut self.copies);
            copy = (twice && is_faulty).then_some(again);
        }
        if network.loss > 0.0 && self.losses.chance(network.loss) && is_faulty {
            return None;
        }
        let overtakes = at < self.last && network.reorder && is_faulty;
        self.last = self.last.max(at);
        if !overtakes {
            at = self.last;
            copy = copy.map(|copy| copy.max(at));
        }
        Some(Passage { at, copy, overtakes })
    }
}

fn constant(dist: &Dist) -> Span {
    if let Dist::Constant(span) = dist { *span } else { unreachable!("links without memory have a constant delay") }
}

impl World<'_> {
    /// Whether what is sent on the wire of this worker now is there at once: the quick way of nearly every message.
    #[inline(always)]
    fn arrives_at_once(&self, worker: WorkerId) -> bool {
        self.instant_wire && self.workers.get(worker).is_some_and(|state| state.links.is_plain())
    }

    fn passage(&mut self, worker: WorkerId, direction: Direction) -> Option<Passage> {
        let now = self.now();
        let links = &mut self.workers.get_mut(worker)?.links;
        let drawn = links.drawn(now, &self.scenario.network, direction);
        if let Some(drawn) = &drawn {
            let takes = drawn.as_ref().map(|passage| passage.at.since(now));
            let again = drawn.as_ref().and_then(|passage| passage.copy).map(|at| at.since(now));
            let to_engine = matches!(direction, Direction::ToEngine);
            self.observer.chose(now, Choice::Sent { worker, to_engine, takes, again });
        }
        let plain = || Some(Passage { at: now + constant(&self.scenario.network.delay), copy: None, overtakes: false });
        let passage = links.meddled(drawn.unwrap_or_else(plain), direction);
        match &passage {
            None => self.fact(Fact::MessageLost { worker }),
            Some(Passage { at, overtakes, .. }) => {
                if *overtakes {
                    self.fact(Fact::MessageOvertook { worker });
                }
                if *at > now {
                    self.fact(Fact::MessageSent { worker });
                }
            }
        }
        passage
    }

    /// A message to a worker that is gone is given up at once.
    #[inline(always)]
    pub(super) fn send_to_worker(&mut self, worker: WorkerId, message: ClusterMessage) {
        if !self.arrives_at_once(worker) {
            return self.send_slowly_to_worker(worker, message);
        }
        self.message_is_sent(&message);
        if self.comes_next() {
            self.next.whose = Whose::Engines(self.speaker, worker);
            self.next.order = message;
        } else {
            self.post(self.now(), Message { worker, travelled: false, body: Body::Engine(self.speaker, message) });
        }
    }

    #[inline(never)]
    fn send_slowly_to_worker(&mut self, worker: WorkerId, message: ClusterMessage) {
        let term = self.speaker;
        let Some(Passage { at, copy, .. }) = self.passage(worker, Direction::ToWorker) else { return };
        self.message_is_sent(&message);
        let travelled = at > self.now();
        if let Some(again) = copy {
            if let Some(start) = message.start() {
                self.use_task(start.task);
            }
            self.post(again, Message { worker, travelled: false, body: Body::Engine(term, message.clone()) });
        }
        self.post(at, Message { worker, travelled, body: Body::Engine(term, message) });
    }

    /// A task that it orders to start must not be forgotten.
    #[inline(always)]
    fn message_is_sent(&mut self, message: &ClusterMessage) {
        if let Some(start) = message.start() {
            self.use_task(start.task);
            if self.fates.is_some() {
                self.start_is_sent(start.task);
            }
        }
    }

    #[inline(always)]
    pub(super) fn send_to_engine(&mut self, worker: WorkerId, message: WorkerMessage) {
        if !self.arrives_at_once(worker) {
            return self.send_slowly_to_engine(worker, message);
        }
        if self.comes_next() {
            self.next.whose = Whose::Workers(worker);
            self.next.word = message;
        } else {
            self.post(self.now(), Message { worker, travelled: false, body: Body::Worker(message) });
        }
    }

    #[inline(never)]
    fn send_slowly_to_engine(&mut self, worker: WorkerId, message: WorkerMessage) {
        let Some(Passage { at, copy, .. }) = self.passage(worker, Direction::ToEngine) else { return };
        let travelled = at > self.now();
        if let Some(again) = copy {
            self.post(again, Message { worker, travelled: false, body: Body::Worker(message.clone()) });
        }
        self.post(at, Message { worker, travelled, body: Body::Worker(message) });
    }

    #[inline(never)]
    pub(super) fn post(&mut self, at: Time, message: Message) {
        let parcel = self.parcels.put(message);
        self.calendar.schedule(at, class::DELIVERY, Event::Delivery(parcel));
    }

    /// Whether a message that is there at once comes next, for neither another one nor something physical comes before
    /// it: that is so for nearly every message, and then the calendar need not hear of it.
    #[inline(always)]
    fn comes_next(&mut self) -> bool {
        self.next.whose == Whose::Nobodys && !self.calendar.is_due(class::DELIVERY)
    }

    /// Delivers the message that comes next.
    #[inline(always)]
    pub(super) fn deliver_next(&mut self) {
        match std::mem::replace(&mut self.next.whose, Whose::Nobodys) {
            Whose::Workers(worker) => {
                let word = std::mem::replace(&mut self.next.word, WorkerMessage::Leave);
                self.deliver_to_engine(worker, &word);
            }
            Whose::Engines(term, worker) => {
                let order = std::mem::replace(&mut self.next.order, ClusterMessage::Quiesce);
                self.deliver_to_worker(worker, term, &order);
            }
            Whose::Nobodys => {}
        }
    }

    pub(super) fn deliver(&mut self, message: &Message) {
        let Message { worker, travelled, body } = message;
        let worker = *worker;
        if *travelled {
            self.fact(Fact::MessageArrived { worker });
        }
        match body {
            Body::Worker(message) => self.deliver_to_engine(worker, message),
            Body::Engine(term, message) => self.deliver_to_worker(worker, *term, message),
            Body::Effect(start) => self.late_effect_arrives(worker, *start),
        }
    }

    #[inline(always)]
    fn deliver_to_engine(&mut self, worker: WorkerId, message: &WorkerMessage) {
        if self.engine.is_none() {
            return self.fact(Fact::MessageLost { worker });
        }
        self.tell_engine(Input::Worker { worker, message });
    }

    /// An engine is told what is in a message. One that waits for its store is told when it goes on.
    pub(super) fn reports_arrive(&mut self, input: Input<'_>) {
        let Input::Worker { worker, message } = input else { return };
        for report in message.reports() {
            let Start { task, queue, epoch, ticket } = report.start;
            self.fact(Fact::Reported { task, worker, queue, epoch, ticket });
        }
    }

    /// A worker that stands still reads its messages after it has gone on.
    #[inline(always)]
    fn deliver_to_worker(&mut self, worker: WorkerId, term: Term, message: &ClusterMessage) {
        match self.workers.get_mut(worker) {
            Some(state) if !state.reads => state.inbox.push((term, message.clone())),
            Some(state) => {
                let heeds = state.agent.heeds(term);
                self.read(worker, heeds, message);
            }
            None => self.drop_message(message),
        }
    }

    /// Reads what came while the worker stood still, in order: first the signal of its host, then the messages.
    pub(super) fn read_inbox(&mut self, worker: WorkerId) {
        let Some(state) = self.workers.get_mut(worker) else { return };
        if state.paused.is_some() || state.reads {
            return;
        }
        state.reads = true;
        let signalled = std::mem::take(&mut state.signalled);
        let inbox = std::mem::take(&mut state.inbox);
        if signalled {
            self.deliver_signal(worker);
        }
        let answer = self.workers.get_mut(worker).and_then(|state| state.answer.take());
        if let Some((ticket, ended)) = answer {
            self.tell_agent(worker, AgentInput::Ended { ticket, ended });
        }
        for (term, message) in inbox {
            let heeds = self.workers.get_mut(worker).is_some_and(|state| state.agent.heeds(term));
            self.read(worker, heeds, &message);
        }
    }

    /// A message of an engine that a later one has fenced off is not read. An attempt that it begins uses the task
    /// from here on in its stead.
    #[inline(always)]
    fn read(&mut self, worker: WorkerId, heeds: bool, message: &ClusterMessage) {
        if !heeds {
            return self.drop_message(message);
        }
        if matches!(message, ClusterMessage::Quiesce) {
            self.told_to_quiesce(worker);
        }
        if !self.tell_agent(worker, AgentInput::Message(message)) {
            self.drop_message(message);
        }
    }

    /// The message no longer exists, and nobody executes what it ordered to start.
    pub(super) fn drop_message(&mut self, message: &ClusterMessage) {
        if let Some(start) = message.start() {
            self.unuse_task(start.task);
        }
    }
}
