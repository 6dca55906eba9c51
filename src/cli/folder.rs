//! The folder of one result. Verbs share `results/<name>`: what an earlier result left there goes, so that a folder never
//! shows the charts of one result beside the numbers of another.

use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::terminal::Terminal;
use crate::report::{Error, atomic_write, charts, html};

/// The text files of all verbs. The log of a sweep is none of them: it is continued.
const TEXTS: [&str; 6] = ["summary.json", "runs.csv", "differences.csv", "cells.csv", "timing.json", html::FILE_NAME];

/// A folder, and what was written into it.
pub(super) struct Folder {
    dir: PathBuf,
    written: Vec<PathBuf>,
}

impl Folder {
    pub(super) fn new(dir: &Path) -> Folder {
        Folder { dir: dir.to_owned(), written: Vec::new() }
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
        let charts = charts::names().flat_map(|name| [format!("{name}.svg"), format!("{name}.png")]);
        let mut removed = 0;
        for name in TEXTS.map(str::to_owned).into_iter().chain(charts) {
            let path = self.dir.join(name);
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
