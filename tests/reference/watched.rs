//! An engine whose every step the reference looks at.

use std::sync::{Arc, Mutex};

use lanekeeper::base::Time;
use lanekeeper::engine::agent::AgentOptions;
use lanekeeper::engine::spec::QueueFirstSpec;
use lanekeeper::engine::{
    Context, Detection, Effect, Engine, EngineFactory, Guarantees, Input, Outbox, Reason, Records,
};

use super::Reference;

/// Makes engines of another factory and has them watched.
pub struct Watched {
    factory: Arc<dyn EngineFactory>,
    reference: Arc<Mutex<Reference>>,
}

impl Watched {
    /// `spec`: the options by which the engines are to act.
    pub fn new(spec: &QueueFirstSpec, detection: Detection, factory: Arc<dyn EngineFactory>) -> Watched {
        Watched { factory, reference: Arc::new(Mutex::new(Reference::new(spec.clone(), detection.ttl))) }
    }

    /// What the reference objected to so far.
    pub fn objections(&self) -> Vec<String> {
        self.reference.lock().expect("nobody panicked").objections().to_vec()
    }
}

#[derive(Debug)]
struct Watching {
    engine: Box<dyn Engine>,
    reference: Arc<Mutex<Reference>>,
}

impl Engine for Watching {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        let mut effects: Vec<Effect> = Vec::new();
        self.engine.handle(now, input, &mut effects);
        self.reference.lock().expect("nobody panicked").watch(now, input, &effects);
        out.extend(effects);
    }
    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.engine.next_timeout()
    }
}

impl EngineFactory for Watched {
    fn name(&self) -> &str {
        self.factory.name()
    }
    fn fresh(&self, context: Context) -> Box<dyn Engine> {
        Box::new(Watching { engine: self.factory.fresh(context), reference: self.reference.clone() })
    }
    /// An engine after a crash is not watched: what the reference knows is from the one before.
    fn restore(&self, records: &Records, context: Context) -> Box<dyn Engine> {
        self.factory.restore(records, context)
    }
    fn guarantees(&self, detection: Detection) -> Guarantees {
        self.factory.guarantees(detection)
    }
    fn agent(&self, detection: Detection) -> AgentOptions {
        self.factory.agent(detection)
    }
}
