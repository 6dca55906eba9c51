//! `check FILE…|DIR`: reads and validates only, variants and cells of a sweep included; every error and warning with its
//! place.

use std::path::PathBuf;

use clap::Args;

use super::exit::{Exit, Failure};
use super::files::scenario_files;
use super::session::{Overrides, checked};
use super::terminal::{Terminal, quoted};
use crate::registry::Registry;
use crate::scenario::write::yaml;

/// Read and validate scenarios; run nothing.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper check scenarios/black-friday.yaml
  lanekeeper check scenarios/
  lanekeeper check a.yaml --resolved")]
pub(super) struct CheckArgs {
    /// Scenario files, and folders of them (`bench` inside a folder is skipped).
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Print each scenario with all defaults filled in.
    #[arg(long)]
    resolved: bool,
    #[command(flatten)]
    overrides: Overrides,
}

impl CheckArgs {
    pub(super) fn command(&self) -> String {
        let files: String = self.paths.iter().map(|file| format!(" {}", quoted(file))).collect();
        format!("lanekeeper check{files}")
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let files = scenario_files(&self.paths)?;
        let mut exit = Exit::Done;
        for file in &files {
            match checked(file, &self.overrides, registry, terminal) {
                Ok(ready) if self.resolved => {
                    let separator = if files.len() > 1 { "---\n" } else { "" };
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
