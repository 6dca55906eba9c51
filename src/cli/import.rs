//! `import pulp FILE -o FILE`: a recorded history as a table, with a report of what was kept, guessed and dropped.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::exit::{Exit, Failure};
use super::files::check_outputs;
use super::terminal::{Terminal, quoted};
use crate::import::{pulp, table};
use crate::report::atomic_write;

/// Turn a recorded history into a table of tasks.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper import pulp tasks.json -o tasks.csv")]
pub(super) struct ImportArgs {
    #[command(subcommand)]
    format: Format,
}

#[derive(Clone, Subcommand, Debug)]
enum Format {
    /// What `GET /pulp/api/v3/tasks/` answers: a page, a list of pages or a list of tasks, as JSON.
    Pulp(Files),
}

#[derive(Clone, Args, Debug)]
struct Files {
    /// The recorded history.
    file: PathBuf,
    /// The table to write (CSV).
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl ImportArgs {
    pub(super) fn command(&self) -> String {
        let Format::Pulp(files) = &self.format;
        format!("lanekeeper import pulp {} -o {}", quoted(&files.file), quoted(&files.output))
    }

    pub(super) fn call(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let Format::Pulp(files) = &self.format;
        check_outputs(&[("-o", Some(&files.output))], [("the history that is read", files.file.clone())])?;
        let shown = files.file.display();
        let text =
            std::fs::read(&files.file).map_err(|error| Failure::io(format!("error: cannot read {shown}: {error}")))?;
        let imported =
            pulp::import(&text).map_err(|why| Failure::io(format!("error: {shown} is no history of Pulp: {why}")))?;
        terminal.print(&imported.report.to_string())?;
        if imported.rows.is_empty() {
            let message = format!("error: {shown} has no task that was started; nothing was written");
            return Err(Failure { exit: Exit::Nothing, message });
        }
        let mut bytes = Vec::new();
        table::write(&imported.rows, &mut bytes).map_err(|error| Failure::io(format!("error: {error}")))?;
        atomic_write(&files.output, &bytes)?;
        terminal.say(&format!("{} tasks written to {}", imported.rows.len(), files.output.display()));
        Ok(Exit::Done)
    }
}
