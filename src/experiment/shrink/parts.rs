//! The parts of a scripted document: events, and the tasks and workers that they speak of.
//!
//! Whatever an event does, it names a task by the key `task` or `effect`, a worker by the key `worker`, and an earlier one
//! by `host_of`; so this file need not know what events there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// How large a scripted scenario is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Events of the script.
    pub events: usize,
    /// Workers: those there from the start and those that join.
    pub workers: usize,
    /// Tasks submitted.
    pub tasks: usize,
}

impl Size {
    /// Of a document.
    pub fn of(document: &Value) -> Size {
        let does = |what: &str| script(document).iter().filter(|event| event.get(what).is_some()).count();
        Size { events: script(document).len(), workers: initial(document) + does("join"), tasks: does("submit") }
    }
}

pub(super) fn script(document: &Value) -> &[Value] {
    document.get("script").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn script_mut(document: &mut Value) -> &mut Vec<Value> {
    let script = document.as_object_mut().expect("a scenario is a map").entry("script");
    script.or_insert(json!([])).as_array_mut().expect("a script is a list")
}

/// How many workers are there from the start.
pub(super) fn initial(document: &Value) -> usize {
    document.pointer("/workers/initial").and_then(Value::as_u64).map_or(0, |count| count as usize)
}

/// What an event does, and the details.
fn action(event: &Value) -> Option<(&String, &Value)> {
    event.as_object()?.iter().find(|(key, _)| *key != "at")
}

/// By which keys an event names a task or a worker.
fn keys(what: &str) -> &'static [&'static str] {
    if what == "task" { &["task", "effect"] } else { &["worker", "host_of"] }
}

/// The task or worker (`what`) that an event names.
pub(super) fn named<'a>(event: &'a Value, what: &str) -> Option<&'a str> {
    let details = action(event)?.1;
    keys(what).iter().find_map(|key| details.get(key)?.as_str())
}

/// Whether an event brings the task or worker into being that it names.
fn introduces(event: &Value) -> Option<&'static str> {
    if event.get("submit").is_some() {
        Some("task")
    } else if event.get("join").is_some() {
        Some("worker")
    } else {
        None
    }
}

/// Every event with those that are impossible without it, as positions.
pub(super) fn units(document: &Value) -> Vec<Vec<usize>> {
    let script = script(document);
    let mut naming: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (position, event) in script.iter().enumerate() {
        for what in ["task", "worker"] {
            if let Some(name) = named(event, what) {
                naming.entry((what, name)).or_default().push(position);
            }
        }
    }
    let unit = |(position, event): (usize, &Value)| {
        let dependants = introduces(event).and_then(|what| naming.get(&(what, named(event, what)?)));
        dependants.cloned().unwrap_or_else(|| vec![position])
    };
    script.iter().enumerate().map(unit).collect()
}

/// Submissions with all that concerns their tasks.
pub(super) fn submissions(document: &Value) -> Vec<Vec<usize>> {
    let all = units(document).into_iter().zip(script(document));
    all.filter(|(_, event)| event.get("submit").is_some()).map(|(unit, _)| unit).collect()
}

/// The kinds of events there are.
pub(super) fn kinds(document: &Value) -> Vec<String> {
    let kinds: BTreeSet<&String> = script(document).iter().filter_map(|event| Some(action(event)?.0)).collect();
    kinds.into_iter().cloned().collect()
}

/// All events of a kind, with those that are impossible without them.
pub(super) fn of_kind(document: &Value, kind: &str) -> Vec<usize> {
    let all = units(document).into_iter().zip(script(document));
    all.filter(|(_, event)| event.get(kind).is_some()).flat_map(|(unit, _)| unit).collect()
}

/// The document without these events.
pub(super) fn without_events(document: &Value, units: &[Vec<usize>]) -> Value {
    let mut document = document.clone();
    let mut gone: Vec<usize> = units.concat();
    gone.sort_unstable();
    let mut position = 0;
    script_mut(&mut document).retain(|_| {
        position += 1;
        gone.binary_search(&(position - 1)).is_err()
    });
    document
}

/// All workers, those there from the start first, then in order of joining.
pub(super) fn workers(document: &Value) -> Vec<String> {
    let joined = script(document).iter().filter(|event| event.get("join").is_some());
    let joined = joined.filter_map(|event| named(event, "worker").map(str::to_owned));
    (1..=initial(document)).map(|number| format!("w{number}")).chain(joined).collect()
}

