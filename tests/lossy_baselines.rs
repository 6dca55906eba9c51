//! The baselines on a wire that loses, doubles and reorders messages. The systems that they mirror talk by a broker and a
//! database, whose connections lose nothing in between; what a lost message stands for there is a statement or a heartbeat
//! that failed and is repeated. So nothing new is promised on such a wire and nothing less: what each baseline promises at
//! all must hold, and once the wire is well again and workers stay, everything must be settled.

mod presets;

use lanekeeper::base::Property;
use lanekeeper::base::mix::mix;
use lanekeeper::experiment::{Options, Progress, replicate};
use lanekeeper::registry::Registry;
use lanekeeper::scenario::{SourceText, load};

use presets::BASELINES;

/// Runs of each preset.
const RUNS: u64 = 25;

fn lossy(engine: &str, seed: u64) -> String {
    let dice = |what: u64, bound: u64| mix(seed, &[what]) % bound;
    let cancel = ["waiting", "starting", "running", "finished"][dice(4, 4) as usize];
    format!(
        "
name: lossy
run: {{replications: 1, horizon: 2m, drain: 1h, seed: {seed}}}
resources: {{r: {{count: 4}}}}
workload:
  - {{class: one, arrivals: {{poisson: 12/m}}, service: {{exponential: {{mean: 4s}}}}, claims: {{r: 1}}}}
  - {{class: two, arrivals: {{poisson: 6/m}}, service: {{exponential: {{mean: 3s}}}}, claims: {{r: 2}}}}
  - {{class: free, arrivals: {{poisson: 6/m}}, service: {{exponential: {{mean: 3s}}}}, claims: {{}}}}
workers: {{initial: {workers}}}
detection: {{heartbeat: 5s, ttl: 5m}}
network:
  delay: {{exponential: {{mean: 20ms}}}}
  loss: {loss}%
  duplicate: {duplicate}%
  reorder: {reorder}
  until: 3m
faults: [{{cancel: {{share: 10%, when: {cancel}}}}}]
engine: {{{engine}}}
",
        workers = 2 + dice(0, 4),
        loss = 1 + dice(1, 20),
        duplicate = dice(2, 20),
        reorder = dice(3, 2) == 0,
    )
}

#[test]
fn baselines_keep_their_promises_and_finish_when_messages_get_lost() {
    let mut broken = Vec::new();
    for engine in BASELINES {
        for seed in 0..RUNS {
            let text = lossy(engine, seed);
            let scenario = load(&SourceText::new("lossy.yaml", text.as_str()), &[]).expect("a valid scenario").scenario;
            let factory = Registry::new().factory(&scenario.engine).expect("a built-in engine");
            // Nobody dies, so that nothing is cancelled or fails with its worker.
            let promised = factory.guarantees(scenario.detection).properties.with(Property::Outcomes);
            let options = Options { jobs: 1, timeline: false };
            let results = replicate(&scenario, factory.as_ref(), options, &Progress::default());
            let seen = &results.observations[0];
            let breaches = seen.violations.iter().filter(|violation| promised.contains(violation.property));
            broken.extend(
                breaches.map(|it| format!("{engine}, seed {seed}: {} at {}: {}", it.property, it.at, it.cause)),
            );
            let unfinished = seen.metrics.get(&("tasks.unfinished", None)).copied().unwrap_or_default();
            if unfinished > 0.0 {
                broken.push(format!("{engine}, seed {seed}: {unfinished} of {} tasks are unfinished", seen.tasks));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
