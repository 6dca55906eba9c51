//! Candidates and what becomes of them: the best document so far, replaced by any that still shows what is aimed at.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rayon::prelude::*;
use serde_json::Value;

use super::parts::script;
use super::{Options, PropertySet};
use crate::base::{Labels, Property, Time};
use crate::experiment::replicate::settings;
use crate::fact::{Fact, Observe};
use crate::observe::{Observer, Violation};
use crate::scenario::{Loaded, load_document};
use crate::world;

/// So many candidates are tried together; a fixed number, for the choice must not depend on how many threads there are.
const GROUP: usize = 8;
/// A candidate may have so many facts beyond those of the first document: smaller times can make more heartbeats.
const MORE_FACTS: u64 = 100_000;
/// The search ends when all candidates together took so much work: a bound on its time that is the same everywhere.
const WORK_IN_ALL: u64 = 100_000_000;
/// An event of a script is read in the time of so many facts.
const WORK_OF_EVENT: u64 = 20;

/// What a shrunk scenario must go on to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aim {
    /// The property that is violated.
    pub property: Property,
    /// The kind of the cause: its sentence without names and numbers.
    kind: String,
}

impl Aim {
    /// Another violation like this one.
    pub fn at(violation: &Violation) -> Aim {
        Aim { property: violation.property, kind: kind(&violation.cause) }
    }

    /// Whether a violation is of this kind.
    pub fn is(&self, violation: &Violation) -> bool {
        violation.property == self.property && kind(&violation.cause) == self.kind
    }
}

/// A sentence with `#` in the place of names, times and numbers; several in a row are one.
fn kind(cause: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in cause.split_whitespace() {
        let varies = word.contains(|c: char| c.is_ascii_digit());
        let word = if varies { "#" } else { word };
        if !(varies && words.last() == Some(&"#")) {
            words.push(word);
        }
    }
    words.join(" ")
}

/// What a document that shows the aim gave.
pub(super) struct Outcome {
    pub(super) violation: Violation,
    pub(super) labels: Labels,
    violations: Vec<Violation>,
    promised: PropertySet,
    facts: u64,
}

impl Outcome {
    /// Everything that has to be listed for the scenario to be as expected.
    pub(super) fn promised_and_broken(&self) -> PropertySet {
        let broken = self.violations.iter().map(|it| it.property);
        let broken: PropertySet = broken.filter(|property| self.promised.contains(*property)).collect();
        broken.with(self.violation.property)
    }
}

/// What a run gave, whether it shows the aim or not.
struct Run {
    violations: Vec<Violation>,
    labels: Labels,
    promised: PropertySet,
    facts: u64,
}

/// The search for a smaller document.
pub(super) struct Trials<'a> {
    options: &'a Options<'a>,
    pool: rayon::ThreadPool,
    aim: Aim,
    best: Value,
    outcome: Outcome,
    facts_max: u64,
    work_left: u64,
    tried: u64,
    /// Where the first document has timings that cannot work.
    doubtful: BTreeSet<String>,
    /// Properties whose violation is no news.
    known: PropertySet,
    others: Vec<(Violation, Value)>,
}

