//! `replay HISTORY`: simulates a recorded history; simulated against recorded waits come first.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::charts::Charts;
use super::exit::{Exit, Failure};
use super::folder::Folder;
use super::progress::interrupted;
use super::run::{Format, Timing, publish};
use super::session::{Outcome, Overrides, Ready};
use super::terminal::{Terminal, quoted};
use crate::base::{Span, Time};
use crate::engine::pull_locks::spec::{CleanUp, PullLocksSpec};
use crate::engine::{EngineSpec, pull_locks};
use crate::experiment::judge::judge;
use crate::experiment::replay::fidelity::Fidelity;
use crate::experiment::replay::history::History;
use crate::experiment::replay::lives::Lives;
use crate::experiment::replay::overheads::{Overheads, fit, mean};
use crate::experiment::replay::{Replay, Replayed};
use crate::experiment::stats::estimates;
use crate::import::{pulp, table};
use crate::registry::Registry;
use crate::report::number::{self, counted};
use crate::scenario::{Action, Diagnostic, Override, Scenario, ScriptEvent, Source, SourceText, load};

/// What stands before the lives of the workers in the text that is read: so many lines, and one blank in each line.
const LINES_BEFORE_LIVES: usize = 1;

/// Simulate a recorded history and compare the waits.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper replay tasks.json --workers 4                        # how near is the simulation?
  lanekeeper replay tasks.json --workers 4 --fit first-half       # and where it has not looked?
  lanekeeper replay tasks.csv --workers 4 --lives lives.yaml      # - {at: 5m, crash: {worker: w2}}
  lanekeeper replay tasks.json --workers 4 --engine queue_first   # what would have happened?")]
pub(super) struct ReplayArgs {
    /// What `GET /pulp/api/v3/tasks/` answered (JSON), or a table with the columns `started` and `finished` (CSV).
    #[arg(value_name = "HISTORY")]
    file: PathBuf,
    /// The engine that replays it: `pull_locks`, `queue_first`, `worker_owned`, or one of your own. Its options: --set.
    #[arg(long, value_name = "NAME", default_value = "pull_locks")]
    engine: String,
    /// How many workers there were at first [default: the most tasks that ran at once].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    workers: Option<u32>,
    /// How workers came and went: a YAML list of `script` events join, crash, quiesce; time 0 is the first submission.
    /// One that joins is ready at once, or after `--set workers.startup=4s`.
    #[arg(long, value_name = "FILE")]
    lives: Option<PathBuf>,
    /// Where the overheads are taken from; from the first half: the waits of the second half are predicted.
    #[arg(long, value_enum, default_value_t = Fit::All)]
    fit: Fit,
    #[command(flatten)]
    overrides: Overrides,
    /// The folder to write to [default: results/replay-<history>].
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    charts: Charts,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Fit {
    /// From the whole history.
    All,
    /// From what happened before the first task of its second half was created.
    FirstHalf,
}

impl ReplayArgs {
    pub(super) fn command(&self) -> String {
        let mut out = format!("lanekeeper replay {} --engine {}", quoted(&self.file), self.engine);
        out += &self.workers.map(|number| format!(" --workers {number}")).unwrap_or_default();
        out += &self.lives.as_ref().map(|file| format!(" --lives {}", quoted(file))).unwrap_or_default();
        out += match self.fit {
            Fit::All => "",
            Fit::FirstHalf => " --fit first-half",
        };
        out + &self.overrides.typed()
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let formats = self.charts.formats()?;
        let history = self.history(terminal)?;
        let workers = self.workers.unwrap_or_else(|| history.concurrency().max(1));
        let lives = Lives::of(workers, &self.script(workers, &history)?, &history);
        let (until, judged_from) = match self.fit {
            Fit::All => (Time::MAX, Time::ZERO),
            Fit::FirstHalf => (history.half(), history.half()),
        };
        let order_of_choices = match self.fit {
            Fit::All => Vec::new(),
            Fit::FirstHalf => lives.order_of_choices(&history, until),
        };
        let fitted = Fitted { workers, overheads: fit(&history, &lives, until), lives, order_of_choices };
        let ready = self.ready(&history, &fitted, registry, terminal)?;
        let mirrors = matches!(ready.scenario.engine, EngineSpec::PullLocks(_));
        let history = if mirrors { history } else { history.with_guessed_services(&fitted.lives) };
        let start_takes = if mirrors { Span::ZERO } else { fitted.held() };
        let mut scenario = ready.scenario;
        scenario.workload = vec![Source::Table { rows: history.workload() }];
        scenario.labels.classes = history.labels.classes.clone();
        scenario.labels.resources = history.labels.resources.clone();
        let dir = self.output.clone().unwrap_or_else(|| Path::new("results").join(&scenario.name));
        let folder = Folder::open(&dir)?;
        let begun = Instant::now();
        let replay = Replay { history: &history, lives: &fitted.lives, judged_from, start_takes, mirrors };
        let (results, fidelity) = replay.run(&scenario, &*ready.factory, formats.any(), &interrupted);
        let complete = results.complete;
        scenario.run.replications = u32::try_from(results.observations.len()).expect("replications are counted in u32");
        let words = format!("interrupted: {} are finished", counted(scenario.run.replications.into(), "replication"));
        if !complete {
            terminal.complain(&words);
            if scenario.run.replications == 0 {
                return Ok(Exit::Interrupted);
            }
        }
        let as_chosen = if complete { self.as_chosen(&scenario, &replay) } else { None };
        let estimates = estimates(&results.observations, scenario.run.confidence);
        let judgement = judge(&scenario, &results, &estimates);
        let outcome = Outcome { results, estimates, judgement, wall: begun.elapsed() };
        let timing = Timing::of(&outcome, 1);
        let mut doc = outcome.document(&scenario, self.command());
        if !complete {
            doc.warnings.insert(0, words);
        }
        let remarks = remarks(&history, &fitted.lives, start_takes);
        let fitted_on = self.fit.words();
        doc.replayed = Some(Replayed { fidelity, as_chosen, overheads: fitted.overheads, fitted_on, mirrors, remarks });
        publish(&doc, folder, formats, self.format, &timing, terminal)?;
        Ok(if complete { Exit::of(doc.verdict) } else { Exit::Interrupted })
    }

