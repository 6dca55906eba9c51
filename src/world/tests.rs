//! The world under a tiny engine that keeps one FIFO and has no queues: what is seen here is the world's own doing.

use std::collections::{BTreeSet, VecDeque};

use super::*;
use crate::base::names::PropertySet;
use crate::base::{Epoch, Labels, Outcome, QueueId, Ticket, WorkerId};
use crate::engine::message::{Ended, Holdings, Start, Welcome};
use crate::engine::{ClusterMessage, Detection, Effect, Guarantees, Reason, WorkerMessage};
use crate::scenario::{
    Action, Arrivals, Cut, Expect, Harm, Network, Pause, Run, ScriptEvent, ShiftChange, Source, Workers,
};
use crate::sim::Dist;

/// Starts tasks in order of submission on whoever fetched first; never notices that a worker is lost.
#[derive(Default, Debug)]
struct Fifo {
    waiting: VecDeque<TaskId>,
    idle: VecDeque<WorkerId>,
    cancelled: BTreeSet<TaskId>,
    ticket: u64,
}

impl Fifo {
    fn ticket(&mut self) -> Ticket {
        self.ticket += 1;
        Ticket(self.ticket)
    }

    fn heard(&mut self, worker: WorkerId, message: &WorkerMessage, out: &mut Outbox) {
        match message {
            WorkerMessage::Join { stamp, .. } => {
                let ticket = self.ticket();
                let welcome = Welcome { stamp: *stamp, lease: None, grants: Holdings::new(), ticket };
                out.push(Effect::Send(worker, ClusterMessage::Welcome(Box::new(welcome))));
            }
            WorkerMessage::Fetch => {}
            WorkerMessage::Finished(report) | WorkerMessage::FinishedAndFetch(report) => {
                let ticket = report.start.ticket;
                out.push(Effect::Send(worker, ClusterMessage::Answered { ticket }));
                match report.ended {
                    Some(Ended::Completed) => out.push(Effect::Settle(report.start.task, Outcome::Completed)),
                    Some(Ended::Failed | Ended::Aborted | Ended::Refused) => {
                        out.push(Effect::Settle(report.start.task, Outcome::Failed))
                    }
                    None => self.waiting.push_front(report.start.task),
                }
            }
            WorkerMessage::Heartbeat(heartbeat) => {
                if heartbeat.quiescing {
                    self.idle.retain(|idle| *idle != worker);
                }
            }
            WorkerMessage::Released(_) | WorkerMessage::Leave => {}
        }
        if matches!(message, WorkerMessage::Fetch | WorkerMessage::FinishedAndFetch(_)) {
            self.idle.push_back(worker);
        }
    }
}

impl Engine for Fifo {
    fn handle(&mut self, _: Time, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Submit { task, .. } => self.waiting.push_back(task),
            Input::Cancel { task } => {
                self.waiting.retain(|waiting| *waiting != task);
                self.cancelled.insert(task);
                out.push(Effect::Settle(task, Outcome::Cancelled));
            }
            Input::Quiesce { worker } => out.push(Effect::Send(worker, ClusterMessage::Quiesce)),
            Input::Worker { worker, message } => self.heard(worker, message, out),
            Input::Limits { .. } | Input::Disconnected { .. } | Input::Timeout => {}
        }
        while let (Some(&task), Some(&worker)) = (self.waiting.front(), self.idle.front()) {
            self.waiting.pop_front();
            self.idle.pop_front();
            let start = Start { task, queue: QueueId::GENERAL, epoch: Epoch(0), ticket: self.ticket() };
            out.push(Effect::Send(worker, ClusterMessage::Start(start)));
        }
    }
    fn next_timeout(&self) -> Option<(Time, Reason)> {
        None
    }
}

