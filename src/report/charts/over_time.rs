//! Queues, workers and backlog over time: the mean over replications, and the band that holds the middle 80 % of them.

use super::Room;
use super::canvas::{Align, Canvas, EDGE, Label};
use super::page::{self, TimeAxis};
use super::theme::{BLUE, Color, GREEN, GRID, INK, MUTED, PURPLE};
use crate::base::Time;
use crate::observe::Series;
use crate::report::{Document, number};

const PANEL: f64 = 132.0;
const GAP: f64 = 38.0;
const FIRST: f64 = 108.0;
const BELOW: f64 = 36.0;

/// What one panel shows, point by point.
struct Curve {
    mean: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Curve {
    fn of(all: &[&Series], values: fn(&Series) -> &[u32]) -> Curve {
        let mut curve = Curve { mean: Vec::new(), low: Vec::new(), high: Vec::new() };
        let points = all.iter().map(|series| values(series).len()).min().unwrap_or(0);
        for point in 0..points {
            let mut column: Vec<u32> = all.iter().map(|series| values(series)[point]).collect();
            column.sort_unstable();
            let sum: u64 = column.iter().copied().map(u64::from).sum();
            curve.mean.push(sum as f64 / column.len() as f64);
            curve.low.push(quantile(&column, 0.1));
            curve.high.push(quantile(&column, 0.9));
        }
        curve
    }
    /// The largest mean and the point at which it is reached first.
    fn peak(&self) -> (f64, usize) {
        self.mean
            .iter()
            .enumerate()
            .fold((0.0, 0), |best, (point, mean)| if *mean > best.0 { (*mean, point) } else { best })
    }
}

/// The quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[u32], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    f64::from(below) + (f64::from(above) - f64::from(below)) * place.fract()
}

/// The chart, where series were recorded.
pub(super) fn draw(doc: &Document, room: Room) -> Option<Canvas> {
    let all: Vec<&Series> = doc.observations.iter().map(|it| &it.series).filter(|it| it.at.len() > 1).collect();
    let at = all.iter().map(|series| &series.at).min_by_key(|at| at.len())?;
    let panels: [(&str, Color, Curve); 3] = [
        ("Queues that take reservations", BLUE, Curve::of(&all, |series| &series.queues)),
        ("Workers that are up", GREEN, Curve::of(&all, |series| &series.workers)),
        ("Tasks waiting", PURPLE, Curve::of(&all, |series| &series.backlog)),
    ];
    let width = room.width;
    let panel = room.high(3.0 * PANEL, FIRST + 2.0 * GAP + BELOW) / 3.0;
    let bottom = FIRST + 3.0 * panel + 2.0 * GAP;
    let axis = TimeAxis { left: EDGE + 48.0, right: width - EDGE - 90.0, end: *at.last()? };
    let mut canvas = Canvas::new(width, bottom + BELOW);
    let of = match all.len() {
        1 => "1 replication".to_string(),
        many => format!("{many} replications; lines are means, bands hold the middle 80 % of replications"),
    };
    canvas.titled(&title(at, &panels, all.len()), &page::origin(doc, &of));
    for (index, (name, color, curve)) in panels.iter().enumerate() {
        let top = FIRST + index as f64 * (panel + GAP);
        canvas.label(Label {
            x: axis.left,
            baseline: top - 8.0,
            text: (*name).into(),
            em: 13.0,
            bold: true,
            align: Align::Left,
            color: INK,
        });
        axis.grid(&mut canvas, top, top + panel);
        draw_curve(&mut canvas, &axis, at, curve, *color, (top, panel));
    }
    if doc.warm_up > Time::ZERO && doc.warm_up < axis.end {
        draw_warm_up(&mut canvas, axis.x(doc.warm_up), &axis, panel);
    }
    axis.labels(&mut canvas, bottom);
    Some(canvas)
}

