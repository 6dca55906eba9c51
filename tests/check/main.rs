//! Scenario files: what is legal reads back as the same scenario; what is hostile is refused with its place and a
//! remedy, and nothing panics.

#[path = "../program/mod.rs"]
mod program;
mod tables;

use lanekeeper::base::{Claim, ResourceId, Span, TaskId, Time, WorkerId};
use lanekeeper::scenario::{
    Action, Arrivals, Diagnostic, Loaded, Override, Source, SourceText, file::json_schema, load,
};
use lanekeeper::sim::dist::Dist;
use program::{SMALL, code, folder_with, lanekeeper, stderr};
use proptest::prelude::*;

const FULL: &str = r#"
name: rolling-with-zombies
description: Rolling replacement at 6 h on a fleet whose workers pause longer than the lease.
run: {seed: 42, replications: 32, horizon: 8h, drain: 2h, warm_up: 30m, confidence: 95%}
resources:
  repo: {count: 200, popularity: {zipf: 1.1}}
workload:
  - class: sync
    arrivals: {poisson: 8/m}
    service: {lognormal: {mean: 30s, cv: 2.0}}
    claims: {repo: 1}
  - class: copy
    arrivals: {mmpp: [{rate: 20/h, dwell: 50m}, {rate: 2/m, dwell: 10m}]}
    service: {exponential: {mean: 20s}}
    claims: {repo: {exclusive: 1, shared: {uniform: {min: 1, max: 2}}}}
  - class: orphan-cleanup
    arrivals: {every: 1h}
    service: 90s
    claims: {}
  - {class: a, arrivals: {renewal: {erlang: {shape: 3, mean: 1h}}}, service: {weibull: {shape: 0.7, mean: 1m}}}
  - {class: b, arrivals: {piecewise: [{until: 4h, rate: 2/h}, {until: 8h, rate: 0/h}]}, service: {uniform: {min: 1s, max: 2s}}}
  - {class: c, arrivals: {burst: {at: 1h, tasks: 1000}}, service: {pareto: {shape: 1.5, min: 1s, cap: 1h}}}
workers:
  initial: 8
  startup: {uniform: {min: 2s, max: 6s}}
  arrivals: {poisson: 2/h}
  lifetime: {exponential: {mean: 4h}}
  exit: {crash: 70%, quiesce: 30%}
  grace: 10m
  restart_after: {exponential: {mean: 1m}}
  pause: {every: {exponential: {mean: 90m}}, for: {uniform: {min: 20s, max: 90s}}}
  overhead: 0s
  abort_takes: 0s
  speed: {uniform: {min: 0.5, max: 2}}
  shift_change: {at: 4h, leave: 8, arrive: 8, overlap: 30s}
  rolling_replace: {at: 6h, batch: 2, every: 5m, surge: 1}
  autoscaler: {signal: runnable_per_worker, target: 4, min: 4, max: 16, every: 30s, cooldown: 2m}
network: {delay: {exponential: {mean: 2ms}}, loss: 0%, duplicate: 0%, reorder: false}
detection: {heartbeat: 10s, ttl: 30s}
engine:
  queue_first:
    queues: {min: 4, max: 12}
    placement: least_backlog
    create: {when: {backlog_per_queue: 8, for: 30s}}
    delete: {empty_for: 2m}
    at_max: {park: {at_most: 5m}}
    double_duty: {prefer_at_most: 2, discipline: round_robin}
    newcomers: general_only
    rebalance: {every: 1m}
    general_queue: {served_by: everyone, general_after: 16}
    running_task_of_lost_worker: {requeue: {max_attempts: 3}}
    lease: {duration: 30s, margin: 1s, fencing: true}
faults: []
expect:
  always: [exclusion, order, ownership, no_loss, quiesce, pool_bounds]
  sometimes: [orphaned_queue, zombie_reported]
  thresholds:
    - wait.p95{class=sync} < 45s
    - worker.idle_avoidable < 5%
    - queue.churn < 6/h
    - slowdown.mean <= 12.5
  digest: null