    /// The same replay where workers choose among several tasks as they did in the history: `None` for an engine that
    /// does not mirror it, and for a prediction, which must not know.
    fn as_chosen(&self, scenario: &Scenario, replay: &Replay<'_>) -> Option<Fidelity> {
        let EngineSpec::PullLocks(spec) = &scenario.engine else { return None };
        if self.fit == Fit::FirstHalf {
            return None;
        }
        let spec =
            PullLocksSpec { pick_order: replay.lives.order_of_choices(replay.history, Time::MAX), ..spec.clone() };
        let factory = pull_locks::factory(&spec);
        let scenario = Scenario { engine: EngineSpec::PullLocks(spec), ..scenario.clone() };
        Some(replay.run(&scenario, &*factory, false, &|| false).1)
    }

    /// The lives of the workers, before anything is known of the engine.
    fn script(&self, workers: u32, history: &History) -> Result<Vec<ScriptEvent>, Failure> {
        let source = self.source()?;
        let loaded = load(&source, &self.keys(workers, history)).map_err(|found| refused(found, &source))?;
        let script = loaded.scenario.script;
        let lives = |event: &ScriptEvent| {
            matches!(event.action, Action::Join { .. } | Action::Crash { .. } | Action::Quiesce { .. })
        };
        if script.iter().all(lives) {
            Ok(script)
        } else {
            Err(Failure::usage(format!(
                "error: {}: the lives of workers are join, crash and quiesce only",
                source.path
            )))
        }
    }

