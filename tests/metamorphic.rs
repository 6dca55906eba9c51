//! Metamorphic tests: a scenario is changed in a way whose consequences are known exactly, and the runs are compared fact
//! by fact. Stories are drawn by seed: a few workers, tasks with claims, crashes, pauses, cancels, changed limits.

use std::fmt::Write;
use std::sync::Arc;

use lanekeeper::base::mix::mix;
use lanekeeper::base::{Note, Time};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::{EngineFactory, EngineSpec};
use lanekeeper::fact::{Fact, Observe};
use lanekeeper::scenario::{Scenario, SourceText, load};
use lanekeeper::world::simulate;

const STORIES: u64 = 60;
const TASKS: u64 = 40;
const LAST_EVENT: u64 = 300;

#[derive(Clone, Debug)]
enum Event {
    Submit { task: u64, claims: Vec<(u64, bool)>, service: u64 },
    Cancel(u64),
    Join,
    Crash(u64),
    Pause(u64, u64),
    Quiesce(u64),
    Limits(u64, u64),
}

/// What happens, in seconds.
#[derive(Clone, Debug)]
struct Story {
    seed: u64,
    workers: u64,
    engine: String,
    /// (at, what), in order.
    events: Vec<(u64, Event)>,
    /// How all this is written.
    unit: u64,
    name_of: fn(u64) -> String,
    workers_are: &'static str,
    network: &'static str,
    resources: &'static str,
    horizon: u64,
    joins: &'static str,
    /// What is later is not told.
    ends: u64,
}

