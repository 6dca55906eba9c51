//! `hunt FILE|--swarm`: searches seeds, and in a swarm mixes of faults, for a violated property or bad performance.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, Instant};

use clap::Args;

use super::exit::{Exit, Failure};
use super::hunted::Hunted;
use super::progress::{self, interrupted, looking};
use super::session::{Ready, Running, read};
use super::terminal::{Terminal, quoted_text};
use crate::base::{ClassId, Span};
use crate::experiment::hunt::{Bag, Hunt, Quarry, Watch, hunt};
use crate::experiment::swarm::{self, Mix, Part};
use crate::registry::Registry;
use crate::report::{check_writable, html};
use crate::scenario::{self, SourceText, load};

/// Search seeds and mixes of faults for a violated property, or for bad performance.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper hunt --swarm --seeds 1000
  lanekeeper hunt --swarm --guided --for 60s -o finds
  lanekeeper hunt scenarios/black-friday.yaml --seeds 20 --maximise queue.churn")]
pub(super) struct HuntArgs {
    /// The scenario whose seeds are searched.
    #[arg(value_name = "FILE", conflicts_with = "swarm")]
    pub(super) file: Option<PathBuf>,
    /// Every seed is a scenario of its own: 2 to 16 workers, a thousand tasks an hour, each kind of fault or not.
    #[arg(long)]
    swarm: bool,
    /// How many runs, from `--seed` on.
    #[arg(long, value_name = "N", conflicts_with = "lasts", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// For how long, like `60s`; how many runs that is depends on the machine.
    #[arg(long = "for", value_name = "TIME")]
    lasts: Option<Span>,
    /// Every other run is one that came across something rare (or performed worst), with one part drawn anew.
    #[arg(long, conflicts_with = "file")]
    guided: bool,
    /// A part of the swarm's scenarios is drawn from a seed of its own: how a guided hunt names what it found.
    #[arg(long, value_name = "PART=SEED", conflicts_with = "file")]
    redraw: Vec<Redrawn>,
    /// Look for the greatest values of this metric too, like `queue.churn` or `wait.p95{class=one}`.
    #[arg(long, value_name = "METRIC")]
    pub(super) maximise: Option<String>,
    /// The folder for the report, and for what was found as scenarios, the first ones shrunk.
    #[arg(short, long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) running: Running,
}

/// A part of a swarm's scenario and its own seed.
#[derive(Clone, Copy, Debug)]
struct Redrawn(Part, u64);

impl FromStr for Redrawn {
    type Err = String;
    fn from_str(text: &str) -> Result<Redrawn, String> {
        let (part, seed) = text.split_once('=').ok_or("write PART=SEED, like engine=7")?;
        Ok(Redrawn(part.parse()?, seed.parse().map_err(|_| format!("`{seed}` is no seed"))?))
    }
}

impl HuntArgs {
    pub(super) fn command(&self) -> String {
        let seeds = self.seeds.map(|seeds| format!(" --seeds {seeds}")).unwrap_or_default();
        let lasts = self.lasts.map(|lasts| format!(" --for {lasts}")).unwrap_or_default();
        self.with_options() + &seeds + &lasts
    }

    /// By what was done: a hunt for a time does more on another machine.
    pub(super) fn repeating(&self, bag: &Bag) -> String {
        format!("{} --seeds {}", self.with_options(), bag.runs)
    }

    fn with_options(&self) -> String {
        let swarm = if self.swarm { " --swarm" } else { "" };
        let guided = if self.guided { " --guided" } else { "" };
        let redraw: String = self.redraw.iter().map(|Redrawn(part, seed)| format!(" --redraw {part}={seed}")).collect();
        self.running.command("hunt", self.file.as_deref()) + swarm + guided + &redraw + &self.maximised()
    }

