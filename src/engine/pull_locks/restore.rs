//! Recovery. All of pulpcore's state is rows of a database, which no crash of a process loses; here the rows are the
//! records. When a task was created is not in them: tasks from before the crash are picked in any order.
//!
//! Who executes something by the records is expected to be heard, and cleaned up like any other if it is not. Connections
//! that broke meanwhile are noticed when the database is back.

use super::{PullLocks, State, Task};
use crate::base::{Claims, Time};
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
                    self.unblocked.insert(Time::ZERO, *id);
                    State::Unblocked
                }
                None => State::Waiting,
            };
            self.tasks.insert(*id, Task { claims, created: Time::ZERO, state, cancelled: record.cancelled });
        }
    }
}