variants: {today: {engine: {worker_owned: {preset: pulp-2.14}}}, future: {}}
sweep: {grid: {engine.queue_first.queues.min: [1, 2]}}
"#;

const SCRIPT: &str = r#"
name: zombie-overlap
workers: {initial: 2}
engine: {queue_first: {queues: {min: 1, max: 1}, lease: none, running_task_of_lost_worker: fail}}
script:
  - {at: 5s, pause: {worker: w1, for: 35s}}
  - {at: 0s, submit: {task: t1, claims: [repo-17], service: 40s}}
  - {at: 1s, submit: {task: t2, claims: [repo-9], shared: [repo-17], service: 20s}}
  - {at: 6s, join: {worker: w3}}
  - {at: 7s, quiesce: {worker: w3}}
  - {at: 8s, cancel: {task: t2}}
  - {at: 9s, set_limits: {min: 1, max: 2}}
  - {at: 10s, crash: {worker: w2, when: before_report}}
  - {at: 11s, join: {worker: w4, host_of: w2, startup: 5s}}
  - {at: 11s, speed: {worker: w4, to: 0.5}}
  - {at: 12s, clock: {worker: w4, drift_ppm: -200, jump: -500ms}}
  - {at: 13s, duplicate: {worker: w1, direction: to_engine, by: 1ms, again: 5ms}}
  - {at: 14s, submit: {task: t3, service: 1s, overhead: 100ms, poison: kills_worker}}
expect:
  violated: [exclusion]
  states: [{at: 31s, task: t2, state: running, worker: w2}]
  starts: [t1, t2]
"#;

fn read(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    load(&SourceText::new("a.yaml", text), &[])
}

fn refused(text: &str) -> Diagnostic {
    read(text).expect_err(&format!("accepted: {text}")).remove(0)
}

/// A minimal scenario with one more line (the fourth).
fn with(line: &str) -> String {
    format!("name: a\nworkers: {{initial: 2}}\nresources: {{repo: {{count: 3}}}}\n{line}\n")
}

fn work(arrivals: &str, service: &str) -> String {
    with(&format!("workload: [{{class: c, arrivals: {arrivals}, service: {service}}}]"))
}

#[test]
fn every_key_of_the_documentation_is_read_and_the_resolved_form_reads_back_as_the_same_scenario() {
    for text in [FULL, SCRIPT, "name: a\nworkers: {}\n"] {
        let first = read(text).unwrap_or_else(|all| panic!("{}", all[0]));
        let second = read(&first.resolved_yaml()).unwrap_or_else(|all| panic!("{}\n{}", all[0], first.resolved_yaml()));
        assert_eq!(format!("{:?}", first.scenario), format!("{:?}", second.scenario));
        assert_eq!(first.resolved_yaml(), second.resolved_yaml());
    }
}

#[test]
fn defaults_are_those_that_are_documented() {
    let scenario = read("name: a\nworkers: {initial: 1, lifetime: 1h}\n").unwrap().scenario;
    assert_eq!((scenario.run.seed, scenario.run.replications), (42, 8));
    assert_eq!(scenario.run.horizon, Time::from_secs(8 * 3600));
    assert_eq!(scenario.run.drain, Span::from_secs(7200));
    assert_eq!(scenario.workers.crash_share, 1.0);
    assert_eq!(scenario.workers.speed, Dist::Constant(Span::from_secs(1)));
    assert_eq!(scenario.detection.ttl, Span::from_secs(30));
}

