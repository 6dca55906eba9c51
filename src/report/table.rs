//! The table for people: the verdict first, then why, then the key metrics with unit, mean and interval, aligned.
//! After a failure the last line is the command that repeats it.

use super::{Document, EXAMPLES_EACH, fidelity, number, picture};
use crate::base::id::Id as _;
use crate::base::names::{METRICS, MetricInfo};
use crate::base::{ClassId, Property};
use crate::experiment::Verdict;

/// The metrics shown to people, by group; all others are in the files.
const GROUPS: &[(&str, &[&str])] = &[
    ("Waiting", &["wait.mean", "wait.p50", "wait.p95", "wait.p99", "wait.max"]),
    (
        "Why they waited",
        &["wait.blocked", "wait.parked", "wait.behind", "wait.owner_busy", "wait.no_owner", "wait.dispatch"],
    ),
    ("Service", &["response.mean", "response.p95", "slowdown.mean", "throughput"]),
    (
        "Tasks",
        &[
            "tasks.submitted",
            "tasks.completed",
            "tasks.failed",
            "tasks.cancelled",
            "tasks.requeued",
            "tasks.unfinished",
        ],
    ),
    (
        "Workers",
        &[
            "workers.mean",
            "worker.utilisation",
            "worker.idle_avoidable",
            "worker.idle_unavoidable",
            "worker.paused",
            "worker.starting",
        ],
    ),
    (
        "Queues",
        &[
            "queue.count.mean",
            "queue.count.max",
            "queue.churn",
            "queue.moved",
            "queue.orphaned",
            "queue.vacant",
            "backlog.mean",
            "backlog.max",
        ],
    ),
    ("Safety", &["overlap_seconds", "effects.refused", "effects.already_done"]),
];

/// The metrics shown per class where there are several classes.
const PER_CLASS: &[&str] = &["wait.mean", "wait.p95", "tasks.completed"];

/// At most so many breaches of each property are told.
const TOLD_EACH: usize = 3;

/// The table for a terminal; `color` adds ANSI colours to the verdicts.
pub fn human(doc: &Document, color: bool) -> String {
    let paint = |text: &str, verdict: Verdict| if color { painted(text, verdict) } else { text.to_string() };
    let replay = doc.replayed.as_ref().map(|it| fidelity::human(it, &doc.engine, doc.replications) + "\n");
    let mut out = replay.unwrap_or_default();
    out += &format!("{}  {}\n", paint(&doc.verdict.name().to_uppercase(), doc.verdict), headline(doc));
    out += &format!("{}\ndigest {}\n", context(doc).join(", "), doc.digest);
    out += &expectations(doc, paint);
    let breaches = breach_lines(doc);
    if !breaches.is_empty() {
        out += &format!("\nBreaches\n  {}\n", breaches.join("\n  "));
    }
    let rows = rows(doc);
    let width = |cell: fn(&Row) -> &str, title: &str| {
        rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0).max(title.chars().count())
    };
    let (names, means, units) = (width(|it| &it.name, ""), width(|it| &it.mean, "mean"), width(|it| it.unit, ""));
    let (lows, highs) = (width(|it| &it.low, ""), width(|it| &it.high, ""));
    out += &format!("\n{:w$}  {:>means$} {:units$}  {} interval\n", "", "mean", "", percent_of(doc), w = names + 2);
    let mut group = "";
    for row in &rows {
        if row.group != group {
            group = row.group;
            out += &format!("{group}\n");
        }
        let interval =
            if row.low.is_empty() { String::new() } else { format!("  {:>lows$} … {:>highs$}", row.low, row.high) };
        out += format!("  {:names$}  {:>means$} {:units$}{interval}", row.name, row.mean, row.unit).trim_end();
        out.push('\n');
    }
    let picture = picture::over_time(doc);
    if !picture.is_empty() {
        out += &format!("\n{picture}");
    }
    let remarks = remarks(doc);
    if !remarks.is_empty() {
        out += &format!("\nRemarks\n  {}\n", remarks.join("\n  "));
    }
    if doc.verdict != Verdict::Pass {
        out += &format!("\nRepeat it with:\n{}\n", doc.reproduce);
    }
    out
}