    /// The lives as the script of a scenario without anything else; what else it needs is set.
    fn source(&self) -> Result<SourceText, Failure> {
        let Some(file) = &self.lives else { return Ok(SourceText::new("the replay", "script: []\n")) };
        let shown = file.display().to_string();
        let lives = std::fs::read(file).map_err(|error| Failure::io(format!("error: cannot read {shown}: {error}")))?;
        let mut text = b"script:\n".to_vec();
        for line in lives.split_inclusive(|byte| *byte == b'\n') {
            text.push(b' ');
            text.extend(line);
        }
        Ok(SourceText::new(shown, text))
    }

    fn keys(&self, workers: u32, history: &History) -> Vec<Override> {
        let last = history.tasks.values().next_back().map_or(Time::ZERO, |task| task.submitted);
        vec![
            set("name", self.name()),
            set("run.replications", "20"),
            set("run.horizon", format!("{}us", last.micros().max(1))),
            set("run.drain", "1d"),
            set("workers.initial", workers.to_string()),
        ]
    }

    /// `replay-` and what of the file's name can stand in a name.
    fn name(&self) -> String {
        let stem = self.file.file_stem().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default();
        let legal = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        format!("replay-{}", stem.chars().map(legal).take(80).collect::<String>())
    }

    /// The scenario without its workload, and the engine.
    fn ready(
        &self,
        history: &History,
        fitted: &Fitted,
        registry: &Registry,
        terminal: &Terminal,
    ) -> Result<Ready, Failure> {
        let mut keys = self.keys(fitted.workers, history);
        keys.push(set("engine", fitted.engine(&self.engine, history).to_string()));
        if self.engine != "pull_locks" {
            keys.push(set("workers.overhead", format!("{}us", fitted.held().micros())));
        } else if let Some((_, shortest)) = fitted.clean_ups(history) {
            // Whoever was cleaned up had not been heard for its ttl, also where its task starts a little late.
            let ttl = Span::from_micros((shortest.micros() / 2).clamp(3, 30_000_000));
            keys.push(set("detection.ttl", format!("{}us", ttl.micros())));
            keys.push(set("detection.heartbeat", format!("{}us", ttl.micros() / 3)));
        }
        keys.extend(self.overrides.list());
        let source = self.source()?;
        let mut loaded = load(&source, &keys).map_err(|found| refused(found, &source))?;
        in_lives(&mut loaded.warnings, &source);
        for warning in &loaded.warnings {
            terminal.say(&warning.render(terminal.color_on_stderr()));
        }
        let engine = &loaded.scenario.engine;
        if let EngineSpec::PullLocks(spec) = engine
            && let Some(unknown) = spec.pick_order.iter().find(|task| **task as usize >= history.tasks.len())
        {
            let last = history.tasks.len() - 1;
            let message =
                format!("there is no task {unknown} in the history: its tasks are 0 to {last}, by submission");
            return Err(Failure::usage(Diagnostic::error("--set engine.pull_locks.pick_order", message).to_string()));
        }
        let factory = registry.factory(engine).map_err(|why| Failure::usage(format!("error: {why}")))?;
        Ok(Ready {
            file: None,
            scenario: loaded.scenario,
            factory,
            written: loaded.file,
            warnings: loaded.warnings.into_iter().map(|warning| warning.message).collect(),
        })
    }

    fn history(&self, terminal: &Terminal) -> Result<History, Failure> {
        let shown = self.file.display();
        let bytes =
            std::fs::read(&self.file).map_err(|error| Failure::io(format!("error: cannot read {shown}: {error}")))?;
        let is_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|it| matches!(it, b'{' | b'['));
        let rows = if is_json {
            let imported = pulp::import(&bytes)
                .map_err(|why| Failure::io(format!("error: {shown} is no history of Pulp: {why}")))?;
            terminal.say(imported.report.to_string().trim_end());
            imported.rows
        } else {
            table::read(&bytes).map_err(|why| Failure::io(format!("error: {shown}: {why}")))?
        };
        if rows.is_empty() {
            let message = format!("error: {shown} has no task that was started; there is nothing to replay");
            return Err(Failure { exit: Exit::Nothing, message });
        }
        History::of(&rows).map_err(|why| Failure::io(format!("error: {shown}: {why}")))
    }
}

