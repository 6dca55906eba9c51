//! A comparison for people: the answer first, then metric by metric the means side by side and what the differences say.

use super::{Cell, Comparison};
use crate::base::Property;
use crate::experiment::compare::{Difference, Standing};
use crate::experiment::judge::{Expectation, Verdict};
use crate::report::number;

/// The text for a terminal.
pub fn human(comparison: &Comparison) -> String {
    let mut out = format!("{}\n{}\n", answer(comparison).join("\n"), context(comparison));
    for table in tables(comparison) {
        out += &format!("\n{}", aligned(&table));
    }
    let sections = [
        ("Expected, and not so", unmet(comparison)),
        ("Breaches", breaches(comparison)),
        ("Remarks", [warned(comparison), remarks(comparison)].concat()),
    ];
    for (title, lines) in sections {
        if !lines.is_empty() {
            out += &format!("\n{title}\n  {}\n", lines.join("\n  "));
        }
    }
    out + &format!("\nRepeat it with:\n{}\n", comparison.reproduce)
}

/// The same as Markdown.
pub fn markdown(comparison: &Comparison) -> String {
    let mut out =
        format!("## {}\n\n{}\n\n{}\n", comparison.scenario, answer(comparison).join("  \n"), context(comparison));
    for table in tables(comparison) {
        out += &format!("\n{}", as_markdown(&table));
    }
    let lines = [unmet(comparison), breaches(comparison), warned(comparison), remarks(comparison)].concat();
    if !lines.is_empty() {
        out += &format!("\n- {}\n", lines.join("\n- "));
    }
    out + &format!("\n```sh\n{}\n```\n", comparison.reproduce)
}

/// The tables that have a row below their header.
fn tables(comparison: &Comparison) -> impl Iterator<Item = Table> {
    [means(comparison), differences(comparison)].into_iter().filter(|table| table.len() > 1)
}

/// What follows, one sentence per system.
pub fn answer(comparison: &Comparison) -> Vec<String> {
    let one = |system: usize| {
        let all = || comparison.differences.iter().filter(move |it| it.system == system);
        let named = |standing: Standing| {
            let names = all().filter(|it| it.standing == standing).map(|it| told(comparison, it));
            names.collect::<Vec<_>>().join(", ")
        };
        let open = all().filter(|it| it.standing == Standing::Inconclusive).count();
        let mut parts = Vec::new();
        for standing in [Standing::Better, Standing::Worse, Standing::Different] {
            let names = named(standing);
            if !names.is_empty() {
                parts.push(format!("{} in {names}", standing.name()));
            }
        }
        if parts.is_empty() {
            parts.push("not distinguishable in any metric".to_owned());
        } else if open > 0 {
            parts.push(format!("inconclusive in {}", number::counted(open as u64, "other metric")));
        }
        format!("{} against {}: {}", comparison.cells[system].label, comparison.baseline_name(), parts.join("; "))
    };
    let mut lines: Vec<String> =
        (0..comparison.cells.len()).filter(|system| *system != comparison.baseline).map(one).collect();
    let front: Vec<&str> =
        comparison.pareto().into_iter().map(|index| comparison.cells[index].label.as_str()).collect();
    if !front.is_empty() {
        lines.push(format!("Nobody beats these in idle time, wait and churn at once: {}", front.join(", ")));
    }
    lines
}

/// A metric with its change: `wait.p95 (41.2 s to 17.9 s)`.
fn told(comparison: &Comparison, it: &Difference) -> String {
    let shown = |value: f64| number::measured(value, it.metric.name);
    let other = it.baseline_mean + it.paired.difference.mean;
    format!("{} ({} to {})", comparison.column_name(it.metric, it.class), shown(it.baseline_mean), shown(other))
}

fn context(comparison: &Comparison) -> String {
    format!(
        "{}, seed {}, {} of each under common random numbers, {} confidence, Holm-corrected",
        comparison.scenario,
        comparison.seed,
        number::counted(u64::from(comparison.replications), "replication"),
        number::percent(comparison.confidence),
    )
}

/// Rows of cells, the header first.
pub(in crate::report) type Table = Vec<Vec<String>>;

/// A row per metric, a column per system.
pub(in crate::report) fn means(comparison: &Comparison) -> Table {
    let names = comparison.cells.iter().map(|cell| cell.label.clone());
    let mut table = vec![std::iter::once("mean".to_owned()).chain(names).collect::<Vec<_>>()];
    for (metric, class) in comparison.measures() {
        let mean = |cell: &Cell| {
            let estimate = cell.document.estimates.get(&(metric.name, class));
            estimate.map_or_else(|| "–".to_owned(), |it| number::measured(it.mean, metric.name))
        };
        let name = comparison.column_name(metric, class);
        table.push(std::iter::once(name).chain(comparison.cells.iter().map(mean)).collect());
    }
    table
}

