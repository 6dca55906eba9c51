//! A sweep for people: the best cells as a table, and a plain answer as the last lines.

use super::table::{Table, aligned, as_markdown};
use super::{Cell, Comparison};
use crate::report::number;

/// At most so many cells are shown; all are in the files.
const ROWS: usize = 12;
/// The columns of the table.
const COLUMNS: [&str; 6] =
    ["wait.mean", "wait.p95", "worker.idle_avoidable", "queue.churn", "queue.count.mean", "tasks.unfinished"];

/// The text for a terminal.
pub fn human(comparison: &Comparison) -> String {
    format!("{}\n\n{}\n{}\n", context(comparison), aligned(&best(comparison)), comparison.answer.join("\n"))
}

/// The same as Markdown.
pub fn markdown(comparison: &Comparison) -> String {
    let answer = comparison.answer.join("  \n");
    format!("## {}\n\n{}\n\n{}\n{answer}\n", comparison.scenario, context(comparison), as_markdown(&best(comparison)))
}

fn context(comparison: &Comparison) -> String {
    format!(
        "{}: {} cells, seed {}, {} each, the same in every cell; the best by mean wait:",
        comparison.scenario,
        comparison.cells.len(),
        comparison.seed,
        number::counted(u64::from(comparison.replications), "replication")
    )
}

/// The cells with the shortest mean wait, the best first.
pub(in crate::report) fn best(comparison: &Comparison) -> Table {
    let mean = |cell: &Cell, metric| cell.document.estimate(metric).map(|it| it.mean);
    let mut ranked: Vec<(f64, usize)> = comparison
        .cells
        .iter()
        .enumerate()
        .filter_map(|(index, cell)| Some((mean(cell, COLUMNS[0])?, index)))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let header = ["cell"].iter().chain(&COLUMNS).chain(&["breaches", "expected"]);
    let mut rows = vec![header.map(|it| (*it).to_owned()).collect::<Vec<_>>()];
    for (_, index) in ranked.into_iter().take(ROWS) {
        let cell = &comparison.cells[index];
        let shown = |metric: &&'static str| {
            mean(cell, *metric).map_or_else(|| "–".to_owned(), |it| number::measured(it, metric))
        };
        let values = COLUMNS.iter().map(shown).chain([cell.breaches().to_string(), cell.document.verdict.to_string()]);
        rows.push(std::iter::once(cell.label.clone()).chain(values).collect());
    }
    rows
}
