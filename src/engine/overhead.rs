//! How long a step of dispatching takes: always the same, or one of measured times, each alike.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use crate::base::{Span, mix};

/// The length of a step: `60ms`, or a list of measured times from which each step takes one by chance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(untagged)]
pub enum Overhead {
    /// Always the same.
    Constant(Span),
    /// One of these, each alike; never empty.
    Measured(Vec<Span>),
}

impl Overhead {
    /// No time at all.
    pub const NONE: Overhead = Overhead::Constant(Span::ZERO);

    /// So many milliseconds.
    pub const fn millis(millis: u64) -> Overhead {
        Overhead::Constant(Span::from_millis(millis))
    }

    /// The length of the step that `keys` name.
    pub(crate) fn draw(&self, seed: u64, keys: &[u64]) -> Span {
        match self {
            Overhead::Constant(span) => *span,
            Overhead::Measured(times) => times[mix::below(mix::mix(seed, keys), times.len() as u64) as usize],
        }
    }

    /// The mean, rounded down to whole µs.
    pub fn mean(&self) -> Span {
        match self {
            Overhead::Constant(span) => *span,
            Overhead::Measured(times) => {
                let sum: u128 = times.iter().map(|time| u128::from(time.micros())).sum();
                Span::from_micros(u64::try_from(sum / times.len() as u128).expect("a mean of spans is a span"))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Overhead {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Overhead;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time like 60ms, or a list of measured times")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Overhead, E> {
                text.parse().map(Overhead::Constant).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Overhead, E> {
                Err(E::custom(format!("`{number}` has no unit: write a time like 60ms")))
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Overhead, A::Error> {
                let mut times = Vec::new();
                while let Some(time) = items.next_element()? {
                    times.push(time);
                }
                if times.is_empty() {
                    return Err(serde::de::Error::custom("a list of measured times needs at least one"));
                }
                Ok(Overhead::Measured(times))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Overhead {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Overhead".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (one, many) = (generator.subschema_for::<Span>(), generator.subschema_for::<Vec<Span>>());
        schemars::json_schema!({ "anyOf": [one, many] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measured_times_are_drawn_alike_and_their_mean_is_kept() {
        let times: Overhead = serde_json::from_str(r#"["10ms", "20ms", "60ms"]"#).unwrap();
        assert_eq!(times.mean(), Span::from_millis(30));
        let drawn: u64 = (0..3_000).map(|key| times.draw(7, &[key]).micros()).sum();
        assert!((drawn / 3_000).abs_diff(30_000) < 1_500, "{drawn}");
        assert_eq!(times.draw(7, &[5]), times.draw(7, &[5]), "one step has one length");
    }

    #[test]
    fn a_time_without_a_unit_and_an_empty_list_are_refused() {
        assert_eq!(serde_json::from_str::<Overhead>(r#""2ms""#).unwrap(), Overhead::millis(2));
        assert!(serde_json::from_str::<Overhead>("5").unwrap_err().to_string().contains("has no unit"));
        assert!(serde_json::from_str::<Overhead>("[]").unwrap_err().to_string().contains("at least one"));
    }
}