struct FifoFactory;
impl EngineFactory for FifoFactory {
    fn name(&self) -> &str {
        "fifo"
    }
    fn fresh(&self, _: Context) -> Box<dyn Engine> {
        Box::new(Fifo::default())
    }
    fn guarantees(&self, _: Detection) -> Guarantees {
        Guarantees { properties: PropertySet::EMPTY, orphan_bound: None }
    }
    fn agent(&self, detection: Detection) -> AgentOptions {
        AgentOptions { heartbeat: detection.heartbeat, session: None, fences_itself: false }
    }
}

/// Facts as lines: what is compared is what an observer can know.
#[derive(Default)]
struct Log(Vec<String>);
impl Observe for Log {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.0.push(format!("{now} {fact:?}"));
    }
}
impl Log {
    fn at(&self, what: &str) -> Vec<&str> {
        let of_kind = self.0.iter().filter(|line| line.contains(what));
        of_kind.map(|line| line.split(' ').next().unwrap_or("")).collect()
    }
}

fn constant(secs: u64) -> Dist {
    Dist::Constant(Span::from_secs(secs))
}

fn scenario(initial: u32, script: Vec<ScriptEvent>) -> Scenario {
    Scenario {
        name: "test".into(),
        description: String::new(),
        run: Run {
            seed: 42,
            replications: 1,
            precision: None,
            horizon: Time::from_secs(100),
            drain: Span::from_secs(100),
            warm_up: Time::ZERO,
            confidence: 0.95,
        },
        labels: Labels::default(),
        workload: Vec::new(),
        workers: Workers {
            initial,
            startup: constant(0),
            arrivals: None,
            lifetime: None,
            crash_share: 0.0,
            grace: Span::from_secs(30),
            restart_after: None,
            pause: None,
            overhead: constant(0),
            abort_takes: Span::ZERO,
            speed: constant(1),
            shift_change: None,
            rolling_replace: None,
            autoscaler: None,
        },
        network: Network { delay: constant(0), loss: 0.0, duplicate: 0.0, reorder: false, until: Time::MAX },
        detection: Detection { heartbeat: Span::from_secs(10), ttl: Span::from_secs(30) },
        engine: EngineSpec::Custom { name: "fifo".into(), options: serde_json::Value::Null },
        faults: crate::scenario::Faults::default(),
        script,
        expect: Expect::default(),
    }
}

fn submit(at: u64, service: u64) -> ScriptEvent {
    let action = Action::Submit {
        class: crate::base::ClassId(0),
        claims: Claims::new(),
        service: Span::from_secs(service),
        overhead: None,
        poison: None,
    };
    ScriptEvent { at: Time::from_secs(at), action }
}

fn script(at: u64, action: Action) -> ScriptEvent {
    ScriptEvent { at: Time::from_secs(at), action }
}

fn run(scenario: &Scenario) -> (Log, WorldStats) {
    let mut log = Log::default();
    let stats = simulate(scenario, &FifoFactory, 0, &mut log);
    (log, stats)
}

const W1: WorkerId = WorkerId(0);

#[test]
fn the_golden_sample_paths_are_met_to_the_microsecond() {
    let tasks = [(0, 15), (10, 5), (11, 20), (12, 1), (30, 7), (31, 7), (31, 7), (60, 3)];
    let tasks = || tasks.into_iter().map(|(at, service)| submit(at, service)).collect();
    let (log, stats) = run(&scenario(1, tasks()));
    assert_eq!(log.at("Started"), ["0s", "15s", "20s", "40s", "41s", "48s", "55s", "62s"]);
    assert_eq!(log.at("Ended"), ["15s", "20s", "40s", "41s", "48s", "55s", "62s", "65s"]);
    assert_eq!(stats.ended_at, Time::from_secs(100), "never before the horizon");
    let (log, _) = run(&scenario(2, tasks()));
    assert_eq!(log.at("Started"), ["0s", "10s", "15s", "15s", "30s", "35s", "37s", "60s"]);
    assert_eq!(log.at("Settled"), ["15s", "15s", "16s", "35s", "37s", "42s", "44s", "63s"]);
}

