//! `diff A B`: the first fact in which two runs differ, and what followed.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek};
use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use super::session::{Overrides, read};
use super::terminal::{Terminal, quoted};
use crate::registry::Registry;
use crate::report::difference::{Comparison, Unreadable, first_difference};
use crate::report::events::Events;
use crate::world::simulate;

/// Find the first fact in which two runs differ, and what followed.
///
/// A run is a scenario file, which is simulated, or the events that `run --events FILE` wrote (`*.ndjson`). Ends with 0
/// where all facts are equal and with 1 where they differ.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper diff scenarios/zombie-with-lease.yaml scenarios/zombie-without-lease.yaml
  lanekeeper run a.yaml --seed 7 --events before.ndjson
  lanekeeper diff before.ndjson a.yaml --seed 7 --context 20")]
pub(super) struct DiffArgs {
    /// A scenario file, or events (`*.ndjson`).
    #[arg(value_name = "A")]
    first: PathBuf,
    /// Another one.
    #[arg(value_name = "B")]
    second: PathBuf,
    #[command(flatten)]
    overrides: Overrides,
    /// Which replication of a scenario, from 0.
    #[arg(long, value_name = "N", default_value_t = 0)]
    replication: u32,
    /// How many facts to show before and after the difference.
    #[arg(long, value_name = "N", default_value_t = 8)]
    context: usize,
}

impl DiffArgs {
    pub(super) fn command(&self) -> String {
        let DiffArgs { first, second, replication, context, .. } = self;
        let (first, second, set) = (quoted(first), quoted(second), self.overrides.typed());
        format!("lanekeeper diff {first} {second}{set} --replication {replication} --context {context}")
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let first = self.lines(&self.first, registry, terminal)?;
        let second = self.lines(&self.second, registry, terminal)?;
        match first_difference(first, second, self.context).map_err(|wrong| self.unreadable(&wrong))? {
            Comparison::Equal(facts) => {
                terminal.print(&format!("no difference in {facts} facts\n"))?;
                Ok(Exit::Done)
            }
            Comparison::Differ(difference) => {
                let (first, second) = (self.first.display().to_string(), self.second.display().to_string());
                terminal.print(&difference.words(&first, &second))?;
                Ok(Exit::Violated)
            }
        }
    }

    fn unreadable(&self, Unreadable { which, line, why }: &Unreadable) -> Failure {
        let file = [&self.first, &self.second][*which];
        let place = if *line == 0 { String::new() } else { format!(":{line}") };
        let help = format!("`lanekeeper run SCENARIO --events {}` writes the events of a run", quoted(file));
        Failure::io(format!("error: cannot compare the events: {why}\n  --> {}{place}\n  help: {help}", file.display()))
    }

    /// A run as lines of events: those of a file, or of a simulation, kept in a nameless file.
    fn lines(&self, path: &Path, registry: &Registry, terminal: &Terminal) -> Result<impl BufRead, Failure> {
        if path.extension().is_some_and(|extension| extension == "ndjson") {
            let file = File::open(path)
                .map_err(|error| Failure::io(format!("error: cannot read {}: {error}", path.display())))?;
            return Ok(BufReader::new(file));
        }
        let ready = read(Some(path), &self.overrides, registry, terminal)?;
        let failed = |error| Failure::io(format!("error: cannot keep the events: {error}"));
        let mut file = tempfile::tempfile().map_err(failed)?;
        let mut events = Events::new(&ready.scenario.labels, BufWriter::new(&mut file));
        simulate(&ready.scenario, &*ready.factory, self.replication, &mut events);
        events.finish().and_then(|()| file.rewind()).map_err(failed)?;
        Ok(BufReader::new(file))
    }
}
