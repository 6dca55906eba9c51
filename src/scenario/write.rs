//! A scenario written as people write them: a line per event of a script, a line per key where it fits, else indented.
//! What is written reads back to the same values.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::places::plain;

/// Where longer lines are broken, if they can be.
const WIDTH: usize = 120;

/// A document as YAML, keys in the order of the document; ends with a line feed.
pub fn yaml(document: &Value) -> String {
    let mut out = String::new();
    match document {
        Value::Object(map) if !map.is_empty() => block_map(map, 0, &mut out),
        other => out = flow(other) + "\n",
    }
    out
}

fn block_map(map: &Map<String, Value>, indent: usize, out: &mut String) {
    for (key, value) in map {
        let start = format!("{:indent$}{}:", "", text(key));
        // Lists at the top, like those of events, have a line per item even where they are short.
        let is_listing = indent == 0 && value.as_array().is_some_and(|items| items.iter().any(Value::is_object));
        entry(&start, value, indent + 2, is_listing, out);
    }
}

fn block_list(items: &[Value], indent: usize, out: &mut String) {
    for item in items {
        entry(&format!("{:indent$}-", ""), item, indent + 2, false, out);
    }
}

/// What follows a key or a dash: on the same line where it fits, else on lines of its own, indented.
fn entry(start: &str, value: &Value, indent: usize, broken: bool, out: &mut String) {
    let line = flow(value);
    let fits = start.len() + 1 + line.len() <= WIDTH;
    match value {
        Value::Object(map) if !map.is_empty() && !fits => {
            let _ = writeln!(out, "{start}");
            block_map(map, indent, out);
        }
        Value::Array(items) if !items.is_empty() && (broken || !fits) => {
            let _ = writeln!(out, "{start}");
            block_list(items, indent, out);
        }
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let _ = writeln!(out, "{start} {line}");
        }
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", text(key), flow(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::String(string) => text(string),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A string, in quotes where YAML would read it otherwise or as something else.
fn text(string: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "_-./%<>=+ ".contains(c);
    let starts_safely = string.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let reads_back = plain(string).is_ok_and(|value| value == *string);
    if starts_safely && !string.ends_with(' ') && string.chars().all(is_safe) && reads_back {
        string.to_owned()
    } else {
        // The escapes of JSON are escapes of YAML too.
        Value::from(string).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::super::places;
    use super::*;

    #[test]
    fn events_have_a_line_each_and_long_maps_are_indented() {
        let document = serde_json::json!({
            "name": "a", "run": {"seed": 7},
            "workers": {"initial": 2, "note": "x".repeat(120)},
            "script": [{"at": "0s", "crash": {"worker": "w1"}}],
            "expect": {"violated": ["exclusion"], "thresholds": ["wait.p95{class=sync} < 45s"]},
        });
        let long = "x".repeat(120);
        let expected = format!(
            "name: a\nrun: {{seed: 7}}\nworkers:\n  initial: 2\n  note: {long}\nscript:\n  - {{at: 0s, crash: {{worker: w1}}}}\n\
             expect: {{violated: [exclusion], thresholds: [\"wait.p95{{class=sync}} < 45s\"]}}\n"
        );
        assert_eq!(yaml(&document), expected);
    }

    #[test]
    fn whatever_a_string_looks_like_it_reads_back_as_that_string() {
        let strings = [
            "",
            " ",
            "no",
            "null",
            "~",
            "1",
            "1e3",
            "-5",
            ".5",
            "0x1F",
            "a: b",
            "a #b",
            "#",
            "- a",
            "[",
            "it's",
            "\"",
            "\\",
            "a\nb",
            "\t",
            "é",
            "\u{1F600}",
            "\u{7f}",
            "\u{85}",
            "\u{2028}",
            "8/m",
            "5%",
            "a ",
            "true",
            "%a",
            "<<",
            "=",
            "{x",
        ];
        for string in strings {
            let document = serde_json::json!({ "key": string, "list": [[string], {"key": string}] });
            let text = yaml(&document);
            let back = places::read("x", &text).unwrap_or_else(|found| panic!("{found}\n{text}")).0;
            assert_eq!(back, Some(document), "{text}");
        }
    }
}
