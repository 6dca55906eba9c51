//! Histories of workers that leave, of orphans and of the pool.

use super::*;

#[test]
fn a_quiescing_worker_starts_nothing_takes_nothing_up_and_leaves_in_time() {
    let deadline = Time::from_secs(20);
    let mut good = Play::new();
    good.up(W0).fact(Fact::Held { worker: W0, queue: Q1, epoch: Epoch(1), until: None });
    good.at(10).fact(Fact::QuiesceDelivered { worker: W0, deadline });
    good.fact(Fact::Held { worker: W0, queue: Q1, epoch: Epoch(1), until: None });
    good.at(20).fact(Fact::WorkerGone { worker: W0, exit: Exit::Killed });
    assert_eq!(good.counts(), []);
    let mut bad = Play::new();
    bad.up(W0).at(10).fact(Fact::QuiesceDelivered { worker: W0, deadline });
    bad.fact(Fact::Held { worker: W0, queue: Q1, epoch: Epoch(1), until: None }).submit(0, &[], QueueId::GENERAL);
    bad.start(0, W0, QueueId::GENERAL);
    bad.at(21).fact(Fact::WorkerGone { worker: W0, exit: Exit::Left });
    assert_eq!(bad.counts(), [(Property::Quiesce, 3)]);
}

#[test]
fn an_order_to_quiesce_that_nobody_passes_on_is_a_breach_unless_a_message_was_lost() {
    let asked = |lost: bool, delivered_at: Option<u64>| {
        let mut play = Play::new();
        play.up(W0).at(40);
        if lost {
            play.fact(Fact::MessageLost { worker: W0 });
        }
        play.fact(Fact::QuiesceAsked { worker: W0 });
        if let Some(secs) = delivered_at {
            let deadline = Time::from_secs(99);
            play.at(secs).fact(Fact::QuiesceDelivered { worker: W0, deadline });
            play.at(secs + 1).fact(Fact::WorkerGone { worker: W0, exit: Exit::Left });
        }
        play.done().violation_counts[Property::Quiesce.index()]
    };
    assert_eq!(asked(false, Some(50)), 0, "with the next heartbeat at the latest");
    assert_eq!(asked(false, Some(51)), 1);
    assert_eq!(asked(false, None), 1);
    assert_eq!(asked(true, None), 0);
}

#[test]
fn a_lost_message_excuses_an_idle_owner_until_the_next_heartbeat_though_nothing_happens_then() {
    let idle_until = |secs: Option<u64>| {
        let mut play = Play::two();
        play.at(5).fact(Fact::MessageLost { worker: W0 }).submit(0, &[Claim::exclusive(A)], Q1);
        if let Some(secs) = secs {
            play.at(secs).start(0, W0, Q1);
        }
        let seen = play.done();
        assert_eq!(seen.violations.len() as u64, seen.violation_counts[Property::WorkConserving.index()]);
        seen.violations.first().map(|it| (it.at, it.lasted))
    };
    let breach = |lasted| Some((Time::from_secs(15), Some(Span::from_secs(lasted))));
    assert_eq!(idle_until(Some(15)), None);
    assert_eq!(idle_until(Some(16)), breach(1));
    assert_eq!(idle_until(None), breach(85));
}

#[test]
fn the_pool_keeps_its_bounds_and_an_excess_only_shrinks() {
    let queue = |number| Note::QueueCreated { queue: QueueId(number) };
    let mut good = Play::new();
    good.fact(Fact::LimitsSet { min: 2, max: 3 }).note(queue(1)).note(queue(2)).note(queue(3));
    good.at(1).fact(Fact::LimitsSet { min: 1, max: 1 }).note(Note::QueueDraining { queue: QueueId(2) });
    good.at(2).note(Note::QueueDeleted { queue: QueueId(2) });
    assert_eq!(good.counts(), []);
    let mut bad = Play::new();
    bad.fact(Fact::LimitsSet { min: 1, max: 1 }).at(1).note(queue(1)).note(queue(2));
    bad.at(2).submit(0, &[Claim::exclusive(A)], QueueId(2)).note(Note::QueueDeleted { queue: QueueId(2) });
    let seen = bad.done();
    assert_eq!(seen.violation_counts[Property::PoolBounds.index()], 3);
}

