//! Documents made up for tests: a short run with one of everything, a long one with thousands of bars.

use std::collections::BTreeMap;

use crate::base::mix::mix;
use crate::base::names::{METRICS, ProbeSet, PropertySet};
use crate::base::{ClassId, Labels, Property, QueueId, ResourceId, Span, TaskId, Time, WorkerId};
use crate::experiment::compare::{default_measures, differences};
use crate::experiment::replay::Replayed;
use crate::experiment::replay::fidelity::{self, Fidelity, TaskWaits};
use crate::experiment::replay::overheads::Overheads;
use crate::experiment::{Estimate, Expectation, Verdict};
use crate::observe::timeline::{AttemptBar, LifeBar, Mark, MarkKind, QueueBar, TenureBar, Timeline};
use crate::observe::{Observation, RankRow, Series, Violation, WAIT_SHARES, WorkerTime};

use super::comparison::{Cell, Comparison};
use super::{About, Document};

fn at(secs: f64) -> Time {
    Time::from_micros((secs.max(0.0) * 1e6) as u64)
}

/// A number below `limit` that depends on the key alone.
fn draw(key: u64, limit: u64) -> u64 {
    mix(17, &[key]) % limit
}

/// A run without anything to draw.
pub(crate) fn empty_document() -> Document {
    let labels = Labels {
        classes: ["sync", "publish"].map(String::from).into_iter().collect(),
        resources: ["repo-1".to_string()].into_iter().collect(),
        ..Labels::default()
    };
    Document {
        scenario: "black-friday".into(),
        description: "Content is synchronised while workers come and go".into(),
        engine: "queue_first".into(),
        seed: 42,
        replications: 8,
        horizon: Time::from_secs(600),
        warm_up: Time::from_secs(60),
        confidence: 0.95,
        digest: "00c0ffee".repeat(4),
        labels,
        estimates: Default::default(),
        refusals: Vec::new(),
        warnings: Vec::new(),
        observations: Vec::new(),
        expectations: Vec::new(),
        verdict: Verdict::Pass,
        promised: PropertySet::ALL,
        replayed: None,
        reproduce: "lanekeeper run scenarios/black-friday.yaml --seed 42".into(),
        about: About::default(),
        stories: Default::default(),
    }
}

/// A replay of three tasks, one of which never started.
pub(crate) fn replayed() -> Replayed {
    let comparison = |metric| fidelity::Comparison { metric, recorded: 0.5, simulated: 0.45, range: (0.4, 0.5) };
    let task =
        |task, recorded, simulated| TaskWaits { task: TaskId(task), recorded: Span::from_millis(recorded), simulated };
    Replayed {
        fidelity: Fidelity {
            comparisons: ["wait.mean", "wait.p50", "wait.p95", "wait.p99"].map(comparison).into(),
            error_per_task: 0.125,
            tasks: vec![task(0, 0, Some(0.0)), task(1, 500, Some(0.4)), task(2, 95_000, None)],
            recorded_out_of_order: 0,
            simulated_out_of_order: 0,
            in_conflict: 2,
        },
        as_chosen: None,
        overheads: Overheads {
            created_to_unblocked: vec![Span::from_millis(10)],
            blocker_finished_to_unblocked: vec![Span::from_millis(30)],
            unblocked_to_started: vec![Span::from_millis(60), Span::from_millis(80)],
            finished_to_next: Vec::new(),
        },
        fitted_on: "the whole history",
        mirrors: true,
        remarks: vec!["workers: 4, none of them lost".into()],
    }
}

/// Ten minutes of five workers with churn, a crash, a pause, a kill, a lease that ended and a breach.
pub(crate) fn document() -> Document {
    filled(600.0, 20.0)
}

/// Eight hours with more than five thousand tasks and sixty lives.
pub(crate) fn long_document() -> Document {
    filled(28_800.0, 30.0)
}

/// A run in which one worker and one queue stood still.
pub(crate) fn still_document() -> Document {
    let mut doc = filled(600.0, 20.0);
    doc.warm_up = Time::ZERO;
    doc.observations.truncate(1);
    let first = &mut doc.observations[0];
    first.worker_time = WorkerTime { idle_unavoidable: 5, total: 5, ..WorkerTime::default() };
    for values in [&mut first.series.queues, &mut first.series.workers, &mut first.series.backlog] {
        values.iter_mut().for_each(|value| *value = 0);
    }
    first.timeline = Some(Timeline {
        lives: vec![LifeBar { worker: WorkerId(0), arrived: at(0.0), ready: at(0.0), gone: at(1.0) }],
        queues: vec![QueueBar { queue: QueueId(1), from: at(0.0), to: at(1.0) }],
        end: at(1.0),
        ..Timeline::default()
    });
    doc
}

