//! L5: a suite that any engine can be put through. It asks for nothing that the engine did not promise, and for what
//! every engine owes its driver: it is pure, it does the same again, and it takes stale and repeated messages as they come.
//!
//! ```
//! use lanekeeper::conformance;
//! use lanekeeper::engine::queue_first::{Policies, factory};
//! use lanekeeper::engine::spec::QueueFirstSpec;
//!
//! let engine = factory(&QueueFirstSpec::default(), &Policies::default())?;
//! conformance::assert_conforms(engine.as_ref());
//! # Ok::<(), String>(())
//! ```

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::base::names::PropertySet;
use crate::base::{Claim, Epoch, Property, QueueId, ResourceId, TaskId, Term, Ticket, Time, WorkerId};
use crate::engine::message::{ClusterMessage, Ended, Heartbeat, Holding, Holdings, Report, Stamp, Start, WorkerName};
use crate::engine::{Context, Detection, Effect, Engine, EngineFactory, Input, Outbox, WorkerMessage};
use crate::experiment::{Options, Progress, replicate};
use crate::observe::Observation;
use crate::scenario::{Override, Scenario, SourceText, load};

/// What an engine was found to get wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The check, as in [`CHECKS`].
    pub check: &'static str,
    /// What happened, in a sentence.
    pub what: String,
}

/// One thing that is asked of every engine.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    run: fn(&dyn EngineFactory) -> Result<(), String>,
}

/// The suite.
pub const CHECKS: &[Check] = &[
    Check { name: "pure", asks: "the same inputs give the same effects and timeouts, whatever else runs", run: pure },
    Check { name: "deterministic", asks: "a run happens again, fact by fact", run: deterministic },
    Check {
        name: "idempotent",
        asks: "stale, repeated and unexpected messages settle and start nothing",
        run: idempotent,
    },
    Check { name: "patient", asks: "a timeout too early or too many does nothing", run: patient },
    Check { name: "quiesces", asks: "R3: an order to quiesce is passed on to the worker", run: quiesces },
    Check { name: "steady", asks: "no promise is broken and everything is settled while workers stay", run: steady },
    Check { name: "turnover", asks: "R4, R9, R10: workers come, die and leave; no promise is broken", run: turnover },
    Check { name: "standstill", asks: "workers stand still and go on; no promise is broken", run: standstill },
    Check {
        name: "shift_change",
        asks: "R20: all workers are relieved; nothing is lost or run twice",
        run: shift_change,
    },
];

/// Puts an engine through all checks, in order.
///
/// A check in which the engine panics is a finding too.
pub fn findings(factory: &dyn EngineFactory) -> Vec<Finding> {
    let failed = |check: &Check| {
        let outcome = catch_unwind(AssertUnwindSafe(|| (check.run)(factory)));
        let what = outcome.unwrap_or_else(|_| Err("the engine, or the world with it, panicked".to_owned())).err()?;
        Some(Finding { check: check.name, what })
    };
    CHECKS.iter().filter_map(failed).collect()
}

/// Fails a test if an engine does not conform.
///
/// # Panics
/// With all findings, if there are any.
pub fn assert_conforms(factory: &dyn EngineFactory) {
    let findings = findings(factory);
    let sentences: Vec<String> = findings.iter().map(|it| format!("{}: {}", it.check, it.what)).collect();
    assert!(findings.is_empty(), "{} does not conform:\n{}", factory.name(), sentences.join("\n"));
}

// By hand: the engine alone.

const DETECTION: Detection =
    Detection { heartbeat: crate::base::Span::from_secs(10), ttl: crate::base::Span::from_secs(30) };
const WORKER: WorkerId = WorkerId(0);

fn fresh(factory: &dyn EngineFactory) -> Box<dyn Engine> {
    factory.fresh(Context { seed: 42, term: Term(1), detection: DETECTION })
}

fn give(engine: &mut dyn Engine, secs: u64, input: Input<'_>) -> Outbox {
    let mut out = Outbox::new();
    engine.handle(Time::from_secs(secs), input, &mut out);
    out
}

fn say(engine: &mut dyn Engine, secs: u64, worker: WorkerId, message: WorkerMessage) -> Outbox {
    give(engine, secs, Input::Worker { worker, message: &message })
}

