//! Exhaustive in the small: every schedule of the real engine, real agents and the messages in flight, with faults, in
//! a scope small enough to try them all. In every state that can be reached, safety holds.
//!
//! Any message may be delivered, any task may end, any worker may join and any fault may strike, in any order. Time
//! passes in steps of one heartbeat, once what is under way has arrived; that it takes longer is a fault, and so are
//! crashes and pauses of workers, lost, doubled and overtaking messages, an engine that crashes before any single thing
//! that it has to do, a second engine beside it, and what clients and hosts may do, as a cancel. Workers are alike, and
//! numbered in the order in which they begin; `small/canonical.rs` says when two states are one, `small/part.rs` what
//! they share.
//!
//! `LANEKEEPER_SCOPE=2,2,3,1,1 cargo test --release --test exhaustive every -- --nocapture` tries another scope:
//! workers, queues, tasks, faults, and steps of time.

#[path = "sabotage/mod.rs"]
mod sabotage;
mod small;

use std::collections::BTreeSet;
use std::sync::Arc;

use lanekeeper::engine::spec::LeaseSpec;
use lanekeeper::engine::{Input, WorkerMessage};
use sabotage::{Forger, Plant, Saboteur, clients, managers, wrapped};
use small::explore::{Explored, Key, explore, look};
use small::scope::Scope;
use small::{Action, Cluster};

/// What is tried each time.
const SMALL: [Scope; 4] =
    [Scope::new(2, 2, 3, 0, 0), Scope::new(2, 2, 1, 1, 0), Scope::new(2, 1, 1, 1, 1), Scope::new(1, 1, 2, 1, 1)];

#[test]
fn in_every_state_of_a_small_cluster_safety_holds() {
    #[allow(clippy::disallowed_methods, reason = "the size of the scope is asked for from outside")]
    let asked = std::env::var("LANEKEEPER_SCOPE");
    let scopes = asked.map_or(SMALL.to_vec(), |text| vec![text.parse().expect("a scope")]);
    for scope in scopes {
        let Explored { states, steps, depth, wrong } = explore(Cluster::new(&scope.honest()), Cluster::key);
        println!("{scope}: {states} states, {steps} steps between them, at most {depth} from the first");
        if let Some(wrong) = wrong {
            panic!("{scope}: {wrong}");
        }
        assert!(states > 1_000, "{scope}: {states} states are not worth the name");
    }
}

/// A bug for which a small scope is large enough, what is said of it, and what has to strike.
struct Bug {
    said: &'static str,
    scope: Scope,
    strikes: fn(Action) -> bool,
    plant: Plant,
}

fn planted() -> Vec<Bug> {
    let bug = |said, (workers, queues, tasks, faults, steps), strikes, plant| {
        let scope = Scope::new(workers, queues, tasks, faults, steps);
        Bug { said, scope, strikes, plant }
    };
    let late: fn(Action) -> bool = |action| matches!(action, Action::Late(_));
    let paused: fn(Action) -> bool = |action| matches!(action, Action::Pause(_));
    let doubled: fn(Action) -> bool = |action| action == Action::SecondEngine;
    let any: fn(Action) -> bool = |_| true;
    vec![
        bug("workers hold", (2, 1, 0, 1, 3), paused, Plant::Options(|spec| spec.lease = LeaseSpec::None)),
        bug("workers hold", (2, 1, 0, 1, 3), late, Plant::Forger(wrapped::leases_longer_than_it_waits)),
        bug("workers hold", (2, 1, 0, 1, 3), doubled, Plant::Forger(managers::does_not_assert_that_it_leads)),
        bug("workers hold", (2, 2, 0, 0, 0), any, Plant::Forger(wrapped::grants_to_two_workers)),
        bug("workers hold", (2, 2, 1, 0, 0), any, Plant::Forger(wrapped::does_not_wait_for_releases)),
        bug("execute at once", (2, 1, 1, 1, 3), late, Plant::Agents(|agents| agents.fences_itself = false)),
        bug("nothing accounts for", (1, 1, 1, 0, 0), any, Plant::Forger(wrapped::settles_when_it_starts)),
        bug("settles twice", (1, 1, 1, 1, 0), any, Plant::Forger(wrapped::counts_duplicate_reports)),
        bug("starts after settlement", (1, 1, 1, 1, 0), any, Plant::Forger(clients::starts_what_is_cancelled)),
        bug("is settled", (2, 2, 3, 0, 0), any, Plant::Forger(wrapped::overlooks_the_second_claim)),
        bug("waits though", (1, 1, 1, 0, 0), any, Plant::Forger(is_deaf_to_the_idle)),
    ]
}

fn is_deaf_to_the_idle() -> Forger {
    Box::new(|relay, input| {
        if !matches!(input, Input::Worker { message: WorkerMessage::Fetch, .. }) {
            relay.pass(input);
        }
    })
}

#[test]
fn planted_bugs_are_found_by_a_shortest_way() {
    for Bug { said, scope, strikes, plant } in planted() {
        let saboteur = Arc::new(Saboteur::new(&scope.spec(), plant));
        let explored = explore(Cluster::new(&scope.with(saboteur, Some(strikes))), Cluster::key);
        let wrong = explored.wrong.unwrap_or_else(|| panic!("no `{said}` in {} states", explored.states));
        println!("{:>6} states: {wrong}", explored.states);
        assert!(wrong.what.contains(said), "{wrong}");
    }
}

#[test]
fn states_that_are_taken_for_one_lead_to_the_same() {
    for scope in [Scope::new(1, 1, 2, 1, 0), Scope::new(1, 1, 1, 1, 1), Scope::new(2, 1, 0, 1, 0)] {
        let keys = |key: Key| {
            let mut keys = BTreeSet::new();
            let explored = look(Cluster::new(&scope.honest()), key, &mut |state| {
                keys.insert(state.key());
            });
            (explored, keys)
        };
        let (few, by_few) = keys(Cluster::key);
        let (many, by_many) = keys(Cluster::literal_key);
        println!("{scope}: {} states by order, {} by number", few.states, many.states);
        assert!(few.states < many.states, "{scope}: nothing is taken for one");
        assert!(by_few == by_many, "{scope}: {} states and {} states", by_few.len(), by_many.len());
    }
}