fn filled(end: f64, task_span: f64) -> Document {
    let mut doc = empty_document();
    doc.horizon = at(end);
    doc.warm_up = at(end / 10.0);
    for metric in METRICS.iter().filter(|metric| !metric.name.starts_with("violations")) {
        let classes = if metric.per_class { vec![None, Some(ClassId(0)), Some(ClassId(1))] } else { vec![None] };
        for class in classes {
            let (mean, ci) = match metric.name {
                "worker.idle_avoidable" => (0.031, Some((0.028, 0.034))),
                "workers.mean" => (4.93, Some((4.8, 5.1))),
                "tasks.submitted" => (5012.0, Some((4980.0, 5044.0))),
                _ if metric.unit == crate::base::names::Unit::Fraction => (0.2, Some((0.19, 0.21))),
                _ => (41.2, Some((39.9, 42.5))),
            };
            doc.estimates.insert((metric.name, class), Estimate { mean, ci, n: 8 });
        }
    }
    doc.observations = (0..8).map(|replication| observation(replication, end, task_span)).collect();
    let expectation = |id: &str, verdict, detail: &str| Expectation { id: id.into(), verdict, detail: detail.into() };
    doc.expectations = vec![
        expectation("wait.p95{class=sync} < 45s", Verdict::Pass, "41.2 s, 39.9 … 42.5"),
        expectation("always: order", Verdict::Fail, "1 breach"),
    ];
    doc.verdict = Verdict::Fail;
    doc
}

fn observation(replication: u64, end: f64, task_span: f64) -> Observation {
    let mut violation_counts = [0; Property::COUNT];
    let mut violations = Vec::new();
    if replication == 2 {
        violation_counts[Property::Order.index()] = 1;
        violations = vec![violation(end)];
    }
    let mut observation = Observation {
        digest: u128::from(replication) + 7,
        facts: 1000,
        tasks: 100,
        metrics: METRICS.iter().map(|metric| ((metric.name, None), 1.5 + replication as f64)).collect(),
        sample_sizes: BTreeMap::from([(("wait", None), 100)]),
        unstarted: 0,
        wait_quantiles: WAIT_SHARES.map(|share| 20.0 * share / (1.0 - share)).to_vec(),
        ranks: (0..5).map(rank).collect(),
        assumption_broken: [0; Property::COUNT],
        violation_counts,
        violations,
        probes: ProbeSet::default(),
        worker_time: WorkerTime {
            starting: 11,
            busy: 714,
            paused: 4,
            idle_avoidable: 31,
            idle_unavoidable: 240,
            total: 1000,
        },
        series: series(replication, end),
        timeline: (replication == 0).then(|| timeline(end, task_span)),
        states: Vec::new(),
        starts: Vec::new(),
    };
    if replication == 0 {
        observation.violations.push(Violation { property: Property::WorkConserving, ..violation(end) });
    }
    observation
}

fn rank(number: u32) -> RankRow {
    RankRow { resource: ResourceId(number), tasks: 90 - u64::from(number) * 9, wait_mean: 40.0 / f64::from(number + 1) }
}

fn violation(end: f64) -> Violation {
    Violation {
        property: Property::Order,
        at: at(end * 0.6125),
        tasks: vec![TaskId(4), TaskId(6)],
        resource: Some(ResourceId(0)),
        queue: Some(QueueId(2)),
        workers: vec![WorkerId(0), WorkerId(2)],
        lasted: None,
        cause: "{t:4} started on {w:0} before {t:3} had settled on {w:2}; both claim {r:0}".into(),
    }
}

fn series(replication: u64, end: f64) -> Series {
    let points = 200;
    let wave = |point: u64| {
        let phase = point as f64 / points as f64;
        60.0 * phase * (1.0 - phase) * 4.0 + draw(point * 31 + replication, 25) as f64
    };
    Series {
        at: (0..=points).map(|point| at(end * point as f64 / points as f64)).collect(),
        queues: (0..=points).map(|point| 3 + (wave(point) / 15.0) as u32).collect(),
        workers: (0..=points).map(|point| 5 - u32::from(draw(point / 7 * 13 + replication, 5) == 0)).collect(),
        backlog: (0..=points).map(|point| wave(point) as u32).collect(),
    }
}

/// Five slots, each with a worker after the other; four queues whose owners change with them.
fn timeline(end: f64, task_span: f64) -> Timeline {
    let mut timeline = Timeline { end: at(end), ..Timeline::default() };
    let mut worker = 0;
    for slot in 0..5 {
        let mut from = slot as f64 * end / 100.0 * f64::from(slot > 2);
        while from < end * 0.95 {
            let gone = (from + end * (0.08 + draw(slot * 100 + worker, 60) as f64 / 100.0)).min(end);
            life(&mut timeline, WorkerId(worker as u32), slot, (from, gone, end), task_span);
            from = gone + end / 60.0;
            worker += 1;
        }
    }
    tenures(&mut timeline, end);
    timeline
}

