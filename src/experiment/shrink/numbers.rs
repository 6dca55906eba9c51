//! Rounds: numbers to small ones of few digits, times of events to the same ones.

use serde_json::{Value, json};

use super::parts::{script, script_mut};
use super::remove::{pointers, time};
use super::trials::Trials;
use crate::base::Span;

/// Keys whose values are names, whatever they look like, and times of events, which are rounded together.
const NAMES: [&str; 9] = ["name", "description", "task", "effect", "worker", "host_of", "class", "options", "at"];
/// Lists of names, and what is expected.
const NO_NUMBERS: [&str; 3] = ["/claims/", "/shared/", "/expect/"];
/// Whole numbers that are tried in the place of larger ones.
const SMALL: [u64; 8] = [0, 1, 2, 3, 4, 5, 8, 10];
const SECOND: u64 = 1_000_000;

/// What a time looks like to a reader: fewer digits are simpler, then smaller ones are.
fn complexity(span: Span) -> (u32, u64) {
    let mut rest = span.micros();
    while rest != 0 && rest.is_multiple_of(10) {
        rest /= 10;
    }
    (rest.checked_ilog10().map_or(0, |log| log + 1), span.micros())
}

/// Simpler times, the simplest first.
fn simpler(span: Span) -> Vec<Span> {
    let micros = span.micros();
    let mut spans = vec![0];
    let unit = if micros < SECOND { 1_000 } else { SECOND };
    let ladder = (0..12).flat_map(|power| [1, 2, 3, 5].map(|digit| digit * unit * 10u64.pow(power)));
    spans.extend(ladder.take_while(|rung| *rung < micros));
    for digits in 1..=3 {
        let length = micros.checked_ilog10().unwrap_or(0);
        let step = 10u64.pow(length.saturating_sub(digits - 1));
        spans.extend([micros / step * step, micros.div_ceil(step) * step]);
    }
    let mut spans: Vec<Span> = spans.into_iter().map(Span::from_micros).collect();
    spans.retain(|it| complexity(*it) < complexity(span));
    spans.sort_by_key(|it| complexity(*it));
    spans.dedup();
    spans
}

/// What to try in the place of a value.
fn simpler_values(value: &Value) -> Vec<Value> {
    if let Some(span) = value.as_str().and_then(|text| text.parse::<Span>().ok()) {
        return simpler(span).into_iter().map(|span| json!(span)).collect();
    }
    let Some(number) = value.as_u64() else { return value.as_f64().map(rounder).unwrap_or_default() };
    let mut numbers: Vec<u64> = SMALL.into_iter().filter(|small| *small < number).collect();
    numbers.extend(number.checked_sub(1));
    numbers.into_iter().map(|number| json!(number)).collect()
}

/// Simpler numbers for one with a fraction: zero, one, few digits.
fn rounder(number: f64) -> Vec<Value> {
    let millionths = |number: f64| Span::from_micros(libm::round(number.abs() * 1e6) as u64);
    let unit = libm::pow(10.0, libm::floor(libm::log10(number.abs().max(1e-6))));
    let rounds = [unit * 10.0, unit, unit / 10.0, 1.0].map(|unit| libm::round(number / unit) * unit);
    let tried = [0.0, 1.0, unit].map(|it| it.copysign(number)).into_iter().chain(rounds);
    tried.filter(|it| complexity(millionths(*it)) < complexity(millionths(number))).map(|it| json!(it)).collect()
}

