//! What a hunt finds of each planted bug is shrunk to a script that people read at a glance.
//!
//! A slice of the table of bugs is judged each time. The whole of it, as a table:
//! `LANEKEEPER_SHRINK=all cargo test --release --test sabotage_shrinks -- --nocapture`.

#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "how long it took is shown, never judged")]

mod sabotage;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::experiment::record::record;
use lanekeeper::experiment::shrink::{Aim, Options, Shrunk, shrink};
use lanekeeper::observe::Violation;
use lanekeeper::scenario::load_document;
use lanekeeper::scenario::write::yaml;
use sabotage::scenes::written_scene;
use sabotage::table::TABLE;
use sabotage::{Row, Saboteur, run};
use serde_json::Value;

/// A bug must be found within so many seeds.
const SEEDS: u64 = 20;
/// Every so manieth bug is judged where nothing else is asked for.
const STRIDE: usize = 9;

fn maker(row: &Row) -> impl Fn(&EngineSpec) -> Option<Arc<dyn EngineFactory>> + Sync {
    let plant = row.plant;
    move |spec| {
        let EngineSpec::QueueFirst(spec) = spec else { return None };
        Some(Arc::new(Saboteur::new(spec, plant)) as Arc<dyn EngineFactory>)
    }
}

/// The first seeds whose run violates the property, recorded and shrunk: the first that can be.
fn hunted(row: &Row) -> Option<Shrunk> {
    let engines = maker(row);
    let options = Options { engines: &engines, jobs: 2, dir: PathBuf::new(), stop: &|| false };
    (1..=SEEDS).find_map(|seed| {
        let mut scene = written_scene(row.scene);
        let seen = run(&scene.scenario, seed, row.plant);
        let violation = seen.violations.iter().find(|it| it.property == row.property)?;
        scene.scenario.run.seed = seed;
        let factory = engines(&scene.scenario.engine)?;
        let recorded = record(&scene.scenario, &scene.file, &*factory, 0).map(|file| file.document());
        shrink(&recorded, Aim::at(violation), &options)
    })
}

fn violations(document: &Value, row: &Row) -> Vec<Violation> {
    let Ok(loaded) = load_document(document.clone(), &PathBuf::new()) else { return Vec::new() };
    run(&loaded.scenario, loaded.scenario.run.seed, row.plant).violations
}

/// Whether the violation is gone without any one of the events.
fn is_minimal(shrunk: &Shrunk, row: &Row) -> bool {
    (0..shrunk.after.events).all(|event| {
        let mut document = shrunk.document.clone();
        document["script"].as_array_mut().expect("a script").remove(event);
        violations(&document, row).iter().all(|it| !Aim::at(&shrunk.violation).is(it))
    })
}

fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

#[test]
fn what_is_found_of_a_planted_bug_shrinks_to_a_few_lines() {
    let all = std::env::var_os("LANEKEEPER_SHRINK").is_some();
    let mut sizes = Vec::new();
    println!("| {:58} | {:15} | events | workers | tasks | tried | seconds |", "bug", "property");
    for row in TABLE.iter().step_by(if all { 1 } else { STRIDE }) {
        let begun = Instant::now();
        let shrunk = hunted(row).unwrap_or_else(|| panic!("what was found of `{}` cannot be shrunk", row.bug));
        let seconds = begun.elapsed().as_secs_f64();
        let size = shrunk.after;
        println!(
            "| {:58} | {:15} | {:>6} | {:>7} | {:>5} | {:>5} | {seconds:>7.1} |",
            row.bug,
            row.property.name(),
            size.events,
            size.workers,
            size.tasks,
            shrunk.tried
        );
        assert!(is_minimal(&shrunk, row), "{}:\n{}", row.bug, yaml(&shrunk.document));
        sizes.push(size);
    }
    let median_of = |part: fn(&lanekeeper::experiment::shrink::Size) -> usize| median(sizes.iter().map(part).collect());
    let (events, workers, tasks) = (median_of(|it| it.events), median_of(|it| it.workers), median_of(|it| it.tasks));
    println!("median: {events} events, {workers} workers, {tasks} tasks");
    assert!(events <= 6 && workers <= 3 && tasks <= 4, "median {events} events, {workers} workers, {tasks} tasks");
}
