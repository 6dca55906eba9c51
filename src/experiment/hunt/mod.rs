//! Hunts for violated properties, or for bad performance: many short runs, each with its own seed and, in a swarm, its
//! own mix of faults.
//!
//! A run of a swarm has phases: warm, chaos (each kind of fault is on with probability one half, its intensity drawn
//! log-uniformly), heal (faults are over and healthy workers stay), drain, and the oracle's audit at the end. Everything
//! about a run follows from its mix of seeds alone, so that any find is repeated by naming it.
//!
//! A hunt goes in rounds of a fixed number of runs, which are looked at in order. A guided one draws every other run
//! from what the rounds before it saw (`guide.rs`), so what is seen never depends on the number of threads.

mod guide;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rayon::prelude::*;

use super::judge::judged_properties;
use super::replicate::{settings, text_of};
use super::swarm::Mix;
use crate::base::names::{ProbeSet, PropertySet};
use crate::base::{ClassId, Probe, Property};
use crate::engine::EngineFactory;
use crate::observe::Observer;
use crate::scenario::Scenario;
use crate::world;

use guide::Guide;

/// Runs between two looks at what was seen; a fixed number, or a guided hunt would depend on the machine.
const ROUND: u64 = 64;

/// A run in which something went wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Find {
    /// What it is drawn from.
    pub mix: Mix,
    /// The properties that were violated, of those promised or demanded by the file; empty: it panicked.
    pub violated: PropertySet,
    /// The property of the first breach.
    pub first: Option<Property>,
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
    /// What went wrong, in the order of the runs; at most [`Bag::FINDS`].
    pub finds: Vec<Find>,
    /// How many runs went wrong.
    pub wrong: u64,
    /// The runs with the greatest values of the metric, where one is maximised; at most [`Bag::WORST`], the worst first.
    pub worst: Vec<(f64, Mix)>,
}

impl Bag {
    /// So many finds are kept.
    pub const FINDS: usize = 1_000;
    /// So many runs of the worst performance are kept.
    pub const WORST: usize = 10;

    /// The probes that no run hit, as a sentence; `None`: all were hit. An overlap is no danger to be met, but a breach.
    pub fn never_hit(&self) -> Option<String> {
        let missed = |it: &&Probe| **it != Probe::Overlap && !self.probes.contains_key(&it.index());
        let never: Vec<&str> = Probe::ALL.iter().filter(missed).map(|it| it.name()).collect();
        (!never.is_empty()).then(|| format!("never hit, so nothing was tested there: {}", never.join(", ")))
    }

    fn add(&mut self, mix: &Mix, seen: Seen) {
        self.runs += 1;
        self.tasks += seen.tasks;
        for probe in seen.probes.iter() {
            *self.probes.entry(probe.index()).or_default() += 1;
        }
        self.wrong += u64::from(seen.find.is_some());
        if self.finds.len() < Bag::FINDS {
            self.finds.extend(seen.find);
        }
        if let Some(value) = seen.value {
            let place = self.worst.partition_point(|(other, _)| other.total_cmp(&value).is_ge());
            self.worst.insert(place, (value, mix.clone()));
            self.worst.truncate(Bag::WORST);
        }
    }
}

/// A run to be hunted in.
pub struct Quarry {
    /// What is run: its replication 0.
    pub scenario: Scenario,
    /// By which engine.
    pub factory: Arc<dyn EngineFactory>,
}

/// Where and how to hunt.
pub struct Hunt<'a> {
    /// Makes the run of a mix.
    pub quarry: &'a (dyn Fn(&Mix) -> Quarry + Sync),
    /// The first run; those that are drawn from seeds alone have this one and the next ones.
    pub first: Mix,
    /// So many runs.
    pub runs: u64,
    /// On so many threads (at least one).
    pub jobs: usize,
    /// Whether every other run is a changed one of those that came across what is rare, or performed worst.
    pub guided: bool,
    /// The metric whose greatest values are looked for.
    pub maximise: Option<(&'static str, Option<ClassId>)>,
}

/// How far a hunt is, for whoever watches from another thread, and the way to stop it.
#[derive(Default, Debug)]
pub struct Watch {
    stop: AtomicBool,
    runs: AtomicU64,
    wrong: AtomicU64,
    probes: AtomicU64,
}