#[test]
fn an_orphan_is_taken_up_within_the_bound_unless_nobody_was_there() {
    let crash = Fact::WorkerGone { worker: W0, exit: Exit::Crashed };
    let owned = || {
        let mut play = Play::new();
        play.up(W0).note(Note::QueueCreated { queue: Q1 }).own(Q1, W0, 1);
        play
    };
    let mut good = owned();
    good.up(W1).at(10).fact(crash).at(41).own(Q1, W1, 2);
    assert_eq!(good.counts(), []);
    let mut late = owned();
    late.up(W1).at(10).fact(crash).at(42).own(Q1, W1, 2);
    assert_eq!(late.counts(), [(Property::OrphanBound, 1)]);
    let mut nobody = owned();
    nobody.at(10).fact(crash).at(50).up(W1).at(51).own(Q1, W1, 2);
    assert_eq!(nobody.counts(), []);
    let mut short = owned();
    short.up(W1).at(10).fact(Fact::WorkerPaused { worker: W0 }).at(30).fact(Fact::WorkerResumed { worker: W0 });
    assert_eq!(short.counts(), []);
    // Whom the engine chose next was given up because of a message that was lost: it is the engine's to find out anew.
    let chosen = |lost: bool| {
        let mut play = owned();
        play.up(W1).up(WorkerId(2)).at(10).fact(crash);
        play.note(Note::QueueOwned { queue: Q1, worker: W1, epoch: Epoch(2), why: GrantReason::Vacant });
        if lost {
            play.fact(Fact::MessageLost { worker: W1 });
        }
        play.at(20).note(Note::QueueOrphaned { queue: Q1, worker: W1, lease_ends: Time::ZERO });
        play.at(45).own(Q1, WorkerId(2), 3);
        play.done().violation_counts[Property::OrphanBound.index()]
    };
    assert_eq!((chosen(false), chosen(true)), (1, 0));
    // Nor can one who was chosen after it be in time, where the word to the first was lost.
    let chosen_next = |lost: bool| {
        let mut play = owned();
        play.up(W1).up(WorkerId(2)).at(10).fact(crash);
        play.note(Note::QueueOwned { queue: Q1, worker: W1, epoch: Epoch(2), why: GrantReason::Vacant });
        if lost {
            play.fact(Fact::MessageLost { worker: W1 });
        }
        play.at(40).note(Note::QueueOwned {
            queue: Q1,
            worker: WorkerId(2),
            epoch: Epoch(3),
            why: GrantReason::Relief,
        });
        play.at(45).fact(Fact::Held { worker: WorkerId(2), queue: Q1, epoch: Epoch(3), until: None });
        play.done().violation_counts[Property::OrphanBound.index()]
    };
    assert_eq!((chosen_next(false), chosen_next(true)), (1, 0));
    // A heartbeat from just before the end waits with its engine for the store.
    let mut held = owned();
    held.up(W1).at(10).fact(crash).fact(Fact::EngineHeld { held: true });
    held.at(11).fact(Fact::EngineHeld { held: false }).at(42).own(Q1, W1, 2);
    assert_eq!(held.counts(), []);
    // The last owner comes back, and stands still again before its next heartbeat: a restored engine may know it as the
    // owner, one that took the queue away does not.
    let back = |crashed: bool, returns: bool| {
        let mut play = owned();
        play.up(W1).at(10).fact(Fact::WorkerPaused { worker: W0 }).at(15);
        play.note(Note::QueueOrphaned { queue: Q1, worker: W0, lease_ends: Time::ZERO });
        if crashed {
            play.at(20).fact(Fact::EngineDown { term: Term(1) }).at(30).fact(Fact::EngineUp { term: Term(2) });
        }
        if returns {
            play.at(60).fact(Fact::WorkerResumed { worker: W0 }).at(65).fact(Fact::WorkerPaused { worker: W0 });
        }
        play.at(80).own(Q1, W1, 2);
        play.done().violation_counts[Property::OrphanBound.index()]
    };
    assert_eq!([back(true, true), back(true, false), back(false, true)], [0, 1, 1]);
    // The engine noticed and its record did not, so that a restored one leaves the queue where it was.
    let mut restored = owned();
    restored.at(10).fact(Fact::WorkerPaused { worker: W0 }).at(30);
    restored.note(Note::QueueOrphaned { queue: Q1, worker: W0, lease_ends: Time::from_secs(50) });
    restored.at(35).fact(Fact::WorkerResumed { worker: W0 });
    restored.at(36).fact(Fact::Held { worker: W0, queue: Q1, epoch: Epoch(1), until: None });
    assert_eq!(restored.counts(), []);
}

