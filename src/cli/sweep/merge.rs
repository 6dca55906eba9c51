//! `merge DIR… -o DIR`: the shards of a sweep as if it had been run in one go, byte for byte.

use std::path::{Path, PathBuf};

use clap::Args;

use super::log::{self, Header, Lines, Log};
use super::{file_name, finish};
use crate::cli::charts::Charts;
use crate::cli::exit::{Exit, Failure};
use crate::cli::folder::Folder;
use crate::cli::run::Format;
use crate::cli::terminal::{Terminal, quoted};
use crate::report::number::counted;

/// Put the shards of a sweep together.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Example:
  lanekeeper merge part1 part2 part3 part4 -o whole")]
pub(in crate::cli) struct MergeArgs {
    /// Folders with shards; one folder may hold several.
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// The folder to write to.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// What is printed on standard output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    charts: Charts,
}

impl MergeArgs {
    pub(in crate::cli) fn command(&self) -> String {
        let dirs: String = self.dirs.iter().map(|dir| format!(" {}", quoted(dir))).collect();
        format!("lanekeeper merge{dirs} -o {}", quoted(&self.output))
    }

    pub(in crate::cli) fn call(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let formats = self.charts.formats()?;
        let folder = Folder::open(&self.output)?;
        let mut whole: Option<Header> = None;
        let mut lines = Lines::new();
        for path in self.shards()? {
            let (header, more) = log::read(&path)?;
            let header = Header { shard: None, ..header };
            match &whole {
                None => whole = Some(header),
                Some(first) if *first == header => {}
                Some(_) => {
                    let message = format!("error: {} is part of another sweep than the first file", path.display());
                    return Err(Failure::usage(message));
                }
            }
            let twice = more.iter().filter(|(key, _)| lines.contains_key(key)).count();
            if let Some((key, _)) = more.iter().find(|(key, line)| lines.get(key).is_some_and(|it| it != *line)) {
                let message = format!(
                    "error: {} says of cell {}, replication {}, what a file before it does not\n  help: one of the two was \
                     changed or is of another build; leave it out",
                    path.display(),
                    key.0,
                    key.1
                );
                return Err(Failure { exit: Exit::Nondeterminism, message });
            }
            if twice > 0 {
                let runs = counted(twice as u64, "run");
                terminal.say(&format!("{runs} of {} were in a file before it, equal: counted once", path.display()));
            }
            lines.extend(more);
        }
        let header = whole.expect("there is at least one shard");
        let missing = missing(&header, &lines);
        if !missing.is_empty() {
            let shown: Vec<String> = missing.iter().take(8).map(|(cell, run)| format!("{cell}/{run}")).collect();
            return Err(Failure::usage(format!(
                "error: {} runs are missing (cell/replication {}{}): a shard is not there or not finished",
                missing.len(),
                shown.join(", "),
                if missing.len() > shown.len() { ", …" } else { "" }
            )));
        }
        drop(Log::begin(&self.output.join(file_name(None)), &header, &lines)?);
        finish(&header, &lines, folder, self.format, formats, terminal)
    }

    /// The files of shards in the folders, sorted.
    fn shards(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut found = Vec::new();
        for dir in &self.dirs {
            let before = found.len();
            found.extend(
                files(dir).map_err(|error| Failure::io(format!("error: cannot read {}: {error}", dir.display())))?,
            );
            if found.len() == before {
                let message = format!("error: {} holds no shard of a sweep", dir.display());
                return Err(Failure { exit: Exit::Nothing, message });
            }
        }
        Ok(found)
    }
}

fn files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("runs") && name.ends_with(".ndjson") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn missing(header: &Header, lines: &Lines) -> Vec<(u64, u32)> {
    let all = (0..header.cells).flat_map(|cell| (0..header.replications).map(move |run| (cell, run)));
    all.filter(|key| !lines.contains_key(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::log::Shard;

    #[test]
    fn every_cell_is_in_exactly_one_shard() {
        let shards: Vec<Shard> = (1..=4).map(|index| format!("{index}/4").parse().unwrap()).collect();
        assert!((0..100).all(|cell| shards.iter().filter(|shard| shard.has(cell)).count() == 1));
        for wrong in ["0/4", "5/4", "1", "a/b", "1/0", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