#[test]
fn a_script_is_sorted_by_time_and_its_names_become_numbers() {
    let scenario = read(SCRIPT).unwrap().scenario;
    assert_eq!(scenario.run.horizon, Time::from_secs(40));
    let Action::Submit { claims, .. } = &scenario.script[1].action else { panic!("{:?}", scenario.script) };
    assert_eq!(claims.as_slice(), [Claim::exclusive(ResourceId(1)), Claim::shared(ResourceId(0))]);
    assert!(matches!(scenario.script[2].action, Action::Pause { worker: WorkerId(0), .. }));
    assert!(matches!(scenario.script[3].action, Action::Join { worker: WorkerId(2), .. }));
    assert!(matches!(scenario.script[8].action, Action::Join { worker: WorkerId(3), host: WorkerId(1), life: 1, .. }));
    assert_eq!(scenario.labels.resource(ResourceId(0)), "repo-17");
    assert_eq!(scenario.expect.starts, [TaskId(0), TaskId(1)]);
}

/// (text, line, column, what the finding must contain)
fn hostile() -> Vec<(String, usize, usize, &'static str)> {
    let bomb = "workload: &a [1,2,3,4,5,6,7,8,9]\nresources: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nrun: &c \
                [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nname: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\nworkers: \
                [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n";
    vec![
        (String::new(), 1, 1, "empty: a scenario needs at least `name` and `workers`"),
        ("# nothing\n".into(), 1, 1, "empty"),
        ("workers: {}".into(), 1, 1, "needs the key `name`"),
        ("name: a".into(), 1, 1, "needs the key `workers`"),
        (bomb.into(), 5, 32, "aliases expand"),
        ("a: ".to_owned() + &"[".repeat(100_000), 1, 259, "nested deeper than 64"),
        ("- ".repeat(100_000), 1, 129, "nested deeper than 64"),
        ("name: a\nworkers: {}\n---\nname: b\n".into(), 3, 1, "second document"),
        ("name: a\nworkers: {}\nname: b\n".into(), 3, 1, "first in line 1, column 1"),
        ("name: a\nworkers: {inital: 3}\n".into(), 2, 11, "did you mean `initial`?"),
        ("name: a\nworkers:\n\tinitial: 3\n".into(), 3, 2, "indent with spaces"),
        ("name: a\nworkers: !fleet {}\n".into(), 2, 10, "tag"),
        ("name: a\nworkers: &w {}\nrun: {<<: *w}\n".into(), 3, 7, "merge"),
        ("name: a\nworkers: {initial: no}\n".into(), 2, 20, "no"),
        ("name: a\nworkers: {initial: 1e3}\n".into(), 2, 20, "1000"),
        ("name: a\nworkers: {initial: .nan}\n".into(), 2, 20, "no number"),
        ("name: a\nworkers: {initial: .inf}\n".into(), 2, 20, "no number"),
        ("name: a\nworkers: {initial: 1e999}\n".into(), 2, 20, "too large"),
        ("name: a\nworkers: {initial: -1}\n".into(), 2, 20, "-1"),
        ("name: a\nworkers: {initial: 1000000000000}\n".into(), 2, 20, "at most 1000000"),
        ("name: a\nworkers: {? [a] : 1}\n".into(), 2, 13, "a key must be a word"),
        ("name: ../a\nworkers: {}\n".into(), 1, 7, "folder of this name"),
        ("name: /etc/passwd\nworkers: {}\n".into(), 1, 7, "folder of this name"),
        ("name: ..\nworkers: {}\n".into(), 1, 7, "folder of this name"),
        (with("detection: {ttl: 30}"), 4, 18, "has no unit"),
        (with("detection: {ttl: -30s}"), 4, 18, "never below zero"),
        (with("detection: {ttl: 18446744073709551616us}"), 4, 18, "too large"),
        (with("detection: {ttl: 200000d}"), 4, 18, "longer than 100 years"),
        (with("detection: {heartbeat: 0s}"), 4, 24, "above zero"),
        (with("run: {confidence: 0.95}"), 4, 19, "write a percentage with its sign"),
        (with("run: {warm_up: 9h}"), 4, 16, "leaves nothing"),
        (with("run: {replications: 0}"), 4, 21, "1 to 1000000"),
        (with("run: {replications: {precision: {metric: wait.p95}}}"), 4, 22, "needs the key `relative`"),
        (with("run: {replications: {precision: {metric: wait.p96, relative: 5%}}}"), 4, 42, "did you mean"),
        (with("run: {replications: {precision: {metric: wait.p95, relative: 0%}}}"), 4, 62, "above zero"),
        (with("run: {replications: {precision: {metric: wait.p95, relative: 5%, at_most: 0}}}"), 4, 75, "1 to 1000000"),
        (with("network: {loss: 101%}"), 4, 17, "not between 0% and 100%"),
        (with("faults: [{crash: {count: 3}}]"), 4, 11, "needs the key `at`"),
        (with("faults: [{slow: {at: 1h, workers: some, factor: 2, for: 1m}}]"), 4, 35, "a number of workers, or `all`"),
        (with("faults: [{slow: {at: 1h, workers: all, factor: 0.5, for: 1m}}]"), 4, 48, "between 1 and 1000"),
        (with("faults: [{clock: {workers: 1, offset: 5s}}]"), 4, 39, "`workers: all`"),
        (with("faults: [{clock: {workers: all, drift_ppm: 1e9}}]"), 4, 44, "-500000 and 500000"),
        (with("faults: [{clock: {workers: all, jump: soon}}]"), 4, 39, "soon"),
        (with("faults: [{herd: {at: 1h, tasks: 5, workers: 5}}]"), 4, 17, "of tasks or of workers"),
        (with("faults: [{herd: {at: 1h, tasks: 5, class: none}}]"), 4, 43, "no class `none`"),
        (with("faults: [{herd: {at: 1h, tasks: 5}}]"), 4, 17, "needs a class"),
        (with("faults: [{poison: {share: 1, does: kills_worker}}]"), 4, 27, "has no unit"),
        (with("faults: [{meteor: {at: 1h}}]"), 4, 11, "unknown variant `meteor`"),
        (with("engine: {queue_first: {lease: {fencing: maybe}}}"), 4, 41, "true or false is wanted"),
        (with("engine: {pull_locks: {preset: pulpcore-3.12}}"), 4, 23, "did you mean `pulpcore-3.14`?"),
        (with("engine: {pull_locks: {unblocked_to_started: 5}}"), 4, 45, "has no unit"),
        (with("engine: {pull_locks: {clean_up: {heartbeats: {first_min: 9, first_max: 8}}}}"), 4, 58, "above"),
        (with("engine: pull_locks"), 4, 9, "write `{name: {}}`"),
        (with("engine: {queue_first: {queues: {min: 4, max: 2}}}"), 4, 38, "min 4 is above max 2"),
        (with("engine: {queue_first: {placement: leest_backlog}}"), 4, 24, "did you mean `least_backlog`?"),
        (with("engine: {queue_first: {general_queue: {general_after: 0}}}"), 4, 55, "at least 1"),
        (with("resources: {repo: {count: 3}}"), 4, 1, "given twice"),
        (work("{poisson: 8}", "1s"), 4, 43, "has no unit"),
        (work("{poisson: 0/m}", "1s"), 4, 43, "nothing ever comes"),
        (work("{poisson: 1e308/s}", "1s"), 4, 43, "more than one per microsecond"),
        (work("{poisson: 900000/s}", "1s"), 4, 11, "tasks in one replication"),
        (work("{poison: 8/m}", "1s"), 4, 34, "did you mean `poisson`?"),
        (work("{poisson: 8/m, every: 1h}", "1s"), 4, 33, "exactly one key"),
        (work("{renewal: 0s}", "1s"), 4, 43, "above zero"),
        (work("{every: 1h}", "{uniform: {min: 3s, max: 2s}}"), 4, 71, "`min` is above"),
        (work("{every: 1h}", "{empirical: {file: none.csv}}"), 4, 74, "cannot be read"),
        (with("workload: [{class: c, service: 1s}]"), 4, 12, "needs the key `arrivals`"),
        (
            with("workload: [{class: c, arrivals: {every: 1h}, service: 1s, claims: {repos: 1}}]"),
            4,
            75,
            "did you mean `repo`?",
        ),
        (
            with("workload: [{class: c, arrivals: {every: 1h}, service: 1s, claims: {repo: 4}}]"),
            4,
            74,
            "4 claims of `repo`",
        ),
        (with("expect: {always: [exklusion]}"), 4, 19, "did you mean `exclusion`?"),
        (with("expect: {thresholds: ['wait.p96 < 4s']}"), 4, 23, "did you mean"),
        (with("expect: {thresholds: ['wait.p95 < 4']}"), 4, 23, "has no unit"),
        (with("expect: {thresholds: ['wait.p95{class=x} < 4s']}"), 4, 23, "no class"),
        (with("expect: {thresholds: ['wait.p95']}"), 4, 23, "compares nothing"),
        (with("script: [{at: 1s, crash: {worker: w9}}]"), 4, 35, "no worker `w9`"),
        (
            with("run: {horizon: 1s, drain: 1s}\nexpect: {states: [{at: 3s, task: t, state: running}]}"),
            5,
            24,
            "the run is over",
        ),
        (with("script: [{at: 1s}]"), 4, 10, "exactly one action"),
        (with("script: [{at: 1s, isolate: {worker: w1}}]"), 4, 19, "needs the key `for`"),
        (with("script: [{at: 1s, submit: {task: t, claims: [a, a], service: 1s}}]"), 4, 49, "claimed twice"),
        (with("script: [{at: 1s, speed: {worker: w1, to: 0}}]"), 4, 43, "between 0.001 and 1000"),
        (with("script: [{at: 1s, clock: {worker: w1, drift_ppm: 1e9}}]"), 4, 50, "-500000 and 500000"),
        (with("script: [{at: 1s, join: {worker: w3, host_of: w4}}]"), 4, 47, "no worker `w4`"),
        (with("script: [{at: 1s, duplicate: {worker: w1, again: -1s}}]"), 4, 50, "never below zero"),
    ]
}