impl Trials<'_> {
    /// Rounds every number and duration at or below one of these pointers.
    pub(super) fn round_numbers(&mut self, below: &[&str]) {
        let mut all = Vec::new();
        pointers(self.best(), "", &mut all);
        let is_number = |path: &&String| {
            let key = path.rsplit('/').next().unwrap_or_default();
            !NAMES.contains(&key) && !NO_NUMBERS.iter().any(|list| path.contains(list))
        };
        let wanted = all.iter().filter(|path| below.iter().any(|it| path.starts_with(it))).filter(is_number);
        for path in wanted {
            let values = self.best().pointer(path).map(simpler_values).unwrap_or_default();
            self.first(values.len(), |best, number| {
                let mut document = best.clone();
                *document.pointer_mut(path)? = values[number].clone();
                Some(document)
            });
        }
    }

    /// Rounds the times of events: to that of the one before, with all later ones or alone, then to few digits.
    pub(super) fn round_times(&mut self) {
        let mut event = 0;
        while let Some(times) = times(self.best()).filter(|times| event < times.len()) {
            let candidates = moved(&times, event);
            self.first(candidates.len(), |best, number| Some(with_times(best, &candidates[number])));
            event += 1;
        }
    }
}

fn times(document: &Value) -> Option<Vec<Span>> {
    script(document).iter().map(time).collect()
}

/// How hard the times of a script are to read: digits, then how many there are, then how long it takes.
fn difficulty(times: &[Span]) -> (u32, usize, u64) {
    let mut different = times.to_vec();
    different.sort_unstable();
    different.dedup();
    let total = times.iter().map(|it| it.micros()).fold(0, u64::saturating_add);
    (times.iter().map(|it| complexity(*it).0).sum(), different.len(), total)
}

/// Simpler times of all events by moving one of them.
fn moved(times: &[Span], event: usize) -> Vec<Vec<Span>> {
    let at = times[event];
    let before = event.checked_sub(1).map_or(Span::ZERO, |event| times[event]);
    let gap = at.saturating_sub(before);
    let mut candidates = Vec::new();
    for shorter in simpler(gap) {
        // All later ones come earlier, or later, by as much.
        let shift = |it: &Span| it.saturating_sub(at) + before + shorter;
        let later = times[event..].iter().map(shift);
        candidates.push(times[..event].iter().copied().chain(later).collect());
    }
    let next = times.get(event + 1).copied();
    for alone in [before].into_iter().chain(next).chain(simpler(at)) {
        let mut times = times.to_vec();
        times[event] = alone;
        candidates.push(times);
    }
    candidates.retain(|it: &Vec<Span>| difficulty(it) < difficulty(times));
    candidates
}

/// The document with these times of its events, in their order.
fn with_times(document: &Value, times: &[Span]) -> Value {
    let mut document = document.clone();
    let script = script_mut(&mut document);
    for (event, at) in script.iter_mut().zip(times) {
        event["at"] = json!(at);
    }
    script.sort_by_key(time);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simpler_times_have_fewer_digits_or_are_smaller() {
        let seconds = |span: u64| Span::from_secs(span);
        let tried = simpler(Span::from_micros(43_217_000));
        assert_eq!(tried[..4], [seconds(0), seconds(1), seconds(2), seconds(3)]);
        assert!(tried.contains(&seconds(40)) && tried.contains(&seconds(50)) && tried.contains(&seconds(43)));
        assert!(simpler(Span::ZERO).is_empty());
        assert!(simpler(seconds(1)) == [Span::ZERO]);
    }

    #[test]
    fn numbers_with_a_fraction_only_ever_become_simpler() {
        assert_eq!(
            rounder(537.4),
            [json!(0.0), json!(1.0), json!(100.0), json!(1000.0), json!(500.0), json!(540.0), json!(537.0)]
        );
        assert_eq!(rounder(-200.0), [json!(-0.0), json!(-1.0), json!(-100.0), json!(-0.0)]);
        assert!(rounder(0.0).is_empty());
    }

    #[test]
    fn times_only_ever_become_simpler() {
        let times: Vec<Span> = [3, 17, 17, 4_242].into_iter().map(Span::from_secs).collect();
        for event in 0..times.len() {
            let candidates = moved(&times, event);
            assert!(candidates.iter().all(|it| difficulty(it) < difficulty(&times)));
        }
        assert!(moved(&times, 3).contains(&[3, 17, 17, 17].into_iter().map(Span::from_secs).collect()));
        assert!(moved(&[Span::ZERO], 0).is_empty());
    }
}
