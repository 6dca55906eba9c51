//! One more queue when so many tasks per queue were waiting for so long without a break.

use super::{Demand, Sizing, Wish};
use crate::base::Time;
use crate::engine::spec::CreateWhen;

#[derive(Debug)]
pub(super) struct Backlog {
    when: CreateWhen,
    since: Option<Time>,
}

impl Backlog {
    pub(super) fn new(when: CreateWhen) -> Backlog {
        Backlog { when, since: None }
    }
}

impl Sizing for Backlog {
    fn wish(&mut self, now: Time, demand: Demand) -> Wish {
        let needed = u64::from(self.when.backlog_per_queue) * u64::from(demand.queues.max(1));
        if u64::from(demand.waiting) < needed {
            self.since = None;
            return Wish::Enough;
        }
        let due = *self.since.get_or_insert(now) + self.when.held_for;
        if now < due {
            return Wish::AskAgain(due);
        }
        self.since = None;
        Wish::Create
    }
}
