//! Faults beyond what `workers` and `network` say.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};

use super::super::units::{Percent, Plain};
use crate::base::Span;

/// A fault. Whom it hits is drawn from a stream of its own, so that it moves no other draw.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultFile {
    /// Workers crash; they are restarted as `workers.restart_after` says.
    Crash {
        /// When.
        at: Span,
        /// How many.
        #[serde(default = "one")]
        count: u32,
        /// At which moment of their work.
        #[serde(default)]
        when: CrashFile,
    },
    /// Workers stand still.
    Pause {
        /// When.
        at: Span,
        /// How many workers, or `all`.
        workers: ChosenFile,
        /// For how long.
        #[serde(rename = "for")]
        lasts: Span,
    },
    /// Hosts ask workers to leave; nobody takes their place.
    Quiesce {
        /// When.
        at: Span,
        /// How many workers, or `all`.
        workers: ChosenFile,
    },
    /// Messages of workers are lost, and their tasks go on.
    Isolate {
        /// When.
        at: Span,
        /// How many workers, or `all`.
        workers: ChosenFile,
        /// For how long.
        #[serde(rename = "for")]
        lasts: Span,
        /// Which way.
        #[serde(default)]
        direction: DirectionFile,
    },
    /// Workers execute slowly.
    Slow {
        /// When.
        at: Span,
        /// How many workers, or `all`.
        workers: ChosenFile,
        /// So many times slower, 1 to 1000.
        factor: Plain,
        /// For how long.
        #[serde(rename = "for")]
        lasts: Span,
    },
    /// Clocks of workers go wrong: they run fast or slow, and jump.
    Clock {
        /// When.
        #[serde(default)]
        at: Span,
        /// How many workers, or `all` (those that come later included).
        workers: ChosenFile,
        /// A worker's clock is off by this from its beginning, like `-5m`; only with `workers: all`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offset: Option<String>,
        /// It gains so many µs a second; negative: it loses them.
        #[serde(default)]
        drift_ppm: f64,
        /// It jumps by this at `at`, like `-5s`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        jump: Option<String>,
    },
    /// The engine crashes and a new one is restored from its records.
    EngineCrash(EngineCrashFile),
    /// A second engine is restored while the first one is alive.
    SecondEngine {
        /// When.
        at: Span,
        /// The first one is switched off after this, if it has not noticed before.
        #[serde(rename = "for")]
        lasts: Span,
    },
    /// Many workers crash within a second.
    MassDeath {
        /// When.
        at: Span,
        /// Which share of them.
        fraction: Percent,
    },
    /// Many tasks, or many workers, come at one instant.
    Herd {
        /// When.
        at: Span,
        /// How many tasks.
        #[serde(default)]
        tasks: u64,
        /// Of which class of the workload.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// How many workers.
        #[serde(default)]
        workers: u32,
    },
    /// Tasks do harm.
    Poison {
        /// Only those of this class.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// Which share of them.
        share: Percent,
        /// What they do.
        does: PoisonFile,
    },
    /// Clients give tasks up.
    Cancel {
        /// Which share of them.
        share: Percent,
        /// When.
        when: CancelFile,
    },
    /// The store in which the engine keeps its records fails.
    Store {
        /// When.
        at: Span,
        /// For how long.
        #[serde(rename = "for")]
        lasts: Span,
        /// How.
        does: StoreFile,
        /// So long after an engine that ended because of it a new one is restored.
        #[serde(default = "recovery")]
        recover_after: Span,
        /// How long a slow store takes.
        #[serde(default = "second")]
        by: Span,
    },
}

/// The engine crashes at the first input from then on that has what `point` names.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EngineCrashFile {
    /// When; in a script the event's own `at` says it.
    #[serde(default)]
    pub at: Span,
    /// How long there is no engine.
    #[serde(default = "recovery")]
    pub recover_after: Span,
    /// At which point of its work.
    #[serde(default)]
    pub point: CrashPointFile,
}

fn one() -> u32 {
    1
}
fn recovery() -> Span {
    Span::from_secs(10)
}
fn second() -> Span {
    Span::from_secs(1)
}

/// At which moment of its work a worker crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrashFile {
    /// At once, whatever it does.
    #[default]
    Now,
    /// When the store has the effect of its next task, before it reports it.
    BeforeReport,
}

/// Where in the handling of an input an engine crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CrashPointFile {
    /// Before it persists anything.
    BeforePersist,
    /// When the first record is durable, before anything follows from it.
    #[default]
    AfterPersist,
    /// Before it sends anything.
    BeforeSend,
    /// When the first message is sent.
    AfterSend,
}

/// Which way messages are lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectionFile {
    /// Both ways.
    #[default]
    Both,
    /// Those to the engine.
    ToEngine,
    /// Those of the engine.
    FromEngine,
}

/// What a poisonous task does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoisonFile {
    /// Its worker dies at the end of it, each time.
    KillsWorker,
    /// It executes for ever.
    NeverEnds,
}

/// When a client gives a task up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelFile {
    /// A second after it was submitted, if it has not begun.
    Waiting,
    /// When an order to start it is on its way.
    Starting,
    /// In the middle of its first attempt.
    Running,
    /// When it has run to its end.
    Finished,
}

/// How the store fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreFile {
    /// It refuses records: that ends the engine.
    Refuse,
    /// Records are durable and the engine does not hear of it: that ends it too.
    LoseAnswer,
    /// It takes its time, and what follows a record waits for it.
    Slow,
}

/// So many workers, drawn when it happens, or `all`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChosenFile {
    /// So many.
    Count(u32),
    /// All of them.
    All,
}

impl Serialize for ChosenFile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ChosenFile::Count(count) => serializer.serialize_u32(*count),
            ChosenFile::All => serializer.serialize_str("all"),
        }
    }
}

impl<'de> Deserialize<'de> for ChosenFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = ChosenFile;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of workers, or `all`")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<ChosenFile, E> {
                let wrong = |_| E::invalid_value(serde::de::Unexpected::Unsigned(number), &self);
                u32::try_from(number).map(ChosenFile::Count).map_err(wrong)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ChosenFile, E> {
                match text {
                    "all" => Ok(ChosenFile::All),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for ChosenFile {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ChosenFile".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "const": "all" }] })
    }
}
