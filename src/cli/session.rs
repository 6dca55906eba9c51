//! What the verbs share: a scenario is read, run and judged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::exit::{Exit, Failure};
use super::progress::{self, Extent};
use super::terminal::{Terminal, quoted, quoted_text};
use super::variations::check_all;
use crate::engine::EngineFactory;
use crate::experiment::judge::{Judgement, hex, judge};
use crate::experiment::stationarity::warnings;
use crate::experiment::stats::{Estimates, estimates, refusals};
use crate::experiment::{Options, Results, Verdict, replicate};
use crate::registry::Registry;
use crate::report::{About, Document};
use crate::scenario::assumptions::assumptions;
use crate::scenario::diagnose::Kind;
use crate::scenario::file::File;
use crate::scenario::{Diagnostic, Loaded, Override, Scenario, SourceText, load};

/// The scenario that runs where none is named.
const EMBEDDED: &str = include_str!("../../scenarios/black-friday.yaml");
const EMBEDDED_NAME: &str = "black-friday.yaml (built in)";

/// What wins over the scenario file.
#[derive(Clone, Args, Default, Debug)]
pub(super) struct Overrides {
    /// The root seed.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many replications to run.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    replications: Option<u32>,
    /// Any value of the file, like `engine.queue_first.queues.max=16`.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    set: Vec<Override>,
}

impl Overrides {
    /// In the order in which they are applied: the later one wins.
    pub(super) fn list(&self) -> Vec<Override> {
        let one = |path: &str, value: String| Override { path: path.to_owned(), value };
        let mut list = self.set.clone();
        list.extend(self.seed.map(|seed| one("run.seed", seed.to_string())));
        list.extend(self.replications.map(|number| one("run.replications", number.to_string())));
        list
    }

    /// The seed that was asked for.
    pub(super) fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// As they are typed.
    pub(super) fn typed(&self) -> String {
        let mut out = String::new();
        for set in &self.set {
            out += &format!(" --set {}", quoted_text(&format!("{}={}", set.path, set.value)));
        }
        out += &self.seed.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
        out + &self.replications.map(|number| format!(" --replications {number}")).unwrap_or_default()
    }
}

/// How experiments are run and judged.
#[derive(Clone, Args, Debug)]
pub(super) struct Running {
    #[command(flatten)]
    pub(super) overrides: Overrides,
    /// How many threads run replications; never changes a result. Default: one per processor.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// What an inconclusive verdict counts as; without it the program ends with code 3.
    #[arg(long, value_enum, value_name = "AS")]
    inconclusive: Option<CountAs>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum CountAs {
    Pass,
    Fail,
}

impl Running {
    /// The same with this seed.
    pub(super) fn with_seed(&self, seed: u64) -> Running {
        Running { overrides: Overrides { seed: Some(seed), ..self.overrides.clone() }, ..self.clone() }
    }

    /// The same with so many replications.
    pub(super) fn with_replications(&self, number: u32) -> Running {
        Running { overrides: Overrides { replications: Some(number), ..self.overrides.clone() }, ..self.clone() }
    }

    pub(super) fn jobs(&self) -> usize {
        self.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from)
    }

    /// Whether an inconclusive verdict counts as passed.
    pub(super) fn inconclusive_passes(&self) -> bool {
        self.inconclusive == Some(CountAs::Pass)
    }

    pub(super) fn exit(&self, verdict: Verdict) -> Exit {
        match (verdict, self.inconclusive) {
            (Verdict::Inconclusive, Some(CountAs::Pass)) => Exit::Done,
            (Verdict::Inconclusive, Some(CountAs::Fail)) => Exit::Violated,
            (Verdict::Pass | Verdict::Fail | Verdict::Inconclusive, _) => Exit::of(verdict),
        }
    }

    /// The command that repeats a verb on these files: what changes no result is not in it.
    pub(super) fn command<'a>(&self, verb: &str, files: impl IntoIterator<Item = &'a Path>) -> String {
        let files: String = files.into_iter().map(|file| format!(" {}", quoted(file))).collect();
        let inconclusive = match self.inconclusive {
            None => "",
            Some(CountAs::Pass) => " --inconclusive pass",
            Some(CountAs::Fail) => " --inconclusive fail",
        };
        format!("lanekeeper {verb}{files}{}{inconclusive}", self.overrides.typed())
    }
}

/// A scenario and its engine, ready to run.
pub(super) struct Ready {
    /// `None`: the embedded one.
    pub(super) file: Option<PathBuf>,
    pub(super) scenario: Scenario,
    pub(super) factory: Arc<dyn EngineFactory>,
    /// What was read, defaults filled in.
    pub(super) written: File,
    /// Warnings about the scenario, one sentence each.
    pub(super) warnings: Vec<String>,
}

