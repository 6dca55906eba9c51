//! Distributions of spans, and popularity. Every variate takes a fixed number of draws from its stream, so that runs
//! under common random numbers stay aligned, and is rounded to whole µs at once; all arithmetic is exact or `libm`'s, so
//! that every platform draws the same.

use std::sync::Arc;

use super::Stream;
use crate::base::Span;

/// A distribution of spans (or of plain numbers scaled by 10^6, like speeds).
#[derive(Clone, PartialEq, Debug)]
pub enum Dist {
    /// Always the same. No draw.
    Constant(Span),
    /// Uniform between two bounds, both included.
    Uniform {
        /// Lower bound.
        min: Span,
        /// Upper bound, not below `min`.
        max: Span,
    },
    /// Exponential.
    Exponential {
        /// Mean in µs, above zero.
        mean: f64,
    },
    /// Lognormal, by its own mean and coefficient of variation.
    Lognormal {
        /// Mean in µs, above zero.
        mean: f64,
        /// Standard deviation / mean, above zero.
        cv: f64,
    },
    /// Sum of `shape` exponentials. `shape` draws.
    Erlang {
        /// How many stages, at least 1.
        shape: u32,
        /// Mean in µs, above zero.
        mean: f64,
    },
    /// Weibull.
    Weibull {
        /// Shape, above zero.
        shape: f64,
        /// Mean in µs, above zero.
        mean: f64,
    },
    /// Pareto, cut off: a variate beyond `cap` is `cap`.
    Pareto {
        /// Shape, above zero.
        shape: f64,
        /// Smallest value in µs, above zero.
        min: f64,
        /// Largest value in µs.
        cap: f64,
    },
    /// One of recorded values, each alike.
    Empirical(Arc<[Span]>),
}

/// A variate beyond this is this: 285 years, so that no sum of a run overflows.
const LONGEST_MICROS: f64 = (1u64 << 53) as f64;

impl Dist {
    /// Draws a span. Takes [`Dist::draws`] draws, whatever comes out.
    #[inline(always)]
    pub fn sample(&self, stream: &mut Stream) -> Span {
        match self {
            Dist::Constant(span) => *span,
            Dist::Exponential { mean } => rounded(mean * -libm::log(stream.unit())),
            Dist::Uniform { .. }
            | Dist::Lognormal { .. }
            | Dist::Erlang { .. }
            | Dist::Weibull { .. }
            | Dist::Pareto { .. }
            | Dist::Empirical(_) => self.sample_by_formula(stream),
        }
    }

    /// [`Dist::sample`] of what is drawn less often.
    #[inline(never)]
    fn sample_by_formula(&self, stream: &mut Stream) -> Span {
        match self {
            Dist::Constant(_) | Dist::Exponential { .. } => unreachable!("drawn on the spot"),
            Dist::Uniform { min, max } => {
                let width = (*max - *min).micros().saturating_add(1);
                *min + Span::from_micros(stream.below(width))
            }
            Dist::Lognormal { mean, cv } => {
                let variance = libm::log1p(cv * cv);
                let normal = inverse_normal(stream.open_unit());
                rounded(mean * libm::exp(libm::sqrt(variance) * normal - 0.5 * variance))
            }
            Dist::Erlang { shape, mean } => {
                rounded(mean / f64::from(*shape) * sum_of_standard_exponentials(*shape, stream))
            }
            Dist::Weibull { shape, mean } => {
                let scale = mean / libm::tgamma(1.0 + 1.0 / shape);
                rounded(scale * libm::pow(-libm::log(stream.unit()), 1.0 / shape))
            }
            Dist::Pareto { shape, min, cap } => {
                let value = min * libm::pow(stream.unit(), -1.0 / shape);
                rounded(if value < *cap { value } else { *cap })
            }
            Dist::Empirical(values) => values[stream.below(values.len() as u64) as usize],
        }
    }

