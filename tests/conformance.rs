//! The public suite for engines, put to the test: it passes the engines of this crate and rejects sabotaged ones; the
//! examples with an engine and a policy of their own run.

mod presets;
mod sabotage;

use std::path::PathBuf;
use std::process::Command;

use lanekeeper::conformance::{CHECKS, assert_conforms, findings};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::spec::*;
use lanekeeper::registry::Registry;
use lanekeeper::scenario::{SourceText, load};
use presets::BASELINES;
use sabotage::{Plant, Saboteur, wrapped};

#[test]
fn the_proposal_conforms_whatever_its_options() {
    let lease_less = QueueFirstSpec { lease: LeaseSpec::None, ..QueueFirstSpec::default() };
    let lively = QueueFirstSpec {
        create: CreateSpec::Eager,
        newcomers: Newcomers::Relieve,
        delete: DeleteSpec::AfterDoubleDuty,
        ..QueueFirstSpec::default()
    };
    for spec in [QueueFirstSpec::default(), lease_less, lively] {
        assert_conforms(factory(&spec, &Policies::default()).expect("built-in policies").as_ref());
    }
}

#[test]
fn the_baselines_conform_in_every_version() {
    for engine in BASELINES {
        let source = format!("name: baseline\nworkers: {{initial: 1}}\nengine: {{{engine}}}\n");
        let scenario = load(&SourceText::new("baseline.yaml", source), &[]).expect("a valid scenario").scenario;
        assert_conforms(Registry::new().factory(&scenario.engine).expect("a built-in engine").as_ref());
    }
}

#[test]
fn sabotaged_engines_are_rejected_by_the_check_that_should() {
    let spec = QueueFirstSpec { create: CreateSpec::Eager, ..QueueFirstSpec::default() };
    for (plant, check) in [
        (Plant::Forger(wrapped::never_passes_a_quiesce_on), "quiesces"),
        (Plant::Forger(wrapped::settles_whatever_is_reported), "idempotent"),
        (Plant::Forger(wrapped::settles_twice), "steady"),
        (Plant::Forger(wrapped::drops_submissions), "steady"),
        (Plant::Forger(wrapped::loses_the_order_of_creation), "steady"),
        (Plant::Forger(wrapped::starts_on_two_workers), "steady"),
        (Plant::Forger(wrapped::does_not_wait_for_releases), "turnover"),
        (Plant::Forger(wrapped::gives_orphans_to_nobody), "turnover"),
        (Plant::Deaf, "turnover"),
        (Plant::Agents(|agents| agents.fences_itself = false), "standstill"),
        (Plant::Forger(wrapped::leases_longer_than_it_waits), "standstill"),
    ] {
        let found: Vec<_> = findings(&Saboteur::new(&spec, plant)).into_iter().map(|it| it.check).collect();
        assert!(found.contains(&check), "{check} is not among {found:?}");
        assert!(found.len() < CHECKS.len(), "one bug is not everything: {found:?}");
    }
}

/// Runs an example of this crate, as built beside this test, on a scenario.
fn run_example(name: &str, engine: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = folder.path().join("own.yaml");
    let text = format!(
        "name: own\nrun: {{replications: 2, horizon: 10m}}\nresources: {{r: {{count: 9}}}}\nworkers: {{initial: 3}}\n\
         workload: [{{class: task, arrivals: {{poisson: 6/m}}, service: 4s, claims: {{r: 1}}}}]\nengine: {engine}\n"
    );
    std::fs::write(&scenario, text).expect("a file");
    let test = std::env::current_exe().expect("a test");
    let program: PathBuf = test.parent().and_then(|deps| deps.parent()).expect("a folder").join("examples").join(name);
    let mut command = Command::new(&program);
    command.arg("run").arg(&scenario).args(["--charts", "none"]).arg("-o").arg(folder.path().join("out"));
    let output =
        command.output().unwrap_or_else(|e| panic!("{}: {e}; run `cargo build --examples`", program.display()));
    let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{shown}");
    shown
}

#[test]
fn the_program_runs_with_a_policy_of_ones_own() {
    let shown = run_example("own_policy", "{queue_first: {queues: {min: 3}, placement: {custom: by_number}}}");
    assert!(shown.contains("PASS") && shown.contains("engine queue_first"), "{shown}");
}

#[test]
fn the_program_runs_with_an_engine_of_ones_own() {
    let shown = run_example("own_engine", "{custom: {name: one_at_a_time}}");
    assert!(shown.contains("PASS") && shown.contains("engine one_at_a_time"), "{shown}");
}
