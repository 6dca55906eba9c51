//! Engines with one planted bug each: what the oracle is put on trial with.
//!
//! Most are `queue_first` with a forger between it and the world, who tampers with what goes in and what comes out
//! ([`wrapped`], [`wakes`]); what cannot be said so is written out as a small engine of its own ([`lock_table`],
//! [`managers`]).
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test file uses its own part of the saboteurs")]

pub mod clients;
pub mod lock_table;
pub mod managers;
pub mod scenes;
pub mod table;
pub mod view;
pub mod wakes;
pub mod wrapped;

use std::fmt;
use std::sync::Arc;

use lanekeeper::base::{Property, Time};
use lanekeeper::engine::agent::AgentOptions;
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::spec::QueueFirstSpec;
use lanekeeper::engine::{ClusterMessage, Outbox, Reason, Records, WorkerMessage};
use lanekeeper::engine::{Context, Detection, Effect, Engine, EngineFactory, EngineSpec, Guarantees, Input};
use lanekeeper::experiment::{Options, Progress, replicate};
use lanekeeper::observe::Observation;
use lanekeeper::scenario::Scenario;

use view::View;

/// A forger: takes each input instead of the engine, which it reaches through the relay.
pub type Forger = Box<dyn FnMut(&mut Relay<'_>, Input<'_>)>;

/// How a bug is planted.
#[derive(Clone, Copy)]
pub enum Plant {
    /// None at all.
    Nothing,
    /// Between the engine and the world.
    Forger(fn() -> Forger),
    /// The engine is given other options than it promises by.
    Options(fn(&mut QueueFirstSpec)),
    /// The workers' halves are told to behave otherwise.
    Agents(fn(&mut AgentOptions)),
    /// The engine is never woken.
    Deaf,
    /// What a new engine is restored from is tampered with.
    Records(fn(&mut Records)),
    /// An engine of its own.
    Written(fn(&QueueFirstSpec, Context) -> Box<dyn Engine>),
}

/// A row of the table: a bug, who must catch it, and where.
pub struct Row {
    pub bug: &'static str,
    pub property: Property,
    pub scene: &'static str,
    pub plant: Plant,
}

/// What a forger works with.
pub struct Relay<'a> {
    pub now: Time,
    /// What has been said so far.
    pub view: &'a mut View,
    engine: &'a mut dyn Engine,
    pub out: &'a mut Outbox,
}

impl Relay<'_> {
    /// Hands an input to the engine; gives what it wants done.
    pub fn effects(&mut self, input: Input<'_>) -> Outbox {
        let mut effects = Outbox::new();
        self.engine.handle(self.now, input, &mut effects);
        let effects: Outbox = effects.into_iter().flat_map(apart).collect();
        for effect in &effects {
            self.view.said(effect);
        }
        effects
    }
    /// Hands an input to the engine and lets its effects through.
    pub fn pass(&mut self, input: Input<'_>) {
        let effects = self.effects(input);
        self.out.extend(effects);
    }
}

/// What is said in one message, said in two: a forger need only know one form.
fn apart(effect: Effect) -> impl Iterator<Item = Effect> {
    let (first, second) = match effect {
        Effect::Send(worker, ClusterMessage::AnsweredAndStart { answered, start }) => (
            Effect::Send(worker, ClusterMessage::Answered { ticket: answered }),
            Some(Effect::Send(worker, ClusterMessage::Start(start))),
        ),
        other => (other, None),
    };
    [first].into_iter().chain(second)
}

struct Sabotaged {
    engine: Box<dyn Engine>,
    forger: Option<Forger>,
    view: View,
    deaf: bool,
}

/// What the forger keeps to itself is not shown.
impl fmt::Debug for Sabotaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} {}", self.engine, self.view, self.deaf)
    }
}

impl Engine for Sabotaged {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        let Some(forger) = &mut self.forger else { return self.engine.handle(now, input, out) };
        let mut forge = |input: Input<'_>| {
            self.view.heard(now, &input);
            forger(&mut Relay { now, view: &mut self.view, engine: self.engine.as_mut(), out: &mut *out }, input);
        };
        if let Input::Worker { worker, message: WorkerMessage::FinishedAndFetch(report) } = input {
            forge(Input::Worker { worker, message: &WorkerMessage::Finished(*report) });
            forge(Input::Worker { worker, message: &WorkerMessage::Fetch });
        } else {
            forge(input);
        }
    }
    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.engine.next_timeout().filter(|_| !self.deaf)
    }
}

/// Makes sabotaged engines that promise what the right one promises.
pub struct Saboteur {
    spec: QueueFirstSpec,
    plant: Plant,
    honest: Arc<dyn EngineFactory>,
}

impl Saboteur {
    pub fn new(spec: &QueueFirstSpec, plant: Plant) -> Saboteur {
        let honest = factory(spec, &Policies::default()).expect("built-in policies");
        Saboteur { spec: spec.clone(), plant, honest }
    }

    fn plant_in(&self, make: impl Fn(&dyn EngineFactory) -> Box<dyn Engine>, context: Context) -> Box<dyn Engine> {
        let (engine, forger) = match self.plant {
            Plant::Nothing | Plant::Records(_) => return make(&*self.honest),
            Plant::Agents(_) | Plant::Deaf => (make(&*self.honest), None),
            Plant::Forger(forger) => (make(&*self.honest), Some(forger())),
            Plant::Options(change) => {
                let mut spec = self.spec.clone();
                change(&mut spec);
                (make(&*factory(&spec, &Policies::default()).expect("built-in policies")), None)
            }
            Plant::Written(written) => (written(&self.spec, context), None),
        };
        Box::new(Sabotaged { engine, forger, view: View::default(), deaf: matches!(self.plant, Plant::Deaf) })
    }
}

impl EngineFactory for Saboteur {
    fn name(&self) -> &str {
        "sabotaged"
    }
    fn fresh(&self, context: Context) -> Box<dyn Engine> {
        self.plant_in(|factory| factory.fresh(context), context)
    }
    fn restore(&self, records: &Records, context: Context) -> Box<dyn Engine> {
        let mut records = records.clone();
        if let Plant::Records(tamper) = self.plant {
            tamper(&mut records);
        }
        self.plant_in(|factory| factory.restore(&records, context), context)
    }
    fn guarantees(&self, detection: Detection) -> Guarantees {
        self.honest.guarantees(detection)
    }
    fn agent(&self, detection: Detection) -> AgentOptions {
        let mut options = self.honest.agent(detection);
        if let Plant::Agents(change) = self.plant {
            change(&mut options);
        }
        options
    }
}

/// One run of a scenario under a seed, with a bug planted in its engine.
pub fn run(scenario: &Scenario, seed: u64, plant: Plant) -> Observation {
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("bugs are planted in queue_first") };
    let mut scenario = scenario.clone();
    scenario.run.seed = seed;
    scenario.run.replications = 1;
    let options = Options { jobs: 1, timeline: false };
    let mut results = replicate(&scenario, &Saboteur::new(spec, plant), options, &Progress::default());
    results.observations.pop().expect("one replication")
}

/// The settlement of a task, where an effect is one.
pub fn settlement(effect: &Effect) -> Option<lanekeeper::base::TaskId> {
    if let Effect::Settle(task, _) = effect { Some(*task) } else { None }
}
