//! What is expected: names of properties, probes, metrics, tasks and workers, and bounds with their units.

use std::str::FromStr;

use super::diagnose::{nearest, shortened, suggestion};
use super::file::{File, StateName};
use super::findings::Findings;
use super::places::{below, item};
use super::units::{Percent, Rate, finite};
use super::{Comparison, Expect, ExpectedState, TaskState, Threshold, convert};
use crate::base::names::{METRICS, MetricInfo, Unit, metric_named};
use crate::base::{ClassId, Labels, Probe, Property, Span, TaskId, WorkerId};

/// The expectations of a file.
pub(crate) fn expect(file: &File, labels: &Labels, findings: &mut Findings<'_>) -> Expect {
    let it = &file.expect;
    let properties: Vec<&str> = Property::ALL.iter().map(|it| it.name()).collect();
    let probes: Vec<&str> = Probe::ALL.iter().map(|it| it.name()).collect();
    let always = it.always.as_ref().map(|list| names::<Property>(list, "expect.always", &properties, findings));
    let violated = names(&it.violated, "expect.violated", &properties, findings);
    let sometimes = names::<Probe>(&it.sometimes, "expect.sometimes", &probes, findings);
    for (index, text) in it.violated.iter().enumerate() {
        if it.always.iter().flatten().any(|one| one == text) {
            findings.error(&item("expect.violated", index), format!("`{text}` must hold and be violated at once"), "");
        }
    }
    let mut thresholds = Vec::new();
    for (index, text) in it.thresholds.iter().enumerate() {
        match threshold(text, labels) {
            Ok(one) => thresholds.push(one),
            Err((message, help)) => findings.error(&item("expect.thresholds", index), message, &help),
        }
    }
    if let Some(digest) = &it.digest
        && (digest.len() != 32 || !digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)))
    {
        findings.error("expect.digest", "a digest is 32 digits from 0-9 and a-f", "copy it from a run's summary");
    }
    Expect {
        always,
        sometimes,
        thresholds,
        violated,
        states: states(file, labels, findings),
        starts: starts(file, labels, findings),
        digest: it.digest.clone(),
    }
}

fn names<T: FromStr>(list: &[String], path: &str, known: &[&str], findings: &mut Findings<'_>) -> Vec<T> {
    let mut found = Vec::new();
    for (index, text) in list.iter().enumerate() {
        match text.parse() {
            Ok(one) => found.push(one),
            Err(_) => {
                findings.error(
                    &item(path, index),
                    format!("there is no `{}`", shortened(text)),
                    &suggestion(text, known),
                );
            }
        }
    }
    found
}

const COMPARISONS: [(&str, Comparison); 5] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("==", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::More),
];

/// Reads a threshold; the error is a message and a remedy.
pub fn threshold(text: &str, labels: &Labels) -> Result<Threshold, (String, String)> {
    let form = || "write it like `wait.p95{class=sync} < 45s`".to_owned();
    // The class stands in braces before the comparison.
    let search_from = text.find('}').unwrap_or(0);
    let found = COMPARISONS
        .iter()
        .filter_map(|(sign, comparison)| text[search_from..].find(sign).map(|at| (search_from + at, sign, comparison)))
        .min_by_key(|(at, sign, _)| (*at, usize::MAX - sign.len()));
    let Some((at, sign, comparison)) = found else {
        return Err((format!("`{}` compares nothing", shortened(text)), form()));
    };
    let (metric, class) = metric(text[..at].trim(), labels)?;
    let bound = bound(text[at + sign.len()..].trim(), metric.unit).map_err(|message| (message, form()))?;
    Ok(Threshold { text: text.to_owned(), metric, class, comparison: *comparison, bound })
}