#[test]
fn hostile_input_is_refused_at_its_place_with_what_is_wrong() {
    let mut wrong = Vec::new();
    for (text, line, column, contains) in hostile() {
        let found = refused(&text);
        let shown = found.to_string();
        if found.place != Some((line, column)) || !shown.contains(contains) {
            let text: String = text.chars().take(200).collect();
            wrong.push(format!("wanted {line}:{column} {contains}\nin {text}\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_group_that_is_refused_is_not_called_missing_as_well() {
    let text = FULL.replace("count: 200", "count: 0");
    let found = read(&text).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].to_string().contains("0 resources"), "{}", found[0]);
}

#[test]
fn bytes_that_are_no_utf8_text_are_refused_with_a_remedy() {
    let utf16: Vec<u8> = "name: a".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [&[0xFF, 0xFE][..], &utf16].concat();
    for (bytes, contains) in [
        (marked, "iconv"),
        (utf16, "NUL"),
        (b"name: a\nworkers: {}\ndescription: \xE9".to_vec(), "not UTF-8 in line 3"),
        (vec![b'#'; (8 << 20) + 1], "at most 8 MiB"),
    ] {
        let found = load(&SourceText::new("a.yaml", bytes), &[]).unwrap_err().remove(0).to_string();
        assert!(found.contains(contains), "{found}");
    }
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_accepted() {
    let text = format!("\u{FEFF}{}", FULL.replace('\n', "\r\n"));
    assert!(read(&text).is_ok(), "{}", read(&text).unwrap_err()[0]);
}

#[test]
fn a_script_is_measured_until_all_that_it_says_could_be_over() {
    let horizon = |events: &str| {
        let text = format!("name: a\nworkers: {{initial: 2}}\nrun: {{drain: 30m}}\nscript: [{events}]\n");
        read(&text).unwrap().scenario.run.horizon
    };
    let submit = "{at: 5s, submit: {task: t1, claims: [r1], service: 40s}}";
    assert_eq!(horizon(submit), Time::from_secs(45));
    assert_eq!(horizon(&format!("{submit}, {{at: 50s, crash: {{worker: w1}}}}")), Time::from_secs(50));
    assert_eq!(horizon(&format!("{submit}, {{at: 7s, pause: {{worker: w1, for: 60s}}}}")), Time::from_secs(67));
    // What takes longer than what is left is finished, or not, in the drain.
    assert_eq!(horizon(&format!("{submit}, {{at: 7s, pause: {{worker: w1, for: 9h}}}}")), Time::from_secs(1_807));
}

#[test]
fn set_wins_over_the_file_and_is_named_where_it_is_wrong() {
    let set = |text: &str| {
        let one: Override = text.parse().unwrap();
        load(&SourceText::new("a.yaml", FULL), &[one])
    };
    assert_eq!(set("run.seed=7").unwrap().scenario.run.seed, 7);
    let service = set("workload[2].service={exponential: {mean: 1s}}").unwrap().scenario.workload;
    assert!(matches!(&service[2], Source::Drawn { service: Dist::Exponential { .. }, .. }));
    assert!(
        set("workload[0].arrivals={every: 3s}")
            .is_ok_and(|it| matches!(&it.scenario.workload[0], Source::Drawn { arrivals: Arrivals::Every(_), .. }))
    );
    for (text, contains) in [
        ("workers.inital=3", "did you mean `initial`?"),
        ("detection.ttl=30", "has no unit"),
        ("workload[17].class=x", "there is no [17]"),
        ("name.first=x", "plain value"),
        ("workload.class=x", "say which item"),
        ("run.seed=[1", "no YAML"),
        ("a..b=1", "no path"),
        ("queues.max=3", "did you mean `engine.queue_first.queues.max`?"),
        ("engine.queues.max=3", "write engine.queue_first.queues.max"),
        ("engine.queue_first.queues.max=nine", "\"nine\" is written where a whole number is wanted"),
        ("run=3", "where a map of keys is wanted"),
        ("workers=6", "help: write it like `workers: {initial: 8}`"),
        ("resources.repo=200", "help: write it like `repo: {count: 200}`"),
        ("engine=[queue_first]", "a list is written where a name or a map is wanted"),
        ("engine.queue_first=", "help: write it like `queue_first: {}`"),
        ("workload[0].claims=repo", "help: write it like `claims: {repo: 1}`"),
        ("engine.queue_first.queues=[2, 8]", "a list is written where a map of keys is wanted"),
        ("workers.count=3", "here it is called `initial`"),
    ] {
        let found = set(text).unwrap_err().remove(0).to_string();
        assert!(found.contains(contains) && found.contains(&format!("--set {text}")), "{found}");
    }
    assert!("run.seed".parse::<Override>().is_err());
}

#[test]
fn a_restarted_task_without_a_finite_mean_is_warned_of_and_one_with_a_bound_is_not() {
    let warnings = |service: &str, attempts: u32| {
        let text = format!(
            "name: a\nworkers: {{initial: 8, lifetime: {{exponential: {{mean: 1h}}}}}}\nworkload: [{{class: c, arrivals: \
             {{poisson: 1/m}}, service: {service}, claims: {{}}}}]\nengine: {{queue_first: \
             {{running_task_of_lost_worker: {{requeue: {{max_attempts: {attempts}}}}}}}}}\n"
        );
        read(&text).unwrap().warnings.iter().map(ToString::to_string).collect::<String>()
    };
    let heavy = "{lognormal: {mean: 1m, cv: 1}}";
    assert!(warnings(heavy, 1000).contains("no finite value"), "{}", warnings(heavy, 1000));
    assert_eq!(warnings(heavy, 3), "", "it fails soon enough");
    assert_eq!(warnings("{pareto: {shape: 1.5, min: 20s, cap: 10m}}", 1000), "");
    assert_eq!(warnings("{exponential: {mean: 1m}}", 1000), "");
}

#[test]
fn what_shrinks_comes_too_late_or_is_never_finished_is_warned_of() {
    let warnings = |workers: &str, rest: &str| {
        let text = format!("name: w\nrun: {{horizon: 1h, drain: 1h}}\nworkers: {{initial: 2{workers}}}\n{rest}");
        read(&text).unwrap().warnings.iter().map(ToString::to_string).collect::<String>()
    };
    let leaves = ", lifetime: 1h, exit: {crash: 50%, quiesce: 50%}";
    assert!(warnings(leaves, "").contains("the fleet shrinks"), "{}", warnings(leaves, ""));
    assert_eq!(warnings(&format!("{leaves}, arrivals: {{poisson: 1/h}}"), ""), "");
    assert_eq!(warnings(", lifetime: 1h, exit: {crash: 100%}", ""), "");
    let crash = |at| warnings("", &format!("faults: [{{crash: {{at: {at}, count: 1}}}}]\n"));
    assert!(crash("2h").contains("faults[0]") && crash("2h").contains("the run is over"), "{}", crash("2h"));
    assert_eq!(crash("1h"), "");
    let scripted = |at| warnings("", &format!("script: [{{at: {at}, crash: {{worker: w1}}}}]\n"));
    assert!(
        scripted("3h").contains("script[0].at") && scripted("3h").contains("the run is over"),
        "{}",
        scripted("3h")
    );
    assert_eq!(scripted("1h"), "");
    let cut_off = |workers: &str, count: u32| {
        let fault = format!("faults: [{{isolate: {{at: 1m, workers: {count}, for: 1m, direction: both}}}}]\n");
        warnings(workers, &fault)
    };
    assert!(cut_off("", 3).contains("befall 3 workers, and there are 2"), "{}", cut_off("", 3));
    assert_eq!(cut_off("", 2) + &cut_off(", arrivals: {poisson: 1/h}", 3), "");
    let lease =
        |duration| warnings("", &format!("engine: {{queue_first: {{lease: {{duration: {duration}, margin: 2s}}}}}}\n"));
    assert!(lease("11s").contains("at least 12s"), "{}", lease("11s"));
    assert_eq!(lease("12s"), "");
}

#[test]
fn loads_that_have_no_steady_state_and_risky_timings_are_warned_of() {
    let text = "name: a\nworkers: {initial: 2, abort_takes: 5s}\nresources: {repo: {count: 1}}\ndetection: {heartbeat: \
                20s, ttl: 30s}\nworkload: [{class: c, arrivals: {poisson: 2/s}, service: 2s, claims: {repo: 1}}]\n";
    let warnings = read(text).unwrap().warnings.iter().map(ToString::to_string).collect::<String>();
    for contains in ["offered load", "repo-1", "half of the ttl", "margin"] {
        assert!(warnings.contains(contains), "{contains} missing in {warnings}");
    }
    assert!(warnings.contains("a.yaml:4:13"), "{warnings}");
}

#[test]
fn the_committed_schema_is_the_one_that_the_types_give() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/scenario.schema.json");
    let fresh = serde_json::to_string_pretty(&json_schema()).unwrap() + "\n";
    #[allow(clippy::disallowed_methods, reason = "asks whether to rewrite the committed file")]
    if std::env::var_os("LANEKEEPER_REWRITE").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(fresh == committed, "scenario.schema.json is stale: run the tests once with LANEKEEPER_REWRITE=1");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_mutation_of_a_valid_file_panics(
        script in any::<bool>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..30, "[-0-9a-z{}\\[\\]:,&*!|>#%/\"' \n\t.é]{0,6}"), 1..4),
    ) {
        let mut text: Vec<char> = if script { SCRIPT } else { FULL }.chars().collect();
        for (at, cut, insert) in edits {
            let from = at.index(text.len());
            let to = (from + cut).min(text.len());
            text.splice(from..to, insert.chars());
            if text.is_empty() {
                text.push(' ');
            }
        }
        let text: String = text.into_iter().collect();
        match read(&text) {
            Ok(loaded) => prop_assert!(read(&loaded.resolved_yaml()).is_ok(), "{}", loaded.resolved_yaml()),
            Err(found) => found.iter().for_each(|one| {
                let _ = one.render(true);
            }),
        }
    }
}