fn beat(secs: u64) -> WorkerMessage {
    WorkerMessage::Heartbeat(Box::new(Heartbeat {
        stamp: Stamp(secs * 1_000_000),
        seen: Ticket(0),
        started: Ticket(0),
        quiescing: false,
        running: None,
        holds: Holdings::new(),
        reports: Default::default(),
    }))
}

/// Two tasks in conflict and one without claims are submitted, two workers join; gives what was done.
fn opening(engine: &mut dyn Engine) -> Outbox {
    let claims = [Claim::exclusive(ResourceId(0))];
    let mut out = give(engine, 0, Input::Limits { min: 1, max: 2 });
    for (task, claims) in [(0, &claims[..]), (1, &claims[..]), (2, &[])] {
        out.extend(give(engine, 1, Input::Submit { task: TaskId(task), claims }));
    }
    for worker in [WorkerId(0), WorkerId(1)] {
        let join = WorkerMessage::Join { stamp: Stamp(2_000_000), name: WorkerName(u64::from(worker.0)) };
        out.extend(say(engine, 2, worker, join));
        out.extend(say(engine, 2, worker, WorkerMessage::Fetch));
    }
    out
}

fn pure(factory: &dyn EngineFactory) -> Result<(), String> {
    let (mut one, mut other, mut third) = (fresh(factory), fresh(factory), fresh(factory));
    let effects = opening(one.as_mut());
    opening(third.as_mut());
    give(third.as_mut(), 3, Input::Cancel { task: TaskId(1) });
    same("effects", &effects, &opening(other.as_mut()))?;
    same("timeouts", &one.next_timeout(), &other.next_timeout())?;
    for secs in [12, 22, 40, 80] {
        let effects = give(one.as_mut(), secs, Input::Timeout);
        same("effects of a timeout", &effects, &give(other.as_mut(), secs, Input::Timeout))?;
        same("timeouts", &one.next_timeout(), &other.next_timeout())?;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, one: &T, other: &T) -> Result<(), String> {
    if one == other {
        Ok(())
    } else {
        Err(format!("two engines with the same inputs differ in {what}: {one:?} and {other:?}"))
    }
}

/// Whether an effect changes what is true of a task.
fn is_deed(effect: &Effect) -> bool {
    let starts = |message: &ClusterMessage| {
        matches!(message, ClusterMessage::Start(_) | ClusterMessage::AnsweredAndStart { .. })
    };
    match effect {
        Effect::Settle(..) => true,
        Effect::Send(_, message) => starts(message),
        Effect::Persist(_) | Effect::Fence(_) | Effect::Note(_) => false,
    }
}

fn idempotent(factory: &dyn EngineFactory) -> Result<(), String> {
    let mut engine = fresh(factory);
    opening(engine.as_mut());
    let stranger = WorkerId(7);
    let start = Start { task: TaskId(0), queue: QueueId(1), epoch: Epoch(99), ticket: Ticket(9_999) };
    let report = Report { start, ended: Some(Ended::Completed) };
    let holding = Holding { queue: QueueId(1), epoch: Epoch(99) };
    for (worker, message) in [
        (stranger, WorkerMessage::Finished(report)),
        (WORKER, WorkerMessage::Finished(report)),
        (stranger, WorkerMessage::Released(holding)),
        (WORKER, WorkerMessage::Released(holding)),
        (stranger, WorkerMessage::Leave),
        (stranger, WorkerMessage::Fetch),
        (stranger, beat(3)),
    ] {
        let what = format!("{message:?} of {worker}");
        let effects = say(engine.as_mut(), 3, worker, message);
        if let Some(deed) = effects.iter().find(|effect| is_deed(effect)) {
            return Err(format!("{what}, which is stale or unexpected, led to {deed:?}"));
        }
    }
    Ok(())
}

fn patient(factory: &dyn EngineFactory) -> Result<(), String> {
    let mut engine = fresh(factory);
    opening(engine.as_mut());
    // What is due has its effects.
    for _ in 0..100 {
        if engine.next_timeout().is_some_and(|(at, _)| at <= Time::from_secs(2)) {
            give(engine.as_mut(), 2, Input::Timeout);
        }
    }
    for _ in 0..3 {
        let effects = give(engine.as_mut(), 2, Input::Timeout);
        if let Some(deed) = effects.iter().find(|effect| is_deed(effect)) {
            return Err(format!("a timeout at once, without being due, led to {deed:?}"));
        }
    }
    Ok(())
}

fn quiesces(factory: &dyn EngineFactory) -> Result<(), String> {
    if !factory.guarantees(DETECTION).properties.contains(Property::Quiesce) {
        return Ok(());
    }
    let mut engine = fresh(factory);
    opening(engine.as_mut());
    let effects = give(engine.as_mut(), 3, Input::Quiesce { worker: WORKER });
    let told = effects.contains(&Effect::Send(WORKER, ClusterMessage::Quiesce));
    if told { Ok(()) } else { Err("a worker that should quiesce is not told so".to_owned()) }
}

// In the world: short scenarios, judged by what the engine promises.

const CLUSTER: &str = "
name: conformance
run: {replications: 4, horizon: 5m, drain: 15m}
resources: {r: {count: 5}}
workload:
  - {class: task, arrivals: {poisson: 15/m}, service: {exponential: {mean: 5s}}, claims: {r: 1}}
  - {class: task, arrivals: {poisson: 6/m}, service: {exponential: {mean: 4s}}, claims: {r: {exclusive: 1, shared: 1}}}
  - {class: task, arrivals: {poisson: 9/m}, service: {exponential: {mean: 4s}}, claims: {}}
workers: {initial: 4}
network: {delay: {exponential: {mean: 5ms}}}
detection: {heartbeat: 5s, ttl: 15s}
";

fn cluster(changes: &[&str]) -> Scenario {
    let changes: Vec<Override> = changes.iter().map(|text| text.parse().expect("path=value")).collect();
    load(&SourceText::new("conformance.yaml", CLUSTER), &changes).expect("a valid scenario").scenario
}

fn observe(factory: &dyn EngineFactory, scenario: &Scenario) -> Vec<Observation> {
    replicate(scenario, factory, Options { jobs: 1, timeline: false }, &Progress::default()).observations
}

/// No promise is broken, and where everything must end well, it does.
fn keeps_its_word(factory: &dyn EngineFactory, changes: &[&str], all_settled: bool) -> Result<(), String> {
    let scenario = cluster(changes);
    let promised: PropertySet = factory.guarantees(scenario.detection).properties;
    for seen in observe(factory, &scenario) {
        if let Some(breach) = seen.violations.iter().find(|violation| promised.contains(violation.property)) {
            return Err(format!("{} is promised and was violated at {}: {}", breach.property, breach.at, breach.cause));
        }
        let unfinished = seen.metrics.get(&("tasks.unfinished", None)).copied().unwrap_or_default();
        if all_settled && unfinished > 0.0 {
            return Err(format!("{unfinished} of {} tasks were never settled", seen.tasks));
        }
    }
    Ok(())
}

fn deterministic(factory: &dyn EngineFactory) -> Result<(), String> {
    let scenario = cluster(&[
        "run.replications=1",
        "workers.lifetime={exponential: {mean: 60s}}",
        "workers.arrivals={poisson: 4/m}",
    ]);
    let digest = |seen: Vec<Observation>| seen.first().map(|seen| seen.digest);
    let (one, other) = (digest(observe(factory, &scenario)), digest(observe(factory, &scenario)));
    if one == other { Ok(()) } else { Err("two runs under one seed differ in their facts".to_owned()) }
}

fn steady(factory: &dyn EngineFactory) -> Result<(), String> {
    keeps_its_word(factory, &[], true)
}

fn turnover(factory: &dyn EngineFactory) -> Result<(), String> {
    let lives = ["workers.lifetime={exponential: {mean: 90s}}", "workers.exit={crash: 60%, quiesce: 40%}"];
    keeps_its_word(factory, &[lives[0], lives[1], "workers.arrivals={poisson: 3/m}", "workers.grace=1m"], true)
}

fn standstill(factory: &dyn EngineFactory) -> Result<(), String> {
    let pauses = "workers.pause={every: {exponential: {mean: 1m}}, for: {uniform: {min: 5s, max: 60s}}}";
    keeps_its_word(factory, &[pauses], false)
}

fn shift_change(factory: &dyn EngineFactory) -> Result<(), String> {
    keeps_its_word(
        factory,
        &["workers.shift_change={at: 2m, leave: 4, arrive: 4, overlap: 20s}", "workers.grace=2m"],
        true,
    )
}
