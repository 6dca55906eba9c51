//! `check FILE…`: reads and validates only, variants and cells of a sweep included; every error and warning with its
//! place.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};
use super::session::{Overrides, checked};
use super::terminal::{Terminal, quoted};
use crate::registry::Registry;
use crate::scenario::write::yaml;

/// Read and validate scenarios; run nothing.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper check scenarios/black-friday.yaml
  lanekeeper check a.yaml --resolved")]
pub(super) struct CheckArgs {
    /// Scenario files.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print each scenario with all defaults filled in.
    #[arg(long)]
    resolved: bool,
    #[command(flatten)]
    overrides: Overrides,
}

impl CheckArgs {
    pub(super) fn command(&self) -> String {
        let files: String = self.files.iter().map(|file| format!(" {}", quoted(file))).collect();
        format!("lanekeeper check{files}")
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let mut exit = Exit::Done;
        for file in &self.files {
            match checked(file, &self.overrides, registry, terminal) {
                Ok(ready) if self.resolved => {
                    let separator = if self.files.len() > 1 { "---\n" } else { "" };
                    terminal.print(&format!("{separator}{}", yaml(&ready.written.document())))?;
                }
                Ok(ready) => terminal.print(&format!("ok {} ({})\n", ready.scenario.name, file.display()))?,
                Err(failure) => {
                    terminal.complain(&failure.message);
                    exit = exit.max(failure.exit);
                }
            }
        }
        Ok(exit)
    }
}
