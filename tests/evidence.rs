//! Experiments from outside: precision, comparisons and sweeps give the same bytes however they are run.

mod program;

use std::fs;
use std::path::Path;

use program::*;
use serde_json::Value;

#[test]
fn a_precision_decides_how_many_replications_there_are_and_the_number_of_jobs_does_not() {
    let with = |at_most: u32| {
        let precision = format!("{{precision: {{metric: wait.mean, relative: 20%, at_most: {at_most}}}}}");
        SMALL.replace("replications: 6", &format!("replications: {precision}"))
    };
    let dir = folder_with(&[("enough.yaml", with(400).as_bytes()), ("short.yaml", with(12).as_bytes())]);
    let summary = |args: &str| {
        let output = lanekeeper(dir.path(), &format!("run {args} --format json --charts none"));
        serde_json::from_str::<Value>(&stdout(&output)).unwrap()
    };
    let one = summary("enough.yaml --jobs 1");
    let metric = &one["metrics"]["wait.mean"];
    let half = (metric["ci"][1].as_f64().unwrap() - metric["ci"][0].as_f64().unwrap()) / 2.0;
    assert!(half <= 0.2 * metric["mean"].as_f64().unwrap(), "{metric}");
    assert!((11..400).contains(&one["replications"].as_u64().unwrap()), "{}", one["replications"]);
    assert_eq!(one, summary("enough.yaml --jobs 3"));
    let short = summary("short.yaml");
    assert_eq!(short["replications"], 12);
    assert!(short["warnings"][0].as_str().unwrap().contains("raise `at_most`"), "{short}");
}

/// One busy worker, which begins with nothing to do.
const BUSY: &str = "\
name: busy
run: {seed: 1, replications: 20, horizon: 2h, drain: 1d}
workload:
  - {class: t, arrivals: {poisson: 57/m}, service: {exponential: {mean: 1s}}, claims: {}}
workers: {initial: 1}
engine: {queue_first: {queues: {min: 0, max: 1}}}
expect: {thresholds: [wait.p99 < 1h]}
";

#[test]
fn a_beginning_that_differs_from_the_rest_is_said_until_it_is_left_out() {
    let dir = folder_with(&[("busy.yaml", BUSY.as_bytes())]);
    let told = |args: &str| stdout(&lanekeeper(dir.path(), &format!("run busy.yaml --charts none {args}")));
    let warned = told("");
    let (_, rest) = warned.split_once("the beginning differs from the rest until about ").expect(&warned);
    let until = rest.split(' ').next().unwrap();
    assert!(!told(&format!("--set run.warm_up={until}")).contains("the beginning differs"), "{until} is enough");
}

#[test]
fn what_was_never_seen_is_bounded_and_a_quantile_of_too_few_tasks_is_refused() {
    let dir = folder_with(&[("busy.yaml", BUSY.as_bytes())]);
    let output = lanekeeper(dir.path(), "run busy.yaml --charts none --format markdown --set run.horizon=1m");
    assert_eq!(output.status.code(), Some(1));
    let told = stdout(&output);
    assert!(told.contains("not estimated: needs at least 299 tasks in the window"), "{told}");
    assert!(
        told.contains("| `always order` | pass | no breach, at 95 % in at most 13.91 % of replications |"),
        "{told}"
    );
}

/// Three variants: one that changes nothing, one with fewer queues, one with other tasks.
fn compared() -> String {
    format!(
        "{SMALL}engine: {{queue_first: {{queues: {{min: 3, max: 3}}}}}}
variants:
  wide: {{}}
  same: {{engine: {{queue_first: {{queues: {{min: 3, max: 3}}}}}}}}
  narrow: {{engine.queue_first.queues: {{min: 1, max: 1}}}}
  other: {{resources: {{repo: {{count: 50}}}}}}
"
    )
}