fn title(at: &[Time], panels: &[(&str, Color, Curve); 3], replications: usize) -> String {
    let (backlog, point) = panels[2].2.peak();
    let (fewest, most) = range(&panels[1].2.mean);
    let workers = if fewest == most {
        format!("{most} worker{}", if most == "1" { "" } else { "s" })
    } else {
        format!("{fewest} to {most} workers")
    };
    if backlog == 0.0 {
        return format!("Nothing waited, with {workers} up");
    }
    // To the minute in a run of hours, otherwise to the second.
    let end = at.last().copied().unwrap_or_default();
    let grain = if end > Time::from_secs(3_600) { 60_000_000 } else { 1_000_000 };
    let when = number::clock(Time::from_micros(at[point].micros() / grain * grain));
    let tasks = if backlog >= 9.95 { format!("{backlog:.0}") } else { shown(backlog) };
    let mean = if replications > 1 { "On average at" } else { "At" };
    format!("{mean} most {tasks} tasks waited, at {when}, with {workers} up")
}

/// To one decimal: means of counts.
fn shown(value: f64) -> String {
    number::plain((value * 10.0).round() / 10.0)
}

fn range(values: &[f64]) -> (String, String) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    (shown(low.min(high)), shown(high))
}

/// A dotted line through all panels where statistics begin.
fn draw_warm_up(canvas: &mut Canvas, x: f64, axis: &TimeAxis, panel: f64) {
    for index in 0..3 {
        let top = FIRST + f64::from(index) * (panel + GAP);
        for dot in 0..22 {
            let y = top + f64::from(dot) * panel / 22.0;
            canvas.line((x, y), (x, y + 3.0), 1.0, MUTED);
        }
    }
    let x = x.clamp(axis.left + 250.0, axis.right - 230.0);
    canvas.text(x, FIRST - 8.0, "dotted: warm-up ends, statistics begin", 11.0, Align::Left, MUTED);
}

fn draw_curve(
    canvas: &mut Canvas,
    axis: &TimeAxis,
    at: &[Time],
    curve: &Curve,
    color: Color,
    (top, panel): (f64, f64),
) {
    let largest = curve.high.iter().chain(&curve.mean).copied().fold(0.0, f64::max);
    let (step, count) = value_ticks(largest);
    let limit = step * f64::from(count);
    let y = |value: f64| top + panel - panel * (value / limit).min(1.0);
    let line = |values: &[f64]| -> Vec<(f64, f64)> {
        at.iter().zip(values).map(|(at, value)| (axis.x(*at), y(*value))).collect()
    };
    let (low, high) = (line(&curve.low), line(&curve.high));
    // A polygon for each stretch where the band has a width.
    for stretch in
        (0..low.len()).collect::<Vec<_>>().chunk_by(|one, next| low[*one] != high[*one] || low[*next] != high[*next])
    {
        let (from, to) = (stretch[0], stretch[stretch.len() - 1]);
        if from < to {
            canvas.veil(high[from..=to].iter().chain(low[from..=to].iter().rev()).copied().collect(), color);
        }
    }
    for tick in 0..=count {
        let value = step * f64::from(tick);
        canvas.line((axis.left, y(value)), (axis.right, y(value)), 1.0, if tick == 0 { MUTED } else { GRID });
        canvas.text(axis.left - 8.0, y(value) + 4.0, &number::plain(value), 12.0, Align::Right, MUTED);
    }
    canvas.path(line(&curve.mean), 2.0, color);
    let last = curve.mean.last().copied().unwrap_or(0.0);
    let label = format!("{} at the end", shown(last));
    let baseline = (y(last) + 4.0).clamp(top + 4.0, top + panel + 4.0);
    canvas.text(axis.right + 6.0, baseline, &label, 12.0, Align::Left, INK);
}

/// A round step and how many of them reach the largest value: two to four.
fn value_ticks(largest: f64) -> (f64, u32) {
    let mut scale = 1.0;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            let step = scale * factor;
            if step * 4.0 >= largest {
                return (step, (largest / step).ceil().max(1.0) as u32);
            }
        }
        scale *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_their_neighbours() {
        assert_eq!(quantile(&[7], 0.9), 7.0);
        assert_eq!(quantile(&[0, 10], 0.1), 1.0);
        assert_eq!(quantile(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9), 9.0);
    }

    #[test]
    fn axes_have_round_steps_that_reach_the_largest_value() {
        for (largest, step, count) in [(0.0, 1.0, 1), (3.2, 1.0, 4), (8.0, 2.0, 4), (214.0, 100.0, 3), (9.0, 5.0, 2)] {
            assert_eq!(value_ticks(largest), (step, count), "{largest}");
        }
    }
}
