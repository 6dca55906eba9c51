//! Which systems are held against theory.
//!
//! Of the usual closed forms three cannot be simulated, for the model has no such thing: queues that refuse tasks
//! (Erlang B, M/M/c/K), several workers that die whose tasks are resumed elsewhere (a task that is put back begins anew,
//! with the same demand), and a time for switching between queues.

use super::{Case, Known, Value};
use crate::experiment::theory::{
    Breakdowns, creations, detection, response_mg1, response_set_up, responses_by_priority, wait_mmc,
};

const EXPONENTIAL: &str = "{exponential: {mean: 1s}}";
/// Nobody is lost, and nobody is asked often.
const UNWATCHED: &str = "detection: {heartbeat: 10m, ttl: 30m}";
/// So many keys that two tasks hardly ever meet on one.
const KEYS: &str = "resources: {key: {count: 100000}}";

/// Every case. Values without a formula are those of the embedded chains of round robin and of the shorter queue.
pub fn cases() -> Vec<Case> {
    let mut cases = pooled();
    cases.extend([
        private("8 x M/M/1 random 0.8", 8, "random", 5.0, 14_000),
        private("4 queues, round robin 0.8", 4, "round_robin", 3.267_384, 20_000),
        private("2 queues, shortest 0.8", 2, "least_backlog", 2.955_737, 60_000),
        full(private("16 queues, round robin 0.8", 16, "round_robin", 2.836_132, 16_000)),
        prioritized(),
    ]);
    cases.extend([
        paused("M/M/1 pauses 0.6", EXPONENTIAL, "{exponential: {mean: 2s}}", (1.0, 2.0), (2.0, 8.0), 130_000),
        paused("M/D/1 fixed pauses 0.7", "1s", "4s", (1.0, 1.0), (4.0, 16.0), 130_000),
        restarted(),
        set_up("M/M/1 set-up 1 s 0.5", 0.5, 1, 20_000),
        set_up("M/M/1 set-up 5 s 0.8", 0.8, 5, 120_000),
    ]);
    cases.extend([
        double_duty("1 worker, 2 queues in turn 0.6", 2, "round_robin"),
        double_duty("1 worker, 4 queues until empty 0.6", 4, "drain_first"),
        double_duty("1 worker, 4 queues, oldest 0.6", 4, "oldest_head"),
        churn("queue on demand, 10 s", 0.1, 10),
        churn("queue on demand, 30 s", 0.5, 30),
        crashes(),
    ]);
    cases
}

/// M/M/c and M/G/1 by the general queue.
fn pooled() -> Vec<Case> {
    let mmc = |name, workers, load, observed| {
        general(name, workers, load, EXPONENTIAL, 1.0 + wait_mmc(workers, load), observed)
    };
    let lognormal = |name, cv: f64, observed| {
        let service = format!("{{lognormal: {{mean: 1s, cv: {cv}}}}}");
        general(name, 1, 0.8, &service, response_mg1(0.8, (1.0, 1.0 + cv * cv)), observed)
    };
    vec![
        mmc("M/M/1 0.5", 1, 0.5, 30_000),
        mmc("M/M/1 0.8", 1, 0.8, 150_000),
        mmc("M/M/2 0.8", 2, 0.8, 60_000),
        mmc("M/M/4 0.8", 4, 0.8, 20_000),
        mmc("M/M/8 0.8", 8, 0.8, 5_000),
        mmc("M/M/16 0.8", 16, 0.8, 2_000),
        general("M/D/1 0.8", 1, 0.8, "1s", response_mg1(0.8, (1.0, 1.0)), 60_000),
        lognormal("M/LN(0.5)/1 0.8", 0.5, 90_000),
        lognormal("M/LN(1)/1 0.8", 1.0, 200_000),
        full(mmc("M/M/1 0.9", 1, 0.9, 450_000)),
        full(mmc("M/M/1 0.95", 1, 0.95, 850_000)),
        full(mmc("M/M/64 0.95", 64, 0.95, 6_500)),
        full(lognormal("M/LN(2)/1 0.8", 2.0, 500_000)),
    ]
}

/// The general queue, demands of one second on average.
fn general(name: &'static str, workers: u32, load: f64, service: &str, exact: f64, observed: u64) -> Case {
    let system = format!(
        "workload: [{}]\nworkers: {{initial: {workers}}}\n{UNWATCHED}\n{}\n",
        class("any", f64::from(workers) * load, service, "{}"),
        queue_first(&format!("queues: {{min: 0, max: {workers}}}"))
    );
    case(name, vec![response(exact)], observed, system)
}

/// One private queue a worker; nothing but the placement decides.
fn private(name: &'static str, workers: u32, placement: &str, exact: f64, observed: u64) -> Case {
    let system = format!(
        "{KEYS}\nworkload: [{}]\nworkers: {{initial: {workers}}}\n{UNWATCHED}\n{}\n",
        class("any", 0.8 * f64::from(workers), EXPONENTIAL, "{key: 1}"),
        queue_first(&format!("queues: {{min: {workers}, max: {workers}}}, placement: {placement}"))
    );
    case(name, vec![response(exact)], observed, system)
}

/// A worker takes reserved work first, without end: two classes by priority.
fn prioritized() -> Case {
    let (reserved, general) = responses_by_priority(0.3, 0.5);
    let system = format!(
        "{KEYS}\nworkload:\n  - {}\n  - {}\nworkers: {{initial: 1}}\n{UNWATCHED}\n{}\n",
        class("reserved", 0.3, EXPONENTIAL, "{key: 1}"),
        class("general", 0.5, EXPONENTIAL, "{}"),
        queue_first("queues: {min: 1, max: 1}, general_queue: {general_after: 4000000000}")
    );
    let of_class = |what, class, exact| Known { what, exact, value: Value::Metric("response.mean", Some(class)) };
    let known = vec![of_class("reserved", 0, reserved), of_class("general", 1, general)];
    case("priority of reserved work 0.8", known, 200_000, system)
}

