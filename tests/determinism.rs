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
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/golden-digests.txt");
    let golden = std::fs::read_to_string(path).expect("the golden digests");
    let fresh: String = golden
        .lines()
        .map(|line| match line.split_once(' ') {
            Some((name, _)) if !line.starts_with('#') => format!("{name} {}\n", digests(name, 1, 1)[0]),
            Some(_) | None => format!("{line}\n"),
        })
        .collect();
    #[allow(clippy::disallowed_methods, reason = "asks whether to rewrite the committed file")]
    if std::env::var_os("LANEKEEPER_REWRITE").is_some() {
        std::fs::write(path, &fresh).expect("the golden digests can be written");
    }
    assert_eq!(fresh, golden, "to accept what is new, run the tests once with LANEKEEPER_REWRITE=1");
}
