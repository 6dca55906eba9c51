//! Verdicts: what was expected of a scenario against what its replications gave.
//!
//! A run fails on a breach of what its engine promises or of what `expect` lists. A threshold is judged on the whole
//! confidence interval; one that straddles the bound is inconclusive, and one without data fails.

use std::collections::BTreeSet;
use std::fmt;

use super::replicate::Results;
use super::stats::{Estimate, Estimates, Refusal, is_of_begun, rate_bounds, refusals, unstarted};
use crate::base::names::{ProbeSet, PropertySet, Unit};
use crate::base::{Labels, Property, TaskId, WorkerId};
use crate::observe::Observation;
use crate::scenario::{Comparison, Expect, ExpectedState, Scenario, TaskState, Threshold};

/// How a judgement ends; worse ones are greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// The confidence interval straddles the bound.
    Inconclusive,
    /// It does not hold.
    Fail,
}

impl Verdict {
    /// `pass`, `inconclusive` or `fail`.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Inconclusive => "inconclusive",
            Verdict::Fail => "fail",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Something expected, and whether it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expectation {
    /// Its text, the same in every run: `always exclusion`, `wait.p95{class=sync} < 45s`.
    pub id: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What was seen.
    pub detail: String,
}

/// All expectations of a scenario, judged.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// In the order of the scenario file.
    pub expectations: Vec<Expectation>,
    /// The worst of them.
    pub verdict: Verdict,
    /// The properties whose breach fails the run; others are only counted.
    pub judged: PropertySet,
}

/// Judges what the replications gave.
pub fn judge(scenario: &Scenario, results: &Results, estimates: &Estimates) -> Judgement {
    let observations = results.observations.as_slice();
    let (expect, confidence) = (&scenario.expect, scenario.run.confidence);
    let mut judgement = judge_observations(expect, results.guarantees.properties, observations, estimates, confidence);
    if let Some(first) = observations.first() {
        judgement.expectations.extend(scripted(scenario, first));
    }
    let worst = judgement.expectations.iter().map(|it| it.verdict).max();
    Judgement { verdict: worst.unwrap_or(Verdict::Pass), ..judgement }
}

/// Judges what can be judged without the scenario: properties, probes and thresholds.
pub fn judge_observations(
    expect: &Expect,
    promised: PropertySet,
    observations: &[Observation],
    estimates: &Estimates,
    confidence: f64,
) -> Judgement {
    let judged = judged_properties(expect, promised);
    let mut expectations: Vec<Expectation> =
        judged.iter().map(|property| always(property, observations, confidence)).collect();
    expectations.extend(expect.violated.iter().map(|property| violated(*property, observations)));
    let seen = observations.iter().fold(ProbeSet::default(), |seen, observation| seen.union(observation.probes));
    expectations.extend(expect.sometimes.iter().map(|probe| {
        let hit = seen.contains(*probe);
        let detail = if hit { "it was seen".to_owned() } else { "no replication ever saw it".to_owned() };
        expectation(format!("sometimes {probe}"), hit, detail)
    }));
    let refused = refusals(observations);
    let unstarted = unstarted(observations);
    expectations.extend(expect.thresholds.iter().map(|it| threshold(it, estimates, &refused, unstarted)));
    let verdict = expectations.iter().map(|it| it.verdict).max().unwrap_or(Verdict::Pass);
    Judgement { expectations, verdict, judged }
}

/// What the engine promises and what is listed, without what must be violated.
pub(crate) fn judged_properties(expect: &Expect, promised: PropertySet) -> PropertySet {
    let listed = expect.always.iter().flatten().copied();
    let judged = listed.fold(promised, PropertySet::with);
    expect.violated.iter().copied().fold(judged, PropertySet::without)
}

fn expectation(id: String, holds: bool, detail: String) -> Expectation {
    Expectation { id, verdict: if holds { Verdict::Pass } else { Verdict::Fail }, detail }
}

fn always(property: Property, observations: &[Observation], confidence: f64) -> Expectation {
    let breaches = breaches(property, observations);
    let detail = match first_breach(property, observations) {
        None => "no breach".to_owned(),
        Some(place) => format!("{breaches} {}, first {place}", if breaches == 1 { "breach" } else { "breaches" }),
    };
    let mut detail = detail + &rate(property, observations, confidence);
    let outside: u64 = observations.iter().map(|observation| observation.assumption_broken[property.index()]).sum();
    if outside > 0 {
        detail += &format!("; {outside} where the timing assumption was broken");
    }
    expectation(format!("always {property}"), breaches == 0, detail)
}

