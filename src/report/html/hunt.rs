//! The page of a hunt: whether anything was found, what, and what the runs came across.

use super::{CellView, GroupView, HeadView, Page, StoryView, TableView, VerdictView, steps};
use crate::base::Probe;
use crate::experiment::hunt::{Bag, Find};
use crate::experiment::stats::rate_bounds;
use crate::experiment::swarm::Mix;
use crate::report::explain::Story;
use crate::report::number;

/// What the page of a hunt is made of.
#[derive(Clone, Debug)]
pub struct Hunt<'a> {
    /// What was hunted in: a scenario's name, or `swarm`.
    pub name: &'a str,
    /// What was asked, one sentence.
    pub question: &'a str,
    /// The first seed.
    pub first: u64,
    /// What was seen.
    pub bag: &'a Bag,
    /// The metric that was maximised.
    pub metric: Option<&'a str>,
    /// The finds that were shrunk.
    pub shrunk: &'a [ShrunkFind],
    /// The command that repeats it.
    pub reproduce: &'a str,
}

/// A find made small, and how it came about.
#[derive(Clone, Debug)]
pub struct ShrunkFind {
    /// What the find is drawn from.
    pub mix: Mix,
    /// What is broken in the small scenario, and why, in its names and times.
    pub cause: String,
    /// The chain of causes.
    pub story: Story,
}

/// The file `report.html` of a hunt.
pub fn page(hunt: &Hunt<'_>) -> String {
    let bag = hunt.bag;
    let found = bag.wrong > 0;
    Page {
        title: hunt.name.to_owned(),
        verdict: VerdictView {
            word: if found { "found" } else { "nothing found" },
            class: if found { "fail" } else { "pass" },
        },
        question: hunt.question.to_owned(),
        headline: headline(bag),
        answers: greatest(hunt).into_iter().collect(),
        context: format!(
            "{} from seed {} with {}, each judged by every property",
            number::counted(bag.runs, "run"),
            hunt.first,
            number::counted(bag.tasks, "task")
        ),
        stories: hunt.shrunk.iter().enumerate().map(story).collect(),
        tables: [worst(hunt), finds(bag), probes(bag)].into_iter().filter(|table| table.len() > 0).collect(),
        warnings: bag.never_hit().into_iter().collect(),
        assumptions: vec![
            "A hunt shows that something goes wrong, never that nothing can: it says how often it looked.".to_owned(),
            "Only what the engine promises counts as found.".to_owned(),
        ],
        reproduce: hunt.reproduce.to_owned(),
        ..Page::default()
    }
    .text()
}

fn headline(bag: &Bag) -> String {
    let runs = number::counted(bag.runs, "run");
    if bag.wrong > 0 {
        return format!("A promise was broken in {} of {runs}", bag.wrong);
    }
    let (_, bound) = rate_bounds(0, u32::try_from(bag.runs.max(1)).unwrap_or(u32::MAX), 0.95);
    let bound = number::percent(bound);
    format!("No promise was broken in {runs}: with 95 % confidence in at most {bound} of such runs")
}

fn story((index, find): (usize, &ShrunkFind)) -> StoryView {
    StoryView {
        number: index + 1,
        title: find.cause.clone(),
        place: format!("seed {}, shrunk: its own names and times", find.mix),
        jump: None,
        steps: steps(&find.story),
    }
}

/// Where the metric that was maximised is greatest.
fn greatest(hunt: &Hunt<'_>) -> Option<String> {
    let (metric, (value, mix)) = (hunt.metric?, hunt.bag.worst.first()?);
    Some(format!("{metric} is greatest under seed {mix}: {}", number::measured(*value, name(metric))))
}

/// A metric without its class.
fn name(metric: &str) -> &str {
    metric.split('{').next().unwrap_or_default()
}

fn worst(hunt: &Hunt<'_>) -> TableView {
    let metric = hunt.metric.unwrap_or_default();
    let name = name(metric);
    let row = |(value, mix): &(f64, Mix)| {
        vec![CellView::new(mix.to_string(), ""), CellView::new(number::measured(*value, name), "number")]
    };
    TableView {
        id: "worst",
        title: "Which runs performed worst",
        header: vec![HeadView::text("seed"), HeadView::number(metric)],
        groups: vec![GroupView { title: String::new(), rows: hunt.bag.worst.iter().map(row).collect() }],
    }
}

fn finds(bag: &Bag) -> TableView {
    let row = |find: &Find| {
        vec![
            CellView::new(find.mix.to_string(), ""),
            CellView::new(find.what(), "fail"),
            CellView::new(find.cause.clone(), ""),
        ]
    };
    TableView {
        id: "results",
        title: "What was found",
        header: ["seed", "broken", "first breach"].map(HeadView::text).into(),
        groups: vec![GroupView { title: String::new(), rows: bag.finds.iter().map(row).collect() }],
    }
}

fn probes(bag: &Bag) -> TableView {
    let row = |probe: &Probe| {
        let count = *bag.probes.get(&probe.index())?;
        let share = number::percent(count as f64 / bag.runs.max(1) as f64);
        Some(vec![
            CellView::new(probe.name(), ""),
            CellView::new(count.to_string(), "number"),
            CellView::new(share, "number"),
        ])
    };
    TableView {
        id: "probes",
        title: "What the runs came across",
        header: vec![HeadView::text("probe"), HeadView::number("runs"), HeadView::number("share")],
        groups: vec![GroupView { title: String::new(), rows: Probe::ALL.iter().filter_map(row).collect() }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Property;
    use crate::base::names::PropertySet;

    fn hunt(bag: &Bag) -> String {
        page(&Hunt {
            name: "swarm",
            question: "Is a promise ever broken?",
            first: 7,
            bag,
            metric: None,
            shrunk: &[],
            reproduce: "again",
        })
    }

    #[test]
    fn nothing_found_says_how_often_it_looked() {
        let text = hunt(&Bag { runs: 3_000, tasks: 9, ..Bag::default() });
        assert!(text.contains("nothing found") && text.contains("in at most &#60;0.1 % of such runs"), "{text}");
    }

    #[test]
    fn the_worst_run_is_told_before_the_tables() {
        let bag = Bag { runs: 3, worst: vec![(7.5, Mix::of(9)), (2.0, Mix::of(8))], ..Bag::default() };
        let text = page(&Hunt {
            name: "shop",
            question: "How bad can it be?",
            first: 7,
            bag: &bag,
            metric: Some("wait.p95{class=sync}"),
            shrunk: &[],
            reproduce: "again",
        });
        let told = text.find("wait.p95{class=sync} is greatest under seed 9: 7.5 s").expect("the answer");
        assert!(told < text.find("<table>").expect("a table"));
    }

    #[test]
    fn a_find_is_shown_with_its_seed_and_what_it_broke() {
        let find = Find {
            mix: Mix::of(42),
            violated: PropertySet::EMPTY.with(Property::Order),
            first: Some(Property::Order),
            cause: "t8 before <t7>".into(),
        };
        let bag = Bag { runs: 10, wrong: 1, finds: vec![find], ..Bag::default() };
        let text = hunt(&bag);
        assert!(text.contains("broken in 1 of 10 runs") && text.contains(">42<") && text.contains("order"));
        assert!(!text.contains("<t7>"), "a name became an element");
    }
}
