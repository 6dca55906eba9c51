//! A scenario as it is written. Every type is read, written back and described to editors by the same derive; what it
//! means, and what of it is impossible, is decided where it is resolved. One file per block of keys.

mod claims;
mod distribution;
mod expect;
mod faults;
mod network;
mod run;
mod script;
mod workers;
mod workload;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::engine::EngineSpec;

pub use claims::*;
pub use distribution::*;
pub use expect::*;
pub use faults::*;
pub use network::*;
pub use run::*;
pub use script::*;
pub use workers::*;
pub use workload::*;

/// A scenario: everything that is needed to repeat a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name: letters, digits, `-`, `_`, `.`; results are written to a folder of this name.
    pub name: String,
    /// What it shows.
    #[serde(default)]
    pub description: String,
    /// Seed, length, replications.
    #[serde(default)]
    pub run: RunFile,
    /// Groups of resources.
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceFile>,
    /// Where tasks come from.
    #[serde(default)]
    pub workload: Vec<WorkloadFile>,
    /// How workers come, live and go.
    pub workers: WorkersFile,
    /// The wire between the engine and each worker.
    #[serde(default)]
    pub network: NetworkFile,
    /// How lost workers are found out.
    #[serde(default)]
    pub detection: DetectionFile,
    /// The engine and its options.
    #[serde(default)]
    pub engine: EngineSpec,
    /// Faults beyond what `workers` and `network` say.
    #[serde(default)]
    pub faults: Vec<FaultFile>,
    /// Explicit events.
    #[serde(default)]
    pub script: Vec<ScriptFile>,
    /// What is expected.
    #[serde(default)]
    pub expect: ExpectFile,
    /// Named overrides for `compare`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variants: Option<serde_json::Map<String, serde_json::Value>>,
    /// What to vary in `sweep`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<BTreeMap<String, serde_json::Value>>,
}

impl File {
    /// The same as a document, keys in the order of the types, defaults filled in.
    ///
    /// # Panics
    /// Never: every value of a file has a form in JSON.
    pub fn document(&self) -> serde_json::Value {
        // By way of JSON, whose variants are maps with one key; YAML crates write tags.
        serde_json::to_value(self).expect("every value of a file has a form in JSON")
    }
}

/// The JSON Schema (draft 7) of a scenario file, for editors.
pub fn json_schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft07();
    settings.into_generator().into_root_schema_for::<File>().to_value()
}