fn violated(property: Property, observations: &[Observation]) -> Expectation {
    let breaches = breaches(property, observations);
    let detail = match first_breach(property, observations) {
        None => "it was never violated, and must be".to_owned(),
        Some(place) => format!("violated {breaches} times, first {place}"),
    };
    expectation(format!("violated {property}"), breaches > 0, detail)
}

fn breaches(property: Property, observations: &[Observation]) -> u64 {
    observations.iter().map(|observation| observation.violation_counts[property.index()]).sum()
}

/// How often replications breach a property, with exact bounds: none of n does not mean never.
fn rate(property: Property, observations: &[Observation], confidence: f64) -> String {
    let count = |number: usize| u32::try_from(number).expect("replications are counted in u32");
    let breached = observations.iter().filter(|it| it.violation_counts[property.index()] > 0).count();
    if observations.len() < 2 {
        return String::new();
    }
    let (low, high) = rate_bounds(count(breached), count(observations.len()), confidence);
    let level = confidence * 100.0;
    match breached {
        0 => format!(", at {level} % in at most {:.2} % of replications", high * 100.0),
        _ => format!(", at {level} % in {:.2} to {:.2} % of replications", low * 100.0, high * 100.0),
    }
}

fn first_breach(property: Property, observations: &[Observation]) -> Option<String> {
    let breached = |it: &&Observation| it.violation_counts[property.index()] > 0;
    let replication = observations.iter().position(|it| breached(&it))?;
    let example = observations[replication].violations.iter().find(|violation| violation.property == property);
    let at = example.map(|violation| format!(" at {}", violation.at)).unwrap_or_default();
    Some(format!("in replication {replication}{at}"))
}

fn threshold(threshold: &Threshold, estimates: &Estimates, refused: &BTreeSet<Refusal>, unstarted: u64) -> Expectation {
    let id = threshold.text.clone();
    let (metric, class) = (threshold.metric.name, threshold.class);
    let Some(estimate) = estimates.get(&(metric, class)) else {
        let detail = match refused.get(&Refusal { metric, class }) {
            Some(refusal) => format!("not estimated: {}", refusal.reason()),
            None => "no data: nothing of this was measured".to_owned(),
        };
        return Expectation { id, verdict: Verdict::Fail, detail };
    };
    let verdict = against(estimate, threshold.comparison, threshold.bound);
    let detail = shown(estimate, threshold.metric.unit);
    let is_upper_bound = matches!(threshold.comparison, Comparison::Less | Comparison::AtMost);
    if unstarted > 0 && is_upper_bound && is_of_begun(metric) && verdict == Verdict::Pass {
        let detail = format!("{detail}, without the tasks that never began: {unstarted}");
        return Expectation { id, verdict: Verdict::Inconclusive, detail };
    }
    Expectation { id, verdict, detail }
}

/// An estimate against a bound: on the whole interval where there is one, otherwise on the mean.
fn against(estimate: &Estimate, comparison: Comparison, bound: f64) -> Verdict {
    let holds = |value: f64| match comparison {
        Comparison::Less => value < bound,
        Comparison::AtMost => value <= bound,
        Comparison::More => value > bound,
        Comparison::AtLeast => value >= bound,
        Comparison::Equal => (value - bound).abs() <= 1e-9 * bound.abs().max(1.0),
    };
    let (low, high) = match (comparison, estimate.ci) {
        (Comparison::Equal, _) | (_, None) => (estimate.mean, estimate.mean),
        (_, Some(ci)) => ci,
    };
    match (holds(low), holds(high)) {
        (true, true) => Verdict::Pass,
        (false, false) => Verdict::Fail,
        (true, false) | (false, true) => Verdict::Inconclusive,
    }
}

