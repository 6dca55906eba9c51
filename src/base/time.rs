//! Integer time. All time in this crate is a whole number of microseconds since the start of a run.
//!
//! Microseconds stay exact in an `f64` (and so in JSON) for 285 years. Every operation is checked: an overflow is a
//! panic, never a wrapped value; scenarios are limited so that it cannot happen in a run.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub, SubAssign};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant: microseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Time(u64);

/// A length of time in microseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Span(u64);

impl Time {
    /// The start of a run.
    pub const ZERO: Time = Time(0);
    /// Later than any instant of any run.
    pub const MAX: Time = Time(u64::MAX);

    /// An instant `micros` µs after the start.
    pub const fn from_micros(micros: u64) -> Time {
        Time(micros)
    }
    /// An instant a whole number of seconds after the start.
    pub const fn from_secs(secs: u64) -> Time {
        Time(secs * 1_000_000)
    }
    /// Microseconds since the start.
    pub const fn micros(self) -> u64 {
        self.0
    }
    /// Seconds since the start, for statistics and display only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// The span since an `earlier` instant.
    ///
    /// # Panics
    /// If `earlier` is later than `self`.
    #[inline]
    pub fn since(self, earlier: Time) -> Span {
        Span(self.0.checked_sub(earlier.0).expect("an instant lies before the one it is measured from"))
    }
    /// The span since `earlier`, or zero where `earlier` is later.
    #[inline]
    pub fn saturating_since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
    /// `self + span`, or `None` on overflow.
    pub fn checked_add(self, span: Span) -> Option<Time> {
        self.0.checked_add(span.0).map(Time)
    }
    /// `self + span`, or [`Time::MAX`] on overflow.
    pub fn saturating_add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
    /// So much earlier, but not before the start of the run.
    #[must_use]
    pub fn saturating_sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);
    /// Longer than any run.
    pub const MAX: Span = Span(u64::MAX);

    /// A span of `micros` µs.
    pub const fn from_micros(micros: u64) -> Span {
        Span(micros)
    }
    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Span {
        Span(millis * 1_000)
    }
    /// A span of whole seconds.
    pub const fn from_secs(secs: u64) -> Span {
        Span(secs * 1_000_000)
    }
    /// Its microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }
    /// Its seconds, for statistics and display only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
    /// Whether it is no time at all.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// `self - other`, or zero.
    pub fn saturating_sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
    /// `self + other`, or [`Span::MAX`].
    pub fn saturating_add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Add<Span> for Time {
    type Output = Time;
    #[inline]
    fn add(self, span: Span) -> Time {
        Time(self.0.checked_add(span.0).expect("time overflow"))
    }
}
impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}
impl Add for Span {
    type Output = Span;
    #[inline]
    fn add(self, other: Span) -> Span {
        Span(self.0.checked_add(other.0).expect("span overflow"))
    }
}
impl AddAssign for Span {
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}
impl Sub for Span {
    type Output = Span;
    #[inline]
    fn sub(self, other: Span) -> Span {
        Span(self.0.checked_sub(other.0).expect("a span below zero"))
    }
}
impl SubAssign for Span {
    fn sub_assign(&mut self, other: Span) {
        *self = *self - other;
    }
}
impl Mul<u64> for Span {
    type Output = Span;
    fn mul(self, times: u64) -> Span {
        Span(self.0.checked_mul(times).expect("span overflow"))
    }
}

/// Seconds with as many decimals as needed: `12.5s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, micros) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if micros == 0 {
            return write!(f, "{secs}s");
        }
        let decimals = format!("{micros:06}");
        write!(f, "{secs}.{}s", decimals.trim_end_matches('0'))
    }
}
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

/// Units of a duration and their length in µs, longest match first.
const UNITS: [(&str, u64); 6] =
    [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000)];

