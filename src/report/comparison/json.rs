//! A comparison for programs: one summary per cell under `cells`, and the paired differences.

use serde_json::{Map, Value, json};

use super::{Cell, Comparison};
use crate::experiment::compare::Difference;
use crate::report::json::summary_value;

/// The comparison as indented JSON that ends with a newline.
pub fn summary(comparison: &Comparison) -> String {
    let mut value = json!({
        "schema_version": 1,
        "scenario": comparison.scenario,
        "seed": comparison.seed,
        "replications": comparison.replications,
        "confidence": comparison.confidence,
        "baseline": comparison.cells.get(comparison.baseline).map(|cell| cell.name.as_str()),
        "cells": comparison.cells.iter().map(cell).collect::<Vec<_>>(),
        "differences": comparison.differences.iter().map(|it| difference(comparison, it)).collect::<Vec<_>>(),
        "pareto": comparison.pareto().into_iter().map(|index| comparison.cells[index].name.as_str()).collect::<Vec<_>>(),
        "warnings": comparison.warnings,
    });
    if !comparison.answer.is_empty() {
        value["answer"] = json!(comparison.answer);
    }
    let mut text = serde_json::to_string_pretty(&value).expect("a tree of plain values has a text");
    text.push('\n');
    text
}

fn cell(cell: &Cell) -> Value {
    let parameters: Map<String, Value> = cell.parameters.iter().cloned().collect();
    let mut value = json!({"cell": cell.name, "parameters": parameters, "same_plan": cell.same_plan});
    let Value::Object(mut summary) = summary_value(&cell.document) else { unreachable!("a summary is a map") };
    if let Some(examples) = &cell.examples {
        summary["violation_examples"] = json!(examples);
    }
    value.as_object_mut().expect("a map was made").extend(summary);
    value
}

fn difference(comparison: &Comparison, it: &Difference) -> Value {
    let estimate = it.paired.difference;
    json!({
        "cell": comparison.cells[it.system].name,
        "metric": comparison.column_name(it.metric, it.class),
        "unit": it.metric.unit.text(),
        "baseline_mean": it.baseline_mean,
        "difference": estimate.mean,
        "ci": estimate.ci.map(|(low, high)| json!([low, high])),
        "n": estimate.n,
        "correlation": it.paired.correlation,
        "p": it.paired.p,
        "p_holm": it.p_holm,
        "verdict": it.standing.name(),
    })
}