/// What `check` finds wrong with the variants and the sweep below a small scenario.
fn lanekeeper_check(more: &str) -> (i32, String) {
    let dir = folder_with(&[("a.yaml", format!("{SMALL}{more}").as_bytes())]);
    let output = lanekeeper(dir.path(), "check a.yaml");
    (code(&output), stderr(&output))
}

#[test]
fn every_variant_is_read_and_each_mistake_shown_where_it_stands() {
    let (exit, text) = lanekeeper_check(
        "variants:\n  good: {}\n  typo: {workers: {inital: 3}}\n  path: {engine.queue_first.queues.min: 9, \
         engine.queue_first.queues.max: 3}\n  nowhere: {workers.initial.x: 3}\n",
    );
    assert_eq!(exit, 2, "{text}");
    for words in ["a.yaml:10:20", "did you mean `initial`?", "a.yaml:11:", "min 9 is above max 3", "a.yaml:12:"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let (exit, text) = lanekeeper_check("variants: {a: {}, b: 7}\n");
    assert!(exit == 2 && text.contains("a.yaml:8:19") && text.contains("is no map"), "{text}");
    let (exit, text) = lanekeeper_check("variants: {a: {}, b: {run: {replications: 5}}}\n");
    assert!(exit == 2 && text.contains("cannot be paired"), "{text}");
    assert_eq!(lanekeeper_check("variants: {a: {}, b: {workers: {initial: 5}}}\n").0, 0);
}

#[test]
fn every_cell_is_read_and_a_mistake_of_many_is_shown_once_at_its_value() {
    let sweep = "sweep:\n  grid:\n    workers.initial: [1, 2, many]\n    engine.queue_first.queues.max: [1, 4]\n    \
                 engine.queue_first.queues.min: [2]\n";
    let (exit, text) = lanekeeper_check(sweep);
    assert_eq!(exit, 2, "{text}");
    for words in ["a.yaml:10:29", "a.yaml:12:37", "min 2 is above max 1", "in the cell initial 1, max 1, min 2"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert_eq!(text.matches("above max").count(), 1, "{text}");
    let (exit, text) = lanekeeper_check("sweep: {grid: {run.sed: [1]}}\n");
    assert!(exit == 2 && text.contains("a.yaml:8:16") && text.contains("`seed`"), "{text}");
    let (exit, text) = lanekeeper_check("sweep: {grid: {run.seed: [1]}, where: run.sead < 2}\n");
    assert!(exit == 2 && text.contains("a.yaml:8:32") && text.contains("`run.sead`"), "{text}");
    let (exit, text) = lanekeeper_check("sweep: {grid: {run.seed: [1]}, where: run.seed > 2}\n");
    assert!(exit == 4 && text.contains("leaves no combination"), "{text}");
    let huge =
        "sweep: {grid: {run.seed: {from: 1, to: 1000000, step: 1}, workers.initial: {from: 1, to: 100000, step: 1}}}\n";
    let (exit, text) = lanekeeper_check(huge);
    assert!(exit == 2 && text.contains("combinations"), "{text}");
    assert_eq!(lanekeeper_check("sweep: {grid: {workers.initial: [1, 2]}}\n").0, 0);
}
