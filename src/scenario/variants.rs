//! Variants of a scenario: named overrides, merged into the document before it is read.
//!
//! Maps are merged key by key; where the schema offers a choice (`engine`, a distribution, a policy), another choice takes
//! the place of the one in the file. Anything else replaces what is there. A key with dots is a path, as in `--set`.

use serde_json::{Map, Value};

use super::diagnose::Diagnostic;
use super::places::below;
use super::resolve::{SourceText, error_at, section};
use super::{Override, file};

/// A variant of a scenario.
#[derive(Clone, PartialEq, Debug)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What differs.
    pub change: Change,
}

/// What differs in a variant.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// A part of a document, merged into the file's: what the file says under `variants`.
    Merged(Value),
    /// Values at paths, as `--set` would write them.
    Set(Vec<Override>),
}

/// The variants that a scenario file names, in its order.
///
/// # Errors
/// When the file is no YAML, or its `variants` are no maps.
pub fn variants(source: &SourceText) -> Result<Vec<Variant>, Diagnostic> {
    let error = |path: &str, message: &str| {
        error_at(source, path, message).with_help("write `variants: {today: {engine: …}, future: {}}`")
    };
    let named = match section(source, "variants")? {
        None => return Ok(Vec::new()),
        Some(Value::Object(named)) => named,
        Some(_) => return Err(error("variants", "`variants` is a map from names to what differs")),
    };
    let variant = |(name, value): (String, Value)| match value {
        Value::Object(_) => Ok(Variant { name, change: Change::Merged(value) }),
        Value::Null => Ok(Variant { name, change: Change::Merged(Value::Object(Map::new())) }),
        _ => Err(error(&below("variants", &name), &format!("the variant `{name}` is no map"))),
    };
    named.into_iter().map(variant).collect()
}

/// Merges `change` into `root`.
///
/// # Errors
/// When a path in it leads nowhere: which, and why.
pub(super) fn merge(root: &mut Value, change: &Value) -> Result<(), (String, Diagnostic)> {
    let schema = file::json_schema();
    let Value::Object(keys) = change else { return Ok(()) };
    for (key, value) in keys {
        if key.contains('.') {
            let set = Override { path: key.clone(), value: value.to_string() };
            set.apply(root).map_err(|found| (key.clone(), found))?;
        } else if let Value::Object(map) = root {
            let of_key = Node { schema: &schema, at: &schema }.child(key);
            merge_value(map.entry(key.clone()).or_insert(Value::Null), value, of_key);
        }
    }
    Ok(())
}

fn merge_value(base: &mut Value, change: &Value, node: Option<Node<'_>>) {
    match (base, change) {
        (Value::Object(base), Value::Object(change)) => {
            let is_choice = node.is_some_and(Node::is_choice);
            if is_choice && !change.keys().any(|key| base.contains_key(key)) {
                base.clear();
            }
            for (key, value) in change {
                let of_key = node.and_then(|node| node.child(key));
                merge_value(base.entry(key.clone()).or_insert(Value::Null), value, of_key);
            }
        }
        (base, change) => *base = change.clone(),
    }
}

/// A place in the schema of scenario files.
#[derive(Clone, Copy)]
struct Node<'a> {
    schema: &'a Value,
    at: &'a Value,
}

impl<'a> Node<'a> {
    /// The alternatives that are allowed here, references resolved.
    fn alternatives(self) -> Vec<Node<'a>> {
        let to = |at: &'a Value| Node { at, ..self };
        if let Some(reference) = self.at.get("$ref").and_then(Value::as_str) {
            let target = reference.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer));
            return target.map_or_else(Vec::new, |target| to(target).alternatives());
        }
        let several: Vec<&Value> =
            ["oneOf", "anyOf", "allOf"].iter().filter_map(|key| self.at.get(key)?.as_array()).flatten().collect();
        if several.is_empty() {
            return vec![self];
        }
        several.into_iter().flat_map(|at| to(at).alternatives()).collect()
    }

    /// Whether one of several maps with one key each stands here.
    fn is_choice(self) -> bool {
        self.alternatives().iter().filter(|it| it.is_variant()).count() > 1
    }

    fn is_variant(self) -> bool {
        let count = |key: &str| match self.at.get(key) {
            Some(Value::Object(map)) => map.len(),
            Some(Value::Array(items)) => items.len(),
            Some(_) | None => 0,
        };
        count("properties") == 1 && count("required") == 1
    }

    fn child(self, key: &str) -> Option<Node<'a>> {
        self.alternatives().into_iter().find_map(|it| {
            let named = it.at.get("properties").and_then(|properties| properties.get(key));
            let at = named.or_else(|| it.at.get("additionalProperties").filter(|more| more.is_object()))?;
            Some(Node { at, ..it })
        })
    }
}

