//! The queue with the fewest unsettled tasks, the one created first on ties.

use super::{Choice, Placement, Pool};
use crate::base::QueueId;

#[derive(Debug)]
pub(super) struct LeastBacklog;

impl Placement for LeastBacklog {
    fn choose(&mut self, pool: &Pool, _: &Choice<'_>) -> QueueId {
        pool.least_loaded().expect("an active queue")
    }
}
