//! The regularised incomplete beta function and what is read off it: Student's t and exact bounds on a rate.
//!
//! Only `libm` and the four operations go in, so that every platform gives the same bits.

/// Halvings of an interval of width 1: below the resolution of a float.
const HALVINGS: u32 = 60;
const TINY: f64 = 1e-300;

/// I_x(a, b): the chance that a beta variate of these shapes is at most `x`, for `a`, `b` > 0 and 0 <= `x` <= 1.
///
/// By the continued fraction of Lentz (Numerical Recipes 6.4), from the side on which it converges fast.
pub(crate) fn regularised_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front =
        libm::exp(libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log1p(-x));
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(a, b, x) / a
    } else {
        1.0 - front * fraction(b, a, 1.0 - x) / b
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const STEPS: u32 = 10_000;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = result;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            result *= d * c;
        }
        if (result - before).abs() <= 1e-16 * result.abs() {
            break;
        }
    }
    result
}

/// The x in 0..1 at which a rising function reaches `wanted`.
fn inverse(wanted: f64, rising: impl Fn(f64) -> f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if rising(middle) < wanted {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The chance that |T| is at least `t`, for Student's T with so many degrees of freedom.
pub fn two_sided_p(t: f64, degrees: u32) -> f64 {
    let degrees = f64::from(degrees);
    if t.is_infinite() { 0.0 } else { regularised_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t)) }
}

/// The factor of a two-sided interval: |T| is at most that with chance `confidence` (between 0 and 1).
pub fn student_t(confidence: f64, degrees: u32) -> f64 {
    let degrees = f64::from(degrees);
    // y = t² / (degrees + t²) is a beta variate of shapes 1/2 and degrees/2.
    let y = inverse(confidence, |y| regularised_beta(0.5, degrees / 2.0, y));
    (degrees * y / (1.0 - y)).sqrt()
}

/// Exact bounds (Clopper and Pearson) on the rate of something that was seen `hits` times in `n` independent trials,
/// `n` at least 1. Where it was never or always seen, the whole risk goes to the one bound that is left.
pub fn rate_bounds(hits: u32, n: u32, confidence: f64) -> (f64, f64) {
    assert!(hits <= n && n > 0, "{hits} of {n} is no rate");
    let (k, all) = (f64::from(hits), f64::from(n));
    let risk = 1.0 - confidence;
    if hits == 0 {
        return (0.0, 1.0 - libm::pow(risk, 1.0 / all));
    }
    if hits == n {
        return (libm::pow(risk, 1.0 / all), 1.0);
    }
    let low = inverse(risk / 2.0, |rate| regularised_beta(k, all - k + 1.0, rate));
    let high = inverse(1.0 - risk / 2.0, |rate| regularised_beta(k + 1.0, all - k, rate));
    (low, high)
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
            (0.95, 1_000_000, 1.959_966_36),
        ] {
            let factor = student_t(confidence, degrees);
            assert!((factor - expected).abs() < 1e-7, "t({confidence}, {degrees}) = {factor}, not {expected}");
            assert!((two_sided_p(factor, degrees) - (1.0 - confidence)).abs() < 1e-9, "{confidence} {degrees}");
        }
    }

    #[test]
    fn bounds_of_rates_are_the_exact_ones() {
        // 0 of n: the closed form 1 - 0.05^(1/n); k of n: Clopper and Pearson's own table.
        for (n, high) in [(59, 4.951e-2), (299, 9.969e-3), (1000, 2.991e-3), (100_000, 2.996e-5)] {
            let bounds = rate_bounds(0, n, 0.95);
            assert!(bounds.0 == 0.0 && (bounds.1 / high - 1.0).abs() < 2e-4, "{n}: {bounds:?}");
        }
        let (low, high) = rate_bounds(3, 20, 0.95);
        assert!((low - 0.032_07).abs() < 1e-5 && (high - 0.378_93).abs() < 1e-5, "{low} {high}");
        let (low, high) = rate_bounds(59, 59, 0.95);
        assert!((low - 0.950_49).abs() < 1e-5 && high == 1.0, "{low}");
    }
}
