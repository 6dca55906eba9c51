//! Means with confidence intervals, equal to the last bit on every platform.

mod beta;
mod paired;
mod quantiles;
mod warm_up;

use std::collections::BTreeMap;

use crate::base::ClassId;
use crate::observe::Observation;

pub use beta::{rate_bounds, student_t, two_sided_p};
pub use paired::{Paired, holm};
pub use quantiles::{Refusal, is_of_begun, refusals, unstarted, values_needed};
pub use warm_up::{missing_warm_up, mser5};

/// The mean of a metric over replications.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// The confidence interval (Student t); `None` for fewer than two values.
    pub ci: Option<(f64, f64)>,
    /// How many replications had data.
    pub n: u32,
}

/// Estimates by metric and class (`None`: overall). A metric without data is absent.
pub type Estimates = BTreeMap<(&'static str, Option<ClassId>), Estimate>;

impl Estimate {
    /// The estimate from one value per replication, at a level of confidence between 0 and 1; `None` without values.
    pub fn of(values: &[f64], confidence: f64) -> Option<Estimate> {
        let n = u32::try_from(values.len()).expect("replications are counted in u32");
        if n == 0 {
            return None;
        }
        // Measured from the first value: equal values have exactly their value as mean, and no spread.
        let first = values[0];
        let mean = first + values.iter().map(|value| value - first).sum::<f64>() / f64::from(n);
        if n < 2 {
            return Some(Estimate { mean, ci: None, n });
        }
        let half = student_t(confidence, n - 1) * standard_error(values, mean);
        Some(Estimate { mean, ci: Some((mean - half, mean + half)), n })
    }

    /// Half the width of the interval; `None` without one.
    pub fn half_width(&self) -> Option<f64> {
        self.ci.map(|(low, high)| (high - low) / 2.0)
    }
}

/// The standard error of the mean of at least two values.
pub fn standard_error(values: &[f64], mean: f64) -> f64 {
    let n = values.len() as f64;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (squares / (n - 1.0) / n).sqrt()
}

/// The estimates of every metric of these observations, but for the quantiles that [`refusals`] names.
pub fn estimates(observations: &[Observation], confidence: f64) -> Estimates {
    let mut values: BTreeMap<(&'static str, Option<ClassId>), Vec<f64>> = BTreeMap::new();
    for observation in observations {
        for (key, value) in &observation.metrics {
            values.entry(*key).or_default().push(*value);
        }
    }
    for Refusal { metric, class } in refusals(observations) {
        values.remove(&(metric, class));
    }
    values.into_iter().filter_map(|(key, values)| Some((key, Estimate::of(&values, confidence)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_known_sample() {
        let estimate = Estimate::of(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        let (low, high) = estimate.ci.unwrap();
        assert_eq!((estimate.mean, estimate.n), (3.0, 5));
        assert!((low - 1.036_756).abs() < 1e-5 && (high - 4.963_243).abs() < 1e-5, "{low} {high}");
    }

    #[test]
    fn one_value_has_no_interval_equal_values_a_point_and_no_values_no_estimate() {
        assert_eq!(Estimate::of(&[7.0], 0.95).unwrap(), Estimate { mean: 7.0, ci: None, n: 1 });
        assert_eq!(Estimate::of(&[0.1; 3], 0.95).unwrap().ci, Some((0.1, 0.1)));
        assert_eq!(Estimate::of(&[], 0.95), None);
    }
}
