//! Timeline of queues: a lane per queue, bars coloured by owner, and the times without one.

use std::collections::BTreeMap;

use super::Room;
use super::canvas::{Align, Canvas, EDGE};
use super::lanes;
use super::page::{self, Legend, Sign, TOP, TimeAxis};
use super::theme::{self, INK, MUTED, WRONG};
use crate::base::{QueueId, Time, WorkerId};
use crate::observe::timeline::{MarkKind, QueueBar, TenureBar, Timeline};
use crate::report::{Document, number};

/// Up to so many queues have a lane each; more share lanes one after the other.
const OWN_LANES: usize = 30;
/// At most so many lanes are drawn.
const LANES: usize = 48;

/// Who has a queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Holder {
    Worker(WorkerId),
    Orphaned,
    Vacant,
}

impl Holder {
    fn of(tenure: &TenureBar) -> Holder {
        match tenure.owner {
            Some(worker) => Holder::Worker(worker),
            None if tenure.orphaned => Holder::Orphaned,
            None => Holder::Vacant,
        }
    }
}

struct Layout {
    queues: Vec<(QueueBar, usize)>,
    lanes: usize,
    all_lanes: usize,
    shared: bool,
    pitch: f64,
    bar: f64,
    axis: TimeAxis,
}

impl Layout {
    fn of(timeline: &Timeline, width: f64) -> Layout {
        let mut queues: Vec<QueueBar> = timeline.queues.iter().filter(|it| !it.queue.is_general()).copied().collect();
        queues.sort_by_key(|it| (it.from, it.queue));
        let shared = queues.len() > OWN_LANES;
        let packed: Vec<usize> =
            if shared { lanes::pack(queues.iter().map(|it| (it.from, it.to))) } else { (0..queues.len()).collect() };
        let all_lanes = packed.iter().max().map_or(0, |lane| lane + 1);
        let lanes = all_lanes.min(LANES);
        let pitch = (560.0 / lanes.max(1) as f64).clamp(if shared { 23.0 } else { 18.0 }, 34.0);
        let bar = pitch - if shared { 10.0 } else { 5.0 };
        let axis = TimeAxis { left: EDGE + 46.0, right: width - EDGE - 12.0, end: timeline.end };
        Layout { queues: queues.into_iter().zip(packed).collect(), lanes, all_lanes, shared, pitch, bar, axis }
    }
    fn top(&self, lane: usize) -> f64 {
        TOP + lane as f64 * self.pitch + (self.pitch - self.bar)
    }
    fn bottom(&self) -> f64 {
        TOP + self.lanes as f64 * self.pitch + 6.0
    }
}

/// The chart, where a timeline with reserving queues was recorded.
pub(super) fn draw(doc: &Document, Room { width, .. }: Room) -> Option<Canvas> {
    let (index, timeline) = doc.observations.iter().enumerate().find_map(|(n, it)| Some((n, it.timeline.as_ref()?)))?;
    let layout = Layout::of(timeline, width);
    if layout.queues.is_empty() {
        return None;
    }
    let mut tenures: BTreeMap<QueueId, Vec<&TenureBar>> = BTreeMap::new();
    for tenure in &timeline.tenures {
        tenures.entry(tenure.queue).or_default().push(tenure);
    }
    tenures.values_mut().for_each(|it| it.sort_by_key(|tenure| (tenure.from, tenure.to)));
    let legend = legend(timeline, &layout);
    let mut canvas = Canvas::new(width, layout.bottom() + 34.0 + legend.height(width) + 12.0);
    let replication = format!("replication {index} ({} in all); bars show the owner", doc.replications);
    let mut subtitle = page::origin(doc, &replication);
    if layout.lanes < layout.all_lanes {
        subtitle += &format!("; {} of {} lanes shown", layout.lanes, layout.all_lanes);
    }
    if timeline.truncated {
        subtitle += "; the recording is not complete";
    }
    canvas.titled(&title(&layout, &tenures), &subtitle);
    layout.axis.grid(&mut canvas, TOP, layout.bottom());
    draw_queues(&mut canvas, doc, &layout, &tenures);
    draw_breaches(&mut canvas, timeline, &layout);
    layout.axis.labels(&mut canvas, layout.bottom());
    legend.draw(&mut canvas, layout.bottom() + 34.0);
    Some(canvas)
}

