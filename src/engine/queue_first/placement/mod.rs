//! Placement: which active queue a task without ties goes to. One policy a file.

mod least_backlog;
mod random;
mod round_robin;
mod sticky;

use std::fmt::Debug;
use std::sync::Arc;

use super::pool::Pool;
use crate::base::{Claim, QueueId, TaskId};
use crate::engine::spec::PlacementSpec;

/// What a policy decides about.
#[derive(Debug)]
pub struct Choice<'a> {
    /// The task.
    pub task: TaskId,
    /// What it claims; never empty.
    pub claims: &'a [Claim],
    /// The queue that last held a task with its first claimed resource; it may be gone.
    pub last: Option<QueueId>,
    /// A seed for choices by chance.
    pub seed: u64,
}

/// Which active queue a task without ties goes to.
pub trait Placement: Debug + Send {
    /// An active queue of the pool, which has at least one.
    fn choose(&mut self, pool: &Pool, choice: &Choice<'_>) -> QueueId;
}

/// Makes a policy for one engine.
pub type PlacementMaker = Arc<dyn Fn() -> Box<dyn Placement> + Send + Sync>;

/// The built-in policy of this spec; `None`: it is one of somebody's own.
pub(super) fn built_in(spec: &PlacementSpec) -> Option<PlacementMaker> {
    match spec {
        PlacementSpec::LeastBacklog => Some(Arc::new(|| Box::new(least_backlog::LeastBacklog))),
        PlacementSpec::Sticky => Some(Arc::new(|| Box::new(sticky::Sticky))),
        PlacementSpec::RoundRobin => Some(Arc::new(|| Box::new(round_robin::RoundRobin::default()))),
        PlacementSpec::Random => Some(Arc::new(|| Box::new(random::Random))),
        PlacementSpec::Custom(_) => None,
    }
}
