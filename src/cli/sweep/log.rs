//! The file of a sweep: a header, then one line of JSON per cell and replication, appended as they are finished.
//!
//! Each line is complete in itself, so that a torn last line (the machine went down) is dropped and that replication
//! runs again. What a sweep reports is computed from these lines alone: a sweep in one go, one that was continued, and
//! the shards of one, merged, give the same bytes.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::base::names::metric_named;
use crate::base::{ClassId, Labels, Probe, Property};
use crate::cli::exit::Failure;
use crate::observe::Observation;
use crate::report::atomic_write;

/// What every line of a sweep has in common.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    /// The form of the file.
    pub(super) schema_version: u32,
    /// The program that wrote it: another version may simulate differently.
    pub(super) program: String,
    pub(super) scenario: String,
    pub(super) description: String,
    /// A hash of the resolved scenario and of what is varied.
    pub(super) identity: String,
    pub(super) seed: u64,
    pub(super) replications: u32,
    pub(super) confidence: f64,
    pub(super) horizon_micros: u64,
    pub(super) warm_up_micros: u64,
    /// How many cells the whole sweep has.
    pub(super) cells: u64,
    pub(super) classes: Vec<String>,
    pub(super) thresholds: Vec<String>,
    pub(super) always: Option<Vec<String>>,
    pub(super) sometimes: Vec<String>,
    /// The command that repeats the whole sweep.
    pub(super) reproduce: String,
    /// Which part of the sweep this file is; `None`: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shard: Option<Shard>,
}

/// The `index`-th (from 1) of `of` parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Shard {
    pub(super) index: u64,
    pub(super) of: u64,
}

impl std::str::FromStr for Shard {
    type Err = String;
    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((index, of)) if (1..=of).contains(&index) => Ok(Shard { index, of }),
            Some(_) | None => Err(format!("`{text}` is no shard: write 2/4 for the second of four")),
        }
    }
}

impl Shard {
    /// Whether the n-th cell (from 0) belongs to it.
    pub(super) fn has(self, number: u64) -> bool {
        number % self.of == self.index - 1
    }
}

/// One replication of one cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    /// The number of the cell, from 0, in the whole sweep.
    pub(super) number: u64,
    /// Its name.
    pub(super) cell: String,
    pub(super) replication: u32,
    pub(super) parameters: Map<String, Value>,
    pub(super) engine: String,
    /// The properties that its engine promises.
    pub(super) promised: Vec<String>,
    pub(super) digest: String,
    /// By name, with the class as in `wait.p95{class=sync}`.
    pub(super) metrics: BTreeMap<String, f64>,
    pub(super) sample_sizes: BTreeMap<String, u64>,
    /// Tasks of the window that never began.
    pub(super) unstarted: u64,
    /// Breaches by property, where there are any.
    pub(super) violations: BTreeMap<String, u64>,
    pub(super) probes: Vec<String>,
    /// Breaches as a summary shows them.
    pub(super) examples: Vec<Value>,
}

impl Record {
    /// The parts of an observation that are kept.
    pub(super) fn fill(&mut self, observation: &Observation, labels: &Labels) {
        let named = |(name, class): &(&'static str, Option<ClassId>)| match class {
            None => (*name).to_owned(),
            Some(class) => format!("{name}{{class={}}}", labels.class(*class)),
        };
        self.digest = format!("{:032x}", observation.digest);
        self.metrics = observation.metrics.iter().map(|(key, value)| (named(key), *value)).collect();
        self.sample_sizes = observation.sample_sizes.iter().map(|(key, value)| (named(key), *value)).collect();
        self.unstarted = observation.unstarted;
        let count = |property: &Property| observation.violation_counts[property.index()];
        let breached = Property::ALL.iter().filter(|property| count(property) > 0);
        self.violations = breached.map(|property| (property.name().to_owned(), count(property))).collect();
        self.probes = observation.probes.iter().map(|probe| probe.name().to_owned()).collect();
    }

    /// The observation, as far as it was kept; `None` where a name or a digest is none.
    pub(super) fn observation(&self, classes: &[String]) -> Option<Observation> {
        let mut it = Observation { digest: u128::from_str_radix(&self.digest, 16).ok()?, ..Observation::default() };
        for (text, value) in &self.metrics {
            let (name, class) = split(text, classes)?;
            it.metrics.insert((metric_named(name)?.name, class), *value);
        }
        for (text, value) in &self.sample_sizes {
            let (name, class) = split(text, classes)?;
            let known = ["wait", "response", "slowdown"].into_iter().find(|known| *known == name)?;
            it.sample_sizes.insert((known, class), *value);
        }
        it.unstarted = self.unstarted;
        for (property, count) in &self.violations {
            it.violation_counts[property.parse::<Property>().ok()?.index()] = *count;
        }
        for probe in &self.probes {
            it.probes.hit(probe.parse::<Probe>().ok()?);
        }
        Some(it)
    }
}

/// A name and its class.
fn split<'a>(text: &'a str, classes: &[String]) -> Option<(&'a str, Option<ClassId>)> {
    use crate::base::id::Id;
    let Some((name, class)) = text.split_once("{class=") else { return Some((text, None)) };
    let class = class.strip_suffix('}')?;
    let index = classes.iter().position(|known| known == class)?;
    Some((name, Some(ClassId::from_index(index))))
}

/// The lines of a sweep's file, by cell and replication.
pub(super) type Lines = BTreeMap<(u64, u32), String>;

/// Reads a file as far as it is whole: a torn or unreadable line and all that follows it is dropped.
pub(super) fn read(path: &Path) -> Result<(Header, Lines), Failure> {
    let shown = path.display();
    let text = std::fs::read(path).map_err(|error| Failure::io(format!("error: cannot read {shown}: {error}")))?;
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let header = lines.next().and_then(|line| serde_json::from_slice(line).ok());
    let Some(header) = header else {
        return Err(Failure::io(format!("error: {shown} is no file of a sweep")));
    };
    let record = |line: &[u8]| {
        let record: Record = serde_json::from_slice(line).ok()?;
        Some(((record.number, record.replication), String::from_utf8(line.to_vec()).ok()?))
    };
    Ok((header, lines.map_while(record).collect()))
}

/// The whole file, sorted.
pub(super) fn bytes(header: &Header, lines: &Lines) -> Vec<u8> {
    let mut text = serde_json::to_string(header).expect("a tree of plain values has a text");
    text.push('\n');
    for line in lines.values() {
        text.push_str(line);
        text.push('\n');
    }
    text.into_bytes()
}

/// A file that is appended to.
pub(super) struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Begins the file anew with what there is, and opens it for more.
    pub(super) fn begin(path: &Path, header: &Header, lines: &Lines) -> Result<Log, Failure> {
        atomic_write(path, &bytes(header, lines))?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(|error| Failure::io(format!("error: cannot write {}: {error}", path.display())))?;
        Ok(Log { path: path.to_owned(), file })
    }

    /// Appends one line in one write.
    pub(super) fn append(&mut self, line: &str) -> Result<(), Failure> {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|error| Failure::io(format!("error: cannot write {}: {error}", self.path.display())))
    }
}