impl Fit {
    fn words(self) -> &'static str {
        match self {
            Fit::All => "the whole history",
            Fit::FirstHalf => "its first half",
        }
    }
}

/// What the history says of the system that it was recorded from.
struct Fitted {
    workers: u32,
    overheads: Overheads,
    lives: Lives,
    /// In which order workers took tasks, as far as the replay may know it.
    order_of_choices: Vec<u32>,
}

impl Fitted {
    /// So much longer than its tasks run a worker is held, each time.
    fn held(&self) -> Span {
        let [_, _, (_, from_idle), (_, from_busy)] = self.overheads.steps();
        mean(if from_busy.is_empty() { from_idle } else { from_busy })
    }

    /// When dead workers were cleaned up, and how long the shortest clean-up took.
    fn clean_ups(&self, history: &History) -> Option<(Vec<Span>, Span)> {
        self.lives.clean_ups(history, mean(&self.overheads.unblocked_to_started))
    }

    /// The engine of this name, with the options that the history gives it.
    fn engine(&self, name: &str, history: &History) -> Value {
        match name {
            "pull_locks" => {
                let mut spec = PullLocksSpec::default();
                self.overheads.apply(&mut spec);
                spec.pick_order.clone_from(&self.order_of_choices);
                spec.clean_up = self.clean_ups(history).map(|(instants, _)| CleanUp::At(instants));
                json!({ "pull_locks": spec })
            }
            "queue_first" => json!({"queue_first": {"queues": {"min": self.workers, "max": self.workers}}}),
            "worker_owned" => json!({"worker_owned": {}}),
            custom => json!({"custom": {"name": custom}}),
        }
    }
}

fn set(path: &str, value: impl Into<String>) -> Override {
    Override { path: path.to_owned(), value: value.into() }
}

/// What is wrong with the lives.
fn refused(mut found: Vec<Diagnostic>, source: &SourceText) -> Failure {
    in_lives(&mut found, source);
    Failure::usage(found.iter().map(|it| it.render(false)).collect::<Vec<_>>().join("\n\n"))
}

/// Findings about the text that is read, at the lines and columns of the file of lives.
fn in_lives(found: &mut [Diagnostic], source: &SourceText) {
    for it in found.iter_mut().filter(|it| it.file == source.path) {
        let Some((line, column)) = &mut it.place else { continue };
        if *line > LINES_BEFORE_LIVES {
            (*line, *column) = (*line - LINES_BEFORE_LIVES, column.saturating_sub(1).max(1));
            it.line_text = it.line_text.strip_prefix(' ').unwrap_or_default().to_owned();
        } else {
            // The list as a whole.
            it.place = None;
        }
        it.help.get_or_insert_with(|| "the lives are a list, like - {at: 5m, crash: {worker: w2}}; [] for none".into());
    }
}

/// What a reader must know to trust the figures.
fn remarks(history: &History, lives: &Lives, start_takes: Span) -> Vec<String> {
    let mut out = vec![lives.words()];
    let incomplete = history.tasks.values().filter(|task| !task.completed).count();
    let killed = lives.killed_tasks();
    if killed > 0 {
        let tasks = number::counted(killed as u64, "task");
        out.push(format!("{tasks} killed with its worker: each keeps its claims until the recorded clean-up"));
    }
    if lives.held_tasks() > 0 {
        let tasks = number::counted(lives.held_tasks() as u64, "task");
        out.push(format!("{tasks} taken by a worker that died before the start: nobody takes it until the clean-up"));
    }
    if incomplete > killed {
        let tasks = number::counted((incomplete - killed) as u64, "task");
        out.push(format!("{tasks} did not complete, and ran until the recorded end; if workers died, use --lives"));
    }
    if !start_takes.is_zero() {
        out.push(format!(
            "a task begins {start_takes} after its worker took it (finished_to_next): the waits above count that, those \
             below do not"
        ));
    }
    out
}
