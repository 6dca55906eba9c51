//! From values to the typed file, and what serde says of a wrong one in the words of this crate.

use serde::Deserialize;
use serde_json::Value;

use super::diagnose::{Diagnostic, shortened, suggestion};
use super::file::File;
use super::findings::Findings;
use super::places::{below, item};

pub(super) fn typed(root: Value, findings: &Findings<'_>) -> Result<File, Diagnostic> {
    // Where it went wrong is kept track of only when it did: shrinking reads a document thousands of times.
    if let Ok(file) = File::deserialize(&root) {
        return Ok(file);
    }
    serde_path_to_error::deserialize(root).map_err(|error| {
        let mut path = String::new();
        for segment in error.path() {
            path = match segment {
                serde_path_to_error::Segment::Seq { index } => item(&path, *index),
                serde_path_to_error::Segment::Map { key } => below(&path, key),
                serde_path_to_error::Segment::Enum { variant } => below(&path, variant),
                serde_path_to_error::Segment::Unknown => path,
            };
        }
        explain(&error.inner().to_string(), path, findings)
    })
}

/// Says what serde found in the words of this crate.
fn explain(message: &str, path: String, findings: &Findings<'_>) -> Diagnostic {
    let mut quoted = message.split('`').skip(1).step_by(2);
    if message.starts_with("unknown field") || message.starts_with("unknown variant") {
        let wrong = quoted.next().unwrap_or("");
        let known: Vec<&str> = quoted.collect();
        let ends_with_it = path == wrong || path.ends_with(&format!(".{wrong}"));
        let own = if ends_with_it { path } else { below(&path, wrong) };
        let path = if findings.places.contains_key(&own) || ends_with_it {
            own
        } else {
            own[..own.len() - wrong.len()].trim_end_matches('.').to_owned()
        };
        let what = if message.starts_with("unknown field") { "unknown key" } else { "unknown variant" };
        let found = findings.diagnostic(&path, format!("{what} `{}`", shortened(wrong)), true);
        return found.with_help(suggestion(wrong, &known));
    }
    if message.starts_with("missing field") {
        let key = quoted.next().unwrap_or("").to_owned();
        let at = if path.is_empty() { "a scenario".to_owned() } else { format!("`{path}`") };
        let mut found = findings.diagnostic(&path, format!("{at} needs the key `{key}`"), true);
        if path.is_empty() {
            found = found.with_help("mandatory are `name` and `workers`");
        }
        return found;
    }
    let several = message.starts_with("invalid length") && message.contains("fewer elements in map");
    if several || message.contains("expected map with a single key") {
        return second_variant(&path, findings).unwrap_or_else(|| {
            let found = findings.diagnostic(&path, "one variant is wanted here".into(), false);
            found.with_help("a variant is a map with exactly one key, like {exponential: {mean: 4h}}")
        });
    }
    // A variant that is only named: what is wrong is the name, not the key above it.
    let stands = if message.starts_with("invalid type: unit variant") { parent(&path) } else { &path };
    let found = findings.diagnostic(stands, shortened_at(&in_words(message), 400), false);
    match example(&path).filter(|_| stands == path && message.starts_with("invalid type")) {
        Some(example) => found.with_help(format!("write it like `{example}`")),
        None => found,
    }
}

fn parent(path: &str) -> &str {
    &path[..path.rfind(['.', '[']).unwrap_or(0)]
}

/// What is written where a plain value, or a list, is what comes to mind first; `*` is the key itself.
const EXAMPLES: [(&str, &str); 9] = [
    ("workers", "workers: {initial: 8}"),
    ("resources", "resources: {repo: {count: 200}}"),
    ("resources.*", "*: {count: 200}"),
    ("engine", "engine: {queue_first: {queues: {min: 4, max: 12}}}"),
    ("engine.*", "*: {}"),
    ("engine.queue_first.queues", "queues: {min: 4, max: 12}"),
    ("workload[].claims", "claims: {repo: 1}"),
    ("network", "network: {delay: 2ms}"),
    ("expect", "expect: {thresholds: [wait.p95 < 1m]}"),
];

fn example(path: &str) -> Option<String> {
    let above: String = parent(path).chars().filter(|it| !it.is_ascii_digit()).collect();
    let key = path.rsplit('.').next().unwrap_or(path);
    let of = |key: &str| EXAMPLES.iter().find(|(of, _)| *of == below(&above, key));
    of(key).or_else(|| of("*")).map(|(_, example)| example.replace('*', key))
}

/// The finding about a value that was set beside the variant that the file has, which makes two of them.
fn second_variant(path: &str, findings: &Findings<'_>) -> Option<Diagnostic> {
    let child = |inner: &str| {
        let rest = inner.strip_prefix(path)?.strip_prefix('.')?;
        Some(rest.split(['.', '[']).next().unwrap_or(rest).to_owned())
    };
    let first = findings.places.keys().find_map(|it| child(it))?;
    let (inner, second) =
        findings.set.iter().rev().find_map(|(it, _)| Some((it, child(it)?)).filter(|(_, second)| *second != first))?;
    let message = format!("`{path}` is one variant, and the file has `{first}` there: `{second}` would make two");
    let longer = below(&below(path, &first), &inner[path.len() + 1..]);
    let help = format!("write {longer}; another variant replaces the whole of `{path}`");
    Some(findings.diagnostic(inner, message, false).with_help(help))
}

/// The types of a wrong value and of the right one in the words of a scenario.
fn in_words(message: &str) -> String {
    let Some((found, wanted)) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
        .and_then(|it| it.split_once(", expected "))
    else {
        return message.to_owned();
    };
    let found = found
        .replace("string ", "the text ")
        .replace("integer ", "the number ")
        .replace("floating point ", "the number ");
    let found = match found.as_str() {
        "null" => "nothing".to_owned(),
        "map" => "a map".to_owned(),
        "sequence" => "a list".to_owned(),
        _ => found,
    };
    let wanted = match wanted {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f64" => "a number",
        "a boolean" => "true or false",
        _ if wanted.starts_with("struct ") => "a map of keys",
        "a sequence" => "a list",
        "string or map" => "a name or a map",
        other => other,
    };
    if (found.as_str(), wanted) == ("unit variant", "newtype variant") {
        return "a name alone is written where a map is wanted: write `{name: {}}`, and options between the braces"
            .to_owned();
    }
    format!("{found} is written where {wanted} is wanted")
}

fn shortened_at(text: &str, length: usize) -> String {
    if text.chars().count() <= length { text.to_owned() } else { text.chars().take(length).collect::<String>() + "..." }
}

/// The first list of what was read that became a map: serde takes a list for the values of the keys, in their order.
pub(super) fn list_for_map(read: &Value, typed: &Value, path: &str) -> Option<String> {
    match (read, typed) {
        (Value::Array(_), Value::Object(_)) => Some(path.to_owned()),
        (Value::Array(ones), Value::Array(others)) => {
            let mut pairs = ones.iter().zip(others).enumerate();
            pairs.find_map(|(index, (one, other))| list_for_map(one, other, &item(path, index)))
        }
        (Value::Object(ones), Value::Object(others)) => ones
            .iter()
            .find_map(|(key, one)| others.get(key).and_then(|other| list_for_map(one, other, &below(path, key)))),
        _ => None,
    }
}
