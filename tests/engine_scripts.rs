//! What `queue_first` does, as a list of behaviours. The real engine and real agents, driven by hand.

mod rig;

use lanekeeper::base::note::ParkReason;
use lanekeeper::base::{Note, Outcome, QueueId, Span, WorkerId};
use lanekeeper::engine::message::{Effect, Ended, Record};
use lanekeeper::engine::spec::*;
use rig::*;

const W1: WorkerId = WorkerId(0);
const W2: WorkerId = WorkerId(1);

#[test]
fn vacant_to_owned_when_a_worker_joins() {
    let mut rig = Rig::new(spec(1, 1), 0);
    assert_eq!((rig.queues(), rig.owner(1)), (1, None));
    rig.join();
    assert_eq!(rig.owner(1), Some(W1));
}

#[test]
fn zero_queues_and_zero_workers_at_the_first_claim() {
    let mut rig = Rig::new(spec(0, 4), 0);
    assert_eq!(rig.queues(), 0);
    let task = rig.exclusive(&[A]);
    assert_eq!((rig.queues(), rig.place(task), rig.owner(1)), (1, Some(1), None));
    rig.join();
    assert_eq!(rig.running(W1), Some(task));
}

#[test]
fn owned_to_orphaned_when_its_owner_is_lost_and_to_vacant_when_the_lease_ends() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let task = rig.exclusive(&[A]);
    rig.crash(W1);
    rig.pass(Span::from_micros(29_999_999));
    assert_eq!(rig.owner(1), Some(W1));
    rig.pass(Span::from_micros(1));
    assert_eq!(rig.owner(1), None, "orphaned at the ttl");
    rig.pass(Span::from_micros(999_999));
    assert_eq!(rig.running(W2), None, "the margin is not over");
    rig.pass(Span::from_micros(1));
    assert_eq!((rig.owner(1), rig.running(W2)), (Some(W2), Some(task)));
}

#[test]
fn a_heartbeat_exactly_at_the_ttl_counts() {
    let lost_at_the_ttl = |arrives: bool| {
        let mut rig = Rig::new(spec(1, 1), 2);
        rig.hold_from(W1);
        rig.pass(secs(30) - Span::from_micros(1));
        if arrives {
            rig.lose_from(W1); // The beats of 10 s and 20 s; the one of 30 s comes through, exactly at the ttl.
        }
        rig.pass(Span::from_micros(1));
        rig.notes.contains(&Note::WorkerLost { worker: W1 })
    };
    assert!(!lost_at_the_ttl(true));
    assert!(lost_at_the_ttl(false));
}

#[test]
fn without_leases_a_lost_workers_queue_is_granted_at_once() {
    let mut rig = Rig::new(QueueFirstSpec { lease: LeaseSpec::None, ..spec(1, 1) }, 2);
    rig.exclusive(&[A]);
    rig.crash(W1);
    rig.pass(secs(30));
    assert_eq!(rig.owner(1), Some(W2));
}

#[test]
fn a_quiesce_crosses_a_start() {
    let mut rig = Rig::new(spec(1, 1), 2);
    rig.hold_to(W1);
    let task = rig.exclusive(&[A]); // The start is on its way.
    rig.terminate(W1);
    rig.let_go();
    assert_eq!(rig.running(W2), Some(task), "declined, which is no attempt");
    assert_eq!(rig.starts_of(task), 1);
    assert!(!rig.is_alive(W1));
    rig.finish(W2);
    assert_eq!(rig.settled[&task], Outcome::Completed);
}

#[test]
fn a_revoke_crosses_a_start() {
    let mut rig = Rig::new(spec(1, 1), 2);
    rig.hold_to(W1);
    let first = rig.exclusive(&[A]);
    let second = rig.exclusive(&[A]);
    rig.quiesce(W1);
    rig.let_go();
    assert_eq!(rig.running(W1), Some(first), "the start came first: it is finished, then the queue is released");
    assert_eq!(rig.running(W2), None);
    rig.finish(W1);
    assert_eq!(rig.running(W2), Some(second));
}

