//! The page of a comparison, and of a sweep.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{CellView, ChartView, GroupView, HeadView, Page, TableView, VerdictView};
use crate::base::ClassId;
use crate::base::names::MetricInfo;
use crate::experiment::Verdict;
use crate::report::charts::svg_comparison_charts;
use crate::report::comparison::sweep::best;
use crate::report::comparison::table::{Table, answer, differences, remarks, unmet, warned};
use crate::report::comparison::{Cell, Comparison};
use crate::report::number;

/// More cells than this are rows rather than columns, and a few of them are shown before the charts.
const COLUMNS: usize = 6;

/// The file `report.html` of a comparison: the answer first, then what was varied, and the differences.
pub fn page(comparison: &Comparison) -> String {
    let charts = svg_comparison_charts(comparison).unwrap_or_default();
    let is_safe = !comparison.cells.iter().any(Cell::breaches_a_promise);
    // That cells of a sweep miss what is expected is its answer.
    let is_sweep = !comparison.answer.is_empty();
    let verdicts = comparison.cells.iter().map(|cell| cell.document.verdict).filter(|_| !is_sweep);
    let worst = verdicts.max().unwrap_or(Verdict::Pass);
    let answers = if is_sweep { comparison.answer.clone() } else { answer(comparison) };
    let paired = paired(comparison);
    let many = comparison.cells.len() > COLUMNS;
    let (tables, folded) = if many {
        let shown = plain("results", "The best by mean wait", best(comparison));
        (vec![shown], vec![means_by_cell(comparison), paired])
    } else {
        (vec![means_by_metric(comparison), paired], Vec::new())
    };
    let assumptions = comparison.cells.first().map(|cell| cell.document.about.assumptions.clone()).unwrap_or_default();
    let has_rows = |table: &TableView| table.len() > 0;
    Page {
        title: comparison.scenario.clone(),
        verdict: match worst {
            _ if !is_safe => VerdictView { word: "promises broken", class: "fail" },
            Verdict::Pass => VerdictView { word: "compared", class: "pass" },
            Verdict::Inconclusive => VerdictView { word: "inconclusive", class: "inconclusive" },
            Verdict::Fail => VerdictView { word: "not as expected", class: "fail" },
        },
        question: comparison.description.clone(),
        headline: if is_safe { "No engine broke a promise" } else { "An engine broke a promise" }.to_owned(),
        answers,
        context: format!(
            "{} of each of {} under common random numbers, seed {}, {} confidence, Holm-corrected",
            number::counted(comparison.replications.into(), "replication"),
            number::counted(comparison.cells.len() as u64, "system"),
            comparison.seed,
            number::percent(comparison.confidence)
        ),
        varied: if many { values(comparison) } else { systems(comparison) },
        tables: tables.into_iter().filter(has_rows).collect(),
        folded: folded.into_iter().filter(has_rows).collect(),
        charts: charts.into_iter().map(ChartView::from).collect(),
        warnings: [unmet(comparison), warned(comparison)].concat(),
        assumptions: [remarks(comparison), assumptions].concat(),
        reproduce: comparison.reproduce.clone(),
        digest: digest(comparison, many),
        ..Page::default()
    }
    .text()
}

/// The digests of few systems, and one of those of many.
fn digest(comparison: &Comparison, many: bool) -> String {
    let digests: Vec<&str> = comparison.cells.iter().map(|cell| cell.document.digest.as_str()).collect();
    if !many {
        return digests.join(", ");
    }
    let first = digests.first().map_or("", |it| *it);
    format!("{first} of {}; all stand in summary.json", comparison.cells[0].label)
}

/// What each system sets.
fn systems(comparison: &Comparison) -> Vec<String> {
    let one = |(index, cell): (usize, &Cell)| {
        let mut sets = Vec::new();
        for (path, value) in &cell.parameters {
            flatten(path, value, &mut sets);
        }
        let sets = if sets.is_empty() { "the scenario as it is".to_owned() } else { sets.join(", ") };
        let role = if index == comparison.baseline { " (the others are compared with it)" } else { "" };
        format!("{}{role}: {sets}", cell.label)
    };
    comparison.cells.iter().enumerate().map(one).collect()
}

