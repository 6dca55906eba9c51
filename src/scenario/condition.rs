//! The conditions of a sweep: comparisons of two paths or values, all of which hold in each cell.

use std::cmp::Ordering;

use serde_json::Value;

use super::diagnose::{Diagnostic, nearest};
use super::places;
use super::resolve::{SourceText, error_at};
use super::units::{Percent, Rate, finite};
use crate::base::Span;

/// The longer signs first.
const SIGNS: [&str; 6] = ["<=", ">=", "==", "!=", "<", ">"];

/// A condition as it was written.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Written {
    /// Under `where` in the file.
    InFile(String),
    /// As `--where`.
    Typed(String),
}

impl Written {
    fn text(&self) -> &str {
        match self {
            Written::InFile(text) | Written::Typed(text) => text,
        }
    }

    /// What is wrong with it, where it stands.
    fn wrong(&self, source: &SourceText, message: String, help: &str) -> Diagnostic {
        let found = match self {
            Written::InFile(_) => error_at(source, "sweep.where", message),
            Written::Typed(text) => Diagnostic::error(format!("--where '{text}'"), message),
        };
        found.with_help(help)
    }
}

/// A comparison of two paths or values.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Condition {
    written: Written,
    left: Value,
    sign: &'static str,
    right: Value,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// When it is no single comparison.
    pub(super) fn read(written: Written, source: &SourceText) -> Result<Condition, Diagnostic> {
        let text = written.text();
        let word = |word: &str| text.split_whitespace().any(|it| it.eq_ignore_ascii_case(word));
        if word("or") || text.contains("||") {
            let help = "there is no `or`: list the combinations side by side under `zip`";
            return Err(written.wrong(source, format!("`{text}` is more than one comparison"), help));
        }
        if word("and") || text.contains("&&") {
            let help = match written {
                Written::InFile(_) => "write a list, `where: [a <= b, c < d]`: all of it must hold",
                Written::Typed(_) => "give --where once for each: all of them must hold",
            };
            return Err(written.wrong(source, format!("`{text}` is more than one comparison"), help));
        }
        let found = SIGNS
            .into_iter()
            .filter_map(|sign| Some((text.find(sign)?, sign)))
            .min_by_key(|(at, sign)| (*at, 2 - sign.len()));
        let Some((at, sign)) = found else {
            let help = "compare with one of <=, >=, ==, !=, < and >";
            return Err(written.wrong(source, format!("`{text}` compares nothing"), help));
        };
        let [left, right] = [&text[..at], &text[at + sign.len()..]].map(str::trim);
        if [left, right].iter().any(|side| side.is_empty() || SIGNS.iter().any(|sign| side.contains(sign))) {
            let message = format!("`{text}` is no comparison of two paths or values");
            return Err(written.wrong(source, message, "write one comparison, like a.min <= a.max"));
        }
        Ok(Condition { left: scalar(left), sign, right: scalar(right), written })
    }

    /// Whether it makes sense: each word is a path or stands beside one, and what is compared can be. `values`: those
    /// that a path has, varied or not; `known`: all paths.
    ///
    /// # Errors
    /// When it makes none.
    pub(super) fn check(
        &self,
        source: &SourceText,
        values: impl Fn(&str) -> Vec<Value>,
        known: &[String],
    ) -> Result<(), Diagnostic> {
        if let Some(word) = self.unknown_path(|path| !values(path).is_empty()) {
            let help = match nearest(word, known.iter().map(String::as_str)) {
                Some(path) => format!("did you mean `{path}`?"),
                None => {
                    "write the whole path, like engine.queue_first.queues.min; `check --resolved` shows those there are"
                        .to_owned()
                }
            };
            return Err(self.written.wrong(source, format!("`{word}` is neither varied nor in the scenario"), &help));
        }
        let of = |side: &Value| {
            let found = side.as_str().map(&values).unwrap_or_default();
            if found.is_empty() { vec![side.clone()] } else { found }
        };
        let (left, right) = (of(&self.left), of(&self.right));
        let is_order = !matches!(self.sign, "==" | "!=");
        let fit = |one: &Value, other: &Value| {
            let kind = Kind::of(one);
            kind == Kind::of(other) && !(is_order && kind == Kind::Other)
        };
        if left.iter().any(|one| right.iter().any(|other| fit(one, other))) {
            return Ok(());
        }
        let described = |side: &Value, values: &[Value]| {
            let (side, value) = (plain(side), plain(&values[0]));
            let is = if side == value { String::new() } else { format!(" (`{value}`)") };
            format!("`{side}`{is} is {}", Kind::of(&values[0]).words())
        };
        let message = format!("{}, and {}", described(&self.left, &left), described(&self.right, &right));
        let help = "compare what is of one kind: times like 30s, rates like 8/m, percentages like 5%, plain numbers; words only \
                    with == and !=";
        Err(self.written.wrong(source, message, help))
    }

    /// A word that should be a path and is none.
    fn unknown_path(&self, is_known: impl Fn(&str) -> bool) -> Option<&str> {
        let words = || [&self.left, &self.right].into_iter().filter(|side| number(side).is_none());
        let mut unknown = words().filter_map(Value::as_str).filter(|word| !is_known(word));
        // A word beside a path is a value.
        if words().filter_map(Value::as_str).any(&is_known) {
            unknown.find(|word| word.contains('.'))
        } else {
            unknown.next()
        }
    }

    /// Whether it holds, given the value that a path has.
    pub(super) fn holds(&self, value: impl Fn(&str) -> Option<Value>) -> bool {
        let of = |side: &Value| side.as_str().and_then(&value).unwrap_or_else(|| side.clone());
        let (left, right) = (of(&self.left), of(&self.right));
        let order = match (number(&left), number(&right)) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => (left == right).then_some(Ordering::Equal),
        };
        match self.sign {
            "==" => order.is_some_and(Ordering::is_eq),
            "!=" => order.is_none_or(Ordering::is_ne),
            "<=" => order.is_some_and(Ordering::is_le),
            ">=" => order.is_some_and(Ordering::is_ge),
            "<" => order.is_some_and(Ordering::is_lt),
            _ => order.is_some_and(Ordering::is_gt),
        }
    }
}

/// What can be compared with what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Number,
    Time,
    Rate,
    Percent,
    Other,
}

impl Kind {
    fn of(value: &Value) -> Kind {
        match value {
            Value::Number(_) => Kind::Number,
            Value::String(text) if finite(text).is_some() => Kind::Number,
            Value::String(text) if text.parse::<Span>().is_ok() => Kind::Time,
            Value::String(text) if text.parse::<Rate>().is_ok() => Kind::Rate,
            Value::String(text) if text.parse::<Percent>().is_ok() => Kind::Percent,
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Kind::Other,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Kind::Number => "a plain number",
            Kind::Time => "a time",
            Kind::Rate => "a rate",
            Kind::Percent => "a percentage",
            Kind::Other => "no number",
        }
    }
}

/// A value as a number: durations in µs, rates per µs, percentages as fractions.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => finite(text)
            .or_else(|| Some(text.parse::<Span>().ok()?.micros() as f64))
            .or_else(|| Some(text.parse::<Rate>().ok()?.per_micro()))
            .or_else(|| Some(text.parse::<Percent>().ok()?.fraction())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What YAML makes of a text on one line; the text itself where it makes nothing of it.
pub(super) fn scalar(text: &str) -> Value {
    places::read("", text).ok().and_then(|(value, _)| value).unwrap_or_else(|| text.into())
}

/// A value as one would type it.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