fn title(layout: &Layout, tenures: &BTreeMap<QueueId, Vec<&TenureBar>>) -> String {
    let mut spans: BTreeMap<&str, u64> = BTreeMap::new();
    let mut moved = 0;
    for (queue, bars) in tenures.iter().filter(|(queue, _)| !queue.is_general()) {
        debug_assert!(bars.iter().all(|bar| bar.queue == *queue));
        for bar in bars {
            let kind = match Holder::of(bar) {
                Holder::Worker(_) => "owned",
                Holder::Orphaned => "orphaned",
                Holder::Vacant => "vacant",
            };
            *spans.entry(kind).or_default() += bar.to.saturating_since(bar.from).micros();
        }
        let owners: Vec<WorkerId> = bars.iter().filter_map(|bar| bar.owner).collect();
        moved += owners.windows(2).filter(|pair| pair[0] != pair[1]).count() as u64;
    }
    let total = spans.values().sum::<u64>().max(1) as f64;
    let share = |kind: &str| number::percent(spans.get(kind).copied().unwrap_or(0) as f64 / total);
    let queues = number::counted(layout.queues.len() as u64, "queue");
    let (owned, orphaned, vacant) = (share("owned"), share("orphaned"), share("vacant"));
    let moves = number::counted(moved, "move");
    format!("{queues}, {moves}: owned {owned} of their time, orphaned {orphaned}, vacant {vacant}")
}

fn draw_queues(canvas: &mut Canvas, doc: &Document, layout: &Layout, tenures: &BTreeMap<QueueId, Vec<&TenureBar>>) {
    let look = |holder: Holder| match holder {
        Holder::Worker(worker) => (Sign::Box(theme::nth(worker.0 as usize).tint(0.8)), doc.labels.worker(worker)),
        Holder::Orphaned => (Sign::Hatched(WRONG), String::new()),
        Holder::Vacant => (Sign::Outlined, String::new()),
    };
    let mut free_from = vec![f64::NEG_INFINITY; layout.lanes];
    for (queue, lane) in layout.queues.iter().filter(|(_, lane)| *lane < layout.lanes) {
        let (top, middle) = (layout.top(*lane), layout.top(*lane) + layout.bar / 2.0);
        let (from, to) = (layout.axis.x(queue.from), layout.axis.x(queue.to));
        let bars = tenures.get(&queue.queue).into_iter().flatten();
        let bars = bars.map(|it| (layout.axis.x(it.from), layout.axis.x(it.to), Holder::of(it)));
        lanes::draw(canvas, &lanes::runs(bars), (top, layout.bar), &[], look);
        if queue.from > Time::ZERO {
            page::mark(canvas, Sign::End, (from, middle), layout.bar + 4.0);
        }
        if queue.to < layout.axis.end {
            page::mark(canvas, Sign::End, (to, middle), layout.bar + 4.0);
        }
        let name = queue.queue.to_string();
        if !layout.shared {
            canvas.text(layout.axis.left - 8.0, middle + 4.5, &name, 12.0, Align::Right, INK);
        } else if from >= free_from[*lane] && from + theme::text_width(&name, 9.0, false) < layout.axis.right {
            canvas.text(from, top - 2.5, &name, 9.0, Align::Left, MUTED);
            free_from[*lane] = from + theme::text_width(&name, 9.0, false) + 4.0;
        }
    }
}

fn draw_breaches(canvas: &mut Canvas, timeline: &Timeline, layout: &Layout) {
    let lane_of: BTreeMap<QueueId, usize> = layout.queues.iter().map(|(queue, lane)| (queue.queue, *lane)).collect();
    for mark in timeline.marks.iter().filter(|mark| mark.kind == MarkKind::Violation) {
        let lane = mark.queue.and_then(|queue| lane_of.get(&queue)).filter(|lane| **lane < layout.lanes);
        if let Some(lane) = lane {
            let middle = layout.top(*lane) + layout.bar / 2.0;
            page::mark(canvas, Sign::Stroke, (layout.axis.x(mark.at), middle), layout.bar + 6.0);
        }
    }
}

fn legend(timeline: &Timeline, layout: &Layout) -> Legend {
    let mut legend = Legend::default();
    legend.add(Sign::Box(theme::nth(0).tint(0.8)), "owned, a colour per worker");
    let tenures = || timeline.tenures.iter().filter(|it| !it.queue.is_general());
    if tenures().any(|it| Holder::of(it) == Holder::Orphaned) {
        legend.add(Sign::Hatched(WRONG), "orphaned: its owner was lost");
    }
    if tenures().any(|it| Holder::of(it) == Holder::Vacant) {
        legend.add(Sign::Outlined, "vacant: no owner chosen");
    }
    if layout.queues.iter().any(|(queue, _)| queue.from > Time::ZERO || queue.to < timeline.end) {
        legend.add(Sign::End, "created or deleted");
    }
    if timeline.marks.iter().any(|mark| mark.kind == MarkKind::Violation && mark.queue.is_some()) {
        legend.add(Sign::Stroke, "a property was breached");
    }
    legend
}
