//! `test FILE…|DIR`: runs scenarios and judges what they expect; one line each, the failures in full.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::{Exit, Failure};
use super::files::{SCENARIO, check_outputs, scenario_files};
use super::progress::interrupted;
use super::session::{Ready, Running, checked, experiment};
use super::terminal::Terminal;
use crate::experiment::Verdict;
use crate::experiment::verify::verify;
use crate::registry::Registry;
use crate::report::atomic_write;
use crate::report::junit::{Suite, junit};

/// Run scenarios and judge their expectations.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper test scenarios/
  lanekeeper test scenarios/ --junit lanekeeper.xml --inconclusive fail
  lanekeeper test a.yaml --verify")]
pub(super) struct TestArgs {
    /// Scenario files, and folders of them (`bench` inside a folder is skipped).
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    running: Running,
    /// Run everything twice, compare the digests, and name the first fact that differs.
    #[arg(long)]
    verify: bool,
    /// Also write the verdicts as JUnit XML: one suite per scenario, one case per expectation.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// How many of each.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<PathBuf>,
    inconclusive: usize,
    suites: Vec<Suite>,
}

impl TestArgs {
    pub(super) fn command(&self) -> String {
        self.repeat(self.paths.iter().map(PathBuf::as_path))
    }

    fn repeat<'a>(&self, files: impl IntoIterator<Item = &'a Path>) -> String {
        self.running.command(if self.verify { "test --verify" } else { "test" }, files)
    }

    pub(super) fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let files = scenario_files(&self.paths)?;
        check_outputs(&[("--junit", self.junit.as_deref())], files.iter().map(|it| (SCENARIO, it.clone())))?;
        let mut tally = Tally::default();
        let mut worst = Exit::Done;
        for file in &files {
            let exit = self.one(file, &mut tally, registry, terminal)?;
            worst = worst.max(exit);
            if exit == Exit::Interrupted {
                break;
            }
            if exit != Exit::Done {
                tally.failed.push(file.clone());
            }
        }
        if let Some(path) = &self.junit {
            atomic_write(path, junit(&tally.suites, self.running.inconclusive_passes()).as_bytes())?;
            terminal.say(&format!("verdicts written to {}", path.display()));
        }
        if worst == Exit::Interrupted {
            terminal.complain("interrupted");
            return Ok(worst);
        }
        let wrong = tally.failed.len().saturating_sub(tally.inconclusive);
        terminal.print(&format!("\n{} passed, {wrong} failed, {} inconclusive\n", tally.passed, tally.inconclusive))?;
        if !tally.failed.is_empty() {
            terminal.print(&format!("Repeat with:\n{}\n", self.repeat(tally.failed.iter().map(PathBuf::as_path))))?;
        }
        Ok(worst)
    }

    /// Reads, runs and judges one file.
    fn one(&self, file: &Path, tally: &mut Tally, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        let mut suite = Suite {
            name: file.display().to_string(),
            file: file.display().to_string(),
            expectations: Vec::new(),
            error: None,
            reproduce: self.repeat([file]),
        };
        let exit = match checked(file, &self.running.overrides, registry, terminal) {
            Ok(ready) => {
                suite.name.clone_from(&ready.scenario.name);
                self.judged(&ready, &mut suite, tally, terminal)?
            }
            Err(failure) => {
                terminal.print(&format!("FAILED {}\n", file.display()))?;
                terminal.complain(&failure.message);
                suite.error = Some(failure.message);
                failure.exit
            }
        };
        if exit != Exit::Interrupted {
            tally.suites.push(suite);
        }
        Ok(exit)
    }

    fn judged(
        &self,
        ready: &Ready,
        suite: &mut Suite,
        tally: &mut Tally,
        terminal: &Terminal,
    ) -> Result<Exit, Failure> {
        let name = &ready.scenario.name;
        let outcome = experiment(ready, &self.running, false, terminal);
        if interrupted() || !outcome.results.complete {
            return Ok(Exit::Interrupted);
        }
        if self.verify {
            for (replication, seen) in (0u32..).zip(&outcome.results.observations) {
                if let Some(difference) = verify(&ready.scenario, &*ready.factory, replication, seen.digest) {
                    let facts = difference.fact.unwrap_or_else(|| "further runs agree with each other".to_owned());
                    let words = format!("replication {replication} is not the same again: {facts}");
                    terminal.print(&format!("FAILED {name}\n  nondeterminism: {words}\n"))?;
                    suite.error = Some(format!("nondeterminism: {words}"));
                    return Ok(Exit::Nondeterminism);
                }
                if interrupted() {
                    return Ok(Exit::Interrupted);
                }
            }
        }
        let exit = self.running.exit(outcome.judgement.verdict);
        let count = outcome.judgement.expectations.len();
        let word = match exit {
            Exit::Done => "ok",
            Exit::Inconclusive => "inconclusive",
            _ => "FAILED",
        };
        let plural = if count == 1 { "" } else { "s" };
        let mut text = format!("{word} {name} ({count} expectation{plural})\n");
        for it in outcome.judgement.expectations.iter().filter(|it| it.verdict != Verdict::Pass) {
            text += &format!("  {}: {}: {}\n", it.verdict, it.id, it.detail);
        }
        terminal.print(&text)?;
        tally.passed += usize::from(exit == Exit::Done);
        tally.inconclusive += usize::from(exit == Exit::Inconclusive);
        suite.expectations = outcome.judgement.expectations;
        Ok(exit)
    }
}
