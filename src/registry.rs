//! Engines and policies of the program that embeds this crate, beside the built-in ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::queue_first::placement::PlacementMaker;
use crate::engine::queue_first::sizing::SizingMaker;
use crate::engine::queue_first::{Policies, factory};
use crate::engine::spec::EngineMaker;
use crate::engine::{EngineFactory, EngineSpec, pull_locks, worker_owned};

const BUILT_IN: [&str; 3] = ["queue_first", "worker_owned", "pull_locks"];

/// What can be named in `engine:` beyond the built-in engines and policies.
#[derive(Clone, Default)]
pub struct Registry {
    engines: BTreeMap<String, EngineMaker>,
    policies: Policies,
}

impl Registry {
    /// The built-in engines and policies only.
    pub fn new() -> Registry {
        Registry::default()
    }

    /// Adds an engine: `engine: {custom: {name: …, options: …}}`.
    #[must_use]
    pub fn engine(mut self, name: &str, maker: EngineMaker) -> Registry {
        self.engines.insert(name.to_owned(), maker);
        self
    }

    /// Adds a placement policy: `placement: {custom: name}`.
    #[must_use]
    pub fn placement(mut self, name: &str, maker: PlacementMaker) -> Registry {
        self.policies.placements.insert(name.to_owned(), maker);
        self
    }

    /// Adds a sizing policy: `create: {custom: name}`.
    #[must_use]
    pub fn sizing(mut self, name: &str, maker: SizingMaker) -> Registry {
        self.policies.sizings.insert(name.to_owned(), maker);
        self
    }

    /// The factory of the engine that a scenario names.
    ///
    /// # Errors
    /// A sentence, when the engine or one of its policies is not registered, or its options are wrong.
    pub fn factory(&self, spec: &EngineSpec) -> Result<Arc<dyn EngineFactory>, String> {
        match spec {
            EngineSpec::QueueFirst(options) => factory(options, &self.policies),
            EngineSpec::WorkerOwned(options) => Ok(worker_owned::factory(options)),
            EngineSpec::PullLocks(options) => Ok(pull_locks::factory(options)),
            EngineSpec::Custom { name, options } => match self.engines.get(name) {
                Some(maker) => maker(options),
                None => {
                    let known: Vec<&str> = self.engines.keys().map(String::as_str).collect();
                    let known = [&BUILT_IN[..], &known].concat().join(", ");
                    Err(format!("no engine `{name}` is in this program: there are {known}"))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_nobody_registered_is_a_sentence() {
        let spec = EngineSpec::Custom { name: "mine".to_owned(), options: serde_json::Value::Null };
        let error = Registry::new().factory(&spec).err().unwrap();
        assert_eq!(error, "no engine `mine` is in this program: there are queue_first, worker_owned, pull_locks");
        let registry = Registry::new().engine("other", Arc::new(|_| Err("its options are wrong".to_owned())));
        assert!(registry.factory(&spec).err().unwrap().contains("pull_locks, other"));
        assert!(Registry::new().factory(&EngineSpec::default()).is_ok());
    }
}
