//! Recorded against simulated waits: every task of a replayed history is a point. On the diagonal both are equal.

use super::Room;
use super::canvas::{Align, Canvas, EDGE};
use super::page::{self, TOP};
use super::theme::{BLUE, GRID, INK, MUTED};
use crate::report::{Document, number};

/// The side of the square.
const SIDE: f64 = 580.0;
const BELOW: f64 = 60.0;
/// The table beside the square, or below it where the page is narrow.
const TABLE: f64 = 410.0;
/// Room for the ticks at its left.
const LEFT: f64 = EDGE + 70.0;
/// Waits below this are drawn here, seconds: a logarithm has no zero.
const LEAST: f64 = 0.001;

/// The chart, where a history was replayed and a task of it started.
pub(super) fn draw(doc: &Document, room: Room) -> Option<Canvas> {
    let replayed = doc.replayed.as_ref()?;
    let points: Vec<(f64, f64)> =
        replayed.fidelity.tasks.iter().filter_map(|it| Some((it.recorded.as_secs_f64(), it.simulated?))).collect();
    let all = || points.iter().flat_map(|(recorded, simulated)| [*recorded, *simulated]);
    let scale = Scale::over(all(), room.high(SIDE, TOP + BELOW))?;
    let width = room.width;
    let side = scale.side;
    let bottom = TOP + side;
    let beside = LEFT + side + 40.0 + TABLE + EDGE <= width;
    let corner = if beside { (LEFT + side + 40.0, TOP) } else { (LEFT, bottom + BELOW) };
    let rows = 80.0 + 24.0 * replayed.fidelity.comparisons.len() as f64;
    let mut canvas = Canvas::new(width, if beside { bottom + BELOW } else { corner.1 + rows });
    canvas.titled(&title(doc)?, &page::origin(doc, &number::counted(points.len() as u64, "task")));
    for decade in scale.decades() {
        let (x, y) = (LEFT + scale.along(decade), bottom - scale.along(decade));
        canvas.line((x, TOP), (x, bottom), 1.0, GRID);
        canvas.line((LEFT, y), (LEFT + side, y), 1.0, GRID);
        let text = format!("{} s", number::plain(decade));
        canvas.text(x, bottom + 18.0, &text, 12.0, Align::Center, MUTED);
        canvas.text(LEFT - 8.0, y + 4.0, &text, 12.0, Align::Right, MUTED);
    }
    canvas.line((LEFT, bottom), (LEFT + side, TOP), 1.5, INK);
    for (recorded, simulated) in &points {
        let (x, y) = (LEFT + scale.along(*recorded), bottom - scale.along(*simulated));
        canvas.rect(x - 2.0, y - 2.0, 4.0, 4.0, BLUE);
    }
    canvas.text(LEFT + side / 2.0, bottom + 42.0, "recorded wait", 13.0, Align::Center, INK);
    table(&mut canvas, doc, corner);
    Some(canvas)
}

fn title(doc: &Document) -> Option<String> {
    let mean = doc.replayed.as_ref()?.fidelity.comparisons.first()?;
    Some(format!(
        "Tasks waited {} s on average in the history, and {} s in its simulation",
        number::plain(mean.recorded),
        number::plain(mean.simulated)
    ))
}

/// The statistics in numbers.
fn table(canvas: &mut Canvas, doc: &Document, (left, top): (f64, f64)) {
    let Some(replayed) = &doc.replayed else { return };
    canvas.text(left, top + 14.0, "simulated wait (upwards): mean over seeds", 13.0, Align::Left, INK);
    for (column, text) in [(210.0, "recorded"), (320.0, "simulated"), (TABLE, "error")] {
        canvas.text(left + column, top + 54.0, text, 13.0, Align::Right, MUTED);
    }
    for (row, it) in replayed.fidelity.comparisons.iter().enumerate() {
        let y = top + 80.0 + 24.0 * row as f64;
        let error = it.error().map_or("-".to_owned(), |error| format!("{:+.1} %", error * 100.0));
        canvas.text(left, y, it.metric, 13.0, Align::Left, INK);
        canvas.text(left + 210.0, y, &format!("{} s", number::plain(it.recorded)), 13.0, Align::Right, INK);
        canvas.text(left + 320.0, y, &format!("{} s", number::plain(it.simulated)), 13.0, Align::Right, INK);
        canvas.text(left + TABLE, y, &error, 13.0, Align::Right, INK);
    }
}

/// A logarithmic scale over whole decades, from 0 to `side`.
struct Scale {
    side: f64,
    lowest: i32,
    highest: i32,
}

impl Scale {
    fn over(values: impl Iterator<Item = f64>, side: f64) -> Option<Scale> {
        let (low, high) = values
            .map(|it| it.max(LEAST))
            .fold((f64::INFINITY, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
        let lowest = low.is_finite().then(|| libm::log10(low).floor() as i32)?;
        Some(Scale { side, lowest, highest: (libm::log10(high).ceil() as i32).max(lowest + 1) })
    }
    fn decades(&self) -> impl Iterator<Item = f64> + use<> {
        (self.lowest..=self.highest).map(|exponent| libm::pow(10.0, f64::from(exponent)))
    }
    fn along(&self, value: f64) -> f64 {
        let decades = f64::from(self.highest - self.lowest);
        (libm::log10(value.max(LEAST)) - f64::from(self.lowest)) / decades * self.side
    }
}
