//! `completions SHELL`: what a shell needs to complete verbs, options and values.

use clap::{Args, Command};
use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;

/// Print the completions for a shell.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper completions bash > ~/.local/share/bash-completion/completions/lanekeeper
  lanekeeper completions zsh > ~/.zfunc/_lanekeeper
  lanekeeper completions fish > ~/.config/fish/completions/lanekeeper.fish")]
pub(super) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn command(&self) -> String {
        format!("lanekeeper completions {}", self.shell)
    }

    pub(super) fn call(&self, mut program: Command, terminal: &Terminal) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut program, "lanekeeper", &mut script);
        terminal.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
