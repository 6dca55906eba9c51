//! The engine and its agents alone, without the simulator: nanoseconds per task from submission to settlement.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lanekeeper::base::{Claim, ResourceId, Span, TaskId, Term, Time, WorkerId};
use lanekeeper::engine::message::{
    ClusterMessage, Effect, Ended, Input, Outbox, Report, Stamp, Start, WorkerMessage, WorkerName,
};
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::spec::{QueueFirstSpec, QueueLimits};
use lanekeeper::engine::{Context, Detection, Engine};

const TASKS: u32 = 10_000;

/// Eight workers that finish a task as soon as it is started, each task on one of 1,000 resources.
struct Cluster {
    engine: Box<dyn Engine>,
    out: Outbox,
    started: Vec<(WorkerId, Start)>,
    next: u32,
}

impl Cluster {
    fn new() -> Cluster {
        let spec = QueueFirstSpec { queues: QueueLimits { min: 8, max: 8 }, ..QueueFirstSpec::default() };
        let detection = Detection { heartbeat: Span::from_secs(10), ttl: Span::from_secs(30) };
        let engine = factory(&spec, &Policies::default()).expect("built-in policies").fresh(Context {
            seed: 1,
            term: Term(1),
            detection,
        });
        let mut cluster = Cluster { engine, out: Outbox::new(), started: Vec::new(), next: 0 };
        for worker in 0..8 {
            cluster.say(WorkerId(worker), WorkerMessage::Join { stamp: Stamp(0), name: WorkerName(worker.into()) });
            cluster.say(WorkerId(worker), WorkerMessage::Fetch);
        }
        cluster
    }

    fn say(&mut self, worker: WorkerId, message: WorkerMessage) {
        self.give(Input::Worker { worker, message: &message });
    }

    fn give(&mut self, input: Input<'_>) {
        self.engine.handle(Time::ZERO, input, &mut self.out);
        let mut released = Vec::new();
        for effect in self.out.drain(..) {
            match effect {
                Effect::Send(worker, ClusterMessage::Start(start) | ClusterMessage::AnsweredAndStart { start, .. }) => {
                    self.started.push((worker, start));
                }
                Effect::Send(worker, ClusterMessage::Revoke { holding, .. }) => released.push((worker, holding)),
                Effect::Send(..) | Effect::Persist(_) | Effect::Fence(_) | Effect::Settle(..) | Effect::Note(_) => {}
            }
        }
        for (worker, holding) in released {
            self.say(worker, WorkerMessage::Released(holding));
        }
    }

    fn run(&mut self) {
        for _ in 0..TASKS {
            let task = TaskId(self.next);
            let claims = [Claim::exclusive(ResourceId(self.next.wrapping_mul(2_654_435_761) % 1_000))];
            self.next += 1;
            self.give(Input::Submit { task, claims: &claims });
            while let Some((worker, start)) = self.started.pop() {
                self.say(worker, WorkerMessage::FinishedAndFetch(Report { start, ended: Some(Ended::Completed) }));
            }
        }
    }
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(u64::from(TASKS)));
    let mut cluster = Cluster::new();
    group.bench_function("queue_first, keyed, 8 workers", |bencher| bencher.iter(|| cluster.run()));
    group.finish();
}

criterion_group!(benches, engine);
criterion_main!(benches);
