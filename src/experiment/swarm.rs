//! The runs of a swarm: a scenario from a mix of seeds, as text, so that a find can be kept as a file.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Write};
use std::str::FromStr;

use crate::sim::{Stream, Streams};

/// The streams of swarms are those of no replication.
const REPLICATION: u64 = u64::MAX;
/// Chaos begins and ends.
const CHAOS: (u64, u64) = (600, 2_400);

/// What a run of a swarm is drawn from: a seed, and for parts of the scenario seeds of their own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Mix {
    /// All is drawn from this …
    pub seed: u64,
    /// … but these parts.
    pub redrawn: BTreeMap<Part, u64>,
}

impl Mix {
    /// All is drawn from one seed.
    pub fn of(seed: u64) -> Mix {
        Mix { seed, redrawn: BTreeMap::new() }
    }

    /// The same but for one part, which is drawn from `seed`.
    #[must_use]
    pub fn with(&self, part: Part, seed: u64) -> Mix {
        let mut mix = self.clone();
        mix.redrawn.insert(part, seed);
        mix
    }

    /// As part of the name of a file.
    pub fn stem(&self) -> String {
        self.redrawn.iter().fold(self.seed.to_string(), |stem, (part, seed)| format!("{stem}-{part}{seed}"))
    }
}

impl Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        self.redrawn.iter().try_for_each(|(part, seed)| write!(f, " {part}={seed}"))
    }
}

/// A part of a swarm's scenario.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Part(u8);

/// How a part is drawn.
#[derive(Clone, Copy)]
enum Draw {
    /// It is always there.
    Always(fn(&mut String, &mut Dice)),
    /// It is a kind of fault, there with probability one half.
    Fault(fn(&mut String, &mut Dice)),
}

const PARTS: [(&str, Draw); 17] = [
    ("work", Draw::Always(work)),
    ("engine", Draw::Always(engine)),
    ("network", Draw::Always(network)),
    ("crashes", Draw::Fault(crashes)),
    ("pauses", Draw::Fault(pauses)),
    ("isolations", Draw::Fault(isolations)),
    ("slownesses", Draw::Fault(slownesses)),
    ("clocks", Draw::Fault(clocks)),
    ("engine_crashes", Draw::Fault(engine_crashes)),
    ("second_engines", Draw::Fault(second_engines)),
    ("stores", Draw::Fault(stores)),
    ("deaths", Draw::Fault(deaths)),
    ("herds", Draw::Fault(herds)),
    ("cancels", Draw::Fault(cancels)),
    ("poisons", Draw::Fault(poisons)),
    ("quiesces", Draw::Fault(quiesces)),
    ("limits", Draw::Always(limits)),
];

impl Part {
    fn draw(self, dice: &mut Dice) -> String {
        let mut text = String::new();
        match PARTS[usize::from(self.0)].1 {
            Draw::Always(draw) => draw(&mut text, dice),
            Draw::Fault(draw) if dice.coin() => draw(&mut text, dice),
            Draw::Fault(_) => {}
        }
        text
    }

    /// All parts.
    pub fn all() -> impl ExactSizeIterator<Item = Part> {
        (0..PARTS.len() as u8).map(Part)
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PARTS[usize::from(self.0)].0)
    }
}

impl FromStr for Part {
    type Err = String;
    fn from_str(text: &str) -> Result<Part, String> {
        let known = || Part::all().map(|part| part.to_string()).collect::<Vec<_>>().join(", ");
        Part::all()
            .find(|part| part.to_string() == text)
            .ok_or_else(|| format!("no part `{text}`: there are {}", known()))
    }
}

/// Draws in words of a scenario.
struct Dice(Stream);