#[test]
fn a_comparison_pairs_its_variants_and_knows_what_is_chance() {
    let dir = folder_with(&[("three.yaml", compared().as_bytes())]);
    let output = lanekeeper(dir.path(), "compare three.yaml --replications 30 --format json --charts none --jobs 2");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let names: Vec<&str> = json["cells"].as_array().unwrap().iter().map(|it| it["cell"].as_str().unwrap()).collect();
    assert_eq!(names, ["wide", "same", "narrow", "other"], "in the order of the file");
    assert_eq!(json["baseline"], "wide");
    let plans: Vec<bool> =
        json["cells"].as_array().unwrap().iter().map(|it| it["same_plan"].as_bool().unwrap()).collect();
    assert_eq!(plans, [true, true, true, false]);
    assert!(json["warnings"][0].as_str().unwrap().starts_with("other has another plan"));
    assert!(json["warnings"][1].as_str().unwrap().starts_with("same went exactly as wide"), "{}", json["warnings"]);
    let wait = |cell: &str| {
        let all = json["differences"].as_array().unwrap().iter();
        all.clone().find(|it| it["cell"] == cell && it["metric"] == "wait.mean").unwrap().clone()
    };
    assert_eq!((wait("same")["difference"].as_f64(), &wait("same")["verdict"]), (Some(0.0), &"inconclusive".into()));
    assert_eq!(wait("narrow")["verdict"], "worse");
    assert!(wait("narrow")["ci"][0].as_f64().unwrap() > 0.0 && wait("narrow")["p_holm"].as_f64().unwrap() < 0.05);
    assert_eq!(json["cells"][0]["metrics"]["wait.mean"]["n"], 30);
    let again =
        lanekeeper(dir.path(), "compare three.yaml --replications 30 --format json --charts none --jobs 1 -o again");
    assert_eq!(stdout(&again), stdout(&output));
    assert!(dir.path().join("again/differences.csv").exists());
}

#[test]
fn the_table_of_a_comparison_answers_first_and_names_the_baseline_that_was_asked_for() {
    let dir = folder_with(&[("three.yaml", compared().as_bytes())]);
    let output = lanekeeper(dir.path(), "compare three.yaml --baseline narrow --metric wait.mean --charts svg");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stdout(&output).starts_with("wide against narrow: better in wait.mean ("), "{}", stdout(&output));
    let command = "lanekeeper compare three.yaml --baseline narrow --metric wait.mean";
    assert_eq!(stdout(&output).lines().last(), Some(command));
    for chart in ["differences.svg", "wait-ccdf.svg", "pareto.svg"] {
        assert!(dir.path().join("results/small").join(chart).exists(), "{chart}");
    }
}

#[test]
fn values_of_a_path_are_compared_until_the_differences_are_precise() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let args =
        "compare small.yaml --vary engine.queue_first.queues.max=1,3 --precision 40% --format json --charts none";
    let json: Value = serde_json::from_str(&stdout(&lanekeeper(dir.path(), args))).unwrap();
    let names: Vec<&str> = json["cells"].as_array().unwrap().iter().map(|it| it["cell"].as_str().unwrap()).collect();
    assert_eq!(names, ["max=1", "max=3"]);
    let all = json["differences"].as_array().unwrap();
    let wait = all.iter().find(|it| it["metric"] == "wait.mean").unwrap();
    let half = (wait["ci"][1].as_f64().unwrap() - wait["ci"][0].as_f64().unwrap()) / 2.0;
    assert!(half <= 0.4 * wait["baseline_mean"].as_f64().unwrap(), "{wait}");
}

