//! Same scenario, seed and engine: same facts, on any number of threads, on any platform.
//!
//! The golden digests were computed once and hold in debug and release; a change of one is a change of behaviour, to be
//! explained in the commit that makes it.

use std::path::Path;

use lanekeeper::engine::EngineSpec;
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::experiment::{Options, Progress, replicate};
use lanekeeper::scenario::{Override, SourceText, load};

/// The digests of the first replications of a scenario.
fn digests(name: &str, replications: u32, jobs: usize) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let source = SourceText::read(&path).expect("a scenario");
    let replications: Override = format!("run.replications={replications}").parse().expect("an override");
    let scenario = load(&source, &[replications]).expect("a valid scenario").scenario;
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("a built-in engine") };
    let factory = factory(spec, &Policies::default()).expect("built-in policies");
    let results = replicate(&scenario, factory.as_ref(), Options { jobs, timeline: true }, &Progress::default());
    results.observations.iter().map(|run| format!("{:032x}", run.digest)).collect()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let one = digests("black-friday.yaml", 4, 1);
    assert_eq!(one, digests("black-friday.yaml", 4, 2));
    assert_eq!(one, digests("black-friday.yaml", 4, 1), "nor does a second run");
    assert!(one[0] != one[1], "replications differ");
}

#[test]
fn golden_digests() {
    let golden = include_str!("data/golden-digests.txt");
    for line in golden.lines().filter(|line| !line.starts_with('#')) {
        let (name, digest) = line.split_once(' ').expect("`scenario digest`");
        assert_eq!(digests(name, 1, 1)[0], digest, "{name}");
    }
}
