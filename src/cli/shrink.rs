//! `shrink FILE -o FILE`: makes a failing run minimal, keeping the same violated property.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use super::files::{SCENARIO, check_outputs};
use super::progress::interrupted;
use super::session::{Ready, Running, experiment, read};
use super::terminal::{Terminal, quoted};
use crate::base::Property;
use crate::base::names::PropertySet;
use crate::experiment::judge::judged_properties;
use crate::experiment::record::record;
use crate::experiment::replicate::replicate_one;
use crate::experiment::shrink::{Aim, Options, Shrunk, Size, shrink};
use crate::observe::{Observation, Violation};
use crate::registry::Registry;
use crate::report::atomic_write;
use crate::scenario::write::yaml;

/// Make a failing run minimal: a script of few events that violates the same property for the same kind of cause.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper shrink failing.yaml -o small.yaml                       the first broken promise
  lanekeeper shrink failing.yaml --seed 7 --property order -o small.yaml")]
pub(super) struct ShrinkArgs {
    /// The scenario.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The scenario to write.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// The violated property to keep. Default: the first that is violated and must not be.
    #[arg(long, value_name = "NAME")]
    property: Option<Property>,
    /// Shrink this replication. Default: the first in which the property is violated.
    #[arg(long, value_name = "N")]
    replication: Option<u32>,
    #[command(flatten)]
    running: Running,
}

impl ShrinkArgs {
    /// Shrinks how `file` violates a property into `output`.
    pub(super) fn of(file: PathBuf, output: PathBuf, property: Option<Property>, running: Running) -> ShrinkArgs {
        ShrinkArgs { file, output, property, replication: None, running }
    }

    pub(super) fn command(&self) -> String {
        let mut out = self.running.command("shrink", [self.file.as_path()]);
        out += &format!(" -o {}", quoted(&self.output));
        out += &self.property.map(|it| format!(" --property {it}")).unwrap_or_default();
        out + &self.replication.map(|it| format!(" --replication {it}")).unwrap_or_default()
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        if self.output.is_dir() {
            let shown = self.output.display();
            return Err(Failure::usage(format!(
                "error: {shown} is a folder\n  help: name a file: -o {shown}/small.yaml"
            )));
        }
        check_outputs(&[("-o", Some(&self.output))], [(SCENARIO, self.file.clone())])?;
        let ready = read(Some(&self.file), &self.running.overrides, registry, terminal)?;
        let promised = ready.factory.guarantees(ready.scenario.detection).properties;
        let judged = judged_properties(&ready.scenario.expect, promised);
        let observations = match self.replication {
            Some(replication) => vec![replicate_one(&ready.scenario, &*ready.factory, replication)],
            None => {
                let results = experiment(&ready, &self.running, false, terminal).results;
                if interrupted() || !results.complete {
                    return Ok(Exit::Interrupted);
                }
                results.observations
            }
        };
        let Some((replication, violation)) = self.violation(&observations, judged) else {
            let what = self.property.map_or_else(|| "nothing is".to_owned(), |it| format!("`{it}` is not"));
            let file = self.file.display();
            let help = "`lanekeeper hunt` looks for a seed that violates something";
            let message = format!("error: {what} violated in {file}: there is nothing to shrink\n  help: {help}");
            return Err(Failure { exit: Exit::Nothing, message });
        };
        let engines = |spec: &_| registry.factory(spec).ok();
        let dir = self.file.parent().map(Path::to_owned).unwrap_or_default();
        let options = Options { engines: &engines, jobs: self.running.jobs(), dir, stop: &interrupted };
        let shrunk = self.shrink(&ready, replication, violation, &options)?;
        self.write(&shrunk, &ready, replication, terminal)?;
        Ok(if interrupted() { Exit::Interrupted } else { Exit::Done })
    }

    /// The violation to keep, and in which replication it is: of a promise before others.
    fn violation<'a>(&self, seen: &'a [Observation], judged: PropertySet) -> Option<(u32, &'a Violation)> {
        let all = || {
            let numbered = (self.replication.unwrap_or(0)..=u32::MAX).zip(seen);
            numbered.flat_map(|(number, observation)| observation.violations.iter().map(move |it| (number, it)))
        };
        match self.property {
            Some(property) => all().find(|(_, it)| it.property == property),
            None => all().find(|(_, it)| judged.contains(it.property)).or_else(|| all().next()),
        }
    }

    fn shrink(
        &self,
        ready: &Ready,
        replication: u32,
        violation: &Violation,
        options: &Options<'_>,
    ) -> Result<Shrunk, Failure> {
        let recorded = record(&ready.scenario, &ready.written, &*ready.factory, replication);
        shrink(&recorded.map(|file| file.document()), Aim::at(violation), options).ok_or_else(|| Failure {
            exit: Exit::Nothing,
            message: format!(
                "error: the run with every choice written out does not violate {} in the same way: it hangs on what a \
                 script cannot say (what the engine decides by chance, the order of two messages of one instant)\n  \
                 help: try another seed or replication",
                violation.property
            ),
        })
    }

    fn write(&self, shrunk: &Shrunk, ready: &Ready, replication: u32, terminal: &Terminal) -> Result<(), Failure> {
        let seed = ready.scenario.run.seed;
        let origin = format!("{}, seed {seed}, replication {replication}", self.file.display());
        atomic_write(&self.output, as_file(shrunk, &self.output, &origin).as_bytes())?;
        let (Size { events, workers, tasks }, after) = (shrunk.before, shrunk.after);
        let text = format!(
            "{} violated at {}: {}\n{events} events -> {}, {workers} workers -> {}, {tasks} tasks -> {} ({} runs tried)\n",
            shrunk.violation.property,
            shrunk.violation.at,
            shrunk.cause(),
            after.events,
            after.workers,
            after.tasks,
            shrunk.tried
        );
        terminal.print(&text)?;
        if !shrunk.is_minimal {
            terminal.print("the search was ended here: more could perhaps be left out (shrink the result again)\n")?;
        }
        for (violation, document) in &shrunk.others {
            let path = beside(&self.output, violation.property);
            atomic_write(&path, yaml(document).as_bytes())?;
            terminal.print(&format!("also found: {} violated, in {}\n", violation.property, path.display()))?;
        }
        terminal.print(&format!("Repeat with:\nlanekeeper test {}\n", quoted(&self.output)))
    }
}

/// The text of a shrunk scenario under the name of its file.
fn as_file(shrunk: &Shrunk, path: &Path, origin: &str) -> String {
    let mut document = shrunk.document.clone();
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let legal = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(legal).take(100).collect();
    document["name"] = name.trim_start_matches(['-', '.']).into();
    document["description"] = format!("{}: {}", shrunk.violation.property, shrunk.cause()).into();
    format!("# Shrunk from {}.\n{}", origin.replace(['\n', '\r'], " "), yaml(&document))
}

/// Where what was found on the way goes.
fn beside(path: &Path, property: Property) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}-also-{property}.yaml"))
}
