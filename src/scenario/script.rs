//! Scripts: events in order of time, ties in the order written; names become numbers in that order.

use std::collections::BTreeMap;

use super::diagnose::{shortened, suggestion};
use super::engine::check_limits;
use super::file::{CrashFile, DuplicateFile, File, JoinFile, ScriptFile, SubmitFile};
use super::findings::Findings;
use super::places::{below, item};
use super::workload::{self, Resources};
use super::{Cut, EngineCrash, Harm, convert, faults};
use crate::base::{Claim, Claims, ClassId, Labels, Span, TaskId, Time, WorkerId};

/// An explicit event.
#[derive(Clone, Debug)]
pub struct ScriptEvent {
    /// When.
    pub at: Time,
    /// What.
    pub action: Action,
}

/// What a script can do. Tasks and workers are numbered in the order in which the script names them first.
#[derive(Clone, Debug)]
pub enum Action {
    /// A client submits a task.
    Submit {
        /// Its class.
        class: ClassId,
        /// Its claims.
        claims: Claims,
        /// What it demands.
        service: Span,
        /// What it holds its worker for beside that; `None`: drawn.
        overhead: Option<Span>,
        /// The harm that it does.
        poison: Option<Harm>,
    },
    /// A client cancels a task.
    Cancel {
        /// Which.
        task: TaskId,
    },
    /// A new worker arrives.
    Join {
        /// Its number: it must be the next one.
        worker: WorkerId,
        /// Time until it is ready; `None`: drawn.
        startup: Option<Span>,
        /// The first worker on its host, which may be itself.
        host: WorkerId,
        /// How many were on its host before.
        life: u64,
    },
    /// A worker crashes. It is not restarted.
    Crash {
        /// Which.
        worker: WorkerId,
        /// When the store has the effect of its next task, or at once.
        before_report: bool,
    },
    /// A worker stands still.
    Pause {
        /// Which.
        worker: WorkerId,
        /// For how long.
        lasts: Span,
    },
    /// The operator asks the engine to quiesce a worker.
    Quiesce {
        /// Which.
        worker: WorkerId,
    },
    /// A worker executes slowly.
    Slow {
        /// Which.
        worker: WorkerId,
        /// In millionths, at least 1_000_000.
        factor: u64,
        /// For how long.
        lasts: Span,
    },
    /// A worker executes what it begins from here on at another speed.
    Speed {
        /// Which.
        worker: WorkerId,
        /// In millionths, above zero.
        to: u64,
    },
    /// A worker's clock goes wrong.
    Clock {
        /// Whose.
        worker: WorkerId,
        /// By so much it jumps, µs.
        jump_micros: i64,
        /// It gains so many parts of 10^9.
        drift_ppb: i64,
    },
    /// Messages of a worker are lost.
    Isolate {
        /// Whose.
        worker: WorkerId,
        /// For how long.
        lasts: Span,
        /// Which way.
        direction: Cut,
    },
    /// The next message of a worker's link is lost.
    Drop {
        /// Whose link.
        worker: WorkerId,
        /// Which way.
        direction: Cut,
    },
    /// The next message of a worker's link comes later.
    Delay {
        /// Whose link.
        worker: WorkerId,
        /// Which way.
        direction: Cut,
        /// By so much.
        by: Span,
    },
    /// The next message of a worker's link arrives twice.
    Duplicate {
        /// Whose link.
        worker: WorkerId,
        /// Which way.
        direction: Cut,
        /// The first time comes later by so much.
        by: Span,
        /// The second time comes later by so much.
        again: Span,
    },
    /// The next effect of a task comes to the store later.
    DelayEffect {
        /// Which task.
        task: TaskId,
        /// By so much.
        by: Span,
    },
    /// The engine crashes.
    EngineCrash(EngineCrash),
    /// A worker's host signals it to quiesce; the engine is not asked.
    Signal {
        /// Which.
        worker: WorkerId,
    },
    /// The operator sets the limits of the pool.
    SetLimits {
        /// At least so many active queues.
        min: u32,
        /// At most so many queues.
        max: u32,
    },
}

