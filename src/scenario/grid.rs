//! What a sweep varies: every combination of the values of some paths (`grid`), values of several paths side by side
//! (`zip`), and which combinations are meant (`where`).
//!
//! Cells are named by a hash of their parameters: the same cell has the same name in every sweep that holds it.

use serde_json::{Map, Value};

use super::Override;
use super::diagnose::Diagnostic;
use super::places::{self, below, item};
use super::resolve::{SourceText, error_at, section};
use super::units::{Percent, Rate, finite};
use super::variants::varied;
use crate::base::Span;
use crate::base::mix::mix;

/// More values of one axis than this are a mistake.
const AXIS_MAX: usize = 1_000_000;

/// A path and its values.
#[derive(Clone, PartialEq, Debug)]
struct Axis {
    path: String,
    values: Vec<Value>,
    /// The map of the file that holds it: `sweep.grid`, `sweep.zip`; `None`: it was typed.
    written: Option<&'static str>,
}

/// A simple comparison of two paths or values.
#[derive(Clone, PartialEq, Debug)]
struct Condition {
    left: Value,
    sign: &'static str,
    right: Value,
}

/// What a sweep varies.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Grid {
    axes: Vec<Axis>,
    /// Of equal lengths: values at one place go together.
    zipped: Vec<Axis>,
    conditions: Vec<Condition>,
}

/// A cell of a sweep.
#[derive(Clone, PartialEq, Debug)]
pub struct GridCell {
    /// Its place among the combinations, from 0; those that `where` leaves out are counted.
    pub place: u64,
    /// 16 hexadecimal digits: a hash of its parameters.
    pub name: String,
    /// Path and value, in the order of the axes.
    pub parameters: Vec<(String, Value)>,
    /// Where in the file each value stands, as `sweep.grid.workers.initial[2]`; empty when it was typed.
    pub written: Vec<String>,
}

impl GridCell {
    /// Its parameters as overrides.
    pub fn overrides(&self) -> Vec<Override> {
        let one = |(path, value): &(String, Value)| Override { path: path.clone(), value: value.to_string() };
        self.parameters.iter().map(one).collect()
    }
}

impl Grid {
    /// What the file's `sweep` says; `None` without one.
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn of(source: &SourceText) -> Result<Option<Grid>, Diagnostic> {
        let Some(sweep) = section(source, "sweep")? else { return Ok(None) };
        let grid = read(&sweep).map_err(|(path, message)| {
            error_at(source, &path, message)
                .with_help("write `sweep: {grid: {path: [1, 2]}, zip: {…}, where: path <= path}`")
        })?;
        Ok(Some(grid))
    }

    /// What several `--vary path=a,b,c` say.
    ///
    /// # Errors
    /// A sentence.
    pub fn from_vary(vary: &[String]) -> Result<Grid, String> {
        let axis = |text: &String| {
            let (path, values) = varied(text)?;
            Ok(Axis { path, values: values.iter().map(|it| scalar(it)).collect(), written: None })
        };
        Ok(Grid { axes: vary.iter().map(axis).collect::<Result<_, String>>()?, ..Grid::default() })
    }

    /// With more conditions, as `--where` says them.
    ///
    /// # Errors
    /// A sentence.
    pub fn and_where(mut self, conditions: &[String]) -> Result<Grid, String> {
        for text in conditions {
            self.conditions.push(condition(&text.as_str().into()).map_err(|(_, message)| message)?);
        }
        Ok(self)
    }

    /// How many combinations there are before `where` is asked; `None`: more than fit 64 bits.
    pub fn combinations(&self) -> Option<u64> {
        let zipped = self.zipped.first().map_or(1, |axis| axis.values.len());
        let lengths = self.axes.iter().map(|axis| axis.values.len()).chain([zipped]);
        lengths.map(|length| length as u64).try_fold(1_u64, u64::checked_mul)
    }

    /// The cells in order, the last axis varying fastest, without those that `where` leaves out. A path that is not
    /// varied has its value in `base`, the resolved scenario.
    ///
    /// # Panics
    /// If there are more combinations than fit 64 bits.
    pub fn cells<'a>(&'a self, base: &'a Value) -> impl Iterator<Item = GridCell> + 'a {
        let count = self.combinations().expect("the combinations were counted before");
        (0..count).filter_map(move |place| {
            let values = self.values(place);
            let parameters: Vec<_> =
                values.iter().map(|(axis, index)| (axis.path.clone(), axis.values[*index].clone())).collect();
            let holds = |condition: &Condition| condition.holds(&parameters, base);
            let name = self.conditions.iter().all(holds).then(|| name_of(&parameters))?;
            let written = |(axis, index): &(&Axis, usize)| Some(item(&below(axis.written?, &axis.path), *index));
            Some(GridCell { place, name, parameters, written: values.iter().filter_map(written).collect() })
        })
    }

