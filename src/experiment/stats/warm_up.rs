//! Whether the beginning that is left out of the statistics is long enough.
//!
//! The number of waiting tasks over time is averaged over the replications (Welch) and truncated where the standard error
//! of what is left is smallest (MSER-5: White, "An effective truncation heuristic for bias reduction in simulation
//! output", 1997). Where that lies beyond the chosen warm-up, the stretch between must also differ from the rest in the
//! same direction in the replications, and by enough to matter: noise alone is no reason to warn.

use super::paired::Paired;
use crate::base::Time;
use crate::observe::Series;

/// Points that are averaged before they are truncated: the 5 of MSER-5.
const BATCH: usize = 5;
/// How sure the Welch check is before it warns.
const CONFIDENCE: f64 = 0.999;
/// A beginning that moves the mean by less than this part of it does not matter.
const BIAS: f64 = 0.01;

/// The warm-up that the series of the replications ask for, where `chosen` is too short; `None` where it will do, or
/// where there are too few replications or points to tell.
pub fn missing_warm_up(series: &[&Series], chosen: Time) -> Option<Time> {
    let at = &series.first()?.at;
    if series.len() < 2 || series.iter().any(|one| one.at.len() != at.len() || one.backlog.len() != at.len()) {
        return None;
    }
    let mean = |point: usize| series.iter().map(|one| f64::from(one.backlog[point])).sum::<f64>() / series.len() as f64;
    let averaged: Vec<f64> = (0..at.len()).map(mean).collect();
    let cut = mser5(&averaged)?;
    let begin = at.iter().position(|instant| *instant >= chosen)?;
    if cut <= begin {
        return None;
    }
    let part = |one: &Series, from: usize, to: usize| {
        one.backlog[from..to].iter().copied().map(f64::from).sum::<f64>() / (to - from) as f64
    };
    let pairs: Vec<(f64, f64)> = series.iter().map(|one| (part(one, begin, cut), part(one, cut, at.len()))).collect();
    let welch = Paired::of(&pairs, CONFIDENCE)?;
    let share = (cut - begin) as f64 / (at.len() - begin) as f64;
    let rest = pairs.iter().map(|(_, rest)| rest).sum::<f64>() / pairs.len() as f64;
    let matters = welch.difference.mean.abs() * share > BIAS * rest;
    (welch.p <= 1.0 - CONFIDENCE && matters).then(|| at[cut])
}

/// The number of leading values to leave out: a multiple of 5, from the first half; `None` for fewer than 10 batches.
pub fn mser5(values: &[f64]) -> Option<usize> {
    let batches: Vec<f64> = values.chunks_exact(BATCH).map(|batch| batch.iter().sum::<f64>() / BATCH as f64).collect();
    if batches.len() < 10 {
        return None;
    }
    // From the end: sums of what is left, so that each cut costs one step.
    let (mut count, mut sum, mut squares) = (0.0, 0.0, 0.0);
    let mut best = (f64::INFINITY, 0);
    for (cut, value) in batches.iter().enumerate().rev() {
        count += 1.0;
        sum += value;
        squares += value * value;
        let statistic = (squares - sum * sum / count).max(0.0) / (count * count);
        if cut <= batches.len() / 2 && statistic <= best.0 {
            best = (statistic, cut);
        }
    }
    Some(best.1 * BATCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Streams;

    /// Noise around 20, after a rise from 0 that ends at point `rise`.
    fn series(replication: u64, rise: usize) -> Series {
        let mut stream = Streams::new(1, replication).open(0, 0, 0);
        let level = |point: usize| if point < rise { 20.0 * point as f64 / rise as f64 } else { 20.0 };
        Series {
            at: (0..=240).map(|point| Time::from_secs(60 * point)).collect(),
            backlog: (0..=240).map(|point| (level(point) + 6.0 * stream.unit()) as u32).collect(),
            ..Series::default()
        }
    }

    fn missing(rise: usize, chosen: u64) -> Option<u64> {
        let all: Vec<Series> = (0..12).map(|replication| series(replication, rise)).collect();
        missing_warm_up(&all.iter().collect::<Vec<_>>(), Time::from_secs(60 * chosen))
            .map(|at| at.micros() / 60_000_000)
    }

    #[test]
    fn a_rise_that_is_not_left_out_is_found_and_one_that_is_left_out_is_fine() {
        let found = missing(60, 0).expect("the rise is long");
        assert!((45..=75).contains(&found), "{found}");
        assert_eq!(missing(60, 80), None);
        assert_eq!(missing(0, 0), None, "nothing but noise");
        assert_eq!(missing(2, 0), None, "too short to matter");
    }

    #[test]
    fn truncation_is_where_the_rest_is_flat() {
        let values: Vec<f64> = (0..100).map(|point| if point < 20 { 0.0 } else { 7.0 }).collect();
        assert_eq!(mser5(&values), Some(20));
        assert_eq!(mser5(&values[..40]), None, "too few to tell");
    }
}
