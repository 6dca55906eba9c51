//! `run [FILE…]`: simulates; a table on stdout, files under `results/<name>`. Without a file: the built-in scenario.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::charts::Charts;
use super::exit::{Exit, Failure};
use super::explain::violation_story;
use super::files::{SCENARIO, check_outputs};
use super::folder::Folder;
use super::progress::interrupted;
use super::session::{Outcome, Ready, Running, experiment, read};
use super::terminal::Terminal;
use crate::base::names::PropertySet;
use crate::registry::Registry;
use crate::report::charts::Formats;
use crate::report::events::Events;
use crate::report::explain::Story;
use crate::report::{
    Document, EXAMPLES_EACH, atomic_write, atomic_write_with, csv, json, perfetto, table, write_charts, write_reports,
};
use crate::scenario::write::yaml;
use crate::world::simulate;

/// The chains of causes of so many violations are followed: each costs a replication.
const EXPLAINED: usize = 3;

/// Simulate scenarios and report on them.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper run
  lanekeeper run scenarios/black-friday.yaml --replications 4 --charts none
  lanekeeper run a.yaml --set engine.queue_first.queues.max=6 --set run.horizon=1h -o out
  lanekeeper run a.yaml --format json > summary.json
  lanekeeper run a.yaml --charts svg --chart-size slide
  lanekeeper run a.yaml --trace trace.json --events events.ndjson")]
pub(super) struct RunArgs {
    /// Scenario files; without one, the built-in Black Friday.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    running: Running,
    /// The folder to write to [default: results/<name>]; of several scenarios, each has a folder of its name in it.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    charts: Charts,
    /// Also write the timeline of replication 0 in the trace-event format, for ui.perfetto.dev.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Also write every fact of replication 0 as a line of JSON (NDJSON).
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(super) enum Format {
    Human,
    Json,
    Csv,
    Markdown,
}

impl RunArgs {
    pub(super) fn command(&self) -> String {
        self.running.command("run", self.files.iter().map(PathBuf::as_path))
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let formats = self.charts.formats()?;
        if self.files.len() > 1 && (self.trace.is_some() || self.events.is_some()) {
            return Err(Failure::usage(
                "error: `--trace` and `--events` write one file: name one scenario\n  help: run them one by one",
            ));
        }
        let read_one = |file: Option<&Path>| read(file, &self.running.overrides, registry, terminal);
        // All are read before the first is run: a mistake in the last one costs nothing.
        let scenarios: Vec<Ready> = if self.files.is_empty() {
            vec![read_one(None)?]
        } else {
            self.files.iter().map(|file| read_one(Some(file))).collect::<Result<_, _>>()?
        };
        let mut names = BTreeSet::new();
        if let Some(twice) = scenarios.iter().find(|it| !names.insert(it.scenario.name.as_str())) {
            let name = &twice.scenario.name;
            return Err(Failure::usage(format!(
                "error: two of these scenarios are named `{name}`: they would share a folder"
            )));
        }
        let many = scenarios.len() > 1;
        let folders: Vec<Folder> = scenarios.iter().map(|it| self.folder(it, many)).collect::<Result<_, _>>()?;
        let mut exit = Exit::Done;
        for (ready, folder) in scenarios.iter().zip(folders) {
            exit = exit.max(self.one(ready, folder, formats, terminal)?);
            if interrupted() {
                return Ok(Exit::Interrupted);
            }
        }
        Ok(exit)
    }

    /// Where the result of a scenario goes, one of many or the only one; no other output may be in its way.
    fn folder(&self, ready: &Ready, many: bool) -> Result<Folder, Failure> {
        let dir = match (&self.output, many) {
            (Some(dir), false) => dir.clone(),
            (Some(dir), true) => dir.join(&ready.scenario.name),
            (None, _) => Path::new("results").join(&ready.scenario.name),
        };
        let folder = Folder::open(&dir)?;
        check_outputs(
            &[("--trace", self.trace.as_deref()), ("--events", self.events.as_deref())],
            folder.paths().map(|it| ("a file of the result", it)).chain(ready.file.clone().map(|it| (SCENARIO, it))),
        )?;
        Ok(folder)
    }