/// A row per system and metric.
pub(in crate::report) fn differences(comparison: &Comparison) -> Table {
    let header = ["difference", "metric", "mean", "paired interval", "correlation", "verdict"];
    let mut table = vec![header.map(String::from).to_vec()];
    for it in comparison.differences.iter().filter(|it| !is_equal(it)) {
        let shown = |value: f64| number::in_unit(value, it.metric.unit);
        let (low, high) = it.paired.difference.ci.unwrap_or_default();
        table.push(vec![
            comparison.cells[it.system].label.clone(),
            comparison.column_name(it.metric, it.class),
            number::measured(it.paired.difference.mean, it.metric.name),
            format!("{} … {}", shown(low), shown(high)),
            it.paired.correlation.map_or_else(|| "–".to_owned(), |it| format!("{it:.2}")),
            it.standing.name().to_owned(),
        ]);
    }
    table
}

/// Whether every replication gave the same value.
fn is_equal(it: &Difference) -> bool {
    it.paired.difference.ci == Some((0.0, 0.0))
}

/// What the scenario expects and a system does not give, or not surely.
pub(in crate::report) fn unmet(comparison: &Comparison) -> Vec<String> {
    let of = |cell: &Cell| {
        let unmet = cell.document.expectations.iter().filter(|it| it.verdict != Verdict::Pass);
        let line = |it: &Expectation| format!("{}: {}: {} ({})", cell.label, it.verdict, it.id, it.detail);
        unmet.map(line).collect::<Vec<_>>()
    };
    comparison.cells.iter().flat_map(of).collect()
}

fn breaches(comparison: &Comparison) -> Vec<String> {
    let mut lines = Vec::new();
    for cell in &comparison.cells {
        let doc = &cell.document;
        for property in Property::ALL.iter().copied().filter(|property| doc.breaches(*property) > 0) {
            let judged = if doc.promised.contains(property) { "promised" } else { "counted, not promised" };
            let count = number::counted(doc.breaches(property), "breach");
            lines.push(format!("{}: {property}: {count} ({judged})", cell.label));
        }
    }
    lines
}

/// What may be wrong with the numbers.
pub(in crate::report) fn warned(comparison: &Comparison) -> Vec<String> {
    let of_cell = |cell: &Cell| {
        cell.document.warnings.iter().map(|warning| format!("{}: {warning}", cell.label)).collect::<Vec<_>>()
    };
    comparison.warnings.iter().cloned().chain(comparison.cells.iter().flat_map(of_cell)).collect()
}

/// What is not in the tables, and why.
pub(in crate::report) fn remarks(comparison: &Comparison) -> Vec<String> {
    // Cells of a sweep are often equal in the same metrics: one line for all of them.
    let mut equal: Vec<(String, Vec<&str>)> = Vec::new();
    for (system, cell) in comparison.cells.iter().enumerate() {
        let metrics = comparison.differences.iter().filter(|it| it.system == system && is_equal(it));
        let names = metrics.map(|it| comparison.column_name(it.metric, it.class)).collect::<Vec<_>>().join(", ");
        match equal.iter_mut().find(|(known, _)| *known == names) {
            _ if names.is_empty() => {}
            Some((_, cells)) => cells.push(&cell.label),
            None => equal.push((names, vec![&cell.label])),
        }
    }
    let baseline = comparison.baseline_name();
    let line = |(names, cells): &(String, Vec<&str>)| {
        format!("{}: equal to {baseline} in every replication: {names}", cells.join("; "))
    };
    let mut lines: Vec<String> = equal.iter().map(line).collect();
    for cell in &comparison.cells {
        let refused = cell.document.refused_names().into_iter();
        lines.extend(refused.map(|(reason, names)| format!("{}: no {} ({reason})", cell.label, names.join(", "))));
    }
    lines
}

/// The first row is the header.
pub(super) fn as_markdown(table: &Table) -> String {
    let line = |row: &Vec<String>| format!("| {} |\n", row.join(" | "));
    let rule = format!("|{}\n", "---|".repeat(table[0].len()));
    line(&table[0]) + &rule + &table[1..].iter().map(line).collect::<String>()
}

/// Columns as wide as their widest cell, the first two to the left and numbers to the right.
pub(super) fn aligned(table: &Table) -> String {
    let columns = table.first().map_or(0, Vec::len);
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let is_text = |column: usize| column == 0 || table[0][column] == "metric" || table[0][column] == "verdict";
    let mut out = String::new();
    for row in table {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if is_text(column) { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        out += cells.collect::<Vec<_>>().join("  ").trim_end();
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_answer_comes_first_and_the_command_last() {
        let comparison = sample::comparison();
        let text = human(&comparison);
        println!("{text}");
        assert!(text.starts_with("proposal against today: better in wait.mean (41.6 s to 31.6 s)"), "{text}");
        assert_eq!(text.lines().last(), Some(comparison.reproduce.as_str()));
        assert!(text.lines().all(|line| line == line.trim_end()), "blanks at the end of a line");
        assert!(markdown(&comparison).contains("| wait.mean | 41.2 s | 31.2 s |"), "{}", markdown(&comparison));
    }
}