impl ScriptEvent {
    /// When what it says of itself is over, if that takes at most so long: a task could be done, a pause has ended.
    pub(super) fn over(&self, at_most: Span) -> Time {
        let lasts = match &self.action {
            Action::Submit { service, overhead, .. } => service.saturating_add(overhead.unwrap_or(Span::ZERO)),
            Action::Pause { lasts, .. } | Action::Slow { lasts, .. } | Action::Isolate { lasts, .. } => *lasts,
            Action::Delay { by, .. } | Action::DelayEffect { by, .. } => *by,
            Action::Duplicate { by, again, .. } => *by.max(again),
            Action::EngineCrash(crash) => crash.recover_after,
            Action::Cancel { .. }
            | Action::Join { .. }
            | Action::Crash { .. }
            | Action::Quiesce { .. }
            | Action::Speed { .. }
            | Action::Clock { .. }
            | Action::Drop { .. }
            | Action::Signal { .. }
            | Action::SetLimits { .. } => Span::ZERO,
        };
        self.at.saturating_add(lasts.min(at_most))
    }
}

impl Action {
    /// Whose next message is meddled with, where this is what is done.
    pub fn wire(&self) -> Option<WorkerId> {
        match self {
            Action::Drop { worker, .. } | Action::Delay { worker, .. } | Action::Duplicate { worker, .. } => {
                Some(*worker)
            }
            _ => None,
        }
    }
}

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
    let workers = labels.workers.iter().map(|(id, name)| (name.clone(), (id, Host { first: id, life: 0 }))).collect();
    let mut names = Names { tasks: BTreeMap::new(), workers };
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
    workers: BTreeMap<String, (WorkerId, Host)>,
}

/// Where a worker comes up: by the first worker there, and how many there were since.
#[derive(Clone, Copy)]
struct Host {
    first: WorkerId,
    life: u64,
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
        let given = [
            event.submit.is_some(),
            event.cancel.is_some(),
            event.join.is_some(),
            event.crash.is_some(),
            event.pause.is_some(),
            event.quiesce.is_some(),
            event.signal.is_some(),
            event.slow.is_some(),
            event.speed.is_some(),
            event.clock.is_some(),
            event.isolate.is_some(),
            event.drop.is_some(),
            event.delay.is_some(),
            event.duplicate.is_some(),
            event.engine_crash.is_some(),
            event.set_limits.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() != 1 {
            let help = "one of submit, cancel, join, crash, pause, quiesce, signal, slow, speed, clock, isolate, drop, \
                        delay, duplicate, engine_crash, set_limits";
            findings.error(path, "an event has `at` and exactly one action", help);
            return None;
        }
        if let Some(it) = &event.submit {
            return Some(self.submit(it, &below(path, "submit"), resources, labels, findings));
        }
        if let Some(it) = &event.join {
            return self.join(it, &below(path, "join"), labels, findings);
        }
        if let Some(it) = &event.set_limits {
            check_limits(it.min, it.max, &below(path, "set_limits"), findings);
            return Some(Action::SetLimits { min: it.min, max: it.max });
        }
        if let Some(it) = &event.cancel {
            return Some(Action::Cancel { task: self.task(&it.task, &below(path, "cancel.task"), findings)? });
        }
        self.worker_action(event, path, findings).or_else(|| self.wire_action(event, path, findings))
    }

    fn join(&mut self, it: &JoinFile, path: &str, labels: &mut Labels, findings: &mut Findings<'_>) -> Option<Action> {
        let name = &it.worker;
        if name.is_empty() || self.workers.contains_key(name) {
            let message = format!("the worker `{}` is there already", shortened(name));
            let help = "a worker that comes back is a new worker: give it a new name (and `host_of` the old one)";
            findings.error(&below(path, "worker"), message, help);
            return None;
        }
        let earlier = match &it.host_of {
            Some(name) => Some(self.hosted(name, &below(path, "host_of"), findings)?.1),
            None => None,
        };
        let worker = labels.workers.push(name.to_owned());
        let host = earlier.map_or(Host { first: worker, life: 0 }, |host| Host { life: host.life + 1, ..host });
        self.workers.insert(name.to_owned(), (worker, host));
        Some(Action::Join { worker, startup: it.startup, host: host.first, life: host.life })
    }

