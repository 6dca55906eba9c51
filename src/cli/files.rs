//! The scenario files that a command line names: files, and folders of them.

use std::path::{Path, PathBuf};

use super::exit::{Exit, Failure};
use crate::report::check_writable;

/// A folder of this name holds scenarios to measure, not to judge.
const SKIPPED_FOLDER: &str = "bench";

/// What a file is that no output may take the place of.
pub(super) const SCENARIO: &str = "a scenario that is read";

/// The files in the order of the command line, those of a folder sorted; at least one.
pub(super) fn scenario_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        gather(path, &mut files)?;
    }
    if files.is_empty() {
        let message = "error: no scenario file (*.yaml, *.yml) is there".into();
        return Err(Failure { exit: Exit::Nothing, message });
    }
    Ok(files)
}

/// Refuses an output, by the name of its option, that cannot be written, or that is another output or one of the files
/// that are `taken`, of which it is said what they are.
pub(super) fn check_outputs<'a>(
    outputs: &[(&str, Option<&Path>)],
    taken: impl IntoIterator<Item = (&'a str, PathBuf)>,
) -> Result<(), Failure> {
    // What is not there yet is known by its name alone.
    let real =
        |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let mut taken: Vec<(&str, PathBuf)> = taken.into_iter().map(|(what, path)| (what, real(&path))).collect();
    for (option, path) in outputs {
        let Some(path) = path else { continue };
        let file = real(path);
        if let Some((what, _)) = taken.iter().find(|(_, other)| *other == file) {
            return Err(Failure::usage(format!(
                "error: {} is {what}, and `{option}` would write over it\n  help: name another file",
                path.display()
            )));
        }
        check_writable(path)?;
        taken.push(("another output", file));
    }
    Ok(())
}

/// The scenario files of a path, sorted, folders inside it included.
fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let failed = |error: std::io::Error| Failure::usage(format!("error: cannot read {}: {error}", path.display()));
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let mut inside = entries.map(|entry| entry.map(|it| it.path())).collect::<Result<Vec<_>, _>>().map_err(failed)?;
    inside.sort();
    for entry in inside {
        let is_scenario = entry.extension().is_some_and(|it| it == "yaml" || it == "yml");
        if entry.is_dir() {
            if entry.file_name().is_some_and(|name| name != SKIPPED_FOLDER) {
                gather(&entry, files)?;
            }
        } else if is_scenario {
            files.push(entry);
        }
    }
    Ok(())
}