/// Reads `250ms`, `30s`, `1.5h`, `1h30m`; units are mandatory (`us ms s m h d`), at most six decimals are kept.
///
/// The error is a sentence for the author of a scenario.
impl FromStr for Span {
    type Err = String;
    fn from_str(text: &str) -> Result<Span, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("a duration is missing: write it with a unit, like 250ms, 30s, 5m, 2h or 1d".into());
        }
        if text.starts_with('-') {
            return Err(format!("`{text}` is negative: a duration is never below zero"));
        }
        if text.parse::<f64>().is_ok() {
            return Err(format!(
                "`{text}` has no unit: write a duration with one, like {text}s or {text}m (units: us ms s m h d)"
            ));
        }
        let mut total: u64 = 0;
        let mut rest = text;
        while !rest.is_empty() {
            let number_len = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let (number, tail) = rest.split_at(number_len);
            let unit_len = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(unit_len);
            let scale = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, scale)| *scale);
            let (Some(scale), false) = (scale, number.is_empty()) else {
                return Err(format!("`{text}` is no duration: write one like 250ms, 30s, 5m, 2h, 1d or 1h30m"));
            };
            let micros = decimal_times(number, scale)
                .ok_or_else(|| format!("`{text}` is no duration: `{number}` is malformed or too large"))?;
            total = total.checked_add(micros).ok_or_else(|| format!("`{text}` is too long a time"))?;
            rest = tail.trim_start();
        }
        Ok(Span(total))
    }
}

/// 100 years: far below the overflow of integer time, and exact in a float.
pub(crate) const SPAN_MAX: Span = Span::from_secs(100 * 365 * 86_400);

/// `number * scale` in exact integer arithmetic, truncated to a whole; `None` where malformed or too large.
pub(crate) fn decimal_times(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') || fraction.len() > 18 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut micros = whole.checked_mul(scale)?;
    if !fraction.is_empty() {
        let digits: u128 = fraction.parse().ok()?;
        let part = digits * u128::from(scale) / 10u128.pow(u32::try_from(fraction.len()).ok()?);
        micros = micros.checked_add(u64::try_from(part).ok()?)?;
    }
    Some(micros)
}

/// Writes with the largest unit that keeps it whole (`90s`, `2h`, `1500us`), so that it reads back as the same span.
fn with_unit(span: Span) -> String {
    let (name, scale) = UNITS
        .iter()
        .rev()
        .find(|(_, scale)| span.0 >= *scale && span.0.is_multiple_of(*scale))
        .unwrap_or(&("s", 1_000_000));
    format!("{}{name}", span.0 / scale)
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&with_unit(*self))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration with a unit, like 250ms, 30s, 5m, 2h or 1d")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Span, E> {
                number.to_string().parse().map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Span, E> {
                number.to_string().parse().map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Span, E> {
                number.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl schemars::JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A duration with a unit: 250ms, 30s, 5m, 2h, 1d, 1h30m.",
            "pattern": r"^([0-9]*\.?[0-9]+(us|ms|s|m|h|d) ?)+$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written_back_as_the_same_span() {
        for (text, micros) in [
            ("250ms", 250_000),
            ("30s", 30_000_000),
            ("5m", 300_000_000),
            ("2h", 7_200_000_000),
            ("1d", 86_400_000_000),
            ("1h30m", 5_400_000_000),
            ("0.5s", 500_000),
            ("0s", 0),
            ("7us", 7),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.micros(), micros, "{text}");
            assert_eq!(with_unit(span).parse::<Span>().unwrap(), span, "{text}");
        }
    }

    #[test]
    fn a_bare_number_a_negative_and_a_huge_duration_are_refused_with_a_remedy() {
        assert!("30".parse::<Span>().unwrap_err().contains("30s"));
        assert!("1e3".parse::<Span>().unwrap_err().contains("no unit"));
        assert!("-5s".parse::<Span>().unwrap_err().contains("never below zero"));
        assert!("99999999999999999999s".parse::<Span>().is_err());
        assert!("18446744073709551616us".parse::<Span>().is_err());
        assert!("5 parsecs".parse::<Span>().is_err());
        assert!("s".parse::<Span>().is_err());
    }

    #[test]
    #[should_panic(expected = "time overflow")]
    fn overflow_panics() {
        let _ = Time::MAX + Span::from_micros(1);
    }
}
