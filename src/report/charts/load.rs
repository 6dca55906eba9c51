//! Mean wait against load, beside the curve of M/M/c: as many workers behind one queue, everything exponential.

use super::Room;
use super::axis::{Scale, seconds};
use super::canvas::{Align, Canvas, EDGE};
use super::theme::{self, BLUE, MUTED, ORANGE, WHITE};
use crate::experiment::theory::wait_mmc;
use crate::report::comparison::{Cell, Comparison};
use crate::report::number;

const TOP: f64 = 104.0;
const HEIGHT: f64 = 430.0;
const BELOW: f64 = 58.0;
const STEPS: u32 = 200;

struct Point {
    load: f64,
    wait: f64,
    ci: Option<(f64, f64)>,
}

/// Paths whose values change the load that is offered.
const OFFERS: [&str; 2] = ["workload", "resources"];

/// The chart, where the load was varied for one size of fleet.
pub(super) fn draw(comparison: &Comparison, room: Room) -> Option<Canvas> {
    let offers = |path: &str| OFFERS.iter().any(|it| path.starts_with(it));
    if !comparison.cells.iter().flat_map(|cell| &cell.parameters).any(|(path, _)| offers(path)) {
        return None;
    }
    let mean = |cell: &Cell, metric| cell.document.estimate(metric).map(|it| it.mean);
    let workers: Vec<f64> = comparison.cells.iter().filter_map(|cell| mean(cell, "workers.mean")).collect();
    let fleet = *workers.first()?;
    let busy = |cell: &Cell| mean(cell, "worker.utilisation");
    let mut points: Vec<Point> = comparison
        .cells
        .iter()
        .filter_map(|cell| {
            let wait = cell.document.estimate("wait.mean")?;
            Some(Point { load: busy(cell)?, wait: wait.mean, ci: wait.ci })
        })
        .collect();
    points.sort_by(|a, b| a.load.total_cmp(&b.load));
    let is_one_fleet = workers.iter().all(|it| (it / fleet - 1.0).abs() < 0.02);
    let (first, last) = (points.first()?.load, points.last()?.load);
    if points.len() < 3 || !is_one_fleet || last - first < 0.2 || fleet < 0.5 {
        return None;
    }
    // The mean demand, by Little's law for the busy workers.
    let service = comparison
        .cells
        .iter()
        .find_map(|cell| Some(busy(cell)? * mean(cell, "workers.mean")? / mean(cell, "throughput")?))?;
    let count = fleet.round() as u32;
    let curve: Vec<(f64, f64)> = (1..STEPS)
        .map(|step| f64::from(step) / f64::from(STEPS))
        .filter(|load| *load <= (last + 0.03).min(0.99))
        .map(|load| (load, service * wait_mmc(count, load)))
        .collect();
    Some(picture(comparison, &points, &curve, count, room))
}

fn picture(comparison: &Comparison, points: &[Point], curve: &[(f64, f64)], workers: u32, room: Room) -> Canvas {
    let width = room.width;
    let bottom = TOP + room.high(HEIGHT, TOP + BELOW);
    let mut canvas = Canvas::new(width, bottom + BELOW);
    let x = Scale::linear([0.0, 1.0], EDGE + 70.0, width - EDGE - 150.0);
    let highest = points.iter().map(|it| it.ci.map_or(it.wait, |ci| ci.1)).fold(0.0, f64::max);
    let y = Scale::linear([0.0, highest], bottom, TOP);
    let heaviest = &points[points.len() - 1];
    let title = format!("At {} busy, tasks wait {} on average", number::percent(heaviest.load), seconds(heaviest.wait));
    let of = number::counted(u64::from(comparison.replications), "replication");
    let subtitle = format!(
        "{}, seed {}, {of} each; orange: M/M/{workers}, what {workers} workers behind one queue would do with exponential demands",
        comparison.scenario, comparison.seed
    );
    canvas.titled(&title, &subtitle);
    x.draw_below(&mut canvas, TOP, bottom, number::percent);
    y.draw_left(&mut canvas, x.from, x.to, seconds);
    canvas.text((x.from + x.to) / 2.0, bottom + 42.0, "worker time busy", 12.0, Align::Center, MUTED);
    canvas.text(EDGE, TOP - 12.0, "mean wait", 12.0, Align::Left, MUTED);
    let line: Vec<_> = curve.iter().filter(|it| it.1 <= y.high).map(|it| (x.at(it.0), y.at(it.1))).collect();
    if let Some(end) = line.last().copied() {
        canvas.path(line, 2.5, ORANGE);
        canvas.text(end.0 + 8.0, end.1.max(TOP + 10.0), &format!("M/M/{workers}"), 12.0, Align::Left, theme::INK);
    }
    for point in points {
        let (px, py) = (x.at(point.load), y.at(point.wait));
        if let Some((low, high)) = point.ci {
            canvas.line((px, y.at(low)), (px, y.at(high)), 2.0, BLUE);
        }
        canvas.rect(px - 5.0, py - 5.0, 10.0, 10.0, WHITE);
        canvas.rect(px - 4.0, py - 4.0, 8.0, 8.0, BLUE);
    }
    canvas
}
