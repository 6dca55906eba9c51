//! A run written down as a script: everything that chance decided in it (submissions and their demands, lives, pauses,
//! speeds and clocks of workers, the fates of messages) becomes an event of its own, and no chance is left.
//!
//! All of it is read from facts and from the choices that the world tells beside them. A recorded run need not be the
//! same to the microsecond; whether it still shows what the original showed is asked by whoever needs it. How long
//! messages took is written down in three ways, the simplest first (`wire.rs`).

mod wire;

use std::collections::BTreeMap;

use crate::base::{Claim, ClassId, IdMap, Labels, Mode, Span, TaskId, Time, WorkerId};
use crate::engine::EngineFactory;
use crate::fact::{Choice, Exit, Fact, Observe};
use crate::scenario::file::{
    ChosenFile, ClockOnceFile, CrashFile, CrashOnceFile, DistFile, ExpectFile, FaultFile, File, IsolateOnceFile,
    JoinFile, LimitsFile, NetworkFile, PauseOnceFile, PoisonFile, RunFile, ScriptFile, SlowOnceFile, SpeedOnceFile,
    SubmitFile, TaskFile, WorkerFile, WorkersFile,
};
use crate::scenario::units::Plain;
use crate::scenario::{Action, Scenario};
use crate::world;

/// Longer than what was still going on when it was seen last.
const A_LITTLE: Span = Span::from_secs(1);
/// Speeds and factors are counted in these.
const MILLION: f64 = 1e6;

/// Runs one replication of `scenario`, read from `file`, and writes down what chance decided in it.
///
/// Engine, detection and grace stay as they are; nothing is expected of the result yet. Messages take no time, or as
/// long as one takes on average, or each as long as it took. What the engine itself decides by chance hangs on the seed
/// and the replication: the seed stays, and only replication 0 can be the same there.
pub fn record(scenario: &Scenario, file: &File, factory: &dyn EngineFactory, replication: u32) -> [File; 3] {
    let mut recorder = Recorder::new(scenario, file);
    let stats = world::simulate(scenario, factory, replication, &mut recorder);
    let wire = std::mem::take(&mut recorder.wire);
    let script = recorder.finish(stats.ended_at);
    // What becomes of the first messages of all comes before everything else.
    let with = |fates: Vec<ScriptFile>| {
        let (first, later): (Vec<_>, Vec<_>) = fates.into_iter().partition(|event| event.at.is_zero());
        in_order(first.into_iter().chain(script.iter().cloned()).chain(later).collect())
    };
    let mean = Span::from_micros(scenario.network.delay.mean().round() as u64);
    let faulty = with(wire.faulty);
    [(Span::ZERO, faulty.clone()), (mean, faulty), (Span::ZERO, with(wire.all))]
        .map(|(delay, script)| without_chance(file, delay, script))
}

/// What was read, with a script in the place of all chance.
fn without_chance(file: &File, delay: Span, script: Vec<ScriptFile>) -> File {
    let RunFile { seed, horizon, drain, .. } = file.run;
    File {
        run: RunFile { seed, horizon, drain, ..RunFile::default() },
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
    /// Of each task: where its submission is among the events.
    tasks: IdMap<TaskId, usize>,
    /// Workers that are not ready yet.
    arrived: IdMap<WorkerId, Arrival>,
    workers: IdMap<WorkerId, Life>,
    joined: u32,
    /// By number of a host: the last worker there that was ready.
    hosts: BTreeMap<u64, String>,
    limits_known: bool,
    wire: wire::Wire,
}

/// A worker that has come and is not ready.
#[derive(Clone, Copy)]
struct Arrival {
    at: Time,
    host: u64,
    speed: u64,
}

/// A worker that is ready and not gone.
struct Life {
    name: String,
    /// When it came; for the initial ones the first instant.
    arrived: Time,
    /// Where its pause is among the events, while it stands still.
    pause: Option<usize>,
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
            arrived: IdMap::new(),
            workers: IdMap::new(),
            joined: 0,
            hosts: BTreeMap::new(),
            limits_known: false,
            wire: wire::Wire::default(),
        }
    }
}

