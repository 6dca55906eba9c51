//! The folder of one result. Verbs share `results/<name>`: what an earlier result left there goes, so that a folder never
//! shows the charts of one result beside the numbers of another.

use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::terminal::Terminal;
use crate::report::{Error, atomic_write, charts, check_writable, html};

/// The text file that every result has, written first.
const SUMMARY: &str = "summary.json";

/// The text files of all verbs. The log of a sweep is none of them: it is continued.
const TEXTS: [&str; 6] = [SUMMARY, "runs.csv", "differences.csv", "cells.csv", "timing.json", html::FILE_NAME];

/// A folder, and what was written into it.
pub(super) struct Folder {
    dir: PathBuf,
    written: Vec<PathBuf>,
}

impl Folder {
    /// The folder before its result is there: that it cannot be written to, or holds what is not of an earlier result,
    /// is known before anything is simulated.
    pub(super) fn open(dir: &Path) -> Result<Folder, Failure> {
        let folder = Folder { dir: dir.to_owned(), written: Vec::new() };
        check_writable(&dir.join(SUMMARY))?;
        let has_result = std::fs::read_to_string(dir.join(SUMMARY)).is_ok_and(|it| it.contains("\"schema_version\""));
        let of_others = folder.paths().find(|it| it.exists() && !has_result);
        match of_others {
            None => Ok(folder),
            Some(path) => Err(Failure::usage(format!(
                "error: {} is there, and not of an earlier result: it would be written over\n  help: name another folder \
                 with -o",
                path.display()
            ))),
        }
    }

    /// Where files of results are, also those of other verbs.
    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let charts = charts::names().flat_map(|name| [format!("{name}.svg"), format!("{name}.png")]);
        TEXTS.map(str::to_owned).into_iter().chain(charts).map(|name| self.dir.join(name))
    }

    /// Writes a file.
    pub(super) fn write(&mut self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.dir.join(name);
        atomic_write(&path, text.as_bytes())?;
        self.written.push(path);
        Ok(())
    }

    /// Lets `write` put files into the folder; it returns which.
    pub(super) fn with(&mut self, write: impl FnOnce(&Path) -> Result<Vec<PathBuf>, Error>) -> Result<(), Failure> {
        self.written.extend(write(&self.dir)?);
        Ok(())
    }

    /// Removes what an earlier result left, and says where the reader begins.
    pub(super) fn finish(self, terminal: &Terminal) {
        let mut removed = 0;
        for path in self.paths() {
            if self.written.contains(&path) || !path.is_file() {
                continue;
            }
            match std::fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(why) => terminal.complain(&format!("{} is of an earlier result: {why}", path.display())),
            }
        }
        let page = self.dir.join(html::FILE_NAME);
        let count = self.written.len();
        let earlier = if removed > 0 { format!(" ({removed} of an earlier result removed)") } else { String::new() };
        terminal.say(&format!(
            "{count} files written to {}{earlier}; begin with {}",
            self.dir.display(),
            page.display()
        ));
    }
}
