//! What is wrong with a scenario, where, and what to write instead. Rendering never fails and never prints a control
//! character of the input.

use std::fmt;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Severity {
    /// Nothing is run or written.
    Error,
    /// It runs, and probably does not show what its author wants.
    Warning,
}

/// What kind of trouble it is; it decides the exit code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The scenario says something that it must not.
    Scenario,
    /// Another file that the scenario names could not be read.
    Io,
}

/// One finding, with its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of trouble it is.
    pub kind: Kind,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where in the document: `workload[0].arrivals.poisson`; empty for the whole of it.
    pub path: String,
    /// The file as its name was given, or the `--set` that is to blame.
    pub file: String,
    /// Line and column, both from 1.
    pub place: Option<(usize, usize)>,
    /// How many characters the caret underlines.
    pub width: usize,
    /// The text of the line.
    pub line_text: String,
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(file: impl Into<String>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            kind: Kind::Scenario,
            message: message.into(),
            help: None,
            path: String::new(),
            file: file.into(),
            place: None,
            width: 1,
            line_text: String::new(),
        }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// The same at a line and a column, both from 1, of `text`.
    #[must_use]
    pub fn at(mut self, text: &str, line: usize, column: usize, width: usize) -> Diagnostic {
        self.place = Some((line, column));
        self.width = width.max(1);
        self.line_text = text.lines().nth(line.saturating_sub(1)).unwrap_or("").to_owned();
        self
    }

    /// For a terminal: message, place, the line with a caret, the remedy.
    pub fn render(&self, color: bool) -> String {
        let (word, paint) = match self.severity {
            Severity::Error => ("error", "\x1b[1;31m"),
            Severity::Warning => ("warning", "\x1b[1;33m"),
        };
        let (paint, reset) = if color { (paint, "\x1b[0m") } else { ("", "") };
        let mut out = format!("{paint}{word}{reset}: {}", printable(&self.message));
        out.push_str(&match self.place {
            Some((line, column)) => format!("\n  --> {}:{line}:{column}", printable(&self.file)),
            None => format!("\n  --> {}", printable(&self.file)),
        });
        if !self.path.is_empty() {
            out.push_str(&format!(" ({})", printable(&shortened(&self.path))));
        }
        if let Some((line, column)) = self.place {
            let number = line.to_string();
            let gutter = " ".repeat(number.len());
            let (shown, before) = window(&self.line_text, column);
            let width = self.width.min(shown.chars().count().saturating_sub(before)).max(1);
            out.push_str(&format!("\n{gutter} |\n{number} | {shown}\n"));
            out.push_str(&format!("{gutter} | {}{paint}{}{reset}", " ".repeat(before), "^".repeat(width)));
        }
        if let Some(help) = &self.help {
            out.push_str(&format!("\n  help: {}", printable(help)));
        }
        out
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The part of a line around a column that fits on a terminal, and how many characters of it lie before the column.
fn window(line: &str, column: usize) -> (String, usize) {
    let before = column.saturating_sub(1);
    let skipped = before.saturating_sub(80);
    let shown: String = line.chars().skip(skipped).take(140).map(harmless).collect();
    (shown, before - skipped)
}

fn harmless(c: char) -> char {
    if c == '\t' {
        ' '
    } else if c.is_control() {
        '\u{FFFD}'
    } else {
        c
    }
}

fn printable(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { '\n' } else { harmless(c) }).collect()
}

/// A text short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(77).collect::<String>() + "..." }
}

/// The candidate that `wanted` was probably meant to be.
pub(crate) fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wanted.len() > 100 {
        return None;
    }
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(wanted, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= (wanted.len().max(candidate.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What other tools call the same thing: their word, ours.
const SYNONYMS: [(&str, &str); 26] = [
    ("partition", "isolate"),
    ("cut", "isolate"),
    ("kill", "crash"),
    ("die", "crash"),
    ("death", "crash"),
    ("drain", "quiesce"),
    ("stop", "quiesce"),
    ("start", "join"),
    ("freeze", "pause"),
    ("stall", "pause"),
    ("count", "initial"),
    ("replicas", "initial"),
    ("number", "initial"),
    ("mttf", "lifetime"),
    ("mttr", "restart_after"),
    ("duration", "horizon"),
    ("length", "horizon"),
    ("runs", "replications"),
    ("repeat", "replications"),
    ("latency", "delay"),
    ("drop", "loss"),
    ("timeout", "ttl"),
    ("duration", "service"),
    ("rate", "poisson"),
    ("interval", "every"),
    ("assert", "expect"),
];

/// `did you mean x?`, or the list of what there is.
pub(crate) fn suggestion(wanted: &str, candidates: &[&str]) -> String {
    let ours = SYNONYMS.iter().find(|(theirs, ours)| *theirs == wanted && candidates.contains(ours));
    if let Some((_, ours)) = ours {
        return format!("here it is called `{ours}`");
    }
    let longer = || candidates.iter().copied().find(|it| wanted.len() >= 3 && it.starts_with(wanted));
    match nearest(wanted, candidates.iter().copied()).or_else(longer) {
        Some(candidate) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => "nothing is known here".to_owned(),
        None => format!("known here: {}", candidates.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_shows_file_line_column_path_caret_and_remedy() {
        let mut it = Diagnostic::error("a.yaml", "unknown key `inital`").at("name: a\n  inital: 8", 2, 3, 6);
        it.path = "workers.inital".into();
        let text = it.with_help("did you mean `initial`?").to_string();
        assert_eq!(
            text,
            "error: unknown key `inital`\n  --> a.yaml:2:3 (workers.inital)\n  |\n2 |   inital: 8\n  |   ^^^^^^\n  \
             help: did you mean `initial`?"
        );
    }

    #[test]
    fn control_characters_of_the_input_never_reach_the_terminal() {
        let text = Diagnostic::error("a\x1b[2J", "b\x07").at("\x1b]0;x\x07", 1, 900, 5000).render(false);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
    }

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("inital", ["initial", "startup"]), Some("initial"));
        assert_eq!(nearest("zzzzzz", ["initial", "startup"]), None);
    }

    #[test]
    fn another_tools_word_is_translated_where_ours_is_known() {
        assert_eq!(suggestion("partition", &["crash", "isolate"]), "here it is called `isolate`");
        assert_eq!(suggestion("partition", &["crash", "pause"]), "known here: crash, pause");
        assert_eq!(suggestion("exp", &["uniform", "exponential"]), "did you mean `exponential`?");
    }
}