impl Dice {
    fn coin(&mut self) -> bool {
        self.0.chance(0.5)
    }
    /// Log-uniform between two bounds above zero.
    fn log(&mut self, low: f64, high: f64) -> f64 {
        low * libm::pow(high / low, self.0.unit())
    }
    fn count(&mut self, low: u64, high: u64) -> u64 {
        (self.log(low as f64, high as f64 + 1.0) as u64).clamp(low, high)
    }
    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.0.below(of.len() as u64) as usize]
    }
    /// An instant within chaos, in seconds.
    fn instant(&mut self) -> u64 {
        CHAOS.0 + self.0.below(CHAOS.1 - CHAOS.0)
    }
    /// A span that ends within chaos when it begins at `at`, in milliseconds.
    fn span(&mut self, at: u64, low: f64, high: f64) -> u64 {
        (self.log(low * 1e3, high * 1e3) as u64).min((CHAOS.1 - at) * 1_000).max(1)
    }
}

/// The scenario of a mix: 2 to 16 workers, a thousand tasks an hour, and each kind of fault with probability one half.
pub fn scenario(mix: &Mix) -> String {
    let seed = mix.seed;
    let mut dice = Dice(Streams::new(seed, REPLICATION).open(0, 0, 0));
    let stem = mix.stem();
    let mut text = format!("name: swarm-{stem}\nrun: {{seed: {seed}, replications: 1, horizon: 1h, drain: 6h}}\n");
    for part in Part::all() {
        let mut drawn = part.draw(&mut dice);
        // What was drawn from the seed is thrown away, so that no other part moves.
        if let Some(other) = mix.redrawn.get(&part) {
            drawn = part.draw(&mut Dice(Streams::new(*other, REPLICATION).open(0, 1 + u64::from(part.0), 0)));
        }
        match PARTS[usize::from(part.0)].0 {
            "crashes" => text.push_str("faults:\n"),
            // Whatever was lost: healthy workers are there when it is over.
            "limits" => line(&mut text, format!("herd: {{at: {}s, workers: 2}}", CHAOS.1 + 1)),
            _ => {}
        }
        text.push_str(&drawn);
    }
    text
}

fn line(text: &mut String, fault: String) {
    writeln!(text, "  - {fault}").expect("a string takes everything");
}

fn work(text: &mut String, dice: &mut Dice) {
    let (resources, zipf, mean) = (dice.count(2, 200), dice.log(0.1, 2.0), dice.log(3.0, 40.0));
    let most = resources.min(4);
    let exclusive = 1 + dice.0.below(most.min(2));
    let shared = dice.0.below(most - exclusive + 1);
    let workers = dice.count(2, 16);
    let (mut startup, mut restart) = (dice.log(0.1, 20.0), dice.log(1.0, 120.0));
    // Below the margin of the lease: beyond it nothing is promised.
    let abort = if dice.coin() { dice.log(0.02, 1.0) } else { 0.0 };
    let mut arrivals = ["poisson: 600/h", "poisson: 250/h", "poisson: 150/h"];
    let mut service = format!("{{exponential: {{mean: {mean:.1}s}}}}");
    if dice.coin() {
        // Everything in whole seconds: arrivals, ends, heartbeats and faults meet at one instant.
        (startup, restart) = (startup.ceil(), restart.ceil());
        arrivals = ["every: 6s", "every: 15s", "every: 24s"];
        service = format!("{mean:.0}s");
    }
    let [one, many, general] = arrivals;
    writeln!(
        text,
        "resources: {{r: {{count: {resources}, popularity: {{zipf: {zipf:.2}}}}}}}
workload:
  - {{class: one, arrivals: {{{one}}}, service: {service}, claims: {{r: 1}}}}
  - {{class: many, arrivals: {{{many}}}, service: {service}, claims: {{r: {{exclusive: \
         {{uniform: {{min: 0, max: {exclusive}}}}}, shared: {{uniform: {{min: 0, max: {shared}}}}}}}}}}}
  - {{class: general, arrivals: {{{general}}}, service: {service}, claims: {{}}}}
workers: {{initial: {workers}, startup: {startup:.1}s, restart_after: {restart:.1}s, grace: 5m, abort_takes: {abort:.2}s}}"
    )
    .expect("a string takes everything");
}

