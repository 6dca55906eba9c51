//! A long random run that breaks a promise becomes a script of a few lines, and nothing of that script is superfluous.

use std::path::PathBuf;

use lanekeeper::base::Property;
use lanekeeper::experiment::record::record;
use lanekeeper::experiment::replicate::{Options as RunOptions, Progress, replicate};
use lanekeeper::experiment::shrink::{Aim, Options, Shrunk, shrink};
use lanekeeper::observe::Violation;
use lanekeeper::registry::Registry;
use lanekeeper::scenario::write::yaml;
use lanekeeper::scenario::{Loaded, SourceText, load, load_document};
use serde_json::Value;

/// Workers that pause for longer than they are trusted, and no leases: zombies.
const ZOMBIES: &str = "
name: zombies
run: {horizon: 3h, drain: 1h, replications: 1}
resources: {repo: {count: 20, popularity: {zipf: 1.0}}}
workload:
  - {class: sync, arrivals: {poisson: 2/m}, service: {lognormal: {mean: 40s, cv: 1.5}}, claims: {repo: 1}}
  - {class: copy, arrivals: {poisson: 20/h}, service: {exponential: {mean: 30s}}, claims: {repo: {exclusive: 1, shared: 1}}}
workers:
  initial: 6
  startup: {uniform: {min: 2s, max: 6s}}
  lifetime: {exponential: {mean: 2h}}
  exit: {crash: 70%, quiesce: 30%}
  restart_after: 1m
  pause: {every: {exponential: {mean: 20m}}, for: {uniform: {min: 20s, max: 90s}}}
network: {delay: {exponential: {mean: 2ms}}}
engine: {queue_first: {queues: {min: 2, max: 6}, lease: none}}
";

fn loaded(text: &str) -> Loaded {
    load(&SourceText::new("zombies.yaml", text), &[]).unwrap_or_else(|all| panic!("{}", all[0]))
}

/// What the first replication of a document violates.
fn violations(loaded: &Loaded) -> Vec<Violation> {
    let factory = Registry::new().factory(&loaded.scenario.engine).unwrap();
    let options = RunOptions { jobs: 1, timeline: false };
    let mut scenario = loaded.scenario.clone();
    scenario.run.replications = 1;
    replicate(&scenario, &*factory, options, &Progress::default()).observations.remove(0).violations
}

fn shrunk(loaded: &Loaded, property: Property, jobs: usize) -> Shrunk {
    let registry = Registry::new();
    let factory = registry.factory(&loaded.scenario.engine).unwrap();
    let violation =
        violations(loaded).into_iter().find(|it| it.property == property).expect("the property is violated");
    let engines = |spec: &_| registry.factory(spec).ok();
    let options = Options { engines: &engines, jobs, dir: PathBuf::new(), stop: &|| false };
    let recorded = record(&loaded.scenario, &loaded.file, &*factory, 0).map(|file| file.document());
    shrink(&recorded, Aim::at(&violation), &options).expect("what was recorded shows it too")
}

fn still_violates(document: Value, property: Property) -> bool {
    let Ok(loaded) = load_document(document, &PathBuf::new()) else { return false };
    violations(&loaded).iter().any(|it| it.property == property)
}

#[test]
fn hours_of_zombies_become_one_pause_and_what_it_hits() {
    let small = shrunk(&loaded(ZOMBIES), Property::Exclusion, 2);
    assert!(small.before.events > 400, "{:?}", small.before);
    let (after, text) = (small.after, yaml(&small.document));
    assert!(after.events <= 3 && after.workers <= 2 && after.tasks <= 2, "{after:?}\n{text}");
    assert_eq!(small.document["expect"]["violated"][0], "exclusion");
    assert!(text.lines().count() <= 10 && !text.contains("seed"), "{text}");
    assert!(still_violates(small.document, Property::Exclusion));
}

#[test]
fn without_any_one_of_its_events_the_violation_is_gone() {
    let small = shrunk(&loaded(ZOMBIES), Property::Exclusion, 2);
    for event in 0..small.after.events {
        let mut document = small.document.clone();
        document["script"].as_array_mut().unwrap().remove(event);
        assert!(!still_violates(document, Property::Exclusion), "event {event} of\n{}", yaml(&small.document));
    }
}

#[test]
fn what_is_left_has_timings_that_work_and_no_event_after_the_violation() {
    let small = shrunk(&loaded(ZOMBIES), Property::Ownership, 2);
    let text = yaml(&small.document);
    let again = load_document(small.document, &PathBuf::new()).unwrap();
    assert!(again.warnings.iter().all(|it| !it.path.starts_with("detection")), "{text}\n{:?}", again.warnings);
    assert!(again.scenario.script.iter().all(|event| event.at <= small.violation.at), "{text}");
}

#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let zombies = loaded(ZOMBIES);
    let (one, three) = (shrunk(&zombies, Property::Exclusion, 1), shrunk(&zombies, Property::Exclusion, 3));
    assert_eq!(yaml(&one.document), yaml(&three.document));
    assert_eq!((one.tried, one.others.len()), (three.tried, three.others.len()));
}

#[test]
fn another_property_than_the_one_that_is_violated_is_not_accepted() {
    let zombies = loaded(ZOMBIES);
    let found = violations(&zombies).into_iter().find(|it| it.property == Property::Exclusion).unwrap();
    let engines = |spec: &_| Registry::new().factory(spec).ok();
    let options = Options { engines: &engines, jobs: 1, dir: PathBuf::new(), stop: &|| false };
    let elsewhere = Aim::at(&Violation { property: Property::PoolBounds, ..found.clone() });
    assert!(shrink(&[zombies.file.document()], elsewhere, &options).is_none());
    let other_cause = Aim::at(&Violation { cause: "for another reason".into(), ..found });
    assert!(shrink(&[zombies.file.document()], other_cause, &options).is_none());
}
