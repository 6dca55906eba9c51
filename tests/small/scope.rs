//! How much is tried, and what is tried.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use lanekeeper::base::{Claim, ResourceId, Span, TaskId};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::spec::{Lease, LeaseSpec, QueueFirstSpec, QueueLimits};
use lanekeeper::engine::{Detection, EngineFactory};

use super::Action;

/// Time passes in steps of a heartbeat.
pub const STEP: Span = Span::from_secs(10);
/// A worker is lost at the second step after it was heard last: one heartbeat late.
const TTL: Span = Span::from_secs(15);
/// Its agent gives a queue up at the third step, and so does the engine, which waits for the margin, too: no step lies
/// between the two, as no fault here lets clocks run apart.
const LEASE: Lease = Lease { duration: Span::from_secs(25), margin: Span::from_secs(5), fencing: true };
/// An instant so long ago is over for everybody.
pub const LONG_AGO: Span = Span::from_secs(30);

/// What the tasks claim, the first ones of these: two queues, a task that is tied to both, and one behind it.
const TASKS: [&[u32]; 4] = [&[0], &[1], &[0, 1], &[0]];

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    pub workers: usize,
    pub queues: u32,
    pub tasks: usize,
    pub faults: u32,
    /// So many steps of time.
    pub steps: u32,
}

impl Scope {
    pub const fn new(workers: usize, queues: u32, tasks: usize, faults: u32, steps: u32) -> Scope {
        Scope { workers, queues, tasks, faults, steps }
    }

    pub fn spec(&self) -> QueueFirstSpec {
        QueueFirstSpec {
            queues: QueueLimits { min: self.queues, max: self.queues },
            lease: LeaseSpec::Lease(LEASE),
            ..QueueFirstSpec::default()
        }
    }

    /// The engine of this scope and how its workers are monitored.
    pub fn honest(self) -> Arc<Setup> {
        self.with(factory(&self.spec(), &Policies::default()).expect("built-in policies"), None)
    }

    /// `only`: no faults but these strike.
    pub fn with(self, factory: Arc<dyn EngineFactory>, only: Option<fn(Action) -> bool>) -> Arc<Setup> {
        Arc::new(Setup { scope: self, factory, detection: Detection { heartbeat: STEP, ttl: TTL }, only })
    }
}

/// What never changes.
pub struct Setup {
    pub scope: Scope,
    pub factory: Arc<dyn EngineFactory>,
    pub detection: Detection,
    /// No faults but these strike.
    pub only: Option<fn(Action) -> bool>,
}

impl FromStr for Scope {
    type Err = String;
    fn from_str(text: &str) -> Result<Scope, String> {
        let numbers: Result<Vec<u32>, _> = text.split(',').map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[workers, queues, tasks @ 0..=4, faults, steps]) => {
                Ok(Scope::new(workers as usize, queues, tasks as usize, faults, steps))
            }
            _ => Err(format!("`{text}` is no scope: write workers,queues,tasks,faults,steps; at most 4 tasks")),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scope { workers, queues, tasks, faults, steps } = self;
        write!(f, "{workers} workers, {queues} queues, {tasks} tasks, {faults} faults, {steps} steps of time")
    }
}

pub fn claims_of(task: TaskId) -> Vec<Claim> {
    TASKS[task.0 as usize].iter().map(|resource| Claim::exclusive(ResourceId(*resource))).collect()
}
