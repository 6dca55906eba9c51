//! A comparison as tables for programs: the paired differences, and the cells of a sweep.

use serde_json::Value;

use super::Comparison;
use crate::base::names::METRICS;
use crate::report::csv::{shortest, text};

/// One row per cell and metric.
pub fn differences(comparison: &Comparison) -> String {
    let header = [
        "cell",
        "metric",
        "unit",
        "baseline_mean",
        "difference",
        "ci_low",
        "ci_high",
        "n",
        "correlation",
        "p",
        "p_holm",
        "verdict",
    ];
    let rows = comparison.differences.iter().map(|it| {
        let estimate = it.paired.difference;
        vec![
            comparison.cells[it.system].name.clone(),
            comparison.column_name(it.metric, it.class),
            it.metric.unit.text().to_owned(),
            shortest(Some(it.baseline_mean)),
            shortest(Some(estimate.mean)),
            shortest(estimate.ci.map(|ci| ci.0)),
            shortest(estimate.ci.map(|ci| ci.1)),
            estimate.n.to_string(),
            shortest(it.paired.correlation),
            shortest(Some(it.paired.p)),
            shortest(Some(it.p_holm)),
            it.standing.name().to_owned(),
        ]
    });
    text(std::iter::once(header.map(String::from).to_vec()).chain(rows))
}

/// One row per cell: its name, its parameters, breaches, the verdict on what is expected, and the mean of every metric over
/// all classes.
pub fn cells(comparison: &Comparison) -> String {
    let first = comparison.cells.first();
    let parameters = first.into_iter().flat_map(|cell| cell.parameters.iter().map(|it| it.0.clone()));
    let mut header = vec!["cell".to_owned()];
    header.extend(parameters);
    header.extend(["breaches", "verdict"].map(String::from));
    header.extend(METRICS.iter().map(|metric| metric.name.to_owned()));
    let rows = comparison.cells.iter().map(|cell| {
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut row = vec![cell.name.clone()];
        row.extend(cell.parameters.iter().map(|(_, value)| shown(value)));
        row.extend([cell.breaches().to_string(), cell.document.verdict.to_string()]);
        row.extend(METRICS.iter().map(|metric| shortest(cell.document.estimate(metric.name).map(|it| it.mean))));
        row
    });
    text(std::iter::once(header).chain(rows))
}