impl Observe for Recorder<'_> {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match *fact {
            Fact::Submitted { task, class, claims, service } => self.submitted(now, task, class, claims, service),
            Fact::Poisoned { task, never_ends } => {
                let poison = if never_ends { PoisonFile::NeverEnds } else { PoisonFile::KillsWorker };
                self.submit(task, |submit| submit.poison = Some(poison));
            }
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
            Fact::WorkerResumed { worker } => {
                if let Some(event) = self.workers.get_mut(worker).and_then(|life| life.pause.take()) {
                    self.pause_ends(event, now);
                }
            }
            Fact::QuiesceDelivered { worker, deadline } => self.quiesces(worker, deadline),
            Fact::WorkerGone { worker, exit } => self.gone(now, worker, exit),
            Fact::WorkerArrived { .. }
            | Fact::QuiesceAsked { .. }
            | Fact::Started { .. }
            | Fact::Ended { .. }
            | Fact::Settled { .. }
            | Fact::Reported { .. }
            | Fact::Held { .. }
            | Fact::Dropped { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageArrived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageOvertook { .. }
            | Fact::Effect { .. }
            | Fact::EngineDown { .. }
            | Fact::EngineUp { .. }
            | Fact::EngineHeld { .. }
            | Fact::Noted(_) => {}
        }
    }

    fn chose(&mut self, now: Time, choice: Choice) {
        match choice {
            Choice::Arrived { worker, host, speed } => {
                self.arrived.insert(worker, Arrival { at: now, host, speed });
            }
            Choice::Overhead { task, overhead } => self.submit(task, |submit| submit.overhead = Some(overhead)),
            Choice::Doomed { worker } => self.of_worker(now, worker, |worker| {
                let crash = Some(CrashOnceFile { worker, when: CrashFile::BeforeReport });
                ScriptFile { crash, ..ScriptFile::default() }
            }),
            Choice::Slowed { worker, factor, lasts } => self.of_worker(now, worker, |worker| {
                let slow = Some(SlowOnceFile { worker, factor: Plain(factor as f64 / MILLION), lasts });
                ScriptFile { slow, ..ScriptFile::default() }
            }),
            Choice::ClockSet { worker, jump_micros, drift_ppb } => self.of_worker(now, worker, |worker| {
                let clock =
                    Some(ClockOnceFile { worker, drift_ppm: drift_ppb as f64 / 1e3, jump: signed(jump_micros) });
                ScriptFile { clock, ..ScriptFile::default() }
            }),
            Choice::Isolated { worker, to_engine, from_engine, lasts } => self.of_worker(now, worker, |worker| {
                let direction = wire::way(to_engine, from_engine);
                let isolate = Some(IsolateOnceFile { worker, lasts, direction });
                ScriptFile { isolate, ..ScriptFile::default() }
            }),
            Choice::Sent { worker, to_engine, takes, again } => {
                if let Some(life) = self.workers.get(worker) {
                    self.wire.sent(now, (worker, &life.name, life.arrived), to_engine, takes, again);
                }
            }
        }
    }
}

