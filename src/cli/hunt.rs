//! `hunt FILE|--swarm`: searches seeds, and in a swarm mixes of faults, for a violated property.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use clap::Args;

use super::exit::{Exit, Failure};
use super::explain::violation_story;
use super::progress::interrupted;
use super::session::{Overrides, Running, experiment, read};
use super::shrink::ShrinkArgs;
use super::terminal::Terminal;
use crate::base::names::PropertySet;
use crate::base::{Probe, Span};
use crate::experiment::hunt::{Bag, Find, Quarry, hunt};
use crate::experiment::replicate::Progress;
use crate::experiment::swarm;
use crate::registry::Registry;
use crate::report::atomic_write;
use crate::report::html::{self, Hunt, ShrunkFind};
use crate::scenario::{SourceText, load};

/// Finds shown at most.
const SHOWN: usize = 10;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Search seeds and mixes of faults for a violated property.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper hunt --swarm --seeds 1000
  lanekeeper hunt scenarios/black-friday.yaml --for 60s")]
pub(super) struct HuntArgs {
    /// The scenario whose seeds are searched.
    #[arg(value_name = "FILE", conflicts_with = "swarm", required_unless_present = "swarm")]
    file: Option<PathBuf>,
    /// Every seed is a scenario of its own: 2 to 16 workers, a thousand tasks an hour, each kind of fault or not.
    #[arg(long)]
    swarm: bool,
    /// How many seeds, from `--seed` on.
    #[arg(long, value_name = "N", conflicts_with = "lasts")]
    seeds: Option<u64>,
    /// For how long, like `60s`; how many runs that is depends on the machine.
    #[arg(long = "for", value_name = "TIME")]
    lasts: Option<Span>,
    /// The folder to which the scenarios of a swarm in which something was found are written, the first ones shrunk too.
    #[arg(short, long, value_name = "DIR", requires = "swarm")]
    output: Option<PathBuf>,
    #[command(flatten)]
    running: Running,
}

impl HuntArgs {
    pub(super) fn command(&self) -> String {
        let seeds = self.seeds.map(|seeds| format!(" --seeds {seeds}")).unwrap_or_default();
        let lasts = self.lasts.map(|lasts| format!(" --for {lasts}")).unwrap_or_default();
        let swarm = if self.swarm { " --swarm" } else { "" };
        self.running.command("hunt", self.file.as_deref()) + swarm + &seeds + &lasts
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let begun = Instant::now();
        let count = self.seeds.unwrap_or(if self.lasts.is_some() { u64::MAX } else { 1_000 });
        let (first, bag) = match &self.file {
            None => {
                let first = self.running.overrides.seed().unwrap_or(42);
                (first, self.watched(first, count, &|seed| from_swarm(seed, registry)))
            }
            Some(file) => {
                let ready = read(Some(file), &self.running.overrides, registry, terminal)?;
                let first = ready.scenario.run.seed;
                let of_seed = |seed| {
                    let mut scenario = ready.scenario.clone();
                    scenario.run.seed = seed;
                    Quarry { scenario, factory: ready.factory.clone() }
                };
                (first, self.watched(first, count, &of_seed))
            }
        };
        let seconds = begun.elapsed().as_secs_f64().max(1e-9);
        terminal.say(&format!("{:.0} runs/s, {:.0} tasks/s", bag.runs as f64 / seconds, bag.tasks as f64 / seconds));
        terminal.print(&self.told(first, &bag))?;
        if let Some(dir) = &self.output {
            for find in &bag.finds {
                let path = dir.join(format!("swarm-{}.yaml", find.seed));
                atomic_write(&path, swarm::scenario(find.seed).as_bytes())?;
            }
            let mut stories = Vec::new();
            for find in bag.finds.iter().filter(|find| find.violated != PropertySet::EMPTY).take(SHOWN) {
                self.shrink(find.seed, dir, registry, terminal)?;
                stories.extend(self.story(find, dir, registry, terminal)?);
            }
            self.page(first, &bag, &stories, dir, terminal)?;
        }
        if interrupted() {
            return Ok(Exit::Interrupted);
        }
        Ok(if bag.wrong > 0 { Exit::Violated } else { Exit::Done })
    }

    /// Shrinks a find of a swarm; one that cannot be shrunk is said to be so and stays as it is.
    fn shrink(&self, seed: u64, dir: &Path, registry: &Registry, terminal: &Terminal) -> Result<(), Failure> {
        let output = shrunk_file(dir, seed);
        let shrink = ShrinkArgs::of(dir.join(format!("swarm-{seed}.yaml")), output, self.running.with_seed(seed));
        terminal.print(&format!("\nseed {seed}: "))?;
        match shrink.call(registry, terminal) {
            Err(failure) if failure.exit != Exit::Io => {
                terminal.complain(&failure.message);
                Ok(())
            }
            done => done.map(|_| ()),
        }
    }

