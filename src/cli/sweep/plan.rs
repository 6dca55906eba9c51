//! What a sweep would cost. Nothing is run: time and size come from the scenario's rates.

use super::Sweep;
use crate::base::names::METRICS;

/// What a task and a heartbeat cost on one core, to an order of magnitude.
const SECONDS_PER_TASK: f64 = 1e-6;
const SECONDS_PER_HEARTBEAT: f64 = 0.5e-6;
const BYTES_PER_METRIC: u64 = 34;

/// The plan for people.
pub(super) fn text(sweep: &Sweep, jobs: usize) -> String {
    let scenario = &sweep.base.scenario;
    let cells = sweep.cells.len() as u64;
    let runs = cells * u64::from(sweep.header.replications);
    let horizon = scenario.run.horizon.micros() as f64;
    let heartbeats =
        horizon / scenario.detection.heartbeat.micros().max(1) as f64 * f64::from(scenario.workers.initial);
    let tasks = scenario.tasks_expected();
    let seconds = runs as f64 * (tasks * SECONDS_PER_TASK + heartbeats * SECONDS_PER_HEARTBEAT) / jobs as f64;
    let columns = METRICS.len() + METRICS.iter().filter(|it| it.per_class).count() * scenario.labels.classes.len();
    let bytes = runs * (600 + columns as u64 * BYTES_PER_METRIC);
    let part = match sweep.header.shard {
        None => String::new(),
        Some(shard) => format!(" (shard {} of {} of {} cells)", shard.index, shard.of, sweep.header.cells),
    };
    format!(
        "{}: {cells} cells{part}, {} replications each: {runs} runs of about {tasks:.0} tasks\nabout {} on {jobs} threads, \
         about {} of results; nothing was run\n",
        scenario.name,
        sweep.header.replications,
        duration(seconds),
        size(bytes)
    )
}

fn duration(seconds: f64) -> String {
    match seconds {
        it if it < 90.0 => format!("{:.0} s", it.max(1.0)),
        it if it < 5400.0 => format!("{:.0} min", it / 60.0),
        it => format!("{:.0} h", it / 3600.0),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        it if it < 1 << 20 => format!("{} KiB", (it >> 10).max(1)),
        it if it < 1 << 30 => format!("{} MiB", it >> 20),
        it => format!("{} GiB", it >> 30),
    }
}
