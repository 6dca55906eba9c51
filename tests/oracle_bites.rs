//! The judge on trial: every planted bug is caught by the property that should catch it, within a bounded number of
//! seeds, and the engine without bugs is never accused.
//!
//! `LANEKEEPER_CHAOS_RUNS=100000 cargo test --release --test oracle_bites chaos -- --nocapture` is the long campaign;
//! `LANEKEEPER_CHAOS_FROM` is its first seed.

mod sabotage;

use std::collections::BTreeSet;

use lanekeeper::base::names::ProbeSet;
use lanekeeper::base::{Probe, Property};
use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::observe::Observation;
use lanekeeper::scenario::Scenario;
use sabotage::scenes::{chaos, names, scene};
use sabotage::table::TABLE;
use sabotage::{Plant, Row, Saboteur, run};

/// A bug must be found within so many seeds.
const SEEDS: u64 = 20;
/// Chaos runs where nothing else is asked for.
const CHAOS_RUNS: u64 = 2_000;

/// The first seed under which the property catches the bug, and all that were violated until then.
fn hunt(row: &Row) -> (Option<u64>, BTreeSet<Property>) {
    let scenario = scene(row.scene);
    let mut violated = BTreeSet::new();
    let found = (1..=SEEDS).find(|seed| {
        let seen = run(&scenario, *seed, row.plant).violated();
        violated.extend(seen.iter());
        seen.contains(row.property)
    });
    (found, violated)
}

#[test]
fn every_planted_bug_is_caught_by_its_property() {
    let mut escaped = Vec::new();
    println!("| {:58} | {:16} | {:9} | seeds |", "bug", "caught by", "scene");
    for row in TABLE {
        let (seed, violated) = hunt(row);
        let seeds = seed.map_or("none".to_owned(), |seed| seed.to_string());
        println!("| {:58} | {:16} | {:9} | {seeds:>5} |", row.bug, row.property.name(), row.scene);
        if seed.is_none() {
            escaped.push(format!("{} is not caught by {} ({violated:?})", row.bug, row.property));
        }
    }
    assert!(escaped.is_empty(), "{}", escaped.join("\n"));
}

/// The breaches of what the engine promises.
fn broken_promises(scenario: &Scenario, seen: &Observation) -> Vec<String> {
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("chaos is for queue_first") };
    let promised = Saboteur::new(spec, Plant::Nothing).guarantees(scenario.detection).properties;
    let broken = seen.violations.iter().filter(|violation| promised.contains(violation.property));
    broken.map(|violation| format!("{} at {}: {}", violation.property, violation.at, violation.cause)).collect()
}

#[test]
fn without_a_bug_no_scene_accuses_anybody() {
    for name in names() {
        let scenario = scene(name);
        for seed in 1..=SEEDS {
            let broken = broken_promises(&scenario, &run(&scenario, seed, Plant::Nothing));
            assert!(broken.is_empty(), "{name}, seed {seed}: {broken:#?}");
        }
    }
}

#[test]
fn without_a_bug_no_chaos_accuses_anybody() {
    let number = |name: &str, default: u64| {
        #[allow(clippy::disallowed_methods, reason = "the length of a campaign is asked for from outside")]
        let asked = std::env::var(name);
        asked.map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
    };
    let from = number("LANEKEEPER_CHAOS_FROM", 0);
    let runs = number("LANEKEEPER_CHAOS_RUNS", CHAOS_RUNS);
    let mut seen_probes = ProbeSet::default();
    let mut tasks = 0;
    let mut accused = Vec::new();
    for seed in from..from + runs {
        let scenario = chaos(seed);
        let seen = run(&scenario, seed, Plant::Nothing);
        seen_probes = seen_probes.union(seen.probes);
        tasks += seen.tasks;
        let broken = broken_promises(&scenario, &seen);
        accused.extend(broken.into_iter().map(|breach| format!("chaos of seed {seed}: {breach}")));
    }
    let missed: Vec<&str> = Probe::ALL.iter().filter(|it| !seen_probes.contains(**it)).map(|it| it.name()).collect();
    println!("{runs} runs of chaos from seed {from}, {tasks} tasks; never seen: {missed:?}");
    assert!(accused.is_empty(), "{}", accused.join("\n"));
}
