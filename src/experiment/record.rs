//! A run written down as a script: everything that chance decided in it (submissions and their demands, lives and
//! pauses of workers) becomes an event of its own, and no chance is left.
//!
//! All of it is read from facts. Three things are told by their consequences: a worker joins when it was ready, what a
//! task demands is the time for which it executed, overhead and speed included, and nothing arrives twice. A recorded run
//! therefore need not be the same to the microsecond; whether it still shows what the original showed is asked by
//! whoever needs it. How long messages took is written down in three ways, the simplest first.

use std::collections::BTreeMap;

use crate::base::{Claim, ClassId, IdMap, Labels, Mode, Span, TaskId, Time, WorkerId};
use crate::engine::EngineFactory;
use crate::fact::{AttemptEnd, Choice, Exit, Fact, Observe};
use crate::scenario::file::{
    ChosenFile, DelayFile, DirectionFile, DistFile, DropFile, ExpectFile, FaultFile, File, IsolateOnceFile, LimitsFile,
    NetworkFile, PauseOnceFile, RunFile, ScriptFile, SubmitFile, TaskFile, WorkerFile, WorkersFile,
};
use crate::scenario::{Action, Scenario};
use crate::world;

/// Longer than what was still going on when it was seen last.
const A_LITTLE: Span = Span::from_secs(1);

/// Runs one replication of `scenario`, read from `file`, and writes down what chance decided in it.
///
/// Engine, detection and grace stay as they are; nothing is expected of the result yet. Messages take no time, or as
/// long as one takes on average, or each as long as it took.
pub fn record(scenario: &Scenario, file: &File, factory: &dyn EngineFactory, replication: u32) -> [File; 3] {
    let mut recorder = Recorder::new(scenario, file);
    let stats = world::simulate(scenario, factory, replication, &mut recorder);
    let delays = std::mem::take(&mut recorder.delays);
    let script = recorder.finish(stats.ended_at);
    let mean = Span::from_micros(scenario.network.delay.mean().round() as u64);
    let all = in_order(script.iter().cloned().chain(delays).collect());
    [(Span::ZERO, script.clone()), (mean, script), (Span::ZERO, all)]
        .map(|(delay, script)| without_chance(file, delay, script))
}

/// What was read, with a script in the place of all chance.
fn without_chance(file: &File, delay: Span, script: Vec<ScriptFile>) -> File {
    File {
        run: RunFile { horizon: file.run.horizon, drain: file.run.drain, ..RunFile::default() },
        resources: BTreeMap::new(),
        workload: Vec::new(),
        workers: WorkersFile {
            initial: file.workers.initial,
            grace: file.workers.grace,
            abort_takes: file.workers.abort_takes,
            ..WorkersFile::default()
        },
        network: NetworkFile { delay: DistFile::Constant(delay), ..NetworkFile::default() },
        script,
        expect: ExpectFile::default(),
        faults: file.faults.iter().filter(|fault| hits_no_one_by_chance(fault)).cloned().collect(),
        variants: None,
        sweep: None,
        ..file.clone()
    }
}

struct Recorder<'a> {
    labels: &'a Labels,
    initial: u32,
    grace: Span,
    /// Events that no fact tells of, as they were written.
    untold: Vec<ScriptFile>,
    /// Whom the operator asks to quiesce.
    asked: Vec<WorkerId>,
    /// The names of workers that were ready: as they were written, and as they are recorded.
    names: BTreeMap<String, String>,
    events: Vec<ScriptFile>,
    /// Of each task: where its submission is among the events, and whether its demand is known.
    tasks: IdMap<TaskId, Submission>,
    workers: IdMap<WorkerId, Life>,
    joined: u32,
    limits_known: bool,
    /// When the last messages were sent, by worker and direction.
    sent: BTreeMap<(WorkerId, bool), Sent>,
    /// How long messages took, an event for each.
    delays: Vec<ScriptFile>,
}

/// The last messages of one direction that were sent at one instant.
struct Sent {
    at: Time,
    /// After the messages before them and before these.
    before: Span,
}

struct Submission {
    event: usize,
    executed: bool,
}

/// A worker that is ready and not gone.
struct Life {
    name: String,
    ready: Time,
    /// Where its pause is among the events, while it stands still.
    pause: Option<usize>,
    attempt: Option<Execution>,
}

struct Execution {
    task: TaskId,
    /// Executed before the last pause, and since when it executes again.
    before: Span,
    since: Time,
}

