//! Histories of what a restored engine does not know: it takes a queue as owned that its predecessor was taking back.

use super::*;

/// An engine takes a queue back from its owner; with `restored`, another one takes its place before it has it.
fn taken_back(settings: Settings, restored: bool) -> Play {
    let mut play = Play::with(settings);
    play.up(W0).up(W1);
    for queue in [Q1, Q2] {
        play.note(Note::QueueCreated { queue }).own(queue, W0, 1);
    }
    play.at(1).note(Note::QueueRevoking { queue: Q1, worker: W0, why: GrantReason::Relief });
    if restored {
        play.at(2).fact(Fact::EngineDown { term: Term(1) }).at(3).fact(Fact::EngineUp { term: Term(2) });
    }
    play
}

#[test]
fn an_owner_that_a_restored_engine_leaves_idle_is_a_breach_though_its_predecessor_took_the_queue_back() {
    let idle = |restored: bool| {
        let mut play = taken_back(settings(), restored);
        play.at(20).submit(0, &[Claim::exclusive(A)], Q1);
        let ticket = play.at(25).start(0, W0, Q1);
        play.at(30).finish(0, W0, Q1, ticket);
        play.done().violation_counts[Property::WorkConserving.index()]
    };
    assert_eq!((idle(false), idle(true)), (0, 1));
}

#[test]
fn queues_that_a_restored_engine_never_evens_out_are_a_breach_though_its_predecessor_was_moving_one() {
    let uneven = |restored: bool| {
        let settings = Settings { settle_within: Some(Span::from_secs(20)), ..settings() };
        taken_back(settings, restored).done().violation_counts[Property::Settles.index()]
    };
    assert_eq!((uneven(false), uneven(true)), (0, 1));
}
