//! From the lines of a sweep to what its reports show.

use std::collections::BTreeMap;

use serde_json::Value;

use super::log::{Header, Lines, Record};
use crate::base::names::PropertySet;
use crate::base::{Labels, Property, Time};
use crate::cli::exit::Failure;
use crate::cli::session::Ready;
use crate::cli::terminal::quoted_text;
use crate::experiment::Verdict;
use crate::experiment::compare::differences;
use crate::experiment::judge::{hex, judge_observations};
use crate::experiment::rank::{Ranking, rank, ranked_measures};
use crate::experiment::replicate::combined;
use crate::experiment::stats::{estimates, refusals, unstarted};
use crate::observe::Observation;
use crate::report::comparison::{Cell, Comparison, one_is_enough};
use crate::report::number::measured;
use crate::report::{About, Document, EXAMPLES_EACH, json};
use crate::scenario::grid::GridCell;
use crate::scenario::{Expect, threshold};

/// More cells than this are not listed in an answer.
const NAMED_MAX: usize = 3;

impl Record {
    /// What is kept of a replication.
    pub(super) fn of(
        number: u64,
        cell: &GridCell,
        ready: &Ready,
        replication: u32,
        observation: &Observation,
        reproduce: &str,
    ) -> Record {
        let scenario = &ready.scenario;
        let promised = ready.factory.guarantees(scenario.detection).properties;
        let example = |it| json::violation_example(it, replication as usize, &scenario.labels, reproduce);
        let mut record = Record {
            number,
            cell: cell.name.clone(),
            replication,
            parameters: cell.parameters.iter().cloned().collect(),
            engine: ready.factory.name().to_owned(),
            promised: promised.iter().map(|it| it.to_string()).collect(),
            digest: String::new(),
            metrics: Default::default(),
            sample_sizes: Default::default(),
            unstarted: 0,
            violations: Default::default(),
            probes: Vec::new(),
            examples: observation.violations.iter().take(EXAMPLES_EACH).map(example).collect(),
        };
        record.fill(observation, &scenario.labels);
        record
    }
}

/// The command that runs one cell.
pub(super) fn command_of(base: &str, parameters: &[(String, Value)]) -> String {
    let sets = parameters.iter().map(|(path, value)| format!(" --set {}", quoted_text(&format!("{path}={value}"))));
    sets.fold(base.to_owned(), |command, set| command + &set)
}