    /// A word in a condition that should be a path and is neither varied nor in `base`, the resolved scenario.
    pub fn unknown_path(&self, base: &Value) -> Option<&str> {
        let is_known = |path: &str| {
            let is_varied = self.axes.iter().chain(&self.zipped).any(|axis| axis.path == path);
            is_varied || base.pointer(&pointer(path)).is_some()
        };
        self.conditions.iter().find_map(|it| {
            let words = [&it.left, &it.right].into_iter().filter(|side| number(side).is_none());
            let mut words = words.filter_map(Value::as_str).filter(|word| !is_known(word)).peekable();
            let compares_a_path = [&it.left, &it.right].into_iter().filter_map(Value::as_str).any(is_known);
            // A word beside a path is a value.
            if compares_a_path { words.find(|word| word.contains('.')) } else { words.next() }
        })
    }

    /// The axes, each with the number of its value at a place.
    fn values(&self, place: u64) -> Vec<(&Axis, usize)> {
        let mut rest = place;
        let mut next = |length: usize| {
            let index = rest % length as u64;
            rest /= length as u64;
            usize::try_from(index).expect("an index into values that are in memory")
        };
        let row = self.zipped.first().map_or(0, |axis| next(axis.values.len()));
        let mut values: Vec<_> = self.zipped.iter().rev().map(|axis| (axis, row)).collect();
        values.extend(self.axes.iter().rev().map(|axis| (axis, next(axis.values.len()))));
        values.reverse();
        values
    }
}

/// The hash of parameters, whatever their order.
fn name_of(parameters: &[(String, Value)]) -> String {
    let mut lines: Vec<String> = parameters.iter().map(|(path, value)| format!("{path}={value}\n")).collect();
    lines.sort_unstable();
    let words: Vec<u64> = lines.concat().bytes().map(u64::from).collect();
    format!("{:016x}", mix(0, &words))
}

type Wrong = (String, String);

fn read(sweep: &Value) -> Result<Grid, Wrong> {
    let at = |path: &str, message: &str| (path.to_owned(), message.to_owned());
    let map = sweep.as_object().ok_or_else(|| at("sweep", "`sweep` is a map with `grid`, `zip` and `where`"))?;
    if let Some(key) = map.keys().find(|key| !["grid", "zip", "where"].contains(&key.as_str())) {
        return Err((format!("sweep.{key}"), format!("unknown key `{key}`: there are grid, zip and where")));
    }
    let axes = map.get("grid").map_or_else(|| Ok(Vec::new()), |it| axes(it, "sweep.grid"))?;
    let zipped = map.get("zip").map_or_else(|| Ok(Vec::new()), |it| axes_of_one_length(it, "sweep.zip"))?;
    if let Some(twice) = zipped.iter().find(|it| axes.iter().any(|other| other.path == it.path)) {
        return Err((format!("sweep.zip.{}", twice.path), "it is in `grid` as well".to_owned()));
    }
    let conditions = match map.get("where") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(condition).collect::<Result<_, _>>()?,
        Some(one) => vec![condition(one)?],
    };
    if axes.is_empty() && zipped.is_empty() {
        return Err(at("sweep", "it varies nothing"));
    }
    Ok(Grid { axes, zipped, conditions })
}

fn axes(map: &Value, path: &'static str) -> Result<Vec<Axis>, Wrong> {
    let Some(map) = map.as_object() else {
        return Err((path.to_owned(), "this is a map from paths to values".to_owned()));
    };
    let axis = |(key, values): (&String, &Value)| {
        let wrong = |message: String| (format!("{path}.{key}"), message);
        let values = match values {
            Value::Array(values) => values.clone(),
            Value::Object(range) => steps(range).map_err(wrong)?,
            _ => return Err(wrong("write a list of values, or {from: 4, to: 32, step: 4}".to_owned())),
        };
        if values.is_empty() {
            return Err(wrong("there is no value here".to_owned()));
        }
        Ok(Axis { path: key.clone(), values, written: Some(path) })
    };
    map.iter().map(axis).collect()
}

