//! Any active queue, each alike, by a hash of the seed and the task.

use super::{Choice, Placement, Pool};
use crate::base::QueueId;
use crate::base::mix::{below, mix};

#[derive(Debug)]
pub(super) struct Random;

impl Placement for Random {
    fn choose(&mut self, pool: &Pool, choice: &Choice<'_>) -> QueueId {
        let active = pool.active();
        let bits = mix(choice.seed, &[u64::from(choice.task.0)]);
        active[usize::try_from(below(bits, active.len() as u64)).expect("an index of a slice")]
    }
}