/// The document without these workers and what concerns them.
pub(super) fn without_workers(document: &Value, gone: &[String]) -> Value {
    let mut document = document.clone();
    let there: Vec<String> = workers(&document).into_iter().take(initial(&document)).collect();
    let is_gone = |name: Option<&str>| name.is_some_and(|name| gone.iter().any(|it| it == name));
    script_mut(&mut document).retain(|event| !is_gone(named(event, "worker")));
    for join in script_mut(&mut document).iter_mut().filter_map(|event| event.get_mut("join")?.as_object_mut()) {
        if is_gone(join.get("host_of").and_then(Value::as_str)) {
            join.remove("host_of");
        }
    }
    with_workers(document, &there.into_iter().filter(|name| !gone.contains(name)).collect::<Vec<_>>())
}

/// The document in which the worker that an event lets join is there from the start.
pub(super) fn joined_before(document: &Value, join: usize) -> Option<Value> {
    let event = script(document).get(join).filter(|event| event.get("join").is_some())?;
    let mut there: Vec<String> = workers(document).into_iter().take(initial(document)).collect();
    there.push(named(event, "worker")?.to_owned());
    Some(with_workers(without_events(document, &[vec![join]]), &there))
}

/// The workers `there`, by their names in the document, are there from the start; all get the names that go with it.
fn with_workers(mut document: Value, there: &[String]) -> Value {
    document["workers"]["initial"] = json!(there.len());
    let joined = script(&document).iter().filter(|event| event.get("join").is_some());
    let joined: Vec<String> = joined.filter_map(|event| named(event, "worker").map(str::to_owned)).collect();
    let names = there.iter().cloned().chain(joined);
    let names: BTreeMap<String, String> = names.zip(1..).map(|(name, number)| (name, format!("w{number}"))).collect();
    rename(&mut document, "worker", &names);
    document
}

/// Names tasks and resources by number, in the order of the script.
pub(super) fn numbered(document: &Value) -> Value {
    let mut document = document.clone();
    let submitted = script(&document).iter().filter(|event| event.get("submit").is_some());
    let names: Vec<String> = submitted.filter_map(|event| named(event, "task").map(str::to_owned)).collect();
    let names = names.into_iter().zip(1..).map(|(name, number)| (name, format!("t{number}"))).collect();
    rename(&mut document, "task", &names);
    let mut resources: BTreeMap<String, String> = BTreeMap::new();
    for submit in script_mut(&mut document).iter_mut().filter_map(|event| event.get_mut("submit")) {
        for key in ["claims", "shared"] {
            for claim in submit.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten() {
                let name = claim.as_str().unwrap_or_default().to_owned();
                let next = format!("r{}", resources.len() + 1);
                *claim = json!(*resources.entry(name).or_insert(next));
            }
        }
    }
    document
}

fn rename(document: &mut Value, what: &str, names: &BTreeMap<String, String>) {
    for event in script_mut(document) {
        for (_, details) in event.as_object_mut().into_iter().flatten() {
            for key in keys(what) {
                let Some(name) = details.get_mut(*key) else { continue };
                if let Some(new) = name.as_str().and_then(|old| names.get(old)) {
                    *name = json!(new);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({"name": "a", "workers": {"initial": 2}, "script": [
            {"at": "0s", "submit": {"task": "a", "claims": ["x"], "service": "1s"}},
            {"at": "1s", "crash": {"worker": "w1"}},
            {"at": "2s", "join": {"worker": "w3"}},
            {"at": "3s", "pause": {"worker": "w3", "for": "1s"}},
            {"at": "3s", "pause": {"worker": "w2", "for": "1s"}},
            {"at": "4s", "cancel": {"task": "a"}},
        ]})
    }

    #[test]
    fn who_submits_or_joins_takes_what_depends_on_it_along() {
        assert_eq!(units(&document()), [vec![0, 5], vec![1], vec![2, 3], vec![3], vec![4], vec![5]]);
        assert_eq!(script(&without_events(&document(), &[vec![0, 5], vec![1]])).len(), 3);
    }

    #[test]
    fn workers_that_stay_get_the_names_that_go_with_their_number() {
        let smaller = without_workers(&document(), &["w1".into()]);
        assert_eq!(Size::of(&smaller), Size { events: 5, workers: 2, tasks: 1 });
        assert_eq!(workers(&smaller), ["w1", "w2"]);
        assert_eq!(named(&script(&smaller)[3], "worker"), Some("w1"));
        let earlier = joined_before(&document(), 2).unwrap();
        assert_eq!((initial(&earlier), script(&earlier).len()), (3, 5));
        assert_eq!(joined_before(&document(), 1), None);
    }
}