/// A cell in words: `min 4, max 12`. Paths that end alike keep more of themselves.
pub(super) fn label(parameters: &[(String, Value)]) -> String {
    let tail = |path: &str, keys: usize| {
        let mut parts: Vec<&str> = path.rsplit('.').take(keys).collect();
        parts.reverse();
        parts.join(".")
    };
    let one = |(path, value): &(String, Value)| {
        let is_alone = |keys| parameters.iter().filter(|(other, _)| tail(other, keys) == tail(path, keys)).count() == 1;
        let keys = (1..8).find(|keys| is_alone(*keys)).unwrap_or(8);
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{} {shown}", tail(path, keys))
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// What the reports of a complete sweep show.
pub(super) fn comparison(header: &Header, lines: &Lines) -> Result<Comparison, Failure> {
    let unreadable = || Failure::io("error: a line of this sweep names what this version does not know");
    let labels = Labels { classes: header.classes.iter().cloned().collect(), ..Labels::default() };
    let expect = expect(header, &labels).ok_or_else(unreadable)?;
    let mut cells: Vec<Cell> = Vec::new();
    let mut records: Vec<Record> = Vec::new();
    let mut lines = lines.iter().peekable();
    while let Some(((number, _), line)) = lines.next() {
        records.push(serde_json::from_str(line).map_err(|_| unreadable())?);
        if lines.peek().is_none_or(|((next, _), _)| next != number) {
            let one = cell(header, std::mem::take(&mut records), &labels, &expect);
            cells.push(one.ok_or_else(unreadable)?);
        }
    }
    one_is_enough(&mut cells);
    Ok(answered(header, cells))
}

fn expect(header: &Header, labels: &Labels) -> Option<Expect> {
    let always = match &header.always {
        None => None,
        Some(names) => Some(names.iter().map(|it| it.parse().ok()).collect::<Option<_>>()?),
    };
    Some(Expect {
        always,
        sometimes: header.sometimes.iter().map(|it| it.parse().ok()).collect::<Option<_>>()?,
        thresholds: header.thresholds.iter().map(|it| threshold(it, labels).ok()).collect::<Option<_>>()?,
        ..Expect::default()
    })
}

fn cell(header: &Header, records: Vec<Record>, labels: &Labels, expect: &Expect) -> Option<Cell> {
    let first = records.first()?.clone();
    let promised: PropertySet = first.promised.iter().map(|it| it.parse::<Property>().ok()).collect::<Option<_>>()?;
    let observations: Vec<Observation> =
        records.iter().map(|it| it.observation(&header.classes)).collect::<Option<_>>()?;
    let estimates = estimates(&observations, header.confidence);
    let judgement = judge_observations(expect, promised, &observations, &estimates, header.confidence);
    let parameters: Vec<(String, Value)> = first.parameters.into_iter().collect();
    let run = header.reproduce.replacen("lanekeeper sweep", "lanekeeper run", 1);
    let document = Document {
        engine: first.engine,
        digest: hex(combined(&observations)),
        refusals: refusals(&observations).into_iter().collect(),
        expectations: judgement.expectations,
        verdict: judgement.verdict,
        promised: judgement.judged,
        estimates,
        observations,
        labels: labels.clone(),
        scenario: header.scenario.clone(),
        description: header.description.clone(),
        seed: header.seed,
        replications: header.replications,
        horizon: Time::from_micros(header.horizon_micros),
        warm_up: Time::from_micros(header.warm_up_micros),
        confidence: header.confidence,
        warnings: Vec::new(),
        replayed: None,
        about: About::default(),
        stories: BTreeMap::new(),
        reproduce: command_of(&run, &parameters),
    };
    Some(Cell {
        name: first.cell,
        label: label(&parameters),
        parameters,
        same_plan: true,
        document,
        examples: Some(records.into_iter().flat_map(|it| it.examples).take(EXAMPLES_EACH).collect()),
    })
}

/// The sweep with its answer: the best cell in each of the ranked metrics, and who cannot be told from it.
fn answered(header: &Header, cells: Vec<Cell>) -> Comparison {
    let ranked: Vec<(&[Observation], PropertySet)> =
        cells.iter().map(|cell| (cell.document.observations.as_slice(), cell.document.promised)).collect();
    let measures = ranked_measures();
    let rankings: Vec<Ranking> =
        measures.iter().filter_map(|measure| rank(&ranked, *measure, header.confidence)).collect();
    let baseline = rankings.first().map_or(0, |it| it.best);
    let observations: Vec<_> = ranked.iter().map(|it| it.0).collect();
    let differences = differences(&observations, baseline, &measures, header.confidence);
    let unfit = cells.iter().filter(|cell| cell.breaches_a_promise()).count();
    let mut answers: Vec<String> = rankings.iter().map(|it| answer(it, &cells)).collect();
    if unfit > 0 {
        answers.push(format!("{unfit} cells breach what their engine promises and are not ranked"));
    }
    let left = cells.iter().filter(|cell| unstarted(&cell.document.observations) > 0).count();
    if left > 0 {
        answers.push(format!(
            "{left} of {} cells left tasks that never began: their waits are too short, and they are not ranked",
            cells.len()
        ));
    }
    let unmet = |cell: &&Cell| !cell.breaches_a_promise() && cell.document.verdict != Verdict::Pass;
    let unmet = cells.iter().filter(unmet).count();
    if unmet > 0 {
        answers.push(format!("{unmet} of {} cells do not surely meet what the scenario expects", cells.len()));
    }
    if answers.is_empty() {
        answers.push("no cell can be ranked".to_owned());
    }
    Comparison {
        scenario: header.scenario.clone(),
        description: header.description.clone(),
        seed: header.seed,
        confidence: header.confidence,
        replications: header.replications,
        baseline,
        differences,
        answer: answers,
        cells,
        warnings: Vec::new(),
        reproduce: header.reproduce.clone(),
    }
}

/// `min 4, max 12 is best on wait.mean (41.2 s); not distinguishable: min 4, max 16`.
fn answer(ranking: &Ranking, cells: &[Cell]) -> String {
    let label = |index: &usize| cells[*index].label.as_str();
    let named: Vec<&str> = ranking.equals.iter().take(NAMED_MAX).map(label).collect();
    let others = match (named.len(), ranking.equals.len() - named.len()) {
        (0, _) => "all others are worse".to_owned(),
        (_, 0) => format!("not distinguishable: {}", named.join("; ")),
        (_, rest) => format!("not distinguishable: {}, and {rest} more", named.join("; ")),
    };
    let mean = measured(ranking.mean, ranking.metric);
    format!("{} is best on {} ({mean}); {others}", label(&ranking.best), ranking.metric)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_label_is_as_short_as_it_can_be_told_apart() {
        let of = |paths: &[&str]| label(&paths.iter().map(|path| ((*path).to_owned(), json!(4))).collect::<Vec<_>>());
        assert_eq!(of(&["engine.queue_first.queues.min", "engine.queue_first.queues.max"]), "min 4, max 4");
        assert_eq!(of(&["a.q.min", "b.q.min"]), "a.q.min 4, b.q.min 4");
        assert_eq!(label(&[("detection.ttl".into(), json!("30s"))]), "ttl 30s");
    }
}
