//! What a comparison shows: the systems or cells, each with its own document, and how they differ.
//!
//! As a run's reports, all of these are pure functions of plain data.

pub mod csv;
pub mod json;
pub mod sweep;
pub mod table;

use serde_json::Value;

use super::Document;
use crate::base::names::{MetricInfo, Probe, ProbeSet};
use crate::base::{ClassId, Property};
use crate::experiment::Verdict;
use crate::experiment::compare::{Difference, PARETO, pareto_front};
use crate::experiment::stats::unstarted;

/// Everything that the reports of a comparison show.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The name of the scenario.
    pub scenario: String,
    /// What it is about, one sentence.
    pub description: String,
    /// The root seed.
    pub seed: u64,
    /// The confidence of intervals and verdicts.
    pub confidence: f64,
    /// How many replications each cell has.
    pub replications: u32,
    /// What was compared.
    pub cells: Vec<Cell>,
    /// The place of the cell that the others are compared with.
    pub baseline: usize,
    /// How the others differ from it.
    pub differences: Vec<Difference>,
    /// The plain answer of a sweep, a sentence each.
    pub answer: Vec<String>,
    /// What whoever reads the numbers should know, a sentence each.
    pub warnings: Vec<String>,
    /// The command that repeats it.
    pub reproduce: String,
}

/// One of the systems that are compared.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its name: of a variant, or the hash of a cell's parameters.
    pub name: String,
    /// How people read it.
    pub label: String,
    /// What it sets.
    pub parameters: Vec<(String, Value)>,
    /// Whether it had the plan of the first in every replication: the same submissions, demands, lives and timed events.
    pub same_plan: bool,
    /// What it gave.
    pub document: Document,
    /// Breaches as a summary shows them, where the document's observations no longer hold them.
    pub examples: Option<Vec<Value>>,
}

impl Cell {
    /// Breaches of any property, promised or not.
    pub fn breaches(&self) -> u64 {
        Property::ALL.iter().map(|property| self.document.breaches(*property)).sum()
    }

    /// Whether its engine breached what it promises.
    pub fn breaches_a_promise(&self) -> bool {
        self.document.promised.iter().any(|property| self.document.breaches(property) > 0)
    }
}

/// `sometimes` asks whether an experiment tested anything, and one system that saw it shows that it did: an engine that
/// cannot have two queues on a worker does not fail for it.
pub fn one_is_enough(cells: &mut [Cell]) {
    let probes =
        |cell: &Cell| cell.document.observations.iter().fold(ProbeSet::default(), |it, one| it.union(one.probes));
    let seen = cells.iter().fold(ProbeSet::default(), |seen, cell| seen.union(probes(cell)));
    for Cell { document, .. } in cells {
        for it in document.expectations.iter_mut().filter(|it| it.verdict == Verdict::Fail) {
            let probe = it.id.strip_prefix("sometimes ").and_then(|name| name.parse::<Probe>().ok());
            if probe.is_some_and(|probe| seen.contains(probe)) {
                it.verdict = Verdict::Pass;
                it.detail = "another system saw it".to_owned();
            }
        }
        document.verdict = document.expectations.iter().map(|it| it.verdict).max().unwrap_or(Verdict::Pass);
    }
}

impl Comparison {
    /// The cells that no other one beats in idle time beside work, waiting and churn at once. One that left tasks unbegun
    /// is none of them: whoever stands still waits for nothing.
    pub fn pareto(&self) -> Vec<usize> {
        let point = |cell: &Cell| -> Option<[f64; 3]> {
            if unstarted(&cell.document.observations) > 0 {
                return None;
            }
            let mut point = [0.0; 3];
            for (value, metric) in point.iter_mut().zip(PARETO) {
                *value = cell.document.estimate(metric)?.mean;
            }
            Some(point)
        };
        let points: Vec<(usize, [f64; 3])> =
            self.cells.iter().enumerate().filter_map(|(index, cell)| Some((index, point(cell)?))).collect();
        let front = pareto_front(&points.iter().map(|it| it.1).collect::<Vec<_>>());
        front.into_iter().map(|index| points[index].0).collect()
    }

    /// The metrics that were compared, in the order in which they are shown.
    pub fn measures(&self) -> Vec<(&'static MetricInfo, Option<ClassId>)> {
        let compared =
            |name: &str, class| self.differences.iter().any(|it| it.metric.name == name && it.class == class);
        let Some(first) = self.cells.first() else { return Vec::new() };
        first.document.columns().filter(|(metric, class)| compared(metric.name, *class)).collect()
    }

    /// The difference of a cell in a metric.
    pub fn difference(&self, system: usize, metric: &str, class: Option<ClassId>) -> Option<&Difference> {
        self.differences.iter().find(|it| it.system == system && it.metric.name == metric && it.class == class)
    }

    /// The label of the cell that the others are compared with.
    pub fn baseline_name(&self) -> &str {
        self.cells.get(self.baseline).map_or("", |cell| cell.label.as_str())
    }

    /// The name of a metric with its class.
    pub fn column_name(&self, metric: &MetricInfo, class: Option<ClassId>) -> String {
        match self.cells.first() {
            Some(first) => first.document.column_name(metric, class),
            None => metric.name.to_owned(),
        }
    }
}