    /// The chain of causes in a find, where it was shrunk: the names and times in it are those of the shrunk scenario.
    fn story(
        &self,
        find: &Find,
        dir: &Path,
        registry: &Registry,
        terminal: &Terminal,
    ) -> Result<Option<ShrunkFind>, Failure> {
        let shrunk = shrunk_file(dir, find.seed);
        if !shrunk.exists() {
            return Ok(None);
        }
        let ready = read(Some(&shrunk), &Overrides::default(), registry, terminal)?;
        let outcome = experiment(&ready, &self.running, false, terminal);
        let violations = outcome.results.observations.first().map_or(&[][..], |it| &it.violations);
        let kept = violations.iter().find(|violation| find.violated.contains(violation.property));
        Ok(kept.map(|violation| ShrunkFind {
            seed: find.seed,
            cause: format!("{}: {}", violation.property, ready.scenario.labels.named(&violation.cause)),
            story: violation_story(&ready, 0, violation),
        }))
    }

    fn page(
        &self,
        first: u64,
        bag: &Bag,
        shrunk: &[ShrunkFind],
        dir: &Path,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let question = "Is a promise ever broken, under any mix of faults?";
        // By what was done: a hunt for a time does more on another machine.
        let reproduce = format!("lanekeeper hunt --swarm --seeds {} --seed {first}", bag.runs);
        let hunt = Hunt { name: "swarm", question, first, bag, shrunk, reproduce: &reproduce };
        let path = dir.join(html::FILE_NAME);
        atomic_write(&path, html::hunt_page(&hunt).as_bytes())?;
        terminal.say(&format!("written to {}; begin with {}", dir.display(), path.display()));
        Ok(())
    }

    /// Hunts until all seeds are done, the time is over, or Ctrl-C is pressed.
    fn watched(&self, first: u64, count: u64, quarry: &(dyn Fn(u64) -> Quarry + Sync)) -> Bag {
        let progress = Progress::default();
        let deadline = self.lasts.map(|lasts| Instant::now() + Duration::from_micros(lasts.micros()));
        std::thread::scope(|scope| {
            let (done, is_done) = channel::<()>();
            let progress = &progress;
            scope.spawn(move || {
                while is_done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                    if interrupted() || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                        progress.stop();
                    }
                }
            });
            let _done = done;
            hunt(first, count, self.running.jobs(), quarry, progress)
        })
    }

    fn told(&self, first: u64, bag: &Bag) -> String {
        let mut text =
            format!("{} runs from seed {first}, {} tasks, {} of them wrong\n", bag.runs, bag.tasks, bag.wrong);
        text += "probes hit, in how many runs:\n";
        for probe in Probe::ALL {
            if let Some(count) = bag.probes.get(&probe.index()) {
                text += &format!("  {count:>9}  {probe}\n");
            }
        }
        text += &bag.never_hit().map_or_else(String::new, |never| never + "\n");
        for find in bag.finds.iter().take(SHOWN) {
            let (what, again) = (find.what(), self.again(find.seed));
            text += &format!("\nseed {}: {what}\n  {}\n  repeat with: {again}\n", find.seed, find.cause);
        }
        if bag.finds.len() > SHOWN {
            let others: Vec<String> = bag.finds[SHOWN..].iter().take(100).map(|it| it.seed.to_string()).collect();
            text += &format!("\nother seeds: {}\n", others.join(" "));
        }
        text
    }

    fn again(&self, seed: u64) -> String {
        match &self.file {
            None => format!("lanekeeper hunt --swarm --seeds 1 --seed {seed}"),
            Some(file) => self.running.with_seed(seed).command("hunt", [file.as_path()]) + " --seeds 1",
        }
    }
}

fn shrunk_file(dir: &Path, seed: u64) -> PathBuf {
    dir.join(format!("swarm-{seed}-shrunk.yaml"))
}

fn from_swarm(seed: u64, registry: &Registry) -> Quarry {
    let text = swarm::scenario(seed);
    let loaded =
        load(&SourceText::new(format!("swarm-{seed}.yaml"), text), &[]).expect("a swarm is of valid scenarios");
    let factory = registry.factory(&loaded.scenario.engine).expect("a swarm is of built-in engines");
    Quarry { scenario: loaded.scenario, factory }
}
