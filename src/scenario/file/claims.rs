//! What a task claims of a group of resources.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

/// What a task claims of a group: a number of exclusive claims, or both kinds.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ClaimFile {
    /// So many exclusive claims.
    Exclusive(u32),
    /// Exclusive and shared claims.
    Both(BothFile),
}

/// Exclusive and shared claims; a resource is claimed at most once per task.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BothFile {
    /// How many are claimed exclusively.
    pub exclusive: CountFile,
    /// How many are claimed shared.
    pub shared: CountFile,
}

/// A number of claims: fixed, or `{uniform: {min: 1, max: 2}}`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum CountFile {
    /// Always so many.
    Fixed(u32),
    /// By chance.
    Drawn(CountDrawn),
}
impl Default for CountFile {
    fn default() -> Self {
        CountFile::Fixed(0)
    }
}

/// A number by chance.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CountDrawn {
    /// Uniform, both bounds included.
    Uniform {
        /// At least so many.
        min: u32,
        /// At most so many.
        max: u32,
    },
}

/// Reads a whole number into one variant and a map into another.
macro_rules! number_or_map {
    ($name:ident, $number:path, $map:path, $inner:ty, $expected:literal) => {
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<$name, E> {
                        u32::try_from(number).map($number).map_err(|_| {
                            E::invalid_value(serde::de::Unexpected::Unsigned(number), &$expected)
                        })
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        <$inner>::deserialize(MapAccessDeserializer::new(map)).map($map)
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, generator.subschema_for::<$inner>()] })
            }
        }
    };
}
pub(super) use number_or_map;

number_or_map!(
    ClaimFile,
    ClaimFile::Exclusive,
    ClaimFile::Both,
    BothFile,
    "a number of exclusive claims, or {exclusive: …, shared: …}"
);
number_or_map!(
    CountFile,
    CountFile::Fixed,
    CountFile::Drawn,
    CountDrawn,
    "a number of claims, or {uniform: {min: …, max: …}}"
);
