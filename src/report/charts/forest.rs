//! Forest of paired differences: every metric of every system against the baseline, in percent of the baseline's mean.

use super::Room;
use super::axis::Scale;
use super::canvas::{Align, Canvas, EDGE, Label};
use super::page;
use super::theme::{self, GRID, INK, MUTED};
use crate::experiment::compare::{Difference, Standing};
use crate::report::comparison::Comparison;
use crate::report::number;

const TOP: f64 = 96.0;
const ROW: f64 = 21.0;
const GAP: f64 = 9.0;
const NAMES: f64 = 275.0;
const WORDS: f64 = 250.0;
/// The title names so many systems, and counts more.
const NAMED: usize = 5;
/// More systems than this are too many rows for a picture: a sweep of one value has fewer, one of two has a heat map.
const MOST: usize = 24;
/// Changes beyond these, in percent, are cut: a tenfold rise would leave no room for anything else.
const CUT: (f64, f64) = (-100.0, 200.0);

/// A difference in percent of the baseline; `None` where that is zero or nothing differs.
fn relative(it: &Difference) -> Option<(f64, f64, f64)> {
    let scale = 100.0 / it.baseline_mean.abs();
    let (low, high) = it.paired.difference.ci?;
    (it.baseline_mean != 0.0).then_some((it.paired.difference.mean * scale, low * scale, high * scale))
}

/// The chart, where something differs.
pub(super) fn draw(comparison: &Comparison, Room { width, .. }: Room) -> Option<Canvas> {
    let measures = comparison.measures();
    let groups: Vec<_> = measures
        .iter()
        .map(|(metric, class)| {
            let of_system = |system| comparison.difference(system, metric.name, *class);
            let rows: Vec<_> = (0..comparison.cells.len())
                .filter_map(of_system)
                .filter(|it| it.baseline_mean != 0.0 || it.paired.difference.mean != 0.0)
                .collect();
            (comparison.column_name(metric, *class), rows)
        })
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    if groups.is_empty() || comparison.cells.len() > MOST {
        return None;
    }
    let rows: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    let bottom = TOP + rows as f64 * ROW + groups.len() as f64 * GAP;
    let mut canvas = Canvas::new(width, bottom + 54.0);
    canvas.titled(&title(comparison), &subtitle(comparison));
    let ends = groups.iter().flat_map(|(_, rows)| rows).filter_map(|it| relative(it));
    let values = ends.flat_map(|(_, low, high)| [low, high]).map(|it| it.clamp(CUT.0, CUT.1)).chain([0.0]);
    let axis = Scale::linear(values, EDGE + NAMES, width - EDGE - WORDS);
    axis.draw_below(&mut canvas, TOP, bottom, |tick| format!("{} %", number::plain(tick)));
    canvas.line((axis.at(0.0), TOP), (axis.at(0.0), bottom), 1.5, MUTED);
    let caption = format!("change against {}, in percent of its mean", comparison.baseline_name());
    canvas.text((axis.from + axis.to) / 2.0, bottom + 38.0, &caption, 12.0, Align::Center, MUTED);
    let mut y = TOP;
    for (name, rows) in &groups {
        canvas.label(Label {
            x: EDGE,
            baseline: y + GAP / 2.0 + ROW / 2.0 + 4.5,
            text: page::fitted(name, 13.0, true, NAMES - 110.0),
            em: 13.0,
            bold: true,
            align: Align::Left,
            color: INK,
        });
        for it in rows {
            draw_row(&mut canvas, comparison, it, &axis, y + GAP / 2.0 + ROW / 2.0);
            y += ROW;
        }
        y += GAP;
        canvas.line((EDGE, y), (width - EDGE, y), 1.0, GRID);
    }
    Some(canvas)
}

fn title(comparison: &Comparison) -> String {
    let one = |system: usize| {
        let count = |standing| {
            comparison.differences.iter().filter(|it| it.system == system && it.standing == standing).count()
        };
        let (better, worse) = (count(Standing::Better), count(Standing::Worse));
        format!("{}: better in {better}, worse in {worse}", comparison.cells[system].label)
    };
    let others = (0..comparison.cells.len()).filter(|system| *system != comparison.baseline);
    if comparison.cells.len() <= NAMED {
        return format!("Against {}: {}", comparison.baseline_name(), others.map(one).collect::<Vec<_>>().join("; "));
    }
    let with = |standing| {
        let is_so =
            |system: &usize| comparison.differences.iter().any(|it| it.system == *system && it.standing == standing);
        others.clone().filter(is_so).count()
    };
    let (of, name) = (comparison.cells.len() - 1, comparison.baseline_name());
    let (better, worse) = (with(Standing::Better), with(Standing::Worse));
    format!("Of {of} systems, {better} are better than {name} in a metric, and {worse} are worse in one")
}

fn subtitle(comparison: &Comparison) -> String {
    format!(
        "{}, seed {}, {} each under common random numbers; points are mean differences, lines {} intervals of the pairs; \
         verdicts are stricter (Holm: many comparisons)",
        comparison.scenario,
        comparison.seed,
        number::counted(u64::from(comparison.replications), "replication"),
        number::percent(comparison.confidence)
    )
}

fn draw_row(canvas: &mut Canvas, comparison: &Comparison, it: &Difference, axis: &Scale, y: f64) {
    let color = theme::nth(it.system);
    let name = page::fitted(&comparison.cells[it.system].label, 12.0, false, 100.0);
    canvas.text(axis.from - 10.0, y + 4.5, &name, 12.0, Align::Right, MUTED);
    if let Some((mean, low, high)) = relative(it) {
        canvas.line((axis.at(low), y), (axis.at(high), y), 3.0, color);
        let x = axis.at(mean);
        if mean > axis.high || mean < axis.low {
            let tip = if mean > axis.high { 7.0 } else { -7.0 };
            canvas.polygon(vec![(x - tip, y - 5.0), (x - tip, y + 5.0), (x + tip / 2.0, y)], color);
        } else {
            canvas.rect(x - 4.0, y - 4.0, 8.0, 8.0, color);
        }
    }
    let shown = |value: f64| number::in_unit(value, it.metric.unit);
    let unit = number::unit_sign(it.metric.unit);
    let from_to =
        format!("{} → {} {unit}", shown(it.baseline_mean), shown(it.baseline_mean + it.paired.difference.mean));
    canvas.text(axis.to + 16.0, y + 4.5, from_to.trim_end(), 12.0, Align::Left, INK);
    let (word, bold) = (it.standing.name(), it.standing != Standing::Inconclusive);
    let color = if bold { INK } else { MUTED };
    canvas.label(Label {
        x: canvas.width() - EDGE,
        baseline: y + 4.5,
        text: word.to_owned(),
        em: 12.0,
        bold,
        align: Align::Right,
        color,
    });
}
