//! Distributions, or constants in their place.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use super::super::units::{Amount, Plain};

/// A distribution, or a constant.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum DistFile<V: Amount> {
    /// Always the same.
    Constant(V),
    /// By chance.
    Drawn(DrawnFile<V>),
}

/// A distribution.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields, bound(deserialize = "V: Amount"))]
pub enum DrawnFile<V: Amount> {
    /// Uniform, both bounds included.
    Uniform {
        /// Lower bound.
        min: V,
        /// Upper bound.
        max: V,
    },
    /// Exponential.
    Exponential {
        /// Its mean.
        mean: V,
    },
    /// Lognormal.
    Lognormal {
        /// Its own mean.
        mean: V,
        /// Standard deviation / mean.
        cv: Plain,
    },
    /// A sum of `shape` exponentials.
    Erlang {
        /// How many stages.
        shape: u32,
        /// Its mean.
        mean: V,
    },
    /// Weibull.
    Weibull {
        /// Its shape.
        shape: Plain,
        /// Its mean.
        mean: V,
    },
    /// Pareto, cut off: what is beyond `cap` is `cap`.
    Pareto {
        /// Its shape.
        shape: Plain,
        /// Its smallest value.
        min: V,
        /// Its largest value.
        cap: V,
    },
    /// One of recorded values, each alike.
    Empirical {
        /// A table with a column `service`, or one column without a header; relative to the scenario file.
        file: String,
        /// Only the rows of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
    },
}

impl<'de, V: Amount> Deserialize<'de> for DistFile<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<V>(PhantomData<V>);
        impl<'de, V: Amount> serde::de::Visitor<'de> for Visitor<V> {
            type Value = DistFile<V>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a constant, or a distribution like {exponential: {mean: …}}")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                V::from_text(text).map(DistFile::Constant)
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Self::Value, E> {
                V::from_number(number as f64).map(DistFile::Constant)
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Self::Value, E> {
                V::from_number(number as f64).map(DistFile::Constant)
            }
            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Self::Value, E> {
                V::from_number(number).map(DistFile::Constant)
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                DrawnFile::deserialize(MapAccessDeserializer::new(map)).map(DistFile::Drawn)
            }
        }
        deserializer.deserialize_any(Visitor(PhantomData))
    }
}

impl<V: Amount> JsonSchema for DistFile<V> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Distribution_of_{}", V::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [generator.subschema_for::<V>(), generator.subschema_for::<DrawnFile<V>>()] })
    }
}