    fn one(&self, ready: &Ready, folder: Folder, formats: Formats, terminal: &Terminal) -> Result<Exit, Failure> {
        let outcome = experiment(ready, &self.running, formats.any() || self.trace.is_some(), terminal);
        let mut running = self.running.clone();
        let mut warnings = ready.warnings.clone();
        if !outcome.results.complete {
            let done = u32::try_from(outcome.results.observations.len()).expect("replications are counted in u32");
            let words = format!("interrupted: {done} of {} replications are finished", ready.scenario.run.replications);
            terminal.complain(&words);
            if done == 0 {
                return Ok(Exit::Interrupted);
            }
            // What repeats this result makes as many as there are.
            running = running.with_replications(done);
            warnings.insert(0, words);
        }
        let timing = Timing::of(&outcome, self.running.jobs());
        let command = running.command("run", ready.file.as_deref());
        let mut doc = outcome.document(&ready.scenario, command);
        doc.about.warnings = warnings;
        doc.about.resolved = yaml(&ready.written.document());
        doc.stories = stories(ready, &doc);
        publish(&doc, folder, formats, self.format, &timing, terminal)?;
        self.export(ready, &doc, terminal)?;
        let exit = self.running.exit(doc.verdict);
        // The table for people ends with the command already.
        if exit != Exit::Done && self.format != Format::Human {
            terminal.complain(&doc.reproduce);
        }
        Ok(exit)
    }
}

/// Writes reports, charts and timing into a folder, and prints the summary.
pub(super) fn publish(
    doc: &Document,
    mut folder: Folder,
    formats: Formats,
    format: Format,
    timing: &Timing,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if terminal.verbose {
        terminal.complain(&timing.words());
    }
    folder.with(|dir| write_reports(doc, dir))?;
    folder.with(|dir| write_charts(doc, dir, formats))?;
    folder.write("timing.json", &timing.json())?;
    folder.finish(terminal);
    terminal.print(&match format {
        Format::Human => table::human(doc, terminal.color_on_stdout()),
        Format::Json => json::summary(doc),
        Format::Csv => csv::summary(doc),
        Format::Markdown => table::markdown(doc),
    })
}

impl RunArgs {
    /// The files for other tools.
    fn export(&self, ready: &Ready, doc: &Document, terminal: &Terminal) -> Result<(), Failure> {
        if let Some(path) = &self.trace {
            let trace = perfetto::trace(doc).expect("a timeline was recorded");
            atomic_write(path, trace.as_bytes())?;
            terminal.say(&format!("trace written to {}: open it at https://ui.perfetto.dev", path.display()));
        }
        if let Some(path) = &self.events {
            atomic_write_with(path, |file| {
                let mut events = Events::new(&ready.scenario.labels, BufWriter::new(file));
                simulate(&ready.scenario, &*ready.factory, 0, &mut events);
                events.finish()
            })?;
            terminal.say(&format!("events written to {}", path.display()));
        }
        Ok(())
    }
}

/// The chains of causes of the first violation of each property.
fn stories(ready: &Ready, doc: &Document) -> BTreeMap<usize, Story> {
    let mut seen = PropertySet::EMPTY;
    let mut out = BTreeMap::new();
    for (index, (replication, violation)) in doc.examples(EXAMPLES_EACH).into_iter().enumerate() {
        if !seen.contains(violation.property) && out.len() < EXPLAINED {
            seen = seen.with(violation.property);
            let replication = u32::try_from(replication).expect("replications are counted in u32");
            out.insert(index, violation_story(ready, replication, violation));
        }
    }
    out
}

/// How fast the program itself was: the only thing that differs between two equal runs.
pub(super) struct Timing {
    tasks: u64,
    events: u64,
    jobs: usize,
    wall_seconds: f64,
    peak_memory_bytes: Option<u64>,
}

impl Timing {
    pub(super) fn of(outcome: &Outcome, jobs: usize) -> Timing {
        Timing {
            tasks: outcome.results.observations.iter().map(|observation| observation.tasks).sum(),
            events: outcome.results.events,
            jobs,
            wall_seconds: outcome.wall.as_secs_f64(),
            peak_memory_bytes: peak_memory(),
        }
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.wall_seconds.max(1e-9)
    }

    fn words(&self) -> String {
        let memory = self
            .peak_memory_bytes
            .map_or("unknown".to_owned(), |bytes| format!("{:.1} MiB", bytes as f64 / 1_048_576.0));
        format!(
            "tasks {}, events {}, {:.0} tasks/s, {:.0} events/s, wall time {:.3} s, peak memory {memory}",
            self.tasks,
            self.events,
            self.per_second(self.tasks),
            self.per_second(self.events),
            self.wall_seconds,
        )
    }

    fn json(&self) -> String {
        let value = json!({
            "tasks": self.tasks,
            "events": self.events,
            "tasks_per_second": self.per_second(self.tasks),
            "events_per_second": self.per_second(self.events),
            "wall_seconds": self.wall_seconds,
            "peak_memory_bytes": self.peak_memory_bytes,
            "jobs": self.jobs,
        });
        format!("{value:#}\n")
    }
}

/// The most memory that the program ever held, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