fn engine(text: &mut String, dice: &mut Dice) {
    let min = dice.0.below(5);
    let max = (min + dice.0.below(8)).max(1);
    let placement = dice.pick(&["least_backlog", "sticky", "round_robin", "random"]);
    let create = dice.pick(&["{when: {backlog_per_queue: 4, for: 10s}}", "per_worker", "eager"]);
    let delete = dice.pick(&["{empty_for: 30s}", "after_double_duty", "never"]);
    let at_max = dice.pick(&["share", "{park: {at_most: 1m}}"]);
    let discipline = dice.pick(&["round_robin", "oldest_head", "drain_first"]);
    let newcomers = dice.pick(&["general_only", "relieve", "rebalance"]);
    let rebalance = dice.pick(&["never", "on_join", "{every: 1m}"]);
    let served_by = dice.pick(&["everyone", "surplus"]);
    let lost = dice.pick(&["{requeue: {max_attempts: 3}}", "fail"]);
    // No shorter than a heartbeat and the margin: a task that outlasts it could never be finished.
    let lease = dice.log(12.0, 90.0);
    writeln!(
        text,
        "detection: {{heartbeat: 10s, ttl: 30s}}
engine: {{queue_first: {{queues: {{min: {min}, max: {max}}}, placement: {placement}, create: {create}, delete: {delete}, \
         at_max: {at_max}, double_duty: {{discipline: {discipline}}}, newcomers: {newcomers}, rebalance: {rebalance}, \
         general_queue: {{served_by: {served_by}}}, running_task_of_lost_worker: {lost}, lease: {{duration: {lease:.1}s, \
         margin: 2s}}}}}}"
    )
    .expect("a string takes everything");
}

fn network(text: &mut String, dice: &mut Dice) {
    let [lossy, doubled, reordered] = [0; 3].map(|_| dice.coin());
    // The shortest do no more than draw the order of what is sent at one instant.
    let delay = match dice.pick(&["none", "ties", "real"]) {
        "none" => "0s".to_owned(),
        "ties" => "{uniform: {min: 0s, max: 3us}}".to_owned(),
        _ => format!("{{uniform: {{min: 0s, max: {:.0}us}}}}", dice.log(100.0, 500_000.0)),
    };
    let loss = if lossy { dice.log(0.1, 20.0) } else { 0.0 };
    let double = if doubled { dice.log(0.1, 20.0) } else { 0.0 };
    writeln!(
        text,
        "network: {{delay: {delay}, loss: {loss:.2}%, duplicate: {double:.2}%, reorder: {reordered}, until: {}s}}",
        CHAOS.1
    )
    .expect("a string takes everything");
}

fn crashes(text: &mut String, dice: &mut Dice) {
    for _ in 0..dice.count(1, 12) {
        let (at, when) = (dice.instant(), dice.pick(&["now", "before_report"]));
        line(text, format!("crash: {{at: {at}s, count: {}, when: {when}}}", dice.count(1, 4)));
    }
}

fn pauses(text: &mut String, dice: &mut Dice) {
    for _ in 0..dice.count(1, 12) {
        let at = dice.instant();
        let lasts = dice.span(at, 1.0, 300.0);
        line(text, format!("pause: {{at: {at}s, workers: {}, for: {lasts}ms}}", dice.count(1, 8)));
    }
}

fn isolations(text: &mut String, dice: &mut Dice) {
    for _ in 0..dice.count(1, 8) {
        let at = dice.instant();
        let lasts = dice.span(at, 1.0, 300.0);
        let (workers, direction) =
            (dice.pick(&["1", "2", "4", "all"]), dice.pick(&["both", "to_engine", "from_engine"]));
        line(text, format!("isolate: {{at: {at}s, workers: {workers}, for: {lasts}ms, direction: {direction}}}"));
    }
}

fn slownesses(text: &mut String, dice: &mut Dice) {
    let at = dice.instant();
    let lasts = dice.span(at, 10.0, 900.0);
    let factor = dice.log(1.5, 1_000.0);
    line(text, format!("slow: {{at: {at}s, workers: {}, factor: {factor:.1}, for: {lasts}ms}}", dice.count(1, 4)));
}

