//! Explanations: word for word where each file of `tests/data/explain` is a command and what it prints; and what a task
//! waited for, against the metrics.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use lanekeeper::base::TaskId;
use lanekeeper::experiment::replicate::replicate_one;
use lanekeeper::observe::waiting::{Waiting, WaitsFor};
use lanekeeper::registry::Registry;
use lanekeeper::scenario::{SourceText, load};
use lanekeeper::world::simulate;

#[test]
fn explanations_read_as_they_are_written_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in fs::read_dir(root.join("tests/data/explain")).expect("the folder") {
        let file = entry.expect("the folder").path();
        let text = fs::read_to_string(&file).expect("a text");
        let (command, expected) = text.split_once('\n').expect("a command and what it prints");
        let words = command.strip_prefix("$ lanekeeper ").expect("a command").split_whitespace();
        let mut program = Command::new(env!("CARGO_BIN_EXE_lanekeeper"));
        let output = program.args(words).current_dir(root).output().expect("the program runs");
        assert!(output.status.success(), "{}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(told == expected, "{}: it says\n{told}", file.display());
        count += 1;
    }
    assert!(count >= 8, "{count} explanations");
}

const BUSY: &str = "
name: busy
run: {seed: 3, replications: 1, horizon: 10m, drain: 2h}
resources: {repo: {count: 60}}
workload:
  - {class: sync, arrivals: {poisson: 12/m}, service: {exponential: {mean: 12s}}, claims: {repo: 1}}
  - {class: cleanup, arrivals: {poisson: 3/m}, service: 10s, claims: {}}
workers:
  initial: 3
  lifetime: {exponential: {mean: 3m}}
  restart_after: 20s
  pause: {every: {exponential: {mean: 3m}}, for: {uniform: {min: 5s, max: 60s}}}
network: {delay: {exponential: {mean: 20ms}}}
engine: {queue_first: {queues: {min: 3, max: 3}, at_max: {park: {at_most: 30s}}}}
";

/// The metric that a cause counts in.
fn metric_of(waits_for: WaitsFor) -> &'static str {
    match waits_for {
        WaitsFor::Blocker { .. } => "wait.blocked",
        WaitsFor::Room | WaitsFor::Engine => "wait.parked",
        WaitsFor::Others { .. } => "wait.behind",
        WaitsFor::BusyOwner { .. } | WaitsFor::AnyWorker { busy: true } => "wait.owner_busy",
        WaitsFor::DownOwner { .. } | WaitsFor::Owner { .. } | WaitsFor::AnyWorker { busy: false } => "wait.no_owner",
        WaitsFor::Dispatch { .. } => "wait.dispatch",
    }
}

#[test]
fn what_all_tasks_waited_for_adds_up_to_the_metrics() {
    let scenario = load(&SourceText::new("busy.yaml", BUSY), &[]).expect("a valid scenario").scenario;
    let factory = Registry::new().factory(&scenario.engine).expect("a built-in engine");
    let observed = replicate_one(&scenario, &*factory, 0);
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for task in 0..u32::try_from(observed.tasks).unwrap() {
        let mut waiting = Waiting::new(TaskId(task));
        let end = simulate(&scenario, &*factory, 0, &mut waiting).ended_at;
        let spans = waiting.finish(end);
        assert!(spans.windows(2).all(|pair| pair[0].to == pair[1].from), "a gap in the wait of t{}", task + 1);
        for span in spans {
            *sums.entry(metric_of(span.waits_for)).or_default() += span.lasted().micros();
        }
    }
    assert!(observed.metrics[&("tasks.unfinished", None)] == 0.0, "every task started");
    assert_eq!(sums.len(), 6, "every reason is there: {sums:?}");
    for (metric, sum) in sums {
        let (mean, seen) = (sum as f64 / 1e6 / observed.tasks as f64, observed.metrics[&(metric, None)]);
        assert!((mean - seen).abs() < 1e-6, "{metric}: {mean} s from the stretches, {seen} s measured");
    }
}