/// `path = value` for every leaf.
fn flatten(path: &str, value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                flatten(&format!("{path}.{key}"), value, out);
            }
        }
        _ => out.push(format!("{path} = {}", shown(value))),
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Which values each path took, where the systems are too many to be named.
fn values(comparison: &Comparison) -> Vec<String> {
    let first = comparison.cells.first();
    let paths = first.into_iter().flat_map(|cell| cell.parameters.iter().map(|it| it.0.as_str()));
    let of = |path: &str| {
        let mut seen = BTreeSet::new();
        let all = comparison.cells.iter().flat_map(|cell| &cell.parameters).filter(|it| it.0 == path);
        let texts: Vec<String> = all.map(|it| shown(&it.1)).filter(|text| seen.insert(text.clone())).collect();
        format!("{path}: {}", texts.join(", "))
    };
    let mut lines: Vec<String> = paths.map(of).collect();
    let count = number::counted(comparison.cells.len() as u64, "combination");
    lines.push(format!("{count} of these, compared with {}", comparison.baseline_name()));
    lines
}

/// A mean over replications, and below it the interval.
fn estimate(cell: &Cell, metric: &MetricInfo, class: Option<ClassId>) -> CellView {
    let Some(it) = cell.document.estimates.get(&(metric.name, class)) else { return CellView::new("–", "number") };
    let bound = |value: f64| number::in_unit(value, metric.unit);
    let below = it.ci.filter(|(low, high)| low < high).map(|(low, high)| format!("{} … {}", bound(low), bound(high)));
    let text = number::measured(it.mean, metric.name);
    CellView { below: below.unwrap_or_default(), ..CellView::new(text, "number") }
}

/// A row per metric, a column per system.
fn means_by_metric(comparison: &Comparison) -> TableView {
    let row = |(metric, class): (&'static MetricInfo, Option<ClassId>)| {
        let name = CellView { hint: metric.meaning, ..CellView::new(comparison.column_name(metric, class), "") };
        [name].into_iter().chain(comparison.cells.iter().map(|cell| estimate(cell, metric, class))).collect()
    };
    let names = comparison.cells.iter().map(|cell| HeadView::number(&cell.label));
    TableView {
        id: "results",
        title: "Results",
        header: [HeadView::text("mean")].into_iter().chain(names).collect(),
        groups: vec![GroupView { title: String::new(), rows: comparison.measures().into_iter().map(row).collect() }],
    }
}

/// A row per system, a column per metric.
fn means_by_cell(comparison: &Comparison) -> TableView {
    let measures = comparison.measures();
    let row = |cell: &Cell| {
        let values = measures.iter().map(|(metric, class)| estimate(cell, metric, *class));
        [CellView::new(cell.label.clone(), "")].into_iter().chain(values).collect()
    };
    let names = measures.iter().map(|(metric, class)| HeadView::number(&comparison.column_name(metric, *class)));
    TableView {
        id: "all",
        title: "All of them",
        header: [HeadView::text("mean")].into_iter().chain(names).collect(),
        groups: vec![GroupView { title: String::new(), rows: comparison.cells.iter().map(row).collect() }],
    }
}

/// The paired differences, system by system.
fn paired(comparison: &Comparison) -> TableView {
    let mut groups: Vec<GroupView> = Vec::new();
    for row in differences(comparison).into_iter().skip(1) {
        let [system, metric, mean, interval, correlation, verdict] = <[String; 6]>::try_from(row).expect("six columns");
        let class = match verdict.as_str() {
            "better" => "pass",
            "worse" => "fail",
            _ => "inconclusive",
        };
        let mean = CellView { below: interval, ..CellView::new(mean, "number") };
        let cells =
            [CellView::new(metric, ""), CellView::new(verdict, class), mean, CellView::new(correlation, "number")];
        let against = format!("{system} against {}", comparison.baseline_name());
        match groups.last_mut().filter(|group| group.title == against) {
            Some(group) => group.rows.push(cells.into()),
            None => groups.push(GroupView { title: against, rows: vec![cells.into()] }),
        }
    }
    let texts = ["metric", "verdict"].map(HeadView::text);
    let numbers = ["mean, paired interval", "correlation"].map(HeadView::number);
    TableView { id: "differences", title: "Differences", header: texts.into_iter().chain(numbers).collect(), groups }
}

/// A table of texts: names first, then numbers.
fn plain(id: &'static str, title: &'static str, table: Table) -> TableView {
    let mut rows = table.into_iter();
    let header = rows.next().unwrap_or_default();
    let head = |(index, text): (usize, &String)| if index == 0 { HeadView::text(text) } else { HeadView::number(text) };
    let cell = |(index, text): (usize, String)| CellView::new(text, if index == 0 { "" } else { "number" });
    let rows = rows.map(|row| row.into_iter().enumerate().map(cell).collect()).collect();
    let header = header.iter().enumerate().map(head).collect();
    TableView { id, title, header, groups: vec![GroupView { title: String::new(), rows }] }
}
