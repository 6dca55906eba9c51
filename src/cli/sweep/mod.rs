//! `sweep FILE`: every combination of the values of some paths; ends with a plain answer. In one go, continued, or in
//! shards on many machines that `merge` puts together: always the same bytes.

mod cells;
mod log;
mod merge;
mod outcome;
mod plan;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;

use super::charts::Charts;
use super::exit::{Exit, Failure};
use super::folder::Folder;
use super::progress::{Extent, watched};
use super::run::Format;
use super::session::{Ready, Running, read, refusal, source};
use super::terminal::{Terminal, quoted_text};
use crate::base::mix::mix;
use crate::experiment::replicate::{Progress, Run, run_each};
use crate::registry::Registry;
use crate::report::charts::Formats;
use crate::scenario::SourceText;
use crate::scenario::grid::{Grid, GridCell};
use log::{Header, Lines, Log, Record, Shard};

pub(super) use cells::Cells;
pub(super) use merge::MergeArgs;

/// Cells whose scenarios are in memory at once.
const CHUNK: usize = 64;

/// Run every combination of values, and say which is best.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper sweep scenarios/reviews/min-max-8.yaml --plan
  lanekeeper sweep scenarios/reviews/min-max-8.yaml
  lanekeeper sweep a.yaml --shard 2/4 -o part2

Ends with 1 where an engine breaks what it promises. That a cell misses what the scenario expects is an answer and no
failure: the table says which do.")]
pub(super) struct SweepArgs {
    /// The scenario, with what to vary under `sweep`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    running: Running,
    /// Values of a path instead of the file's `sweep`; several: all combinations.
    #[arg(long, value_name = "PATH=A,B,C")]
    vary: Vec<String>,
    /// Only combinations for which this holds, like 'engine.queue_first.queues.min <= engine.queue_first.queues.max'.
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// Only say how many cells there are, how long they may take and how large the results will be.
    #[arg(long)]
    plan: bool,
    /// Run only the i-th of n parts (i from 1), for `merge`.
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Continue a sweep that was interrupted, or add replications to one that is finished.
    #[arg(long)]
    resume: bool,
    /// Allow more than a million combinations.
    #[arg(long)]
    allow_huge: bool,
    /// The folder to write to [default: results/<name>].
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    charts: Charts,
}

/// A sweep that was read and found to make sense.
struct Sweep {
    base: Ready,
    source: SourceText,
    /// The cells of this shard, each with its number in the whole sweep.
    cells: Vec<(u64, GridCell)>,
    header: Header,
}

impl SweepArgs {
    pub(super) fn command(&self) -> String {
        let vary: String = self.vary.iter().map(|it| format!(" --vary {}", quoted_text(it))).collect();
        let conditions: String = self.conditions.iter().map(|it| format!(" --where {}", quoted_text(it))).collect();
        self.running.command("sweep", [self.file.as_path()]) + &vary + &conditions
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let formats = self.charts.formats()?;
        let sweep = self.sweep(registry, terminal)?;
        if self.plan {
            terminal.print(&plan::text(&sweep, self.running.jobs()))?;
            return Ok(Exit::Done);
        }
        let name = &sweep.base.scenario.name;
        let dir = self.output.clone().unwrap_or_else(|| Path::new("results").join(name));
        let folder = Folder::open(&dir)?;
        let path = dir.join(file_name(self.shard));
        let lines = self.kept(&path, &sweep)?;
        let mut log = Log::begin(&path, &sweep.header, &lines)?;
        self.run(&sweep, &lines, &mut log, registry, terminal)?;
        drop(log);
        let (header, lines) = log::read(&path)?;
        let wanted = sweep.cells.len() as u64 * u64::from(header.replications);
        if (lines.len() as u64) < wanted {
            terminal.complain(&format!(
                "interrupted: {} of {wanted} runs are finished and kept; continue with --resume",
                lines.len()
            ));
            return Ok(Exit::Interrupted);
        }
        drop(Log::begin(&path, &header, &lines)?);
        match self.shard {
            Some(Shard { index, of }) => {
                terminal.print(&format!(
                    "shard {index} of {of} of {name} is finished: {} of {} cells. Put all of them together with `lanekeeper \
                     merge DIR… -o DIR`.\n",
                    sweep.cells.len(),
                    header.cells
                ))?;
                Ok(Exit::Done)
            }
            None => finish(&header, &lines, folder, self.format, formats, terminal),
        }
    }

