//! Timeline of workers: a lane per worker at a time, bars coloured by the queue served, marks for what befell them.

use std::collections::BTreeMap;

use super::Room;
use super::canvas::{Align, Canvas, EDGE};
use super::lanes;
use super::page::{self, Legend, Sign, TOP, TimeAxis};
use super::theme::{self, CUT_OFF, IDLE, INK, MUTED, PAUSED, STARTING};
use crate::base::{QueueId, Time, WorkerId};
use crate::observe::timeline::{LifeBar, Mark, MarkKind, Timeline};
use crate::report::{Document, number};

/// At most so many lanes are drawn.
const LANES: usize = 48;
/// Marks of one kind closer than this are drawn once.
const APART: f64 = 6.0;

/// The lives in order, each with its lane, and the height of lanes.
struct Layout {
    lives: Vec<(LifeBar, usize)>,
    lanes: usize,
    all_lanes: usize,
    /// From one lane to the next.
    pitch: f64,
    /// The part of the pitch that is the bar; the rest is above it.
    bar: f64,
    axis: TimeAxis,
}

impl Layout {
    fn of(doc: &Document, timeline: &Timeline, width: f64) -> Layout {
        let mut lives = timeline.lives.clone();
        lives.sort_by_key(|life| (life.arrived, life.worker));
        let packed = lanes::pack(lives.iter().map(|life| (life.arrived, life.gone.max(life.ready.min(timeline.end)))));
        let all_lanes = packed.iter().max().map_or(0, |lane| lane + 1);
        let lanes = all_lanes.min(LANES);
        let pitch = (560.0 / lanes.max(1) as f64).clamp(23.0, 38.0);
        let label = |life: &LifeBar| theme::text_width(&doc.labels.worker(life.worker), 12.0, false);
        let margin = lives.iter().map(label).fold(20.0, f64::max).min(160.0);
        let axis = TimeAxis { left: EDGE + margin + 8.0, right: width - EDGE - 12.0, end: timeline.end };
        Layout { lives: lives.into_iter().zip(packed).collect(), lanes, all_lanes, pitch, bar: pitch - 10.0, axis }
    }
    fn top(&self, lane: usize) -> f64 {
        TOP + lane as f64 * self.pitch + (self.pitch - self.bar)
    }
    fn bottom(&self) -> f64 {
        TOP + self.lanes as f64 * self.pitch + 6.0
    }
    fn lane_of(&self) -> BTreeMap<WorkerId, usize> {
        self.lives.iter().filter(|(_, lane)| *lane < self.lanes).map(|(life, lane)| (life.worker, *lane)).collect()
    }
}

/// The chart, where a timeline was recorded.
pub(super) fn draw(doc: &Document, Room { width, .. }: Room) -> Option<Canvas> {
    let (index, timeline) = doc.observations.iter().enumerate().find_map(|(n, it)| Some((n, it.timeline.as_ref()?)))?;
    if timeline.lives.is_empty() {
        return None;
    }
    let layout = Layout::of(doc, timeline, width);
    let legend = legend(timeline);
    let mut canvas = Canvas::new(width, layout.bottom() + 34.0 + legend.height(width) + 12.0);
    let replication = format!("replication {index} ({} in all)", doc.replications);
    let mut subtitle = page::origin(doc, &replication) + "; a lane per worker, used again after it is gone";
    if layout.lanes < layout.all_lanes {
        subtitle += &format!("; {} of {} lanes shown", layout.lanes, layout.all_lanes);
    }
    if timeline.truncated {
        subtitle += "; the recording is not complete";
    }
    canvas.titled(&title(doc), &subtitle);
    layout.axis.grid(&mut canvas, TOP, layout.bottom());
    draw_lives(&mut canvas, doc, &layout);
    draw_attempts(&mut canvas, timeline, &layout);
    draw_marks(&mut canvas, timeline, &layout);
    layout.axis.labels(&mut canvas, layout.bottom());
    legend.draw(&mut canvas, layout.bottom() + 34.0);
    Some(canvas)
}

fn title(doc: &Document) -> String {
    let workers = doc.estimate("workers.mean").map(|it| number::plain((it.mean * 10.0).round() / 10.0));
    let idle = doc.estimate("worker.idle_avoidable").map(|it| number::percent(it.mean));
    match (workers, idle) {
        (Some(workers), Some(idle)) => {
            format!("{workers} workers on average, {idle} of their time idle beside runnable work")
        }
        (Some(workers), None) => format!("{workers} workers on average"),
        (None, Some(_) | None) => "Who worked for which queue".into(),
    }
}

fn draw_lives(canvas: &mut Canvas, doc: &Document, layout: &Layout) {
    let mut free_from = vec![f64::NEG_INFINITY; layout.lanes];
    for (life, lane) in layout.lives.iter().filter(|(_, lane)| *lane < layout.lanes) {
        let (top, first) = (layout.top(*lane), free_from[*lane] == f64::NEG_INFINITY);
        let (from, to) = (layout.axis.x(life.arrived), layout.axis.x(life.gone));
        let ready = layout.axis.x(life.ready.min(life.gone));
        canvas.rect(from, top, (to - from).max(1.0), layout.bar, IDLE);
        if ready > from {
            canvas.rect(from, top, ready - from, layout.bar, STARTING);
        }
        let name = doc.labels.worker(life.worker);
        if first && life.arrived == Time::ZERO {
            let shown = page::fitted(&name, 12.0, false, layout.axis.left - EDGE - 8.0);
            canvas.text(layout.axis.left - 8.0, top + layout.bar / 2.0 + 4.5, &shown, 12.0, Align::Right, INK);
            free_from[*lane] = from;
        } else if from >= free_from[*lane] && from + theme::text_width(&name, 9.0, false) < layout.axis.right {
            canvas.text(from, top - 1.5, &name, 9.0, Align::Left, MUTED);
            free_from[*lane] = from + theme::text_width(&name, 9.0, false) + 4.0;
        }
    }
}

