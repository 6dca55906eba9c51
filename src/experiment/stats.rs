//! Means with confidence intervals, equal to the last bit on every platform.

use std::collections::BTreeMap;

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::base::ClassId;
use crate::observe::Observation;

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
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = (squares / f64::from(n - 1) / f64::from(n)).sqrt();
        let half = student_t(confidence, n - 1) * error;
        Some(Estimate { mean, ci: Some((mean - half, mean + half)), n })
    }
}

/// The estimates of every metric of these observations.
pub fn estimates(observations: &[Observation], confidence: f64) -> Estimates {
    let mut values: BTreeMap<(&'static str, Option<ClassId>), Vec<f64>> = BTreeMap::new();
    for observation in observations {
        for (key, value) in &observation.metrics {
            values.entry(*key).or_default().push(*value);
        }
    }
    values.into_iter().filter_map(|(key, values)| Some((key, Estimate::of(&values, confidence)?))).collect()
}

/// The factor of a two-sided interval at this confidence.
///
/// It is rounded to eight decimals: the library behind it takes logarithms of the platform, which differ in the last bits.
fn student_t(confidence: f64, degrees: u32) -> f64 {
    let law = StudentsT::new(0.0, 1.0, f64::from(degrees)).expect("there is at least one degree of freedom");
    (law.inverse_cdf(0.5 + confidence / 2.0) * 1e8).round() / 1e8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_agrees_with_the_printed_tables() {
        for (confidence, degrees, expected) in [
            (0.95, 1, 12.706_204_74),
            (0.95, 4, 2.776_445_11),
            (0.95, 31, 2.039_513_45),
            (0.99, 9, 3.249_835_54),
            (0.90, 100, 1.660_234_33),
        ] {
            let factor = student_t(confidence, degrees);
            assert!((factor - expected).abs() < 1e-6, "t({confidence}, {degrees}) = {factor}, not {expected}");
        }
    }

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