fn axes_of_one_length(map: &Value, path: &'static str) -> Result<Vec<Axis>, Wrong> {
    let axes = axes(map, path)?;
    match axes.iter().find(|axis| axis.values.len() != axes[0].values.len()) {
        None => Ok(axes),
        Some(other) => {
            let (one, two) = (axes[0].values.len(), other.values.len());
            Err((format!("{path}.{}", other.path), format!("zipped lists are equally long: here are {one} and {two}")))
        }
    }
}

/// `{from: 4, to: 32, step: 4}` of whole numbers, numbers or durations; the end is included where a step hits it.
fn steps(range: &Map<String, Value>) -> Result<Vec<Value>, String> {
    let form = || "write {from: 4, to: 32, step: 4}, all plain numbers or all durations".to_owned();
    let part = |key: &str| range.get(key).ok_or_else(form);
    let (from, to, step) = (part("from")?, part("to")?, part("step")?);
    if range.len() > 3 {
        return Err(form());
    }
    let span = |value: &Value| value.as_str().and_then(|text| text.parse::<Span>().ok());
    let count = |low: f64, high: f64, step: f64| {
        if step <= 0.0 || low > high || (high - low) / step > AXIS_MAX as f64 {
            return Err(format!("from {from} to {to} in steps of {step} is no range of at most {AXIS_MAX} values"));
        }
        Ok(((high - low) / step + 1e-9) as u64)
    };
    if let (Some(low), Some(high), Some(by)) = (from.as_u64(), to.as_u64(), step.as_u64()) {
        return Ok((0..=count(low as f64, high as f64, by as f64)?).map(|index| (low + index * by).into()).collect());
    }
    if let (Some(low), Some(high), Some(by)) = (span(from), span(to), span(step)) {
        let micros = |span: Span| span.micros() as f64;
        let count = count(micros(low), micros(high), micros(by))?;
        let at = |index: u64| Span::from_micros(low.micros() + index * by.micros()).to_string();
        return Ok((0..=count).map(|index| at(index).into()).collect());
    }
    let (Some(low), Some(high), Some(by)) = (from.as_f64(), to.as_f64(), step.as_f64()) else { return Err(form()) };
    // By multiplication, rounded: 0.1 + 0.2 is written 0.3.
    let at = |index: u64| ((low + index as f64 * by) * 1e9).round() / 1e9;
    Ok((0..=count(low, high, by)?).map(|index| at(index).into()).collect())
}

/// What YAML makes of a text on one line; the text itself where it makes nothing of it.
fn scalar(text: &str) -> Value {
    places::read("", text).ok().and_then(|(value, _)| value).unwrap_or_else(|| text.into())
}

/// The longer signs first.
const SIGNS: [&str; 6] = ["<=", ">=", "==", "!=", "<", ">"];

fn condition(value: &Value) -> Result<Condition, Wrong> {
    let wrong = |message: String| ("sweep.where".to_owned(), message);
    let text = value.as_str().ok_or_else(|| wrong("a condition is a text like `a.min <= a.max`".to_owned()))?;
    let found = SIGNS
        .into_iter()
        .filter_map(|sign| Some((text.find(sign)?, sign)))
        .min_by_key(|(at, sign)| (*at, 2 - sign.len()));
    let Some((at, sign)) = found else { return Err(wrong(format!("`{text}` compares nothing"))) };
    let side = |text: &str| {
        let text = text.trim();
        if text.is_empty() || SIGNS.iter().any(|sign| text.contains(sign)) {
            return Err(wrong(format!("`{value}` is no comparison of two paths or values")));
        }
        Ok(scalar(text))
    };
    Ok(Condition { left: side(&text[..at])?, sign, right: side(&text[at + sign.len()..])? })
}

/// The JSON pointer of a path of plain keys.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

impl Condition {
    fn holds(&self, parameters: &[(String, Value)], base: &Value) -> bool {
        let value = |side: &Value| match side {
            Value::String(path) => parameters
                .iter()
                .find(|(varied, _)| varied == path)
                .map(|(_, value)| value.clone())
                .or_else(|| base.pointer(&pointer(path)).cloned())
                .unwrap_or_else(|| side.clone()),
            _ => side.clone(),
        };
        let (left, right) = (value(&self.left), value(&self.right));
        let order = match (number(&left), number(&right)) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => (left == right).then_some(std::cmp::Ordering::Equal),
        };
        match self.sign {
            "==" => order.is_some_and(|it| it.is_eq()),
            "!=" => order.is_none_or(|it| it.is_ne()),
            "<=" => order.is_some_and(|it| it.is_le()),
            ">=" => order.is_some_and(|it| it.is_ge()),
            "<" => order.is_some_and(|it| it.is_lt()),
            _ => order.is_some_and(|it| it.is_gt()),
        }
    }
}

