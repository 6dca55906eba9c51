//! What was found wrong with a scenario so far, and how to point at it: at the place in the file, at the `--set`, the
//! variant or the cell of a sweep that is to blame.

use super::diagnose::{Diagnostic, Severity};
use super::places::{self, Places, below};
use super::resolve::SourceText;

/// What set a value that is not the file's own.
pub(super) enum Origin {
    /// This option of the command line.
    Typed(String),
    /// The cell of a sweep whose value stands at this path of the file.
    Written(String),
}

/// What was found so far, and how to point at it.
pub(crate) struct Findings<'a> {
    pub(crate) source: &'a SourceText,
    pub(super) text: &'a str,
    pub(super) places: Places,
    /// Where the variant that is read stands: what it says is shown there.
    pub(super) variant: Option<String>,
    /// Paths that were set, and by what.
    pub(super) set: Vec<(String, Origin)>,
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(source: &'a SourceText, text: &'a str, places: Places) -> Findings<'a> {
        Findings { source, text, places, variant: None, set: Vec::new(), errors: Vec::new(), warnings: Vec::new() }
    }

    /// An error at a path.
    pub(crate) fn error(&mut self, path: &str, message: impl Into<String>, help: &str) {
        let found = self.diagnostic(path, message.into(), false);
        self.errors.push(if help.is_empty() { found } else { found.with_help(help) });
    }

    /// A warning at a path.
    pub(crate) fn warn(&mut self, path: &str, message: impl Into<String>, help: &str) {
        let mut found = self.diagnostic(path, message.into(), true).with_help(help);
        found.severity = Severity::Warning;
        self.warnings.push(found);
    }

    /// A finding about a path: at its place, or at the nearest place above it.
    pub(crate) fn diagnostic(&self, path: &str, message: String, at_key: bool) -> Diagnostic {
        let set = self.set.iter().rev().find(|(outer, _)| within(path, outer)).or_else(|| {
            // What the file does not have was made by the value that was set below it.
            let made = || self.set.iter().rev().find(|(inner, _)| within(inner, path));
            if path.is_empty() || self.places.contains_key(path) { None } else { made() }
        });
        let place = match set {
            Some((_, Origin::Typed(option))) => {
                let mut found = Diagnostic::error(option.clone(), message);
                found.path = path.to_owned();
                return found;
            }
            // A wrong key is the name of the axis, a wrong value the one in its list.
            Some((_, Origin::Written(at))) if at_key => self.nearest(&at[..at.rfind('[').unwrap_or(0)], "", true),
            Some((_, Origin::Written(at))) => self.nearest(at, "", false),
            None => {
                let in_variant = self.variant.as_ref().and_then(|it| self.nearest(&below(it, path), it, at_key));
                in_variant.or_else(|| self.nearest(path, "", at_key))
            }
        };
        let mut found = self.placed(message, place);
        found.path = path.to_owned();
        found
    }

    fn placed(&self, message: String, place: Option<places::Place>) -> Diagnostic {
        let found = Diagnostic::error(self.source.path.clone(), message);
        let (line, column, width) = place.map_or((1, 1, 1), |it| (it.line, it.column, it.width));
        found.at(self.text, line, column, width)
    }

    /// The finding about a value that could not be put into the document, where the file says that it is to be put there.
    pub(super) fn misplaced(&self, at: &str, found: Diagnostic) -> Diagnostic {
        Diagnostic { help: found.help, path: at.to_owned(), ..self.placed(found.message, self.nearest(at, "", true)) }
    }

    /// The place of a path, or of the nearest one above it that lies below `top`.
    fn nearest(&self, path: &str, top: &str, at_key: bool) -> Option<places::Place> {
        let mut at = path;
        while at.len() > top.len() {
            if let Some(entry) = self.places.get(at) {
                return Some(if at_key || at != path { entry.key } else { entry.value });
            }
            at = &at[..at.rfind(['.', '[']).unwrap_or(0)];
        }
        None
    }
}

/// Whether a path is `outer`, or lies below it.
pub(super) fn within(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}
