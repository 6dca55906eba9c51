//! Nothing is allocated per event in the steady state, nor kept of what is over.
//!
//! What is counted differs between two runs of which one is twice as long: what each of them sets up is the same.

use allocation_counter::{AllocationInfo, measure};
use lanekeeper::base::names::PropertySet;
use lanekeeper::base::{Span, Time};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::fact::{Fact, Observe};
use lanekeeper::observe::{DrainBound, Observer, Settings};
use lanekeeper::scenario::{Scenario, SourceText, load};
use lanekeeper::world::simulate;
use std::sync::Arc;

/// A heartbeat comes every hundred services: its messages may allocate.
const KEYED: &str = "
name: keyed
run: {seed: 7, horizon: HORIZONs, drain: 1h}
resources:
  key: {count: 50}
workload:
  - {class: keyed, arrivals: {poisson: 72/s}, service: {exponential: {mean: 100ms}}, claims: {key: 1}}
workers: {initial: 8}
detection: {heartbeat: 10s, ttl: 30s}
engine: {queue_first: {queues: {min: 8, max: 8}}}
";

fn scenario(horizon: u64) -> (Scenario, Arc<dyn EngineFactory>) {
    let text = KEYED.replace("HORIZON", &horizon.to_string());
    let scenario = load(&SourceText::new("keyed.yaml", text), &[]).expect("a valid scenario").scenario;
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("a built-in engine") };
    let factory = factory(spec, &Policies::default()).expect("built-in policies");
    (scenario, factory)
}

fn observer(horizon: Time) -> Observer {
    Observer::new(Settings {
        warm_up: Time::ZERO,
        horizon,
        classes: 1,
        resources: 50,
        orphan_bound: None,
        heartbeat: Span::from_secs(10),
        excused: PropertySet::EMPTY,
        drain_bound: DrainBound { factor: 1, per_task: Span::from_secs(1), once: Span::from_secs(5000) },
        settle_within: None,
        message_slack: Span::ZERO,
        abort_takes: Span::ZERO,
        timeline: false,
        series_points: 0,
        states_wanted: Vec::new(),
        keep_starts: false,
    })
}

/// Watches a run with all checks, metrics and the digest on, and counts its tasks.
struct Watched {
    observer: Observer,
    tasks: u64,
}

impl Observe for Watched {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.observer.on(now, fact);
        self.tasks += u64::from(matches!(fact, Fact::Settled { .. }));
    }
}

/// What a run of this length allocates, and how many tasks it settles.
fn run(horizon: u64) -> (AllocationInfo, u64) {
    let (scenario, factory) = scenario(horizon);
    let mut watched = Watched { observer: observer(scenario.run.horizon), tasks: 0 };
    let info = measure(|| {
        simulate(&scenario, factory.as_ref(), 0, &mut watched);
    });
    (info, watched.tasks)
}

#[test]
fn a_run_twice_as_long_allocates_hardly_more_and_keeps_nothing_more() {
    let (short, tasks) = run(60);
    let (long, twice) = run(120);
    let (more, tasks) = (long.count_total - short.count_total, twice - tasks);
    assert!(tasks > 3000, "{tasks} more tasks");
    assert!(more < tasks / 20, "{more} more allocations for {tasks} more tasks: {short:?}, {long:?}");
    assert!(long.count_max <= short.count_max + 8, "more is kept: {short:?}, {long:?}");
    // Where a longer run comes across a longer wait, its distribution grows by a few cells.
    assert!(long.bytes_max < short.bytes_max * 3 / 2, "more is kept: {short:?}, {long:?}");
}