#[test]
fn what_cannot_be_compared_is_refused_before_anything_runs() {
    let text = |variants: &str| format!("{SMALL}variants: {variants}\n");
    let dir = folder_with(&[
        ("none.yaml", SMALL.as_bytes()),
        ("one.yaml", text("{a: {}}").as_bytes()),
        ("list.yaml", text("[a, b]").as_bytes()),
        ("wrong.yaml", text("{a: {}, b: {workers: {inital: 2}}}").as_bytes()),
        ("unpaired.yaml", text("{a: {}, b: {run: {replications: 2}}}").as_bytes()),
        ("fine.yaml", text("{a: {}, b: {workers: {initial: 2}}}").as_bytes()),
    ]);
    for (args, exit, words) in [
        ("none.yaml", 4, "two or more variants"),
        ("one.yaml", 4, "two or more variants"),
        ("list.yaml", 2, "is a map"),
        ("wrong.yaml", 2, "wrong.yaml:8:33 (workers.inital)"),
        ("unpaired.yaml", 2, "cannot be paired"),
        ("fine.yaml --baseline c", 2, "there are a, b"),
        ("fine.yaml --metric wait.p96", 2, "did you mean"),
        ("fine.yaml --vary a", 2, "path=a,b,c"),
        ("fine.yaml --vary workers.initial=1,2,x", 2, "--set workers.initial=x"),
        ("fine.yaml --precision 5", 2, "has no unit"),
        ("missing.yaml", 2, "cannot read"),
    ] {
        let output = lanekeeper(dir.path(), &format!("compare {args}"));
        assert_eq!(code(&output), exit, "{args}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{args}: {}", stderr(&output));
    }
    assert!(!dir.path().join("results").exists());
}

/// Five cells of four replications.
fn swept() -> String {
    let small = SMALL.replace("replications: 6", "replications: 4");
    format!(
        "{small}sweep: {{grid: {{engine.queue_first.queues.min: [1, 2, 3], engine.queue_first.queues.max: [2, 3]}}, where: \
         engine.queue_first.queues.min <= engine.queue_first.queues.max}}\n"
    )
}

/// Every file of a folder but those of shards, by name.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(dir).unwrap().map(|it| it.unwrap());
    let mut files: Vec<_> = entries
        .map(|it| (it.file_name().into_string().unwrap(), fs::read(it.path()).unwrap()))
        .filter(|(name, _)| !name.contains("-of-"))
        .collect();
    files.sort();
    files
}

#[test]
fn a_sweep_in_one_go_in_shards_and_continued_gives_the_same_bytes() {
    let dir = folder_with(&[("sweep.yaml", swept().as_bytes())]);
    let run = |args: &str| {
        let output = lanekeeper(dir.path(), args);
        assert_eq!(code(&output), 0, "{args}: {}", stderr(&output));
        output
    };
    let whole = run("sweep sweep.yaml -o whole --jobs 2");
    let answer = stdout(&whole);
    assert!(answer.contains("is best on wait.mean"), "{answer}");
    assert!(answer.lines().last().unwrap().contains(" is best on queue.churn"), "{answer}");
    let names: Vec<String> = files(&dir.path().join("whole")).into_iter().map(|it| it.0).collect();
    for wanted in ["cells.csv", "heat.svg", "pareto.png", "runs.ndjson", "summary.json"] {
        assert!(names.iter().any(|name| name == wanted), "{wanted} of {names:?}");
    }

    for shard in 1..=4 {
        run(&format!("sweep sweep.yaml --shard {shard}/4 -o part{} --jobs 1", shard % 2));
    }
    let merged = run("merge part0 part1 -o merged");
    assert_eq!(stdout(&merged), answer);
    assert!(files(&dir.path().join("merged")) == files(&dir.path().join("whole")));
    let twice = run("merge part0 part1 part1 -o twice");
    assert!(stderr(&twice).contains("part1/runs-1-of-4.ndjson were in a file before it"), "{}", stderr(&twice));
    assert!(files(&dir.path().join("twice")) == files(&dir.path().join("whole")));
    let other = fs::read_to_string(dir.path().join("part1/runs-1-of-4.ndjson")).unwrap();
    fs::create_dir(dir.path().join("other")).unwrap();
    let changed = other.replace("\"wait.mean\":", "\"wait.mean\":1");
    fs::write(dir.path().join("other/runs-1-of-4.ndjson"), changed).unwrap();
    let refused = lanekeeper(dir.path(), "merge part0 part1 other -o refused");
    assert!(code(&refused) == 5 && stderr(&refused).contains("other/runs-1-of-4.ndjson says of cell 0, replication 0"));
    assert!(!dir.path().join("refused").exists());

    // The machine went down in the middle of the seventh line.
    let log = dir.path().join("whole/runs.ndjson");
    let bytes = fs::read(&log).unwrap();
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(place, _)| place);
    let torn = ends.nth(6).unwrap() + 100;
    fs::create_dir(dir.path().join("torn")).unwrap();
    fs::write(dir.path().join("torn/runs.ndjson"), &bytes[..torn]).unwrap();
    let refused = lanekeeper(dir.path(), "sweep sweep.yaml -o torn");
    assert!(code(&refused) == 2 && stderr(&refused).contains("--resume"), "{}", stderr(&refused));
    run("sweep sweep.yaml -o torn --resume");
    assert!(files(&dir.path().join("torn")) == files(&dir.path().join("whole")));

    // Fewer replications, and the others added later.
    run("sweep sweep.yaml --replications 2 -o grown");
    run("sweep sweep.yaml --resume -o grown");
    assert!(files(&dir.path().join("grown")) == files(&dir.path().join("whole")));

    let other = lanekeeper(dir.path(), "sweep sweep.yaml --seed 8 --resume -o grown");
    assert!(code(&other) == 2 && stderr(&other).contains("another sweep"), "{}", stderr(&other));
    let lacking = lanekeeper(dir.path(), "merge part0 -o lacking");
    assert!(code(&lacking) == 2 && stderr(&lacking).contains("missing"), "{}", stderr(&lacking));
}

