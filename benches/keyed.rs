//! The KEYED workload of `scenarios/bench/keyed.yaml`, simulated by hand and by the whole program. Speeds of machines
//! differ; how many times as long the program takes as the loop that does nothing else does not.
//!
//! By hand means: no engine, no messages, no workers that could die, nothing that another scenario could use. The same
//! kind of random numbers, the same order of events, and an order check, a histogram of the wait and a digest.

#![allow(clippy::disallowed_types, reason = "a clock is what a benchmark is about")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lanekeeper::base::Time;
use lanekeeper::engine::EngineSpec;
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::experiment::{Options, Progress, replicate};
use lanekeeper::scenario::{Scenario, SourceText, load};
use lanekeeper::sim::{Stream, Streams};

const TASKS: u64 = 100_000;
/// Of the two in turn.
const ROUNDS: usize = 60;
const QUEUES: usize = 8;
const RESOURCES: u64 = 1_000;

/// µs between arrivals, and of service.
const MEAN_GAP: f64 = 1e6 / 7.2;
const MEAN_SERVICE: f64 = 1e6;
const NEVER: u64 = u64::MAX;
/// A cell of the histogram of the wait is 2^10 µs wide.
const CELL_BITS: u32 = 10;

struct Task {
    number: u64,
    resource: usize,
    arrived: u64,
    service: u64,
}

#[derive(Clone, Copy, Default)]
struct Resource {
    unfinished: u32,
    queue: usize,
    last_started: u64,
}

struct ByHand {
    gaps: Stream,
    services: Stream,
    keys: Stream,
    resources: Vec<Resource>,
    queues: [VecDeque<Task>; QUEUES],
    /// When the first task of each queue ends.
    ends: [u64; QUEUES],
    waits: Vec<u32>,
    digest: u64,
}

fn exponential(stream: &mut Stream, mean: f64) -> u64 {
    (-libm::log(stream.unit()) * mean).round() as u64
}

impl ByHand {
    fn new() -> ByHand {
        let streams = Streams::new(42, 0);
        ByHand {
            gaps: streams.open(0, 0, 0),
            services: streams.open(1, 0, 0),
            keys: streams.open(2, 0, 0),
            resources: vec![Resource::default(); RESOURCES as usize],
            queues: Default::default(),
            ends: [NEVER; QUEUES],
            waits: vec![0; 1 << 16],
            digest: 1,
        }
    }

    fn digested(&mut self, now: u64, word: u64) {
        let product = u128::from(self.digest ^ now) * u128::from(word | 1 << 63);
        self.digest = product as u64 ^ (product >> 64) as u64;
    }

    fn start(&mut self, now: u64, queue: usize) {
        let Some(task) = self.queues[queue].front() else {
            self.ends[queue] = NEVER;
            return;
        };
        self.ends[queue] = now + task.service;
        let resource = &mut self.resources[task.resource];
        assert!(resource.last_started < task.number, "out of order");
        resource.last_started = task.number;
        let cell = ((now - task.arrived) >> CELL_BITS).min(self.waits.len() as u64 - 1);
        self.waits[cell as usize] += 1;
        let number = task.number;
        self.digested(now, number);
    }

    fn arrive(&mut self, now: u64, number: u64) {
        let resource = self.keys.below(RESOURCES) as usize;
        let service = exponential(&mut self.services, MEAN_SERVICE);
        let known = &mut self.resources[resource];
        if known.unfinished == 0 {
            known.queue = (0..QUEUES).min_by_key(|queue| self.queues[*queue].len()).expect("queues");
        }
        known.unfinished += 1;
        let queue = known.queue;
        self.queues[queue].push_back(Task { number, resource, arrived: now, service });
        self.digested(now, number << 16 | resource as u64);
        if self.queues[queue].len() == 1 {
            self.start(now, queue);
        }
    }

    fn run(tasks: u64) -> ByHand {
        let mut it = ByHand::new();
        it.simulate(tasks);
        it
    }

    fn simulate(&mut self, tasks: u64) {
        let (mut number, mut next) = (0, 0);
        while number < tasks {
            let (queue, end) = self.ends.iter().copied().enumerate().min_by_key(|(_, end)| *end).expect("queues");
            if end <= next {
                let task = self.queues[queue].pop_front().expect("a task that ends");
                self.resources[task.resource].unfinished -= 1;
                self.digested(end, task.number);
                self.start(end, queue);
            } else {
                number += 1;
                self.arrive(next, number);
                next += exponential(&mut self.gaps, MEAN_GAP);
            }
        }
    }

    /// In service times, from the histogram.
    fn mean_wait(&self) -> f64 {
        let micros = |cell: usize| ((cell << CELL_BITS) + (1 << CELL_BITS) / 2) as f64;
        let sum: f64 = self.waits.iter().enumerate().map(|(cell, count)| micros(cell) * f64::from(*count)).sum();
        sum / self.waits.iter().map(|count| f64::from(*count)).sum::<f64>() / MEAN_SERVICE
    }
}

fn scenario() -> Scenario {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/bench/keyed.yaml");
    let text = std::fs::read(path).expect("a file of this project");
    let source = SourceText::new("keyed.yaml", text);
    let mut scenario = load(&source, &[]).expect("a valid scenario").scenario;
    scenario.run.horizon = Time::from_secs(TASKS * 10 / 72);
    scenario
}

fn keyed(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keyed");
    group.throughput(Throughput::Elements(TASKS)).sample_size(20);
    let mean_wait = ByHand::run(20 * TASKS).mean_wait();
    assert!((1.10..1.18).contains(&mean_wait), "the loop waits {mean_wait} service times, and should 1.14");
    // What it gives is handed out, so that nothing of it can be left out.
    group.bench_function("by hand", |bencher| bencher.iter_with_large_drop(|| ByHand::run(TASKS)));
    let scenario = scenario();
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("another engine") };
    let factory = factory(spec, &Policies::default()).expect("built-in policies");
    let options = Options { jobs: 1, timeline: false };
    let program = || replicate(&scenario, factory.as_ref(), options, &Progress::default()).digest;
    group.bench_function("lanekeeper", |bencher| bencher.iter(program));
    group.finish();
    let by_hand = || _ = black_box(ByHand::run(TASKS));
    in_turn(by_hand, || _ = black_box(program()));
}

/// The two in turn, and how many times as long the program takes: what else the machine does in a second hits both, and
/// the low quantiles are nearest to a machine to oneself.
fn in_turn(by_hand: impl Fn(), program: impl Fn()) {
    let nanos_a_task = |work: &dyn Fn()| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_nanos() as f64 / TASKS as f64
    };
    let mut rounds: Vec<[f64; 3]> = Vec::new();
    for _ in 0..ROUNDS {
        let before = nanos_a_task(&by_hand);
        let whole = nanos_a_task(&program);
        let loops = before.midpoint(nanos_a_task(&by_hand));
        rounds.push([loops, whole, whole / loops]);
    }
    println!("in turn, {ROUNDS} rounds         a tenth       half   nine tenths");
    for (column, name) in ["by hand, ns a task", "lanekeeper, ns a task", "times the loop"].iter().enumerate() {
        let mut values: Vec<f64> = rounds.iter().map(|round| round[column]).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((ROUNDS - 1) as f64 * share) as usize];
        println!("{name:21} {:12.1} {:10.1} {:13.1}", at(0.1), at(0.5), at(0.9));
    }
}

criterion_group!(benches, keyed);
criterion_main!(benches);