impl<'a> Recorder<'a> {
    fn new(scenario: &'a Scenario, file: &File) -> Self {
        let asked = scenario.script.iter().filter_map(|event| match event.action {
            Action::Quiesce { worker } => Some(worker),
            _ => None,
        });
        Recorder {
            labels: &scenario.labels,
            initial: scenario.workers.initial,
            grace: scenario.workers.grace,
            untold: file.script.iter().filter(|event| is_untold(event)).cloned().collect(),
            asked: asked.collect(),
            names: BTreeMap::new(),
            events: Vec::new(),
            tasks: IdMap::new(),
            workers: IdMap::new(),
            joined: 0,
            limits_known: false,
            sent: BTreeMap::new(),
            delays: Vec::new(),
        }
    }
}

impl Observe for Recorder<'_> {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match *fact {
            Fact::Submitted { task, class, claims, service } => self.submitted(now, task, class, claims, service),
            Fact::CancelAsked { task } => {
                let cancel = Some(TaskFile { task: task_name(task) });
                self.event(now, ScriptFile { cancel, ..ScriptFile::default() });
            }
            // The first limits are those of the engine's options.
            Fact::LimitsSet { min, max } if self.limits_known || now > Time::ZERO => {
                let set_limits = Some(LimitsFile { min, max });
                self.event(now, ScriptFile { set_limits, ..ScriptFile::default() });
            }
            Fact::LimitsSet { .. } => self.limits_known = true,
            Fact::WorkerReady { worker } => self.ready(now, worker),
            Fact::WorkerPaused { worker } => self.paused(now, worker),
            Fact::WorkerResumed { worker } => self.resumed(now, worker),
            Fact::QuiesceDelivered { worker, deadline } => self.quiesces(worker, deadline),
            Fact::WorkerGone { worker, exit } => self.gone(now, worker, exit),
            Fact::Started { task, worker, .. } => {
                if let Some(life) = self.workers.get_mut(worker) {
                    life.attempt = Some(Execution { task, before: Span::ZERO, since: now });
                }
            }
            Fact::Ended { worker, end, .. } => self.ended(now, worker, end),
            Fact::WorkerArrived { .. }
            | Fact::QuiesceAsked { .. }
            | Fact::Settled { .. }
            | Fact::Reported { .. }
            | Fact::Held { .. }
            | Fact::Dropped { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageArrived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageOvertook { .. }
            | Fact::Effect { .. }
            | Fact::Poisoned { .. }
            | Fact::EngineDown { .. }
            | Fact::EngineUp { .. }
            | Fact::EngineHeld { .. }
            | Fact::Noted(_) => {}
        }
    }

    fn chose(&mut self, now: Time, choice: Choice) {
        match choice {
            Choice::Isolated { worker, to_engine, from_engine, lasts } => {
                let Some(life) = self.workers.get(worker) else { return };
                let isolate =
                    IsolateOnceFile { worker: life.name.clone(), lasts, direction: way(to_engine, from_engine) };
                self.event(now, ScriptFile { isolate: Some(isolate), ..ScriptFile::default() });
            }
            Choice::Sent { worker, to_engine, takes } => self.sent(now, worker, to_engine, takes),
        }
    }
}