fn life(timeline: &mut Timeline, worker: WorkerId, slot: u64, (from, gone, end): (f64, f64, f64), task_span: f64) {
    let ready = from + end / 80.0;
    timeline.lives.push(LifeBar { worker, arrived: at(from), ready: at(ready), gone: at(gone) });
    let mut now = ready;
    let mut number = u64::from(worker.0) * 100_000;
    while now < gone {
        let to = (now + task_span * (0.3 + draw(number, 100) as f64 / 70.0)).min(gone);
        let queue = if draw(number + 7, 6) == 0 {
            QueueId::GENERAL
        } else {
            QueueId(1 + ((slot + now as u64 / 900) % 5) as u32)
        };
        timeline.attempts.push(AttemptBar { worker, queue, task: TaskId(0), from: at(now), to: at(to) });
        now = to + if draw(number + 3, 4) == 0 { task_span / 2.0 } else { 0.0 };
        number += 1;
    }
    let mut mark = |kind, from: f64, to: f64| {
        let queue = (kind == MarkKind::Violation).then_some(QueueId(2));
        timeline.marks.push(Mark { at: at(from), worker: Some(worker), queue, kind, until: at(to) });
    };
    if gone < end {
        match worker.0 % 4 {
            0 => mark(MarkKind::Crash, gone, gone),
            1 => mark(MarkKind::Kill, gone, gone),
            _ => mark(MarkKind::Quiesce, gone - end / 50.0, gone - end / 50.0),
        }
    }
    let middle = (from + gone) / 2.0;
    match worker.0 {
        1 => mark(MarkKind::Pause, middle, middle + end / 30.0),
        2 => mark(MarkKind::LeaseEnd, middle, middle),
        3 => mark(MarkKind::Violation, middle, middle),
        _ => {}
    }
}

fn tenures(timeline: &mut Timeline, end: f64) {
    let queues = if end > 10_000.0 { 60 } else { 5 };
    for number in 1..=queues {
        let queue = QueueId(number);
        let (from, to) = match (queues, number) {
            (_, 1..=3) => (0.0, end),
            (5, _) => (end * 0.2, end * 0.8),
            _ => (end * f64::from(number) / 70.0, end * (f64::from(number) / 70.0 + 0.1)),
        };
        timeline.queues.push(QueueBar { queue, from: at(from), to: at(to) });
        let mut now = from;
        let mut turn = 0;
        while now < to {
            let key = u64::from(number) * 50 + turn;
            let span = if turn % 2 == 0 { end / 60.0 } else { end * (0.1 + draw(key, 30) as f64 / 100.0) };
            let owner = (turn % 2 == 1).then(|| WorkerId(draw(key + 1, 12) as u32));
            let orphaned = turn % 4 == 2;
            timeline.tenures.push(TenureBar { queue, owner, orphaned, from: at(now), to: at((now + span).min(to)) });
            now += span;
            turn += 1;
        }
    }
}

/// Two systems: the proposal waits ten seconds less, and is the same otherwise.
pub(crate) fn comparison() -> Comparison {
    let cell = |name: &str, shift: f64| {
        let mut document = document();
        for (index, one) in document.observations.iter_mut().enumerate() {
            let noise = draw(index as u64, 100) as f64 / 100.0;
            one.metrics.insert(("wait.mean", None), 41.2 - shift + noise);
            one.wait_quantiles.iter_mut().for_each(|wait| *wait = (*wait - shift / 10.0).max(0.0));
        }
        document.estimates.entry(("wait.mean", None)).and_modify(|it| it.mean = 41.2 - shift);
        Cell {
            name: name.into(),
            label: name.into(),
            parameters: Vec::new(),
            same_plan: true,
            document,
            examples: None,
        }
    };
    let cells = vec![cell("today", 0.0), cell("proposal", 10.0)];
    let observations: Vec<_> = cells.iter().map(|cell| cell.document.observations.as_slice()).collect();
    Comparison {
        scenario: "review".into(),
        description: "One against the other".into(),
        seed: 42,
        confidence: 0.95,
        replications: 8,
        differences: differences(&observations, 0, &default_measures(), 0.95),
        cells,
        baseline: 0,
        answer: Vec::new(),
        warnings: Vec::new(),
        reproduce: "lanekeeper compare review.yaml".into(),
    }
}

/// Five by four cells of a sweep, the more queues the busier.
pub(crate) fn sweep() -> Comparison {
    let two = comparison();
    let cell = |min: u64, max: u64| {
        let mut cell = two.cells[0].clone();
        cell.name = format!("{:016x}", mix(min, &[max]));
        cell.label = format!("min {min}, max {max}");
        cell.parameters = vec![("resources.repo.count".into(), min.into()), ("q.max".into(), max.into())];
        let load = 0.1 + (min * max) as f64 / 36.0;
        for (metric, mean) in
            [("wait.mean", 9.0 / (1.1 - load)), ("worker.utilisation", load), ("throughput", load / 2.0)]
        {
            cell.document.estimates.insert((metric, None), Estimate { mean, ci: Some((mean * 0.9, mean * 1.1)), n: 8 });
        }
        cell
    };
    let answer = "min 1, max 1 is best on wait.mean (9 s); all others are worse".to_owned();
    let cells = (1..=4).flat_map(|min| (1..=5).map(move |max| (min, max))).map(|(min, max)| cell(min, max)).collect();
    Comparison { cells, answer: vec![answer], ..two }
}