#[test]
fn finished_is_lost_and_repeated_after_the_queue_was_granted_anew() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let task = rig.exclusive(&[A]);
    rig.hold_from(W1);
    rig.finish(W1);
    rig.lose_from(W1);
    rig.hold_from(W1);
    rig.pass(secs(40));
    assert_eq!(rig.running(W2), Some(task), "executed again: its first report never came");
    rig.let_go();
    rig.pass(secs(10));
    assert!(!rig.settled.contains_key(&task), "the stale report changes nothing");
    rig.finish(W2);
    assert_eq!(rig.settled[&task], Outcome::Completed);
    assert_eq!(rig.starts_of(task), 2);
}

#[test]
fn a_lost_report_is_repeated_by_the_next_heartbeat() {
    let mut rig = Rig::new(spec(1, 1), 1);
    let task = rig.exclusive(&[A]);
    rig.hold_from(W1);
    rig.finish(W1);
    rig.lose_from(W1);
    rig.pass(secs(10));
    assert_eq!(rig.settled[&task], Outcome::Completed);
}

#[test]
fn an_answer_that_carried_the_next_order_is_lost_and_both_are_repeated() {
    let mut rig = Rig::new(spec(1, 1), 1);
    let (first, second) = (rig.exclusive(&[A]), rig.exclusive(&[A]));
    rig.hold_to(W1);
    rig.finish(W1);
    assert!(rig.settled.contains_key(&first) && rig.running(W1).is_none());
    rig.lose_to(W1);
    rig.pass(secs(10));
    assert_eq!(rig.running(W1), Some(second), "the order is given again");
    rig.terminate(W1);
    rig.finish(W1);
    assert!(!rig.is_alive(W1), "no report is left unanswered");
    assert_eq!((rig.starts_of(first), rig.starts_of(second)), (1, 1));
}

#[test]
fn a_quiesce_crosses_an_answer_that_carries_an_order_and_the_order_is_declined() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let (first, second) = (rig.exclusive(&[A]), rig.exclusive(&[A]));
    rig.hold_to(W1);
    rig.finish(W1);
    rig.terminate(W1);
    assert!(rig.is_alive(W1), "its report is not answered yet");
    rig.let_go();
    assert!(!rig.is_alive(W1));
    assert_eq!(rig.running(W2), Some(second));
    assert_eq!((rig.starts_of(first), rig.starts_of(second)), (1, 1));
}

#[test]
fn a_lost_revoke_is_repeated_by_the_answer_to_the_next_heartbeat() {
    let mut rig = Rig::new(spec(1, 1), 2);
    rig.hold_to(W1);
    rig.quiesce(W1);
    rig.lose_to(W1);
    assert_eq!(rig.owner(1), Some(W1));
    rig.pass(secs(10));
    assert_eq!(rig.owner(1), Some(W2));
}

#[test]
fn a_lost_grant_is_repeated_by_the_answer_to_the_next_heartbeat() {
    let mut rig = Rig::new(spec(0, 1), 1);
    rig.hold_to(W1);
    let task = rig.exclusive(&[A]);
    rig.lose_to(W1);
    rig.pass(secs(20));
    assert_eq!(rig.running(W1), Some(task));
    assert_eq!(rig.starts_of(task), 1);
}

#[test]
fn a_lost_start_is_sent_again_after_the_next_heartbeat() {
    let mut rig = Rig::new(spec(1, 1), 1);
    rig.hold_to(W1);
    let task = rig.exclusive(&[A]);
    rig.lose_to(W1);
    rig.pass(secs(10));
    assert_eq!(rig.running(W1), Some(task));
}

#[test]
fn the_owner_dies_while_revoking() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let first = rig.exclusive(&[A]);
    let second = rig.exclusive(&[A]);
    rig.quiesce(W1);
    rig.crash(W1);
    rig.pass(secs(31));
    assert_eq!(rig.running(W2), Some(first), "put back at the head");
    rig.finish(W2);
    assert_eq!(rig.running(W2), Some(second));
}

