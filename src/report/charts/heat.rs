//! Heat maps over two numbers that were varied: wait, avoidable idle time, churn and breaches, cell by cell.

use serde_json::Value;

use super::Room;
use super::canvas::{Align, Canvas, EDGE, Label};
use super::page::fitted;
use super::theme::{self, BLUE, Color, GREEN, INK, MUTED, ORANGE, PURPLE, WRONG};
use crate::report::comparison::{Cell, Comparison};
use crate::report::number;

const TOP: f64 = 112.0;
const PANEL: f64 = 300.0;
const LEFT: f64 = 52.0;
const BELOW: f64 = 84.0;
/// Between maps beside each other.
const APART: f64 = 40.0;

/// Where a map's cells are drawn.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Frame {
    /// Left and top of a cell. Rows grow upwards, as on any chart.
    fn corner(self, column: usize, row: usize, (w, h): (f64, f64)) -> (f64, f64) {
        (self.left + column as f64 * w, self.top + self.height - (row + 1) as f64 * h)
    }
}

/// What one map shows.
struct Map {
    title: &'static str,
    color: Color,
    value: fn(&Cell) -> Option<f64>,
    text: fn(f64) -> String,
}

const MAPS: [Map; 4] = [
    Map { title: "mean wait, s", color: BLUE, value: |cell| mean(cell, "wait.mean"), text: number::plain },
    Map {
        title: "idle beside runnable work, %",
        color: ORANGE,
        value: |cell| mean(cell, "worker.idle_avoidable"),
        text: |share| number::percent(share).trim_end_matches(" %").to_owned(),
    },
    Map { title: "queue churn per hour", color: PURPLE, value: |cell| mean(cell, "queue.churn"), text: number::plain },
    Map {
        title: "breaches of any property",
        color: WRONG,
        value: |cell| Some(cell.breaches() as f64),
        text: number::plain,
    },
];

fn mean(cell: &Cell, metric: &'static str) -> Option<f64> {
    cell.document.estimate(metric).map(|it| it.mean)
}

/// The two numbers that span the maps, and the cells that differ from the best one in nothing else.
struct Plane<'a> {
    x: String,
    y: String,
    xs: Vec<f64>,
    ys: Vec<f64>,
    cells: Vec<(usize, usize, &'a Cell)>,
    best: (usize, usize),
    is_slice: bool,
}

impl<'a> Plane<'a> {
    fn of(comparison: &'a Comparison) -> Option<Plane<'a>> {
        let best = comparison.cells.get(comparison.baseline)?;
        let values = |path: &str| -> Option<Vec<f64>> {
            let mut values: Vec<f64> =
                comparison.cells.iter().map(|cell| value_of(cell, path)?.as_f64()).collect::<Option<_>>()?;
            values.sort_by(f64::total_cmp);
            values.dedup();
            (values.len() > 1).then_some(values)
        };
        let mut axes = best.parameters.iter().filter_map(|(path, _)| Some((path.clone(), values(path)?)));
        let ((y, ys), (x, xs)) = (axes.next()?, axes.next()?);
        let is_in = |cell: &&Cell| {
            cell.parameters.iter().all(|(path, value)| *path == x || *path == y || value_of(best, path) == Some(value))
        };
        let place = |cell: &'a Cell| {
            let at = |path: &str, values: &[f64]| {
                let value = value_of(cell, path)?.as_f64()?;
                values.iter().position(|it| *it == value)
            };
            Some((at(&x, &xs)?, at(&y, &ys)?, cell))
        };
        let cells: Vec<_> = comparison.cells.iter().filter(is_in).filter_map(place).collect();
        let (column, row, _) = place(best)?;
        let is_slice = cells.len() < comparison.cells.len();
        Some(Plane { best: (column, row), is_slice, cells, x, y, xs, ys })
    }
}

fn value_of<'a>(cell: &'a Cell, path: &str) -> Option<&'a Value> {
    cell.parameters.iter().find(|(known, _)| known == path).map(|(_, value)| value)
}

