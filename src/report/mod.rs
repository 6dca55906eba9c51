//! L6: what people and programs get to see of a run. One file a report; every report is a pure function of a
//! [`Document`], so that equal results give equal bytes: no clock, no path, no number of threads goes in.
//!
//! Files are written whole or not at all: to a temporary name in the same folder, then renamed.

pub mod charts;
pub mod comparison;
pub mod csv;
pub mod difference;
pub mod events;
pub mod explain;
pub mod fidelity;
pub mod html;
pub mod json;
pub mod junit;
pub mod number;
pub mod perfetto;
pub mod picture;
pub mod table;

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::base::id::Id;
use crate::base::names::{METRICS, MetricInfo, PropertySet};
use crate::base::{ClassId, Labels, Property, Time};
use crate::experiment::replay::Replayed;
use crate::experiment::stats::Refusal;
use crate::experiment::{Estimate, Expectation, Verdict};
use crate::observe::{Observation, Violation};

pub use charts::{Formats, write_charts};
use explain::Story;

/// Everything that a report shows: what was run, and what came out of it.
#[derive(Clone, Debug)]
pub struct Document {
    /// The name of the scenario.
    pub scenario: String,
    /// What it is about, one sentence.
    pub description: String,
    /// The name of the engine.
    pub engine: String,
    /// The root seed.
    pub seed: u64,
    /// How many replications were run.
    pub replications: u32,
    /// Arrivals stop here.
    pub horizon: Time,
    /// Statistics begin here.
    pub warm_up: Time,
    /// The confidence of the intervals, like 0.95.
    pub confidence: f64,
    /// The digest over all replications, hexadecimal.
    pub digest: String,
    /// Names of classes, resources, tasks and workers.
    pub labels: Labels,
    /// Mean and interval by metric and class (`None`: overall). A metric without data is absent.
    pub estimates: BTreeMap<(&'static str, Option<ClassId>), Estimate>,
    /// Quantiles that are not estimated, since there are too few tasks for them.
    pub refusals: Vec<Refusal>,
    /// What whoever reads the numbers should know, a sentence each.
    pub warnings: Vec<String>,
    /// One per replication, in order.
    pub observations: Vec<Observation>,
    /// What was expected, and what came of it.
    pub expectations: Vec<Expectation>,
    /// The verdict over all.
    pub verdict: Verdict,
    /// The properties that are judged; breaches of others are only counted.
    pub promised: PropertySet,
    /// A replayed history: simulated against recorded waits.
    pub replayed: Option<Replayed>,
    /// The command that repeats the run.
    pub reproduce: String,
    /// What a reader should know of the scenario.
    pub about: About,
    /// Chains of causes, by the position of their violation in [`Document::examples`].
    pub stories: BTreeMap<usize, Story>,
}

/// What a reader should know of a scenario.
#[derive(Clone, Default, Debug)]
pub struct About {
    /// Warnings of whoever read it, one sentence each.
    pub warnings: Vec<String>,
    /// What is taken for granted, one sentence each.
    pub assumptions: Vec<String>,
    /// The scenario with all its defaults, as YAML.
    pub resolved: String,
}

/// At most so many breaches of each property are numbered and shown.
pub const EXAMPLES_EACH: usize = 5;

/// The first breaches of each property, at most `each` of them, with the number of their replication from 0. Their
/// positions number them wherever they are shown or asked for.
pub fn examples(observations: &[Observation], each: usize) -> Vec<(usize, &Violation)> {
    let all = || observations.iter().enumerate().flat_map(|(index, it)| it.violations.iter().map(move |v| (index, v)));
    Property::ALL.iter().flat_map(|property| all().filter(move |(_, v)| v.property == *property).take(each)).collect()
}

impl Document {
    /// Every metric with every class it is measured for, in the order in which they are shown.
    pub fn columns(&self) -> impl Iterator<Item = (&'static MetricInfo, Option<ClassId>)> + '_ {
        METRICS.iter().flat_map(|metric| {
            let classes = if metric.per_class { self.labels.classes.len() } else { 0 };
            std::iter::once((metric, None))
                .chain((0..classes).map(move |index| (metric, Some(ClassId::from_index(index)))))
        })
    }

    /// The name of a metric with its class, as in `wait.p95{class=sync}`.
    pub fn column_name(&self, metric: &MetricInfo, class: Option<ClassId>) -> String {
        match class {
            None => metric.name.to_string(),
            Some(class) => format!("{}{{class={}}}", metric.name, self.labels.class(class)),
        }
    }

    /// The names of the quantiles that are not estimated, by reason.
    pub fn refused_names(&self) -> BTreeMap<String, Vec<String>> {
        let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (metric, class) in self.columns() {
            if let Some(refusal) = self.refusals.iter().find(|it| (it.metric, it.class) == (metric.name, class)) {
                names.entry(refusal.reason()).or_default().push(self.column_name(metric, class));
            }
        }
        names
    }

    /// The estimate of a metric over all classes.
    pub fn estimate(&self, metric: &'static str) -> Option<&Estimate> {
        self.estimates.get(&(metric, None))
    }

    /// Breaches of a property over all replications.
    pub fn breaches(&self, property: Property) -> u64 {
        self.observations.iter().map(|observation| observation.violation_counts[property.index()]).sum()
    }

    /// The first breaches of each property, as [`examples`] numbers them.
    pub fn examples(&self, each: usize) -> Vec<(usize, &Violation)> {
        examples(&self.observations, each)
    }

    /// The cause of a breach, with names.
    pub fn cause(&self, violation: &Violation) -> String {
        self.labels.named(&violation.cause)
    }
}

/// A report that is one text file.
pub trait Report {
    /// The name of its file.
    fn file_name(&self) -> &'static str;
    /// Its contents.
    fn render(&self, doc: &Document) -> String;
}

/// The text files of a run; a new one is one file and one line here.
pub const REPORTS: &[&dyn Report] = &[&json::Summary, &csv::Runs, &html::RunPage];

/// Writes every text report into `dir` and returns their paths.
///
/// # Errors
/// When a file cannot be written.
pub fn write_reports(doc: &Document, dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let write = |report: &&dyn Report| {
        let path = dir.join(report.file_name());
        atomic_write(&path, report.render(doc).as_bytes()).map(|()| path)
    };
    REPORTS.iter().map(write).collect()
}

/// Why a report could not be written.
#[derive(Debug)]
pub enum Error {
    /// A file or folder could not be written.
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A chart could not be drawn.
    Draw {
        /// Its file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Write { path, source } => {
                write!(f, "cannot write {}: {source}", path.display())?;
                match path.ancestors().skip(1).find(|it| it.is_file()) {
                    Some(file) => write!(f, "\n  help: {} is a file: name a folder", file.display()),
                    None => Ok(()),
                }
            }
            Error::Draw { path, reason } => write!(f, "cannot draw {}: {reason}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Write { source, .. } => Some(source),
            Error::Draw { .. } => None,
        }
    }
}

/// Writes a file whole or not at all; its folder is made where it is missing.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn atomic_write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    atomic_write_with(path, |file| file.write_all(bytes))
}