impl Story {
    fn of(seed: u64) -> Story {
        let mut draws = 0;
        let mut below = |bound: u64| {
            draws += 1;
            mix(seed, &[draws]) % bound
        };
        let of = |number: u64, choices: [&'static str; 3]| choices[number as usize];
        let workers = 1 + below(4);
        let (min, more) = (below(3), 1 + below(3));
        let engine = format!(
            "queues: {{min: {min}, max: {}}}, placement: {}, create: {}, newcomers: {}, general_queue: {{served_by: {}}}",
            min + more,
            of(below(3), ["least_backlog", "sticky", "round_robin"]),
            of(below(3), ["eager", "per_worker", "eager"]),
            of(below(3), ["general_only", "relieve", "rebalance"]),
            of(below(3), ["everyone", "surplus", "everyone"]),
        );
        let mut events: Vec<(u64, Event)> = Vec::new();
        for task in 1..=TASKS {
            let claims = (0..below(4)).map(|_| (below(5), below(3) > 0)).collect();
            events.push((2 + below(200), Event::Submit { task, claims, service: 1 + below(25) }));
        }
        for _ in 0..below(8) {
            let (at, worker) = (2 + below(LAST_EVENT), 1 + below(workers));
            let event = match below(6) {
                0 => Event::Crash(worker),
                1 => Event::Pause(worker, 1 + below(90)),
                2 => Event::Quiesce(worker),
                3 => Event::Limits(below(2), 2 + below(3)),
                4 => Event::Cancel(1 + below(TASKS)),
                _ => Event::Join,
            };
            events.push((at, event));
        }
        // Whatever happens, somebody comes in the end.
        events.push((LAST_EVENT + 2, Event::Join));
        events.sort_by_key(|(at, _)| *at);
        number_tasks(&mut events);
        Story {
            seed,
            workers,
            engine,
            events,
            unit: 1,
            name_of: |id| format!("r-{}", id + 1),
            workers_are: "",
            network: "{}",
            resources: "r: {count: 5}",
            horizon: 400,
            joins: "",
            ends: u64::MAX,
        }
    }

    fn write(&self) -> String {
        let t = |secs: u64| format!("{}s", secs * self.unit);
        let mut text = format!(
            "name: story\nrun: {{seed: {}, horizon: {}, drain: {}}}\ndetection: {{heartbeat: {}, ttl: {}}}\n\
             workers: {{initial: {}{}}}\nnetwork: {}\nresources: {{{}}}\n\
             engine: {{queue_first: {{{}, delete: {{empty_for: {}}}, lease: {{duration: {}, margin: {}}}}}}}\nscript:\n",
            self.seed,
            t(self.horizon),
            t(4_000),
            t(10),
            t(30),
            self.workers,
            self.workers_are,
            self.network,
            self.resources,
            self.engine,
            t(20),
            t(25),
            t(2),
        );
        let mut joined = self.workers;
        for (at, event) in &self.events {
            let event = match event {
                Event::Submit { task, claims, service } => {
                    let names = |exclusive: bool| {
                        let mut ids: Vec<u64> = claims.iter().filter(|it| it.1 == exclusive).map(|it| it.0).collect();
                        ids.sort_unstable();
                        ids.dedup();
                        ids.retain(|id| exclusive || !claims.contains(&(*id, true)));
                        ids.into_iter().map(self.name_of).collect::<Vec<_>>().join(", ")
                    };
                    format!(
                        "submit: {{task: t{task}, claims: [{}], shared: [{}], service: {}}}",
                        names(true),
                        names(false),
                        t(*service)
                    )
                }
                Event::Cancel(task) => format!("cancel: {{task: t{task}}}"),
                Event::Join => {
                    joined += 1;
                    format!("join: {{worker: w{joined}{}}}", self.joins)
                }
                Event::Crash(worker) => format!("crash: {{worker: w{worker}}}"),
                Event::Pause(worker, lasts) => format!("pause: {{worker: w{worker}, for: {}}}", t(*lasts)),
                Event::Quiesce(worker) => format!("quiesce: {{worker: w{worker}}}"),
                Event::Limits(min, max) => format!("set_limits: {{min: {min}, max: {max}}}"),
            };
            writeln!(text, "  - {{at: {}, {event}}}", t(*at)).expect("a string takes everything");
        }
        text
    }

    /// What became of the tasks and the workers, and what the engine decided.
    fn told(&self) -> Telling {
        let text = self.write();
        let loaded = load(&SourceText::new("story.yaml", text.clone()), &[]);
        let scenario = loaded.unwrap_or_else(|errors| panic!("{}\n{text}", errors[0])).scenario;
        let mut told = Told(Vec::new());
        simulate(&scenario, engine_of(&scenario).as_ref(), 0, &mut told);
        told.0.retain(|(at, _)| at.micros() / 1_000_000 < self.ends);
        told.0
    }
}

/// Tasks are numbered in the order in which they are submitted, and none is cancelled before.
fn number_tasks(events: &mut Vec<(u64, Event)>) {
    let mut submitted = 0;
    events.retain_mut(|(_, event)| match event {
        Event::Submit { task, .. } => {
            submitted += 1;
            *task = submitted;
            true
        }
        Event::Cancel(task) => *task <= submitted,
        _ => true,
    });
}

fn engine_of(scenario: &Scenario) -> Arc<dyn EngineFactory> {
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("a built-in engine") };
    factory(spec, &Policies::default()).expect("built-in policies")
}

struct Told(Vec<(Time, String)>);

impl Observe for Told {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        let told = match fact {
            // The one note that says a time.
            Fact::Noted(Note::QueueOrphaned { queue, worker, .. }) => format!("{queue} of {worker} orphaned"),
            // Tickets number all orders, also those that concern nobody else.
            Fact::Started { task, worker, queue, epoch, .. } => format!("{task} starts: {worker} {queue} {epoch}"),
            Fact::Ended { task, worker, end, .. } => format!("{task} ends: {worker} {end:?}"),
            Fact::Settled { .. } | Fact::WorkerGone { .. } | Fact::Noted(_) => format!("{fact:?}"),
            _ => return,
        };
        self.0.push((now, told));
    }
}

type Telling = Vec<(Time, String)>;

/// Tells every story in two ways and compares what is told; `expect` says what the first telling becomes.
fn compare(first: impl Fn(&mut Story), second: impl Fn(&mut Story), expect: impl Fn(Telling) -> Telling) {
    let mut count = 0;
    for seed in 0..STORIES {
        let mut stories = [Story::of(seed), Story::of(seed)];
        first(&mut stories[0]);
        second(&mut stories[1]);
        let [one, other] = stories.each_ref().map(Story::told);
        let (one, other) = (expect(one), other);
        let differs = one.iter().zip(&other).position(|(one, other)| one != other);
        let at = differs.unwrap_or(one.len().min(other.len()));
        let same = differs.is_none() && one.len() == other.len();
        assert!(same, "story {seed}: {:?} became {:?}\n{}", one.get(at), other.get(at), stories[1].write());
        count += one.len() as u64;
    }
    assert!(count > STORIES * 50, "too little happened: {count} facts");
}

