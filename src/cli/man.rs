//! `man [VERB]`: the manual page of the program or of one of its verbs.

use clap::{Args, Command};
use clap_mangen::Man;

use super::exit::{Exit, Failure};
use super::terminal::{Terminal, quoted_text};

/// Print the manual page of the program, or of one of its verbs.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper man | man -l -
  lanekeeper man run > lanekeeper-run.1")]
pub(super) struct ManArgs {
    /// A verb, like `run`.
    verb: Option<String>,
}

impl ManArgs {
    pub(super) fn command(&self) -> String {
        let verb = self.verb.iter().map(|verb| format!(" {}", quoted_text(verb))).collect::<String>();
        format!("lanekeeper man{verb}")
    }

    pub(super) fn call(&self, mut program: Command, terminal: &Terminal) -> Result<Exit, Failure> {
        program.build();
        let page = match &self.verb {
            None => program,
            Some(verb) => match program.find_subcommand(verb) {
                Some(found) => found.clone(),
                None => {
                    let verbs: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
                    return Err(Failure::usage(format!(
                        "error: there is no verb `{verb}`\n  help: there are {}",
                        verbs.join(", ")
                    )));
                }
            },
        };
        let mut text = Vec::new();
        // A page needs no date: the clock would make two equal builds differ.
        Man::new(page).date("").render(&mut text).map_err(|error| Failure::io(format!("error: {error}")))?;
        terminal.print(&String::from_utf8_lossy(&text))?;
        Ok(Exit::Done)
    }
}
