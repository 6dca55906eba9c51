//! Bars on lanes: which lane a life gets, and how thousands of bars stay readable on a thousand points.

use std::collections::BTreeMap;

use super::canvas::{Align, Canvas};
use super::page::{self, Sign};
use super::theme::{self, INK, WHITE};
use crate::base::Time;

/// Gives every interval the lowest lane that is free by then; intervals must be in order of their beginning.
pub(in crate::report) fn pack(intervals: impl Iterator<Item = (Time, Time)>) -> Vec<usize> {
    let mut free_from: Vec<Time> = Vec::new();
    let place = |(from, to): (Time, Time)| match free_from.iter().position(|free| *free <= from) {
        Some(lane) => {
            free_from[lane] = to;
            lane
        }
        None => {
            free_from.push(to);
            free_from.len() - 1
        }
    };
    intervals.map(place).collect()
}

/// A stretch of a lane in one colour.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Run<K> {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) key: K,
    /// How much of it is covered, in quarters; 4 is more than half.
    pub(super) quarters: u8,
    /// Whether it may grow by its like: what is wide enough to be seen stands for itself.
    narrow: bool,
}

/// Bars at least this wide are drawn as they are.
const WIDE: f64 = 10.0;
/// Bars too narrow to be seen are gathered in cells of this width, coloured by whatever took most of the cell, and
/// the paler the less of it was taken.
const CELL: f64 = 2.0;

/// Turns bars (from, to, key; in order, on the page's scale) into stretches that can be seen.
pub(super) fn runs<K: Copy + Ord>(bars: impl Iterator<Item = (f64, f64, K)>) -> Vec<Run<K>> {
    let mut runs: Vec<Run<K>> = Vec::new();
    let mut cell: Vec<(f64, f64, K)> = Vec::new();
    for bar in bars {
        let tiny = bar.1 - bar.0 < CELL;
        let same_cell = cell.first().is_some_and(|first| (first.0 / CELL).floor() == (bar.0 / CELL).floor());
        if !tiny || !same_cell {
            gather(&mut runs, &mut cell);
        }
        if tiny {
            cell.push(bar);
        } else {
            join(&mut runs, Run { from: bar.0, to: bar.1, key: bar.2, quarters: 4, narrow: bar.1 - bar.0 < WIDE });
        }
    }
    gather(&mut runs, &mut cell);
    runs
}

/// Empties a cell into one stretch.
fn gather<K: Copy + Ord>(runs: &mut Vec<Run<K>>, cell: &mut Vec<(f64, f64, K)>) {
    let (Some(first), Some(last)) = (cell.first().copied(), cell.last().copied()) else { return };
    if cell.len() == 1 {
        cell.clear();
        let to = first.1.max(first.0 + 1.0);
        return join(runs, Run { from: first.0, to, key: first.2, quarters: 4, narrow: true });
    }
    let mut taken: BTreeMap<K, f64> = BTreeMap::new();
    for (from, to, key) in cell.drain(..) {
        *taken.entry(key).or_default() += to - from;
    }
    let total: f64 = taken.values().sum();
    let most = taken.into_iter().fold((first.2, -1.0), |best, it| if it.1 > best.1 { it } else { best });
    let from = (first.0 / CELL).floor() * CELL;
    let to = last.1.max(from + CELL);
    let share = total / (to - from);
    let quarters = if share > 0.5 { 4 } else { (4.0 * share).ceil().max(1.0) as u8 };
    join(runs, Run { from, to, key: most.0, quarters, narrow: true });
}

/// Appends a stretch, or lets the last one grow by it.
fn join<K: Copy + Ord>(runs: &mut Vec<Run<K>>, mut run: Run<K>) {
    if let Some(last) = runs.last_mut() {
        let alike = last.key == run.key && last.quarters == run.quarters;
        if last.narrow && run.narrow && alike && run.from - last.to < 1.0 {
            last.to = last.to.max(run.to);
            return;
        }
        run.from = run.from.max(last.to.min(run.to - 0.5));
    }
    runs.push(run);
}

/// Draws stretches, each with its name inside where there is room and none of the `marks` (their x) will lie on it.
pub(super) fn draw<K: Copy + Ord>(
    canvas: &mut Canvas,
    runs: &[Run<K>],
    (y, height): (f64, f64),
    marks: &[f64],
    look: impl Fn(K) -> (Sign, String),
) {
    for run in runs {
        let (sign, name) = look(run.key);
        let sign = match sign {
            Sign::Box(color) => Sign::Box(color.tint(0.25 + 0.1875 * f64::from(run.quarters))),
            Sign::Outlined
            | Sign::Hatched(_)
            | Sign::Cross
            | Sign::Square
            | Sign::Triangle
            | Sign::Diamond
            | Sign::Stroke
            | Sign::End => sign,
        };
        // A white rim parts neighbours that are wide enough to be told apart.
        let rim = if run.narrow { 0.0 } else { 0.5 };
        page::fill(canvas, sign, (run.from + rim, y), (run.to - run.from - rim).max(0.5), height);
        let em = (height - 3.0).clamp(7.0, 11.0);
        let middle = (run.from + run.to) / 2.0;
        let reach = theme::text_width(&name, em, false) / 2.0 + 7.0;
        let hidden = || marks.iter().any(|x| (x - middle).abs() < reach);
        if height >= 10.0 && page::text_fits(&name, em, run.to - run.from) && !hidden() {
            let ink = match sign {
                Sign::Box(color) => color.text_on(),
                Sign::Hatched(_) => INK,
                Sign::Outlined => INK,
                Sign::Cross | Sign::Square | Sign::Triangle | Sign::Diamond | Sign::Stroke | Sign::End => WHITE,
            };
            canvas.text(middle, y + height / 2.0 + 0.36 * em, &name, em, Align::Center, ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_used_again_when_it_is_free() {
        let at = Time::from_secs;
        let lives = [(0, 10), (0, 5), (5, 20), (6, 8), (10, 12)];
        assert_eq!(pack(lives.into_iter().map(|(from, to)| (at(from), at(to)))), [0, 1, 1, 2, 0]);
    }

    #[test]
    fn wide_bars_stand_for_themselves_and_narrow_ones_of_a_queue_grow_together() {
        let bars = [(0.0, 10.0, 'a'), (10.0, 20.0, 'a'), (20.0, 23.0, 'b'), (23.2, 26.0, 'b'), (30.0, 33.0, 'b')];
        let spans: Vec<_> = runs(bars.into_iter()).iter().map(|run| (run.from, run.to)).collect();
        assert_eq!(spans, [(0.0, 10.0), (10.0, 20.0), (20.0, 26.0), (30.0, 33.0)]);
    }

    #[test]
    fn a_hundred_thousand_bars_become_few_and_those_with_gaps_become_pale() {
        let dense =
            |share: f64| (0..100_000).map(move |n| (f64::from(n) * 0.01, f64::from(n) * 0.01 + share * 0.01, n % 7));
        assert!(runs(dense(1.0)).len() <= 501);
        assert!(runs(dense(1.0)).iter().all(|run| run.quarters == 4));
        assert!(runs(dense(0.2)).iter().all(|run| run.quarters == 1));
    }
}
