//! `new NAME`: a commented scenario to begin with, and the schema for the editor beside it. Asks nothing, overwrites
//! nothing.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use super::schema;
use super::terminal::{Terminal, quoted, quoted_text};
use crate::report::atomic_write;
use crate::scenario::legal_name;

/// What a new scenario says; `NAME` stands for its name.
const TEMPLATE: &str = include_str!("../../assets/new-scenario.yaml");

/// Write a commented scenario file to begin with.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper new my-cluster
  lanekeeper new my-cluster -o scenarios/my-cluster.yaml")]
pub(super) struct NewArgs {
    /// The scenario's name, like `my-cluster`.
    name: String,
    /// The file to write [default: NAME.yaml].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl NewArgs {
    fn file(&self) -> PathBuf {
        self.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.yaml", self.name)))
    }

    pub(super) fn command(&self) -> String {
        format!("lanekeeper new {} -o {}", quoted_text(&self.name), quoted(&self.file()))
    }

    pub(super) fn call(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        if let Some(stem) = self.name.strip_suffix(".yaml").or_else(|| self.name.strip_suffix(".yml")) {
            let stem = quoted_text(stem);
            return Err(Failure::usage(format!(
                "error: `{}` is a file, and a name is wanted\n  help: lanekeeper new {stem}",
                self.name
            )));
        }
        if let Err((message, help)) = legal_name(&self.name) {
            return Err(Failure::usage(format!("error: {}\n  help: {help}", message.escape_debug())));
        }
        let file = self.file();
        if file.exists() {
            let (shown, name) = (file.display(), quoted_text(&self.name));
            return Err(Failure::usage(format!(
                "error: {shown} is there already, and nothing is overwritten\n  help: take another name, or \
                 `lanekeeper new {name} -o OTHER.yaml`"
            )));
        }
        let beside = file.parent().unwrap_or(Path::new("")).join("scenario.schema.json");
        if !beside.exists() {
            atomic_write(&beside, schema::text().as_bytes())?;
        }
        let shown = quoted(&file);
        let text = TEMPLATE.replace("NAME.yaml", &shown).replace("NAME", &self.name);
        atomic_write(&file, text.as_bytes())?;
        terminal.print(&format!("{} is written. Run it with:\nlanekeeper run {shown}\n", file.display()))?;
        Ok(Exit::Done)
    }
}
