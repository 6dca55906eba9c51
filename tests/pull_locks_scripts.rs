//! What `pull_locks` does, as a list of behaviours. The real engine and real agents, driven by hand.
//!
//! The conformance cases are those of pulpcore: `tests/functional/api/test_tasking.py`, `test_multi_resource_locking`.

mod rig;

use lanekeeper::base::{Outcome, Span, TaskId, WorkerId};
use lanekeeper::engine::pull_locks::factory;
use lanekeeper::engine::pull_locks::spec::{CleanUp, CleanUpBeats, PullLocksPreset, PullLocksSpec};
use lanekeeper::engine::{Detection, Overhead};
use rig::*;

const W1: WorkerId = WorkerId(0);
const W2: WorkerId = WorkerId(1);

/// A version without dispatch costs and without jitter: what is left is the rules.
fn bare(preset: PullLocksPreset) -> PullLocksSpec {
    PullLocksSpec {
        preset,
        created_to_unblocked: Some(Overhead::NONE),
        blocker_finished_to_unblocked: Some(Overhead::NONE),
        unblocked_to_started: Some(Overhead::NONE),
        finished_to_next: Some(Overhead::NONE),
        pick_jitter: Some(Span::ZERO),
        pick_order: Vec::new(),
        clean_up: None,
    }
}

fn cluster(spec: &PullLocksSpec, workers: u32) -> Rig {
    let mut rig = Rig::driving(factory(spec).as_ref(), Detection { heartbeat: secs(10), ttl: secs(30) });
    for _ in 0..workers {
        rig.join();
    }
    rig
}

/// pulpcore 3.123, bare.
fn recent(workers: u32) -> Rig {
    cluster(&bare(PullLocksPreset::V3_123), workers)
}

/// Lets everything happen that takes no time.
fn now(rig: &mut Rig) {
    rig.pass(Span::ZERO);
}

#[test]
fn a_task_behind_a_blocked_one_waits_though_its_resource_is_free() {
    let mut rig = recent(3);
    let t1 = rig.exclusive(&[A]);
    let t2 = rig.exclusive(&[A, B]);
    let t3 = rig.exclusive(&[B]);
    now(&mut rig);
    assert!(rig.is_running(t1) && !rig.is_running(t2) && !rig.is_running(t3));
    rig.finish(rig.executor(t1));
    now(&mut rig);
    assert!(rig.is_running(t2) && !rig.is_running(t3));
    rig.finish(rig.executor(t2));
    now(&mut rig);
    assert!(rig.is_running(t3));
}

#[test]
fn shared_claims_run_together_since_3_15_and_one_by_one_before() {
    for (preset, together) in [(PullLocksPreset::V3_123, true), (PullLocksPreset::V3_14, false)] {
        let mut rig = cluster(&bare(preset), 2);
        rig.shared(&[A]);
        let second = rig.shared(&[A]);
        now(&mut rig);
        assert_eq!(rig.is_running(second), together, "{preset:?}");
    }
}

#[test]
fn tasks_without_conflict_use_all_workers() {
    let mut rig = recent(3);
    let tasks = [rig.exclusive(&[A]), rig.exclusive(&[B]), rig.claimless()];
    now(&mut rig);
    assert!(tasks.iter().all(|task| rig.is_running(*task)));
}

#[test]
fn without_jitter_free_workers_take_the_oldest_and_with_it_any_of_the_last_eight_seconds() {
    let order = |jitter| {
        let mut rig = cluster(&PullLocksSpec { pick_jitter: Some(jitter), ..bare(PullLocksPreset::V3_123) }, 1);
        let first = rig.exclusive(&[0]);
        now(&mut rig);
        for resource in 1..=20 {
            rig.pass(Span::from_millis(500));
            rig.exclusive(&[resource]);
        }
        rig.finish(rig.executor(first));
        for _ in 1..=20 {
            now(&mut rig);
            rig.finish(W1);
        }
        rig.order_of_starts()
    };
    let oldest_first: Vec<TaskId> = (0..=20).map(TaskId).collect();
    assert_eq!(order(Span::ZERO), oldest_first);
    let jittered = order(secs(8));
    assert_ne!(jittered, oldest_first);
    // A task is passed over only for one that was created less than 8 s, 16 tasks, after it.
    for (position, task) in jittered.iter().enumerate() {
        let youngest_before = jittered[..position].iter().max().map_or(0, |it| it.0);
        assert!(youngest_before < task.0 + 16, "{task} after t{youngest_before}");
    }
}

