//! Hunts for violated properties: many short runs, each with its own seed and, in a swarm, its own mix of faults.
//!
//! A run of a swarm has phases: warm, chaos (each kind of fault is on with probability one half, its intensity drawn
//! log-uniformly), heal (faults are over and healthy workers stay), drain, and the oracle's audit at the end. Everything
//! about a run follows from its seed alone, so that any find is repeated by naming it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::replicate::{Progress, settings, text_of};
use crate::base::Probe;
use crate::base::names::{ProbeSet, PropertySet};
use crate::engine::EngineFactory;
use crate::observe::Observer;
use crate::scenario::Scenario;
use crate::world;

/// A run in which something went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Find {
    /// Its seed.
    pub seed: u64,
    /// The promised properties that were violated; empty: it panicked.
    pub violated: PropertySet,
    /// The first breach in words, or what the panic said.
    pub cause: String,
}

impl Find {
    /// What went wrong: the names of the broken properties, or that it panicked.
    pub fn what(&self) -> String {
        let names: Vec<&str> = self.violated.iter().map(|it| it.name()).collect();
        if names.is_empty() { "it panicked".to_owned() } else { names.join(", ") }
    }
}

/// What a hunt has seen.
#[derive(Clone, Default, Debug)]
pub struct Bag {
    /// Runs that were finished.
    pub runs: u64,
    /// Tasks in them.
    pub tasks: u64,
    /// In how many runs each probe was hit, by its position in the list of probes.
    pub probes: BTreeMap<usize, u64>,
    /// What went wrong, by seed; at most [`Bag::FINDS`].
    pub finds: Vec<Find>,
    /// How many runs went wrong.
    pub wrong: u64,
}

impl Bag {
    /// So many finds are kept.
    pub const FINDS: usize = 1_000;

    /// The probes that no run hit, as a sentence; `None`: all were hit.
    pub fn never_hit(&self) -> Option<String> {
        let never: Vec<&str> =
            Probe::ALL.iter().filter(|it| !self.probes.contains_key(&it.index())).map(|it| it.name()).collect();
        (!never.is_empty()).then(|| format!("never hit, so nothing was tested there: {}", never.join(", ")))
    }

    fn add(&mut self, tasks: u64, probes: ProbeSet, find: Option<Find>) {
        self.runs += 1;
        self.tasks += tasks;
        for probe in probes.iter() {
            *self.probes.entry(probe.index()).or_default() += 1;
        }
        self.wrong += u64::from(find.is_some());
        self.finds.extend(find);
    }

    fn merge(&mut self, other: Bag) {
        self.runs += other.runs;
        self.tasks += other.tasks;
        self.wrong += other.wrong;
        for (probe, count) in other.probes {
            *self.probes.entry(probe).or_default() += count;
        }
        self.finds.extend(other.finds);
    }
}

/// A run to be hunted in.
pub struct Quarry {
    /// What is run: its replication 0.
    pub scenario: Scenario,
    /// By which engine.
    pub factory: std::sync::Arc<dyn EngineFactory>,
}

/// Runs the seeds `first .. first + count` on `jobs` threads, until `progress` is stopped. `quarry` makes the run of a
/// seed. What is seen does not depend on the number of threads, unless the hunt is stopped.
pub fn hunt(first: u64, count: u64, jobs: usize, quarry: &(dyn Fn(u64) -> Quarry + Sync), progress: &Progress) -> Bag {
    let next = AtomicU64::new(0);
    let bags = Mutex::new(Bag::default());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.max(1)).build().expect("threads can be started");
    pool.broadcast(|_| {
        let mut bag = Bag::default();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count || progress.is_stopped() {
                break;
            }
            one(first.wrapping_add(number), quarry, &mut bag);
        }
        bags.lock().expect("no thread panics while it holds the bag").merge(bag);
    });
    let mut bag = bags.into_inner().expect("no thread panics while it holds the bag");
    bag.finds.sort_by_key(|find| find.seed);
    bag.finds.truncate(Bag::FINDS);
    bag
}

fn one(seed: u64, quarry: &dyn Fn(u64) -> Quarry, bag: &mut Bag) {
    let Quarry { scenario, factory } = quarry(seed);
    let guarantees = factory.guarantees(scenario.detection);
    let settings = settings(&scenario, &guarantees, false);
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut observer = Observer::new(settings);
        let stats = world::simulate(&scenario, factory.as_ref(), 0, &mut observer);
        observer.finish(stats.ended_at)
    }));
    match run {
        Err(cause) => {
            let find = Find { seed, violated: PropertySet::EMPTY, cause: text_of(&*cause) };
            bag.add(0, ProbeSet::default(), Some(find));
        }
        Ok(seen) => {
            let promised = |property: &crate::base::Property| guarantees.properties.contains(*property);
            let violated: PropertySet = seen.violated().iter().filter(promised).collect();
            let first = seen.violations.iter().find(|violation| violated.contains(violation.property));
            let find = first.map(|first| Find {
                seed,
                violated,
                cause: format!("{} at {}: {}", first.property, first.at, scenario.labels.named(&first.cause)),
            });
            bag.add(seen.tasks, seen.probes, find);
        }
    }
}
