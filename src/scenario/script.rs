//! Scripts: events in order of time, ties in the order written; names become numbers in that order.

use std::collections::BTreeMap;

use super::diagnose::{shortened, suggestion};
use super::file::{File, ScriptFile, SubmitFile};
use super::places::{below, item};
use super::resolve::{Findings, check_limits};
use super::workload::{self, Resources};
use super::{Action, ScriptEvent, convert};
use crate::base::{Claim, Claims, Labels, TaskId, WorkerId};

/// All events in order.
pub(crate) fn events(
    file: &File,
    resources: &mut Resources,
    labels: &mut Labels,
    findings: &mut Findings<'_>,
) -> Vec<ScriptEvent> {
    if file.script.is_empty() || file.workers.initial > 1_000_000 {
        return Vec::new();
    }
    for number in 1..=file.workers.initial {
        labels.workers.push(format!("w{number}"));
    }
    check_alone(file, findings);
    let mut order: Vec<usize> = (0..file.script.len()).collect();
    order.sort_by_key(|index| file.script[*index].at);
    let mut names = Names {
        tasks: BTreeMap::new(),
        workers: labels.workers.iter().map(|(id, name)| (name.clone(), id)).collect(),
    };
    let mut events = Vec::new();
    for index in order {
        let event = &file.script[index];
        let path = item("script", index);
        if let Some(action) = names.action(event, &path, resources, labels, findings) {
            events.push(ScriptEvent { at: convert::time(event.at), action });
        }
    }
    events
}

/// A script numbers tasks and workers: nothing else may come in between.
fn check_alone(file: &File, findings: &mut Findings<'_>) {
    if !file.workload.is_empty() && file.script.iter().any(|event| event.submit.is_some()) {
        let message = "a script that submits tasks cannot be combined with a `workload`";
        findings.error("script", message, "submit all tasks in the script, or none");
    }
    let workers = &file.workers;
    let others = [
        ("arrivals", workers.arrivals.is_some()),
        ("restart_after", workers.restart_after.is_some()),
        ("shift_change", workers.shift_change.is_some()),
        ("rolling_replace", workers.rolling_replace.is_some()),
        ("autoscaler", workers.autoscaler.is_some()),
    ];
    if file.script.iter().any(|event| event.join.is_some()) {
        for (key, _) in others.iter().filter(|(_, there)| *there) {
            let message = format!("a script in which workers join cannot be combined with `workers.{key}`");
            findings.error(&below("workers", key), message, "write the joins out, or leave them to `workers`");
        }
    }
}

struct Names {
    tasks: BTreeMap<String, TaskId>,
    workers: BTreeMap<String, WorkerId>,
}

impl Names {
    fn action(
        &mut self,
        event: &ScriptFile,
        path: &str,
        resources: &mut Resources,
        labels: &mut Labels,
        findings: &mut Findings<'_>,
    ) -> Option<Action> {
        let ScriptFile { at: _, submit, cancel, join, crash, pause, quiesce, set_limits } = event;
        match (submit, cancel, join, crash, pause, quiesce, set_limits) {
            (Some(it), None, None, None, None, None, None) => {
                Some(self.submit(it, &below(path, "submit"), resources, labels, findings))
            }
            (None, Some(it), None, None, None, None, None) => {
                let task = self.task(&it.task, &below(path, "cancel.task"), findings)?;
                Some(Action::Cancel { task })
            }
            (None, None, Some(it), None, None, None, None) => {
                if it.worker.is_empty() || self.workers.contains_key(&it.worker) {
                    let message = format!("the worker `{}` is there already", shortened(&it.worker));
                    let help = "a worker that comes back is a new worker: give it a new name";
                    findings.error(&below(path, "join.worker"), message, help);
                    return None;
                }
                let worker = labels.workers.push(it.worker.clone());
                self.workers.insert(it.worker.clone(), worker);
                Some(Action::Join { worker })
            }
            (None, None, None, Some(it), None, None, None) => {
                Some(Action::Crash { worker: self.worker(&it.worker, &below(path, "crash.worker"), findings)? })
            }
            (None, None, None, None, Some(it), None, None) => {
                let worker = self.worker(&it.worker, &below(path, "pause.worker"), findings)?;
                Some(Action::Pause { worker, lasts: it.lasts })
            }
            (None, None, None, None, None, Some(it), None) => {
                Some(Action::Quiesce { worker: self.worker(&it.worker, &below(path, "quiesce.worker"), findings)? })
            }
            (None, None, None, None, None, None, Some(it)) => {
                check_limits(it.min, it.max, &below(path, "set_limits"), findings);
                Some(Action::SetLimits { min: it.min, max: it.max })
            }
            _ => {
                let help = "one of submit, cancel, join, crash, pause, quiesce, set_limits";
                findings.error(path, "an event has `at` and exactly one action", help);
                None
            }
        }
    }

    fn submit(
        &mut self,
        it: &SubmitFile,
        path: &str,
        resources: &mut Resources,
        labels: &mut Labels,
        findings: &mut Findings<'_>,
    ) -> Action {
        if self.tasks.contains_key(&it.task) || it.task.is_empty() {
            let message = format!("the task `{}` was submitted already", shortened(&it.task));
            findings.error(&below(path, "task"), message, "give every task a name of its own");
        }
        let task = labels.tasks.push(it.task.clone());
        self.tasks.insert(it.task.clone(), task);
        let mut claims = Claims::new();
        for (key, names) in [("claims", &it.claims), ("shared", &it.shared)] {
            for (index, name) in names.iter().enumerate() {
                let resource = resources.named(name, labels);
                if claims.iter().any(|claim| claim.resource == resource) {
                    let message = format!("`{}` is claimed twice", shortened(name));
                    findings.error(&item(&below(path, key), index), message, "a task claims a resource at most once");
                }
                claims.push(if key == "claims" { Claim::exclusive(resource) } else { Claim::shared(resource) });
            }
        }
        Action::Submit { class: workload::class(&it.class, labels), claims, service: it.service }
    }

    fn task(&self, name: &str, path: &str, findings: &mut Findings<'_>) -> Option<TaskId> {
        let found = self.tasks.get(name).copied();
        if found.is_none() {
            let known: Vec<&str> = self.tasks.keys().map(String::as_str).take(1_000).collect();
            let message = format!("no task `{}` was submitted before", shortened(name));
            findings.error(path, message, &suggestion(name, &known));
        }
        found
    }

    fn worker(&self, name: &str, path: &str, findings: &mut Findings<'_>) -> Option<WorkerId> {
        let found = self.workers.get(name).copied();
        if found.is_none() {
            let known: Vec<&str> = self.workers.keys().map(String::as_str).take(10).collect();
            let message = format!("there is no worker `{}` at that time", shortened(name));
            findings.error(path, message, &suggestion(name, &known));
        }
        found
    }
}