impl Recorder<'_> {
    fn event(&mut self, now: Time, event: ScriptFile) {
        self.events.push(ScriptFile { at: now.since(Time::ZERO), ..event });
    }

    /// An event that concerns the next message is put right after the one before it: at the same instant it could come
    /// too late.
    fn sent(&mut self, now: Time, worker: WorkerId, to_engine: bool, takes: Option<Span>) {
        // No event comes between a worker's being ready and what it says at that instant.
        let Some(life) = self.workers.get(worker).filter(|life| now > life.ready) else { return };
        let (name, direction) = (life.name.clone(), way(to_engine, !to_engine));
        let ready = life.ready.since(Time::ZERO);
        let sent = self.sent.entry((worker, to_engine)).or_insert(Sent { at: life.ready, before: ready });
        if now > sent.at {
            *sent = Sent { at: now, before: sent.at.since(Time::ZERO) + Span::from_micros(1) };
        }
        let at = sent.before;
        let event = ScriptFile { at, ..ScriptFile::default() };
        match takes {
            None => self.events.push(ScriptFile { drop: Some(DropFile { worker: name, direction }), ..event }),
            Some(by) => {
                let delay = DelayFile { worker: Some(name), direction, effect: None, by };
                self.delays.push(ScriptFile { delay: Some(delay), ..event });
            }
        }
    }

    fn submitted(&mut self, now: Time, task: TaskId, class: ClassId, claims: &[Claim], service: Span) {
        let of = |mode: Mode| {
            let claims = claims.iter().filter(|claim| claim.mode == mode);
            claims.map(|claim| self.labels.resource(claim.resource)).collect()
        };
        let submit = SubmitFile {
            task: task_name(task),
            class: self.labels.class(class),
            claims: of(Mode::Exclusive),
            shared: of(Mode::Shared),
            service,
        };
        self.tasks.insert(task, Submission { event: self.events.len(), executed: false });
        self.event(now, ScriptFile { submit: Some(submit), ..ScriptFile::default() });
    }

    fn ready(&mut self, now: Time, worker: WorkerId) {
        let name = if worker.0 < self.initial {
            format!("w{}", worker.0 + 1)
        } else {
            self.joined += 1;
            let name = format!("w{}", self.initial + self.joined);
            let join = Some(WorkerFile { worker: name.clone() });
            self.event(now, ScriptFile { join, ..ScriptFile::default() });
            name
        };
        self.names.insert(self.labels.worker(worker), name.clone());
        self.workers.insert(worker, Life { name, ready: now, pause: None, attempt: None });
    }

    fn paused(&mut self, now: Time, worker: WorkerId) {
        let Some(life) = self.workers.get_mut(worker) else { return };
        life.pause = Some(self.events.len());
        if let Some(attempt) = &mut life.attempt {
            attempt.before += now.since(attempt.since);
        }
        let pause = Some(PauseOnceFile { worker: life.name.clone(), lasts: Span::ZERO });
        self.event(now, ScriptFile { pause, ..ScriptFile::default() });
    }

    fn resumed(&mut self, now: Time, worker: WorkerId) {
        let Some(life) = self.workers.get_mut(worker) else { return };
        if let Some(attempt) = &mut life.attempt {
            attempt.since = now;
        }
        if let Some(event) = life.pause.take() {
            self.pause_ends(event, now);
        }
    }

    fn pause_ends(&mut self, event: usize, at: Time) {
        let event = &mut self.events[event];
        if let Some(pause) = &mut event.pause {
            pause.lasts = at.since(Time::ZERO + event.at);
        }
    }

    /// By its host, unless the operator asked for it: then the script says so already.
    fn quiesces(&mut self, worker: WorkerId, deadline: Time) {
        let Some(life) = self.workers.get(worker).filter(|_| !self.asked.contains(&worker)) else { return };
        let signal = Some(WorkerFile { worker: life.name.clone() });
        let at = deadline.since(Time::ZERO).saturating_sub(self.grace);
        self.events.push(ScriptFile { at, signal, ..ScriptFile::default() });
    }

    /// Whoever leaves does so by itself, and whoever is killed is so at the end of its grace.
    fn gone(&mut self, now: Time, worker: WorkerId, exit: Exit) {
        let Some(life) = self.workers.remove(worker) else { return };
        if let Some(event) = life.pause {
            self.pause_ends(event, now + A_LITTLE);
        }
        if exit == Exit::Crashed {
            let crash = Some(WorkerFile { worker: life.name });
            self.event(now, ScriptFile { crash, ..ScriptFile::default() });
        }
    }

    /// An attempt that did not come to its end would have gone on.
    fn ended(&mut self, now: Time, worker: WorkerId, end: AttemptEnd) {
        let Some(life) = self.workers.get_mut(worker) else { return };
        let Some(attempt) = life.attempt.take() else { return };
        let since = if life.pause.is_some() { Span::ZERO } else { now.since(attempt.since) };
        let executed = attempt.before + since;
        let Some(task) = self.tasks.get_mut(attempt.task) else { return };
        let Some(submit) = &mut self.events[task.event].submit else { return };
        if end == AttemptEnd::Completed {
            if !std::mem::replace(&mut task.executed, true) {
                submit.service = executed;
            }
        } else if !task.executed {
            submit.service = submit.service.max(executed + A_LITTLE);
        }
    }

    fn finish(mut self, end: Time) -> Vec<ScriptFile> {
        let running: Vec<WorkerId> =
            self.workers.iter().filter(|(_, it)| it.attempt.is_some()).map(|(id, _)| id).collect();
        for worker in running {
            self.ended(end, worker, AttemptEnd::Died);
        }
        let pauses: Vec<usize> = self.workers.iter().filter_map(|(_, life)| life.pause).collect();
        for event in pauses {
            self.pause_ends(event, end + A_LITTLE);
        }
        let untold = std::mem::take(&mut self.untold);
        let mut events: Vec<ScriptFile> = untold.into_iter().filter_map(|event| self.renamed(event)).collect();
        events.append(&mut self.events);
        in_order(events)
    }

    /// An event with the recorded names of those whom it concerns; `None` where one of them was never there.
    fn renamed(&self, mut event: ScriptFile) -> Option<ScriptFile> {
        let ScriptFile { quiesce, drop, delay, .. } = &mut event;
        let mut named = vec![];
        named.extend(quiesce.as_mut().map(|it| &mut it.worker));
        named.extend(drop.as_mut().map(|it| &mut it.worker));
        if let Some(delay) = delay {
            named.extend(delay.worker.as_mut());
            if let Some(effect) = &mut delay.effect {
                let (task, _) = self.labels.tasks.iter().find(|(_, name)| *name == effect)?;
                *effect = task_name(task);
            }
        }
        for name in named {
            name.clone_from(self.names.get(name)?);
        }
        Some(event)
    }
}

