//! Recovery. All of pulpcore's state is rows of a database, which no crash of a process loses; here the rows are the
//! records. When a task was created is not in them: tasks from before the crash are picked in any order.
//!
//! Who executes something by the records is expected to be heard, and cleaned up if it is not heard for the ttl.

use super::spec::CleanUp;
use super::{PullLocks, State, Task, Timer};
use crate::base::{Claims, Span, Time};
use crate::engine::records::Records;

impl PullLocks {
    pub(super) fn take_in(&mut self, records: &Records) {
        for (id, record) in &records.tasks {
            let claims = Claims::from_slice(&record.claims);
            let runnable = self.admission.enter(*id, &claims);
            let state = match record.running {
                Some((worker, ticket)) => {
                    self.expect(worker, (*id, ticket));
                    State::Taken { worker, ticket, started: true }
                }
                None if record.lost > 0 => {
                    self.abandoned.insert(*id);
                    State::Abandoned
                }
                None if runnable => {
                    self.unblocked.insert(*id);
                    State::Unblocked
                }
                None => State::Waiting,
            };
            self.tasks.insert(*id, Task { claims, created: Time::ZERO, state, cancelled: record.cancelled });
        }
    }

    /// The first instant: silence is counted from here.
    pub(super) fn await_expected(&mut self, now: Time) {
        if self.workers.hear_all(now) && self.options.clean_up == CleanUp::OnDisconnect {
            // A connection that broke while nobody listened is not told of again.
            self.set(now + self.context.detection.ttl + Span::from_micros(1), Timer::CleanUp);
        }
    }
}
