//! Sizing: whether the pool needs one more queue. One policy a file.
//!
//! The number of queues is a function of min, max, demand and available workers (R13). The engine keeps it between the
//! limits and creates beyond min only for a surplus worker; a policy says whether the demand asks for one.

mod backlog;
mod eager;
mod per_worker;

use std::fmt::Debug;
use std::sync::Arc;

use crate::base::Time;
use crate::engine::spec::CreateSpec;

/// What a policy sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Demand {
    /// Active queues.
    pub queues: u32,
    /// Active queues without any task.
    pub empty_queues: u32,
    /// Tasks with claims that are accepted and not started, parked ones included.
    pub waiting: u32,
    /// Healthy workers without a reserving queue; at least 1 when a policy is asked.
    pub surplus: u32,
    /// Why the policy is asked.
    pub occasion: Occasion,
}

/// Why a policy is asked. One that creates whenever it is asked may churn for ever: a new queue is empty and may be
/// deleted at once, since what waits is tied to other queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occasion {
    /// A task without ties is about to be placed.
    Placing,
    /// A worker joined.
    Joined,
    /// Something else happened, or a time came for which the policy asked.
    Other,
}

/// A policy's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// One more queue.
    Create,
    /// None for the moment.
    Enough,
    /// None yet; ask again at this time if nothing happens before.
    AskAgain(Time),
}

/// Whether the pool needs one more queue.
pub trait Sizing: Debug + Send {
    /// Asked whenever something changed while the pool is below its maximum.
    fn wish(&mut self, now: Time, demand: Demand) -> Wish;
}

/// Makes a policy for one engine.
pub type SizingMaker = Arc<dyn Fn() -> Box<dyn Sizing> + Send + Sync>;

/// The built-in policy of this spec; `None`: it is one of somebody's own.
pub(super) fn built_in(spec: &CreateSpec) -> Option<SizingMaker> {
    match spec {
        CreateSpec::When(when) => {
            let when = *when;
            Some(Arc::new(move || Box::new(backlog::Backlog::new(when))))
        }
        CreateSpec::PerWorker => Some(Arc::new(|| Box::new(per_worker::PerWorker))),
        CreateSpec::Eager => Some(Arc::new(|| Box::new(eager::Eager))),
        CreateSpec::Custom(_) => None,
    }
}
