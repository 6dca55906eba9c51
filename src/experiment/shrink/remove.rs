//! Leaves out: events, tasks, workers, keys; in large pieces first, then in smaller ones.

use std::path::Path;

use serde_json::{Value, json};

use super::parts::{
    joined_before, kinds, numbered, of_kind, script, script_mut, submissions, units, without_events, without_workers,
    workers,
};
use super::trials::Trials;
use crate::base::Span;
use crate::scenario::load_document;

/// Keys that a scenario cannot do without, or that say nothing of its course.
const KEPT: [&str; 6] = ["/name", "/description", "/workers", "/workers/initial", "/script", "/expect"];

impl Trials<'_> {
    /// What comes after the violation does not matter, and often neither does time.
    pub(super) fn truncate(&mut self) {
        let at = self.violated_at().micros();
        let end = json!(Span::from_micros(at));
        let spans = ["0s", "1m", "10m"];
        self.first(spans.len() + 2, |best, number| {
            let mut document = best.clone();
            let is_later = |event: &Value| time(event).is_some_and(|it| it.micros() > at);
            script_mut(&mut document).retain(|event| !is_later(event));
            if number <= spans.len() {
                document["run"]["horizon"] = end.clone();
            }
            if let Some(drain) = spans.get(number) {
                document["run"]["drain"] = json!(drain);
            }
            Some(document)
        });
    }

    /// Leaves out all that happens of one kind: most faults have nothing to do with a violation.
    pub(super) fn remove_kinds(&mut self) {
        let all = kinds(self.best());
        for kind in all {
            self.first(1, |best, _| Some(without_events(best, &[of_kind(best, &kind)])));
        }
    }

    /// Leaves out large pieces of everything, where later passes would look at each piece alone.
    pub(super) fn remove_pieces(&mut self) {
        for parts in [2, 4, 8, 16] {
            self.leave_out(workers, without_workers, workers(self.best()).len().div_ceil(parts).max(1));
            self.leave_out(submissions, without_events, submissions(self.best()).len().div_ceil(parts).max(1));
            self.leave_out(units, without_events, script(self.best()).len().div_ceil(parts).max(1));
        }
    }

    /// Leaves out submissions with all that concerns them: of most scripts the largest part.
    pub(super) fn remove_tasks(&mut self) {
        self.thin_out(submissions, without_events);
    }

    pub(super) fn remove_events(&mut self) {
        self.thin_out(units, without_events);
    }

    pub(super) fn remove_workers(&mut self) {
        self.thin_out(workers, without_workers);
    }

    /// Delta debugging: leaves out as many units at once as possible, then half as many, and so on; single ones until
    /// none can go.
    fn thin_out<U: Sync>(&mut self, units: fn(&Value) -> Vec<U>, without: fn(&Value, &[U]) -> Value) {
        let mut size = units(self.best()).len();
        while size > 0 {
            let gone = self.leave_out(units, without, size);
            size = if size == 1 && gone { 1 } else { size / 2 };
        }
    }

    /// Leaves out pieces of so many units, from the first to the last, each that can go; whether any could.
    fn leave_out<U: Sync>(
        &mut self,
        units: fn(&Value) -> Vec<U>,
        without: fn(&Value, &[U]) -> Value,
        size: usize,
    ) -> bool {
        let (mut from, mut gone) = (0, false);
        loop {
            let all = units(self.best());
            let pieces: Vec<&[U]> = all.get(from..).unwrap_or_default().chunks(size).collect();
            let Some(piece) = self.first(pieces.len(), |best, number| Some(without(best, pieces[number]))) else {
                return gone;
            };
            from += piece * size;
            gone = true;
        }
    }

    /// Workers that join are there from the start instead.
    pub(super) fn join_earlier(&mut self) {
        while self.first(script(self.best()).len(), joined_before).is_some() {}
    }

    /// Leaves out keys, so that their defaults hold, and claims.
    pub(super) fn remove_keys(&mut self) {
        let mut from = 0;
        loop {
            let keys = removable(self.best());
            let rest = keys.get(from..).unwrap_or_default();
            let Some(number) = self.first(rest.len(), |best, number| without(best, &rest[number])) else { return };
            from += number;
        }
    }

    /// What happens after the violation only makes the run long enough for it to be seen: the horizon says so instead.
    pub(super) fn end_by_horizon(&mut self) {
        let at = Span::from_micros(self.violated_at().micros());
        self.first(1, |best, _| {
            let last = script(best).iter().filter_map(time).max().filter(|last| *last > at)?;
            let mut document = best.clone();
            script_mut(&mut document).retain(|event| time(event).is_some_and(|it| it <= at));
            if document.pointer("/run/horizon").is_none() {
                document["run"]["horizon"] = json!(last);
            }
            Some(document)
        });
    }

    /// Names without gaps.
    pub(super) fn rename(&mut self) {
        self.first(1, |best, _| Some(numbered(best)));
    }
}

/// When an event happens.
pub(super) fn time(event: &Value) -> Option<Span> {
    event.get("at")?.as_str()?.parse().ok()
}

/// Pointers to everything below `value`, each before what is below it.
pub(super) fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    for (key, value) in below {
        let path = format!("{at}/{key}");
        into.push(path.clone());
        pointers(value, &path, into);
    }
}

/// What can be left out: all but what is kept, whole events and the name of whom an event concerns.
fn removable(document: &Value) -> Vec<String> {
    let mut all = Vec::new();
    pointers(document, "", &mut all);
    let is_event = |path: &str| path.strip_prefix("/script/").is_some_and(|rest| !rest.contains('/'));
    let is_name = |path: &str| ["/at", "/task", "/worker", "/effect"].iter().any(|end| path.ends_with(end));
    // With nothing in the script the default is a day's work of waiting.
    let is_run = |path: &str| script(document).is_empty() && path.starts_with("/run");
    all.retain(|path| !is_run(path) && !KEPT.contains(&path.as_str()) && !is_event(path) && !is_name(path));
    all
}

/// The document without what the pointer points to.
fn without(document: &Value, pointer: &str) -> Option<Value> {
    let mut document = document.clone();
    let (parent, key) = pointer.rsplit_once('/')?;
    match document.pointer_mut(parent)? {
        Value::Object(map) => {
            map.shift_remove(&key.replace("~1", "/").replace("~0", "~"))?;
        }
        Value::Array(items) => {
            let index = key.parse().ok().filter(|index| *index < items.len())?;
            items.remove(index);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    }
    Some(document)
}

/// The document without keys whose defaults say the same.
pub(super) fn defaults(document: &Value, dir: &Path) -> Value {
    let mut document = document.clone();
    let script = std::mem::take(script_mut(&mut document));
    let filled = |document: &Value| load_document(document.clone(), dir).ok().map(|loaded| loaded.file.document());
    let meaning = filled(&document);
    let mut from = 0;
    loop {
        let keys = removable(&document);
        let shorter = keys.iter().enumerate().skip(from).find_map(|(number, key)| {
            let shorter = without(&document, key)?;
            (meaning.is_some() && filled(&shorter) == meaning).then_some((number, shorter))
        });
        let Some((number, shorter)) = shorter else { break };
        (from, document) = (number, shorter);
    }
    *script_mut(&mut document) = script;
    document
}