    fn sweep(&self, registry: &Registry, terminal: &Terminal) -> Result<Sweep, Failure> {
        let base = read(Some(&self.file), &self.running.overrides, registry, terminal)?;
        let source = source(Some(&self.file))?;
        let grid = self.grid(&source, terminal)?;
        let overrides = self.running.overrides.list();
        let all = Cells { base: &base, source: &source, overrides: &overrides, registry, terminal };
        let (cells, count) =
            all.of(&grid, |number| self.shard.is_none_or(|shard| shard.has(number)), self.allow_huge)?;
        all.check(&cells)?;
        let header = self.header(&base, &grid, count);
        Ok(Sweep { base, source, cells, header })
    }

    fn grid(&self, source: &SourceText, terminal: &Terminal) -> Result<Grid, Failure> {
        let usage = |why| Failure::usage(format!("error: {why}"));
        let grid = if self.vary.is_empty() {
            Grid::of(source).map_err(|found| refusal(&[found], terminal))?
        } else {
            Some(Grid::from_vary(&self.vary).map_err(usage)?)
        };
        let grid = grid.ok_or_else(|| Failure {
            exit: Exit::Nothing,
            message: format!(
                "error: {} varies nothing\n  help: write `sweep: {{grid: {{path: [1, 2]}}}}`, or use --vary path=a,b",
                self.file.display()
            ),
        })?;
        grid.and_typed(&self.conditions, source).map_err(|found| refusal(&[found], terminal))
    }

    fn header(&self, base: &Ready, grid: &Grid, cells: u64) -> Header {
        let scenario = &base.scenario;
        let run = &scenario.run;
        // Everything but the number of replications, which may grow.
        let mut document = base.written.document();
        document["run"]["replications"] = Value::Null;
        let text = format!("{document}{grid:?}");
        let words: Vec<u64> = text.bytes().map(u64::from).collect();
        let expect = &scenario.expect;
        Header {
            schema_version: 1,
            program: format!("lanekeeper {}", env!("CARGO_PKG_VERSION")),
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            identity: format!("{:016x}{:016x}", mix(0, &words), mix(1, &words)),
            seed: run.seed,
            replications: run.replications,
            confidence: run.confidence,
            horizon_micros: run.horizon.micros(),
            warm_up_micros: run.warm_up.micros(),
            cells,
            classes: scenario.labels.classes.values().cloned().collect(),
            thresholds: expect.thresholds.iter().map(|it| it.text.clone()).collect(),
            always: expect.always.as_ref().map(|all| all.iter().map(ToString::to_string).collect()),
            sometimes: expect.sometimes.iter().map(ToString::to_string).collect(),
            reproduce: self.command(),
            shard: self.shard,
        }
    }

    /// What is kept of an earlier run in this folder.
    fn kept(&self, path: &Path, sweep: &Sweep) -> Result<Lines, Failure> {
        if !path.exists() {
            return Ok(Lines::new());
        }
        let shown = path.display();
        if !self.resume {
            let wanted = |header: &Header| sweep.cells.len() as u64 * u64::from(header.replications);
            return match log::read(path) {
                Ok((header, lines)) if (lines.len() as u64) < wanted(&header) => Err(Failure::usage(format!(
                    "error: {shown} is a sweep that is not finished\n  help: continue it with --resume, delete it, or write \
                     to another folder with -o"
                ))),
                Ok(_) | Err(_) => Ok(Lines::new()),
            };
        }
        let (header, mut lines) = log::read(path)?;
        let replications = sweep.header.replications;
        if header.replications > replications {
            return Err(Failure::usage(format!(
                "error: {shown} has {} replications of each cell, and {replications} would throw finished runs away\n  \
                 help: ask for at least as many, or write to another folder with -o",
                header.replications
            )));
        }
        if (Header { replications, reproduce: String::new(), ..header })
            != (Header { reproduce: String::new(), ..sweep.header.clone() })
        {
            return Err(Failure::usage(format!(
                "error: {shown} was written by another sweep, seed or version\n  help: write to another folder with -o"
            )));
        }
        lines.retain(|(_, replication), _| *replication < replications);
        Ok(lines)
    }

