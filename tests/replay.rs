//! Recorded histories of a real pulpcore 3.123 against their simulation, from outside.
//!
//! A: 450 tasks on four workers, one exclusive claim each. D: 500 on six, exclusive and shared claims, 0 to 3 of them.

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

const A: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pulpcore-a.csv");
const D: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/pulpcore-d.csv");

fn replay(dir: &Path, args: &str) -> Output {
    let mut command = Command::cargo_bin("lanekeeper").unwrap();
    let common = ["replay", "-o", "out", "--charts", "none", "--format", "json", "--replications", "8"];
    command.current_dir(dir).args(common).args(args.split_whitespace()).output().unwrap()
}

fn summary(args: &str) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let output = replay(dir.path(), args);
    assert!(output.status.success(), "{args}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The errors of the mean and the 95th percentile.
fn errors(summary: &Value) -> [f64; 2] {
    ["wait.mean", "wait.p95"].map(|metric| number(&summary["fidelity"][metric]["error"]))
}

#[test]
fn recorded_histories_are_simulated_within_five_percent_and_in_order() {
    for (history, workers) in [(A, 4), (D, 6)] {
        let summary = summary(&format!("{history} --engine pull_locks --workers {workers}"));
        let errors = errors(&summary);
        assert!(errors.iter().all(|error| error.abs() < 0.05), "{history}: {errors:?}");
        let fidelity = &summary["fidelity"];
        let as_chosen = ["wait.mean", "wait.p95"].map(|metric| number(&fidelity[metric]["error_as_chosen"]));
        assert!(as_chosen.iter().all(|error| error.abs() < 0.03), "{history}: {as_chosen:?}");
        assert_eq!(fidelity["conflicting_pairs_out_of_order"], 0);
        assert_eq!(fidelity["recorded_out_of_order"], 0);
        assert!(number(&fidelity["tasks_in_conflict"]) > 400.0, "{fidelity}");
    }
}

#[test]
fn the_second_half_is_predicted_from_the_first_within_ten_percent() {
    for (history, workers) in [(A, 4), (D, 6)] {
        let summary = summary(&format!("{history} --workers {workers} --fit first-half"));
        let errors = errors(&summary);
        assert_eq!(summary["fidelity"]["wait.mean"]["error_as_chosen"], Value::Null, "a prediction knows no choices");
        assert!(errors.iter().all(|error| error.abs() < 0.10), "{history}: {errors:?}");
    }
}

/// The stages as measured with columns that the API does not give (when a task was fetched, when its lock was cleared).
#[test]
fn overheads_come_out_as_they_were_measured() {
    let summary = summary(&format!("{A} --workers 4"));
    let mean = |step: &str| number(&summary["fidelity"]["overheads"][step]["mean"]);
    for (step, measured) in [
        ("created_to_unblocked", 0.014),
        ("blocker_finished_to_unblocked", 0.029),
        ("unblocked_to_started", 0.008 + 0.066),
        ("finished_to_next", 0.025 + 0.004 + 0.066),
    ] {
        assert!((mean(step) / measured - 1.0).abs() < 0.06, "{step}: {} for {measured}", mean(step));
    }
}

#[test]
fn another_engine_says_what_would_have_happened() {
    for engine in ["queue_first", "worker_owned"] {
        let summary = summary(&format!("{A} --workers 4 --engine {engine}"));
        assert_eq!(summary["engine"], engine);
        assert_eq!(summary["metrics"]["tasks.completed"]["mean"], 450.0);
        assert_eq!(summary["fidelity"]["conflicting_pairs_out_of_order"], 0);
        assert!(number(&summary["fidelity"]["wait.mean"]["simulated"]) > 0.1, "a start still takes its time");
    }
}

/// One of two workers is killed at 5 s with a task on `a`, which is cleaned up at 100 s. What waits for `a` waits that
/// long; `b` goes on with the other worker.
const KILLED: &str = "\
submitted,class,service,exclusive,shared,unblocked,started,finished,state
0.000000,sleep,99.900000,a,,0.010000,0.100000,100.000000,failed
1.000000,sleep,2.000000,a,,100.040000,100.120000,102.120000,completed
2.000000,sleep,6.000000,b,,2.010000,2.090000,8.090000,completed
3.000000,sleep,4.000000,c,,3.010000,8.190000,12.190000,completed
";

#[test]
fn a_worker_killed_with_its_task_blocks_what_conflicts_until_the_recorded_clean_up() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("history.csv"), KILLED).unwrap();
    fs::write(dir.path().join("lives.yaml"), "- {at: 5s, crash: {worker: w2}}\n").unwrap();
    let output = replay(dir.path(), "history.csv --workers 2 --lives lives.yaml");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors = errors(&summary);
    assert!(errors.iter().all(|error| error.abs() < 0.01), "{errors:?}");
    assert_eq!(summary["metrics"]["tasks.failed"]["mean"], 1.0, "the task that was running, whoever is called w2");
    assert_eq!(summary["metrics"]["tasks.completed"]["mean"], 3.0);
}

/// The second of three workers is killed while nobody executes anything but the first; in the simulation it has just
/// chosen `b`, which nobody else could start before the clean-up.
#[test]
fn a_crash_that_hit_no_task_hits_none_in_the_simulation_either() {
    let dir = tempfile::tempdir().unwrap();
    let header = KILLED.lines().next().unwrap();
    let rows = "2,sleep,6,a,,2.01,2.09,8.09,completed\n3,sleep,1,b,,3.01,3.09,4.09,completed\n";
    fs::write(dir.path().join("history.csv"), format!("{header}\n{rows}")).unwrap();
    fs::write(dir.path().join("lives.yaml"), "- {at: 1050ms, crash: {worker: w2}}\n").unwrap();
    let output = replay(dir.path(), "history.csv --workers 3 --lives lives.yaml");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["metrics"]["tasks.completed"]["mean"], 2.0, "{summary}");
}

