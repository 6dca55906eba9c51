//! Orphan recovery: how long each queue that lost its owner was without one, in the first replication.

use std::collections::BTreeMap;

use super::Room;
use super::canvas::{Align, Canvas, EDGE, Label};
use super::page::{self, TOP, TimeAxis};
use super::theme::{BLUE, GRID, INK, MUTED, WRONG};
use crate::base::{QueueId, Span, Time};
use crate::observe::timeline::Timeline;
use crate::report::{Document, number};

const HEIGHT: f64 = 220.0;

/// A queue's time without an owner after it lost one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Gap {
    queue: QueueId,
    from: Time,
    lasted: Span,
    /// It had an owner again before the end.
    recovered: bool,
}

/// The chart, where a queue was orphaned.
pub(super) fn draw(doc: &Document, Room { width, .. }: Room) -> Option<Canvas> {
    let timeline = doc.observations.first()?.timeline.as_ref()?;
    let gaps = gaps(timeline);
    let longest = gaps.iter().map(|gap| gap.lasted).max()?;
    let bottom = TOP + HEIGHT;
    let axis = TimeAxis { left: EDGE + 64.0, right: width - EDGE - 60.0, end: timeline.end };
    let mut canvas = Canvas::new(width, bottom + 36.0);
    let of = "replication 0; from the loss that the engine noticed to the next owner";
    canvas.titled(&title(&gaps), &page::origin(doc, of));
    axis.grid(&mut canvas, TOP, bottom);
    let y = |span: Span| bottom - (HEIGHT - 16.0) * span.micros() as f64 / longest.micros().max(1) as f64;
    canvas.line((axis.left, y(longest)), (axis.right, y(longest)), 1.0, GRID);
    let shown = number::clock(Time::from_micros(longest.micros()));
    canvas.text(axis.left - 8.0, y(longest) + 4.0, &shown, 12.0, Align::Right, MUTED);
    for gap in &gaps {
        let (x, color) = (axis.x(gap.from), if gap.recovered { BLUE } else { WRONG });
        canvas.line((x, bottom), (x, y(gap.lasted)), 2.0, color);
        canvas.rect(x - 3.0, y(gap.lasted) - 3.0, 6.0, 6.0, color);
    }
    if let Some(worst) = gaps.iter().find(|gap| gap.lasted == longest) {
        let (x, text) = (axis.x(worst.from) + 8.0, worst.queue.to_string());
        let label = Label { x, baseline: TOP + 12.0, text, em: 12.0, bold: false, align: Align::Left, color: INK };
        canvas.label(label);
    }
    axis.labels(&mut canvas, bottom);
    Some(canvas)
}

fn gaps(timeline: &Timeline) -> Vec<Gap> {
    let mut open: BTreeMap<QueueId, Time> = BTreeMap::new();
    let mut gaps = Vec::new();
    let mut tenures: Vec<_> = timeline.tenures.iter().collect();
    tenures.sort_by_key(|bar| (bar.from, bar.queue));
    for bar in tenures {
        if bar.orphaned {
            open.entry(bar.queue).or_insert(bar.from);
        } else if bar.owner.is_some()
            && let Some(from) = open.remove(&bar.queue)
        {
            gaps.push(Gap { queue: bar.queue, from, lasted: bar.from.since(from), recovered: true });
        }
    }
    let deleted: BTreeMap<QueueId, Time> = timeline.queues.iter().map(|bar| (bar.queue, bar.to)).collect();
    // What was deleted without an owner needed none; what is still there at the end was never recovered.
    let rest = open.into_iter().filter(|(queue, _)| deleted.get(queue).is_none_or(|to| *to == timeline.end));
    let end = timeline.end;
    gaps.extend(rest.map(|(queue, from)| Gap { queue, from, lasted: end.saturating_since(from), recovered: false }));
    gaps
}

fn title(gaps: &[Gap]) -> String {
    let mut spans: Vec<Span> = gaps.iter().filter(|gap| gap.recovered).map(|gap| gap.lasted).collect();
    spans.sort_unstable();
    let clock = |span: Span| number::clock(Time::from_micros(span.micros()));
    let never = gaps.len() - spans.len();
    let never = if never == 0 { String::new() } else { format!("; {never} never had") };
    match spans.as_slice() {
        [] => format!("{} without an owner to the end", number::counted(gaps.len() as u64, "orphaned queue")),
        [one] => format!("1 orphaned queue had an owner again after {}{never}", clock(*one)),
        [first, .., last] if first == last => {
            format!("{} orphaned queues had an owner again, each after {}{never}", spans.len(), clock(*last))
        }
        many => format!(
            "{} orphaned queues had an owner again within {}, half of them within {}{never}",
            many.len(),
            clock(many[many.len() - 1]),
            clock(many[many.len() / 2])
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::WorkerId;
    use crate::observe::timeline::{QueueBar, TenureBar};

    #[test]
    fn a_gap_ends_with_the_next_owner_and_what_was_deleted_is_none() {
        let at = Time::from_secs;
        let bar = |queue, owner: Option<u32>, orphaned, from, to| TenureBar {
            queue: QueueId(queue),
            owner: owner.map(WorkerId),
            orphaned,
            from: at(from),
            to: at(to),
        };
        let timeline = Timeline {
            tenures: vec![
                bar(1, Some(0), false, 0, 10),
                bar(1, None, true, 10, 11),
                bar(1, None, false, 11, 15),
                bar(1, Some(1), false, 15, 60),
                bar(2, None, true, 20, 60),
                bar(3, None, true, 30, 40),
            ],
            queues: [(1, 60), (2, 60), (3, 40)]
                .map(|(queue, to)| QueueBar { queue: QueueId(queue), from: at(0), to: at(to) })
                .into(),
            end: at(60),
            ..Timeline::default()
        };
        let gaps = gaps(&timeline);
        let seen: Vec<_> = gaps.iter().map(|gap| (gap.queue.0, gap.lasted, gap.recovered)).collect();
        assert_eq!(seen, [(1, Span::from_secs(5), true), (2, Span::from_secs(40), false)]);
        assert_eq!(title(&gaps), "1 orphaned queue had an owner again after 5 s; 1 never had");
    }
}