fn short(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The chart, where two numbers were varied.
pub(super) fn draw(comparison: &Comparison, room: Room) -> Option<Canvas> {
    let plane = Plane::of(comparison)?;
    let no_breach = comparison.cells.iter().all(|cell| cell.breaches() == 0);
    // A slide is low and wide: all maps in one row, without one that is empty.
    let in_a_row = room.height.is_finite();
    let maps = if in_a_row && no_breach { &MAPS[..3] } else { &MAPS[..] };
    let columns = if in_a_row { maps.len() } else { 2 };
    let height = room.high(PANEL, TOP + BELOW);
    let rows = maps.len().div_ceil(columns);
    let mut canvas = Canvas::new(room.width, TOP + rows as f64 * (height + BELOW) + 4.0);
    let title = comparison.answer.first().cloned().unwrap_or_else(|| "No cell can be ranked".to_owned());
    let slice = if plane.is_slice { "; everything else as in the best cell" } else { "" };
    let breaches = if no_breach { "; no property was breached in any cell" } else { "" };
    let subtitle = format!(
        "{}, {} cells, seed {}, {} each; outlined: best mean wait{slice}{breaches}",
        comparison.scenario,
        comparison.cells.len(),
        comparison.seed,
        number::counted(u64::from(comparison.replications), "replication")
    );
    canvas.titled(&title, &subtitle);
    let width = (room.width - 2.0 * EDGE + APART) / columns as f64 - APART;
    for (index, map) in maps.iter().enumerate() {
        let left = EDGE + (index % columns) as f64 * (width + APART) + LEFT;
        let top = TOP + (index / columns) as f64 * (height + BELOW);
        draw_map(&mut canvas, &plane, map, Frame { left, top, width: width - LEFT, height });
    }
    Some(canvas)
}

fn draw_map(canvas: &mut Canvas, plane: &Plane<'_>, map: &Map, frame: Frame) {
    let title = Label {
        x: frame.left,
        baseline: frame.top - 10.0,
        text: fitted(map.title, 13.0, true, frame.width + APART / 2.0),
        em: 13.0,
        bold: true,
        align: Align::Left,
        color: INK,
    };
    canvas.label(title);
    let (w, h) = (frame.width / plane.xs.len() as f64, frame.height / plane.ys.len() as f64);
    let values: Vec<f64> = plane.cells.iter().filter_map(|(_, _, cell)| (map.value)(cell)).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let texts: Vec<String> = values.iter().map(|value| (map.text)(*value)).collect();
    let fit = |em: &f64| texts.iter().all(|text| theme::text_width(text, *em, false) + 2.0 <= w) && h >= 14.0;
    // All values or none: a few among many would look like the only ones.
    let em = [11.0, 10.0, 9.0, 8.0].into_iter().find(fit);
    for (column, row, cell) in &plane.cells {
        let Some(value) = (map.value)(cell) else { continue };
        let share = if high > low { (value - low) / (high - low) } else { 0.0 };
        // By the root: waits range over decades, and the small ones are what is decided on.
        let color = map.color.tint(0.06 + 0.94 * share.max(0.0).sqrt());
        let (x, y) = frame.corner(*column, *row, (w, h));
        canvas.rect(x + 0.5, y + 0.5, w - 1.0, h - 1.0, color);
        if let Some(em) = em {
            canvas.text(x + w / 2.0, y + h / 2.0 + 4.0, &(map.text)(value), em, Align::Center, color.text_on());
        }
    }
    let (x, y) = frame.corner(plane.best.0, plane.best.1, (w, h));
    canvas.outline(x + 1.0, y + 1.0, w - 2.0, h - 2.0, 2.5, GREEN);
    draw_axes(canvas, plane, frame, (w, h));
}

fn draw_axes(canvas: &mut Canvas, plane: &Plane<'_>, frame: Frame, (w, h): (f64, f64)) {
    let bottom = frame.top + frame.height;
    let mut free = f64::NEG_INFINITY;
    for (column, value) in plane.xs.iter().enumerate() {
        let (x, text) = (frame.left + (column as f64 + 0.5) * w, number::plain(*value));
        let half = theme::text_width(&text, 11.0, false) / 2.0 + 3.0;
        if x - half > free {
            canvas.text(x, bottom + 15.0, &text, 11.0, Align::Center, MUTED);
            free = x + half;
        }
    }
    let mut free = f64::INFINITY;
    for (row, value) in plane.ys.iter().enumerate() {
        let y = bottom - (row as f64 + 0.5) * h;
        if y + 8.0 < free {
            canvas.text(frame.left - 6.0, y + 4.0, &number::plain(*value), 11.0, Align::Right, MUTED);
            free = y - 8.0;
        }
    }
    let (x, y) = (short(&plane.x), short(&plane.y));
    let caption =
        if frame.width > 240.0 { format!("{x} to the right, {y} upwards") } else { format!("{x} →, {y} up") };
    let caption = fitted(&caption, 12.0, false, frame.width + APART / 2.0);
    canvas.text(frame.left, bottom + 34.0, &caption, 12.0, Align::Left, MUTED);
}