    /// How many draws a variate takes.
    pub fn draws(&self) -> u32 {
        match self {
            Dist::Constant(_) => 0,
            Dist::Erlang { shape, .. } => *shape,
            Dist::Uniform { .. }
            | Dist::Exponential { .. }
            | Dist::Lognormal { .. }
            | Dist::Weibull { .. }
            | Dist::Pareto { .. }
            | Dist::Empirical(_) => 1,
        }
    }

    /// The mean in µs (before rounding); infinite for a Pareto without a cap and of shape 1 or less.
    pub fn mean(&self) -> f64 {
        match self {
            Dist::Constant(span) => span.micros() as f64,
            Dist::Uniform { min, max } => 0.5 * (min.micros() as f64 + max.micros() as f64),
            Dist::Exponential { mean }
            | Dist::Lognormal { mean, .. }
            | Dist::Erlang { mean, .. }
            | Dist::Weibull { mean, .. } => *mean,
            Dist::Pareto { shape, min, cap } => {
                if cap <= min {
                    *cap
                } else {
                    min + min * power_integral(1.0 - shape, cap / min)
                }
            }
            Dist::Empirical(values) => average(values, |value| value),
        }
    }

    /// The squared coefficient of variation, variance / mean²; 0 where the mean is 0, `None` where it is not finite.
    pub fn cv2(&self) -> Option<f64> {
        let mean = self.mean();
        let cv2 = match self {
            Dist::Constant(_) => 0.0,
            Dist::Uniform { min, max } => {
                let width = (*max - *min).micros() as f64 + 1.0;
                relative((width * width - 1.0) / 12.0, mean)
            }
            Dist::Exponential { .. } => 1.0,
            Dist::Lognormal { cv, .. } => cv * cv,
            Dist::Erlang { shape, .. } => 1.0 / f64::from(*shape),
            Dist::Weibull { shape, .. } => {
                let first = libm::tgamma(1.0 + 1.0 / shape);
                libm::tgamma(1.0 + 2.0 / shape) / (first * first) - 1.0
            }
            Dist::Pareto { min, cap, .. } if cap <= min => 0.0,
            Dist::Pareto { shape, min, cap } => {
                let second = min * min * (1.0 + 2.0 * power_integral(2.0 - shape, cap / min));
                relative(second - mean * mean, mean)
            }
            Dist::Empirical(values) => relative(average(values, |value| (value - mean) * (value - mean)), mean),
        };
        cv2.is_finite().then_some(cv2)
    }
}

/// The nearest whole µs, halves up. All steps are exact up to [`LONGEST_MICROS`].
#[inline]
pub(crate) fn rounded(micros: f64) -> Span {
    let micros = if micros < LONGEST_MICROS { micros } else { LONGEST_MICROS };
    let whole = (micros as i64).max(0); // Signed: a processor's own conversion.
    Span::from_micros(whole as u64 + u64::from(micros - whole as f64 >= 0.5))
}

/// One draw each; one logarithm per 16 of them, whose product (at least 2^-848) is still a normal number.
fn sum_of_standard_exponentials(count: u32, stream: &mut Stream) -> f64 {
    let mut sum = 0.0;
    let mut left = count;
    while left > 0 {
        let batch = left.min(16);
        let product = (0..batch).fold(1.0, |product, _| product * stream.unit());
        sum -= libm::log(product);
        left -= batch;
    }
    sum
}

/// The integral of x^(exponent - 1) from 1 to `end`, also where the exponent is zero or close to it.
fn power_integral(exponent: f64, end: f64) -> f64 {
    let log_end = libm::log(end);
    if exponent == 0.0 { log_end } else { libm::expm1(exponent * log_end) / exponent }
}

fn average(values: &[Span], of: impl Fn(f64) -> f64) -> f64 {
    values.iter().map(|value| of(value.micros() as f64)).sum::<f64>() / values.len() as f64
}

