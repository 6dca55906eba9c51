//! The baselines against what is known of the systems that they mirror, and side by side.

mod presets;

use lanekeeper::base::Property;
use lanekeeper::experiment::{Options, Progress, replicate};
use lanekeeper::observe::Observation;
use lanekeeper::registry::Registry;
use lanekeeper::scenario::{SourceText, load};

use presets::BASELINES;

/// Runs a scenario once, with the engine's own promises kept.
fn run(text: &str) -> Observation {
    let scenario = load(&SourceText::new("baseline.yaml", text), &[]).expect("a valid scenario").scenario;
    let factory = Registry::new().factory(&scenario.engine).expect("a built-in engine");
    let results = replicate(&scenario, factory.as_ref(), Options { jobs: 1, timeline: false }, &Progress::default());
    let run = results.observations.into_iter().next().expect("one replication");
    let broken: Vec<_> = results.guarantees.properties.iter().filter(|it| run.violated().contains(*it)).collect();
    assert!(broken.is_empty(), "{broken:?}: {:?}", run.violations);
    run
}

fn metric(run: &Observation, name: &str) -> f64 {
    *run.metrics.iter().find(|((metric, class), _)| *metric == name && class.is_none()).expect(name).1
}

/// Seconds until a burst of tasks is done.
fn makespan(engine: &str, workers: u32, tasks: u32, service: &str, resources: u32, claims: u32) -> f64 {
    let run = run(&format!(
        "
name: burst
run: {{replications: 1, horizon: 1us, drain: 1d, seed: 7}}
resources: {{lock: {{count: {resources}}}}}
workload: [{{class: any, arrivals: {{burst: {{at: 0s, tasks: {tasks}}}}}, service: {service}, claims: {{lock: {claims}}}}}]
workers: {{initial: {workers}}}
engine: {{{engine}}}
"
    ));
    assert_eq!(metric(&run, "tasks.completed"), f64::from(tasks));
    metric(&run, "response.max")
}

/// Measured: 2.63, 2.71, 2.58, 2.58 and 2.43 tasks/s with 1, 2, 4, 8 and 16 workers (hackmd @pulp/H1IwRGAEO).
#[test]
fn rq_dispatches_2_6_no_op_tasks_per_second_with_any_number_of_workers() {
    for workers in [1, 2, 4, 8, 16] {
        let rate = 500.0 / makespan("worker_owned: {preset: rq-3.13}", workers, 500, "1ms", 1_000_000, 1);
        assert!((2.4..2.75).contains(&rate), "{workers} workers: {rate} tasks/s");
    }
}

/// Measured: about 2 tasks/s with RQ, no gain beyond 2 workers; the new tasking system scales ("A new tale", 2021).
#[test]
fn tasks_of_two_resources_gain_nothing_beyond_two_workers_on_rq_and_scale_on_pull_locks() {
    let rate = |engine: &str, workers| 256.0 / makespan(engine, workers, 256, "500ms", 128, 2);
    let [two, eight, sixteen] = [2, 8, 16].map(|workers| rate("worker_owned: {preset: rq-3.13}", workers));
    assert!((1.5..2.7).contains(&two), "{two}");
    assert!(eight < two * 1.15 && sixteen < two * 1.15, "{two} {eight} {sixteen}");
    for preset in ["pulpcore-3.14", "pulpcore-3.48", "pulpcore-3.123"] {
        let [one, two, eight] = [1, 2, 8].map(|workers| rate(&format!("pull_locks: {{preset: {preset}}}"), workers));
        assert!(two > one * 1.9 && eight > one * 6.0, "{preset}: {one} {two} {eight}");
    }
}