#[test]
fn a_newcomer_joins_while_the_orphans_lease_runs() {
    let mut rig = Rig::new(spec(1, 1), 1);
    let task = rig.exclusive(&[A]);
    rig.crash(W1);
    rig.pass(secs(30));
    let newcomer = rig.join();
    assert_eq!(rig.running(newcomer), None, "the lost worker may still act on its lease");
    rig.pass(secs(1));
    assert_eq!(rig.running(newcomer), Some(task));
}

#[test]
fn a_draining_queue_gets_a_conflicting_task() {
    let mut rig = Rig::new(spec(2, 2), 2);
    let a = rig.exclusive(&[A]);
    let b = rig.exclusive(&[B]);
    assert_ne!(rig.place(a), rig.place(b));
    rig.limits(1, 1);
    let drained = *rig.draining.first().expect("one queue drains");
    let resource = if rig.places[&a] == drained { A } else { B };
    let later = rig.exclusive(&[resource]);
    assert_eq!(rig.places[&later], drained, "order holds: it follows the task that it conflicts with");
    rig.run_dry();
    assert_eq!((rig.queues(), rig.settled.len()), (1, 3));
}

#[test]
fn parked_tasks_of_several_resources_run_in_order_without_blocking_the_unrelated() {
    let mut rig = Rig::new(spec(2, 2), 2);
    let t1 = rig.exclusive(&[A]);
    let t2 = rig.exclusive(&[B]);
    let t3 = rig.exclusive(&[A, B]);
    let t4 = rig.exclusive(&[B, C]);
    let t5 = rig.exclusive(&[C]);
    let unrelated = rig.exclusive(&[D]);
    assert_eq!(rig.parked.iter().copied().collect::<Vec<_>>(), [t3, t4, t5]);
    assert!(rig.place(unrelated).is_some());
    assert!(rig.notes.contains(&Note::Parked { task: t3, why: ParkReason::Split(QueueId(1), QueueId(2)) }));
    assert!(rig.notes.contains(&Note::Parked { task: t5, why: ParkReason::BehindParked(t4) }));
    rig.run_dry();
    let starts = rig.order_of_starts();
    let at = |task| starts.iter().position(|other| *other == task).expect("started");
    assert!(at(t1) < at(t3) && at(t2) < at(t3) && at(t3) < at(t4) && at(t4) < at(t5));
    assert_eq!(rig.settled.len(), 6);
}

#[test]
fn two_shared_then_an_exclusive_then_a_shared_claim_over_two_queues() {
    let mut rig = Rig::new(spec(2, 2), 2);
    let s1 = rig.shared(&[A]);
    let s2 = rig.shared(&[A]);
    let x = rig.exclusive(&[A]);
    let s3 = rig.shared(&[A]);
    assert!(rig.is_running(s1) && rig.is_running(s2), "shared claims run together");
    assert!(rig.parked.contains(&x) && rig.parked.contains(&s3));
    rig.finish(rig.executor(s1));
    assert_eq!(rig.place(x), rig.place(s2), "all in conflict lie in one queue: it follows");
    assert!(!rig.is_running(x));
    rig.finish(rig.executor(s2));
    rig.run_dry();
    assert_eq!(rig.order_of_starts(), [s1, s2, x, s3]);
}

#[test]
fn max_is_lowered_below_the_number_of_busy_queues() {
    let mut rig = Rig::new(spec(4, 4), 4);
    for resource in 0..4 {
        rig.exclusive(&[resource]);
        rig.exclusive(&[resource]);
    }
    rig.limits(1, 2);
    assert_eq!((rig.queues(), rig.draining.len()), (4, 2));
    rig.exclusive(&[9]);
    assert_eq!(rig.queues(), 4, "the excess never grows");
    rig.run_dry();
    assert_eq!((rig.queues(), rig.settled.len()), (2, 9));
}

#[test]
fn draining_to_active_when_a_queue_is_needed_again() {
    let mut rig = Rig::new(spec(2, 2), 2);
    rig.exclusive(&[A]);
    rig.exclusive(&[B]);
    rig.limits(1, 1);
    assert_eq!(rig.draining.len(), 1);
    rig.limits(2, 2);
    assert_eq!((rig.draining.len(), rig.queues()), (0, 2));
    assert!(rig.notes.iter().any(|note| matches!(note, Note::QueueRevived { .. })));
}

