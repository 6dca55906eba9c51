//! Where messages lie while they are on their way: the calendar holds and moves nothing but their place, and of one that
//! is delivered next it does not hear at all.

use crate::base::{Term, WorkerId};
use crate::engine::message::Start;
use crate::engine::{ClusterMessage, WorkerMessage};

/// A message that is on its way.
pub(super) struct Message {
    /// Who sent it, or for whom it is.
    pub(super) worker: WorkerId,
    /// Whether it takes time.
    pub(super) travelled: bool,
    pub(super) body: Body,
}

/// What is on its way, by who sent it.
pub(super) enum Body {
    /// A worker's word to the engine.
    Worker(WorkerMessage),
    /// The word of the engine of this term to a worker.
    Engine(Term, ClusterMessage),
    /// The effect of what this began, to the store.
    Effect(Start),
}

/// A message that was there as soon as it was sent and is delivered next, before whatever else is delivered at this
/// instant. Each direction has a place of its own, so that a message is copied there and back and nothing else.
pub(super) struct Next {
    pub(super) whose: Whose,
    pub(super) word: WorkerMessage,
    pub(super) order: ClusterMessage,
}

/// Which message is next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Nobodys,
    /// The word of this worker to the engine.
    Workers(WorkerId),
    /// The order of the engine of this term to this worker.
    Engines(Term, WorkerId),
}

impl Next {
    pub(super) fn nothing() -> Next {
        Next { whose: Whose::Nobodys, word: WorkerMessage::Leave, order: ClusterMessage::Quiesce }
    }
}

/// Where something lies.
#[derive(Clone, Copy)]
pub(super) struct Parcel(u32);

/// Messages in places that are used again.
#[derive(Default)]
pub(super) struct Parcels {
    places: Vec<Option<Message>>,
    free: Vec<Parcel>,
}

impl Parcels {
    pub(super) fn put(&mut self, message: Message) -> Parcel {
        if let Some(parcel) = self.free.pop() {
            self.places[parcel.0 as usize] = Some(message);
            return parcel;
        }
        self.places.push(Some(message));
        Parcel(u32::try_from(self.places.len() - 1).expect("too many messages are on their way"))
    }

    /// Takes it out, once.
    pub(super) fn take(&mut self, parcel: Parcel) -> Message {
        let message = self.places[parcel.0 as usize].take().expect("a message is delivered once");
        self.free.push(parcel);
        message
    }
}