/// The `--vary path=a,b,c` of a command line: one variant per value.
///
/// # Errors
/// A sentence, when there is no path or no value.
pub fn varied(text: &str) -> Result<(String, Vec<String>), String> {
    let form = || format!("`{text}` varies nothing: write path=a,b,c, like engine.queue_first.queues.max=4,8,16");
    let (path, values) = text.split_once('=').ok_or_else(form)?;
    let values = split_at_commas(values);
    if path.trim().is_empty() || values.iter().any(String::is_empty) {
        return Err(form());
    }
    if ["run.seed", "run.replications"].contains(&path.trim()) {
        return Err(format!(
            "all systems have the same `{}`, or they could not be told apart: set it for all",
            path.trim()
        ));
    }
    Ok((path.trim().to_owned(), values))
}

/// Splits at the commas that stand in no brackets and no quotes.
fn split_at_commas(text: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quote) = (vec![String::new()], 0_u32, None);
    for c in text.chars() {
        match (quote, c) {
            (None, ',') if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
        parts.last_mut().expect("there is always a last part").push(c);
    }
    parts.iter().map(|part| part.trim().to_owned()).collect()
}

/// The name of a variant that sets these paths: their last keys with the values, as `max=8,discipline=oldest_head`.
pub fn name_of(settings: &[(String, String)]) -> String {
    let part = |(path, value): &(String, String)| {
        let key = path.rsplit('.').next().unwrap_or(path);
        format!("{key}={value}")
    };
    settings.iter().map(part).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(base: Value, change: Value) -> Value {
        let mut root = base;
        merge(&mut root, &change).unwrap();
        root
    }

    #[test]
    fn maps_are_merged_choices_replaced_and_lists_taken_whole() {
        let base = json!({"engine": {"queue_first": {"queues": {"min": 1, "max": 8}, "lease": {"duration": "30s"}}},
                          "workers": {"initial": 8, "lifetime": {"exponential": {"mean": "1h"}}}, "faults": [1, 2]});
        let change = json!({"engine": {"queue_first": {"queues": {"max": 4}, "lease": "none"}},
                            "workers": {"lifetime": {"erlang": {"shape": 2, "mean": "1h"}}}, "faults": [3]});
        let wanted = json!({"engine": {"queue_first": {"queues": {"min": 1, "max": 4}, "lease": "none"}},
                            "workers": {"initial": 8, "lifetime": {"erlang": {"shape": 2, "mean": "1h"}}},
                            "faults": [3]});
        assert_eq!(merged(base.clone(), change), wanted);
        let other = merged(base.clone(), json!({"engine": {"custom": {"name": "mine"}}}));
        assert_eq!(other["engine"], json!({"custom": {"name": "mine"}}));
        let mean = merged(base, json!({"workers": {"lifetime": {"exponential": {"mean": "2h"}}}}));
        assert_eq!(mean["workers"]["lifetime"], json!({"exponential": {"mean": "2h"}}));
    }

    #[test]
    fn a_key_with_dots_is_a_path() {
        let found = merged(json!({"name": "a"}), json!({"engine.queue_first.queues.min": 4}));
        assert_eq!(found["engine"]["queue_first"]["queues"]["min"], 4);
    }

    #[test]
    fn values_are_split_at_the_commas_between_them() {
        let (path, values) = varied("a.b={exponential: {mean: 4h}}, 30s,'x,y'").unwrap();
        assert_eq!((path.as_str(), values.len()), ("a.b", 3));
        assert_eq!(values[2], "'x,y'");
        assert!(varied("a.b").is_err() && varied("=1,2").is_err() && varied("a=1,,2").is_err());
        assert_eq!(name_of(&[("x.max".into(), "4".into()), ("min".into(), "1".into())]), "max=4,min=1");
    }
}