impl Watch {
    /// Asks the hunt to end with what is finished.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
    /// Runs that are finished.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }
    /// Runs that went wrong, up to the last round.
    pub fn wrong(&self) -> u64 {
        self.wrong.load(Ordering::Relaxed)
    }
    /// Probes that were hit, up to the last round.
    pub fn probes(&self) -> u64 {
        self.probes.load(Ordering::Relaxed)
    }
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// Hunts until all runs are done or `watch` is stopped. What is seen does not depend on the number of threads, unless
/// the hunt is stopped.
///
/// # Panics
/// If no threads can be started.
pub fn hunt(hunt: &Hunt<'_>, watch: &Watch) -> Bag {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(hunt.jobs.max(1)).build().expect("threads can be started");
    let mut bag = Bag::default();
    let mut guide = Guide::new(hunt.first.seed);
    let (mut planned, mut fresh) = (0, 0);
    while planned < hunt.runs && !watch.is_stopped() {
        let mut round = Vec::new();
        for number in planned..hunt.runs.min(planned + ROUND) {
            let mutant = (hunt.guided && number % 2 == 1).then(|| guide.mutant(&bag, number)).flatten();
            round.push(mutant.unwrap_or_else(|| {
                fresh += 1;
                Mix { seed: hunt.first.seed.wrapping_add(fresh - 1), ..hunt.first.clone() }
            }));
        }
        planned += round.len() as u64;
        let one = |mix: &Mix| {
            let seen = (!watch.is_stopped()).then(|| run(mix, hunt));
            watch.runs.fetch_add(u64::from(seen.is_some()), Ordering::Relaxed);
            seen
        };
        let seen: Vec<Option<Seen>> = pool.install(|| round.par_iter().map(one).collect());
        for (mix, seen) in round.iter().zip(seen) {
            if let Some(seen) = seen {
                guide.learn(mix, seen.probes, &bag);
                bag.add(mix, seen);
            }
        }
        watch.wrong.store(bag.wrong, Ordering::Relaxed);
        watch.probes.store(bag.probes.len() as u64, Ordering::Relaxed);
    }
    bag
}

/// What one run gave.
#[derive(Default)]
struct Seen {
    tasks: u64,
    probes: ProbeSet,
    find: Option<Find>,
    /// Of the metric that is maximised.
    value: Option<f64>,
}

fn run(mix: &Mix, hunt: &Hunt<'_>) -> Seen {
    let Quarry { scenario, factory } = (hunt.quarry)(mix);
    let guarantees = factory.guarantees(scenario.detection);
    let settings = settings(&scenario, &guarantees, false);
    let run = catch_unwind(AssertUnwindSafe(|| {
        let mut observer = Observer::new(settings);
        let stats = world::simulate(&scenario, factory.as_ref(), 0, &mut observer);
        observer.finish(stats.ended_at)
    }));
    let mix = mix.clone();
    match run {
        Err(cause) => {
            let find = Find { mix, violated: PropertySet::EMPTY, first: None, cause: text_of(&*cause) };
            Seen { find: Some(find), ..Seen::default() }
        }
        Ok(seen) => {
            let judged = judged_properties(&scenario.expect, guarantees.properties);
            let violated: PropertySet = seen.violated().iter().filter(|it| judged.contains(*it)).collect();
            let first = seen.violations.iter().find(|violation| violated.contains(violation.property));
            let find = first.map(|first| Find {
                mix,
                violated,
                first: Some(first.property),
                cause: format!("{} at {}: {}", first.property, first.at, scenario.labels.named(&first.cause)),
            });
            let value = hunt.maximise.and_then(|metric| seen.metrics.get(&metric).copied());
            Seen { tasks: seen.tasks, probes: seen.probes, find, value }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;
    use crate::scenario::{SourceText, load};

    const RESTLESS: &str = "
name: restless
run: {horizon: 3m, drain: 3m}
resources: {r: {count: 3}}
workload: [{class: one, arrivals: {poisson: 4/m}, service: {exponential: {mean: 10s}}, claims: {r: 1}}]
workers: {initial: 2, lifetime: {exponential: {mean: 5m}}, restart_after: 10s, pause: {every: {exponential: {mean: 1m}}, for: 40s}}
engine: {queue_first: {queues: {min: 1, max: 3}, lease: none}}
";

    /// Every part that is drawn again makes another run.
    fn quarry(mix: &Mix) -> Quarry {
        let mut scenario = load(&SourceText::new("restless.yaml", RESTLESS), &[]).unwrap().scenario;
        scenario.run.seed = mix.redrawn.values().fold(mix.seed, |seed, other| seed.wrapping_mul(31) ^ other);
        let factory = Registry::new().factory(&scenario.engine).unwrap();
        Quarry { scenario, factory }
    }

    fn bag(jobs: usize, guided: bool, maximise: Option<&'static str>) -> Bag {
        let maximise = maximise.map(|name| (name, None));
        let plan = Hunt { quarry: &quarry, first: Mix::of(5), runs: ROUND + 16, jobs, guided, maximise };
        hunt(&plan, &Watch::default())
    }

    #[test]
    fn what_is_seen_does_not_depend_on_the_number_of_threads() {
        let (one, three) = (bag(1, true, Some("wait.max")), bag(3, true, Some("wait.max")));
        assert_eq!((one.runs, one.tasks), (ROUND + 16, three.tasks));
        assert_eq!((one.probes, one.finds, one.worst), (three.probes, three.finds, three.worst));
    }

    #[test]
    fn a_hunt_takes_seeds_in_order_and_a_guided_one_changes_what_performed_worst() {
        let plain = bag(2, false, Some("wait.max"));
        assert!(plain.worst.iter().all(|(_, mix)| mix.redrawn.is_empty() && (5..5 + plain.runs).contains(&mix.seed)));
        assert!(plain.worst.windows(2).all(|pair| pair[0].0 >= pair[1].0) && plain.worst.len() == Bag::WORST);
        let guided = bag(2, true, Some("wait.max"));
        assert!(guided.worst.iter().any(|(_, mix)| !mix.redrawn.is_empty()), "{:?}", guided.worst);
    }

    #[test]
    fn a_hunt_that_is_stopped_ends_with_what_is_finished() {
        let watch = Watch::default();
        watch.stop();
        let plan = Hunt { quarry: &quarry, first: Mix::of(5), runs: u64::MAX, jobs: 1, guided: false, maximise: None };
        assert_eq!(hunt(&plan, &watch).runs, 0);
    }
}