/// The same for what is not in memory: `write` is given the file.
///
/// # Errors
/// When the folder or the file cannot be written, and those of `write`.
pub fn atomic_write_with(
    path: &Path,
    write: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>,
) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_path_buf(), source };
    // What stands for something else stays: a link leads to its file, and a device or a pipe takes the bytes itself.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if is_device(&path) {
        let mut file = std::fs::OpenOptions::new().write(true).open(&path).map_err(failed)?;
        return write(&mut file).map_err(failed);
    }
    let mut file = temporary_beside(&path).map_err(failed)?;
    write(file.as_file_mut()).map_err(failed)?;
    file.persist(&path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Whether it is there, and neither a file nor a folder.
fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|it| !it.is_file() && !it.is_dir())
}

/// Whether `path` could be written, to be known before the work whose result it will hold. Nothing is left behind, and no
/// folder is made.
pub(crate) fn check_writable(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_path_buf(), source };
    if path.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    if is_device(path) {
        return Ok(());
    }
    let there = path.ancestors().skip(1).find(|it| it.exists()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(there).map_err(failed)?;
    Ok(())
}

/// A temporary file in the folder of `path`, with its extension, and as readable as any new file.
pub(crate) fn temporary_beside(path: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        Some(_) | None => Path::new("."),
    };
    std::fs::create_dir_all(dir)?;
    let suffix = path.extension().map(|it| format!(".{}", it.to_string_lossy())).unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lanekeeper-").suffix(&suffix);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(dir)
}

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_replaces_its_predecessor_whole_and_leaves_nothing_else_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/er/summary.json");
        atomic_write(&path, b"a much longer first version").unwrap();
        atomic_write(&path, b"second").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn every_report_has_equal_bytes_for_equal_results() {
        for report in REPORTS {
            assert_eq!(report.render(&sample::document()), report.render(&sample::document()));
        }
    }
}
