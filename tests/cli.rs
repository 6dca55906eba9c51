//! The program from outside: exit codes, messages and files, for right turns and wrong ones.

mod program;

use std::fs;
use std::path::Path;

use program::*;

#[test]
fn a_wrong_scenario_ends_with_2_names_its_place_and_writes_nothing() {
    let dir = folder_with(&[
        ("unknown.yaml", b"name: a\nworkers: {inital: 2}\n"),
        ("twice.yaml", b"name: a\nname: b\nworkers: {initial: 2}\n"),
        ("unit.yaml", b"name: a\nworkers: {initial: 2}\nrun: {horizon: 30}\n"),
        ("huge.yaml", b"name: a\nworkers: {initial: 1000000000000}\n"),
        ("empty.yaml", b""),
        ("binary.yaml", b"\xff\xfe\x00\x01\x02"),
        ("no-yaml.yaml", b"name: [\n"),
    ]);
    for (file, words) in [
        ("unknown.yaml", "initial"),
        ("twice.yaml", "twice.yaml:2"),
        ("unit.yaml", "30s"),
        ("huge.yaml", "huge.yaml:2"),
        ("empty.yaml", "empty.yaml"),
        ("binary.yaml", "binary.yaml"),
        ("no-yaml.yaml", "no-yaml.yaml"),
        ("missing.yaml", "missing.yaml"),
    ] {
        for verb in ["run", "check", "test"] {
            let output = lanekeeper(dir.path(), &format!("{verb} {file}"));
            assert_eq!(code(&output), 2, "{verb} {file}: {}", stderr(&output));
            assert!(stderr(&output).contains(words), "{verb} {file}: {}", stderr(&output));
        }
    }
    assert!(!dir.path().join("results").exists());
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    for args in [
        "",
        "fly",
        "run --jobs 0 small.yaml",
        "run --set nonsense small.yaml",
        "run --charts none,svg small.yaml",
        "check",
        "run .",
    ] {
        assert_eq!(code(&lanekeeper(dir.path(), args)), 2, "{args}");
    }
    let without_verb = stderr(&lanekeeper(dir.path(), "small.yaml"));
    assert!(without_verb.contains("did you mean `lanekeeper run small.yaml`?"), "{without_verb}");
    assert!(!stderr(&lanekeeper(dir.path(), "fly")).contains("lanekeeper run"));
    assert_eq!(code(&lanekeeper(dir.path(), "--help")), 0);
    assert_eq!(code(&lanekeeper(dir.path(), "--version")), 0);
}

#[test]
fn an_output_never_takes_the_place_of_the_scenario_or_of_another_output() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    for args in [
        "run small.yaml --events small.yaml",
        "run small.yaml --trace ./small.yaml",
        "run small.yaml --trace same.json --events same.json",
        "run small.yaml --trace same.json --events ./same.json",
        "run small.yaml --events results/small/report.html",
        "run small.yaml -o out --trace ./out/idle.svg",
        "test . --junit small.yaml",
        "shrink small.yaml -o ./small.yaml",
        "import pulp small.yaml -o small.yaml",
    ] {
        let output = lanekeeper(dir.path(), args);
        assert_eq!(code(&output), 2, "{args}");
        assert!(stderr(&output).contains("would write over it"), "{args}: {}", stderr(&output));
    }
    assert_eq!(std::fs::read(dir.path().join("small.yaml")).unwrap(), SMALL.as_bytes());
    assert!(["results", "out", "same.json"].iter().all(|it| !dir.path().join(it).exists()));
}

