//! Exhaustive in the small: every schedule of the real engine, real agents and the messages in flight, with faults, in a
//! scope small enough to try them all. In every state that can be reached, safety holds.
//!
//! Any message may be delivered, any task may end, any fault may strike and time may pass, in any order; time passes in
//! steps of one heartbeat. The state of an engine is a function of the inputs that it was given: states are told apart
//! by these inputs and by everything around the engine. Workers are alike, and numbered in the order in which they join.
//!
//! `LANEKEEPER_SCOPE=2,2,3,1,0 cargo test --release --test exhaustive every -- --nocapture` tries another scope: workers,
//! queues, tasks, faults, and steps of time.

mod small;

use small::{Action, Cluster, Scope};

use std::collections::BTreeSet;

/// How many states and steps between them there are.
fn explore(scope: Scope) -> (usize, u64) {
    let first = Cluster::new(scope);
    let mut seen = BTreeSet::from([first.key()]);
    let mut open = vec![first];
    let mut steps = 0;
    while let Some(state) = open.pop() {
        for action in state.actions() {
            let next = state.after(action);
            steps += 1;
            if seen.insert(next.key()) {
                next.judge();
                open.push(next);
            }
        }
    }
    (seen.len(), steps)
}

#[test]
fn in_every_state_of_a_small_cluster_safety_holds() {
    #[allow(clippy::disallowed_methods, reason = "the size of the scope is asked for from outside")]
    let asked = std::env::var("LANEKEEPER_SCOPE");
    let scopes = asked.map_or(Scope::SMALL.to_vec(), |text| vec![text.parse().expect("a scope")]);
    for scope in scopes {
        let (states, steps) = explore(scope);
        println!("{scope}: {states} states, {steps} steps");
        assert!(states > 1_000, "{scope}: {states} states are not worth the name");
    }
}

#[test]
fn an_engine_that_waits_less_than_it_promised_is_found_out() {
    let mut cluster = Cluster::new(Scope { promised_lease: 6, ..Scope::new(2, 1, 0, 1, 5) });
    let schedule = [Action::Join, Action::Join, Action::Pause(0)].into_iter().chain([Action::TimePasses; 5]);
    let found = std::panic::catch_unwind(move || {
        for action in schedule {
            cluster = cluster.after(action).delivered();
            cluster.judge();
        }
    });
    let found = found.expect_err("the engine grants the queue anew while its owner, which stands still, holds it");
    let text = found.downcast_ref::<String>().expect("a sentence");
    assert!(text.contains("2 workers hold"), "{text}");
}
