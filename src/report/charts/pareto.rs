//! Idle time beside work, waiting and churn at once: who is beaten by nobody.

use super::Room;
use super::axis::{Scale, seconds};
use super::canvas::{Align, Canvas, EDGE};
use super::theme::{self, BLUE, GRID, INK, MUTED, WHITE};
use crate::report::comparison::Comparison;
use crate::report::number;

const TOP: f64 = 104.0;
const HEIGHT: f64 = 440.0;
const BELOW: f64 = 58.0;
/// The radius of a circle without churn, and what the most churn adds.
const RADIUS: (f64, f64) = (5.0, 15.0);
/// Values end so far within the frame: no circle reaches out of it and over the numbers beside it.
const INSET: f64 = RADIUS.0 + RADIUS.1 + 4.0;
/// More names than this would lie over one another: then only the front is named.
const NAMES: usize = 10;

struct Point {
    index: usize,
    idle: f64,
    wait: f64,
    churn: f64,
}

/// The chart, for two systems or more.
pub(super) fn draw(comparison: &Comparison, room: Room) -> Option<Canvas> {
    let point = |(index, cell): (usize, &crate::report::comparison::Cell)| {
        let mean = |metric| cell.document.estimate(metric).map(|it| it.mean);
        Some(Point {
            index,
            idle: mean("worker.idle_avoidable")?,
            wait: mean("wait.mean")?,
            churn: mean("queue.churn")?,
        })
    };
    let points: Vec<Point> = comparison.cells.iter().enumerate().filter_map(point).collect();
    if points.len() < 2 {
        return None;
    }
    let front = comparison.pareto();
    let width = room.width;
    let bottom = TOP + room.high(HEIGHT, TOP + BELOW);
    let mut canvas = Canvas::new(width, bottom + BELOW);
    let of = format!(
        "{}, seed {}, {} each",
        comparison.scenario,
        comparison.seed,
        number::counted(u64::from(comparison.replications), "replication")
    );
    canvas.titled(
        &title(comparison, &front),
        &format!("{of}; filled: nobody is better in all three; the larger a circle, the more churn"),
    );
    let waits = || points.iter().map(|it| it.wait);
    let (shortest, longest) = waits().fold((f64::INFINITY, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
    let (left, right) = (EDGE + 70.0, width - EDGE - 60.0);
    // Waits that range over decades would all but one lie in a corner.
    let x = if shortest > 0.0 && longest > 50.0 * shortest {
        Scale::log(waits(), left + INSET, right - INSET)
    } else {
        Scale::linear(waits().chain([0.0]), left + INSET, right - INSET)
    };
    let y = Scale::linear(points.iter().map(|it| it.idle).chain([0.0]), bottom - INSET, TOP + INSET);
    x.draw_below(&mut canvas, TOP, bottom, seconds);
    y.draw_left(&mut canvas, left, right, number::percent);
    canvas.outline(left, TOP, right - left, bottom - TOP, 1.0, GRID);
    canvas.text((left + right) / 2.0, bottom + 42.0, "mean wait", 12.0, Align::Center, MUTED);
    canvas.text(EDGE, TOP - 12.0, "worker time idle beside runnable work", 12.0, Align::Left, MUTED);
    let most = points.iter().map(|it| it.churn).fold(0.0, f64::max);
    let place = |it: &Point| {
        let radius = RADIUS.0 + if most > 0.0 { RADIUS.1 * (it.churn / most).sqrt() } else { 0.0 };
        (x.at(it.wait), y.at(it.idle), radius)
    };
    for it in &points {
        let ((cx, cy, radius), in_front) = (place(it), front.contains(&it.index));
        circle(&mut canvas, (cx, cy), radius + 1.0, WHITE);
        circle(&mut canvas, (cx, cy), radius, BLUE);
        if !in_front {
            circle(&mut canvas, (cx, cy), radius - 2.0, WHITE);
        }
    }
    let mut names = Names { circles: points.iter().map(place).collect(), taken: Vec::new(), bottom };
    for it in &points {
        let (cx, cy, radius) = place(it);
        if front.contains(&it.index) || points.len() <= NAMES {
            let text = format!("{} ({}/h)", comparison.cells[it.index].label, number::plain(it.churn));
            names.place(&mut canvas, &text, (cx, cy), radius);
        }
    }
    Some(canvas)
}

fn title(comparison: &Comparison, front: &[usize]) -> String {
    let names: Vec<&str> = front.iter().map(|index| comparison.cells[*index].label.as_str()).collect();
    match names.as_slice() {
        [only] => format!("{only} is best in idle time, wait and churn at once"),
        _ => {
            let (few, of) = (names.len() <= 3, comparison.cells.len());
            let which = if few { format!(": {}", names.join("; ")) } else { String::new() };
            format!("{} of {of} are beaten by nobody in idle time, wait and churn at once{which}", names.len())
        }
    }
}

fn circle(canvas: &mut Canvas, (x, y): (f64, f64), radius: f64, color: theme::Color) {
    const CORNERS: u32 = 36;
    let corner = |index: u32| {
        let angle = f64::from(index) * std::f64::consts::TAU / f64::from(CORNERS);
        (x + radius * libm::cos(angle), y + radius * libm::sin(angle))
    };
    canvas.polygon((0..CORNERS).map(corner).collect(), color);
}

/// Names beside points, where there is room; a name without room is left out.
struct Names {
    /// Centre and radius of what stands there already.
    circles: Vec<(f64, f64, f64)>,
    /// Left, right, baseline.
    taken: Vec<(f64, f64, f64)>,
    /// Of the frame.
    bottom: f64,
}

impl Names {
    fn place(&mut self, canvas: &mut Canvas, text: &str, (x, y): (f64, f64), radius: f64) {
        let width = theme::text_width(text, 12.0, false);
        let beside =
            |dx: f64, dy: f64| if dx > 0.0 { (x + radius + 6.0, y + dy) } else { (x - radius - 6.0 - width, y + dy) };
        let spots = [
            beside(1.0, 4.5),
            beside(-1.0, 4.5),
            beside(1.0, -radius),
            beside(1.0, radius + 9.0),
            beside(-1.0, -radius),
            beside(-1.0, radius + 9.0),
        ];
        let is_free = |(left, baseline): &(f64, f64)| {
            let on_page = *left > EDGE + 74.0
                && left + width < canvas.width() - EDGE
                && *baseline > TOP - 2.0
                && *baseline < self.bottom;
            let hits_a_circle = |(cx, cy, r): &(f64, f64, f64)| {
                *left < cx + r && left + width > cx - r && baseline - 10.0 < cy + r && baseline + 3.0 > cy - r
            };
            on_page
                && !self.circles.iter().any(hits_a_circle)
                && !self
                    .taken
                    .iter()
                    .any(|(l, r, b)| *left < *r + 4.0 && *l < left + width + 4.0 && (baseline - b).abs() < 14.0)
        };
        if let Some((left, baseline)) = spots.iter().find(|spot| is_free(spot)).copied() {
            canvas.text(left, baseline, text, 12.0, Align::Left, INK);
            self.taken.push((left, left + width, baseline));
        }
    }
}