#[test]
fn an_output_that_cannot_be_written_is_known_before_anything_is_run() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes()), ("taken", b"a file")]);
    for args in [
        "run small.yaml -o taken",
        "run small.yaml --events taken/events.ndjson",
        "test small.yaml --junit taken/junit.xml",
        "compare small.yaml --vary workers.initial=2,3 -o taken/deeper",
        "hunt small.yaml --seeds 1 -o taken",
        "shrink small.yaml -o taken/small.yaml",
    ] {
        let output = lanekeeper(dir.path(), args);
        assert_eq!((code(&output), stdout(&output)), (74, String::new()), "{args}");
        assert!(stderr(&output).contains("taken is a file: name a folder"), "{args}: {}", stderr(&output));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_folder_with_a_file_that_is_no_result_is_left_alone() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes()), ("mine/report.html", b"my own page")]);
    for args in ["run small.yaml -o mine", "compare small.yaml --vary workers.initial=2,3 -o mine"] {
        let output = lanekeeper(dir.path(), args);
        assert_eq!((code(&output), stdout(&output)), (2, String::new()), "{args}");
        let told = stderr(&output);
        assert!(told.contains("report.html is there, and not of an earlier result"), "{told}");
    }
    assert_eq!(fs::read(dir.path().join("mine/report.html")).unwrap(), b"my own page");
    assert_eq!(fs::read_dir(dir.path().join("mine")).unwrap().count(), 1);
}

#[test]
fn a_run_writes_its_files_and_the_number_of_jobs_changes_no_byte() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let one = lanekeeper(dir.path(), "run small.yaml --jobs 1 -o one");
    let two = lanekeeper(dir.path(), "run small.yaml --jobs 2 -o two");
    assert_eq!((code(&one), code(&two)), (0, 0), "{}{}", stdout(&one), stderr(&one));
    assert_eq!(stdout(&one), stdout(&two));
    let names = |folder: &str| {
        let entries = fs::read_dir(dir.path().join(folder)).unwrap();
        let mut names: Vec<String> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("one"), names("two"));
    for wanted in ["summary.json", "runs.csv", "timing.json"] {
        assert!(names("one").iter().any(|name| name == wanted), "{wanted}");
    }
    for name in names("one").iter().filter(|name| *name != "timing.json") {
        let bytes = |folder: &str| fs::read(dir.path().join(folder).join(name)).unwrap();
        assert!(bytes("one") == bytes("two"), "{name}");
    }
}

#[test]
fn a_folder_shows_one_result_whatever_was_in_it_before_and_keeps_what_is_the_users() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes()), ("results/small/notes.txt", b"mine")]);
    let there = |name: &str| dir.path().join("results/small").join(name).exists();
    assert_eq!(code(&lanekeeper(dir.path(), "compare small.yaml --vary workers.initial=2,3 --charts svg")), 0);
    assert!(there("differences.csv") && there("differences.svg"));
    assert_eq!(code(&lanekeeper(dir.path(), "run small.yaml --charts svg")), 0);
    assert!(there("runs.csv") && there("timeline-workers.svg"));
    assert!(!there("differences.csv") && !there("differences.svg"), "they are of the comparison");
    assert_eq!(code(&lanekeeper(dir.path(), "run small.yaml --charts none")), 0);
    assert!(!there("timeline-workers.svg") && there("report.html") && there("notes.txt"));
}

#[test]
fn a_worker_that_is_cut_off_is_marked_for_as_long_as_it_lasts() {
    let text = format!("{SMALL}faults: [{{isolate: {{at: 2m, workers: 1, for: 90s, direction: both}}}}]\n");
    let dir = folder_with(&[("cut.yaml", text.as_bytes())]);
    let output = lanekeeper(dir.path(), "run cut.yaml --replications 1 --charts svg --trace trace.json -o out");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let trace: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("trace.json")).unwrap()).unwrap();
    let marks: Vec<_> = trace["traceEvents"].as_array().unwrap().iter().filter(|it| it["name"] == "cut off").collect();
    assert_eq!(marks.len(), 1);
    assert_eq!((&marks[0]["ts"], &marks[0]["args"]["until"]), (&120_000_000.into(), &210.0.into()));
    let chart = fs::read_to_string(dir.path().join("out/timeline-workers.svg")).unwrap();
    assert!(chart.contains("cut off from the engine"));
}