#[test]
fn what_a_recorded_history_shows_is_taken_in_that_order_and_the_rest_after_it() {
    let spec = PullLocksSpec { pick_order: vec![0, 3, 1], ..bare(PullLocksPreset::V3_123) };
    let mut rig = cluster(&spec, 1);
    for resource in 0..5 {
        rig.exclusive(&[resource]);
    }
    for _ in 0..5 {
        now(&mut rig);
        rig.finish(W1);
    }
    assert_eq!(rig.order_of_starts(), [0, 3, 1, 2, 4].map(TaskId));
}

#[test]
fn every_step_takes_its_time() {
    let spec = PullLocksSpec {
        created_to_unblocked: Some(Overhead::millis(10)),
        blocker_finished_to_unblocked: Some(Overhead::millis(30)),
        unblocked_to_started: Some(Overhead::millis(70)),
        finished_to_next: Some(Overhead::millis(90)),
        ..bare(PullLocksPreset::V3_123)
    };
    let mut rig = cluster(&spec, 1);
    let t1 = rig.exclusive(&[A]);
    let t2 = rig.exclusive(&[A]);
    let t3 = rig.exclusive(&[B]);
    rig.pass(Span::from_micros(79_999));
    assert!(!rig.is_running(t1));
    rig.pass(Span::from_micros(1));
    assert!(rig.is_running(t1), "10 ms to be unblocked, 70 ms to be started");
    rig.finish(W1);
    rig.pass(Span::from_micros(89_999));
    assert!(!rig.is_running(t3));
    rig.pass(Span::from_micros(1));
    assert!(rig.is_running(t3), "unblocked and waiting: 90 ms after the end of the last one");
    assert!(!rig.is_running(t2), "unblocked only 30 ms after the end of t1, when the worker had taken t3");
}

#[test]
fn a_heartbeat_between_taking_a_task_and_starting_it_loses_nothing() {
    let spec = PullLocksSpec { unblocked_to_started: Some(Overhead::millis(5_000)), ..bare(PullLocksPreset::V3_123) };
    let mut rig = cluster(&spec, 1);
    rig.pass(secs(8));
    let task = rig.exclusive(&[A]);
    rig.pass(secs(5));
    assert!(rig.is_running(task));
}

#[test]
fn a_dead_workers_running_task_is_failed_at_the_clean_up_and_never_retried_while_waiting_ones_are_kept() {
    let beats = CleanUpBeats { first_min: 10, first_max: 10, every: 100 };
    let spec = PullLocksSpec { clean_up: Some(CleanUp::Heartbeats(beats)), ..bare(PullLocksPreset::V3_123) };
    let mut rig = cluster(&spec, 2);
    let running = rig.exclusive(&[A]);
    let waiting = rig.exclusive(&[A]);
    now(&mut rig);
    let dead = rig.executor(running);
    rig.crash(dead);
    rig.pass(secs(99));
    assert!(!rig.settled.contains_key(&running), "its lock is nobody's to free yet");
    rig.pass(secs(2));
    rig.exclusive(&[B]); // Somebody must look for work to find the abandoned one.
    now(&mut rig);
    assert_eq!(rig.settled[&running], Outcome::Failed);
    assert_eq!(rig.starts_of(running), 1);
    rig.run_dry();
    now(&mut rig);
    assert!(rig.is_running(waiting), "{:?}", rig.settled);
}

#[test]
fn a_dead_worker_takes_no_task_and_keeps_the_one_that_it_took_until_the_clean_up() {
    let spec = PullLocksSpec {
        unblocked_to_started: Some(Overhead::millis(70)),
        clean_up: Some(CleanUp::At(vec![secs(60)])),
        ..bare(PullLocksPreset::V3_123)
    };
    let mut rig = cluster(&spec, 2);
    let taken = rig.exclusive(&[0]);
    now(&mut rig);
    rig.crash(W1); // Between taking it and starting it.
    let others: Vec<TaskId> = (1..=3).map(|resource| rig.exclusive(&[resource])).collect();
    for _ in &others {
        rig.pass(secs(1));
        rig.finish(W2);
    }
    assert_eq!(rig.order_of_starts(), others, "the other worker takes all of them");
    rig.pass(secs(60));
    assert_eq!(rig.executor(taken), W2, "it was never begun and waits for the next worker");
}

#[test]
fn before_3_89_the_lock_vanishes_with_the_connection() {
    for (preset, outcome) in [(PullLocksPreset::V3_48, Outcome::Failed), (PullLocksPreset::V3_14, Outcome::Cancelled)] {
        let mut rig = cluster(&bare(preset), 2);
        let running = rig.exclusive(&[A]);
        now(&mut rig);
        rig.crash(rig.executor(running));
        rig.exclusive(&[B]);
        now(&mut rig);
        assert_eq!(rig.settled.get(&running), Some(&outcome), "{preset:?}");
    }
}

