//! What a hunt found: told on the terminal, written as scenarios, shrunk, and made a page of.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::exit::{Exit, Failure};
use super::explain::violation_story;
use super::hunt::HuntArgs;
use super::session::{Overrides, Ready, experiment, read};
use super::shrink::ShrinkArgs;
use super::terminal::Terminal;
use crate::base::Probe;
use crate::base::names::PropertySet;
use crate::experiment::hunt::{Bag, Find};
use crate::experiment::swarm::{self, Mix};
use crate::registry::Registry;
use crate::report::html::{self, Hunt, ShrunkFind};
use crate::report::{atomic_write, number};
use crate::scenario::write::yaml;

/// Finds shown and shrunk at most.
const SHOWN: usize = 10;
/// Of this many further finds the seeds are named.
const NAMED: usize = 100;

/// What was found, and all that is needed to show it.
pub(super) struct Hunted<'a> {
    pub(super) args: &'a HuntArgs,
    pub(super) first: Mix,
    pub(super) bag: &'a Bag,
    /// The scenario, where it was no swarm.
    pub(super) ready: Option<&'a Ready>,
    pub(super) registry: &'a Registry,
    pub(super) terminal: &'a Terminal,
}

impl Hunted<'_> {
    pub(super) fn show(&self) -> Result<(), Failure> {
        self.terminal.print(&self.told())?;
        let Some(dir) = &self.args.output else { return Ok(()) };
        for mix in self.bag.finds.iter().map(|find| &find.mix).chain(self.bag.worst.iter().map(|(_, mix)| mix)) {
            self.write_run(mix, dir)?;
        }
        let mut stories = Vec::new();
        for find in self.bag.finds.iter().filter(|find| find.violated != PropertySet::EMPTY).take(SHOWN) {
            self.shrink(find, dir)?;
            stories.extend(self.story(find, dir)?);
        }
        self.page(&stories, dir)
    }

    fn name(&self) -> &str {
        self.ready.map_or("swarm", |ready| &ready.scenario.name)
    }

    fn told(&self) -> String {
        let Bag { runs, tasks, wrong, .. } = self.bag;
        let mut text = format!(
            "{} from seed {}, {tasks} tasks, {wrong} of them wrong\n",
            number::counted(*runs, "run"),
            self.first.seed
        );
        if !self.terminal.quiet {
            text += &self.probes();
        }
        if let Some(metric) = &self.args.maximise {
            text += &self.worst(metric);
        }
        for find in self.bag.finds.iter().take(SHOWN) {
            let (mix, what, again) = (&find.mix, find.what(), self.again(&find.mix));
            let _ = write!(text, "\nseed {mix}: {what}\n  {}\n  repeat with: {again}\n", find.cause);
        }
        if self.bag.finds.len() > SHOWN {
            let others = self.bag.finds[SHOWN..].iter().take(NAMED).map(|it| it.mix.to_string());
            let _ = write!(text, "\nother seeds: {}\n", others.collect::<Vec<_>>().join(", "));
        }
        text
    }

    /// What the runs came across.
    fn probes(&self) -> String {
        let mut text = "probes hit, in how many runs:\n".to_owned();
        for probe in Probe::ALL {
            if let Some(count) = self.bag.probes.get(&probe.index()) {
                let _ = writeln!(text, "  {count:>9}  {probe}");
            }
        }
        text + &self.bag.never_hit().map_or_else(String::new, |never| never + "\n")
    }

    fn worst(&self, metric: &str) -> String {
        if self.bag.worst.is_empty() {
            return format!("\nno run has data for {metric}\n");
        }
        let mut text = format!("\ngreatest {metric}:\n");
        for (value, mix) in &self.bag.worst {
            let _ = writeln!(text, "  {:>12}  seed {mix}", number::measured(*value, name_of(metric)));
        }
        let again = self.again(&self.bag.worst[0].1);
        text + &format!("  repeat the first with: {again}\n")
    }

    /// The command that repeats one run.
    fn again(&self, mix: &Mix) -> String {
        let metric = self.args.maximised();
        let Some(file) = &self.args.file else {
            let redrawn: String = mix.redrawn.iter().map(|(part, seed)| format!(" --redraw {part}={seed}")).collect();
            return format!("lanekeeper hunt --swarm --seeds 1 --seed {}{redrawn}{metric}", mix.seed);
        };
        self.args.running.with_seed(mix.seed).command("hunt", [file.as_path()]) + " --seeds 1" + &metric
    }

    fn run_file(&self, mix: &Mix, dir: &Path) -> PathBuf {
        dir.join(format!("{}-{}.yaml", self.name(), mix.stem()))
    }

    fn shrunk_file(&self, mix: &Mix, dir: &Path) -> PathBuf {
        dir.join(format!("{}-{}-shrunk.yaml", self.name(), mix.stem()))
    }

    /// Writes the scenario of a run: for one of a file the file's, with the seed and one replication.
    fn write_run(&self, mix: &Mix, dir: &Path) -> Result<(), Failure> {
        let text = match self.ready {
            None => swarm::scenario(mix),
            Some(ready) => {
                let mut document = ready.written.document();
                document["run"]["seed"] = mix.seed.into();
                document["run"]["replications"] = 1.into();
                let folder = self.args.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
                at_home(&mut document, &folder.canonicalize().unwrap_or_else(|_| folder.to_owned()));
                yaml(&document)
            }
        };
        Ok(atomic_write(&self.run_file(mix, dir), text.as_bytes())?)
    }

    /// Shrinks a find; one that cannot be shrunk is said to be so and stays as it is.
    fn shrink(&self, Find { mix, first, .. }: &Find, dir: &Path) -> Result<(), Failure> {
        let file = self.args.file.clone().unwrap_or_else(|| self.run_file(mix, dir));
        let running = self.args.running.with_seed(mix.seed).with_replications(1);
        let shrink = ShrinkArgs::of(file, self.shrunk_file(mix, dir), *first, running);
        self.terminal.print(&format!("\nseed {mix}: "))?;
        match shrink.call(self.registry, self.terminal) {
            Err(failure) if failure.exit != Exit::Io => {
                self.terminal.complain(&failure.message);
                Ok(())
            }
            done => done.map(|_| ()),
        }
    }

    /// The chain of causes in a find, where it was shrunk: the names and times in it are those of the shrunk scenario.
    fn story(&self, find: &Find, dir: &Path) -> Result<Option<ShrunkFind>, Failure> {
        let shrunk = self.shrunk_file(&find.mix, dir);
        if !shrunk.exists() {
            return Ok(None);
        }
        let ready = read(Some(&shrunk), &Overrides::default(), self.registry, self.terminal)?;
        let outcome = experiment(&ready, &self.args.running, false, self.terminal);
        let violations = outcome.results.observations.first().map_or(&[][..], |it| &it.violations);
        let kept = violations.iter().find(|violation| find.first == Some(violation.property));
        Ok(kept.map(|violation| ShrunkFind {
            mix: find.mix.clone(),
            cause: format!("{}: {}", violation.property, ready.scenario.labels.named(&violation.cause)),
            story: violation_story(&ready, 0, violation),
        }))
    }

    fn page(&self, shrunk: &[ShrunkFind], dir: &Path) -> Result<(), Failure> {
        let question = match self.ready {
            None => "Is a promise ever broken, under any mix of faults?",
            Some(_) => "Is a promise ever broken, under any seed?",
        };
        let (name, first, reproduce) = (self.name(), self.first.seed, self.args.repeating(self.bag));
        let metric = self.args.maximise.as_deref();
        let hunt = Hunt { name, question, first, bag: self.bag, metric, shrunk, reproduce: &reproduce };
        let path = dir.join(html::FILE_NAME);
        atomic_write(&path, html::hunt_page(&hunt).as_bytes())?;
        self.terminal.say(&format!("written to {}; begin with {}", dir.display(), path.display()));
        Ok(())
    }
}

/// A metric without what selects a class.
fn name_of(metric: &str) -> &str {
    metric.split('{').next().unwrap_or_default()
}

/// Files that a document names relative to `folder` are named so that it can lie elsewhere.
fn at_home(document: &mut Value, folder: &Path) {
    match document {
        Value::Object(map) => {
            for (key, value) in map.iter_mut().filter(|(key, _)| *key != "engine") {
                match value {
                    Value::String(file) if key == "file" => *file = folder.join(&*file).to_string_lossy().into_owned(),
                    other => at_home(other, folder),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| at_home(item, folder)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
