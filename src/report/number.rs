//! Numbers as people read them, the same in tables and charts. Never used in files for programs.

use crate::base::Time;
use crate::base::names::{Unit, metric_named};

/// Three significant digits or so, without an exponent: `0.431`, `4.31`, `43.1`, `431`, `4310`.
pub fn plain(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 99.95 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.9995 => format!("{value:.2}"),
        size if size >= 0.0995 || size == 0.0 => format!("{value:.3}"),
        _ => format!("{value:.4}"),
    };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    unsigned_zero(text)
}

/// What is rounded to zero has no sign.
fn unsigned_zero(text: &str) -> String {
    text.strip_prefix('-').filter(|rest| rest.bytes().all(|it| matches!(it, b'0' | b'.'))).unwrap_or(text).to_owned()
}

/// A fraction as a percentage: `3 %`, `0.4 %`, `<0.1 %`.
pub fn percent(fraction: f64) -> String {
    match fraction * 100.0 {
        0.0 => "0 %".into(),
        value if value.abs() < 0.1 => "<0.1 %".into(),
        value if value.abs() < 2.95 || (value > 99.0 && value < 100.0) => format!("{value:.1} %").replace(".0 %", " %"),
        value => format!("{value:.0} %"),
    }
}

/// A value in the words of its unit: a fraction as a percentage without its sign, which stands in the unit's column.
pub fn in_unit(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Fraction => unsigned_zero(&format!("{:.2}", value * 100.0)),
        Unit::Seconds | Unit::Count | Unit::PerHour | Unit::PerSecond | Unit::Ratio => plain(value),
    }
}

/// A value of a metric with its unit: `41.2 s`, `3.10 %`.
pub fn measured(value: f64, metric: &str) -> String {
    match metric_named(metric) {
        Some(metric) => format!("{} {}", in_unit(value, metric.unit), unit_sign(metric.unit)).trim_end().to_owned(),
        None => plain(value),
    }
}

/// The unit as it stands behind a number in a table.
pub fn unit_sign(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Count => "",
        Unit::Fraction => "%",
        Unit::PerHour => "/h",
        Unit::PerSecond => "/s",
        Unit::Ratio => "×",
    }
}

/// An instant as hours, minutes, seconds: `0`, `45 s`, `1 h 30 min`, `2.5 s`.
pub fn clock(at: Time) -> String {
    let micros = at.micros();
    let (hours, minutes) = (micros / 3_600_000_000, micros / 60_000_000 % 60);
    let rest = micros % 60_000_000;
    let mut parts = Vec::new();
    if hours > 0 {
        parts.push(format!("{hours} h"));
    }
    if minutes > 0 {
        parts.push(format!("{minutes} min"));
    }
    if rest > 0 {
        let decimals = format!("{:06}", rest % 1_000_000);
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        parts.push(format!("{}{point}{decimals} s", rest / 1_000_000));
    }
    if parts.is_empty() { "0".into() } else { parts.join(" ") }
}

/// A count with its noun: `1 queue`, `3 queues`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        let plains = [0.0, 0.00421, 0.431, 0.99999, 4.314, 43.14, 431.4, 4310.0, -4.25, -1e-9].map(plain);
        assert_eq!(plains, ["0", "0.0042", "0.431", "1", "4.31", "43.1", "431", "4310", "-4.25", "0"]);
        assert_eq!(in_unit(-1e-9, Unit::Fraction), "0.00");
        let percents = [0.0, 0.0004, 0.004, 0.02, 0.03, 0.714, 0.999, 1.0].map(percent);
        assert_eq!(percents, ["0 %", "<0.1 %", "0.4 %", "2 %", "3 %", "71 %", "99.9 %", "100 %"]);
        let clocks = [0, 250_000, 45_000_000, 5_400_000_000, 7_200_000_000].map(|it| clock(Time::from_micros(it)));
        assert_eq!(clocks, ["0", "0.25 s", "45 s", "1 h 30 min", "2 h"]);
        assert_eq!(counted(1, "queue") + &counted(2, "breach"), "1 queue2 breaches");
    }
}
