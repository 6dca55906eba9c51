//! `schema`: the JSON schema of a scenario file, for editors.

use clap::Args;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;
use crate::scenario::file::json_schema;

/// Print the JSON schema of a scenario file, for editors.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper schema > scenario.schema.json

A scenario uses it by its first line:
  # yaml-language-server: $schema=./scenario.schema.json")]
pub(super) struct SchemaArgs {}

impl SchemaArgs {
    pub(super) fn command(&self) -> String {
        "lanekeeper schema".to_owned()
    }

    pub(super) fn call(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        terminal.print(&text())?;
        Ok(Exit::Done)
    }
}

/// The schema as it is committed and printed.
pub(super) fn text() -> String {
    format!("{:#}\n", json_schema())
}
