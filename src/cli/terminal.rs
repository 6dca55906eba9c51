//! What the program says, and where: results on stdout, everything else on stderr. A broken pipe is silent.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use clap::{Args, ValueEnum};

use super::exit::Failure;

/// How the program talks.
#[derive(Clone, Args, Debug)]
pub(super) struct Terminal {
    /// No progress, warnings and remarks.
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more: counts, speed and memory of the program itself.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
    /// When to use colours. `NO_COLOR` turns them off.
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true, value_name = "WHEN")]
    color: Color,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Terminal {
    /// Writes results to stdout.
    pub(super) fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::io(format!("error: cannot write to standard output: {error}")))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A remark, unless the program is to be quiet.
    pub(super) fn say(&self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// An error: always said. There is nowhere to tell that stderr is closed.
    pub(super) fn complain(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", text.trim_end());
    }

    pub(super) fn color_on_stdout(&self) -> bool {
        self.color(io::stdout().is_terminal())
    }

    pub(super) fn color_on_stderr(&self) -> bool {
        self.color(io::stderr().is_terminal())
    }

    fn color(&self, is_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        }
    }
}

/// A path as a shell reads it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') { quoted_text(&format!("./{text}")) } else { quoted_text(&text) }
}

/// A word as a shell reads it.
pub(super) fn quoted_text(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them_otherwise() {
        assert_eq!(quoted_text("scenarios/a-b.yaml"), "scenarios/a-b.yaml");
        assert_eq!(quoted_text("workers.pause=null it's"), r"'workers.pause=null it'\''s'");
        assert_eq!(quoted_text(""), "''");
    }
}
