//! The plan of a replication: all that the scenario and the seed decide, and no engine can move.
//!
//! Two engines that are compared under common random numbers must be given the same plan: the same submissions with the
//! same demands, the same draws for the lives of each place, the same events at fixed times. Its digest says whether
//! they were.

use crate::base::mix::mix;
use crate::base::{Claims, Time};
use crate::scenario::Scenario;
use crate::sim::Streams;

use super::streams;
use super::workers::{Life, Origin, Places};
use super::workload::{ArrivalProcess, TaskSource};

/// So many lives of each initial place, and so many pauses of each, go into the digest: their streams have names of
/// their own, so that equal beginnings are equal throughout.
const LIVES: u64 = 4;
const PAUSES: usize = 4;

/// The digest of the plan of one replication.
pub fn plan_digest(scenario: &Scenario, replication: u32) -> u128 {
    let mut plan = Plan::default();
    let run = &scenario.run;
    let drawn = Streams::new(run.seed, u64::from(replication));
    let mut claims = Claims::new();
    for (number, source) in (0u64..).zip(&scenario.workload) {
        let mut tasks = TaskSource::new(source, number, &scenario.workers.overhead, drawn, run.horizon);
        while let Some(at) = tasks.next_arrival(run.horizon) {
            let demand = tasks.draw(&mut claims);
            let class = u64::from(demand.class.0);
            plan.add(&[number, at.micros(), class, demand.service.micros(), demand.overhead.micros()]);
            claims.iter().for_each(|claim| plan.add(&[u64::from(claim.resource.0), claim.mode as u64]));
        }
    }
    plan.add_lives(scenario, drawn);
    let workers = &scenario.workers;
    let timed = (&scenario.script, &scenario.faults, workers.shift_change, workers.rolling_replace);
    plan.add_text(&format!("{timed:?}"));
    (u128::from(plan.high) << 64) | u128::from(plan.low)
}

#[derive(Default)]
struct Plan {
    high: u64,
    low: u64,
}

impl Plan {
    fn add(&mut self, words: &[u64]) {
        self.high = mix(self.high, words);
        self.low = mix(self.low ^ 1, words);
    }

    fn add_text(&mut self, text: &str) {
        let words: Vec<u64> = text.bytes().map(u64::from).collect();
        self.add(&words);
    }

    fn add_lives(&mut self, scenario: &Scenario, drawn: Streams) {
        let workers = &scenario.workers;
        let end = scenario.run.horizon + scenario.run.drain;
        if let Some(law) = &workers.arrivals {
            let mut arrivals = ArrivalProcess::new(law, drawn, streams::WORKER_ARRIVALS, 0, end);
            while let Some(at) = arrivals.next().filter(|at: &Time| *at <= end) {
                self.add(&[at.micros()]);
            }
        }
        let mut places = Places::default();
        for _ in 0..workers.initial {
            let mut place = places.new_place(Origin::Initial);
            for _ in 0..LIVES {
                let life = Life::draw(workers, drawn, place);
                let optional = |span: Option<crate::base::Span>| span.map_or(u64::MAX, |it| it.micros());
                let (lifetime, restart) = (optional(life.lifetime), optional(life.restart_after));
                self.add(&[life.startup.micros(), life.speed, lifetime, u64::from(life.crashes), restart]);
                if let Some(pause) = &workers.pause {
                    let mut stream = drawn.open(streams::PAUSES, place.key(), place.life);
                    for _ in 0..PAUSES {
                        self.add(&[pause.every.sample(&mut stream).micros(), pause.lasts.sample(&mut stream).micros()]);
                    }
                }
                place = place.next_life();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{SourceText, load};

    fn plan(sets: &[&str], replication: u32) -> u128 {
        let text = "
name: plan
run: {horizon: 1h}
resources: {repo: {count: 9}}
workload: [{class: a, arrivals: {poisson: 6/m}, service: {exponential: {mean: 9s}}, claims: {repo: 1}}]
workers: {initial: 3, lifetime: {exponential: {mean: 1h}}, restart_after: 1m}
";
        let sets: Vec<_> = sets.iter().map(|set| set.parse().unwrap()).collect();
        plan_digest(&load(&SourceText::new("plan.yaml", text), &sets).unwrap().scenario, replication)
    }

    #[test]
    fn no_choice_of_an_engine_moves_the_plan_and_everything_from_outside_does() {
        let same = plan(&[], 0);
        for set in ["engine.queue_first.queues.max=3", "engine.queue_first.lease=none", "detection.ttl=60s"] {
            assert_eq!(plan(&[set], 0), same, "{set}");
        }
        for set in [
            "run.seed=1",
            "workload[0].service=9s",
            "resources.repo.count=8",
            "workers.initial=4",
            "workers.lifetime.exponential.mean=2h",
            "workers.rolling_replace={at: 10m, batch: 1, every: 1m}",
        ] {
            assert_ne!(plan(&[set], 0), same, "{set}");
        }
        assert_ne!(plan(&[], 1), same);
    }
}