/// Reads a scenario; warnings are said, errors are the failure.
pub(super) fn read(
    file: Option<&Path>,
    overrides: &Overrides,
    registry: &Registry,
    terminal: &Terminal,
) -> Result<Ready, Failure> {
    let source = source(file)?;
    let (ready, warnings) = ready(file, &source, load(&source, &overrides.list()), registry, terminal)?;
    for warning in &warnings {
        terminal.say(&warning.render(terminal.color_on_stderr()));
    }
    Ok(ready)
}

/// Reads a scenario with everything its file holds: what `compare` and `sweep` would run is read as well.
pub(super) fn checked(
    file: &Path,
    overrides: &Overrides,
    registry: &Registry,
    terminal: &Terminal,
) -> Result<Ready, Failure> {
    let ready = read(Some(file), overrides, registry, terminal)?;
    check_all(&ready, &source(Some(file))?, &overrides.list(), registry, terminal)?;
    Ok(ready)
}

/// A scenario that was read from `source`, with its engine and the warnings that go with it.
pub(super) fn ready(
    file: Option<&Path>,
    source: &SourceText,
    loaded: Result<Loaded, Vec<Diagnostic>>,
    registry: &Registry,
    terminal: &Terminal,
) -> Result<(Ready, Vec<Diagnostic>), Failure> {
    let Loaded { scenario, warnings, file: written } = loaded.map_err(|found| refusal(&found, terminal))?;
    let unknown = |why| refusal(&[Diagnostic::error(&source.path, why)], terminal);
    let factory = registry.factory(&scenario.engine).map_err(unknown)?;
    let messages = warnings.iter().map(|warning| warning.message.clone()).collect();
    Ok((Ready { file: file.map(Path::to_owned), scenario, factory, written, warnings: messages }, warnings))
}

/// The failure that these findings are.
pub(super) fn refusal(found: &[Diagnostic], terminal: &Terminal) -> Failure {
    let only_io = found.iter().all(|it| it.kind == Kind::Io);
    let exit = if only_io { Exit::Io } else { Exit::Usage };
    let texts: Vec<_> = found.iter().map(|it| it.render(terminal.color_on_stderr())).collect();
    Failure { exit, message: texts.join("\n\n") }
}

pub(super) fn source(file: Option<&Path>) -> Result<SourceText, Failure> {
    let Some(file) = file else { return Ok(SourceText::new(EMBEDDED_NAME, EMBEDDED)) };
    let path = file.display().to_string();
    let text = std::fs::read(file).map_err(|error| {
        let other = ["yaml", "yml"].map(|extension| file.with_extension(extension)).into_iter().find(|it| it.is_file());
        let hint = match other {
            _ if file.is_dir() => "\n  help: name a file, or use `lanekeeper test` for a folder".to_owned(),
            Some(other) => format!("\n  help: there is {}", other.display()),
            None => String::new(),
        };
        Failure::usage(format!("error: cannot read {path}: {error}{hint}"))
    })?;
    let dir = file.parent().map(Path::to_owned).unwrap_or_default();
    Ok(SourceText { path, dir, text })
}

/// What a scenario gave.
pub(super) struct Outcome {
    pub(super) results: Results,
    pub(super) estimates: Estimates,
    pub(super) judgement: Judgement,
    pub(super) wall: Duration,
}

/// Runs and judges; `timeline`: charts will be drawn.
pub(super) fn experiment(ready: &Ready, running: &Running, timeline: bool, terminal: &Terminal) -> Outcome {
    let scenario = &ready.scenario;
    let begun = Instant::now();
    let results = progress::watched(&Extent::of(scenario, 1), terminal.quiet, |progress| {
        replicate(scenario, &*ready.factory, Options { jobs: running.jobs(), timeline }, progress)
    });
    let wall = begun.elapsed();
    Outcome::of(scenario, results, wall)
}

impl Outcome {
    /// Estimates and judges what a scenario gave.
    pub(super) fn of(scenario: &Scenario, results: Results, wall: Duration) -> Outcome {
        let estimates = estimates(&results.observations, scenario.run.confidence);
        let judgement = judge(scenario, &results, &estimates);
        Outcome { results, estimates, judgement, wall }
    }

    /// What reports show. Only the replications that finished count.
    pub(super) fn document(self, scenario: &Scenario, reproduce: String) -> Document {
        let finished = u32::try_from(self.results.observations.len()).expect("replications are counted in u32");
        Document {
            scenario: scenario.name.clone(),
            description: scenario.description.clone(),
            engine: self.results.engine,
            seed: scenario.run.seed,
            replications: finished,
            horizon: scenario.run.horizon,
            warm_up: scenario.run.warm_up,
            confidence: scenario.run.confidence,
            digest: hex(self.results.digest),
            labels: scenario.labels.clone(),
            estimates: self.estimates,
            refusals: refusals(&self.results.observations).into_iter().collect(),
            warnings: warnings(scenario, &self.results.observations),
            observations: self.results.observations,
            expectations: self.judgement.expectations,
            verdict: self.judgement.verdict,
            promised: self.judgement.judged,
            replayed: None,
            reproduce,
            about: About { assumptions: assumptions(scenario, finished), ..About::default() },
            stories: BTreeMap::new(),
        }
    }
}
