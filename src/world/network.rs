//! The wire between the engine and each worker: messages of one link never overtake each other, and none is lost while
//! its receiver lives. A message without a delay is delivered at the same instant and is no fact.

use crate::base::{Span, Time, WorkerId};
use crate::engine::agent::AgentInput;
use crate::engine::{ClusterMessage, Input, WorkerMessage};
use crate::fact::{Fact, Observe};
use crate::scenario::Network;
use crate::sim::{Dist, Stream, Streams};

use super::workers::Place;
use super::{Event, World, class, streams};

/// Both directions of the wire to one worker. A constant delay needs no memory.
pub(super) struct Links(Option<Box<[Link; 2]>>);

struct Link {
    delays: Stream,
    last: Time,
}

#[derive(Clone, Copy)]
enum Direction {
    ToEngine,
    ToWorker,
}

impl Links {
    pub(super) fn new(network: &Network, streams: Streams, place: Place) -> Self {
        if matches!(network.delay, Dist::Constant(_)) {
            return Links(None);
        }
        let link = |source| Link { delays: streams.open(source, place.key(), place.life), last: Time::ZERO };
        Links(Some(Box::new([link(streams::TO_ENGINE), link(streams::TO_WORKER)])))
    }

    /// When a message that is sent now arrives.
    fn arrival(&mut self, now: Time, network: &Network, direction: Direction) -> Time {
        let Some(links) = &mut self.0 else {
            return now + constant(&network.delay);
        };
        let link = &mut links[direction as usize];
        link.last = link.last.max(now + network.delay.sample(&mut link.delays));
        link.last
    }
}

fn constant(dist: &Dist) -> Span {
    if let Dist::Constant(span) = dist { *span } else { unreachable!("links without memory have a constant delay") }
}

impl<O: Observe> World<'_, O> {
    fn arrival(&mut self, worker: WorkerId, direction: Direction) -> Option<(Time, bool)> {
        let now = self.now();
        let at = self.workers.get_mut(worker)?.links.arrival(now, &self.scenario.network, direction);
        let travels = at > now;
        if travels {
            self.fact(Fact::MessageSent { worker });
        }
        Some((at, travels))
    }

    /// A message to a worker that is gone is given up at once.
    pub(super) fn send_to_worker(&mut self, worker: WorkerId, message: ClusterMessage) {
        let Some((at, travelled)) = self.arrival(worker, Direction::ToWorker) else { return };
        if let Some(start) = message.start() {
            self.use_task(start.task);
        }
        self.calendar.schedule(at, class::DELIVERY, Event::ToWorker { worker, travelled, message });
    }

    pub(super) fn send_to_engine(&mut self, worker: WorkerId, message: WorkerMessage) {
        let Some((at, travelled)) = self.arrival(worker, Direction::ToEngine) else { return };
        self.calendar.schedule(at, class::DELIVERY, Event::ToEngine { worker, travelled, message });
    }

    pub(super) fn deliver_to_engine(&mut self, worker: WorkerId, travelled: bool, message: &WorkerMessage) {
        if travelled {
            self.fact(Fact::MessageArrived { worker });
        }
        for report in message.reports() {
            let start = report.start;
            let (task, queue, epoch, ticket) = (start.task, start.queue, start.epoch, start.ticket);
            self.fact(Fact::Reported { task, worker, queue, epoch, ticket });
        }
        self.tell_engine(Input::Worker { worker, message });
    }

    /// A worker that stands still reads its messages after it has gone on.
    pub(super) fn deliver_to_worker(&mut self, worker: WorkerId, travelled: bool, message: ClusterMessage) {
        if travelled {
            self.fact(Fact::MessageArrived { worker });
        }
        match self.workers.get_mut(worker) {
            Some(state) if !state.reads => state.inbox.push(message),
            Some(_) => self.read(worker, &message),
            None => self.drop_message(&message),
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
        for message in inbox {
            self.read(worker, &message);
        }
    }

    fn read(&mut self, worker: WorkerId, message: &ClusterMessage) {
        if matches!(message, ClusterMessage::Quiesce) {
            self.told_to_quiesce(worker);
        }
        self.tell_agent(worker, AgentInput::Message(message));
        self.drop_message(message);
    }

    /// The message no longer exists. An agent that begins to execute does so when it reads the start.
    pub(super) fn drop_message(&mut self, message: &ClusterMessage) {
        if let Some(start) = message.start() {
            self.unuse_task(start.task);
        }
    }
}
