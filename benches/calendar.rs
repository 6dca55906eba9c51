//! HOLD: with `n` events in the calendar, pop one and schedule another. What every simulated event costs at least.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lanekeeper::base::Span;
use lanekeeper::sim::{Calendar, Streams};

/// As large as an event of the world.
type Event = [u64; 2];

fn hold(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hold");
    for n in [10u64, 1_000, 100_000] {
        let mut stream = Streams::new(1, 0).open(0, n, 0);
        let delays: Vec<Span> = (0..1 << 16).map(|_| Span::from_micros(1 + stream.below(1_000_000))).collect();
        let mut calendar: Calendar<Event> = Calendar::new();
        for i in 0..n {
            calendar.schedule(calendar.now() + delays[i as usize % delays.len()], (i % 4) as u8, [i, i]);
        }
        let mut next = 0;
        group.bench_function(BenchmarkId::from_parameter(n), |bencher| {
            bencher.iter(|| {
                let (now, event) = calendar.pop().expect("as many come as go");
                next = (next + 1) % delays.len();
                calendar.schedule(now + delays[next], (event[0] % 4) as u8, event)
            });
        });
    }
    group.finish();
}

/// The same at one instant: what is scheduled for the current instant never meets the heap.
fn hold_at_one_instant(criterion: &mut Criterion) {
    let mut calendar: Calendar<Event> = Calendar::new();
    for i in 0..8u64 {
        calendar.schedule(calendar.now(), 1, [i, i]);
    }
    criterion.bench_function("hold at one instant/8", |bencher| {
        bencher.iter(|| {
            let (now, event) = calendar.pop().expect("as many come as go");
            calendar.schedule(now, 1, event)
        });
    });
}

criterion_group!(benches, hold, hold_at_one_instant);
criterion_main!(benches);
