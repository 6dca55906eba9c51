//! `compare FILE`: the variants of a scenario under common random numbers; the answer on stdout, files under
//! `results/<name>`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::charts::Charts;
use super::exit::{Exit, Failure};
use super::folder::Folder;
use super::progress::{Extent, watched};
use super::run::Format;
use super::session::{Outcome, Ready, Running, refusal, source};
use super::terminal::{Terminal, quoted_text};
use super::variations::read_variants;
use crate::experiment::compare::{Compared, Measure, System, compare, default_measures, differences};
use crate::experiment::{Options, Verdict};
use crate::registry::Registry;
use crate::report::charts::{Formats, write_comparison_charts};
use crate::report::comparison::{Cell, Comparison, csv, json, one_is_enough, table};
use crate::report::html;
use crate::report::number::counted;
use crate::scenario::variants::{name_of, variants, varied};
use crate::scenario::{Change, Diagnostic, Override, SourceText, Variant, metric};

/// More systems than this are no comparison: `sweep` is for them.
const VARIANTS_MAX: usize = 64;

/// Compare variants of a scenario, pair by pair.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper compare scenarios/reviews/worker-death.yaml
  lanekeeper compare scenarios/black-friday.yaml --vary engine.queue_first.queues.max=4,8,16 --precision 5%")]
pub(super) struct CompareArgs {
    /// The scenario; its first variant is what the others are compared with.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    running: Running,
    /// Values of a path instead of the file's variants, like `engine.queue_first.queues.max=4,8,16`; several: all
    /// combinations.
    #[arg(long, value_name = "PATH=A,B,C")]
    vary: Vec<String>,
    /// The variant that the others are compared with, instead of the first.
    #[arg(long, value_name = "NAME")]
    baseline: Option<String>,
    /// A metric to compare, like `wait.p95{class=sync}`; several may be given. The verdicts are corrected for their number.
    #[arg(long = "metric", value_name = "METRIC")]
    metrics: Vec<String>,
    /// Add replications until the intervals of all differences of the mean wait are this narrow against the baseline's.
    #[arg(long, value_name = "PERCENT", conflicts_with = "replications")]
    precision: Option<String>,
    /// The folder to write to [default: results/<name>].
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    charts: Charts,
}

impl CompareArgs {
    pub(super) fn command(&self) -> String {
        let mut command = self.running.command("compare", [self.file.as_path()]);
        let mut add = |option: &str, value: &str| command += &format!(" {option} {}", quoted_text(value));
        self.vary.iter().for_each(|it| add("--vary", it));
        self.baseline.iter().for_each(|it| add("--baseline", it));
        self.metrics.iter().for_each(|it| add("--metric", it));
        self.precision.iter().for_each(|it| add("--precision", it));
        command
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let formats = self.charts.formats()?;
        let source = source(Some(&self.file))?;
        let variants = self.variants(&source, terminal)?;
        let systems = self.systems(&source, &variants, registry, terminal)?;
        let measures = self.measures(&systems[0])?;
        let dir = self.output.clone().unwrap_or_else(|| Path::new("results").join(&systems[0].scenario.name));
        let folder = Folder::open(&dir)?;
        let bare: Vec<System<'_>> =
            systems.iter().map(|it| System { scenario: &it.scenario, factory: &*it.factory }).collect();
        let extent = Extent::of(&systems[0].scenario, systems.len() as u64);
        let options = Options { jobs: self.running.jobs(), timeline: false };
        let compared = watched(&extent, terminal.quiet, |progress| compare(&bare, options, progress));
        let is_complete = compared.results.iter().all(|it| it.complete);
        let comparison = if is_complete {
            self.comparison(&variants, &systems, &measures, compared)
        } else {
            let done = compared.results[0].observations.len();
            let words = format!("interrupted: {} of each variant are finished", counted(done as u64, "replication"));
            terminal.complain(&words);
            if done == 0 {
                return Ok(Exit::Interrupted);
            }
            // What repeats this result makes as many as there are.
            let done = u32::try_from(done).expect("replications are counted in u32");
            let repeat = CompareArgs { running: self.running.with_replications(done), precision: None, ..self.clone() };
            let mut comparison = repeat.comparison(&variants, &systems, &measures, compared);
            comparison.warnings.insert(0, words);
            comparison
        };
        self.write(&comparison, folder, formats, terminal)?;
        if !is_complete {
            return Ok(Exit::Interrupted);
        }
        let worst = comparison.cells.iter().map(|cell| cell.document.verdict).max().unwrap_or(Verdict::Pass);
        Ok(self.running.exit(worst))
    }

    /// What is compared, the baseline first.
    fn variants(&self, source: &SourceText, terminal: &Terminal) -> Result<Vec<Variant>, Failure> {
        let mut found = if self.vary.is_empty() {
            variants(source).map_err(|found| refusal(&[found], terminal))?
        } else {
            combinations(&self.vary)?
        };
        let name = self.file.display();
        if found.len() < 2 {
            let message = if self.vary.is_empty() {
                format!(
                    "error: {name} has {} of the two or more variants that a comparison needs\n  help: write \
                     `variants: {{today: {{…}}, future: {{}}}}`, or use --vary path=a,b",
                    found.len()
                )
            } else {
                let vary = self.vary.join(" ");
                format!("error: `--vary {vary}` gives one value\n  help: write two or more, with commas: path=a,b")
            };
            return Err(Failure { exit: Exit::Nothing, message });
        }
        if let Some(baseline) = &self.baseline {
            let Some(place) = found.iter().position(|it| it.name == *baseline) else {
                let names: Vec<_> = found.iter().map(|it| it.name.as_str()).collect();
                let message = format!("error: there is no variant `{baseline}`: there are {}", names.join(", "));
                return Err(Failure::usage(message));
            };
            found[..=place].rotate_right(1);
        }
        Ok(found)
    }