    /// Runs what is missing and appends it, cell by cell.
    fn run(
        &self,
        sweep: &Sweep,
        lines: &Lines,
        log: &mut Log,
        registry: &Registry,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let replications = sweep.header.replications;
        let missing = |number: u64| (0..replications).filter(move |it| !lines.contains_key(&(number, *it)));
        let left: Vec<&(u64, GridCell)> = sweep.cells.iter().filter(|it| missing(it.0).next().is_some()).collect();
        let extent = Extent::of(&sweep.base.scenario, left.len() as u64);
        let overrides = self.running.overrides.list();
        let cells = Cells { base: &sweep.base, source: &sweep.source, overrides: &overrides, registry, terminal };
        watched(&extent, terminal.quiet, |progress| {
            for chunk in left.chunks(CHUNK) {
                let loaded: Vec<Ready> = chunk.iter().map(|(_, cell)| cells.read(cell)).collect::<Result<_, _>>()?;
                let runs: Vec<(usize, u32)> = chunk
                    .iter()
                    .enumerate()
                    .flat_map(|(index, (number, _))| missing(*number).map(move |replication| (index, replication)))
                    .collect();
                self.run_chunk(chunk, &loaded, &runs, log, progress)?;
                if progress.is_stopped() {
                    break;
                }
            }
            Ok(())
        })
    }

    fn run_chunk(
        &self,
        cells: &[&(u64, GridCell)],
        loaded: &[Ready],
        runs: &[(usize, u32)],
        log: &mut Log,
        progress: &Progress,
    ) -> Result<(), Failure> {
        let one = |(index, replication): &(usize, u32)| {
            let Ready { scenario, factory, .. } = &loaded[*index];
            Run { scenario, factory: &**factory, replication: *replication, timeline: false }
        };
        let mut written = Ok(());
        run_each(&runs.iter().map(one).collect::<Vec<_>>(), self.running.jobs(), progress, |place, observation, _| {
            let (index, replication) = runs[place];
            let (number, cell) = cells[index];
            let reproduce = outcome::command_of(&self.running.command("run", [self.file.as_path()]), &cell.parameters);
            let record = Record::of(*number, cell, &loaded[index], replication, &observation, &reproduce);
            if written.is_ok() {
                written = log.append(&serde_json::to_string(&record).expect("a tree of plain values has a text"));
            }
            if written.is_err() {
                progress.stop();
            }
        });
        written
    }
}

/// The name of the file that holds a sweep or a shard of it.
fn file_name(shard: Option<Shard>) -> String {
    match shard {
        None => "runs.ndjson".to_owned(),
        Some(Shard { index, of }) => format!("runs-{index}-of-{of}.ndjson"),
    }
}

/// Reports on a sweep that is complete.
fn finish(
    header: &Header,
    lines: &Lines,
    mut folder: Folder,
    format: Format,
    formats: Formats,
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    use crate::report::charts::write_comparison_charts;
    use crate::report::comparison::{Cell, csv, json, sweep};
    use crate::report::html;
    let comparison = outcome::comparison(header, lines)?;
    folder.write("summary.json", &json::summary(&comparison))?;
    folder.write("cells.csv", &csv::cells(&comparison))?;
    folder.write(html::FILE_NAME, &html::comparison_page(&comparison))?;
    folder.with(|dir| write_comparison_charts(&comparison, dir, formats))?;
    folder.finish(terminal);
    terminal.print(&match format {
        Format::Human => sweep::human(&comparison),
        Format::Json => json::summary(&comparison),
        Format::Csv => csv::cells(&comparison),
        Format::Markdown => sweep::markdown(&comparison),
    })?;
    let is_broken = comparison.cells.iter().any(Cell::breaches_a_promise);
    Ok(if is_broken { Exit::Violated } else { Exit::Done })
}
