//! What leaves the program for other tools keeps their rules: the trace-event format for ui.perfetto.dev, events as
//! NDJSON, and the difference of two runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn lanekeeper(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lanekeeper")).args(args).current_dir(ROOT).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Runs a scenario with both exports; gives the trace and the events.
fn exported(scenario: &str, more: &[&str]) -> (Vec<Value>, Vec<Value>) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (trace, events, out) = (path("t.json"), path("e.ndjson"), path("out"));
    let mut args = vec!["run", scenario, "--charts", "none", "-q", "--trace", &trace, "--events", &events, "-o", &out];
    args.extend(more);
    let output = lanekeeper(&args);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", text(&output.stderr));
    let trace: Value = serde_json::from_str(&fs::read_to_string(&trace).unwrap()).unwrap();
    let events = fs::read_to_string(&events).unwrap();
    let events = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (trace["traceEvents"].as_array().unwrap().clone(), events)
}

fn number(event: &Value, key: &str) -> u64 {
    event[key].as_u64().unwrap_or_else(|| panic!("no {key} in {event}"))
}

/// The rules of the format, as far as the events here use it.
fn check(trace: &[Value]) {
    let mut named: BTreeSet<(u64, u64)> = BTreeSet::new();
    let mut order: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut slices: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
    let mut flows: BTreeMap<u64, Vec<(String, u64, u64, u64)>> = BTreeMap::new();
    let mut last: BTreeMap<(u64, u64, String), u64> = BTreeMap::new();
    for event in trace {
        let ph = event["ph"].as_str().unwrap();
        if ph == "M" {
            match event["name"].as_str().unwrap() {
                "thread_name" => assert!(named.insert((number(event, "pid"), number(event, "tid"))), "named twice"),
                "thread_sort_index" => {
                    order.entry(number(event, "pid")).or_default().push(number(&event["args"], "sort_index"));
                }
                _ => {}
            }
            continue;
        }
        let (pid, tid, ts) = (number(event, "pid"), number(event, "tid"), number(event, "ts"));
        let track = if ph == "C" { event["name"].as_str().unwrap() } else { "" };
        let before = last.insert((pid, tid, track.to_owned()), ts).unwrap_or(0);
        assert!(before <= ts, "a track goes back in time: {event}");
        match ph {
            "X" => slices.entry((pid, tid)).or_default().push((ts, ts + number(event, "dur"))),
            "i" => assert!(["t", "g"].contains(&event["s"].as_str().unwrap())),
            "C" => assert!(event["args"].as_object().unwrap().values().all(Value::is_u64)),
            "s" | "f" => flows.entry(number(event, "id")).or_default().push((ph.to_owned(), pid, tid, ts)),
            other => panic!("an event of kind {other}"),
        }
    }
    for (track, bars) in &slices {
        assert!(named.contains(track), "track {track:?} has no name");
        assert!(bars.windows(2).all(|pair| pair[0].1 <= pair[1].0), "slices of {track:?} overlap");
    }
    assert!(order.values().all(|order| order.windows(2).all(|pair| pair[0] < pair[1])), "tracks are not sorted");
    for (id, ends) in &flows {
        let start = ends.iter().find(|end| end.0 == "s").unwrap_or_else(|| panic!("flow {id} has no start"));
        let finish = ends.iter().find(|end| end.0 == "f").unwrap_or_else(|| panic!("flow {id} has no end"));
        assert!(ends.len() == 2 && start.3 <= finish.3, "flow {id}: {ends:?}");
        for (_, pid, tid, ts) in ends {
            let holds = slices[&(*pid, *tid)].iter().any(|(from, to)| from <= ts && ts < to);
            assert!(holds, "flow {id} is tied to no slice: {ends:?}");
        }
    }
}

#[test]
fn the_trace_of_black_friday_keeps_the_rules_of_the_format() {
    let (trace, events) = exported("scenarios/black-friday.yaml", &["--replications", "1"]);
    check(&trace);
    let count = |ph: &str| trace.iter().filter(|event| event["ph"] == ph).count();
    assert!(count("X") > 5_000 && count("s") > 10 && count("s") == count("f") && count("i") > 10 && count("C") > 300);
    let started = events.iter().filter(|event| event["event"] == "started").count();
    let attempts = trace.iter().filter(|event| event["ph"] == "X" && event["args"]["queue"].is_string()).count();
    assert_eq!(started, attempts, "a slice per attempt");
}