fn shown(estimate: &Estimate, unit: Unit) -> String {
    let (scale, suffix) = match unit {
        Unit::Seconds => (1.0, " s"),
        Unit::Count => (1.0, ""),
        Unit::Fraction => (100.0, " %"),
        Unit::PerHour => (1.0, " /h"),
        Unit::PerSecond => (1.0, " /s"),
        Unit::Ratio => (1.0, " x"),
    };
    let number = |value: f64| {
        let text = format!("{:.4}", value * scale);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match estimate.ci {
        None => format!("{}{suffix}", number(estimate.mean)),
        Some((low, high)) => format!("{}{suffix} [{}, {}]", number(estimate.mean), number(low), number(high)),
    }
}

/// States, starts and the golden digest: judged on replication 0.
fn scripted(scenario: &Scenario, first: &Observation) -> Vec<Expectation> {
    let expect = &scenario.expect;
    let labels = &scenario.labels;
    let answers = first.states.iter().map(Some).chain(std::iter::repeat(None));
    let mut out: Vec<Expectation> =
        expect.states.iter().zip(answers).map(|(wanted, answer)| state(wanted, answer.copied(), labels)).collect();
    if !expect.starts.is_empty() {
        let names = |tasks: &[TaskId]| tasks.iter().map(|task| labels.task(*task)).collect::<Vec<_>>().join(", ");
        out.push(expectation(
            format!("starts {}", names(&expect.starts)),
            first.starts == expect.starts,
            format!("started: {}", names(&first.starts)),
        ));
    }
    if let Some(golden) = &expect.digest {
        let seen = hex(first.digest);
        out.push(expectation(
            "digest".to_owned(),
            *golden == seen,
            format!("expected {golden}, replication 0 has {seen}"),
        ));
    }
    out
}

fn state(wanted: &ExpectedState, answer: Option<(&'static str, Option<WorkerId>)>, labels: &Labels) -> Expectation {
    let name = state_name(wanted.state);
    let on =
        |worker: Option<WorkerId>| worker.map(|worker| format!(" on {}", labels.worker(worker))).unwrap_or_default();
    let id = format!("at {} {} is {name}{}", wanted.at, labels.task(wanted.task), on(wanted.worker));
    match answer {
        None => expectation(id, false, "the run ended before that".to_owned()),
        Some((seen, worker)) => {
            let holds = seen == name && (wanted.worker.is_none() || worker == wanted.worker);
            expectation(id, holds, format!("it is {seen}{}", on(worker)))
        }
    }
}

/// The word for a state in scenario files and in observations.
pub fn state_name(state: TaskState) -> &'static str {
    match state {
        TaskState::Waiting => "waiting",
        TaskState::Parked => "parked",
        TaskState::Running => "running",
        TaskState::Completed => "completed",
        TaskState::Failed => "failed",
        TaskState::Cancelled => "cancelled",
    }
}

/// A digest as it is written everywhere.
pub fn hex(digest: u128) -> String {
    format!("{digest:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::names::metric_named;

    fn estimate(mean: f64, ci: Option<(f64, f64)>) -> Estimate {
        Estimate { mean, ci, n: if ci.is_some() { 8 } else { 1 } }
    }

    #[test]
    fn a_threshold_passes_fails_or_is_inconclusive_by_the_whole_interval() {
        let below = |ci| against(&estimate(44.0, Some(ci)), Comparison::Less, 45.0);
        assert_eq!(below((43.0, 44.9)), Verdict::Pass);
        assert_eq!(below((43.0, 45.0)), Verdict::Inconclusive);
        assert_eq!(below((45.0, 46.0)), Verdict::Fail);
        assert_eq!(against(&estimate(44.0, Some((45.0, 46.0))), Comparison::AtLeast, 45.0), Verdict::Pass);
    }

    #[test]
    fn one_value_is_judged_on_the_mean_and_equality_always() {
        assert_eq!(against(&estimate(44.0, None), Comparison::AtMost, 44.0), Verdict::Pass);
        assert_eq!(against(&estimate(44.0, None), Comparison::More, 44.0), Verdict::Fail);
        assert_eq!(against(&estimate(3.0, Some((2.0, 4.0))), Comparison::Equal, 3.0), Verdict::Pass);
    }

    #[test]
    fn no_data_is_a_failure() {
        let wanted = Threshold {
            text: "wait.p95 < 45s".to_owned(),
            metric: metric_named("wait.p95").unwrap(),
            class: None,
            comparison: Comparison::Less,
            bound: 45.0,
        };
        let judged = threshold(&wanted, &Estimates::new(), &BTreeSet::new(), 0);
        assert_eq!((judged.id.as_str(), judged.verdict), ("wait.p95 < 45s", Verdict::Fail));
        let refused = BTreeSet::from([Refusal { metric: "wait.p95", class: None }]);
        let judged = threshold(&wanted, &Estimates::new(), &refused, 0);
        assert!(judged.verdict == Verdict::Fail && judged.detail.contains("at least 59 tasks"), "{}", judged.detail);
    }

    #[test]
    fn what_must_be_violated_is_not_judged_and_what_is_promised_beyond_it_is() {
        let promised = PropertySet::EMPTY.with(Property::Exclusion).with(Property::Order);
        let listed =
            Expect { always: Some(vec![Property::NoLoss]), violated: vec![Property::Exclusion], ..Expect::default() };
        let judged = judged_properties(&listed, promised);
        assert!(judged.iter().eq([Property::Order, Property::NoLoss]));
        assert_eq!(judged_properties(&Expect::default(), promised), promised);
    }

    #[test]
    fn fractions_are_shown_as_percentages_with_their_interval() {
        assert_eq!(shown(&estimate(0.05, Some((0.04, 0.0612))), Unit::Fraction), "5 % [4, 6.12]");
        assert_eq!(shown(&estimate(41.2, None), Unit::Seconds), "41.2 s");
    }
}