    fn systems(
        &self,
        source: &SourceText,
        variants: &[Variant],
        registry: &Registry,
        terminal: &Terminal,
    ) -> Result<Vec<Ready>, Failure> {
        let mut overrides = self.running.overrides.list();
        overrides.extend(self.precision.as_ref().map(|relative| Override {
            path: "run.replications".to_owned(),
            value: format!("{{precision: {{metric: wait.mean, relative: {relative}}}}}"),
        }));
        read_variants(Some(&self.file), source, variants, &overrides, registry, terminal)
    }

    fn measures(&self, first: &Ready) -> Result<Vec<Measure>, Failure> {
        if self.metrics.is_empty() {
            return Ok(default_measures());
        }
        let one = |text: &String| {
            metric(text, &first.scenario.labels).map_err(|(message, help)| {
                Failure::usage(Diagnostic::error(format!("--metric {text}"), message).with_help(help).to_string())
            })
        };
        self.metrics.iter().map(one).collect()
    }

    fn comparison(
        &self,
        variants: &[Variant],
        systems: &[Ready],
        measures: &[Measure],
        compared: Compared,
    ) -> Comparison {
        let first = &systems[0].scenario;
        let observations: Vec<_> = compared.results.iter().map(|it| it.observations.as_slice()).collect();
        let differences = differences(&observations, 0, measures, first.run.confidence);
        let command = self.command();
        let cell = |(((variant, system), results), same_plan): (((&Variant, &Ready), _), bool)| Cell {
            name: variant.name.clone(),
            label: variant.name.clone(),
            parameters: parameters(&variant.change),
            same_plan,
            document: Outcome::of(&system.scenario, results, Duration::ZERO)
                .document(&system.scenario, command.clone()),
            examples: None,
        };
        let mut cells: Vec<Cell> =
            variants.iter().zip(systems).zip(compared.results).zip(compared.same_plan).map(cell).collect();
        one_is_enough(&mut cells);
        Comparison {
            scenario: first.name.clone(),
            description: first.description.clone(),
            seed: first.run.seed,
            confidence: first.run.confidence,
            replications: cells[0].document.replications,
            warnings: cells.iter().filter(|it| !it.same_plan).map(other_plan).chain(same_runs(&cells)).collect(),
            cells,
            baseline: 0,
            differences,
            answer: Vec::new(),
            reproduce: command.clone(),
        }
    }

    fn write(
        &self,
        comparison: &Comparison,
        mut folder: Folder,
        formats: Formats,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        folder.write("summary.json", &json::summary(comparison))?;
        folder.write("differences.csv", &csv::differences(comparison))?;
        folder.write(html::FILE_NAME, &html::comparison_page(comparison))?;
        folder.with(|dir| write_comparison_charts(comparison, dir, formats))?;
        folder.finish(terminal);
        terminal.print(&match self.format {
            Format::Human => table::human(comparison),
            Format::Json => json::summary(comparison),
            Format::Csv => csv::differences(comparison),
            Format::Markdown => table::markdown(comparison),
        })
    }
}

fn other_plan(cell: &Cell) -> String {
    format!(
        "{} has another plan than the baseline (workload, workers or timed events differ): its differences are those of \
         the plan as well",
        cell.name
    )
}

/// Variants that went as an earlier one did, to the last fact: what tells them apart never came into play.
fn same_runs(cells: &[Cell]) -> Vec<String> {
    let earlier = |index: usize| {
        let same = |it: &&Cell| it.document.digest == cells[index].document.digest;
        cells[..index].iter().find(same).map(|first| (first, &cells[index]))
    };
    let words = |(first, cell): (&Cell, &Cell)| {
        format!("{} went exactly as {}: what tells them apart never came into play", cell.name, first.name)
    };
    (1..cells.len()).filter_map(earlier).map(words).collect()
}

/// What a variant sets, for the summary.
fn parameters(change: &Change) -> Vec<(String, serde_json::Value)> {
    match change {
        Change::Merged(serde_json::Value::Object(map)) => {
            map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        Change::Merged(_) => Vec::new(),
        Change::Set(sets) => sets.iter().map(|set| (set.path.clone(), set.value.clone().into())).collect(),
    }
}

/// Every combination of the values of these `--vary`, the last one varying fastest.
fn combinations(vary: &[String]) -> Result<Vec<Variant>, Failure> {
    let mut all: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for text in vary {
        let (path, values) = varied(text).map_err(|why| Failure::usage(format!("error: {why}")))?;
        let with =
            |one: &Vec<(String, String)>, value: &String| [one.as_slice(), &[(path.clone(), value.clone())]].concat();
        all = all.iter().flat_map(|one| values.iter().map(|value| with(one, value)).collect::<Vec<_>>()).collect();
        if all.len() > VARIANTS_MAX {
            let message = format!("error: more than {VARIANTS_MAX} variants: use `lanekeeper sweep` for this");
            return Err(Failure::usage(message));
        }
    }
    let variant = |settings: Vec<(String, String)>| Variant {
        name: name_of(&settings),
        change: Change::Set(settings.into_iter().map(|(path, value)| Override { path, value }).collect()),
    };
    Ok(all.into_iter().map(variant).collect())
}
