//! What is done to several at one instant is done to one after the other: whatever is there at once because of one comes
//! before the next, just as between two events of a script. So a script can say it all.

use std::collections::VecDeque;

use crate::base::{Claims, WorkerId};

use super::workload::Demand;
use super::{Event, World, class};

/// One of several things at one instant.
enum Hit {
    /// The host of this worker asks it to quiesce.
    Signal(WorkerId),
    Submit(Demand, Claims),
}

/// What is still to come at this instant.
#[derive(Default)]
pub(super) struct Hits(VecDeque<Hit>);

impl World<'_> {
    pub(super) fn signal_each(&mut self, workers: impl IntoIterator<Item = WorkerId>) {
        self.hit_each(workers.into_iter().map(Hit::Signal));
    }

    pub(super) fn submit_each(&mut self, tasks: Vec<(Demand, Claims)>) {
        self.hit_each(tasks.into_iter().map(|(demand, claims)| Hit::Submit(demand, claims)));
    }

    fn hit_each(&mut self, hits: impl Iterator<Item = Hit>) {
        let is_first = self.hits.0.is_empty();
        self.hits.0.extend(hits);
        if is_first {
            self.next_hit();
        }
    }

    pub(super) fn next_hit(&mut self) {
        let Some(hit) = self.hits.0.pop_front() else { return };
        if !self.hits.0.is_empty() {
            self.calendar.schedule_now(class::OUTSIDE, Event::NextHit);
        }
        match hit {
            Hit::Signal(worker) => self.signal(worker),
            Hit::Submit(demand, claims) => self.submit(&demand, &claims, None),
        }
    }
}