#[test]
fn cells_share_their_replications_and_are_named_by_their_parameters() {
    let dir = folder_with(&[("sweep.yaml", swept().as_bytes())]);
    let output = lanekeeper(dir.path(), "sweep sweep.yaml --format json --charts none");
    let json: Value = serde_json::from_str(&stdout(&output)).unwrap();
    let cells = json["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 5);
    let set = "--set engine.queue_first.queues.min=2 --set engine.queue_first.queues.max=3";
    let args = format!("run sweep.yaml {set} --format json --charts none");
    let alone: Value = serde_json::from_str(&stdout(&lanekeeper(dir.path(), &args))).unwrap();
    let cell = cells.iter().find(|it| it["digest"] == alone["digest"]).expect("the cell of these parameters");
    assert_eq!(cell["parameters"]["engine.queue_first.queues.min"], 2);
    assert_eq!(cell["metrics"], alone["metrics"], "as if it had been run alone");
    let fewer = lanekeeper(
        dir.path(),
        "sweep sweep.yaml --vary engine.queue_first.queues.max=3,2 --vary engine.queue_first.queues.min=2,1 --format json \
         --charts none -o fewer",
    );
    let fewer: Value = serde_json::from_str(&stdout(&fewer)).unwrap();
    assert!(fewer["cells"].as_array().unwrap().iter().any(|it| it["cell"] == cell["cell"]), "the same name");
}

#[test]
fn combinations_that_make_no_sense_are_left_out_by_a_condition_on_the_command_line() {
    let dir = folder_with(&[("none.yaml", SMALL.as_bytes())]);
    let vary =
        "sweep none.yaml --plan --vary engine.queue_first.queues.min=1,2,3 --vary engine.queue_first.queues.max=1,2,3";
    let all = lanekeeper(dir.path(), vary);
    assert_eq!(code(&all), 2, "min above max");
    assert!(stderr(&all).contains("or --where 'a.min <= a.max'"), "{}", stderr(&all));
    let some = format!("{vary} --where engine.queue_first.queues.min<=engine.queue_first.queues.max");
    let some = lanekeeper(dir.path(), &some);
    assert_eq!(code(&some), 0, "{}", stderr(&some));
    assert!(stdout(&some).starts_with("small: 6 cells"), "{}", stdout(&some));
}

#[test]
fn a_plan_runs_nothing_and_a_huge_or_senseless_sweep_is_refused_at_once() {
    let huge = format!(
        "{SMALL}sweep: {{grid: {{run.seed: {{from: 1, to: 1000000, step: 1}}, workers.initial: {{from: 1, to: 1000, step: \
         1}}}}}}\n"
    );
    let dir = folder_with(&[
        ("sweep.yaml", swept().as_bytes()),
        ("huge.yaml", huge.as_bytes()),
        ("none.yaml", SMALL.as_bytes()),
    ]);
    let plan = lanekeeper(dir.path(), "sweep sweep.yaml --plan --shard 1/2");
    assert_eq!(code(&plan), 0, "{}", stderr(&plan));
    assert!(stdout(&plan).starts_with("small: 3 cells (shard 1 of 2 of 5 cells), 4 replications each: 12 runs"));
    for (args, exit, words) in [
        ("huge.yaml", 2, "1000000000 combinations"),
        ("sweep.yaml --vary engine.queue_first.queues.max=2,0", 2, "--set engine.queue_first.queues.max=0"),
        ("none.yaml", 4, "varies nothing"),
        ("none.yaml --where workers.initial>1", 4, "varies nothing"),
        ("sweep.yaml --where workers.initial", 2, "compares nothing"),
        ("sweep.yaml --where workers.initial>9", 4, "leaves no combination"),
        (
            "sweep.yaml --where workers.inital>1",
            2,
            "--> --where 'workers.inital>1'\n  help: did you mean `workers.initial`",
        ),
        ("sweep.yaml --where run.horizon<=2", 2, "`run.horizon` (`20m`) is a time, and `2` is a plain number"),
        ("sweep.yaml --where min<=max", 2, "`min` is neither varied nor in the scenario"),
        ("sweep.yaml --shard 5/4", 2, "is no shard"),
        ("sweep.yaml --vary workers.initial=1,1", 2, "same parameters"),
        ("sweep.yaml --set run.replications={precision:{metric:wait.mean,relative:5%}}", 2, ""),
        ("missing.yaml", 2, "cannot read"),
    ] {
        let output = lanekeeper(dir.path(), &format!("sweep {args}"));
        assert_eq!(code(&output), exit, "{args}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{args}: {}", stderr(&output));
    }
    let empty = lanekeeper(dir.path(), "merge . -o merged");
    assert!(code(&empty) == 4 && stderr(&empty).contains("no shard"), "{}", stderr(&empty));
    assert!(!dir.path().join("results").exists());
}

#[test]
fn a_comparison_ends_as_its_expectations_do_and_says_which_do_not_hold() {
    let with = |threshold: &str| {
        format!(
            "{SMALL}variants: {{few: {{workers: {{initial: 1}}}}, many: {{}}}}\nexpect: {{thresholds: [\"{threshold}\"]}}\n"
        )
    };
    for (threshold, exit, words) in [
        ("wait.mean < 1h", 0, ""),
        ("wait.mean < 2s", 1, "few: fail: wait.mean < 2s"),
        ("throughput == 7/s", 1, "many: fail: throughput"),
        ("tasks.lost > 3", 1, "few: fail: tasks.lost > 3"),
    ] {
        let dir = folder_with(&[("two.yaml", with(threshold).as_bytes())]);
        let output = lanekeeper(dir.path(), "compare two.yaml --charts none");
        assert_eq!(code(&output), exit, "{threshold}: {}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).contains(words), "{threshold}: {}", stdout(&output));
    }
    let mean = "compare two.yaml --charts none --format json --replications 3";
    let dir = folder_with(&[("two.yaml", with("wait.mean < 1h").as_bytes())]);
    let text = stdout(&lanekeeper(dir.path(), mean));
    let wait =
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["cells"][1]["metrics"]["wait.mean"]["mean"].clone();
    fs::write(
        dir.path().join("two.yaml"),
        with(&format!("wait.mean < {}s", wait.as_f64().unwrap())).replace("few: {workers: {initial: 1}}", "few: {}"),
    )
    .unwrap();
    assert_eq!(code(&lanekeeper(dir.path(), "compare two.yaml --charts none --replications 3")), 3);
    assert_eq!(code(&lanekeeper(dir.path(), "compare two.yaml --charts none --replications 3 --inconclusive pass")), 0);
}

#[test]
fn what_must_happen_sometimes_need_be_seen_by_one_of_the_systems_only() {
    let of = |probe: &str| {
        let variants = "variants: {today: {engine: {pull_locks: {}}}, future: {}}";
        let text = format!("{SMALL}{variants}\nexpect: {{sometimes: [{probe}]}}\n");
        let dir = folder_with(&[("two.yaml", text.as_bytes())]);
        let output = lanekeeper(dir.path(), "compare two.yaml --charts none --replications 2");
        (code(&output), stdout(&output).matches("fail: sometimes").count())
    };
    assert_eq!(of("queue_created"), (0, 0), "pull_locks has no queues");
    assert_eq!(of("double_duty"), (1, 2), "three workers, and never more queues");
}

/// One worker that dies early: whoever waits on waits for ever.
const STANDS_STILL: &str = "\
name: still
run: {horizon: 10m, drain: 10m, replications: 2}
workload: [{class: sync, arrivals: {every: 10s}, service: 5s}]
workers: {initial: 1}
script: [{at: 65s, crash: {worker: w1}}]
expect: {thresholds: [wait.mean < 5s]}
";

#[test]
fn tasks_that_never_began_make_no_system_look_quick() {
    let dir = folder_with(&[("still.yaml", STANDS_STILL.as_bytes())]);
    let run = lanekeeper(dir.path(), "run still.yaml --charts none");
    assert_eq!(code(&run), 3, "{}", stdout(&run));
    assert!(stdout(&run).contains("without the tasks that never began: 10"), "{}", stdout(&run));
    assert!(stdout(&run).contains("tasks that had not begun when a run ended: 10"), "{}", stdout(&run));
    let compare = stdout(&lanekeeper(dir.path(), "compare still.yaml --vary workers.initial=1,2 --charts none"));
    let answer = compare.lines().next().unwrap();
    assert!(answer.contains("better in") && !answer.contains("wait."), "{answer}");
    assert!(compare.contains("Nobody beats these in idle time, wait and churn at once: initial=2\n"), "{compare}");
    let sweep = stdout(&lanekeeper(dir.path(), "sweep still.yaml --vary workers.initial=1,2 --charts none -o swept"));
    assert!(sweep.contains("initial 2 is best on wait.mean"), "{sweep}");
    assert!(sweep.contains("1 of 2 cells left tasks that never began"), "{sweep}");
}

#[test]
fn throughput_counts_what_is_completed_in_the_window_and_never_exceeds_what_workers_can_do() {
    let text = "name: over\nrun: {horizon: 10m, replications: 1}\nworkers: {initial: 1}\nworkload: [{class: sync, arrivals: \
                {every: 10s}, service: 60s}]\n";
    let dir = folder_with(&[("over.yaml", text.as_bytes())]);
    let output = stdout(&lanekeeper(dir.path(), "run over.yaml --charts none --format json"));
    let summary: serde_json::Value = serde_json::from_str(&output).unwrap();
    // The first comes at 10 s, and the ninth of them is done at 9 min 10 s.
    assert_eq!(summary["metrics"]["throughput"]["mean"].as_f64(), Some(9.0 / 600.0));
    assert_eq!(summary["metrics"]["tasks.completed"]["mean"].as_f64(), Some(59.0));
}

#[test]
fn a_sweep_does_not_throw_finished_runs_away_and_the_seed_is_no_axis() {
    let dir = folder_with(&[("small.yaml", SMALL.as_bytes())]);
    let sweep = "sweep small.yaml --charts none -o swept --vary workers.initial=2,3";
    assert_eq!(code(&lanekeeper(dir.path(), &format!("{sweep} --replications 2"))), 0);
    let kept = fs::read(dir.path().join("swept/runs.ndjson")).unwrap();
    let fewer = lanekeeper(dir.path(), &format!("{sweep} --replications 1 --resume"));
    assert_eq!(code(&fewer), 2);
    assert!(stderr(&fewer).contains("would throw finished runs away"), "{}", stderr(&fewer));
    assert!(kept == fs::read(dir.path().join("swept/runs.ndjson")).unwrap());
    for verb in ["sweep", "compare"] {
        let seeds = lanekeeper(dir.path(), &format!("{verb} small.yaml --vary run.seed=1,2"));
        assert!(code(&seeds) == 2 && stderr(&seeds).contains("the same `run.seed`"), "{}", stderr(&seeds));
    }
}