/// Reads a metric with its class, as in `wait.p95{class=sync}`; the error is a message and a remedy.
pub fn metric(left: &str, labels: &Labels) -> Result<(&'static MetricInfo, Option<ClassId>), (String, String)> {
    let form = || "write it like `wait.p95` or `wait.p95{class=sync}`".to_owned();
    let (name, class) = match left.split_once('{') {
        None => (left, None),
        Some((name, rest)) => match rest.strip_suffix('}').and_then(|rest| rest.trim().strip_prefix("class")) {
            Some(rest) if rest.trim_start().starts_with('=') => (name.trim(), Some(rest.trim_start()[1..].trim())),
            Some(_) | None => return Err((format!("`{}` selects nothing", shortened(left)), form())),
        },
    };
    let Some(metric) = metric_named(name) else {
        let help = match nearest(name, METRICS.iter().map(|metric| metric.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`lanekeeper run` prints the name of every metric".to_owned(),
        };
        return Err((format!("there is no metric `{}`", shortened(name)), help));
    };
    let class = match class {
        None => None,
        Some(_) if !metric.per_class => {
            return Err((format!("`{name}` is not measured by class"), format!("write `{name}`")));
        }
        Some(class) => match labels.classes.iter().find(|(_, known)| *known == class) {
            Some((id, _)) => Some(id),
            None => {
                let known: Vec<&str> = labels.classes.values().map(String::as_str).collect();
                return Err((format!("there is no class `{}`", shortened(class)), suggestion(class, &known)));
            }
        },
    };
    Ok((metric, class))
}

fn bound(text: &str, unit: Unit) -> Result<f64, String> {
    match unit {
        Unit::Seconds => text.parse::<Span>().map(Span::as_secs_f64),
        Unit::Fraction => text.parse::<Percent>().map(|it| it.fraction()),
        Unit::PerHour => text.parse::<Rate>().map(|it| it.per_micro() * 3.6e9),
        Unit::PerSecond => text.parse::<Rate>().map(|it| it.per_micro() * 1e6),
        Unit::Count | Unit::Ratio => finite(text).ok_or_else(|| format!("`{}` is no plain number", shortened(text))),
    }
}

fn task(name: &str, path: &str, labels: &Labels, findings: &mut Findings<'_>) -> Option<TaskId> {
    let found = labels.tasks.iter().find(|(_, known)| *known == name).map(|(id, _)| id);
    if found.is_none() {
        let known: Vec<&str> = labels.tasks.values().map(String::as_str).take(1_000).collect();
        findings.error(path, format!("the script submits no task `{}`", shortened(name)), &suggestion(name, &known));
    }
    found
}

fn states(file: &File, labels: &Labels, findings: &mut Findings<'_>) -> Vec<ExpectedState> {
    let mut states = Vec::new();
    for (index, one) in file.expect.states.iter().enumerate() {
        let path = item("expect.states", index);
        let worker: Option<WorkerId> = match &one.worker {
            None => None,
            Some(name) => {
                let found = labels.workers.iter().find(|(_, known)| *known == name).map(|(id, _)| id);
                if found.is_none() {
                    let message = format!("the script knows no worker `{}`", shortened(name));
                    findings.error(&below(&path, "worker"), message, "");
                }
                found
            }
        };
        let state = match one.state {
            StateName::Waiting => TaskState::Waiting,
            StateName::Parked => TaskState::Parked,
            StateName::Running => TaskState::Running,
            StateName::Completed => TaskState::Completed,
            StateName::Failed => TaskState::Failed,
            StateName::Cancelled => TaskState::Cancelled,
        };
        if worker.is_some() && state != TaskState::Running {
            findings.error(&below(&path, "worker"), "only a running task has a worker", "remove `worker`");
        }
        if let Some(task) = task(&one.task, &below(&path, "task"), labels, findings) {
            states.push(ExpectedState { at: convert::time(one.at), task, state, worker });
        }
    }
    states
}

fn starts(file: &File, labels: &Labels, findings: &mut Findings<'_>) -> Vec<TaskId> {
    let list = file.expect.starts.iter().enumerate();
    list.filter_map(|(index, name)| task(name, &item("expect.starts", index), labels, findings)).collect()
}
