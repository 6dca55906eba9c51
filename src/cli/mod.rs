//! The command line: one file per verb. Results go to stdout, everything else to stderr, and the exit code tells the
//! verdict.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "the shell around a run may look at the clock and the environment; no result depends on them"
)]

mod check;
mod exit;
mod import;
mod progress;
mod run;
mod session;
mod terminal;
mod test;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
#[command(name = "lanekeeper", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    terminal: Terminal,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    Run(run::RunArgs),
    Check(check::CheckArgs),
    Test(test::TestArgs),
    Import(import::ImportArgs),
}

impl Verb {
    fn call(&self, registry: &Registry, terminal: &Terminal) -> Result<Exit, Failure> {
        match self {
            Verb::Run(args) => args.call(registry, terminal),
            Verb::Check(args) => args.call(registry, terminal),
            Verb::Test(args) => args.call(registry, terminal),
            Verb::Import(args) => args.call(terminal),
        }
    }

    /// The command that repeats it.
    fn command(&self) -> String {
        match self {
            Verb::Run(args) => args.command(),
            Verb::Check(args) => args.command(),
            Verb::Test(args) => args.command(),
            Verb::Import(args) => args.command(),
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
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed stdout or stderr is no error of its own.
            let _ = error.print();
            return if error.exit_code() == 0 { Exit::Done } else { Exit::Usage };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }

    #[test]
    fn the_repeating_command_has_what_changes_results_and_nothing_else() {
        let args = "lanekeeper -v run a.yaml -o out --jobs 3 --seed 7 --set run.horizon=1h --charts none";
        let cli = Cli::try_parse_from(args.split(' ')).unwrap();
        assert_eq!(cli.verb.command(), "lanekeeper run a.yaml --set run.horizon=1h --seed 7");
    }
}
