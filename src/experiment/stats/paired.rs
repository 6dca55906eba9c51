//! Two systems under the same chance: differences replication by replication, and verdicts that stay honest when many
//! are drawn at once.

use super::beta::two_sided_p;
use super::{Estimate, standard_error};

/// The difference of two systems over paired replications.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Paired {
    /// Other minus baseline: mean and Student's t interval over the pairs.
    pub difference: Estimate,
    /// The correlation of the pairs that common random numbers achieved; `None` where one side never varies.
    pub correlation: Option<f64>,
    /// The chance of a difference at least as large if there were none; 1 where all pairs are equal.
    pub p: f64,
}

impl Paired {
    /// Of (baseline, other) pairs; `None` for fewer than two.
    pub fn of(pairs: &[(f64, f64)], confidence: f64) -> Option<Paired> {
        if pairs.len() < 2 {
            return None;
        }
        let differences: Vec<f64> = pairs.iter().map(|(baseline, other)| other - baseline).collect();
        let difference = Estimate::of(&differences, confidence)?;
        let p = match (difference.mean, standard_error(&differences, difference.mean)) {
            (0.0, _) => 1.0,
            (_, 0.0) => 0.0,
            (mean, error) => two_sided_p(mean / error, difference.n - 1),
        };
        Some(Paired { difference, correlation: correlation(pairs), p })
    }
}

/// Pearson's correlation.
fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let n = pairs.len() as f64;
    let mean = |side: fn(&(f64, f64)) -> f64| pairs.iter().map(side).sum::<f64>() / n;
    let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let product = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let xx = product(&|pair| (pair.0 - x) * (pair.0 - x));
    let yy = product(&|pair| (pair.1 - y) * (pair.1 - y));
    let xy = product(&|pair| (pair.0 - x) * (pair.1 - y));
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

/// Holm's adjustment of the chances of a family of tests, in their order: rejecting where the adjusted one is at most
/// alpha keeps the chance of any false rejection at alpha.
pub fn holm(chances: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..chances.len()).collect();
    order.sort_by(|a, b| chances[*a].total_cmp(&chances[*b]).then(a.cmp(b)));
    let mut adjusted = vec![1.0; chances.len()];
    let mut largest = 0.0_f64;
    for (rank, index) in order.into_iter().enumerate() {
        let factor = (chances.len() - rank) as f64;
        largest = largest.max((chances[index] * factor).min(1.0));
        adjusted[index] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sample_computed_by_hand() {
        // Differences 1, 2, 3, 2: mean 2, s² = 2/3, error √(1/6) = 0.408248, t = 4.898979 with 3 degrees of freedom,
        // p = 0.016277, half-width 3.182446 × 0.408248 = 1.299228. Correlation of (1,2,3,4) and (2,4,6,6): 7/√(5 × 11).
        let paired = Paired::of(&[(1.0, 2.0), (2.0, 4.0), (3.0, 6.0), (4.0, 6.0)], 0.95).unwrap();
        let (low, high) = paired.difference.ci.unwrap();
        assert_eq!(paired.difference.mean, 2.0);
        assert!((low - 0.700_772).abs() < 1e-5 && (high - 3.299_228).abs() < 1e-5, "{low} {high}");
        assert!((paired.p - 0.016_277).abs() < 1e-5, "{}", paired.p);
        assert!((paired.correlation.unwrap() - 7.0 / 55.0_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn equal_pairs_show_nothing_and_a_constant_shift_everything() {
        let equal = Paired::of(&[(1.0, 1.0), (5.0, 5.0)], 0.95).unwrap();
        assert_eq!((equal.p, equal.difference.ci), (1.0, Some((0.0, 0.0))));
        let shifted = Paired::of(&[(1.0, 3.0), (5.0, 7.0)], 0.95).unwrap();
        assert!(shifted.p == 0.0 && (shifted.correlation.unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(Paired::of(&[(1.0, 2.0), (1.0, 4.0)], 0.95).unwrap().correlation, None);
        assert_eq!(Paired::of(&[(1.0, 2.0)], 0.95), None);
    }

    #[test]
    fn holm_adjusts_as_in_his_paper() {
        // Sorted 0.005, 0.01, 0.03, 0.04 with factors 4, 3, 2, 1, and never below the one before.
        assert_eq!(holm(&[0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn swapping_the_systems_swaps_the_sign_and_nothing_else(
            pairs in prop::collection::vec((-1e6..1e6, -1e6..1e6), 2..40)
        ) {
            let swapped: Vec<_> = pairs.iter().map(|(x, y)| (*y, *x)).collect();
            let (one, two) = (Paired::of(&pairs, 0.95).unwrap(), Paired::of(&swapped, 0.95).unwrap());
            prop_assert!((one.difference.mean + two.difference.mean).abs() < 1e-6);
            prop_assert!((one.p - two.p).abs() < 1e-6);
        }

        #[test]
        fn adjusted_chances_keep_their_order_and_are_at_least_the_raw_ones(
            chances in prop::collection::vec(0.0..1.0_f64, 1..30)
        ) {
            let adjusted = holm(&chances);
            for (i, (raw, more)) in chances.iter().zip(&adjusted).enumerate() {
                prop_assert!(more >= raw && *more <= 1.0);
                for (j, other) in chances.iter().enumerate() {
                    prop_assert!(raw > other || adjusted[i] <= adjusted[j]);
                }
            }
        }
    }
}
