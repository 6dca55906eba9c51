//! Scalars with mandatory units as a file writes them: rates and percentages. They are written back as they were read.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, IntoDeserializer, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::Span;

/// How often: `8/m`.
#[derive(Clone, PartialEq, Debug)]
pub struct Rate {
    text: String,
    /// So many …
    number: f64,
    /// … per so many µs.
    per_micros: f64,
}

impl Rate {
    /// How many per µs.
    pub fn per_micro(&self) -> f64 {
        self.number / self.per_micros
    }
    /// The mean interval in µs; infinite at zero.
    pub fn mean_micros(&self) -> f64 {
        self.per_micros / self.number
    }
}

impl FromStr for Rate {
    type Err = String;
    fn from_str(text: &str) -> Result<Rate, String> {
        let text = text.trim();
        let Some((number, unit)) = text.split_once('/') else {
            return Err(if text.parse::<f64>().is_ok() {
                format!("`{text}` has no unit: write a rate with one, like {text}/s, {text}/m or {text}/h")
            } else {
                format!("`{text}` is no rate: write one like 2/s, 8/m or 20/h")
            });
        };
        let per_micros = match unit.trim() {
            "ms" => 1e3,
            "s" => 1e6,
            "m" => 6e7,
            "h" => 3.6e9,
            "d" => 8.64e10,
            other => return Err(format!("`{other}` is no unit of a rate: there are /ms, /s, /m, /h and /d")),
        };
        let number = finite(number.trim()).ok_or_else(|| format!("`{text}` is no rate: write one like 2/s"))?;
        if number < 0.0 {
            return Err(format!("`{text}` is negative: a rate is never below zero"));
        }
        if number / per_micros > 1.0 {
            return Err(format!("`{text}` is more than one per microsecond"));
        }
        Ok(Rate { text: text.to_owned(), number, per_micros })
    }
}

/// A share: `5%`.
#[derive(Clone, PartialEq, Debug)]
pub struct Percent {
    text: String,
    fraction: f64,
}

impl Percent {
    /// As a fraction from 0 to 1.
    pub fn fraction(&self) -> f64 {
        self.fraction
    }
    /// A whole number of percent.
    pub(crate) fn whole(percent: u8) -> Percent {
        Percent { text: format!("{percent}%"), fraction: f64::from(percent) / 100.0 }
    }
}

impl FromStr for Percent {
    type Err = String;
    fn from_str(text: &str) -> Result<Percent, String> {
        let text = text.trim();
        let Some(number) = text.strip_suffix('%') else {
            return Err(if text.parse::<f64>().is_ok() {
                format!("`{text}` has no unit: write a percentage with its sign, like {text}%")
            } else {
                format!("`{text}` is no percentage: write one like 5%")
            });
        };
        match finite(number.trim()) {
            Some(number) if (0.0..=100.0).contains(&number) => {
                Ok(Percent { text: text.to_owned(), fraction: number / 100.0 })
            }
            Some(_) => Err(format!("`{text}` is not between 0% and 100%")),
            None => Err(format!("`{text}` is no percentage: write one like 5%")),
        }
    }
}

/// A decimal number, nothing else that Rust would read as a float.
pub(crate) fn finite(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && text.contains(|c: char| c.is_ascii_digit())).then_some(number)
}

macro_rules! text_scalar {
    ($name:ident, $expected:literal, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.text)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                struct Visitor;
                impl serde::de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_u64<E: Error>(self, number: u64) -> Result<$name, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                    fn visit_i64<E: Error>(self, number: i64) -> Result<$name, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                    fn visit_f64<E: Error>(self, number: f64) -> Result<$name, E> {
                        number.to_string().parse().map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
        impl schemars::JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $expected, "pattern": $pattern })
            }
        }
    };
}

text_scalar!(Rate, "a rate with its unit, like 2/s, 8/m or 20/h", r"^[0-9.eE+-]+ */ *(ms|s|m|h|d)$");
text_scalar!(Percent, "a percentage, like 5%", r"^[0-9.eE+-]+ *%$");

/// A plain number, not below zero.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, schemars::JsonSchema)]
#[schemars(inline)]
pub struct Plain(pub f64);

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Plain, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if !number.is_finite() || number < 0.0 {
            return Err(D::Error::invalid_value(Unexpected::Float(number), &"a number not below zero"));
        }
        Ok(Plain(number))
    }
}

/// What a distribution can be over: durations, or plain numbers counted in millionths.
pub trait Amount: Copy + Serialize + for<'de> Deserialize<'de> + schemars::JsonSchema {
    /// As a span.
    fn span(self) -> Span;
    /// From a scalar of a file.
    fn from_text<E: Error>(text: &str) -> Result<Self, E>;
    /// From a number of a file.
    fn from_number<E: Error>(number: f64) -> Result<Self, E>;
}

impl Amount for Span {
    fn span(self) -> Span {
        self
    }
    fn from_text<E: Error>(text: &str) -> Result<Span, E> {
        text.parse().map_err(E::custom)
    }
    fn from_number<E: Error>(number: f64) -> Result<Span, E> {
        Span::from_text(&number.to_string())
    }
}

impl Amount for Plain {
    fn span(self) -> Span {
        Span::from_micros(libm::round(self.0 * 1e6) as u64)
    }
    fn from_text<E: Error>(text: &str) -> Result<Plain, E> {
        Err(E::invalid_value(Unexpected::Str(text), &"a plain number, or a distribution"))
    }
    fn from_number<E: Error>(number: f64) -> Result<Plain, E> {
        Plain::deserialize(IntoDeserializer::<E>::into_deserializer(number))
    }
}
