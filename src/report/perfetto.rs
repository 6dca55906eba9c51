//! The timeline of the first replication in the Chrome trace-event format, for <https://ui.perfetto.dev>.
//!
//! One track per worker with a slice per attempt, one per queue with a slice per owner, counters, instants for what
//! happened to workers, and flows: a queue's way from owner to owner, a task's from attempt to attempt. Slices of a
//! track never overlap, and events of a track are in order. Times are µs, as the format wants them.
//!
//! Format: "Trace Event Format", docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Document;
use crate::base::{TaskId, Time, WorkerId};
use crate::observe::Series;
use crate::observe::timeline::{AttemptBar, Mark, MarkKind, TenureBar, Timeline};

const WORKERS: u32 = 1;
const QUEUES: u32 = 2;
const COUNTERS: u32 = 3;

/// The trace, where the first replication recorded its timeline.
pub fn trace(doc: &Document) -> Option<String> {
    let first = doc.observations.first()?;
    let timeline = first.timeline.as_ref()?;
    let mut events = names(doc, timeline);
    let mut drawn = slices(doc, timeline);
    drawn.extend(timeline.marks.iter().map(instant));
    drawn.extend(flows(timeline));
    // A stable order: by track, then time, a slice before what lies in it.
    drawn.sort_by_key(|event| {
        let number = |key: &str| event[key].as_u64().unwrap_or_default();
        (number("pid"), number("tid"), number("ts"), event["ph"] != "X")
    });
    events.append(&mut drawn);
    events.extend(counters(&first.series));
    let mut text = String::from("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    for (index, event) in events.iter().enumerate() {
        text += &event.to_string();
        text += if index + 1 < events.len() { ",\n" } else { "\n" };
    }
    Some(text + "]}\n")
}

/// Names of processes and threads, and their order.
fn names(doc: &Document, timeline: &Timeline) -> Vec<Value> {
    let mut out = Vec::new();
    for (pid, name) in [(WORKERS, "workers"), (QUEUES, "queues"), (COUNTERS, "counts")] {
        out.push(json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}));
        out.push(json!({"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": pid}}));
    }
    let mut track = |pid: u32, tid: u32, name: String| {
        out.push(json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}}));
        out.push(json!({"ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": {"sort_index": tid}}));
    };
    let mut lives: Vec<WorkerId> = timeline.lives.iter().map(|life| life.worker).collect();
    lives.sort_unstable();
    for worker in lives {
        track(WORKERS, worker_track(worker), doc.labels.worker(worker));
    }
    let mut queues: Vec<_> = timeline.queues.iter().map(|bar| bar.queue).collect();
    queues.sort_unstable();
    queues.dedup();
    for queue in queues {
        track(QUEUES, queue.0, queue.to_string());
    }
    out
}

/// Thread ids begin at 1.
fn worker_track(worker: WorkerId) -> u32 {
    worker.0 + 1
}

fn slice(pid: u32, tid: u32, name: &str, from: Time, to: Time, args: Value) -> Value {
    let (ts, dur) = (from.micros(), to.since(from).micros());
    json!({"ph": "X", "name": name, "pid": pid, "tid": tid, "ts": ts, "dur": dur, "args": args})
}

fn slices(doc: &Document, timeline: &Timeline) -> Vec<Value> {
    let mut out = Vec::new();
    for bar in &timeline.lives {
        if bar.ready > bar.arrived {
            let to = bar.ready.min(bar.gone);
            out.push(slice(WORKERS, worker_track(bar.worker), "starting", bar.arrived, to, json!({})));
        }
    }
    for bar in &timeline.attempts {
        let args = json!({"queue": bar.queue.to_string()});
        out.push(slice(WORKERS, worker_track(bar.worker), &doc.labels.task(bar.task), bar.from, bar.to, args));
    }
    for bar in &timeline.tenures {
        let name = match (bar.owner, bar.orphaned) {
            (Some(owner), _) => doc.labels.worker(owner),
            (None, true) => "orphaned".to_owned(),
            (None, false) => "vacant".to_owned(),
        };
        out.push(slice(QUEUES, bar.queue.0, &name, bar.from, bar.to, json!({})));
    }
    out
}

fn instant(mark: &Mark) -> Value {
    let name = mark_name(mark.kind);
    let args = if mark.until > mark.at { json!({"until": mark.until.as_secs_f64()}) } else { json!({}) };
    let ts = mark.at.micros();
    match (mark.worker, mark.queue) {
        (Some(worker), _) => {
            let tid = worker_track(worker);
            json!({"ph": "i", "s": "t", "name": name, "pid": WORKERS, "tid": tid, "ts": ts, "args": args})
        }
        (None, Some(queue)) => {
            json!({"ph": "i", "s": "t", "name": name, "pid": QUEUES, "tid": queue.0, "ts": ts, "args": args})
        }
        (None, None) => json!({"ph": "i", "s": "g", "name": name, "pid": COUNTERS, "tid": 0, "ts": ts, "args": args}),
    }
}

/// What a mark stands for, in one or two words.
pub(crate) fn mark_name(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Pause => "pause",
        MarkKind::Isolated => "cut off",
        MarkKind::Crash => "crash",
        MarkKind::Kill => "killed",
        MarkKind::Quiesce => "quiesce",
        MarkKind::LeaseEnd => "lease over",
        MarkKind::Violation => "violation",
    }
}

/// Arrows from slice to slice: a queue's move to another owner, a task's next attempt. A flow begins within its first
/// slice and ends within its last; one without length holds no arrow.
fn flows(timeline: &Timeline) -> Vec<Value> {
    let mut moves: BTreeMap<u32, TenureBar> = BTreeMap::new();
    let mut attempts: BTreeMap<TaskId, AttemptBar> = BTreeMap::new();
    let mut out = Vec::new();
    let mut arrow = |name: &str, from: (u32, u32, u64), to: (u32, u32, u64)| {
        let id = out.len() / 2 + 1;
        for (ph, (pid, tid, ts)) in [("s", from), ("f", to)] {
            out.push(
                json!({"ph": ph, "bp": "e", "cat": "flow", "name": name, "id": id, "pid": pid, "tid": tid, "ts": ts}),
            );
        }
    };
    for bar in &timeline.tenures {
        let Some(owner) = bar.owner else { continue };
        if let Some(before) = moves.insert(bar.queue.0, *bar)
            && before.owner != Some(owner)
        {
            let track = bar.queue.0;
            arrow("move", (QUEUES, track, before.to.micros() - 1), (QUEUES, track, bar.from.micros()));
        }
    }
    let mut bars: Vec<&AttemptBar> = timeline.attempts.iter().filter(|bar| bar.to > bar.from).collect();
    bars.sort_by_key(|bar| (bar.from, bar.task));
    for bar in bars {
        if let Some(before) = attempts.insert(bar.task, *bar) {
            let begin = (before.to.micros() - 1).min(bar.from.micros());
            let from = (WORKERS, worker_track(before.worker), begin);
            arrow("next attempt", from, (WORKERS, worker_track(bar.worker), bar.from.micros()));
        }
    }
    out
}

fn counters(series: &Series) -> Vec<Value> {
    let mut out = Vec::new();
    for (name, values) in [("queues", &series.queues), ("workers", &series.workers), ("waiting", &series.backlog)] {
        for (at, value) in series.at.iter().zip(values) {
            let ts = at.micros();
            out.push(json!({"ph": "C", "name": name, "pid": COUNTERS, "tid": 0, "ts": ts, "args": {name: value}}));
        }
    }
    out
}
