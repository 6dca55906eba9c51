//! The command line: one file per verb. Results go to stdout, everything else to stderr, and the exit code tells the
//! verdict.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the shell around a run may look at the clock and the environment; no result depends on them"
)]

mod charts;
mod check;
mod compare;
mod completions;
mod diff;
mod exit;
mod explain;
mod files;
mod folder;
mod hunt;
mod hunted;
mod import;
mod man;
mod new;
mod progress;
mod replay;
mod run;
mod schema;
mod selftest;
mod session;
mod shrink;
mod sweep;
mod terminal;
mod test;
mod variations;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};

use crate::experiment::replicate::ReplicationPanic;
use crate::registry::Registry;
use exit::Failure;
use terminal::Terminal;

pub use exit::Exit;

/// Which worker should serve which queue, and is it safe? Simulates a task cluster and judges its assignment engine.
///
/// Exit codes: 0 all expectations hold; 1 violated; 2 usage or scenario error; 3 inconclusive; 4 nothing selected;
/// 5 nondeterminism; 70 internal error; 74 another file could not be read or written; 130 interrupted.
#[derive(Parser, Debug)]
#[command(
    name = "lanekeeper",
    version,
    long_version = concat!(env!("CARGO_PKG_VERSION"), " (", env!("LANEKEEPER_BUILD"), ")"),
    arg_required_else_help = true,
    after_help = "Examples:
  lanekeeper run                         the built-in scenario: table, charts and report
  lanekeeper new my-cluster              a commented scenario to begin with
  lanekeeper test scenarios/             do they all behave as they say?
  lanekeeper run --help                  every verb has examples"
)]
struct Cli {
    #[command(flatten)]
    terminal: Terminal,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Run(run::RunArgs),
    Compare(compare::CompareArgs),
    Sweep(sweep::SweepArgs),
    Merge(sweep::MergeArgs),
    Selftest(selftest::SelftestArgs),
    Check(check::CheckArgs),
    Test(test::TestArgs),
    Hunt(hunt::HuntArgs),
    Replay(replay::ReplayArgs),
    Explain(explain::ExplainArgs),
    Diff(diff::DiffArgs),
    Import(import::ImportArgs),
    New(new::NewArgs),
    Schema(schema::SchemaArgs),
    Completions(completions::CompletionsArgs),
    Man(man::ManArgs),
    Shrink(shrink::ShrinkArgs),
}

impl Verb {
    fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        match self {
            Verb::Run(args) => args.call(registry, terminal),
            Verb::Compare(args) => args.call(registry, terminal),
            Verb::Sweep(args) => args.call(registry, terminal),
            Verb::Merge(args) => args.call(terminal),
            Verb::Selftest(args) => args.call(terminal),
            Verb::Check(args) => args.call(registry, terminal),
            Verb::Test(args) => args.call(registry, terminal),
            Verb::Hunt(args) => args.call(registry, terminal),
            Verb::Replay(args) => args.call(registry, terminal),
            Verb::Explain(args) => args.call(registry, terminal),
            Verb::Diff(args) => args.call(registry, terminal),
            Verb::Import(args) => args.call(terminal),
            Verb::New(args) => args.call(terminal),
            Verb::Schema(args) => args.call(terminal),
            Verb::Completions(args) => args.call(Cli::command(), terminal),
            Verb::Man(args) => args.call(Cli::command(), terminal),
            Verb::Shrink(args) => args.call(registry, terminal),
        }
    }

    /// The command that repeats it.
    fn command(&self) -> String {
        match self {
            Verb::Run(args) => args.command(),
            Verb::Compare(args) => args.command(),
            Verb::Sweep(args) => args.command(),
            Verb::Merge(args) => args.command(),
            Verb::Selftest(args) => args.command(),
            Verb::Check(args) => args.command(),
            Verb::Test(args) => args.command(),
            Verb::Hunt(args) => args.command(),
            Verb::Replay(args) => args.command(),
            Verb::Explain(args) => args.command(),
            Verb::Diff(args) => args.command(),
            Verb::Import(args) => args.command(),
            Verb::New(args) => args.command(),
            Verb::Schema(args) => args.command(),
            Verb::Completions(args) => args.command(),
            Verb::Man(args) => args.command(),
            Verb::Shrink(args) => args.command(),
        }
    }
}

