//! Where bugs are looked for: small busy clusters, each with one kind of trouble, and short runs of chaos.

use lanekeeper::base::mix::mix;
use lanekeeper::scenario::{Loaded, Override, Scenario, SourceText, load};

const BASE: &str = "
name: scene
run: {horizon: 120s, drain: 300s}
resources: {r: {count: 4}}
workload:
  - {class: task, arrivals: {poisson: 10/m}, service: {exponential: {mean: 4s}}, claims: {r: 1}}
  - {class: task, arrivals: {poisson: 5/m}, service: {exponential: {mean: 3s}}, claims: {r: 2}}
  - {class: task, arrivals: {poisson: 5/m}, service: {exponential: {mean: 3s}}, claims: {r: {exclusive: 1, shared: 1}}}
  - {class: task, arrivals: {poisson: 10/m}, service: {exponential: {mean: 3s}}, claims: {r: {shared: 1}}}
  - {class: task, arrivals: {poisson: 10/m}, service: {exponential: {mean: 3s}}, claims: {}}
workers: {initial: 4, grace: 60s}
detection: {heartbeat: 3s, ttl: 9s}
engine: {queue_first: {queues: {min: 3, max: 4}, create: eager, lease: {duration: 9s, margin: 1s}}}
";

const SCENES: &[(&str, &[&str])] = &[
    ("calm", &[]),
    (
        "crowd",
        &["workload[3].arrivals={burst: {at: 10s, tasks: 60}}", "workload[0].arrivals={burst: {at: 9s, tasks: 60}}"],
    ),
    ("wire", &["network.delay={exponential: {mean: 200ms}}"]),
    (
        "turnover",
        &[
            "workers.lifetime={exponential: {mean: 40s}}",
            "workers.exit={crash: 70%, quiesce: 30%}",
            "workers.restart_after={uniform: {min: 1s, max: 20s}}",
            "workers.arrivals={poisson: 3/m}",
            "engine.queue_first.newcomers=rebalance",
        ],
    ),
    (
        "leavers",
        &[
            "workers.lifetime={uniform: {min: 10s, max: 90s}}",
            "workers.exit={crash: 0%, quiesce: 100%}",
            "workers.arrivals={poisson: 4/m}",
            "network.delay={exponential: {mean: 700ms}}",
            "workload=[{class: any, arrivals: {poisson: 60/m}, service: 2s, claims: {}}, {class: one, arrivals: {poisson: 10/m}, service: 4s, claims: {r: 1}}]",
            "engine.queue_first.newcomers=rebalance",
        ],
    ),
    ("zombies", &["workers.pause={every: {exponential: {mean: 40s}}, for: {uniform: {min: 5s, max: 30s}}}"]),
    (
        "orders",
        &[
            "script=[
            {at: 1s, submit: {task: t1, claims: [r-1], service: 20s}},
            {at: 2s, submit: {task: t2, claims: [r-1], service: 20s}},
            {at: 3s, submit: {task: t3, claims: [r-1], service: 20s}},
            {at: 4s, cancel: {task: t2}}]",
            "workload=[]",
            "run.horizon=30s",
        ],
    ),
    (
        "wishes",
        &[
            "network.delay=100ms",
            "faults=[{cancel: {share: 20%, when: waiting}}, {cancel: {share: 20%, when: running}}, {cancel: {share: 10%, \
          when: finished}}]",
        ],
    ),
    (
        "limits",
        &[
            "workers.initial=8",
            "resources.r.count=40",
            "script=[{at: 20s, set_limits: {min: 4, max: 6}}, {at: 60s, set_limits: {min: 1, max: 1}}]",
        ],
    ),
    (
        "surplus",
        &[
            "workers.initial=6",
            "network.delay=50ms",
            "workload[4].arrivals={poisson: 60/m}",
            "engine.queue_first.general_queue={served_by: surplus, general_after: 16}",
            "engine.queue_first.queues={min: 5, max: 5}",
            "script=[{at: 20s, set_limits: {min: 1, max: 1}}, {at: 40s, set_limits: {min: 5, max: 5}}, \
          {at: 60s, set_limits: {min: 1, max: 1}}]",
        ],
    ),
    ("asked", &["script=[{at: 20s, quiesce: {worker: w1}}, {at: 60s, quiesce: {worker: w3}}]"]),
    ("losses", &["faults=[{crash: {at: 30s, count: 2}}, {crash: {at: 50s, count: 1}}, {herd: {at: 70s, workers: 2}}]"]),
    (
        "silence",
        &["faults=[{isolate: {at: 20s, workers: 2, for: 15s}}, {isolate: {at: 50s, workers: 2, for: 15s}}, {isolate: \
          {at: 80s, workers: 2, for: 15s}}]"],
    ),
    (
        "late",
        &[
            "workers.initial=2",
            "engine.queue_first.queues={min: 1, max: 1}",
            "engine.queue_first.running_task_of_lost_worker=fail",
            "workload=[]",
            "script=[
            {at: 0s, submit: {task: t1, claims: [r-1], service: 20s}},
            {at: 1s, submit: {task: t2, claims: [r-1], service: 20s}},
            {at: 2s, delay: {effect: t1, by: 25s}},
            {at: 21s, crash: {worker: w1}}]",
        ],
    ),
    (
        "restarts",
        &["faults=[{engine_crash: {at: 30s, recover_after: 5s, point: after_persist}}, {engine_crash: {at: 80s, \
          recover_after: 1s, point: before_send}}]"],
    ),
    (
        "duty",
        &[
            "workers.initial=1",
            "engine.queue_first.queues={min: 3, max: 3}",
            "workload[0].arrivals={burst: {at: 1s, tasks: 90}}",
            "workload[0].service=1s",
        ],
    ),
    (
        "balance",
        &[
            "workers.initial=1",
            "engine.queue_first.queues={min: 4, max: 4}",
            "engine.queue_first.rebalance={every: 11s}",
            "engine.queue_first.newcomers=rebalance",
            "workload=[{class: long, arrivals: {burst: {at: 1s, tasks: 1}}, service: 280s, claims: {r: 1}}]",
            "faults=[{herd: {at: 20s, workers: 1}}]",
            "run.horizon=30s",
        ],
    ),
];

