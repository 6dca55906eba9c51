//! lanekeeper: which worker should serve which queue, and is it safe?
//!
//! Two things in one crate: an **assignment engine** that a real cluster could run ([`engine`]), and a **deterministic
//! discrete-event simulator** that drives this very engine with workers that arrive, die, pause and quiesce.
//!
//! # The map
//!
//! Data flows downwards; a module names only what stands above it (`tests/layers.rs` keeps it so).
//!
//! | layer | module | what it is |
//! |---|---|---|
//! | 0 | [`base`] | words: time, ids, claims, names of properties, probes and metrics |
//! | 1 | [`sim`] | calendar, random streams, distributions; no word of the domain |
//! | 1 | [`engine`] | **the product**: a pure state machine; the agent is the worker's half of it |
//! | 2 | [`scenario`] | YAML in, a [`scenario::Scenario`] that cannot be wrong out |
//! | 2 | [`import`] | recorded histories of real systems, as tables |
//! | 2 | [`fact`] | the narrow waist: what physically happened |
//! | 3 | [`world`] | the driver loop: workload, workers, wire; gives the engine inputs, writes facts |
//! | 4 | [`observe`] | oracle, metrics, timeline, digest: read facts and nothing else |
//! | 5 | [`experiment`] | many runs, estimates, verdicts |
//! | 5 | [`conformance`] | the suite that any engine can be put through |
//! | 6 | [`report`] | tables, CSV, JSON, charts |
//! | – | [`cli`] | one file per verb; [`cli::main_with`] runs it with your own engines and policies |
//!
//! A task's way through the files: `world/workload.rs` draws it → `engine/queue_first/router.rs` routes it to a queue →
//! `engine/queue_first/dispatch.rs` starts it on the queue's owner → `engine/agent.rs` executes and reports it →
//! `fact.rs` says so → `observe/` judges and measures. A recorded history's way: `import/` makes it a table →
//! `experiment/replay/` fits what dispatching cost, simulates and compares it → `report/fidelity.rs` shows it.
//!
//! # Glossary
//!
//! *claim*: (resource, exclusive or shared); tasks *conflict* when claims of theirs meet on one resource and at least
//! one is exclusive. *queue*: FIFO of tasks with claims; the one *general* queue holds those without. *parked*:
//! accepted, in no queue yet. *worker*: an anonymous session of a process. *grant*: "worker w serves queue q", numbered
//! by the queue's *epoch*, bounded by a *lease*. Workers *quiesce*; queues *drain*. *orphan*: a queue whose owner is
//! lost. *double duty*: one worker with several queues. *churn*: queues created, deleted, moved.
//!
//! # A run, from a program
//!
//! ```
//! use lanekeeper::engine::queue_first::{Policies, factory};
//! use lanekeeper::engine::EngineSpec;
//! use lanekeeper::fact::{Fact, Observe};
//! use lanekeeper::scenario::{SourceText, load};
//!
//! let text = "
//! name: two-tasks
//! workers: {initial: 1}
//! script:
//!   - {at: 0s, submit: {task: t1, claims: [repo], service: 10s}}
//!   - {at: 1s, submit: {task: t2, claims: [repo], service: 10s}}
//! ";
//! let source = SourceText::new("two-tasks.yaml", text);
//! let scenario = load(&source, &[]).expect("a valid scenario").scenario;
//! let EngineSpec::QueueFirst(spec) = &scenario.engine else { unreachable!() };
//! let factory = factory(spec, &Policies::default())?;
//!
//! struct Starts(Vec<u64>);
//! impl Observe for Starts {
//!     fn on(&mut self, now: lanekeeper::base::Time, fact: &Fact<'_>) {
//!         if let Fact::Started { .. } = fact {
//!             self.0.push(now.micros() / 1_000_000);
//!         }
//!     }
//! }
//! let mut starts = Starts(Vec::new());
//! lanekeeper::world::simulate(&scenario, factory.as_ref(), 0, &mut starts);
//! assert_eq!(starts.0, [0, 10], "one at a time, in order");
//! # Ok::<(), String>(())
//! ```

pub mod base;
pub mod cli;
pub mod conformance;
pub mod engine;
pub mod experiment;
pub mod fact;
pub mod import;
pub mod observe;
pub mod registry;
pub mod report;
pub mod scenario;
pub mod sim;
pub mod world;
