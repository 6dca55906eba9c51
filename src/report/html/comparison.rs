//! The page of a comparison, and of a sweep.

use serde_json::Value;

use super::{CellView, ChartView, GroupView, HeadView, Page, TableView, VerdictView};
use crate::report::charts::svg_comparison_charts;
use crate::report::comparison::table::{Table, answer, differences, means, remarks};
use crate::report::comparison::{Cell, Comparison};
use crate::report::number;

/// More cells than this are rows rather than columns.
const COLUMNS: usize = 6;

/// The file `report.html` of a comparison: the answer first, then what was varied, and the differences.
pub fn page(comparison: &Comparison) -> String {
    let charts = svg_comparison_charts(comparison).unwrap_or_default();
    let answers = if comparison.answer.is_empty() { answer(comparison) } else { comparison.answer.clone() };
    let is_safe = !comparison.cells.iter().any(Cell::breaches_a_promise);
    let means = means(comparison);
    let means = if comparison.cells.len() > COLUMNS { transposed(&means) } else { means };
    let tables = [("results", "Results", means), ("differences", "Differences", differences(comparison))];
    Page {
        title: comparison.scenario.clone(),
        verdict: if is_safe {
            VerdictView { word: "compared", class: "pass" }
        } else {
            VerdictView { word: "promises broken", class: "fail" }
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
        varied: comparison.cells.iter().enumerate().map(|(index, cell)| varied(comparison, index, cell)).collect(),
        tables: tables.into_iter().filter(|(.., table)| table.len() > 1).map(view).collect(),
        charts: charts.into_iter().map(|it| ChartView { caption: it.caption, svg: it.svg }).collect(),
        warnings: remarks(comparison),
        assumptions: comparison.cells.first().map(|cell| cell.document.about.assumptions.clone()).unwrap_or_default(),
        reproduce: comparison.reproduce.clone(),
        digest: comparison.cells.iter().map(|cell| cell.document.digest.as_str()).collect::<Vec<_>>().join(", "),
        ..Page::default()
    }
    .text()
}

fn varied(comparison: &Comparison, index: usize, cell: &Cell) -> String {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let parameters: Vec<String> =
        cell.parameters.iter().map(|(path, value)| format!("{path} = {}", shown(value))).collect();
    let sets = if parameters.is_empty() { "the scenario as it is".to_owned() } else { parameters.join(", ") };
    let role = if index == comparison.baseline { " (the others are compared with it)" } else { "" };
    format!("{}{role}: {sets}", cell.label)
}

fn view((id, title, table): (&'static str, &'static str, Table)) -> TableView {
    let mut rows = table.into_iter();
    let header = rows.next().unwrap_or_default();
    let class = |text: &str| match text {
        "better" => "pass",
        "worse" => "fail",
        "inconclusive" => "inconclusive",
        _ => "",
    };
    let cells = |row: Vec<String>| {
        row.into_iter()
            .map(|text| {
                let class = class(&text);
                CellView::new(text, class)
            })
            .collect()
    };
    TableView {
        id,
        title,
        header: header.iter().map(|text| HeadView::text(text)).collect(),
        groups: vec![GroupView { title: "", rows: rows.map(cells).collect() }],
    }
}

fn transposed(table: &Table) -> Table {
    let columns = table.first().map_or(0, Vec::len);
    (0..columns).map(|column| table.iter().map(|row| row[column].clone()).collect()).collect()
}