/// What does not hold comes first and in full; what holds is named, and the details stand in the report.
fn expectations(doc: &Document, paint: impl Fn(&str, Verdict) -> String) -> String {
    if doc.expectations.is_empty() {
        return String::new();
    }
    let mut out = "\nExpectations\n".to_owned();
    let (holds, fails): (Vec<_>, Vec<_>) = doc.expectations.iter().partition(|it| it.verdict == Verdict::Pass);
    let line =
        |verdict: Verdict, text: &str| format!("  {}  {text}\n", paint(&format!("{:12}", verdict.name()), verdict));
    for it in fails {
        let detail = if it.detail.is_empty() { String::new() } else { format!("  ({})", it.detail) };
        out += &line(it.verdict, &format!("{}{detail}", it.id));
    }
    for kind in ["always", "sometimes"] {
        let names: Vec<&str> = holds.iter().filter_map(|it| it.id.strip_prefix(kind)?.strip_prefix(' ')).collect();
        if !names.is_empty() {
            out += &line(Verdict::Pass, &format!("{kind} {}", names.join(", ")));
        }
    }
    for it in holds.iter().filter(|it| !it.id.starts_with("always ") && !it.id.starts_with("sometimes ")) {
        out += &line(it.verdict, &format!("{}  ({})", it.id, it.detail));
    }
    out
}

/// What is not in the table and why, and what to know of what is in it.
fn remarks(doc: &Document) -> Vec<String> {
    let refused = doc.refused_names().into_iter();
    let refused = refused.map(|(reason, names)| format!("not estimated ({reason}): {}", names.join(", ")));
    refused.chain(doc.warnings.iter().cloned()).collect()
}

/// The same as Markdown, for pull requests and notes.
pub fn markdown(doc: &Document) -> String {
    let replay = doc.replayed.as_ref().map(|it| fidelity::human(it, &doc.engine, doc.replications));
    let mut out = replay.map_or(String::new(), |text| format!("```text\n{text}```\n\n"));
    out += &format!("## {}: {}\n\n", doc.verdict.name().to_uppercase(), headline(doc));
    out += &format!("{}, digest `{}`\n", context(doc).join(", "), doc.digest);
    if !doc.expectations.is_empty() {
        out += "\n| expectation | verdict | seen |\n|---|---|---|\n";
    }
    for it in &doc.expectations {
        out += &format!("| `{}` | {} | {} |\n", it.id, it.verdict.name(), it.detail.replace('|', "\\|"));
    }
    let breaches = breach_lines(doc);
    if !breaches.is_empty() {
        out += &format!("\n- {}\n", breaches.join("\n- "));
    }
    out += &format!("\n| metric | mean | unit | {} interval |\n|---|---:|---|---|\n", percent_of(doc));
    for row in rows(doc) {
        let interval = if row.low.is_empty() { String::new() } else { format!("{} … {}", row.low, row.high) };
        out += &format!("| {} | {} | {} | {interval} |\n", row.name, row.mean, row.unit);
    }
    let remarks = remarks(doc);
    if !remarks.is_empty() {
        out += &format!("\n- {}\n", remarks.join("\n- "));
    }
    if doc.verdict != Verdict::Pass {
        out += &format!("\n```sh\n{}\n```\n", doc.reproduce);
    }
    out
}

fn painted(text: &str, verdict: Verdict) -> String {
    let code = match verdict {
        Verdict::Pass => "32",
        Verdict::Fail => "31",
        Verdict::Inconclusive => "33",
    };
    format!("\x1b[1;{code}m{text}\x1b[0m")
}

fn percent_of(doc: &Document) -> String {
    number::percent(doc.confidence)
}

fn headline(doc: &Document) -> String {
    format!("{}: {}", doc.scenario, promises(doc))
}

/// Which expectations hold, and whether promises do.
pub(super) fn promises(doc: &Document) -> String {
    let held = doc.expectations.iter().filter(|it| it.verdict == Verdict::Pass).count();
    let breached: u64 = doc.promised.iter().map(|property| doc.breaches(property)).sum();
    let expectations = match doc.expectations.len() {
        0 => "nothing was expected".to_string(),
        1 if held == 1 => "the expectation holds".into(),
        all if held == all => format!("all {all} expectations hold"),
        all => format!("{held} of {all} expectations hold"),
    };
    let promises = if breached == 0 {
        "no promised property was breached".into()
    } else {
        format!("{} of promised properties", number::counted(breached, "breach"))
    };
    format!("{expectations}, {promises}")
}