fn look(queue: QueueId) -> (Sign, String) {
    let color = if queue.is_general() { theme::GENERAL } else { theme::nth(queue.0 as usize - 1) };
    (Sign::Box(color), queue.to_string())
}

fn draw_attempts(canvas: &mut Canvas, timeline: &Timeline, layout: &Layout) {
    let lane_of = layout.lane_of();
    let mut by_lane: Vec<Vec<(f64, f64, QueueId)>> = vec![Vec::new(); layout.lanes];
    let mut attempts = timeline.attempts.clone();
    attempts.sort_by_key(|attempt| (attempt.from, attempt.to, attempt.worker, attempt.task));
    for attempt in &attempts {
        if let Some(lane) = lane_of.get(&attempt.worker) {
            by_lane[*lane].push((layout.axis.x(attempt.from), layout.axis.x(attempt.to), attempt.queue));
        }
    }
    let mut marks: Vec<Vec<f64>> = vec![Vec::new(); layout.lanes];
    for mark in &timeline.marks {
        if let Some(lane) = mark.worker.and_then(|worker| lane_of.get(&worker)) {
            marks[*lane].extend([layout.axis.x(mark.at), layout.axis.x(mark.until)]);
        }
    }
    for (lane, bars) in by_lane.into_iter().enumerate() {
        lanes::draw(canvas, &lanes::runs(bars.into_iter()), (layout.top(lane), layout.bar), &marks[lane], look);
    }
}

fn sign_of(kind: MarkKind) -> Sign {
    match kind {
        MarkKind::Pause => Sign::Hatched(PAUSED),
        MarkKind::Isolated => Sign::Box(CUT_OFF),
        MarkKind::Crash => Sign::Cross,
        MarkKind::Kill => Sign::Square,
        MarkKind::Quiesce => Sign::Triangle,
        MarkKind::LeaseEnd => Sign::Diamond,
        MarkKind::Violation => Sign::Stroke,
    }
}

fn draw_marks(canvas: &mut Canvas, timeline: &Timeline, layout: &Layout) {
    let lane_of = layout.lane_of();
    let mut marks: Vec<&Mark> = timeline.marks.iter().collect();
    marks.sort_by_key(|mark| (mark.kind, mark.at, mark.worker));
    let mut drawn: BTreeMap<(MarkKind, Option<usize>), f64> = BTreeMap::new();
    for mark in marks {
        let lane = mark.worker.and_then(|worker| lane_of.get(&worker).copied());
        let x = layout.axis.x(mark.at);
        let Some(lane) = lane else {
            // A breach that concerns no worker that is shown crosses all lanes.
            if mark.kind == MarkKind::Violation && far(&mut drawn, (mark.kind, None), x) {
                let height = layout.bottom() - TOP;
                page::mark(canvas, Sign::Stroke, (x, TOP + height / 2.0), height);
            }
            continue;
        };
        let middle = layout.top(lane) + layout.bar / 2.0;
        if mark.kind == MarkKind::Pause {
            let width = (layout.axis.x(mark.until) - x).max(1.5);
            page::fill(canvas, Sign::Hatched(PAUSED), (x, layout.top(lane)), width, layout.bar);
        } else if mark.kind == MarkKind::Isolated {
            // Below the bar, which stays readable: a worker that is cut off goes on.
            let width = (layout.axis.x(mark.until) - x).max(1.5);
            canvas.rect(x, layout.top(lane) + layout.bar, width, 3.0, CUT_OFF);
        } else if far(&mut drawn, (mark.kind, Some(lane)), x) {
            page::mark(canvas, sign_of(mark.kind), (x, middle), layout.bar + 6.0);
        }
    }
}

/// Whether nothing of its kind was drawn just before; notes it where so.
fn far<K: Ord>(drawn: &mut BTreeMap<K, f64>, key: K, x: f64) -> bool {
    let far = drawn.get(&key).is_none_or(|last| x - last >= APART);
    if far {
        drawn.insert(key, x);
    }
    far
}

fn legend(timeline: &Timeline) -> Legend {
    let mut legend = Legend::default();
    let mut queues: Vec<QueueId> = timeline.attempts.iter().map(|attempt| attempt.queue).collect();
    queues.sort();
    queues.dedup();
    for queue in queues.iter().take(18) {
        let (sign, name) = look(*queue);
        legend.add(sign, &name);
    }
    if queues.len() > 18 {
        legend.add(Sign::Outlined, &format!("{} more queues, colours again from the first", queues.len() - 18));
    }
    legend.add(Sign::Box(IDLE), "idle");
    if timeline.lives.iter().any(|life| life.ready > life.arrived) {
        legend.add(Sign::Box(STARTING), "starting");
    }
    let meanings = [
        (MarkKind::Pause, "paused"),
        (MarkKind::Isolated, "cut off from the engine"),
        (MarkKind::Crash, "crashed"),
        (MarkKind::Kill, "killed at the end of its grace"),
        (MarkKind::Quiesce, "told to quiesce"),
        (MarkKind::LeaseEnd, "stopped: its lease had ended"),
        (MarkKind::Violation, "a property was breached"),
    ];
    for (kind, meaning) in meanings {
        if timeline.marks.iter().any(|mark| mark.kind == kind) {
            legend.add(sign_of(kind), meaning);
        }
    }
    legend
}