fn in_order(mut events: Vec<ScriptFile>) -> Vec<ScriptFile> {
    events.sort_by_key(|event| event.at);
    events
}

fn way(to_engine: bool, from_engine: bool) -> DirectionFile {
    match (to_engine, from_engine) {
        (true, false) => DirectionFile::ToEngine,
        (false, true) => DirectionFile::FromEngine,
        (true, true) | (false, false) => DirectionFile::Both,
    }
}

/// Whether no fact or choice tells of an event, nor the time for which tasks executed.
fn is_untold(event: &ScriptFile) -> bool {
    event.quiesce.is_some() || event.drop.is_some() || event.delay.is_some() || event.engine_crash.is_some()
}

/// Faults of the engine, of its store and of all clocks are no more by chance than what is in a script.
fn hits_no_one_by_chance(fault: &FaultFile) -> bool {
    match fault {
        FaultFile::EngineCrash(_) | FaultFile::SecondEngine { .. } | FaultFile::Store { .. } => true,
        FaultFile::Clock { workers, .. } => *workers == ChosenFile::All,
        FaultFile::Crash { .. }
        | FaultFile::Pause { .. }
        | FaultFile::Quiesce { .. }
        | FaultFile::Isolate { .. }
        | FaultFile::Slow { .. }
        | FaultFile::MassDeath { .. }
        | FaultFile::Herd { .. }
        | FaultFile::Poison { .. }
        | FaultFile::Cancel { .. } => false,
    }
}

fn task_name(task: TaskId) -> String {
    format!("t{}", u64::from(task.0) + 1)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::registry::Registry;
    use crate::scenario::{SourceText, load, load_document};

    const RANDOM: &str = "
name: random
run: {horizon: 2h, seed: 11}
resources: {repo: {count: 5}}
workload:
  - {class: sync, arrivals: {poisson: 60/h}, service: {lognormal: {mean: 60s, cv: 2}}, claims: {repo: {exclusive: 1, shared: 1}}}
  - {class: clean, arrivals: {poisson: 6/h}, service: 5s}
workers:
  initial: 3
  startup: {uniform: {min: 2s, max: 60s}}
  arrivals: {poisson: 2/h}
  lifetime: {exponential: {mean: 40m}}
  exit: {crash: 50%, quiesce: 50%}
  grace: 1m
  restart_after: 30s
  overhead: {exponential: {mean: 1s}}
  speed: 2
  pause: {every: {exponential: {mean: 20m}}, for: {exponential: {mean: 30s}}}
engine: {queue_first: {queues: {min: 1, max: 4}}}
";

    /// What happened to tasks, by name and without what only numbers.
    #[derive(Default)]
    struct Course(Vec<(Time, u32, &'static str)>);

    impl Observe for Course {
        fn on(&mut self, now: Time, fact: &Fact<'_>) {
            match fact {
                Fact::Started { task, .. } => self.0.push((now, task.0, "started")),
                Fact::Ended { task, end: AttemptEnd::Completed, .. } => self.0.push((now, task.0, "completed")),
                Fact::Ended { task, .. } => self.0.push((now, task.0, "ended")),
                _ => {}
            }
        }
    }

    fn course(scenario: &Scenario, replication: u32) -> Vec<(Time, u32, &'static str)> {
        let mut course = Course::default();
        let factory = Registry::new().factory(&scenario.engine).unwrap();
        world::simulate(scenario, &*factory, replication, &mut course);
        course.0
    }

    #[test]
    fn a_recorded_run_has_the_course_of_the_original_and_no_chance_in_it() {
        let loaded = load(&SourceText::new("random.yaml", RANDOM), &[]).unwrap();
        let factory = Registry::new().factory(&loaded.scenario.engine).unwrap();
        for replication in 0..3 {
            let [file, ..] = record(&loaded.scenario, &loaded.file, &*factory, replication);
            let again = load_document(file.document(), Path::new("")).unwrap_or_else(|all| panic!("{}", all[0]));
            let (original, recorded) = (course(&loaded.scenario, replication), course(&again.scenario, 0));
            assert!(original.len() > 200, "{}", original.len());
            let differs = original.iter().zip(&recorded).position(|(a, b)| a != b);
            assert_eq!(differs.map(|at| (original[at], recorded[at])), None);
            assert_eq!(original.len(), recorded.len());
            assert_eq!(recorded, course(&again.scenario, 7), "another replication draws nothing else");
        }
    }
}
