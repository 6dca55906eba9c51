//! A scale of values along an axis, linear or logarithmic, with round ticks.

use super::canvas::{Align, Canvas};
use super::theme::{self, GRID, MUTED};
use crate::report::number;

/// Values from `low` to `high` lie between the points `from` and `to` of the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) is_log: bool,
}

impl Scale {
    /// A linear scale that ends at round values around these.
    pub(super) fn linear(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Scale {
        let (low, high) = range(values);
        let step = step(low, high);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        Scale { low, high: high.max(low + step), from, to, is_log: false }
    }

    /// A logarithmic scale from one power of ten to another around these values, those above zero.
    pub(super) fn log(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Scale {
        let (low, high) = range(values.into_iter().filter(|value| *value > 0.0));
        let (low, high) = (low.max(1e-6), high.max(1e-6));
        let power = |exponent: f64| libm::pow(10.0, exponent);
        let first = libm::floor(libm::log10(low));
        let last = libm::ceil(libm::log10(high)).max(first + 1.0);
        Scale { low: power(first), high: power(last), from, to, is_log: true }
    }

    pub(super) fn at(&self, value: f64) -> f64 {
        let share = if self.is_log {
            (libm::log10(value) - libm::log10(self.low)) / (libm::log10(self.high) - libm::log10(self.low))
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.is_log {
            let decades = libm::round(libm::log10(self.high / self.low)) as u32;
            return (0..=decades).map(|decade| self.low * libm::pow(10.0, f64::from(decade))).collect();
        }
        let step = step(self.low, self.high);
        let count = ((self.high - self.low) / step).round() as u32;
        (0..=count).map(|tick| self.low + f64::from(tick) * step).collect()
    }

    /// Lines across the picture, values below it.
    pub(super) fn draw_below(&self, canvas: &mut Canvas, top: f64, bottom: f64, text: impl Fn(f64) -> String) {
        let ticks = self.ticks();
        let widest = ticks.iter().map(|tick| theme::text_width(&text(*tick), 12.0, false)).fold(0.0, f64::max);
        let apart = (self.to - self.from).abs() / (ticks.len() - 1).max(1) as f64;
        // Every second one, or every third, where there is no room for all.
        let every = ((widest + 8.0) / apart).ceil().max(1.0) as usize;
        for (index, tick) in ticks.into_iter().enumerate() {
            canvas.line((self.at(tick), top), (self.at(tick), bottom), 1.0, GRID);
            if index % every == 0 {
                canvas.text(self.at(tick), bottom + 18.0, &text(tick), 12.0, Align::Center, MUTED);
            }
        }
    }

    /// Lines across the picture, values to its left.
    pub(super) fn draw_left(&self, canvas: &mut Canvas, left: f64, right: f64, text: impl Fn(f64) -> String) {
        for tick in self.ticks() {
            canvas.line((left, self.at(tick)), (right, self.at(tick)), 1.0, GRID);
            canvas.text(left - 8.0, self.at(tick) + 4.0, &text(tick), 12.0, Align::Right, MUTED);
        }
    }
}

/// A duration on an axis: seconds without noise.
pub(super) fn seconds(value: f64) -> String {
    format!("{} s", number::plain(value))
}

fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// A round step: four to ten of them reach from one end to the other.
fn step(low: f64, high: f64) -> f64 {
    let spread = if high > low { high - low } else { low.abs().max(1.0) };
    let power = libm::pow(10.0, libm::floor(libm::log10(spread / 4.0)));
    [5.0, 2.0, 1.0].into_iter().map(|factor| factor * power).find(|step| spread / step >= 4.0 - 1e-9).unwrap_or(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_end_at_round_values_around_the_data() {
        let linear = Scale::linear([0.0, 87.0], 0.0, 100.0);
        assert_eq!((linear.low, linear.high), (0.0, 100.0));
        assert_eq!((linear.at(50.0), linear.ticks().len()), (50.0, 6));
        let log = Scale::log([0.0, 0.3, 42.0], 0.0, 90.0);
        assert!((log.low - 0.1).abs() < 1e-12 && (log.high - 100.0).abs() < 1e-9);
        assert!((log.at(1.0) - 30.0).abs() < 1e-9 && log.ticks().len() == 4);
        assert!(Scale::linear([], 0.0, 1.0).ticks().len() > 1);
        assert!(Scale::linear([5.0], 0.0, 1.0).at(5.0).is_finite());
    }
}