pub(super) fn context(doc: &Document) -> Vec<String> {
    let mut parts = vec![
        format!("engine {}", doc.engine),
        format!("seed {}", doc.seed),
        number::counted(u64::from(doc.replications), "replication"),
        format!("{} long", number::clock(doc.horizon)),
    ];
    if doc.warm_up.micros() > 0 {
        parts.push(format!("warm-up {}", number::clock(doc.warm_up)));
    }
    parts
}

/// One line per breached property, and one per example of it.
fn breach_lines(doc: &Document) -> Vec<String> {
    let examples = doc.examples(EXAMPLES_EACH);
    let mut lines = Vec::new();
    for property in Property::ALL.iter().copied().filter(|property| doc.breaches(*property) > 0) {
        let judged = if doc.promised.contains(property) { "" } else { " (counted, not promised)" };
        let runs = doc.observations.iter().filter(|it| it.violation_counts[property.index()] > 0).count();
        let total = number::counted(doc.breaches(property), "breach");
        lines.push(format!(
            "{property}: {total} in {runs} of {}{judged}",
            number::counted(u64::from(doc.replications), "replication")
        ));
        let of_it = examples.iter().enumerate().filter(|(_, (_, it))| it.property == property);
        for (index, (replication, violation)) in of_it.take(TOLD_EACH) {
            let (number, at) = (index + 1, number::clock(violation.at));
            lines.push(format!("  {number}. replication {replication} at {at}: {}", doc.cause(violation)));
        }
    }
    lines
}

/// A metric as it is shown.
pub(super) struct Row {
    pub(super) group: &'static str,
    pub(super) name: String,
    pub(super) meaning: &'static str,
    pub(super) mean: String,
    pub(super) unit: &'static str,
    /// The ends of the interval; empty where there is none.
    pub(super) low: String,
    pub(super) high: String,
}

/// The key metrics, by group.
pub(super) fn rows(doc: &Document) -> Vec<Row> {
    let mut rows = Vec::new();
    for (group, names) in GROUPS {
        for metric in names.iter().filter_map(|name| METRICS.iter().find(|metric| metric.name == *name)) {
            rows.extend(row(doc, group, metric, None));
        }
    }
    if doc.labels.classes.len() > 1 {
        for metric in PER_CLASS.iter().filter_map(|name| METRICS.iter().find(|metric| metric.name == *name)) {
            let classes = (0..doc.labels.classes.len()).map(ClassId::from_index);
            rows.extend(classes.filter_map(|class| row(doc, "By class", metric, Some(class))));
        }
    }
    rows
}

fn row(doc: &Document, group: &'static str, metric: &'static MetricInfo, class: Option<ClassId>) -> Option<Row> {
    let estimate = doc.estimates.get(&(metric.name, class))?;
    let shown = |value: f64| number::in_unit(value, metric.unit);
    Some(Row {
        group,
        name: doc.column_name(metric, class),
        meaning: metric.meaning,
        mean: shown(estimate.mean),
        unit: number::unit_sign(metric.unit),
        low: estimate.ci.map(|ci| shown(ci.0)).unwrap_or_default(),
        high: estimate.ci.map(|ci| shown(ci.1)).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_verdict_comes_first_and_after_a_failure_the_command_last() {
        let doc = sample::document();
        let text = human(&doc, false);
        println!("{text}");
        assert!(text.starts_with("FAIL  black-friday: 1 of 2 expectations hold, 1 breach of promised properties\n"));
        assert_eq!(text.lines().last().unwrap(), doc.reproduce);
        assert!(text.lines().all(|line| line == line.trim_end()), "blanks at the end of a line");
        assert!(!text.contains('\x1b'));
        assert!(human(&doc, true).starts_with("\x1b[1;31mFAIL\x1b[0m"));
    }

    #[test]
    fn every_name_in_the_table_is_a_metric() {
        for name in GROUPS.iter().flat_map(|(_, names)| names.iter()).chain(PER_CLASS) {
            assert!(METRICS.iter().any(|metric| metric.name == *name), "{name}");
        }
    }

    #[test]
    fn markdown_has_the_same_rows() {
        let doc = sample::document();
        let text = markdown(&doc);
        assert!(text.contains("| wait.p95 | 41.2 | s | 39.9 … 42.5 |"), "{text}");
        assert!(text.starts_with("## FAIL: black-friday"));
    }
}