fn relative(variance: f64, mean: f64) -> f64 {
    if mean == 0.0 { 0.0 } else { variance / (mean * mean) }
}

/// The inverse of the standard normal distribution function: Wichura's AS 241 (PPND16), good to about 1e-16.
fn inverse_normal(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180625 - q * q, &CENTRE);
    }
    let tail = libm::sqrt(-libm::log(if q < 0.0 { p } else { 1.0 - p }));
    let distance = if tail <= 5.0 { ratio(tail - 1.6, &TAIL) } else { ratio(tail - 5.0, &FAR_TAIL) };
    if q < 0.0 { -distance } else { distance }
}

/// The quotient of two polynomials, coefficients from the constant up.
fn ratio(x: f64, [above, below]: &[[f64; 8]; 2]) -> f64 {
    let polynomial = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c);
    polynomial(above) / polynomial(below)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const TAIL: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR_TAIL: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// Picks one of `n` things by popularity, with one draw.
#[derive(Clone, Debug)]
pub struct Picker {
    count: u32,
    /// Walker's alias table; empty where all are alike.
    columns: Vec<Column>,
    exponent: f64,
    total_weight: f64,
}

/// A column of the alias table: below the threshold (of 2^64) it stands for itself, else for its alias.
#[derive(Clone, Copy, Debug)]
struct Column {
    threshold: u64,
    alias: u32,
}

impl Picker {
    /// Each of `n` alike.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn uniform(n: u32) -> Picker {
        assert!(n > 0, "there is nothing to pick from");
        Picker { count: n, columns: Vec::new(), exponent: 0.0, total_weight: f64::from(n) }
    }

    /// The k-th of `n`, counted from 1, has weight k^-s.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn zipf(n: u32, s: f64) -> Picker {
        let uniform = Picker::uniform(n);
        if s == 0.0 {
            return uniform;
        }
        let weights: Vec<f64> = (0..n).map(|k| weight(k, s)).collect();
        // From the lightest up, to lose as little as can be.
        let total_weight: f64 = weights.iter().rev().sum();
        Picker { columns: alias_table(&weights, total_weight), exponent: s, total_weight, ..uniform }
    }

    /// Picks a number in `0 .. n`. One draw: its product with `n` has the column above the point and the coin below.
    #[inline]
    pub fn pick(&self, stream: &mut Stream) -> u32 {
        let product = u128::from(stream.bits()) * u128::from(self.count);
        let index = (product >> 64) as u32;
        match self.columns.get(index as usize) {
            Some(column) if product as u64 >= column.threshold => column.alias,
            Some(_) | None => index,
        }
    }

    /// The probability of `k` in `0 .. n`.
    pub fn share(&self, k: u32) -> f64 {
        weight(k, self.exponent) / self.total_weight
    }
}

fn weight(k: u32, s: f64) -> f64 {
    libm::pow(f64::from(k) + 1.0, -s)
}

/// Vose's construction: each column too light for its share is filled up by one that is too heavy.
fn alias_table(weights: &[f64], total: f64) -> Vec<Column> {
    const ONE: f64 = 18_446_744_073_709_551_616.0;
    let scale = weights.len() as f64 / total;
    let mut filled: Vec<f64> = weights.iter().map(|weight| weight * scale).collect();
    let mut columns: Vec<Column> =
        (0..weights.len()).map(|k| Column { threshold: u64::MAX, alias: k as u32 }).collect();
    let (mut light, mut heavy): (Vec<usize>, Vec<usize>) = (0..weights.len()).rev().partition(|k| filled[*k] < 1.0);
    while let (Some(&giver), Some(taker)) = (heavy.last(), light.pop()) {
        columns[taker] = Column { threshold: (filled[taker] * ONE) as u64, alias: giver as u32 };
        filled[giver] -= 1.0 - filled[taker];
        if filled[giver] < 1.0 {
            heavy.pop();
            light.push(giver);
        }
    }
    columns
}

#[cfg(test)]
mod tests;
