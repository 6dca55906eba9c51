//! The engine of a state: a function of what it was made from and of what it was given since. It is made anew whenever
//! it is given something, for an engine cannot be copied; `Debug` tells its states apart.

use std::sync::Arc;

use lanekeeper::base::{TaskId, Term, Time, WorkerId};
use lanekeeper::engine::message::WorkerMessage;
use lanekeeper::engine::{Context, Effect, Engine, Input, Records};

use super::canonical::{self, Shown};
use super::scope::{Setup, claims_of};

/// An input as it was given.
#[derive(Clone, PartialEq, Debug)]
pub enum Given {
    Limits,
    Submit(TaskId),
    Cancel(TaskId),
    Worker(WorkerId, WorkerMessage),
    Timeout,
}

struct Past {
    at: Time,
    given: Given,
    before: Option<Arc<Past>>,
}

#[derive(Clone)]
pub struct Brain {
    term: Term,
    /// What it was restored from.
    origin: Option<Arc<Records>>,
    past: Option<Arc<Past>>,
    /// All of its state, by its own order of things.
    pub shown: Arc<Shown>,
    /// A fingerprint of its state with every number in it.
    pub literal: u128,
    /// When it wants to be woken.
    pub due: Option<Time>,
}

impl Brain {
    pub fn fresh() -> Brain {
        Brain { term: Term(1), origin: None, past: None, shown: Arc::default(), literal: 0, due: None }
    }

    /// A new engine from records alone.
    pub fn restored(&self, records: &Arc<Records>) -> Brain {
        Brain { term: Term(self.term.0 + 1), origin: Some(Arc::clone(records)), ..Brain::fresh() }
    }

    pub fn term(&self) -> Term {
        self.term
    }

    fn engine(&self, setup: &Setup) -> Box<dyn Engine> {
        let context = Context { seed: 42, term: self.term, detection: setup.detection };
        let mut engine = match &self.origin {
            None => setup.factory.fresh(context),
            Some(records) => setup.factory.restore(records, context),
        };
        let mut past = Vec::new();
        let mut next = self.past.as_ref();
        while let Some(step) = next {
            past.push(step);
            next = step.before.as_ref();
        }
        let mut effects = Vec::new();
        for step in past.into_iter().rev() {
            hand(engine.as_mut(), setup, step.at, &step.given, &mut effects);
            effects.clear();
        }
        engine
    }

    /// Gives it an input; says what it wants done. `lasts`: somebody will ask for its state.
    pub fn give(&mut self, setup: &Setup, now: Time, given: Given, lasts: bool) -> Vec<Effect> {
        let mut engine = self.engine(setup);
        let mut effects = Vec::new();
        hand(engine.as_mut(), setup, now, &given, &mut effects);
        self.past = Some(Arc::new(Past { at: now, given, before: self.past.take() }));
        self.due = engine.next_timeout().map(|(at, _)| at);
        if lasts {
            let shown = canonical::read(format_args!("{engine:?}"), |text| {
                self.literal = canonical::fingerprint(text);
                canonical::own(text)
            });
            self.shown = Arc::new(Shown::new(&shown));
        }
        effects
    }
}

fn hand(engine: &mut dyn Engine, setup: &Setup, now: Time, given: &Given, out: &mut Vec<Effect>) {
    match given {
        Given::Limits => {
            let queues = setup.scope.queues;
            engine.handle(now, Input::Limits { min: queues, max: queues }, out);
        }
        Given::Submit(task) => engine.handle(now, Input::Submit { task: *task, claims: &claims_of(*task) }, out),
        Given::Cancel(task) => engine.handle(now, Input::Cancel { task: *task }, out),
        Given::Worker(worker, message) => engine.handle(now, Input::Worker { worker: *worker, message }, out),
        Given::Timeout => engine.handle(now, Input::Timeout, out),
    }
}