/// A scene by its name.
pub fn scene(name: &str) -> Scenario {
    written_scene(name).scenario
}

/// A scene by its name, with how it is written.
pub fn written_scene(name: &str) -> Loaded {
    let (_, overrides) = SCENES.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("no scene `{name}`"));
    read(name, overrides.iter().map(|text| (*text).to_owned()))
}

pub fn names() -> impl Iterator<Item = &'static str> {
    SCENES.iter().map(|(name, _)| *name)
}

fn read(name: &str, overrides: impl Iterator<Item = String>) -> Loaded {
    let overrides: Vec<Override> = overrides.map(|text| text.parse().expect("path=value")).collect();
    let loaded = load(&SourceText::new(name, BASE), &overrides);
    loaded.unwrap_or_else(|errors| panic!("scene `{name}`: {errors:?}"))
}

/// Choices by chance, keyed by the seed of the run and what is chosen.
struct Dice(u64);

impl Dice {
    fn below(&self, what: u64, bound: u64) -> u64 {
        mix(self.0, &[what]) % bound
    }
    fn of<'a>(&self, what: u64, choices: &[&'a str]) -> &'a str {
        choices[self.below(what, choices.len() as u64) as usize]
    }
}

/// A short run of chaos: trouble of every kind is on or off, every option of the engine is drawn.
pub fn chaos(seed: u64) -> Scenario {
    let dice = Dice(seed);
    let mut overrides = Vec::new();
    let mut set = |text: String| overrides.push(text);
    set(format!("workers.initial={}", dice.below(1, 6)));
    set(format!("resources.r.count={}", 2 + dice.below(2, 5)));
    set(format!("engine.queue_first.queues={{min: {}, max: {}}}", dice.below(3, 4), 3 + dice.below(4, 4)));
    let options: [(&str, &[&str]); 12] = [
        ("placement", &["least_backlog", "sticky", "round_robin", "random"]),
        ("create", &["eager", "per_worker", "{when: {backlog_per_queue: 2, for: 5s}}"]),
        ("delete", &["never", "after_double_duty", "{empty_for: 5s}"]),
        ("at_max", &["share", "{park: {at_most: 20s}}"]),
        ("double_duty.prefer_at_most", &["1", "2", "3"]),
        ("double_duty.discipline", &["round_robin", "oldest_head", "drain_first"]),
        ("newcomers", &["general_only", "relieve", "rebalance"]),
        ("rebalance", &["never", "on_join", "{every: 11s}"]),
        ("general_queue.served_by", &["everyone", "surplus"]),
        ("general_queue.general_after", &["1", "4", "16"]),
        ("running_task_of_lost_worker", &["fail", "{requeue: {max_attempts: 2}}", "{requeue: {max_attempts: 9}}"]),
        (
            "lease",
            &["none", "{duration: 9s, margin: 1s}", "{duration: 5s, margin: 500ms}", "{duration: 20s, margin: 2s}"],
        ),
    ];
    for (number, (path, choices)) in (10..).zip(options) {
        set(format!("engine.queue_first.{path}={}", dice.of(number, choices)));
    }
    let troubles = [
        format!("workers.lifetime={{exponential: {{mean: {}s}}}}", 15 + dice.below(30, 90)),
        format!("workers.arrivals={{poisson: {}/m}}", 1 + dice.below(31, 6)),
        format!(
            "workers.pause={{every: {{exponential: {{mean: {}s}}}}, for: {{uniform: {{min: 1s, max: 40s}}}}}}",
            10 + dice.below(32, 90)
        ),
        format!(
            "network.delay={}",
            dice.of(33, &["1ms", "400ms", "{exponential: {mean: 2ms}}", "{uniform: {min: 0s, max: 900ms}}"])
        ),
        format!(
            "workers.shift_change={{at: {}s, leave: 3, arrive: 3, overlap: {}s}}",
            20 + dice.below(34, 60),
            dice.below(35, 15)
        ),
        format!("workers.restart_after={{uniform: {{min: 1s, max: {}s}}}}", 2 + dice.below(36, 20)),
        format!("workers.grace={}s", 1 + dice.below(37, 20)),
        format!("workers.startup={{uniform: {{min: 0s, max: {}s}}}}", 1 + dice.below(38, 9)),
        "workers.overhead=200ms".to_owned(),
        format!("workload[0].arrivals={{burst: {{at: {}s, tasks: {}}}}}", dice.below(39, 60), 1 + dice.below(40, 40)),
        format!(
            "script=[{{at: {}s, set_limits: {{min: {}, max: {}}}}}]",
            dice.below(41, 100),
            dice.below(42, 3),
            2 + dice.below(43, 5)
        ),
        "run={horizon: 60s, drain: 200s}".to_owned(),
    ];
    for (number, trouble) in (50..).zip(troubles) {
        if dice.below(number, 2) == 0 {
            set(trouble);
        }
    }
    if overrides.iter().any(|text| text.starts_with("workers.restart_after") || text.starts_with("workers.grace")) {
        overrides.push("workers.lifetime={exponential: {mean: 45s}}".to_owned());
        overrides.push(format!(
            "workers.exit={}",
            dice.of(60, &["{crash: 100%, quiesce: 0%}", "{crash: 50%, quiesce: 50%}"])
        ));
    }
    overrides.extend(lossy_wire(&dice));
    overrides.push(format!("faults=[{}]", faults(&dice).join(", ")));
    read(&format!("chaos-{seed}"), overrides.into_iter()).scenario
}