fn clocks(text: &mut String, dice: &mut Dice) {
    // Within the margin of the lease, or what is promised depends on it.
    let drift = dice.log(1.0, 10_000.0) * if dice.coin() { 1.0 } else { -1.0 };
    let jump = if dice.coin() { "5s" } else { "-500ms" };
    line(text, format!("clock: {{at: {}s, workers: all, drift_ppm: {drift:.0}, jump: {jump}}}", dice.instant()));
}

fn engine_crashes(text: &mut String, dice: &mut Dice) {
    for _ in 0..dice.count(1, 6) {
        let at = dice.instant();
        let gone = dice.span(at, 0.1, 120.0);
        let point = dice.pick(&["before_persist", "after_persist", "before_send", "after_send"]);
        line(text, format!("engine_crash: {{at: {at}s, recover_after: {gone}ms, point: {point}}}"));
    }
}

fn second_engines(text: &mut String, dice: &mut Dice) {
    for _ in 0..dice.count(1, 4) {
        let at = dice.instant();
        line(text, format!("second_engine: {{at: {at}s, for: {}ms}}", dice.span(at, 1.0, 300.0)));
    }
}

fn stores(text: &mut String, dice: &mut Dice) {
    let at = dice.instant();
    let lasts = dice.span(at, 0.1, 120.0);
    let does = dice.pick(&["refuse", "lose_answer", "slow"]);
    line(text, format!("store: {{at: {at}s, for: {lasts}ms, does: {does}, recover_after: 5s, by: 200ms}}"));
}

fn deaths(text: &mut String, dice: &mut Dice) {
    line(text, format!("mass_death: {{at: {}s, fraction: {}%}}", dice.instant(), 50 + dice.0.below(51)));
}

fn herds(text: &mut String, dice: &mut Dice) {
    line(text, format!("herd: {{at: {}s, tasks: {}, class: one}}", dice.instant(), dice.count(10, 500)));
    line(text, format!("herd: {{at: {}s, workers: {}}}", dice.instant(), dice.count(1, 16)));
}

fn cancels(text: &mut String, dice: &mut Dice) {
    let share = dice.log(0.5, 20.0);
    let when = dice.pick(&["waiting", "starting", "running", "finished"]);
    line(text, format!("cancel: {{share: {share:.2}%, when: {when}}}"));
}

fn poisons(text: &mut String, dice: &mut Dice) {
    line(text, format!("poison: {{share: {:.2}%, does: kills_worker}}", dice.log(0.05, 1.0)));
}

fn quiesces(text: &mut String, dice: &mut Dice) {
    for _ in 0..dice.count(1, 4) {
        let workers = dice.pick(&["1", "2", "8", "all"]);
        line(text, format!("quiesce: {{at: {}s, workers: {workers}}}", dice.instant()));
    }
}

fn limits(text: &mut String, dice: &mut Dice) {
    if dice.coin() {
        let min = dice.0.below(4);
        let max = (min + dice.0.below(8)).max(1);
        let at = dice.instant();
        writeln!(text, "script:\n  - {{at: {at}s, set_limits: {{min: {min}, max: {max}}}}}").expect("a string");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{SourceText, load};

    #[test]
    fn every_mix_gives_a_valid_scenario_and_always_the_same() {
        let parts: Vec<Part> = Part::all().collect();
        for seed in 0..200 {
            let mix =
                if seed < 150 { Mix::of(seed) } else { Mix::of(7).with(parts[seed as usize % parts.len()], seed) };
            let text = scenario(&mix);
            assert_eq!(text, scenario(&mix));
            if let Err(found) = load(&SourceText::new("swarm.yaml", text.clone()), &[]) {
                panic!("{}\n{text}", found[0]);
            }
        }
    }

    #[test]
    fn a_part_that_is_drawn_again_moves_no_other() {
        let (of_seed, other) = (scenario(&Mix::of(3)), scenario(&Mix::of(3).with("engine".parse().unwrap(), 8)));
        let differing = of_seed.lines().zip(other.lines()).filter(|(one, other)| one != other);
        let differing: Vec<&str> = differing.map(|(one, _)| one.split(':').next().unwrap()).collect();
        assert_eq!(differing, ["name", "engine"]);
        assert!("engines".parse::<Part>().unwrap_err().contains("work, engine, network"));
    }
}
