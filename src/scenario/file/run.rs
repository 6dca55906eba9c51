//! Seed, length, replications.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::{Deserialize, Deserializer, Serialize};

use super::super::units::Percent;
use super::claims::number_or_map;
use crate::base::Span;

/// Seed, length, replications.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunFile {
    /// The only seed there is.
    pub seed: u64,
    /// Independent repetitions, 1 to 1,000,000, or as many as a precision asks for.
    pub replications: ReplicationsFile,
    /// Arrivals stop here. By default 8h; where there is nothing but a trace, its last submission, and nothing but a
    /// script, when all that it says could be over: tasks done, pauses ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Span>,
    /// Time after the horizon to finish what is left.
    pub drain: Span,
    /// Left out of the statistics, never out of the oracle.
    pub warm_up: Span,
    /// The level of confidence intervals.
    pub confidence: Percent,
}
impl Default for RunFile {
    fn default() -> Self {
        RunFile {
            seed: 42,
            replications: ReplicationsFile::Fixed(8),
            horizon: None,
            drain: Span::from_secs(7_200),
            warm_up: Span::ZERO,
            confidence: Percent::whole(95),
        }
    }
}

/// A number of replications, or `{precision: {metric: wait.p95, relative: 5%, at_most: 400}}`.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ReplicationsFile {
    /// Always so many.
    Fixed(u32),
    /// Until a metric is known precisely enough.
    Until(UntilFile),
}

/// When to stop repeating.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UntilFile {
    /// When the half-width of a confidence interval is small against the mean.
    pub precision: PrecisionFile,
}

/// How precisely a metric is to be known.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrecisionFile {
    /// Which metric, like `wait.p95` or `wait.p95{class=sync}`.
    pub metric: String,
    /// The half-width of its confidence interval is at most this part of its mean.
    pub relative: Percent,
    /// No more replications than this.
    #[serde(default = "most")]
    pub at_most: u32,
}

fn most() -> u32 {
    1_000
}

number_or_map!(
    ReplicationsFile,
    ReplicationsFile::Fixed,
    ReplicationsFile::Until,
    UntilFile,
    "a number of replications, or {precision: {metric: …, relative: …, at_most: …}}"
);