#[test]
fn a_paused_worker_keeps_its_advisory_lock_and_loses_an_app_lock() {
    for (preset, kept) in [(PullLocksPreset::V3_48, true), (PullLocksPreset::V3_123, false)] {
        let clean_up = (!kept).then(|| CleanUp::At(vec![secs(60)]));
        let mut rig = cluster(&PullLocksSpec { clean_up, ..bare(preset) }, 2);
        let running = rig.exclusive(&[A]);
        now(&mut rig);
        let sleeper = rig.executor(running);
        rig.pause(sleeper);
        rig.pass(secs(61));
        rig.exclusive(&[B]);
        now(&mut rig);
        assert_eq!(!rig.settled.contains_key(&running), kept, "{preset:?}");
        rig.wake(sleeper);
        assert_eq!(rig.is_running(running), kept, "whose heartbeat fails, stops its task");
    }
}

#[test]
fn a_worker_that_wakes_without_its_app_lock_does_not_begin_the_task_that_it_took() {
    let spec = PullLocksSpec { clean_up: Some(CleanUp::At(vec![secs(60)])), ..bare(PullLocksPreset::V3_123) };
    let mut rig = cluster(&spec, 1);
    rig.pause(W1);
    let task = rig.exclusive(&[A]);
    rig.pass(secs(61));
    assert_eq!(rig.settled[&task], Outcome::Failed);
    rig.wake(W1);
    assert_eq!(rig.starts_of(task), 0);
    let next = rig.exclusive(&[A]);
    rig.pass(secs(10));
    assert!(rig.is_running(next), "it is a worker like any other again");
}

#[test]
fn a_worker_that_is_told_to_leave_takes_nothing_new_and_finishes_its_task() {
    let mut rig = recent(1);
    let running = rig.exclusive(&[A]);
    let waiting = rig.exclusive(&[B]);
    now(&mut rig);
    rig.terminate(W1);
    rig.pass(secs(3_600));
    assert_eq!(rig.running(W1), Some(running));
    rig.finish(W1);
    now(&mut rig);
    assert_eq!(rig.settled[&running], Outcome::Completed);
    assert!(!rig.is_alive(W1));
    rig.join();
    now(&mut rig);
    assert_eq!(rig.running(W2), Some(waiting));
}

#[test]
fn pulpcore_3_14_gives_a_leaving_worker_three_heartbeats() {
    let mut rig = cluster(&bare(PullLocksPreset::V3_14), 1);
    let running = rig.exclusive(&[A]);
    now(&mut rig);
    rig.terminate(W1);
    rig.pass(Span::from_micros(29_999_999));
    assert_eq!(rig.running(W1), Some(running));
    rig.pass(Span::from_micros(1));
    assert_eq!(rig.settled[&running], Outcome::Cancelled);
}

#[test]
fn a_cancelled_task_waits_no_more_or_is_stopped() {
    let mut rig = recent(1);
    let running = rig.exclusive(&[A]);
    let waiting = rig.exclusive(&[A]);
    let last = rig.exclusive(&[A]);
    now(&mut rig);
    rig.cancel(waiting);
    rig.cancel(running);
    now(&mut rig);
    assert_eq!((rig.settled[&running], rig.settled[&waiting]), (Outcome::Cancelled, Outcome::Cancelled));
    assert!(rig.is_running(last));
}

#[test]
fn a_lost_start_is_repeated_and_a_stale_report_changes_nothing() {
    let mut rig = recent(2);
    rig.hold_to(W1);
    rig.hold_to(W2);
    let task = rig.exclusive(&[A]);
    now(&mut rig);
    rig.lose_to(W1);
    rig.lose_to(W2);
    assert!(!rig.is_running(task));
    rig.pass(secs(10));
    assert!(rig.is_running(task));
    let sleeper = rig.executor(task);
    rig.hold_from(sleeper);
    rig.finish(sleeper);
    rig.pass(secs(5_000)); // Cleaned up meanwhile, though nobody looked for work.
    rig.exclusive(&[B]);
    now(&mut rig);
    assert_eq!(rig.settled[&task], Outcome::Failed);
    rig.let_go();
    assert_eq!(rig.settled[&task], Outcome::Failed, "a lock that is not held completes nothing");
}

#[test]
fn seventeen_thousand_tasks_on_one_resource_leave_the_others_alone() {
    let mut rig = recent(2);
    let hot: Vec<TaskId> = (0..17_000).map(|_| rig.exclusive(&[A])).collect();
    let other = rig.exclusive(&[B]);
    now(&mut rig);
    assert!(rig.is_running(hot[0]) && rig.is_running(other));
    for task in &hot[1..] {
        rig.cancel(*task);
    }
    assert_eq!(rig.settled.len(), 16_999);
}
