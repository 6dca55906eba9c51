//! Grants that were given up: an answer that was under way meanwhile may still name them.

use smallvec::SmallVec;

use crate::engine::message::{Holding, Holdings, Stamp};

#[derive(Clone, Copy, Debug)]
struct GivenUp {
    holding: Holding,
    /// When; or, later, when the report of its last task was answered.
    when: Stamp,
    /// The engine was told so, and whenever it hears of it the queue is another worker's. Otherwise its lease was over,
    /// of which the heartbeats tell.
    released: bool,
}

#[derive(Clone, Default, Debug)]
pub(super) struct GivenUps(SmallVec<[GivenUp; 2]>);

impl GivenUps {
    pub(super) fn add(&mut self, holding: Holding, when: Stamp, released: bool) {
        self.0.push(GivenUp { holding, when, released });
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, holding: Holding) -> bool {
        self.0.iter().any(|given_up| given_up.holding == holding)
    }

    /// Whether the engine was told that it is released, and has answered a heartbeat of `answered` that came after that.
    pub(super) fn was_released_before(&self, holding: Holding, answered: Stamp) -> bool {
        self.0.iter().any(|given_up| given_up.holding == holding && given_up.released && given_up.when < answered)
    }

    /// The report of its last task was answered. What an answer offers that is still under way was offered before.
    #[cold]
    pub(super) fn was_engaged_until(&mut self, now: Stamp, holding: Holding) {
        for given_up in self.0.iter_mut().filter(|given_up| given_up.holding == holding) {
            given_up.when = now;
        }
    }

    /// What ended before this heartbeat is a new offer when its answer names it. Not what was released; nor while the
    /// worker is engaged for it, its last task being stopped or its report unanswered: the engine, which hears of that
    /// task, has not taken the queue back yet.
    #[inline(always)]
    pub(super) fn forget(&mut self, heartbeat: Stamp, offered: &Holdings, is_engaged: impl Fn(Holding) -> bool) {
        self.0.retain(|GivenUp { holding, when, released }| {
            *when >= heartbeat || is_engaged(*holding) || (*released && offered.contains(holding))
        });
    }
}