impl Recorder<'_> {
    fn event(&mut self, now: Time, event: ScriptFile) {
        self.events.push(ScriptFile { at: now.since(Time::ZERO), ..event });
    }

    /// An event that concerns a worker which is ready.
    fn of_worker(&mut self, now: Time, worker: WorkerId, event: impl FnOnce(String) -> ScriptFile) {
        if let Some(name) = self.workers.get(worker).map(|life| life.name.clone()) {
            self.event(now, event(name));
        }
    }

    /// Changes what was written of a submission.
    fn submit(&mut self, task: TaskId, change: impl FnOnce(&mut SubmitFile)) {
        let event = self.tasks.get(task).map(|event| &mut self.events[*event]);
        if let Some(submit) = event.and_then(|event| event.submit.as_mut()) {
            change(submit);
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
            overhead: None,
            poison: None,
        };
        self.tasks.insert(task, self.events.len());
        self.event(now, ScriptFile { submit: Some(submit), ..ScriptFile::default() });
    }

    fn ready(&mut self, now: Time, worker: WorkerId) {
        let Some(Arrival { at, host, speed }) = self.arrived.remove(worker) else { return };
        let name = if worker.0 < self.initial {
            format!("w{}", worker.0 + 1)
        } else {
            self.joined += 1;
            let name = format!("w{}", self.initial + self.joined);
            let startup = Some(now.since(at)).filter(|startup| !startup.is_zero());
            let join = Some(JoinFile { worker: name.clone(), startup, host_of: self.hosts.get(&host).cloned() });
            self.event(at, ScriptFile { join, ..ScriptFile::default() });
            name
        };
        self.hosts.insert(host, name.clone());
        self.names.insert(self.labels.worker(worker), name.clone());
        self.workers.insert(worker, Life { name: name.clone(), arrived: at, pause: None });
        if speed != MILLION as u64 {
            let speed = Some(SpeedOnceFile { worker: name, to: Plain(speed as f64 / MILLION) });
            self.event(at, ScriptFile { speed, ..ScriptFile::default() });
        }
    }

    fn paused(&mut self, now: Time, worker: WorkerId) {
        let event = self.events.len();
        self.of_worker(now, worker, |worker| {
            let pause = Some(PauseOnceFile { worker, lasts: Span::ZERO });
            ScriptFile { pause, ..ScriptFile::default() }
        });
        if let Some(life) = self.workers.get_mut(worker) {
            life.pause = Some(event);
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
        self.arrived.remove(worker);
        let Some(life) = self.workers.remove(worker) else { return };
        if let Some(event) = life.pause {
            self.pause_ends(event, now + A_LITTLE);
        }
        if exit == Exit::Crashed {
            let crash = Some(CrashOnceFile { worker: life.name, when: CrashFile::Now });
            self.event(now, ScriptFile { crash, ..ScriptFile::default() });
        }
    }

    fn finish(mut self, end: Time) -> Vec<ScriptFile> {
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
        let ScriptFile { quiesce, drop, delay, duplicate, speed, clock, .. } = &mut event;
        let mut named = vec![];
        named.extend(quiesce.as_mut().map(|it| &mut it.worker));
        named.extend(drop.as_mut().map(|it| &mut it.worker));
        named.extend(duplicate.as_mut().map(|it| &mut it.worker));
        named.extend(speed.as_mut().map(|it| &mut it.worker));
        named.extend(clock.as_mut().map(|it| &mut it.worker));
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

/// A time with a sign, unless it is zero.
fn signed(micros: i64) -> Option<String> {
    let span = Span::from_micros(micros.unsigned_abs());
    (micros != 0).then(|| if micros < 0 { format!("-{span}") } else { span.to_string() })
}

/// Whether no fact or choice tells of an event.
fn is_untold(event: &ScriptFile) -> bool {
    let ScriptFile { quiesce, drop, delay, duplicate, speed, clock, engine_crash, .. } = event;
    let worker = quiesce.is_some() || speed.is_some() || clock.is_some();
    worker || drop.is_some() || delay.is_some() || duplicate.is_some() || engine_crash.is_some()
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
    use crate::fact::AttemptEnd;
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
  speed: {uniform: {min: 0.5, max: 2}}
  pause: {every: {exponential: {mean: 20m}}, for: {exponential: {mean: 30s}}}
engine: {queue_first: {queues: {min: 1, max: 4}}}
";
    /// What a script can say beside that, each by chance.
    const FAULTS: &str = "
network: {loss: 1%, duplicate: 2%, until: 1h}
faults:
  - {crash: {at: 10m, count: 2, when: before_report}}
  - {slow: {at: 15m, workers: 2, factor: 7.5, for: 10m}}
  - {isolate: {at: 20m, workers: 1, for: 45s, direction: to_engine}}
  - {clock: {at: 30m, workers: 1, jump: -300ms, drift_ppm: 900}}
  - {mass_death: {at: 40m, fraction: 50%}}
  - {poison: {share: 2%, does: kills_worker}}
  - {cancel: {share: 5%, when: running}}
";

    /// Faults that hit several at one instant, where everything happens in whole seconds.
    const SEVERAL: &str = "
name: several
run: {seed: 5, horizon: 20m, drain: 1h}
resources: {r: {count: 20}}
workload:
  - {class: one, arrivals: {every: 3s}, service: 11s, claims: {r: 1}}
workers: {initial: 9, startup: 6s, restart_after: 15s, shift_change: {at: 14m, arrive: 3, leave: 3, overlap: 30s}}
engine: {queue_first: {queues: {min: 2, max: 6}, rebalance: {every: 1m}}}
faults:
  - {quiesce: {at: 5m, workers: 6}}
  - {herd: {at: 8m, tasks: 40, class: one}}
  - {quiesce: {at: 10m, workers: all}}
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
        let faults = RANDOM.to_owned() + FAULTS;
        for (text, replication) in [(RANDOM, 0), (RANDOM, 1), (&*faults, 2), (SEVERAL, 0)] {
            let loaded = load(&SourceText::new("random.yaml", text), &[]).unwrap_or_else(|all| panic!("{}", all[0]));
            let factory = Registry::new().factory(&loaded.scenario.engine).unwrap();
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