    pub(super) fn maximised(&self) -> String {
        self.maximise.as_ref().map(|metric| format!(" --maximise {}", quoted_text(metric))).unwrap_or_default()
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        if let Some(dir) = &self.output {
            check_writable(&dir.join(html::FILE_NAME))?;
        }
        let begun = Instant::now();
        let redrawn: BTreeMap<Part, u64> = self.redraw.iter().map(|Redrawn(part, seed)| (*part, *seed)).collect();
        let (first, bag, ready) = match &self.file {
            None if !self.swarm => {
                let help = "help: name a scenario, or use --swarm, which makes its own";
                return Err(Failure::usage(format!("error: there is nothing to hunt in\n  {help}")));
            }
            None => {
                let first = Mix { seed: self.running.overrides.seed().unwrap_or(42), redrawn };
                let quarry = |mix: &Mix| from_swarm(mix, registry);
                (first.clone(), self.search(first, &quarry, terminal)?, None)
            }
            Some(file) => {
                let ready = read(Some(file), &self.running.overrides, registry, terminal)?;
                let first = Mix::of(ready.scenario.run.seed);
                let quarry = |mix: &Mix| of_seed(&ready, mix.seed);
                (first.clone(), self.search(first, &quarry, terminal)?, Some(ready))
            }
        };
        let seconds = begun.elapsed().as_secs_f64().max(1e-9);
        terminal.say(&format!("{:.0} runs/s, {:.0} tasks/s", bag.runs as f64 / seconds, bag.tasks as f64 / seconds));
        let exit = if bag.wrong > 0 { Exit::Violated } else { Exit::Done };
        Hunted { args: self, first, bag: &bag, ready: ready.as_ref(), registry, terminal }.show()?;
        Ok(if interrupted() { Exit::Interrupted } else { exit })
    }

    /// Hunts until all runs are done, the time is over, or Ctrl-C is pressed.
    fn search(
        &self,
        first: Mix,
        quarry: &(dyn Fn(&Mix) -> Quarry + Sync),
        terminal: &Terminal,
    ) -> Result<Bag, Failure> {
        let runs = self.seeds.unwrap_or(if self.lasts.is_some() { u64::MAX } else { 1_000 });
        let maximise = self.metric(&quarry(&first))?;
        let plan = Hunt { quarry, first, runs, jobs: self.running.jobs(), guided: self.guided, maximise };
        let (watch, bar, begun) = (Watch::default(), progress::line(terminal.quiet), Instant::now());
        let lasts = self.lasts.map(|lasts| Duration::from_micros(lasts.micros()));
        let look = || {
            let gone = begun.elapsed();
            if interrupted() || lasts.is_some_and(|lasts| gone >= lasts) {
                watch.stop();
            }
            let speed = watch.runs() as f64 / gone.as_secs_f64().max(1e-9);
            let (runs, probes, wrong) = (watch.runs(), watch.probes(), watch.wrong());
            bar.set_message(format!("{runs} runs, {speed:.0} runs/s, {probes} probes hit, {wrong} finds"));
            bar.tick();
        };
        let bag = looking(look, || hunt(&plan, &watch));
        bar.finish_and_clear();
        Ok(bag)
    }

    /// The metric to maximise, as the scenario of a run knows it.
    fn metric(&self, quarry: &Quarry) -> Result<Option<(&'static str, Option<ClassId>)>, Failure> {
        let Some(text) = &self.maximise else { return Ok(None) };
        match scenario::metric(text, &quarry.scenario.labels) {
            Ok((metric, class)) => Ok(Some((metric.name, class))),
            Err((message, help)) => {
                let help = if help.is_empty() { help } else { format!("\n  help: {help}") };
                Err(Failure { exit: Exit::Usage, message: format!("error: --maximise: {message}{help}") })
            }
        }
    }
}

fn from_swarm(mix: &Mix, registry: &Registry) -> Quarry {
    let source = SourceText::new(format!("swarm-{}.yaml", mix.stem()), swarm::scenario(mix));
    let loaded = load(&source, &[]).expect("a swarm is of valid scenarios");
    let factory = registry.factory(&loaded.scenario.engine).expect("a swarm is of built-in engines");
    Quarry { scenario: loaded.scenario, factory }
}

fn of_seed(ready: &Ready, seed: u64) -> Quarry {
    let mut scenario = ready.scenario.clone();
    scenario.run.seed = seed;
    Quarry { scenario, factory: ready.factory.clone() }
}