#[test]
fn a_run_ends_when_all_is_done_after_the_horizon_or_when_the_drain_is_over() {
    assert_eq!(run(&scenario(1, vec![submit(90, 25)])).1.ended_at, Time::from_secs(115));
    assert_eq!(run(&scenario(1, vec![submit(90, 500)])).1.ended_at, Time::from_secs(200));
    assert_eq!(run(&scenario(0, vec![submit(90, 1)])).1.ended_at, Time::from_secs(200));
}

#[test]
fn an_attempt_stands_still_with_its_worker_and_messages_wait() {
    let pause = script(5, Action::Pause { worker: W1, lasts: Span::from_secs(35) });
    let mut scenario = scenario(2, vec![submit(0, 40), submit(1, 50), pause, submit(6, 1), submit(7, 1)]);
    let (log, _) = run(&scenario);
    assert_eq!(log.at("WorkerPaused"), ["5s"]);
    assert_eq!(log.at("WorkerResumed"), ["40s"]);
    assert_eq!(log.at("Ended"), ["51s", "52s", "53s", "75s"]);
    // An idle worker that stands still reads its start when it goes on.
    let pause = script(5, Action::Pause { worker: W1, lasts: Span::from_secs(35) });
    scenario.script = vec![pause, submit(6, 1), submit(7, 1)];
    scenario.workers.initial = 1;
    let (log, _) = run(&scenario);
    assert_eq!(log.at("Started"), ["40s", "41s"]);
}

#[test]
fn a_crash_takes_the_attempt_with_it_and_a_scripted_one_is_for_good() {
    let crash = script(5, Action::Crash { worker: W1, before_report: false });
    let join = script(7, Action::Join { worker: WorkerId(1), startup: None, host: WorkerId(1), life: 0 });
    let mut scenario = scenario(1, vec![submit(0, 10), crash, submit(6, 2), join]);
    scenario.workers.startup = constant(3);
    let (log, stats) = run(&scenario);
    assert!(log.0.iter().any(|line| line.starts_with("5s Ended") && line.contains("Died")));
    assert!(log.0.iter().any(|line| line.starts_with("5s WorkerGone") && line.contains("Crashed")));
    assert_eq!(log.at("WorkerArrived"), ["0s", "7s"]);
    assert_eq!(log.at("WorkerReady"), ["0s", "10s"]);
    assert_eq!(log.at("Settled"), ["12s"]);
    assert_eq!(stats.ended_at, Time::from_secs(200), "the lost task is never settled by this engine");
}

#[test]
fn a_quiescing_worker_finishes_its_task_and_leaves_or_is_killed_at_the_end_of_its_grace() {
    let quiesce = || script(5, Action::Quiesce { worker: W1 });
    let (log, _) = run(&scenario(1, vec![submit(0, 10), quiesce()]));
    assert_eq!((log.at("QuiesceDelivered"), log.at("Left")), (vec!["5s"], vec!["10s"]));
    let (log, _) = run(&scenario(1, vec![submit(0, 80), quiesce()]));
    assert_eq!((log.at("Killed"), log.at("Died")), (vec!["35s"], vec!["35s"]));
}

#[test]
fn a_shift_change_signals_those_up_longest_and_brings_new_ones_before() {
    let mut scenario = scenario(3, Vec::new());
    scenario.workers.shift_change =
        Some(ShiftChange { at: Time::from_secs(50), leave: 2, arrive: 2, overlap_micros: 10_000_000 });
    let (log, _) = run(&scenario);
    assert_eq!(log.at("WorkerArrived"), ["0s", "0s", "0s", "40s", "40s"]);
    assert_eq!(log.at("Left"), ["50s", "50s"]);
}

#[test]
fn a_rolling_replacement_keeps_the_number_of_workers() {
    let mut scenario = scenario(4, Vec::new());
    scenario.workers.startup = constant(2);
    scenario.workers.rolling_replace = Some(crate::scenario::RollingReplace {
        at: Time::from_secs(10),
        batch: 2,
        every: Span::from_secs(20),
        surge: 1,
    });
    let (log, _) = run(&scenario);
    assert_eq!(log.at("WorkerArrived"), ["0s", "0s", "0s", "0s", "10s", "12s", "30s", "32s"]);
    assert_eq!(log.at("Left"), ["12s", "12s", "32s", "32s"]);
}