/// One worker of two dies while it executes a task with four more of its resource behind it.
fn death(engine: &str) -> Observation {
    run(&format!(
        "
name: death
run: {{replications: 1, horizon: 1h, drain: 1h}}
resources: {{repo: {{count: 1}}}}
workload:
  - {{class: long, arrivals: {{burst: {{at: 1s, tasks: 1}}}}, service: 5m, claims: {{repo: 1}}}}
  - {{class: behind, arrivals: {{burst: {{at: 2s, tasks: 4}}}}, service: 5s, claims: {{repo: 1}}}}
  - {{class: other, arrivals: {{every: 30s}}, service: 1s, claims: {{}}}}
workers: {{initial: 1}}
engine: {{{engine}}}
script:
  - {{at: 10s, join: {{worker: w2}}}}
  - {{at: 20s, crash: {{worker: w1}}}}
"
    ))
}

#[test]
fn a_workers_death_cancels_its_queue_on_worker_owned_and_fails_only_its_task_on_pull_locks() {
    for preset in ["pulp-2.4", "pulp-2.14", "rq-3.13"] {
        let run = death(&format!("worker_owned: {{preset: {preset}}}"));
        assert_eq!((metric(&run, "tasks.cancelled"), metric(&run, "tasks.failed")), (5.0, 0.0), "{preset}");
    }
    for preset in ["pulpcore-3.48", "pulpcore-3.123"] {
        let run = death(&format!("pull_locks: {{preset: {preset}}}"));
        assert_eq!((metric(&run, "tasks.cancelled"), metric(&run, "tasks.failed")), (0.0, 1.0), "{preset}");
        assert_eq!(metric(&run, "tasks.unfinished"), 0.0, "{preset}");
    }
    let run = death("pull_locks: {preset: pulpcore-3.14}");
    assert_eq!((metric(&run, "tasks.cancelled"), metric(&run, "tasks.failed")), (1.0, 0.0), "cancelled before 3.16");
}

#[test]
fn detection_is_the_presets_unless_it_is_written() {
    let detection = |rest: &str| {
        let text = format!("name: a\nworkers: {{initial: 1}}\n{rest}");
        let loaded = load(&SourceText::new("a.yaml", text), &[]).expect("a valid scenario");
        let detection = loaded.scenario.detection;
        (detection.heartbeat.as_secs_f64(), detection.ttl.as_secs_f64(), loaded.resolved_yaml())
    };
    let (heartbeat, ttl, resolved) = detection("engine: {worker_owned: {preset: pulp-2.14}}");
    assert_eq!((heartbeat, ttl), (5.0, 25.0));
    assert!(resolved.contains("manager_retry: 250ms") && resolved.contains("ttl: 25s"), "{resolved}");
    let (heartbeat, ttl, _) = detection("engine: {worker_owned: {preset: pulp-2.4}}\ndetection: {ttl: 60s}");
    assert_eq!((heartbeat, ttl), (30.0, 60.0));
    assert_eq!(detection("engine: {pull_locks: {}}").1, 30.0);
}

/// No version loses a wish of a client where nobody dies: what waits is cancelled at once, what runs is stopped, and both
/// are called cancelled.
#[test]
fn what_a_client_gives_up_is_not_carried_on_with_in_any_version() {
    for engine in BASELINES {
        let seen = run(&format!(
            "
name: wishes
run: {{replications: 1, horizon: 30m, drain: 10m}}
resources: {{r: {{count: 4}}}}
workload:
  - {{class: one, arrivals: {{poisson: 20/m}}, service: {{exponential: {{mean: 4s}}}}, claims: {{r: 1}}}}
  - {{class: free, arrivals: {{poisson: 6/m}}, service: {{exponential: {{mean: 3s}}}}, claims: {{}}}}
workers: {{initial: 3}}
detection: {{heartbeat: 5s, ttl: 15s}}
network: {{delay: 20ms}}
faults: [{{cancel: {{share: 10%, when: waiting}}}}, {{cancel: {{share: 10%, when: running}}}}]
engine: {{{engine}}}
"
        ));
        assert!(metric(&seen, "tasks.cancelled") > 20.0, "{engine}");
        let wrong: Vec<_> = seen.violations.iter().filter(|it| it.property == Property::Outcomes).collect();
        assert!(wrong.is_empty(), "{engine}: {wrong:?}");
    }
}