/// The program with its built-in engines and policies.
pub fn main() -> ExitCode {
    main_with(&Registry::new())
}

/// The program with engines and policies of your own beside the built-in ones.
pub fn main_with(registry: &Registry) -> ExitCode {
    call(std::env::args_os(), registry).into()
}

fn call(args: impl IntoIterator<Item = OsString>, registry: &Registry) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.exit_code() == 0 { Exit::Done } else { Exit::Usage };
            // A closed stdout or stderr is no error of its own.
            let _ = with_tip(error, &args).print();
            return exit;
        }
    };
    progress::catch_interruptions();
    match catch_unwind(AssertUnwindSafe(|| cli.verb.call(registry, &cli.terminal))) {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            cli.terminal.complain(&failure.message);
            failure.exit
        }
        Err(cause) => {
            let place = match cause.downcast_ref::<ReplicationPanic>() {
                Some(panic) => format!(" in replication {}", panic.replication),
                None => String::new(),
            };
            cli.terminal
                .complain(&format!("internal error{place}: this is a bug in lanekeeper. It happens again with:"));
            cli.terminal.complain(&cli.verb.command());
            Exit::Internal
        }
    }
}

/// With what somebody meant who named a scenario where a verb is wanted, or wrote blanks between the values to try.
fn with_tip(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.clone()),
        Some(_) | None => None,
    };
    let is_scenario =
        |word: &String| [".yaml", ".yml"].iter().any(|end| word.ends_with(end)) || Path::new(word).is_file();
    let tip = if let Some(word) = word(ContextKind::InvalidSubcommand).filter(is_scenario) {
        format!("did you mean `lanekeeper run {}`?", terminal::quoted_text(&word))
    } else if let Some(word) = word(ContextKind::InvalidArg).filter(|word| !word.starts_with('-'))
        && args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg == "--vary" || arg.starts_with("--vary="))
    {
        format!("values to try are written with commas and without blanks: --vary path=1,{word}")
    } else {
        return error;
    };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_blanks_between_values_to_try_is_told_of_commas() {
        let told = |line: &str| {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            with_tip(Cli::try_parse_from(&args).unwrap_err(), &args).to_string()
        };
        let tip = "tip: values to try are written with commas and without blanks: --vary path=1,8";
        assert!(told("lanekeeper compare a.yaml --vary a=4 8").contains(tip));
        assert!(told("lanekeeper compare a.yaml --vary=a=4 8").contains(tip));
        assert!(!told("lanekeeper compare a.yaml --vary a=4 --wary").contains(tip));
        assert!(!told("lanekeeper check a.yaml --set a=4 --wary").contains(tip));
        assert!(!told("lanekeeper compare a.yaml 8").contains("values to try"), "nobody spoke of --vary");
    }

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_verb_has_examples_and_they_are_right() {
        for verb in Cli::command().get_subcommands().chain([&Cli::command()]) {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples = help.lines().filter_map(|line| line.trim_start().strip_prefix("lanekeeper "));
            let mut count = 0;
            for example in examples {
                let example = example.split(['>', '|']).next().unwrap_or_default();
                let example = example.split("   ").next().unwrap_or_default();
                let words = ["lanekeeper"].into_iter().chain(example.split_whitespace());
                let read = Cli::try_parse_from(words.map(|word| word.trim_matches('\'')));
                let shows_help = read.as_ref().is_err_and(|error| error.exit_code() == 0);
                assert!(read.is_ok() || shows_help, "{example}: {read:?}");
                count += 1;
            }
            assert!(count > 0, "{} has no example", verb.get_name());
        }
    }

    #[test]
    fn the_repeating_command_has_what_changes_results_and_nothing_else() {
        let args = "lanekeeper -v run a.yaml -o out --jobs 3 --seed 7 --set run.horizon=1h --charts none";
        let cli = Cli::try_parse_from(args.split(' ')).unwrap();
        assert_eq!(cli.verb.command(), "lanekeeper run a.yaml --set run.horizon=1h --seed 7");
    }
}
