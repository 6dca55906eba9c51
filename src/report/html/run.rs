//! The page of a run.

use super::{CellView, ChartView, ExpectationView, GroupView, HeadView, StoryView, TableView, steps, timeline};
use crate::experiment::replay::fidelity::{Comparison, Fidelity};
use crate::experiment::{Expectation, Verdict};
use crate::observe::Violation;
use crate::report::charts::svg_charts;
use crate::report::explain::Story;
use crate::report::{Document, EXAMPLES_EACH, Report, number, table};

/// The file `report.html`.
#[derive(Debug)]
pub struct Page;

impl Report for Page {
    fn file_name(&self) -> &'static str {
        super::FILE_NAME
    }

    fn render(&self, doc: &Document) -> String {
        let charts = svg_charts(doc).unwrap_or_default();
        let remarks = doc.replayed.iter().flat_map(|replayed| &replayed.remarks);
        super::Page {
            title: doc.scenario.clone(),
            verdict: doc.verdict.into(),
            question: doc.description.clone(),
            headline: capitalised(&table::promises(doc)),
            context: capitalised(&table::context(doc).join(", ")),
            stories: stories(doc),
            tables: doc.replayed.as_ref().map(|it| fidelity(&it.fidelity)).into_iter().chain([results(doc)]).collect(),
            held: doc.expectations.iter().filter(|it| it.verdict == Verdict::Pass).count(),
            expectations: expectations(doc),
            timeline: timeline::view(doc),
            charts: charts.into_iter().map(ChartView::from).collect(),
            warnings: doc.about.warnings.clone(),
            assumptions: doc.about.assumptions.iter().chain(remarks).cloned().collect(),
            reproduce: doc.reproduce.clone(),
            digest: doc.digest.clone(),
            resolved: doc.about.resolved.clone(),
            ..super::Page::default()
        }
        .text()
    }
}

/// As a sentence begins.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What is the same as a violation before it, in another replication, is not told again.
fn stories(doc: &Document) -> Vec<StoryView> {
    let mut told: Vec<&Violation> = Vec::new();
    let mut out = Vec::new();
    for (index, (replication, violation)) in doc.examples(EXAMPLES_EACH).into_iter().enumerate() {
        if !told.contains(&violation) {
            told.push(violation);
            out.push(view(doc, index + 1, replication, violation, doc.stories.get(&index)));
        }
    }
    out
}

fn view(doc: &Document, number: usize, replication: usize, violation: &Violation, story: Option<&Story>) -> StoryView {
    let judged = if doc.promised.contains(violation.property) { "" } else { ", counted and not promised" };
    let count = number::counted(doc.breaches(violation.property), "breach");
    let at = number::clock(violation.at);
    let (property, cause) = (violation.property, doc.cause(violation));
    let in_timeline = replication == 0 && doc.observations.first().is_some_and(|first| first.timeline.is_some());
    StoryView {
        number,
        title: format!("{property}: {cause}"),
        place: format!("replication {replication}, at {at}; {count} of {property} over all replications{judged}"),
        jump: in_timeline.then(|| violation.at.micros()),
        steps: story.map(steps).unwrap_or_default(),
    }
}

/// What does not hold comes first.
fn expectations(doc: &Document) -> Vec<ExpectationView> {
    let mut all: Vec<&Expectation> = doc.expectations.iter().collect();
    all.sort_by_key(|it| std::cmp::Reverse(it.verdict));
    let view =
        |it: &Expectation| ExpectationView { id: it.id.clone(), verdict: it.verdict.into(), detail: it.detail.clone() };
    all.into_iter().map(view).collect()
}

/// A replay says first how near it is.
fn fidelity(fidelity: &Fidelity) -> TableView {
    let seconds = |value: f64| CellView::new(format!("{} s", number::plain(value)), "number");
    let row = |it: &Comparison| {
        let error = it.error().map_or_else(String::new, |error| format!("{:+.1} %", error * 100.0));
        let range = format!("{} … {} s", number::plain(it.range.0), number::plain(it.range.1));
        vec![
            CellView::new(it.metric, ""),
            seconds(it.recorded),
            seconds(it.simulated),
            CellView::new(error, "number"),
            CellView::new(range, "number"),
        ]
    };
    let columns = ["recorded", "simulated", "error", "simulated runs"].map(HeadView::number);
    TableView {
        id: "fidelity",
        title: "Simulated against recorded waits",
        header: [HeadView::text("metric")].into_iter().chain(columns).collect(),
        groups: vec![GroupView { title: String::new(), rows: fidelity.comparisons.iter().map(row).collect() }],
    }
}

fn results(doc: &Document) -> TableView {
    let interval = format!("{} interval", number::percent(doc.confidence));
    let mut groups: Vec<GroupView> = Vec::new();
    for row in table::rows(doc) {
        let range = if row.low.is_empty() { String::new() } else { format!("{} … {}", row.low, row.high) };
        let name = CellView { hint: row.meaning, ..CellView::new(row.name, "") };
        let cells =
            vec![name, CellView::new(row.mean, "number"), CellView::new(row.unit, ""), CellView::new(range, "number")];
        match groups.last_mut().filter(|group| group.title == row.group) {
            Some(group) => group.rows.push(cells),
            None => groups.push(GroupView { title: row.group.to_owned(), rows: vec![cells] }),
        }
    }
    let header =
        vec![HeadView::text("metric"), HeadView::number("mean"), HeadView::text("unit"), HeadView::number(&interval)];
    TableView { id: "results", title: "Results", header, groups }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_verdict_and_the_question_come_first_and_nothing_is_asked_for() {
        for doc in [sample::document(), sample::empty_document(), sample::still_document()] {
            let text = Page.render(&doc);
            let place = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words}"));
            assert!(
                place(doc.verdict.name()) < place(&doc.description)
                    && place(&doc.description) < place("id=\"results\"")
            );
            for asks in ["src=", "http-equiv=\"refresh", "@import", "url(", "fetch(", "XMLHttpRequest"] {
                assert!(!text.contains(asks), "{asks}");
            }
            let beyond: Vec<&str> = text.matches("http").collect();
            assert_eq!(
                beyond.len(),
                text.matches("http://www.w3.org/2000/svg").count() + text.matches("http-equiv").count()
            );
        }
    }

    #[test]
    fn hostile_names_end_no_element() {
        let mut doc = sample::document();
        let hostile = "</script><script>alert(1)</script>";
        doc.scenario = hostile.into();
        doc.labels.tasks = std::iter::repeat_n(hostile.to_owned(), 9).collect();
        doc.expectations[0].id = hostile.into();
        let text = Page.render(&doc);
        assert!(!text.contains("<script>alert"), "a name became an element");
    }
}
