//! `explain FILE`: the chain of causes of a violation or of a task, in words; and what a task waited for.

use std::path::PathBuf;
use std::thread::available_parallelism;

use clap::Args;

use super::exit::{Exit, Failure};
use super::progress::{Extent, watched};
use super::session::{Overrides, Ready, read};
use super::terminal::{Terminal, quoted, quoted_text};
use crate::base::id::Id as _;
use crate::base::{TaskId, Time};
use crate::experiment::replicate::replicate_one;
use crate::experiment::{Options, replicate};
use crate::fact::Observe;
use crate::observe::Violation;
use crate::observe::waiting::Waiting;
use crate::registry::Registry;
use crate::report::explain::{Chain, Rivals, Story, Subject, why_waiting};
use crate::report::{EXAMPLES_EACH, examples, number};
use crate::world::simulate;

/// Tell why: the chain of causes of a violation or of a task, from what physically happened.
///
/// Without an option: the first violation. Violations are numbered as in the table, the report and `summary.json`.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper explain scenarios/zombie-without-lease.yaml
  lanekeeper explain scenarios/zombie-without-lease.yaml --violation 1
  lanekeeper explain scenarios/orphan-to-newcomer.yaml --task t2
  lanekeeper explain scenarios/black-friday.yaml --why-waiting t100 --replication 3")]
pub(super) struct ExplainArgs {
    /// A scenario file.
    file: PathBuf,
    /// A violation, by its number.
    #[arg(long, value_name = "N", group = "what", value_parser = clap::value_parser!(u32).range(1..))]
    violation: Option<u32>,
    /// The life of a task, like `t2`, and of those that it had to follow.
    #[arg(long, value_name = "TASK", group = "what")]
    task: Option<String>,
    /// What a task waited for, second by second.
    #[arg(long, value_name = "TASK", group = "what")]
    why_waiting: Option<String>,
    /// In which replication the task is, from 0.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "violation")]
    replication: u32,
    #[command(flatten)]
    overrides: Overrides,
}

impl ExplainArgs {
    pub(super) fn command(&self) -> String {
        let what = match (self.violation, &self.task, &self.why_waiting) {
            (Some(number), ..) => format!(" --violation {number}"),
            (None, Some(task), _) => format!(" --task {} --replication {}", quoted_text(task), self.replication),
            (None, None, Some(task)) => {
                format!(" --why-waiting {} --replication {}", quoted_text(task), self.replication)
            }
            (None, None, None) => String::new(),
        };
        format!("lanekeeper explain {}{what}{}", quoted(&self.file), self.overrides.typed())
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let ready = read(Some(&self.file), &self.overrides, registry, terminal)?;
        let story = match (&self.task, &self.why_waiting) {
            (Some(task), _) => self.task_story(&ready, task)?,
            (None, Some(task)) => self.waiting_story(&ready, task)?,
            (None, None) => self.nth_violation_story(&ready, terminal)?,
        };
        terminal.print(&story.words())?;
        Ok(Exit::Done)
    }

    fn nth_violation_story(&self, ready: &Ready, terminal: &Terminal) -> Result<Story, Failure> {
        let scenario = &ready.scenario;
        let options = Options { jobs: available_parallelism().map_or(1, usize::from), timeline: false };
        let results = watched(&Extent::of(scenario, 1), terminal.quiet, |progress| {
            replicate(scenario, &*ready.factory, options, progress)
        });
        if !results.complete {
            return Err(Failure { exit: Exit::Interrupted, message: "interrupted".to_owned() });
        }
        let found = examples(&results.observations, EXAMPLES_EACH);
        let wanted = self.violation.unwrap_or(1);
        let Some((replication, violation)) = found.get(wanted as usize - 1) else {
            let runs = number::counted(scenario.run.replications.into(), "replication");
            let message = match found.len() {
                0 => format!("nothing was violated in {runs}\n  help: `--task t1` tells the life of a task"),
                1 => format!("there is 1 violation in {runs}\n  help: `--violation 1` explains it"),
                count => format!("{count} violations are kept of {runs}\n  help: `--violation 1` to `{count}`"),
            };
            return Err(Failure { exit: Exit::Nothing, message });
        };
        Ok(violation_story(ready, u32::try_from(*replication).expect("replications are counted in u32"), violation))
    }

    fn task_story(&self, ready: &Ready, name: &str) -> Result<Story, Failure> {
        let (task, labels) = (self.named_task(ready, name)?, &ready.scenario.labels);
        let mut rivals = Rivals::new(task);
        self.simulate(ready, &mut rivals);
        let rivals = rivals.finish().ok_or_else(|| self.no_such_task(name))?;
        let observed = replicate_one(&ready.scenario, &*ready.factory, self.replication);
        let subject = Subject::task(task, rivals, &observed.violations, labels);
        Ok(chain(ready, self.replication, subject))
    }

    fn waiting_story(&self, ready: &Ready, name: &str) -> Result<Story, Failure> {
        let task = self.named_task(ready, name)?;
        let mut rivals = Rivals::new(task);
        self.simulate(ready, &mut rivals);
        rivals.finish().ok_or_else(|| self.no_such_task(name))?;
        let mut waiting = Waiting::new(task);
        let end = self.simulate(ready, &mut waiting);
        Ok(why_waiting(task, &waiting.finish(end), &ready.scenario.labels))
    }

    fn simulate(&self, ready: &Ready, observer: &mut dyn Observe) -> Time {
        simulate(&ready.scenario, &*ready.factory, self.replication, observer).ended_at
    }

    /// The task of this name: one of the script's, or `t` and its number from 1.
    fn named_task(&self, ready: &Ready, name: &str) -> Result<TaskId, Failure> {
        let scripted = ready.scenario.labels.tasks.iter().find(|(_, label)| *label == name).map(|(task, _)| task);
        let numbered = || {
            let number: u32 = name.strip_prefix('t')?.parse().ok()?;
            Some(TaskId::from_index(number.checked_sub(1)? as usize))
        };
        scripted.or_else(numbered).ok_or_else(|| {
            let help = match name.parse::<u32>() {
                Ok(number) => format!("did you mean `t{number}`?"),
                Err(_) => "tasks are named t1, t2, … as they are submitted".to_owned(),
            };
            Failure::usage(format!("error: `{name}` is no task\n  help: {help}"))
        })
    }

    fn no_such_task(&self, name: &str) -> Failure {
        let message = format!(
            "replication {} never submitted {name}\n  help: `lanekeeper run {} --events FILE` lists what happened in \
             replication 0",
            self.replication,
            quoted(&self.file)
        );
        Failure { exit: Exit::Nothing, message }
    }
}

/// The chain of causes of a violation that was seen in this replication.
pub(super) fn violation_story(ready: &Ready, replication: u32, violation: &Violation) -> Story {
    chain(ready, replication, Subject::violation(violation, &ready.scenario.labels))
}

fn chain(ready: &Ready, replication: u32, subject: Subject) -> Story {
    let scenario = &ready.scenario;
    let mut chain = Chain::new(subject, &scenario.labels, scenario.detection.ttl);
    let end = simulate(scenario, &*ready.factory, replication, &mut chain).ended_at;
    chain.finish(end)
}