/// A worker that stands still now and then, idle or not, and goes on with its task.
fn paused(
    name: &'static str,
    service: &str,
    pause: &str,
    demand: (f64, f64),
    repair: (f64, f64),
    observed: u64,
) -> Case {
    let exact = Breakdowns { rate: 0.1, repair }.response_resumed(0.5, demand);
    let system = format!(
        "workload: [{}]
workers: {{initial: 1, pause: {{every: {{exponential: {{mean: 10s}}}}, for: {pause}}}}}
{UNWATCHED}\n{}\n",
        class("any", 0.5, service, "{}"),
        queue_first("queues: {min: 0, max: 1}")
    );
    case(name, vec![response(exact)], observed, system)
}

/// A worker that dies now and then, idle or not; its task begins anew on the next one. That it died is found out before
/// the next one is there, so that finding out takes no time of its own.
fn restarted() -> Case {
    let exact = Breakdowns { rate: 0.1, repair: (2.0, 4.0) }.response_restarted(0.475, 1.0);
    let system = format!(
        "workload: [{}]
workers: {{initial: 1, lifetime: {{exponential: {{mean: 10s}}}}, restart_after: 2s}}
detection: {{heartbeat: 500ms, ttl: 1500ms}}\n{}\n",
        class("any", 0.475, "1s", "{}"),
        queue_first("queues: {min: 0, max: 1}, running_task_of_lost_worker: {requeue: {max_attempts: 1000000}}")
    );
    case("M/D/1 begun anew 0.6", vec![response(exact)], 60_000, system)
}

/// An idle worker takes a while to begin; a busy one goes on at once.
fn set_up(name: &'static str, rate: f64, delay: u32, observed: u64) -> Case {
    let engine = format!(
        "engine: {{pull_locks: {{created_to_unblocked: 0s, blocker_finished_to_unblocked: 0s, \
         unblocked_to_started: {delay}s, finished_to_next: 0s, pick_jitter: 0s}}}}"
    );
    let system = format!(
        "workload: [{}]\nworkers: {{initial: 1}}\n{UNWATCHED}\n{engine}\n",
        class("any", rate, EXPONENTIAL, "{}")
    );
    case(name, vec![response(response_set_up(rate, f64::from(delay)))], observed, system)
}

/// One worker on several queues: whichever it takes next, the mean response is that of one queue.
fn double_duty(name: &'static str, queues: u32, discipline: &str) -> Case {
    let engine = format!(
        "queues: {{min: {queues}, max: {queues}}}, placement: random, double_duty: {{discipline: {discipline}}}"
    );
    let system = format!(
        "{KEYS}\nworkload: [{}]\nworkers: {{initial: 1}}\n{UNWATCHED}\n{}\n",
        class("any", 0.6, EXPONENTIAL, "{key: 1}"),
        queue_first(&engine)
    );
    case(name, vec![response(1.0 + wait_mmc(1, 0.6))], 50_000, system)
}

/// One resource whose queue is created when it is needed and deleted when it was empty for so many seconds.
fn churn(name: &'static str, load: f64, idle: u32) -> Case {
    let rate = 0.1;
    let mean = load / rate;
    let system = format!(
        "resources: {{repo: {{count: 1}}}}\nworkload: [{}]\nworkers: {{initial: 1}}\n{UNWATCHED}\n{}\n",
        class("any", rate, &format!("{{exponential: {{mean: {mean}s}}}}"), "{repo: 1}"),
        queue_first(&format!("queues: {{min: 0, max: 1}}, delete: {{empty_for: {idle}s}}"))
    );
    let exact = 3_600.0 * creations(rate, load, f64::from(idle));
    // About 50,000 creations: their number, and so its half-width, is that of a Poisson variable or less.
    let observed = (50_000.0 / (exact / 3_600.0) / f64::from(super::REPLICATIONS)) as u64;
    case(name, vec![Known { what: "created/h", exact, value: Value::Metric("queue.created", None) }], observed, system)
}

/// Workers that die and are replaced: how many are up, and how long it takes until one is missed.
fn crashes() -> Case {
    let system = format!(
        "workload: [{}]
workers: {{initial: 8, lifetime: {{exponential: {{mean: 900s}}}}, restart_after: {{exponential: {{mean: 100s}}}}}}
detection: {{heartbeat: 10s, ttl: 30s}}\n{}\n",
        class("any", 0.001, "1s", "{}"),
        queue_first("queues: {min: 0, max: 1}")
    );
    let up = Known { what: "workers up", exact: 7.2, value: Value::Metric("workers.mean", None) };
    let exact = detection(30.0, 10.0, 900.0);
    let found = Known { what: "missed after", exact, value: Value::Detection };
    case("8 workers that die", vec![up, found], 50_000, system)
}

fn class(name: &str, rate: f64, service: &str, claims: &str) -> String {
    format!("{{class: {name}, arrivals: {{poisson: {rate}/s}}, service: {service}, claims: {claims}}}")
}

fn queue_first(options: &str) -> String {
    format!("engine: {{queue_first: {{{options}, lease: none}}}}")
}

fn response(exact: f64) -> Known {
    Known { what: "", exact, value: Value::Metric("response.mean", None) }
}

fn case(name: &'static str, known: Vec<Known>, observed: u64, system: String) -> Case {
    Case { name, known, wanted: Some(0.01), is_full: false, observed, system }
}

fn full(case: Case) -> Case {
    Case { wanted: None, is_full: true, ..case }
}