/// Messages that are lost, doubled and out of order, for a while.
fn lossy_wire(dice: &Dice) -> Vec<String> {
    let kinds = [
        format!("network.loss={}%", 1 + dice.below(70, 20)),
        format!("network.duplicate={}%", 1 + dice.below(71, 20)),
        "network.reorder=true".to_owned(),
    ];
    let kinds = (80..).zip(kinds).filter(|(number, _)| dice.below(*number, 4) == 0).map(|(_, kind)| kind);
    kinds.chain([format!("network.until={}s", 20 + dice.below(72, 60))]).collect()
}

/// Faults of clients, engine and store, each on with probability one fourth.
fn faults(dice: &Dice) -> Vec<String> {
    let kinds = [
        format!(
            "{{cancel: {{share: {}%, when: {}}}}}",
            1 + dice.below(90, 20),
            dice.of(91, &["waiting", "starting", "running", "finished"])
        ),
        format!("{{poison: {{share: {}%, does: kills_worker}}}}", 1 + dice.below(92, 3)),
        format!(
            "{{engine_crash: {{at: {}s, recover_after: {}s, point: {}}}}}",
            5 + dice.below(93, 50),
            dice.below(94, 20),
            dice.of(95, &["before_persist", "after_persist", "before_send", "after_send"])
        ),
        format!("{{second_engine: {{at: {}s, for: {}s}}}}", 5 + dice.below(96, 40), 1 + dice.below(97, 20)),
        format!(
            "{{store: {{at: {}s, for: {}s, does: {}, recover_after: 2s, by: 200ms}}}}",
            5 + dice.below(98, 40),
            1 + dice.below(99, 15),
            dice.of(100, &["refuse", "lose_answer", "slow"])
        ),
        format!(
            "{{isolate: {{at: {}s, workers: {}, for: {}s, direction: {}}}}}",
            5 + dice.below(101, 40),
            1 + dice.below(102, 3),
            1 + dice.below(103, 20),
            dice.of(104, &["both", "to_engine", "from_engine"])
        ),
    ];
    (110..).zip(kinds).filter(|(number, _)| dice.below(*number, 4) == 0).map(|(_, kind)| kind).collect()
}