#[test]
fn a_message_on_its_way_is_a_fact_and_a_cancel_settles_a_task_that_waits() {
    let cancel = script(4, Action::Cancel { task: TaskId(1) });
    let mut scenario = scenario(1, vec![submit(0, 10), submit(1, 10), cancel]);
    scenario.network.delay = Dist::Constant(Span::from_millis(500));
    let (log, _) = run(&scenario);
    // Join, welcome and fetch take 1.5 s, the start half a second.
    assert_eq!(log.at("Started"), ["2s"]);
    assert_eq!(log.at("Settled"), ["4s", "12.5s"]);
    assert_eq!(log.at("MessageSent")[..2], ["0s", "0.5s"]);
    assert_eq!(log.at("MessageArrived")[..2], ["0.5s", "1s"]);
}

#[test]
fn a_script_says_how_fast_a_worker_is_what_a_task_does_and_what_becomes_of_a_message() {
    let speed = script(0, Action::Speed { worker: W1, to: 500_000 });
    let doomed = script(15, Action::Crash { worker: W1, before_report: true });
    let mut poisoned = submit(30, 4);
    if let Action::Submit { overhead, poison, .. } = &mut poisoned.action {
        (*overhead, *poison) = (Some(Span::from_secs(1)), Some(Harm::KillsWorker));
    }
    let join = |at| {
        let startup = Some(Span::from_secs(5));
        script(at, Action::Join { worker: WorkerId(1), startup, host: W1, life: 1 })
    };
    let (log, _) = run(&scenario(1, vec![speed, submit(0, 10), doomed, join(20), poisoned]));
    assert_eq!(log.at("Started"), ["0s", "30s"]);
    assert_eq!(log.at("Crashed"), ["20s", "35s"], "when its task is done, and at the end of the poison");
    assert_eq!(log.at("WorkerReady"), ["0s", "25s"]);
    // The start arrives late, and once more.
    let duplicate = Action::Duplicate {
        worker: W1,
        direction: Cut { to_engine: false, from_engine: true },
        by: Span::from_secs(2),
        again: Span::from_secs(4),
    };
    let (log, _) = run(&scenario(1, vec![script(1, duplicate), submit(2, 1)]));
    assert_eq!(log.at("Started")[0], "4s");
    assert_eq!((log.at("MessageSent"), log.at("MessageArrived")), (vec!["2s"], vec!["4s"]));
}

#[test]
fn restless_lives_give_the_same_facts_twice_and_other_facts_in_another_replication() {
    let mut scenario = scenario(3, Vec::new());
    let exponential = |secs: f64| Dist::Exponential { mean: secs * 1e6 };
    scenario.workload.push(Source::Drawn {
        class: crate::base::ClassId(0),
        arrivals: Arrivals::Poisson { mean_micros: 5e5 },
        service: exponential(1.0),
        claims: Vec::new(),
    });
    scenario.workers.arrivals = Some(Arrivals::Every(Span::from_secs(20)));
    scenario.workers.startup = exponential(1.0);
    scenario.workers.lifetime = Some(exponential(30.0));
    scenario.workers.crash_share = 0.5;
    scenario.workers.restart_after = Some(exponential(2.0));
    scenario.workers.pause = Some(Pause { every: exponential(10.0), lasts: exponential(3.0) });
    scenario.network.delay = exponential(0.01);
    let (first, stats) = run(&scenario);
    let (second, again) = run(&scenario);
    assert_eq!((&first.0, stats), (&second.0, again));
    for what in ["Crashed", "Left", "WorkerPaused", "WorkerResumed", "Died", "Completed", "Reported"] {
        assert!(!first.at(what).is_empty(), "no {what}");
    }
    let mut other = Log::default();
    simulate(&scenario, &FifoFactory, 1, &mut other);
    assert_ne!(first.0, other.0);
}