#[test]
fn the_traces_of_all_small_scenarios_keep_them_too() {
    let folder = |name: &str| fs::read_dir(Path::new(ROOT).join("scenarios").join(name)).unwrap();
    for entry in folder("").chain(folder("incidents")) {
        let path = entry.unwrap().path();
        let scripted =
            path.extension().is_some_and(|it| it == "yaml") && fs::read_to_string(&path).unwrap().contains("\nscript:");
        if scripted {
            check(&exported(path.to_str().unwrap(), &[]).0);
        }
    }
}

#[test]
fn events_are_in_order_and_tell_what_happened() {
    let (_, events) = exported("scenarios/zombie-without-lease.yaml", &[]);
    let times: Vec<f64> = events.iter().map(|event| event["at"].as_f64().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] <= pair[1]));
    let granted = events.iter().find(|event| event["event"] == "queue_owned" && event["epoch"] == 2).unwrap();
    assert_eq!(
        granted.to_string(),
        r#"{"at":30.0,"event":"queue_owned","queue":"q1","worker":"w2","epoch":2,"why":"vacant"}"#
    );
}

#[test]
fn two_runs_differ_at_their_first_different_fact_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let (events, out) = (dir.path().join("e.ndjson"), dir.path().join("out"));
    let (events, out) = (events.to_str().unwrap(), out.to_str().unwrap());
    let without = "scenarios/zombie-without-lease.yaml";
    lanekeeper(&["run", without, "-q", "--charts", "none", "--events", events, "-o", out]);
    let same = lanekeeper(&["diff", events, without]);
    assert_eq!((same.status.code(), text(&same.stderr)), (Some(0), String::new()));
    assert!(text(&same.stdout).starts_with("no difference in "));
    let other = lanekeeper(&["diff", "scenarios/zombie-with-lease.yaml", events]);
    assert_eq!(other.status.code(), Some(1), "{}", text(&other.stderr));
    let told = text(&other.stdout);
    for words in ["the first difference", "held worker=w1 queue=q1 epoch=1 until=", "what followed in"] {
        assert!(told.contains(words), "no `{words}`:\n{told}");
    }
}

#[test]
fn wrong_turns_of_exports_say_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let first = "{\"at\":0.0,\"event\":\"limits_set\",\"min\":1,\"max\":1}\n";
    let torn = file("torn.ndjson", format!("{first}{{\"at\":0.0,\"event\":\"que").as_bytes());
    let (empty, binary) = (file("empty.ndjson", b""), file("binary.ndjson", &[0xff, 0, 0x80, b'\n']));
    let two = ["run", "scenarios/shared-claims.yaml", "scenarios/hot-resource.yaml", "--trace", "t.json"];
    for (args, exit, words) in [
        (two.as_slice(), 2, "one scenario"),
        (["diff", "nowhere.ndjson", "nowhere.ndjson"].as_slice(), 74, "cannot read nowhere.ndjson"),
        (["diff", "scenarios", "scenarios"].as_slice(), 2, "name a file"),
        (["diff", &empty, &empty].as_slice(), 74, "it holds no event"),
        (
            ["diff", &torn, "scenarios/zombie-without-lease.yaml"].as_slice(),
            74,
            "torn.ndjson:2\n  help: `lanekeeper run",
        ),
        (["diff", &binary, &torn].as_slice(), 74, "binary.ndjson:1"),
        (["shrink", "scenarios/zombie-without-lease.yaml", "-o", "scenarios"].as_slice(), 2, "is a folder"),
        (["shrink", "scenarios/zombie-with-lease.yaml", "-o", &torn].as_slice(), 4, "lanekeeper hunt"),
        (
            ["shrink", "scenarios/zombie-with-lease.yaml", "--replication", "4294967295", "-o", &torn].as_slice(),
            4,
            "nothing to shrink",
        ),
        (["explain", "scenarios/zombie-with-lease.yaml"].as_slice(), 4, "--task t1"),
        (["explain", "scenarios/zombie-without-lease.yaml", "--violation", "99"].as_slice(), 4, "--violation 1"),
        (["explain", "scenarios/zombie-without-lease.yaml", "--task", "t9"].as_slice(), 4, "--events"),
        (["explain", "scenarios/zombie-without-lease.yaml", "--task", "x"].as_slice(), 2, "t1, t2"),
        (["explain", "scenarios/zombie-without-lease.yaml", "--why-waiting", "2"].as_slice(), 2, "did you mean `t2`?"),
    ] {
        let output = lanekeeper(args);
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(words), "{args:?}: {}", text(&output.stderr));
    }
    assert!(std::fs::read_to_string(&torn).unwrap().starts_with(first), "nothing was written over it");
}