/// One of two workers dies at 4.05 s with `b` taken and not yet started; nobody takes it until the clean-up at 60 s.
const TAKEN: &str = "\
submitted,class,service,exclusive,shared,unblocked,started,finished,state
0.000000,sleep,1.000000,a,,0.010000,0.100000,1.100000,completed
4.000000,sleep,2.000000,b,,4.010000,60.090000,62.090000,completed
20.000000,sleep,1.000000,c,,20.010000,20.100000,21.100000,completed
25.000000,sleep,1.000000,b,,62.120000,62.200000,63.200000,completed
";

#[test]
fn a_task_taken_by_a_worker_that_dies_before_the_start_waits_for_the_clean_up() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("history.csv"), TAKEN).unwrap();
    fs::write(dir.path().join("lives.yaml"), "- {at: 4050ms, crash: {worker: w2}}\n").unwrap();
    let output = replay(dir.path(), "history.csv --workers 2 --lives lives.yaml");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let errors = errors(&summary);
    assert!(errors.iter().all(|error| error.abs() < 0.01), "{errors:?}");
    assert_eq!(summary["metrics"]["tasks.completed"]["mean"], 4.0);
}

#[test]
fn no_lives_are_written_as_an_empty_list() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("history.csv"), KILLED).unwrap();
    fs::write(dir.path().join("lives.yaml"), "# nobody came or went\n[]\n").unwrap();
    let with = replay(dir.path(), "history.csv --workers 2 --lives lives.yaml");
    let without = replay(dir.path(), "history.csv --workers 2");
    let metrics = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap()["metrics"].clone();
    assert!(with.status.success(), "{}", String::from_utf8_lossy(&with.stderr));
    assert_eq!(metrics(&with), metrics(&without));
}

#[test]
fn one_task_is_a_history_too() {
    let dir = tempfile::tempdir().unwrap();
    let header = KILLED.lines().next().unwrap();
    let text = format!("{header}\n0,sleep,1.5,a,,0.02,0.1,1.6,completed\n");
    fs::write(dir.path().join("history.csv"), text).unwrap();
    let summary: Value = serde_json::from_slice(&replay(dir.path(), "history.csv").stdout).unwrap();
    assert_eq!(summary["fidelity"]["wait.mean"]["recorded"], 0.1);
    assert!((number(&summary["fidelity"]["wait.mean"]["simulated"]) - 0.1).abs() < 1e-9, "{}", summary["fidelity"]);
}

#[test]
fn what_cannot_be_replayed_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write("workload.csv", "submitted,class,service,exclusive,shared\n0,a,1,r,\n");
    write("empty.json", "[]");
    write("broken.json", "{\"results\": 5}");
    write("history.csv", KILLED);
    write("submits.yaml", "- {at: 1s, submit: {task: t, claims: [], service: 1s}}\n");
    write("typo.yaml", "- {at: 1s, crash: {worker: w1}}\n- {at: 2s, crahs: {worker: w2}}\n");
    write("word.yaml", "hello\n");
    write("nothing.yaml", "");
    write("map.yaml", "{}\n");
    let rows = |rows: &str| format!("{}\n{rows}\n", KILLED.lines().next().unwrap());
    write("early.csv", &rows("0,a,1,r,,,0,1,completed\n2,a,1,r,,,1.5,3,completed"));
    write("backwards.csv", &rows("0,a,1,r,,,3,1,completed"));
    write("nobody.yaml", "- {at: 1s, crash: {worker: w9}}\n");
    for (args, code, words) in [
        ("workload.csv", 74, "this is a workload, no history"),
        ("empty.json", 4, "nothing to replay"),
        ("broken.json", 74, "no history of Pulp"),
        ("missing.csv", 74, "cannot read missing.csv"),
        ("history.csv --lives missing.yaml", 74, "cannot read missing.yaml"),
        ("history.csv --lives submits.yaml", 2, "join, crash and quiesce only"),
        ("history.csv --lives typo.yaml", 2, "typo.yaml:2:"),
        ("history.csv --lives nobody.yaml", 2, "nobody.yaml:1:28"),
        ("history.csv --lives word.yaml", 2, "a list, like - {at: 5m, crash: {worker: w2}}"),
        ("history.csv --lives nothing.yaml", 2, "[] for none"),
        ("history.csv --lives map.yaml", 2, "a list, like"),
        ("early.csv", 74, "row 2: submitted at 2s, started at 1.5s"),
        ("backwards.csv", 74, "row 1: submitted at 0s, started at 3s, finished at 1s"),
        ("history.csv --set engine.pull_locks.pick_order=[0,4]", 2, "no task 4 in the history: its tasks are 0 to 3"),
        ("history.csv --engine pull_lock", 2, "no engine `pull_lock`"),
        ("history.csv --workers 0", 2, "0 is not in 1.."),
    ] {
        let output = replay(dir.path(), args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args}: {stderr}");
        assert!(stderr.contains(words), "{args}: {stderr}");
        assert!(!dir.path().join("out").exists(), "{args}: something was written");
    }
}
