//! What a sweep varies: every combination of the values of some paths (`grid`), values of several paths side by side
//! (`zip`), and which combinations are meant (`where`).
//!
//! Cells are named by a hash of their parameters: the same cell has the same name in every sweep that holds it.

use serde_json::{Map, Value};

use super::Override;
use super::condition::{Condition, Written, scalar};
use super::diagnose::Diagnostic;
use super::places::{below, item};
use super::resolve::{SourceText, error_at, section};
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
        let wrong = |(path, message): Wrong| {
            error_at(source, &path, message)
                .with_help("write `sweep: {grid: {path: [1, 2]}, zip: {…}, where: path <= path}`")
        };
        let grid = read(&sweep).map_err(wrong)?;
        let conditions = conditions(&sweep).map_err(wrong)?;
        Ok(Some(grid.and_where(conditions.into_iter().map(Written::InFile), source)?))
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

    /// With the conditions that were typed as `--where`.
    ///
    /// # Errors
    /// When one of them is no comparison.
    pub fn and_typed(self, conditions: &[String], source: &SourceText) -> Result<Grid, Diagnostic> {
        self.and_where(conditions.iter().cloned().map(Written::Typed), source)
    }

    fn and_where(mut self, conditions: impl Iterator<Item = Written>, source: &SourceText) -> Result<Grid, Diagnostic> {
        for written in conditions {
            self.conditions.push(Condition::read(written, source)?);
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
            let value = |path: &str| {
                let varied = parameters.iter().find(|(varied, _)| varied == path).map(|(_, value)| value);
                varied.or_else(|| base.pointer(&pointer(path))).cloned()
            };
            let holds = |condition: &Condition| condition.holds(value);
            let name = self.conditions.iter().all(holds).then(|| name_of(&parameters))?;
            let written = |(axis, index): &(&Axis, usize)| Some(item(&below(axis.written?, &axis.path), *index));
            Some(GridCell { place, name, parameters, written: values.iter().filter_map(written).collect() })
        })
    }

    /// Whether each condition makes sense in `base`, the resolved scenario.
    ///
    /// # Errors
    /// When a path in it is neither varied nor in the scenario, or what it compares cannot be compared.
    pub fn check_conditions(&self, source: &SourceText, base: &Value) -> Result<(), Diagnostic> {
        let axes = || self.axes.iter().chain(&self.zipped);
        let values = |path: &str| match axes().find(|axis| axis.path == path) {
            Some(axis) => axis.values.clone(),
            None => base.pointer(&pointer(path)).cloned().into_iter().collect(),
        };
        let mut known: Vec<String> = axes().map(|axis| axis.path.clone()).collect();
        paths(base, "", &mut known);
        self.conditions.iter().try_for_each(|condition| condition.check(source, values, &known))
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
    if axes.is_empty() && zipped.is_empty() {
        return Err(at("sweep", "it varies nothing"));
    }
    Ok(Grid { axes, zipped, conditions: Vec::new() })
}

/// The texts under `where`: one, or a list.
fn conditions(sweep: &Value) -> Result<Vec<String>, Wrong> {
    let text = |value: &Value| {
        let wrong = || ("sweep.where".to_owned(), "a condition is a text like `a.min <= a.max`".to_owned());
        value.as_str().map(str::to_owned).ok_or_else(wrong)
    };
    match sweep.get("where") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(one) => Ok(vec![text(one)?]),
    }
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

/// The JSON pointer of a path of plain keys.
fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

/// The paths of all plain values in maps.
pub(super) fn paths(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| paths(value, &below(path, key), out)),
        Value::Array(_) => {}
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => out.push(path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn cells(sweep: Value, base: Value) -> Vec<Vec<Value>> {
        let conditions = conditions(&sweep).unwrap().into_iter().map(Written::InFile);
        let grid = read(&sweep).unwrap().and_where(conditions, &SourceText::new("a.yaml", "")).unwrap();
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
        ] {
            let (_, message) = read(&sweep).unwrap_err();
            assert!(message.contains(words), "{sweep}: {message}");
        }
    }

    #[test]
    fn a_condition_that_makes_no_sense_is_refused_where_it_stands_with_a_remedy() {
        let source = SourceText::new("a.yaml", "name: a\nsweep:\n  where: x\n");
        let base = json!({"q": {"min": 1, "max": 4}, "ttl": "30s", "loss": "5%", "placement": "sticky"});
        let vary = ["ttl=10s,30s".to_owned(), "workers.initial=2,4".to_owned()];
        let said = |written: Written| {
            let grid = Grid::from_vary(&vary).unwrap().and_where([written].into_iter(), &source);
            grid.and_then(|grid| grid.check_conditions(&source, &base)).map_err(|found| found.to_string())
        };
        for (text, message, help) in [
            ("q.min", "compares nothing", "one of <=, >=,"),
            ("q.min < q.max < 9", "no comparison of two", "one comparison"),
            ("q.min < q.max and q.max < 9", "more than one comparison", "--where once for each"),
            ("q.min < q.max && q.max < 9", "more than one comparison", "--where once for each"),
            ("q.min < 2 or q.max < 9", "more than one comparison", "there is no `or`"),
            ("q.mni < 2", "`q.mni` is neither varied nor", "did you mean `q.min`?"),
            ("workers.inital < 2", "`workers.inital` is neither", "did you mean `workers.initial`?"),
            ("ttl <= 2", "`ttl` (`10s`) is a time, and `2` is a plain number", "30s"),
            ("ttl == 5%", "`ttl` (`10s`) is a time, and `5%` is a percentage", "30s"),
            ("placement < 3", "`placement` (`sticky`) is no number, and", "words only with == and !="),
        ] {
            let found = said(Written::Typed(text.to_owned())).unwrap_err();
            let place = format!("--> --where '{text}'");
            assert!(found.contains(message) && found.contains(help) && found.contains(&place), "{text}: {found}");
        }
        for text in ["ttl < 1m", "q.min <= workers.initial", "placement != sticky", "loss <= 10%"] {
            assert_eq!(said(Written::Typed(text.to_owned())), Ok(()), "{text}");
        }
        let found = said(Written::InFile("a and b".to_owned())).unwrap_err();
        assert!(found.contains("a.yaml:3:3") && found.contains("write a list"), "{found}");
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