#[test]
fn twelve_queues_and_two_surviving_workers() {
    let mut rig = Rig::new(spec(12, 12), 12);
    for resource in 0..12 {
        rig.exclusive(&[resource]);
        rig.exclusive(&[resource]);
    }
    for worker in 2..12 {
        rig.crash(WorkerId(worker));
    }
    rig.pass(secs(31));
    assert_eq!((rig.owned_by(W1), rig.owned_by(W2)), (6, 6));
    rig.run_dry();
    assert_eq!(rig.settled.len(), 24);
    assert!(rig.settled.values().all(|outcome| *outcome == Outcome::Completed));
}

#[test]
fn an_agent_stops_its_task_when_its_lease_ends_and_before_the_engine_grants_anew() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let task = rig.exclusive(&[A]);
    rig.hold_to(W1); // It hears nothing: its lease is not renewed.
    rig.hold_from(W1);
    rig.pass(secs(30));
    assert_eq!(rig.running(W1), None, "stopped by itself");
    assert_eq!(rig.running(W2), None);
    rig.pass(secs(1));
    assert_eq!(rig.running(W2), Some(task));
}

#[test]
fn a_paused_worker_stops_its_task_first_of_all_when_it_wakes() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let task = rig.exclusive(&[A]);
    rig.pause(W1);
    rig.pass(secs(40));
    assert_eq!(rig.running(W2), Some(task));
    rig.wake(W1);
    assert_eq!(rig.running(W1), None);
    rig.finish(W2);
    assert_eq!(rig.starts_of(task), 2);
    let other = rig.claimless();
    assert!(rig.running(W1) == Some(other) || rig.running(W2) == Some(other), "it joined again");
}

#[test]
fn without_leases_a_woken_worker_goes_on_and_its_report_is_stale() {
    let none = QueueFirstSpec { lease: LeaseSpec::None, running_task_of_lost_worker: LostTask::Fail, ..spec(1, 1) };
    let mut rig = Rig::new(none, 2);
    let task = rig.exclusive(&[A]);
    let next = rig.exclusive(&[A]);
    rig.pause(W1);
    rig.pass(secs(35));
    assert_eq!((rig.settled[&task], rig.running(W2)), (Outcome::Failed, Some(next)));
    rig.wake(W1);
    assert_eq!(rig.running(W1), Some(task), "the zombie");
    rig.finish(W1);
    rig.finish(W2);
    assert_eq!(rig.settled[&task], Outcome::Failed);
    assert_eq!(rig.settled[&next], Outcome::Completed);
}

#[test]
fn a_task_is_tried_max_attempts_times_and_then_fails() {
    let mut rig = Rig::new(spec(1, 1), 3);
    let task = rig.exclusive(&[A]);
    for _ in 0..3 {
        rig.crash(rig.executor(task));
        rig.pass(secs(32));
    }
    assert_eq!(rig.settled[&task], Outcome::Failed);
}

#[test]
fn a_failed_task_settles_as_failed_and_the_next_one_starts() {
    let mut rig = Rig::new(spec(1, 1), 1);
    let task = rig.exclusive(&[A]);
    let next = rig.exclusive(&[A]);
    rig.end(W1, Ended::Failed);
    assert_eq!((rig.settled[&task], rig.running(W1)), (Outcome::Failed, Some(next)));
}

#[test]
fn cancelled_while_waiting_parked_and_running() {
    let mut rig = Rig::new(spec(2, 2), 2);
    let t1 = rig.exclusive(&[A]);
    let t2 = rig.exclusive(&[B]);
    let waiting = rig.exclusive(&[A]);
    let parked = rig.exclusive(&[A, B]);
    let behind = rig.exclusive(&[A]);
    rig.cancel(waiting);
    assert_eq!(rig.settled[&waiting], Outcome::Cancelled);
    assert!(rig.parked.contains(&parked));
    rig.cancel(parked);
    assert_eq!(rig.place(behind), rig.place(t1), "what waited for the parked task is looked at again");
    rig.cancel(t1);
    assert_eq!((rig.settled[&t1], rig.is_running(behind)), (Outcome::Cancelled, true));
    rig.cancel(t1);
    rig.run_dry();
    assert_eq!(rig.settled.len(), 5);
    assert_eq!(rig.settled[&t2], Outcome::Completed);
}