#[test]
fn overrides_win_over_the_file_and_json_goes_to_stdout() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let args = "run small.yaml --seed 9 --replications 2 --set workers.initial=2 --format json --charts none -q";
    let output = lanekeeper(dir.path(), args);
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    let summary: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!((summary["seed"].as_u64(), summary["replications"].as_u64()), (Some(9), Some(2)));
    assert_eq!(fs::read_to_string(dir.path().join("results/small/summary.json")).unwrap(), stdout(&output));
    let other = lanekeeper(dir.path(), "run small.yaml --seed 10 --replications 2 --format json --charts none");
    assert_ne!(stdout(&other), stdout(&output));
}

#[test]
fn a_violated_threshold_ends_with_1_and_its_last_line_repeats_it() {
    let text = format!("{SMALL}expect: {{thresholds: [tasks.completed < 1]}}\n");
    let dir = folder_with(&[("bad.yaml", text.as_bytes())]);
    let run = lanekeeper(dir.path(), "run bad.yaml --seed 3 --jobs 2 -o out --charts none");
    assert_eq!(code(&run), 1, "{}", stderr(&run));
    assert_eq!(stdout(&run).lines().last(), Some("lanekeeper run bad.yaml --seed 3"));
    let test = lanekeeper(dir.path(), "test bad.yaml --jobs 2");
    assert_eq!(code(&test), 1);
    assert!(stdout(&test).contains("FAILED small") && stdout(&test).contains("fail: tasks.completed < 1"));
    assert_eq!(stdout(&test).lines().last(), Some("lanekeeper test bad.yaml"));
}

#[test]
fn a_straddled_threshold_ends_with_3_unless_told_what_it_counts_as() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let plain = lanekeeper(dir.path(), "run small.yaml --format json --charts none");
    let summary: serde_json::Value = serde_json::from_str(&stdout(&plain)).unwrap();
    let mean = summary["metrics"]["wait.mean"]["mean"].as_f64().unwrap();
    let text = format!("{SMALL}expect: {{thresholds: [wait.mean < {mean:.3}s]}}\n");
    fs::write(dir.path().join("edge.yaml"), text).unwrap();
    for (args, expected) in [("", 3), ("--inconclusive pass", 0), ("--inconclusive fail", 1)] {
        assert_eq!(code(&lanekeeper(dir.path(), &format!("test edge.yaml {args}"))), expected, "{args}");
    }
}

#[test]
fn a_folder_is_tested_and_checked_recursively_without_bench_and_an_empty_one_ends_with_4() {
    let bad = format!("{}expect: {{thresholds: [tasks.completed < 1]}}\n", SMALL.replace("small", "measured-only"));
    let dir = folder_with(&[
        ("all/b.yaml", SMALL.replace("small", "second").as_bytes()),
        ("all/a/deep.yml", SMALL.as_bytes()),
        ("all/bench/slow.yaml", bad.as_bytes()),
        ("all/notes.txt", b"no scenario"),
        ("none/notes.txt", b"no scenario"),
    ]);
    let output = lanekeeper(dir.path(), "test all --verify");
    assert_eq!(code(&output), 0, "{}{}", stdout(&output), stderr(&output));
    let text = stdout(&output);
    assert!(text.starts_with("ok small") && text.contains("\nok second"), "{text}");
    assert!(!text.contains("measured-only") && text.contains("2 passed, 0 failed, 0 inconclusive"), "{text}");
    let checked = lanekeeper(dir.path(), "check all");
    assert_eq!(code(&checked), 0, "{}", stderr(&checked));
    assert_eq!(stdout(&checked).lines().count(), 2, "{}", stdout(&checked));
    for verb in ["test", "check"] {
        assert_eq!(code(&lanekeeper(dir.path(), &format!("{verb} none"))), 4);
        assert_eq!(code(&lanekeeper(dir.path(), &format!("{verb} nowhere"))), 2);
    }
}

