//! The timeline of the first replication as data for the page's script.

use serde_json::{Value, json};

use super::TimelineView;
use crate::base::QueueId;
use crate::observe::timeline::{MarkKind, Timeline};
use crate::report::charts::lanes::pack;
use crate::report::perfetto::mark_name;
use crate::report::{Document, number};

/// The data, where the timeline was recorded and holds anything.
pub(super) fn view(doc: &Document) -> Option<TimelineView> {
    let timeline = doc.observations.first()?.timeline.as_ref()?;
    if timeline.lives.is_empty() && timeline.queues.is_empty() {
        return None;
    }
    let (workers, queues) = (workers(doc, timeline), queues(timeline));
    let mut legend =
        "Bars of workers are tasks, coloured by the queue they were served from; bars of queues are their \
                      owners. Light grey: up and idle; dark grey: the worker stood still; a line below: it was cut off from the engine; vermillion: crashes, \
                      violations, and queues whose owner was lost."
            .to_owned();
    if timeline.truncated {
        let limit = Timeline::LIMIT as u64;
        legend += &format!(" Only the first {} of a kind are here.", number::counted(limit, "bar"));
    }
    let data = json!({
        "end": timeline.end.micros(),
        "workers": workers,
        "queues": queues,
        "tasks": doc.labels.tasks.iter().map(|(_, name)| name).collect::<Vec<_>>(),
        "attempts": attempts(timeline),
        "tenures": tenures(timeline),
        "marks": marks(doc, timeline),
    });
    // In JSON a `<` stands only in strings, where this means the same.
    Some(TimelineView { legend, data: data.to_string().replace('<', "\\u003c") })
}

/// Each as [id, lane, name, arrived, ready, gone].
fn workers(doc: &Document, timeline: &Timeline) -> Vec<Value> {
    let mut lives: Vec<_> = timeline.lives.iter().collect();
    lives.sort_by_key(|life| (life.arrived, life.worker));
    let lanes = pack(lives.iter().map(|life| (life.arrived, life.gone)));
    let row = |(life, lane): (&&crate::observe::timeline::LifeBar, usize)| {
        let times = [life.arrived, life.ready, life.gone].map(|at| at.micros());
        json!([life.worker.0, lane, doc.labels.worker(life.worker), times[0], times[1], times[2]])
    };
    lives.iter().zip(lanes).map(row).collect()
}

/// Each as [id, lane].
fn queues(timeline: &Timeline) -> Vec<Value> {
    let mut bars: Vec<_> = timeline.queues.iter().filter(|bar| !bar.queue.is_general()).collect();
    bars.sort_by_key(|bar| (bar.from, bar.queue));
    let lanes = pack(bars.iter().map(|bar| (bar.from, bar.to)));
    bars.iter().zip(lanes).map(|(bar, lane)| json!([bar.queue.0, lane])).collect()
}

/// Five numbers each, one after the other: the beginning since the one before, the length, worker, queue, task.
fn attempts(timeline: &Timeline) -> Vec<u64> {
    let mut bars: Vec<_> = timeline.attempts.iter().collect();
    bars.sort_by_key(|bar| (bar.from, bar.worker));
    let mut out = Vec::with_capacity(bars.len() * 5);
    let mut before = 0;
    for bar in bars {
        let from = bar.from.micros();
        let (worker, queue, task) = (bar.worker.0.into(), bar.queue.0.into(), bar.task.0.into());
        out.extend([from - before, bar.to.since(bar.from).micros(), worker, queue, task]);
        before = from;
    }
    out
}

/// Each as [queue, owner, from, to]; owner -1: vacant, -2: orphaned.
fn tenures(timeline: &Timeline) -> Vec<Value> {
    let of_queue = timeline.tenures.iter().filter(|bar| bar.queue != QueueId::GENERAL);
    let row = |bar: &crate::observe::timeline::TenureBar| {
        let owner = bar.owner.map_or(if bar.orphaned { -2 } else { -1 }, |owner| i64::from(owner.0));
        json!([bar.queue.0, owner, bar.from.micros(), bar.to.micros()])
    };
    of_queue.map(row).collect()
}

/// Each as [kind, at, until, worker, queue, words]; -1: none.
fn marks(doc: &Document, timeline: &Timeline) -> Vec<Value> {
    let number = |id: Option<u32>| id.map_or(-1, i64::from);
    let mut out: Vec<Value> = Vec::new();
    for mark in timeline.marks.iter().filter(|mark| mark.kind != MarkKind::Violation) {
        let name = mark_name(mark.kind);
        let words = format!("{}: {name}", mark.worker.map(|worker| doc.labels.worker(worker)).unwrap_or_default());
        let (worker, queue) = (number(mark.worker.map(|it| it.0)), number(mark.queue.map(|it| it.0)));
        out.push(json!([name, mark.at.micros(), mark.until.micros(), worker, queue, words]));
    }
    for violation in &doc.observations[0].violations {
        let at = violation.at.micros();
        let until = violation.lasted.map_or(at, |lasted| at.saturating_add(lasted.micros()));
        let worker = number(violation.workers.last().map(|it| it.0));
        let words = format!("{}: {}", violation.property, doc.cause(violation));
        let name = mark_name(MarkKind::Violation);
        out.push(json!([name, at, until, worker, number(violation.queue.map(|it| it.0)), words]));
    }
    out
}