#[test]
fn parked_at_max_until_a_queue_is_empty_or_the_time_is_over() {
    let park = AtMax::Park(ParkLimit { at_most: secs(60) });
    let mut rig = Rig::new(QueueFirstSpec { at_max: park, ..spec(1, 1) }, 1);
    let t1 = rig.exclusive(&[A]);
    let t2 = rig.exclusive(&[B]);
    let t3 = rig.exclusive(&[C]);
    assert!(rig.notes.contains(&Note::Parked { task: t2, why: ParkReason::AtMax }));
    rig.finish(W1);
    assert_eq!((rig.running(W1), rig.place(t3)), (Some(t2), None));
    rig.pass(secs(60));
    assert_eq!(rig.place(t3), Some(1), "shares after all");
    rig.run_dry();
    assert_eq!(rig.order_of_starts(), [t1, t2, t3]);
}

#[test]
fn double_duty_disciplines() {
    let starts = |discipline| {
        let duty = DoubleDuty { prefer_at_most: 2, discipline };
        let mut rig = Rig::new(QueueFirstSpec { double_duty: duty, ..spec(2, 2) }, 0);
        for resource in [A, A, A, B, B] {
            rig.exclusive(&[resource]);
        }
        rig.join();
        rig.run_dry();
        rig.order_of_starts().into_iter().map(|task| task.0).collect::<Vec<_>>()
    };
    assert_eq!(starts(Discipline::OldestHead), [0, 1, 2, 3, 4]);
    assert_eq!(starts(Discipline::DrainFirst), [0, 1, 2, 3, 4]);
    assert_eq!(starts(Discipline::RoundRobin), [0, 3, 1, 4, 2]);
}

#[test]
fn a_round_goes_on_where_it_was_when_all_queues_are_granted_anew() {
    let mut rig = Rig::new(spec(2, 2), 1);
    let tasks = [A, B, A, B].map(|resource| rig.exclusive(&[resource]));
    assert_eq!(rig.finish(W1), tasks[0]);
    assert_eq!(rig.running(W1), Some(tasks[1]));
    rig.crash(W1);
    rig.pass(secs(60));
    let next = rig.join();
    assert_eq!(rig.running(next), Some(tasks[2]), "it is the first queue's turn");
}

#[test]
fn records_follow_what_is_unfinished() {
    let mut rig = Rig::new(spec(1, 4), 3);
    for resource in 0..40 {
        rig.exclusive(&[resource % 7]);
    }
    rig.run_dry();
    rig.pass(secs(300));
    assert_eq!(rig.settled.len(), 40);
    let left: Vec<_> = rig.store.keys().cloned().collect();
    assert_eq!(left.len(), 1 + rig.queues(), "limits and queues only: {left:?}");
}

#[test]
fn what_is_sent_follows_the_record_that_it_relies_on() {
    let mut rig = Rig::new(spec(1, 1), 1);
    let task = rig.exclusive(&[A]);
    let persisted = rig.effects.iter().position(
        |effect| matches!(effect, Effect::Persist(Record::Attempt { task: t, running: Some(_), .. }) if *t == task),
    );
    let sent = rig.effects.iter().rposition(|effect| matches!(effect, Effect::Send(..)));
    assert!(persisted.expect("a record of the start") < sent.expect("the start"));
}

#[test]
fn an_answer_that_was_under_way_does_not_give_a_grant_back_that_the_agent_gave_up() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let task = rig.exclusive(&[A]);
    rig.hold_to(W1); // Its heartbeats arrive, the answers do not.
    rig.pass(secs(30));
    assert_eq!((rig.running(W1), rig.executor(task)), (None, W2), "its lease is over and the engine knows");
    rig.let_go();
    rig.exclusive(&[A]);
    assert_eq!(rig.running(W1), None, "the late answers offer the old epoch");
}
