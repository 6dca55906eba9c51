//! How many tasks wait longer than so long: the tail of the wait per system, mean over replications.

use super::Room;
use super::axis::{Scale, seconds};
use super::canvas::{Align, Canvas, EDGE};
use super::page;
use super::theme::{self, INK, MUTED};
use crate::observe::{Observation, WAIT_SHARES};
use crate::report::comparison::Comparison;
use crate::report::number;

const TOP: f64 = 96.0;
const HEIGHT: f64 = 420.0;
const BELOW: f64 = 54.0;
/// At most so many curves can be told apart.
const CURVES: usize = 12;

/// A system's curve: wait in seconds, share of tasks that wait longer.
type Curve = Vec<(f64, f64)>;

fn curve(observations: &[Observation]) -> Curve {
    let all: Vec<&Vec<f64>> = observations.iter().map(|it| &it.wait_quantiles).filter(|it| !it.is_empty()).collect();
    let size = observations.iter().filter_map(|it| it.sample_sizes.get(&("wait", None))).min().copied().unwrap_or(0);
    let point = |(index, share): (usize, &f64)| {
        // Beyond this the sample holds no bound on the quantile (see `experiment::stats`).
        let is_known = libm::pow(*share, size as f64) <= 0.05;
        let mean = all.iter().map(|quantiles| quantiles[index]).sum::<f64>() / all.len() as f64;
        (is_known && mean > 0.0).then_some((mean, 1.0 - share))
    };
    WAIT_SHARES.iter().enumerate().filter_map(point).collect()
}

/// The chart, where tasks waited.
pub(super) fn draw(comparison: &Comparison, room: Room) -> Option<Canvas> {
    let curves: Vec<(usize, Curve)> = comparison
        .cells
        .iter()
        .enumerate()
        .take(CURVES)
        .map(|(index, cell)| (index, curve(&cell.document.observations)))
        .filter(|(_, curve)| curve.len() > 2)
        .collect();
    if curves.is_empty() {
        return None;
    }
    let width = room.width;
    let bottom = TOP + room.high(HEIGHT, TOP + BELOW);
    let mut canvas = Canvas::new(width, bottom + BELOW);
    let points = || curves.iter().flat_map(|(_, curve)| curve);
    let x = Scale::log(points().map(|it| it.0), EDGE + 70.0, width - EDGE - 190.0);
    let y = Scale::log(points().map(|it| it.1).chain([1.0]), bottom, TOP);
    canvas.titled(&title(comparison, &curves), &subtitle(comparison, &curves));
    x.draw_below(&mut canvas, TOP, bottom, seconds);
    y.draw_left(&mut canvas, x.from, x.to, number::percent);
    canvas.text((x.from + x.to) / 2.0, bottom + 40.0, "wait longer than", 12.0, Align::Center, MUTED);
    canvas.text(EDGE, TOP - 10.0, "share of tasks", 12.0, Align::Left, MUTED);
    let mut labels: Vec<(f64, usize)> = Vec::new();
    for (index, curve) in &curves {
        let path: Vec<_> = curve.iter().map(|(wait, share)| (x.at(*wait), y.at(*share))).collect();
        let (end, _) = path[path.len() - 1];
        canvas.path(path, 2.5, theme::nth(*index));
        labels.push((end, *index));
    }
    draw_names(&mut canvas, comparison, labels, x.to);
    Some(canvas)
}

/// Names in the order in which the curves end, the longest wait first, beside the picture.
fn draw_names(canvas: &mut Canvas, comparison: &Comparison, mut ends: Vec<(f64, usize)>, right: f64) {
    ends.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (row, (_, index)) in ends.into_iter().enumerate() {
        let y = TOP + 12.0 + row as f64 * 24.0;
        canvas.rect(right + 16.0, y - 5.0, 18.0, 5.0, theme::nth(index));
        let name = page::fitted(&comparison.cells[index].label, 13.0, false, canvas.width() - EDGE - right - 44.0);
        canvas.text(right + 42.0, y + 2.5, &name, 13.0, Align::Left, INK);
    }
}

fn title(comparison: &Comparison, curves: &[(usize, Curve)]) -> String {
    let tail = |index: usize| comparison.cells[index].document.estimate("wait.p99").map(|it| it.mean);
    let known: Vec<(usize, f64)> = curves.iter().filter_map(|(index, _)| Some((*index, tail(*index)?))).collect();
    let name = |index: usize| comparison.cells[index].label.as_str();
    let best = known.iter().min_by(|a, b| a.1.total_cmp(&b.1));
    let worst = known.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    match (best, worst) {
        (Some(best), Some(worst)) if best.0 != worst.0 => format!(
            "One task in a hundred waits longer than {} under {}, and than {} under {}",
            seconds(best.1),
            name(best.0),
            seconds(worst.1),
            name(worst.0)
        ),
        _ => "How many tasks wait longer than so long".to_owned(),
    }
}

fn subtitle(comparison: &Comparison, curves: &[(usize, Curve)]) -> String {
    let of = number::counted(u64::from(comparison.replications), "replication");
    let count = comparison.cells.len();
    let shown = if count > CURVES { format!("; the first {CURVES} of {count}") } else { String::new() };
    // No logarithm shows a wait of nothing, and no quantile below the first is kept.
    let is_first = |(_, curve): &(usize, Curve)| curve[0].1 >= 1.0 - WAIT_SHARES[0];
    let begins = if curves.iter().all(is_first) {
        format!("the {} that waited least are left out", number::percent(WAIT_SHARES[0]))
    } else {
        "a curve begins with the tasks that waited at all".to_owned()
    };
    format!("{}, seed {}; quantiles are means over {of}; {begins}{shown}", comparison.scenario, comparison.seed)
}