impl<'a> Trials<'a> {
    /// Begins with a document, if that shows the aim.
    pub(super) fn begin(document: Value, aim: &Aim, options: &'a Options<'a>) -> Option<Self> {
        let threads = options.jobs.max(1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        let run = run(&document, options, u64::MAX, None).ok()?;
        let doubtful = doubtful(&load_document(document.clone(), &options.dir).ok()?);
        let known = run.violations.iter().map(|it| it.property).collect();
        let outcome = run.showing(aim)?;
        let facts_max = outcome.facts + MORE_FACTS;
        let aim = aim.clone();
        Some(Trials {
            options,
            pool,
            aim,
            best: document,
            outcome,
            facts_max,
            work_left: WORK_IN_ALL,
            tried: 0,
            doubtful,
            known,
            others: Vec::new(),
        })
    }

    pub(super) fn best(&self) -> &Value {
        &self.best
    }

    /// Whether the search was ended before nothing more could be left out.
    pub(super) fn is_given_up(&self) -> bool {
        self.work_left == 0 || (self.options.stop)()
    }

    /// When the violation began.
    pub(super) fn violated_at(&self) -> Time {
        self.outcome.violation.at
    }

    /// Tries candidates `0..count`, made from the best document, until one shows the aim: it is the best from then on.
    /// Returns its number.
    pub(super) fn first(
        &mut self,
        count: usize,
        make: impl Fn(&Value, usize) -> Option<Value> + Sync,
    ) -> Option<usize> {
        for from in (0..count).step_by(GROUP) {
            if self.is_given_up() {
                break;
            }
            let (best, options, facts_max, doubtful) = (&self.best, self.options, self.facts_max, &self.doubtful);
            let one = |number| {
                let document = make(best, number).filter(|document| document != best)?;
                Some((run(&document, options, facts_max, Some(doubtful)), document))
            };
            let group = from..(from + GROUP).min(count);
            let tried: Vec<_> = self.pool.install(|| group.into_par_iter().map(one).collect());
            let mut chosen = None;
            for (number, made) in (from..).zip(tried) {
                let Some((run, document)) = made else { continue };
                self.tried += 1;
                let facts = run.as_ref().map_or_else(|failed| failed.facts, |run| run.facts);
                let work = facts + WORK_OF_EVENT * script(&document).len() as u64;
                self.work_left = self.work_left.saturating_sub(work);
                let Ok(run) = run else { continue };
                self.note_others(&run, &document);
                if chosen.is_none()
                    && let Some(outcome) = run.showing(&self.aim)
                {
                    chosen = Some((number, document, outcome));
                }
            }
            if let Some((number, document, outcome)) = chosen {
                (self.best, self.outcome) = (document, outcome);
                return Some(number);
            }
        }
        None
    }

    /// Promises that the original kept and a candidate does not are finds of their own, the first of each property.
    fn note_others(&mut self, run: &Run, document: &Value) {
        for violation in &run.violations {
            let property = violation.property;
            if run.promised.contains(property) && !self.known.contains(property) {
                self.known = self.known.with(property);
                self.others.push((violation.clone(), document.clone()));
            }
        }
    }

    /// The best document, what it gives, what was found beside it, and how many were tried.
    pub(super) fn end(self) -> (Value, Outcome, Vec<(Violation, Value)>, u64) {
        (self.best, self.outcome, self.others, self.tried)
    }
}

impl Run {
    fn showing(self, aim: &Aim) -> Option<Outcome> {
        let Run { violations, labels, promised, facts } = self;
        let violation = violations.iter().find(|it| aim.is(it))?.clone();
        Some(Outcome { violation, labels, violations, promised, facts })
    }
}

/// Where a scenario has timings that `check` warns of: with a lease or a ttl too short for its heartbeat everything goes
/// wrong, and nobody would know which of it is meant.
fn doubtful(loaded: &Loaded) -> BTreeSet<String> {
    let paths = loaded.warnings.iter().map(|warning| warning.path.clone());
    paths.filter(|path| ["detection", "engine"].iter().any(|part| path.starts_with(part))).collect()
}

/// A document that is no scenario, has timings that the first one had not, panics, or has too many facts.
struct Failed {
    /// So many facts were there before.
    facts: u64,
}

/// Runs a document once; `allowed`: where its timings may be doubtful.
fn run(
    document: &Value,
    options: &Options<'_>,
    facts_max: u64,
    allowed: Option<&BTreeSet<String>>,
) -> Result<Run, Failed> {
    let loaded = load_document(document.clone(), &options.dir).map_err(|_| Failed { facts: 0 })?;
    if allowed.is_some_and(|allowed| !doubtful(&loaded).is_subset(allowed)) {
        return Err(Failed { facts: 0 });
    }
    let scenario = loaded.scenario;
    let factory = (options.engines)(&scenario.engine).ok_or(Failed { facts: 0 })?;
    let guarantees = factory.guarantees(scenario.detection);
    let mut bounded = Bounded { observer: Observer::new(settings(&scenario, &guarantees, false)), left: facts_max };
    let ended = catch_unwind(AssertUnwindSafe(|| world::simulate(&scenario, &*factory, 0, &mut bounded)));
    let facts = facts_max - bounded.left;
    let stats = ended.map_err(|_| Failed { facts })?;
    let violations = bounded.observer.finish(stats.ended_at).violations;
    Ok(Run { violations, labels: scenario.labels, promised: guarantees.properties, facts })
}

/// Ends a run that has too many facts.
struct Bounded {
    observer: Observer,
    left: u64,
}

/// Unwinds such a run; never seen outside this file.
struct TooLong;

impl Observe for Bounded {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.left = self.left.checked_sub(1).unwrap_or_else(|| resume_unwind(Box::new(TooLong)));
        self.observer.on(now, fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_of_one_kind_differ_in_names_and_numbers_only() {
        let one = kind("{t:0} on {w:0} executed at once with {t:1} for 10s, in conflict over {r:0}");
        assert_eq!(one, kind("{t:19} on {w:7} executed at once with {t:4} for 0.25s, in conflict over {r:3}"));
        assert_ne!(one, kind("{t:0} on {w:0} started before {t:1} was settled"));
        assert_eq!(kind("left behind: {t:1}, {t:2}, {t:3} in q1"), kind("left behind: {t:8} in q2"));
    }
}
