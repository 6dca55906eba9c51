//! The queue where the first claimed resource was last, while it is active; otherwise the least loaded.

use super::{Choice, Placement, Pool};
use crate::base::QueueId;

#[derive(Debug)]
pub(super) struct Sticky;

impl Placement for Sticky {
    fn choose(&mut self, pool: &Pool, choice: &Choice<'_>) -> QueueId {
        let last = choice.last.filter(|queue| pool.is_active(*queue));
        last.or_else(|| pool.least_loaded()).expect("an active queue")
    }
}
