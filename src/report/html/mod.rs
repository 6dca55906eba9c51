//! `report.html`: one file that works offline and says first what was asked and what the answer is.
//!
//! A page is filled from results alone, so that equal results give equal bytes. Nothing in it asks for another file: the
//! page forbids itself every request. The look is in `templates/`.

mod comparison;
mod hunt;
mod run;
mod timeline;

use askama::Template;

use crate::experiment::Verdict;
use crate::report::charts::Picture;
use crate::report::explain::{Step, Story, clock};

pub use comparison::page as comparison_page;
pub use hunt::{Hunt, ShrunkFind, page as hunt_page};
pub use run::Page as RunPage;

/// The name of the file that holds a page.
pub const FILE_NAME: &str = "report.html";

/// The look and the behaviour of every page.
const CSS: &str = include_str!("../../../templates/report.css");
const JS: &str = include_str!("../../../templates/report.js");

/// Everything on a page, in the order in which it is shown.
#[derive(Template, Default, Debug)]
#[template(path = "report.html")]
struct Page {
    title: String,
    verdict: VerdictView,
    question: String,
    headline: String,
    answers: Vec<String>,
    context: String,
    varied: Vec<String>,
    stories: Vec<StoryView>,
    tables: Vec<TableView>,
    folded: Vec<TableView>,
    held: usize,
    expectations: Vec<ExpectationView>,
    timeline: Option<TimelineView>,
    charts: Vec<ChartView>,
    warnings: Vec<String>,
    assumptions: Vec<String>,
    reproduce: String,
    digest: String,
    version: &'static str,
    resolved: String,
    css: &'static str,
    js: &'static str,
}

impl Page {
    fn text(mut self) -> String {
        self.css = CSS;
        self.js = JS;
        self.version = env!("CARGO_PKG_VERSION");
        self.render().expect("memory takes every page")
    }
}

/// A verdict as a word and as the class that colours it.
#[derive(Clone, Copy, Default, Debug)]
struct VerdictView {
    word: &'static str,
    class: &'static str,
}

impl From<Verdict> for VerdictView {
    fn from(verdict: Verdict) -> VerdictView {
        VerdictView { word: verdict.name(), class: verdict.name() }
    }
}

/// A violation, and the chain of its causes where it was followed.
#[derive(Debug)]
struct StoryView {
    number: usize,
    title: String,
    place: String,
    /// Where the timeline shows it, µs.
    jump: Option<u64>,
    steps: Vec<StepView>,
}

#[derive(Debug)]
struct StepView {
    clock: String,
    text: String,
    broken: Vec<String>,
}

/// The time stands where it changes.
fn steps(story: &Story) -> Vec<StepView> {
    let mut last = None;
    let view = |step: &Step| StepView {
        clock: if last.replace(step.at) == Some(step.at) { String::new() } else { clock(step.at) },
        text: step.text.clone(),
        broken: step.broken.clone(),
    };
    story.steps.iter().map(view).collect()
}

#[derive(Debug)]
struct ExpectationView {
    id: String,
    verdict: VerdictView,
    detail: String,
}

#[derive(Debug)]
struct TableView {
    id: &'static str,
    title: &'static str,
    header: Vec<HeadView>,
    groups: Vec<GroupView>,
}

impl TableView {
    fn len(&self) -> usize {
        self.groups.iter().map(|group| group.rows.len()).sum()
    }

    /// A narrow table of many groups, in two halves for where there is room beside each other.
    fn parts(&self) -> Vec<&[GroupView]> {
        const NARROW: usize = 4;
        if self.header.len() > NARROW || self.groups.len() < 4 {
            return vec![&self.groups];
        }
        let lines = |groups: &[GroupView]| groups.iter().map(|group| group.rows.len() + 1).sum::<usize>();
        let fits = |index: &usize| 2 * lines(&self.groups[..*index]) <= lines(&self.groups) + 1;
        let half = (1..self.groups.len()).rev().find(fits).unwrap_or(1);
        let (left, right) = self.groups.split_at(half);
        vec![left, right]
    }
}

/// A text in parts between which a line may end: names of metrics are long words.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(['.', '_', '{', '='])
}

#[derive(Debug)]
struct HeadView {
    text: String,
    number: bool,
}

impl HeadView {
    fn parts(&self) -> impl Iterator<Item = &str> {
        parts(&self.text)
    }
    fn text(text: &str) -> HeadView {
        HeadView { text: text.to_owned(), number: false }
    }
    fn number(text: &str) -> HeadView {
        HeadView { text: text.to_owned(), number: true }
    }
}

/// Rows under a heading, or under none.
#[derive(Debug)]
struct GroupView {
    title: String,
    rows: Vec<Vec<CellView>>,
}

#[derive(Debug)]
struct CellView {
    text: String,
    class: &'static str,
    hint: &'static str,
    /// Below the text, smaller.
    below: String,
}

impl CellView {
    fn parts(&self) -> impl Iterator<Item = &str> {
        parts(&self.text)
    }
    fn new(text: impl Into<String>, class: &'static str) -> CellView {
        CellView { text: text.into(), class, hint: "", below: String::new() }
    }
}

/// The data of the interactive timeline.
#[derive(Debug)]
struct TimelineView {
    legend: String,
    /// JSON without `<`, so that no name in it ends the element around it.
    data: String,
}

#[derive(Debug)]
struct ChartView {
    caption: String,
    origin: String,
    svg: String,
}

impl From<Picture> for ChartView {
    fn from(it: Picture) -> ChartView {
        ChartView { caption: it.caption, origin: it.origin, svg: it.svg }
    }
}