/// A value as a number: durations in µs, rates per µs, percentages as fractions.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => finite(text)
            .or_else(|| Some(text.parse::<Span>().ok()?.micros() as f64))
            .or_else(|| Some(text.parse::<Rate>().ok()?.per_micro()))
            .or_else(|| Some(text.parse::<Percent>().ok()?.fraction())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn cells(sweep: Value, base: Value) -> Vec<Vec<Value>> {
        let grid = read(&sweep).unwrap();
        grid.cells(&base).map(|cell| cell.parameters.into_iter().map(|it| it.1).collect()).collect()
    }

    #[test]
    fn the_grid_varies_its_last_axis_fastest_and_zipped_values_go_together() {
        let found = cells(json!({"grid": {"a": [1, 2], "b": {"from": 4, "to": 9, "step": 4}}}), json!({}));
        assert_eq!(found, [[json!(1), json!(4)], [json!(1), json!(8)], [json!(2), json!(4)], [json!(2), json!(8)]]);
        let found = cells(json!({"grid": {"a": [1]}, "zip": {"h": ["5s", "10s"], "t": ["15s", "30s"]}}), json!({}));
        assert_eq!(found, [[json!(1), json!("5s"), json!("15s")], [json!(1), json!("10s"), json!("30s")]]);
        let found = cells(json!({"grid": {"a": {"from": "30s", "to": "1m", "step": "15s"}}}), json!({}));
        assert_eq!(found, [[json!("30s")], [json!("45s")], [json!("60s")]]);
    }

    #[test]
    fn where_compares_paths_varied_or_not_and_values_with_units() {
        let min_max = json!({"grid": {"q.min": [1, 4, 8], "q.max": [2, 4]}, "where": "q.min <= q.max"});
        assert_eq!(cells(min_max, json!({})), [[1, 2], [1, 4], [4, 4]].map(|it| it.map(Value::from)));
        let against_base =
            json!({"grid": {"ttl": ["10s", "30s", "1m"]}, "where": ["ttl > heartbeat.every", "ttl < 60s"]});
        assert_eq!(cells(against_base, json!({"heartbeat": {"every": "10s"}})), [[json!("30s")]]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (sweep, words) in [
            (json!([]), "is a map"),
            (json!({}), "varies nothing"),
            (json!({"gird": {}}), "unknown key `gird`"),
            (json!({"grid": {"a": []}}), "no value"),
            (json!({"grid": {"a": 7}}), "list of values"),
            (json!({"grid": {"a": {"from": 1, "to": 0, "step": 1}}}), "no range"),
            (json!({"grid": {"a": {"from": 1, "to": 1e18, "step": 1}}}), "no range"),
            (json!({"grid": {"a": {"from": 1, "to": "9s", "step": 1}}}), "all durations"),
            (json!({"zip": {"a": [1], "b": [1, 2]}}), "equally long"),
            (json!({"grid": {"a": [1]}, "zip": {"a": [1]}}), "as well"),
            (json!({"grid": {"a": [1]}, "where": "a"}), "compares nothing"),
            (json!({"grid": {"a": [1]}, "where": "a < b < c"}), "no comparison"),
        ] {
            let (_, message) = read(&sweep).unwrap_err();
            assert!(message.contains(words), "{sweep}: {message}");
        }
    }

    #[test]
    fn combinations_are_counted_without_being_made() {
        let axis = |path: &str| Axis { path: path.into(), values: vec![json!(1); 100_000], written: None };
        let grid = Grid { axes: vec![axis("a"), axis("b"), axis("c"), axis("d")], ..Grid::default() };
        assert_eq!(grid.combinations(), None, "10^20");
        assert_eq!(Grid { axes: vec![axis("a"), axis("b")], ..Grid::default() }.combinations(), Some(10_000_000_000));
    }

    proptest! {
        #[test]
        fn names_depend_on_the_parameters_and_not_on_their_order(a in 0..50_u32, b in 0..50_u32, c in 0..50_u32) {
            let cell = |x: (&str, u32), y: (&str, u32)| name_of(&[(x.0.into(), x.1.into()), (y.0.into(), y.1.into())]);
            prop_assert_eq!(cell(("p", a), ("q", b)), cell(("q", b), ("p", a)));
            prop_assert_eq!(b == c, cell(("p", a), ("q", b)) == cell(("p", a), ("q", c)));
        }
    }
}