#[test]
fn where_nothing_comes_in_queues_are_moved_only_after_one_is_deleted() {
    let moved = |created_at: u64, deleted_at: Option<u64>| {
        let mut play = Play::with(Settings { settle_within: Some(Span::from_secs(20)), ..settings() });
        play.up(W0).up(W1).note(Note::QueueCreated { queue: Q1 }).own(Q1, W0, 1);
        play.at(created_at).note(Note::QueueCreated { queue: Q2 });
        if let Some(secs) = deleted_at {
            play.at(secs).note(Note::QueueDeleted { queue: Q2 });
        }
        play.at(60).note(Note::QueueRevoking { queue: Q1, worker: W0, why: GrantReason::Relief });
        play.at(61).note(Note::QueueVacant { queue: Q1 }).own(Q1, W1, 2);
        play.done().violation_counts[Property::Settles.index()]
    };
    assert_eq!(moved(0, None), 1, "there is no cause");
    assert_eq!(moved(0, Some(50)), 0, "a queue less is one");
    assert_eq!(moved(0, Some(30)), 1, "long before");
    assert_eq!(moved(40, Some(50)), 1, "one that came meanwhile is none");
    // The one that becomes superfluous counts no more as soon as it is taken back, which takes time.
    let moved_while = |created_at: u64, draining: bool| {
        let mut play = Play::with(Settings { settle_within: Some(Span::from_secs(20)), ..settings() });
        play.up(W0).up(W1).note(Note::QueueCreated { queue: Q1 }).own(Q1, W0, 1);
        play.at(created_at).note(Note::QueueCreated { queue: Q2 }).own(Q2, W1, 1).at(60);
        if draining {
            play.note(Note::QueueDraining { queue: Q2 });
            play.note(Note::QueueRevoking { queue: Q2, worker: W1, why: GrantReason::Deletion });
        }
        play.note(Note::QueueRevoking { queue: Q1, worker: W0, why: GrantReason::Relief });
        play.at(61).note(Note::QueueVacant { queue: Q2 }).note(Note::QueueDeleted { queue: Q2 });
        play.note(Note::QueueVacant { queue: Q1 }).own(Q1, W1, 2);
        play.done().violation_counts[Property::Settles.index()]
    };
    assert_eq!([moved_while(0, true), moved_while(0, false), moved_while(40, true)], [0, 1, 1]);
    let mut joined = Play::with(Settings { settle_within: Some(Span::from_secs(20)), ..settings() });
    joined.up(W0).note(Note::QueueCreated { queue: Q1 }).own(Q1, W0, 1).at(60).up(W1);
    joined.note(Note::QueueRevoking { queue: Q1, worker: W0, why: GrantReason::Relief });
    assert_eq!(joined.counts(), [], "who joins at this instant is a cause");
}

#[test]
fn a_leaving_worker_that_waits_idle_until_it_is_killed_is_a_breach() {
    let killed_after_it_was_idle_for = |secs: u64| {
        let mut play = Play::two();
        play.submit(0, &[Claim::exclusive(A)], Q1);
        let ticket = play.start(0, W0, Q1);
        play.at(1).fact(Fact::QuiesceDelivered { worker: W0, deadline: Time::from_secs(50) });
        play.at(50 - secs).finish(0, W0, Q1, ticket);
        play.at(50).fact(Fact::WorkerGone { worker: W0, exit: Exit::Killed });
        play.own(Q1, W1, 2);
        play.counts()
    };
    assert_eq!(killed_after_it_was_idle_for(31), [], "the engine has this long to hear and answer");
    assert_eq!(killed_after_it_was_idle_for(32), [(Property::Quiesce, 1)]);
    let mut unreachable = Play::two();
    unreachable.at(1).fact(Fact::QuiesceDelivered { worker: W0, deadline: Time::from_secs(50) });
    unreachable.at(40).fact(Fact::MessageLost { worker: W0 });
    unreachable.at(50).fact(Fact::WorkerGone { worker: W0, exit: Exit::Killed }).own(Q1, W1, 2);
    assert_eq!(unreachable.counts(), []);
}

#[test]
fn a_head_that_is_passed_over_by_later_tasks_starves_unless_they_are_single_ones_of_the_general_queue() {
    let passed = |between: bool, general: bool| {
        let mut play = Play::new();
        play.up(W0);
        for queue in [Q1, Q2] {
            play.note(Note::QueueCreated { queue }).own(queue, W0, 1);
        }
        for task in 0..40 {
            play.accept(task, &[Claim::exclusive(A)]);
            if between {
                play.note(Note::Placed { task: TaskId(task), queue: Q1 });
            }
        }
        play.submit(40, &[Claim::exclusive(B)], Q2);
        for (older, task) in (41..60).enumerate() {
            let (claims, queue) =
                if general { (vec![], QueueId::GENERAL) } else { (vec![Claim::exclusive(ResourceId(2))], Q1) };
            play.at(u64::from(task)).submit(task, &claims, queue);
            let ticket = play.start(task, W0, queue);
            play.finish(task, W0, queue, ticket);
            if between {
                let older = u32::try_from(older).expect("a small number");
                let ticket = play.start(older, W0, Q1);
                play.finish(older, W0, Q1, ticket);
            }
        }
        play.done().violation_counts[Property::NoStarvation.index()]
    };
    assert_eq!(passed(false, true), 1, "one of the general queue after the other");
    assert_eq!(passed(true, true), 0, "in between come older ones, which go first");
    assert_eq!(passed(true, false), 1, "later ones of a queue");
}

#[test]
fn a_task_may_start_again_after_an_attempt_that_began_when_its_worker_counted_as_lost() {
    let again = |lost: bool| {
        let mut play = Play::new();
        play.up(W0).note(Note::QueueCreated { queue: Q1 }).own(Q1, W0, 1).submit(0, &[Claim::exclusive(A)], Q1);
        if lost {
            play.at(30).note(Note::WorkerLost { worker: W0 });
            play.note(Note::QueueOrphaned { queue: Q1, worker: W0, lease_ends: Time::from_secs(50) });
        }
        let first = play.at(31).start(0, W0, Q1);
        play.at(32).end(0, W0, first, AttemptEnd::Completed);
        play.at(61).own(Q1, W0, 2).start(0, W0, Q1);
        play.done().violation_counts[Property::Attempts.index()]
    };
    assert_eq!((again(true), again(false)), (0, 1));
}
