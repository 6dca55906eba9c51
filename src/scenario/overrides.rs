//! `--set path=value`: one value of the document, replaced before it is read. Maps on the way are made where missing.

use std::str::FromStr;

use serde_json::{Map, Value};

use super::diagnose::Diagnostic;
use super::places::{self, below, item};

const INDEX_MAX: usize = 1_000_000;

/// A value that wins over the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// Where: `engine.queue_first.queues.min`, `workload[0].service`.
    pub path: String,
    /// What, as YAML on one line.
    pub value: String,
}

impl FromStr for Override {
    type Err = String;
    fn from_str(text: &str) -> Result<Override, String> {
        match text.split_once('=') {
            Some((path, value)) if !path.trim().is_empty() => {
                Ok(Override { path: path.trim().to_owned(), value: value.trim().to_owned() })
            }
            Some(_) | None => Err(format!("`{text}` sets nothing: write path=value, like run.seed=7")),
        }
    }
}

impl Override {
    /// How findings about it name it.
    pub(crate) fn origin(&self) -> String {
        format!("--set {}={}", self.path, self.value)
    }

    /// Puts the value into the document; returns the path in its plain form.
    pub(crate) fn apply(&self, root: &mut Value) -> Result<String, Diagnostic> {
        let value = places::read(&self.origin(), &self.value)
            .map_err(|mut found| {
                found.place = None;
                found.path.clone_from(&self.path);
                found
            })?
            .0
            .unwrap_or(Value::Null);
        let mut at = root;
        let mut path = String::new();
        for step in steps(&self.path).map_err(|message| self.error(&path, message))? {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            at = match (at, step) {
                (Value::Object(map), Step::Key(key)) => {
                    path = below(&path, &key);
                    map.entry(key).or_insert(Value::Null)
                }
                (Value::Array(items), Step::Key(key)) if key.parse::<usize>().is_ok() => {
                    let index = key.parse().unwrap_or(INDEX_MAX);
                    self.item(items, index, &mut path)?
                }
                (Value::Array(items), Step::Index(index)) => self.item(items, index, &mut path)?,
                (Value::Object(_), Step::Index(_)) => {
                    return Err(self.error(&path, format!("`{path}` is a map, not a list")));
                }
                (other, Step::Key(_) | Step::Index(_)) => {
                    let what = if other.is_array() { "a list: say which item, like [0]" } else { "a plain value" };
                    return Err(self.error(&path, format!("`{path}` is {what}")));
                }
            };
        }
        *at = value;
        Ok(path)
    }

    fn item<'a>(&self, items: &'a mut [Value], index: usize, path: &mut String) -> Result<&'a mut Value, Diagnostic> {
        let count = items.len();
        let found = items.get_mut(index).ok_or_else(|| {
            self.error(path, format!("`{path}` has {count} items, counted from 0: there is no [{index}]"))
        })?;
        *path = item(path, index);
        Ok(found)
    }

    fn error(&self, path: &str, message: String) -> Diagnostic {
        let mut found = Diagnostic::error(self.origin(), message);
        found.path = path.to_owned();
        found
    }
}

enum Step {
    Key(String),
    Index(usize),
}

fn steps(path: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, mut rest) = part.split_at(part.find('[').unwrap_or(part.len()));
        if key.is_empty() && (rest.is_empty() || steps.is_empty()) {
            return Err(format!("`{path}` is no path: write keys with dots between, like run.seed"));
        }
        if !key.is_empty() {
            steps.push(Step::Key(key.to_owned()));
        }
        while !rest.is_empty() {
            let index = rest
                .strip_prefix('[')
                .and_then(|rest| rest.split_once(']'))
                .and_then(|(index, tail)| Some((index.parse().ok()?, tail)));
            let Some((index, tail)) = index else {
                return Err(format!("`{path}` is no path: an item of a list is written [0]"));
            };
            steps.push(Step::Index(index));
            rest = tail;
        }
        if steps.len() > 64 {
            return Err("this path is nested deeper than 64 levels".into());
        }
    }
    Ok(steps)
}