    /// What happens to a worker.
    fn worker_action(&self, event: &ScriptFile, path: &str, findings: &mut Findings<'_>) -> Option<Action> {
        let mut worker = |name: &str, key: &str| self.worker(name, &below(path, &format!("{key}.worker")), findings);
        if let Some(it) = &event.crash {
            Some(Action::Crash {
                worker: worker(&it.worker, "crash")?,
                before_report: it.when == CrashFile::BeforeReport,
            })
        } else if let Some(it) = &event.pause {
            Some(Action::Pause { worker: worker(&it.worker, "pause")?, lasts: it.lasts })
        } else if let Some(it) = &event.quiesce {
            Some(Action::Quiesce { worker: worker(&it.worker, "quiesce")? })
        } else if let Some(it) = &event.signal {
            Some(Action::Signal { worker: worker(&it.worker, "signal")? })
        } else if let Some(it) = &event.slow {
            let worker = worker(&it.worker, "slow")?;
            let factor = faults::slow_factor(it.factor, &below(path, "slow.factor"), findings);
            Some(Action::Slow { worker, factor, lasts: it.lasts })
        } else if let Some(it) = &event.speed {
            let worker = worker(&it.worker, "speed")?;
            Some(Action::Speed { worker, to: speed(it.to.0, &below(path, "speed.to"), findings) })
        } else if let Some(it) = &event.clock {
            let worker = worker(&it.worker, "clock")?;
            let path = below(path, "clock");
            let drift_ppb = faults::drift(it.drift_ppm, &path, findings);
            let jump_micros = faults::shift(it.jump.as_deref(), &below(&path, "jump"), findings);
            Some(Action::Clock { worker, jump_micros, drift_ppb })
        } else {
            None
        }
    }

    /// What happens to messages, effects and the engine.
    fn wire_action(&self, event: &ScriptFile, path: &str, findings: &mut Findings<'_>) -> Option<Action> {
        if let Some(it) = &event.isolate {
            let worker = self.worker(&it.worker, &below(path, "isolate.worker"), findings)?;
            return Some(Action::Isolate { worker, lasts: it.lasts, direction: faults::cut(it.direction) });
        }
        if let Some(it) = &event.drop {
            let worker = self.worker(&it.worker, &below(path, "drop.worker"), findings)?;
            return Some(Action::Drop { worker, direction: faults::cut(it.direction) });
        }
        if let Some(DuplicateFile { worker, direction, by, again }) = &event.duplicate {
            let worker = self.worker(worker, &below(path, "duplicate.worker"), findings)?;
            let again = again.unwrap_or(*by);
            return Some(Action::Duplicate { worker, direction: faults::cut(*direction), by: *by, again });
        }
        if let Some(it) = &event.engine_crash {
            return Some(Action::EngineCrash(faults::engine_crash(*it)));
        }
        let it = event.delay.as_ref()?;
        let path = below(path, "delay");
        match (&it.worker, &it.effect) {
            (Some(name), None) => {
                let worker = self.worker(name, &below(&path, "worker"), findings)?;
                Some(Action::Delay { worker, direction: faults::cut(it.direction), by: it.by })
            }
            (None, Some(name)) => {
                Some(Action::DelayEffect { task: self.task(name, &below(&path, "effect"), findings)?, by: it.by })
            }
            _ => {
                findings.error(&path, "`delay` names a `worker` or an `effect`", "effect: the task whose it is");
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
        let SubmitFile { service, overhead, .. } = *it;
        let poison = it.poison.map(faults::harm);
        Action::Submit { class: workload::class(&it.class, labels), claims, service, overhead, poison }
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
        self.hosted(name, path, findings).map(|(worker, _)| worker)
    }

    fn hosted(&self, name: &str, path: &str, findings: &mut Findings<'_>) -> Option<(WorkerId, Host)> {
        let found = self.workers.get(name).copied();
        if found.is_none() {
            let known: Vec<&str> = self.workers.keys().map(String::as_str).take(10).collect();
            let message = format!("there is no worker `{}` at that time", shortened(name));
            findings.error(path, message, &suggestion(name, &known));
        }
        found
    }
}

/// A speed in millionths.
fn speed(to: f64, path: &str, findings: &mut Findings<'_>) -> u64 {
    if !(0.001..=1_000.0).contains(&to) {
        findings.error(
            path,
            format!("a speed of {to}: it lies between 0.001 and 1000"),
            "1 is the speed of all others",
        );
    }
    libm::round(to.clamp(0.001, 1_000.0) * 1e6) as u64
}
