//! Runs a replication again and names the first fact that differs.

use crate::base::Time;
use crate::engine::EngineFactory;
use crate::fact::{Fact, Observe};
use crate::observe::digest::Digest;
use crate::scenario::Scenario;
use crate::world;

/// Two runs of one scenario, seed and engine that are not the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// In which replication.
    pub replication: u32,
    /// The first fact that differs, in words; `None`: further runs agreed with each other.
    pub fact: Option<String>,
}

/// The digest after each fact, and a look at one of them.
#[derive(Default)]
struct Trail {
    now: Time,
    digest: Digest,
    /// What the digest was after each fact of the run before; empty: there is none.
    expected: Vec<u64>,
    passed: Vec<u64>,
    first_difference: Option<String>,
}

impl Observe for Trail {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if now > self.now {
            self.now = now;
            self.digest.advance(now);
        }
        self.digest.add(fact);
        let value = self.digest.value() as u64;
        let position = self.passed.len();
        self.passed.push(value);
        if self.first_difference.is_none() && self.expected.get(position).is_some_and(|expected| *expected != value) {
            self.first_difference = Some(format!("fact {} at {now}: {fact:?}", position + 1));
        }
    }
}

/// Runs a replication once more. `digest` is that of its facts before; `None`: they are the same again.
pub fn verify(scenario: &Scenario, factory: &dyn EngineFactory, replication: u32, digest: u128) -> Option<Difference> {
    let run = |expected: Vec<u64>| {
        let mut trail = Trail { expected, ..Trail::default() };
        world::simulate(scenario, factory, replication, &mut trail);
        trail
    };
    let again = run(Vec::new());
    if again.digest.value() == digest {
        return None;
    }
    let facts = again.passed.len();
    let third = run(again.passed);
    let ended = || format!("one run had {facts} facts and another one {}", third.passed.len());
    let fact = match third.first_difference {
        None if third.passed.len() != facts => Some(ended()),
        difference => difference,
    };
    Some(Difference { replication, fact })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::agent::AgentOptions;
    use crate::engine::queue_first::{Policies, factory};
    use crate::engine::{Context, Detection, Engine, EngineSpec, Guarantees};
    use crate::scenario::{SourceText, load};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Engines of one factory that choose by another seed each.
    struct Fickle(Arc<dyn EngineFactory>, AtomicU64);

    impl EngineFactory for Fickle {
        fn name(&self) -> &str {
            "fickle"
        }
        fn fresh(&self, context: Context) -> Box<dyn Engine> {
            self.0.fresh(Context { seed: self.1.fetch_add(1, Ordering::Relaxed), ..context })
        }
        fn guarantees(&self, detection: Detection) -> Guarantees {
            self.0.guarantees(detection)
        }
        fn agent(&self, detection: Detection) -> AgentOptions {
            self.0.agent(detection)
        }
    }

    const TEXT: &str = "
name: verified
run: {horizon: 10m}
resources: {r: {count: 50}}
workload: [{class: c, arrivals: {poisson: 30/m}, service: 5s, claims: {r: 1}}]
workers: {initial: 4}
engine: {queue_first: {queues: {min: 4, max: 4}, placement: random}}
";

    #[test]
    fn the_first_fact_that_differs_is_named_and_an_honest_engine_has_none() {
        let scenario = load(&SourceText::new("verified.yaml", TEXT), &[]).expect("a valid scenario").scenario;
        let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("a built-in engine") };
        let honest = factory(spec, &Policies::default()).expect("built-in policies");
        let mut trail = Trail::default();
        world::simulate(&scenario, honest.as_ref(), 0, &mut trail);
        let digest = trail.digest.value();
        assert_eq!(verify(&scenario, honest.as_ref(), 0, digest), None);
        let fickle = Fickle(honest, AtomicU64::new(1));
        let difference = verify(&scenario, &fickle, 0, digest).expect("a difference");
        assert!(difference.fact.expect("a fact").contains("Placed"), "queues are chosen by chance");
    }
}
