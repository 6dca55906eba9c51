//! One active queue after the other, in order of creation.

use super::{Choice, Placement, Pool};
use crate::base::QueueId;

#[derive(Default, Debug)]
pub(super) struct RoundRobin {
    last: Option<QueueId>,
}

impl Placement for RoundRobin {
    fn choose(&mut self, pool: &Pool, _: &Choice<'_>) -> QueueId {
        let active = pool.active();
        let next = match self.last {
            Some(last) => active.partition_point(|queue| *queue <= last) % active.len(),
            None => 0,
        };
        self.last = Some(active[next]);
        active[next]
    }
}
