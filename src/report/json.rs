//! `summary.json`: the results for programs. Keys keep their order, floats are the shortest that read back the same, and
//! nothing in it depends on the clock or the machine.

use serde_json::{Map, Value, json};

use super::{Document, EXAMPLES_EACH, Report, fidelity};
use crate::base::{Labels, Property};
use crate::observe::Violation;

/// The file `summary.json`.
#[derive(Debug)]
pub struct Summary;

impl Report for Summary {
    fn file_name(&self) -> &'static str {
        "summary.json"
    }
    fn render(&self, doc: &Document) -> String {
        summary(doc)
    }
}

/// The summary as indented JSON that ends with a newline.
pub fn summary(doc: &Document) -> String {
    let mut text = serde_json::to_string_pretty(&summary_value(doc)).expect("a tree of plain values has a text");
    text.push('\n');
    text
}

/// The summary as a tree, for files that hold several of them.
pub fn summary_value(doc: &Document) -> Value {
    let mut value = json!({
        "schema_version": 1,
        "scenario": doc.scenario,
        "engine": doc.engine,
        "seed": doc.seed,
        "replications": doc.replications,
        "digest": doc.digest,
        "metrics": metrics(doc),
        "violations": violations(doc),
        "violation_examples": examples(doc),
        "expectations": expectations(doc),
        "verdict": doc.verdict.name(),
    });
    if let Some(replayed) = &doc.replayed {
        value["fidelity"] = fidelity::value(replayed);
    }
    // Only where there is something to say: the keys above are the same in every summary.
    if !doc.refusals.is_empty() {
        value["refused"] = refused(doc).into();
    }
    if !doc.warnings.is_empty() {
        value["warnings"] = json!(doc.warnings);
    }
    value
}

fn refused(doc: &Document) -> Map<String, Value> {
    let by_reason = doc.refused_names().into_iter();
    by_reason.flat_map(|(reason, names)| names.into_iter().map(move |name| (name, json!(reason)))).collect()
}

fn metrics(doc: &Document) -> Map<String, Value> {
    let mut map = Map::new();
    for (metric, class) in doc.columns() {
        if let Some(estimate) = doc.estimates.get(&(metric.name, class)) {
            let ci = estimate.ci.map(|(low, high)| json!([low, high]));
            let value = json!({"unit": metric.unit.text(), "mean": estimate.mean, "ci": ci, "n": estimate.n});
            map.insert(doc.column_name(metric, class), value);
        }
    }
    map
}

fn violations(doc: &Document) -> Map<String, Value> {
    Property::ALL.iter().map(|property| (property.name().to_string(), json!(doc.breaches(*property)))).collect()
}

fn examples(doc: &Document) -> Vec<Value> {
    let example =
        |(replication, it): (usize, &Violation)| violation_example(it, replication, &doc.labels, &doc.reproduce);
    doc.examples(EXAMPLES_EACH).into_iter().map(example).collect()
}

/// A breach as a summary shows it, and the command that shows it again.
pub fn violation_example(violation: &Violation, replication: usize, labels: &Labels, reproduce: &str) -> Value {
    json!({
        "property": violation.property.name(),
        "replication": replication,
        "at": violation.at.as_secs_f64(),
        "tasks": violation.tasks.iter().map(|task| labels.task(*task)).collect::<Vec<_>>(),
        "resource": violation.resource.map(|resource| labels.resource(resource)),
        "workers": violation.workers.iter().map(|worker| labels.worker(*worker)).collect::<Vec<_>>(),
        "reproduce": reproduce,
    })
}

fn expectations(doc: &Document) -> Vec<Value> {
    doc.expectations.iter().map(|it| json!({"id": it.id, "verdict": it.verdict.name()})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::stats::Refusal;
    use crate::report::sample;

    #[test]
    fn the_summary_has_the_published_keys_in_order() {
        let value: Value = serde_json::from_str(&summary(&sample::document())).unwrap();
        let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        let published = "schema_version scenario engine seed replications digest metrics violations violation_examples \
                         expectations verdict";
        assert_eq!(keys.join(" "), published);
        assert_eq!(value["metrics"]["wait.p95"]["ci"], json!([39.9, 42.5]));
        assert_eq!(value["metrics"]["wait.p95{class=sync}"]["unit"], "s");
        assert_eq!(value["violations"]["order"], 1);
        assert_eq!(value["violation_examples"][0]["resource"], "repo-1");
        assert_eq!(value["verdict"], "fail");
    }

    #[test]
    fn what_is_refused_and_warned_of_stands_at_the_end() {
        let mut doc = sample::document();
        doc.refusals = vec![Refusal { metric: "wait.p99", class: None }];
        doc.warnings = vec!["too short".into()];
        let value = summary_value(&doc);
        let reason = "needs at least 299 tasks in the window of every replication";
        assert_eq!(value["refused"], json!({"wait.p99": reason}));
        assert_eq!(value["warnings"], json!(["too short"]));
    }

    #[test]
    fn a_metric_of_one_replication_has_no_interval() {
        let mut doc = sample::document();
        doc.estimates.values_mut().for_each(|estimate| estimate.ci = None);
        assert_eq!(summary_value(&doc)["metrics"]["wait.p95"]["ci"], Value::Null);
    }
}