fn as_it_is(_: &mut Story) {}

fn submits(story: &mut Story, mut change: impl FnMut(u64, u64, &mut Vec<(u64, bool)>, &mut u64)) {
    for (at, event) in &mut story.events {
        if let Event::Submit { task, claims, service } = event {
            change(*at, *task, claims, service);
        }
    }
}

#[test]
fn where_all_times_are_seven_times_as_long_everything_happens_seven_times_as_late() {
    let later = |(at, what): (Time, String)| (Time::from_micros(at.micros() * 7), what);
    compare(as_it_is, |story| story.unit = 7, |told| told.into_iter().map(later).collect());
}

#[test]
fn the_order_in_which_resources_are_numbered_changes_nothing() {
    compare(as_it_is, |story| story.name_of = |id| format!("r-{}", 5 - id), |told| told);
}

#[test]
fn where_nothing_is_left_to_chance_the_seed_changes_nothing() {
    compare(as_it_is, |story| story.seed += 1_000, |told| told);
}

#[test]
fn where_statistics_end_changes_nothing_of_what_happens() {
    let later = |story: &mut Story| (story.horizon, story.ends) = (477, 400);
    compare(|story| story.ends = 400, later, |told| told);
}

#[test]
fn on_which_host_a_worker_comes_up_changes_nothing() {
    compare(as_it_is, |story| story.joins = ", host_of: w1", |told| told);
}

#[test]
fn resources_that_nobody_claims_change_nothing() {
    compare(as_it_is, |story| story.resources = "a: {count: 7}, r: {count: 5}, z: {count: 9}", |told| told);
}

#[test]
fn a_claim_that_nobody_else_has_changes_nothing() {
    let private = |story: &mut Story| {
        story.resources = "r: {count: 200}";
        submits(story, |_, task, claims, _| {
            if !claims.is_empty() {
                // Last of all: where tasks stick to queues, the first claim counts.
                let exclusive = claims.iter().all(|(_, exclusive)| *exclusive);
                claims.push((100 + task, exclusive));
            }
        });
    };
    compare(as_it_is, private, |told| told);
}

#[test]
fn alone_on_its_resource_a_task_may_claim_it_shared_or_exclusive() {
    let private = |exclusive: bool| {
        move |story: &mut Story| {
            story.resources = "r: {count: 200}";
            submits(story, |_, task, claims, _| *claims = vec![(task, exclusive)]);
        }
    };
    compare(private(true), private(false), |told| told);
}

#[test]
fn what_comes_later_changes_nothing_of_what_was_before() {
    const CUT: u64 = 120;
    let other_future = |story: &mut Story| {
        story.events.retain(|(at, event)| *at < CUT || matches!(event, Event::Submit { .. }));
        submits(story, |at, _, _, service| *service += if at < CUT { 0 } else { 9 });
        story.ends = CUT;
    };
    let before = |told: Telling| told.into_iter().filter(|(at, _)| *at < Time::from_secs(CUT)).collect();
    compare(as_it_is, other_future, before);
}

#[test]
fn workers_of_twice_the_speed_do_twice_the_demand_in_the_same_time() {
    let twice = |story: &mut Story| {
        story.workers_are = ", speed: 2";
        submits(story, |_, _, _, service| *service *= 2);
    };
    compare(as_it_is, twice, |told| told);
}

#[test]
fn messages_that_arrive_twice_change_nothing() {
    compare(as_it_is, |story| story.network = "{duplicate: 100%}", |told| told);
}

#[test]
fn a_worker_for_whom_there_is_no_queue_changes_nothing() {
    let full = |extra: bool| {
        move |story: &mut Story| {
            story.events.retain(|(_, event)| matches!(event, Event::Submit { claims, .. } if !claims.is_empty()));
            number_tasks(&mut story.events);
            if extra {
                story.events.insert(0, (1, Event::Join));
            }
            story.engine = format!("queues: {{min: {0}, max: {0}}}, newcomers: general_only", story.workers);
        }
    };
    compare(full(false), full(true), |told| told);
}