#[test]
fn a_resolved_scenario_is_a_scenario() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let resolved = lanekeeper(dir.path(), "check small.yaml --resolved");
    assert_eq!(code(&resolved), 0, "{}", stderr(&resolved));
    fs::write(dir.path().join("resolved.yaml"), stdout(&resolved)).unwrap();
    let again = lanekeeper(dir.path(), "check resolved.yaml --resolved");
    assert_eq!(stdout(&again), stdout(&resolved), "{}", stderr(&again));
}

#[test]
fn a_scenario_that_is_not_there_is_answered_with_the_one_that_is() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let other = lanekeeper(dir.path(), "run small.yml");
    assert_eq!(code(&other), 2);
    assert!(stderr(&other).contains("help: there is small.yaml"), "{}", stderr(&other));
}

#[test]
fn a_history_of_pulp_becomes_a_table_and_a_report() {
    let task = |second: u32, claims: &str| {
        format!(
            r#"{{"pulp_href": "/t/{second}/", "pulp_created": "2026-11-24T03:56:{second:02}.000001Z", "state": "completed",
            "name": "pulp_rpm.app.tasks.sync", "unblocked_at": null, "started_at": "2026-11-24T03:57:00.5Z",
            "finished_at": "2026-11-24T03:57:02.750000Z", "reserved_resources_record": [{claims}]}}"#
        )
    };
    let history = format!(
        r#"{{"count": 2, "next": null, "previous": null, "results": [{}, {}]}}"#,
        task(9, r#""repo:1", "shared:prn:core.domain:d""#),
        task(4, r#""shared:repo:1", "shared:prn:core.domain:d""#)
    );
    let dir = folder_with(&[("h.json", history.as_bytes()), ("none.json", b"[]"), ("broken.json", b"{")]);
    let output = lanekeeper(dir.path(), "import pulp h.json -o deep/h.csv");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let report = stdout(&output);
    assert!(report.contains("kept: 2 tasks (2 completed)"), "{report}");
    assert!(report.contains("dropped: the domain, shared by all"), "{report}");
    let table = fs::read_to_string(dir.path().join("deep/h.csv")).unwrap();
    let wanted = "submitted,class,service,exclusive,shared,unblocked,started,finished,state\n\
                  0.000000,sync,2.250000,,repo:1,,56.499999,58.749999,completed\n\
                  5.000000,sync,2.250000,repo:1,,,56.499999,58.749999,completed\n";
    assert_eq!(table, wanted);
    for (file, expected) in [("missing.json", 74), ("broken.json", 74), ("none.json", 4)] {
        assert_eq!(code(&lanekeeper(dir.path(), &format!("import pulp {file} -o out.csv"))), expected, "{file}");
        assert!(!dir.path().join("out.csv").exists());
    }
}

#[test]
fn junit_has_a_suite_per_scenario_a_case_per_expectation_and_the_same_bytes_each_time() {
    let text = format!("{SMALL}expect: {{thresholds: [tasks.completed < 1, tasks.lost == 0]}}\n");
    let dir = folder_with(&[("all/bad.yaml", text.as_bytes()), ("all/wrong.yaml", b"name: wrong\n")]);
    let args = "test all --junit deep/out.xml --jobs 2";
    let output = lanekeeper(dir.path(), args);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    assert_eq!(stdout(&output).lines().last(), Some("lanekeeper test all/bad.yaml all/wrong.yaml"));
    let xml = fs::read_to_string(dir.path().join("deep/out.xml")).unwrap();
    let report = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let [bad, wrong] = report.test_suites.as_slice() else { panic!("{xml}") };
    assert_eq!((bad.name.as_str(), wrong.name.as_str()), ("small", "all/wrong.yaml"));
    assert_eq!((bad.failures, bad.errors, wrong.failures, wrong.errors), (1, 0, 0, 1));
    let names: Vec<&str> = bad.test_cases.iter().map(|case| case.name.as_str()).collect();
    assert!(names.contains(&"always order") && names.contains(&"tasks.completed < 1"), "{names:?}");
    lanekeeper(dir.path(), args);
    assert_eq!(fs::read_to_string(dir.path().join("deep/out.xml")).unwrap(), xml);
    let nowhere = lanekeeper(dir.path(), "test all/bad.yaml --junit all/bad.yaml/out.xml");
    assert_eq!(code(&nowhere), 74, "{}", stderr(&nowhere));
}

/// The steps of the example for GitHub Actions, run as a push and as the night run them.
#[test]
fn the_example_for_a_teams_ci_runs_what_there_is_and_ends_as_it_says() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ci/ordering-guarantee.yml");
    let workflow: serde_json::Value = serde_yaml::from_str(&fs::read_to_string(example).unwrap()).unwrap();
    let steps = workflow["jobs"]["scenarios"]["steps"].as_array().unwrap();
    let commands: Vec<&str> =
        steps.iter().filter_map(|step| step["run"].as_str()).filter(|it| it.starts_with("lanekeeper")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let few = SMALL.replace("horizon: 20m", "horizon: 1m");
    let dir = folder_with(&[("scenarios/deep/small.yaml", few.as_bytes())]);
    for choice in 0..2 {
        for command in &commands {
            // `${{ condition && 'one' || 'other' }}`
            let text = match command.split_once("${{") {
                Some((plain, chosen)) => format!("{plain} {}", chosen.split('\'').nth(3 + 2 * choice).unwrap()),
                None => (*command).to_owned(),
            };
            let output = lanekeeper(dir.path(), text.strip_prefix("lanekeeper ").unwrap());
            assert_eq!(code(&output), 0, "{text}: {}", stderr(&output));
        }
    }
    let kept = steps.iter().find_map(|step| step["with"]["path"].as_str().filter(|path| path.ends_with(".xml")));
    assert!(dir.path().join(kept.unwrap()).is_file(), "the verdicts that are kept are those that were written");
}

#[test]
fn a_new_scenario_passes_its_own_test_and_overwrites_nothing() {
    let dir = folder_with(&[]);
    let output = lanekeeper(dir.path(), "new mine -o deep/mine.yaml");
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    assert_eq!(stdout(&output).lines().last(), Some("lanekeeper run deep/mine.yaml"));
    let text = fs::read_to_string(dir.path().join("deep/mine.yaml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=./scenario.schema.json\n"));
    let test = lanekeeper(dir.path(), "test deep/mine.yaml");
    assert_eq!(code(&test), 0, "{}{}", stdout(&test), stderr(&test));
    let schema = lanekeeper(dir.path(), "schema");
    assert_eq!(fs::read_to_string(dir.path().join("deep/scenario.schema.json")).unwrap(), stdout(&schema));
    fs::write(dir.path().join("deep/mine.yaml"), "mine").unwrap();
    for (args, words) in [
        ("new mine -o deep/mine.yaml", "OTHER.yaml"),
        ("new mine.yaml", "lanekeeper new mine"),
        ("new ../mine", "use at most 100 letters"),
        ("new a\u{7}b", "use at most 100 letters"),
        ("new -o x.yaml", "--help"),
    ] {
        let output = lanekeeper(dir.path(), args);
        assert_eq!(code(&output), 2, "{args}");
        assert!(stderr(&output).contains(words) && !stderr(&output).contains('\u{7}'), "{args}: {}", stderr(&output));
    }
    assert_eq!(fs::read_to_string(dir.path().join("deep/mine.yaml")).unwrap(), "mine");
}

#[test]
fn editors_shells_and_readers_get_their_files() {
    let dir = folder_with(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = lanekeeper(dir.path(), "schema");
    assert_eq!(stdout(&schema), fs::read_to_string(root.join("scenarios/scenario.schema.json")).unwrap());
    for (args, words) in [
        ("completions bash", "complete -F"),
        ("completions zsh", "#compdef lanekeeper"),
        ("completions fish", "complete -c lanekeeper"),
        ("man", ".TH lanekeeper 1"),
        ("man test", "junit"),
        ("--version", " build for "),
    ] {
        let output = lanekeeper(dir.path(), args);
        assert_eq!(code(&output), 0, "{args}: {}", stderr(&output));
        assert!(stdout(&output).contains(words), "{args}: {}", stdout(&output));
    }
    for (args, words) in
        [("completions tcsh", "bash"), ("man fly", "there are run, compare, sweep"), ("tets", "similar")]
    {
        let output = lanekeeper(dir.path(), args);
        assert_eq!(code(&output), 2, "{args}");
        assert!(stderr(&output).contains(words), "{args}: {}", stderr(&output));
    }
}

const ZOMBIE: &str = "\
name: zombie
workers: {initial: 3}
engine: {queue_first: {queues: {min: 1, max: 1}, lease: none, running_task_of_lost_worker: fail}}
script:
  - {at: 0s, submit: {task: first, claims: [repo], service: 40s}}
  - {at: 1s, submit: {task: second, claims: [repo], service: 20s}}
  - {at: 1s, submit: {task: aside, claims: [], service: 20s}}
  - {at: 5s, pause: {worker: w1, for: 35s}}
  - {at: 50s, crash: {worker: w3}}
";

#[test]
fn shrink_writes_a_scenario_that_passes_and_says_how_to_repeat_it() {
    let dir = folder_with(&[("zombie.yaml", ZOMBIE.as_bytes())]);
    let output = lanekeeper(dir.path(), "shrink zombie.yaml -o out/small.yaml --property exclusion");
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    let said = stdout(&output);
    assert!(said.contains("5 events -> 2, 3 workers -> 2, 3 tasks -> 1"), "{said}");
    let repeat = said.lines().last().unwrap().strip_prefix("lanekeeper ").unwrap();
    assert_eq!(repeat, "test out/small.yaml");
    let repeated = lanekeeper(dir.path(), repeat);
    assert_eq!(code(&repeated), 0, "{}", stdout(&repeated));
}

#[test]
fn shrink_refuses_what_it_cannot_do_and_writes_nothing() {
    let dir = folder_with(&[("zombie.yaml", ZOMBIE.as_bytes()), ("small.yaml", SMALL.as_bytes())]);
    for (args, expected) in [
        ("shrink small.yaml -o out.yaml", 4),
        ("shrink zombie.yaml -o out.yaml --property pool_bounds", 4),
        ("shrink zombie.yaml -o out.yaml --property exclusoin", 2),
        ("shrink zombie.yaml", 2),
        ("shrink nowhere.yaml -o out.yaml", 2),
        ("shrink zombie.yaml -o zombie.yaml/out.yaml --property exclusion", 74),
    ] {
        let output = lanekeeper(dir.path(), args);
        assert_eq!(code(&output), expected, "{args}: {}", stderr(&output));
        assert!(stderr(&output).contains("error:"), "{args}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[cfg(unix)]
#[test]
fn what_stands_for_something_else_is_written_through() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes()), ("kept/real.ndjson", b"old")]);
    std::os::unix::fs::symlink("kept/real.ndjson", dir.path().join("link.ndjson")).unwrap();
    std::os::unix::fs::symlink("/dev/null", dir.path().join("nothing")).unwrap();
    for name in ["link.ndjson", "nothing"] {
        let output = lanekeeper(dir.path(), &format!("run small.yaml --replications 1 --charts none --events {name}"));
        assert_eq!(code(&output), 0, "{name}: {}", stderr(&output));
        assert!(fs::symlink_metadata(dir.path().join(name)).unwrap().is_symlink(), "{name}");
    }
    assert!(fs::read_to_string(dir.path().join("kept/real.ndjson")).unwrap().starts_with("{\"at\":"));
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}
