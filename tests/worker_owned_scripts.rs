//! What `worker_owned` does, as a list of behaviours. The real engine and real agents, driven by hand.

mod rig;

use lanekeeper::base::{Outcome, Span, TaskId, WorkerId};
use lanekeeper::engine::worker_owned::factory;
use lanekeeper::engine::worker_owned::spec::{WorkerOwnedPreset, WorkerOwnedSpec};
use lanekeeper::engine::{Detection, EngineSpec};
use rig::*;

const W1: WorkerId = WorkerId(0);
const W2: WorkerId = WorkerId(1);

fn cluster(preset: WorkerOwnedPreset, workers: u32) -> Rig {
    let spec = WorkerOwnedSpec { preset, ..WorkerOwnedSpec::default() };
    let detection: Detection = EngineSpec::WorkerOwned(spec.clone()).default_detection();
    let mut rig = Rig::driving(factory(&spec).as_ref(), detection);
    for _ in 0..workers {
        rig.join();
    }
    rig
}

/// Pulp 2.14.
fn pulp2(workers: u32) -> Rig {
    cluster(WorkerOwnedPreset::Pulp2_14, workers)
}

/// Lets everything happen that takes no time.
fn now(rig: &mut Rig) {
    rig.pass(Span::ZERO);
}

#[test]
fn tasks_of_one_resource_lie_on_one_worker_in_order() {
    let mut rig = pulp2(2);
    let tasks = [rig.exclusive(&[A]), rig.exclusive(&[A]), rig.exclusive(&[A])];
    now(&mut rig);
    let owner = rig.executor(tasks[0]);
    for task in tasks {
        assert_eq!(rig.executor(task), owner);
        rig.finish(owner);
    }
    assert_eq!(rig.order_of_starts(), tasks);
}

#[test]
fn the_first_that_cannot_be_placed_holds_up_all_behind_it() {
    let mut rig = pulp2(2);
    let running = rig.exclusive(&[A]);
    rig.exclusive(&[B]);
    now(&mut rig);
    let stuck = rig.exclusive(&[C]); // Both workers have a reservation.
    let behind = rig.exclusive(&[A]); // Would go to the worker that holds A.
    now(&mut rig);
    assert_eq!((rig.place(stuck), rig.place(behind)), (None, None));
    rig.finish(rig.executor(running));
    rig.pass(Span::from_millis(250));
    assert!(rig.is_running(stuck), "at the manager's next try");
}

#[test]
fn pulp_2_4_never_waits_and_prefers_the_fewest_reservations() {
    let mut rig = cluster(WorkerOwnedPreset::Pulp2_4, 2);
    let first = rig.exclusive(&[A]);
    rig.exclusive(&[A]);
    now(&mut rig);
    let other = rig.exclusive(&[B]);
    now(&mut rig);
    let third = rig.exclusive(&[C]);
    now(&mut rig);
    assert_ne!(rig.place(other), rig.place(first));
    assert_eq!(rig.place(third), rig.place(other), "one reservation there, two on the other worker");
}

#[test]
fn several_holders_make_the_manager_wait_until_one_is_left() {
    let mut rig = pulp2(2);
    let a = rig.exclusive(&[A]);
    let b = rig.exclusive(&[B]);
    now(&mut rig);
    let both = rig.exclusive(&[A, B]);
    rig.pass(secs(1));
    assert_eq!(rig.place(both), None);
    rig.finish(rig.executor(a));
    rig.pass(Span::from_millis(250));
    assert_eq!(rig.place(both), rig.place(b));
}

#[test]
fn a_dead_worker_takes_its_queue_with_it() {
    let mut rig = pulp2(2);
    let running = rig.exclusive(&[A]);
    let queued = rig.exclusive(&[A]);
    now(&mut rig);
    let dead = rig.executor(running);
    rig.crash(dead);
    rig.pass(secs(25));
    assert!(rig.settled.is_empty(), "not missed yet");
    rig.pass(secs(10));
    assert_eq!((rig.settled[&running], rig.settled[&queued]), (Outcome::Cancelled, Outcome::Cancelled));
    let next = rig.exclusive(&[A]);
    now(&mut rig);
    assert!(rig.is_running(next), "its reservation is gone too");
}

#[test]
fn a_graceful_stop_cancels_what_runs_and_what_is_queued() {
    let mut rig = pulp2(1);
    let running = rig.exclusive(&[A]);
    let queued = rig.exclusive(&[A]);
    now(&mut rig);
    rig.terminate(W1);
    assert_eq!((rig.settled[&running], rig.settled[&queued]), (Outcome::Cancelled, Outcome::Cancelled));
    assert!(!rig.is_running(running) && !rig.is_alive(W1) && rig.queues() == 0);
}

#[test]
fn a_restart_under_the_same_name_cancels_at_once_what_was_left() {
    let mut rig = pulp2(1);
    let tasks = [rig.exclusive(&[A]), rig.exclusive(&[A])];
    now(&mut rig);
    rig.crash(W1);
    rig.join_as(7);
    assert!(rig.settled.is_empty(), "another name changes nothing");
    rig.join_as(0);
    assert!(tasks.iter().all(|task| rig.settled[task] == Outcome::Cancelled));
}

#[test]
fn a_worker_that_only_stood_still_goes_on_beside_its_successor() {
    let mut rig = pulp2(2);
    let first = rig.exclusive(&[A]);
    now(&mut rig);
    let zombie = rig.executor(first);
    rig.pause(zombie);
    rig.pass(secs(35));
    assert_eq!(rig.settled[&first], Outcome::Cancelled);
    let second = rig.exclusive(&[A]);
    now(&mut rig);
    rig.wake(zombie);
    assert_eq!(rig.executing(zombie), Some(first), "nobody tells it");
    assert!(rig.is_running(second));
    rig.finish(zombie);
    assert_eq!(rig.settled[&first], Outcome::Cancelled, "its result counts no more");
    rig.exclusive(&[B]);
    now(&mut rig);
    assert!(rig.running(zombie).is_some(), "it has registered anew");
}

#[test]
fn pulp_2_workers_take_from_their_own_and_the_shared_queue_in_turn() {
    let mut rig = pulp2(1);
    let own: Vec<TaskId> = (0..3).map(|_| rig.exclusive(&[A])).collect();
    now(&mut rig);
    let shared: Vec<TaskId> = (0..3).map(|_| rig.claimless()).collect();
    rig.run_dry();
    assert_eq!(rig.order_of_starts(), [own[0], shared[0], own[1], shared[1], own[2], shared[2]]);
}

#[test]
fn rq_places_a_task_without_claims_only_on_a_worker_without_reservations() {
    let mut rig = cluster(WorkerOwnedPreset::Rq3_13, 1);
    let reserved = rig.exclusive(&[A]);
    let claimless = rig.claimless();
    rig.pass(secs(5));
    assert!(rig.is_running(reserved));
    assert_eq!(rig.place(claimless), None);
    rig.finish(W1);
    rig.pass(Span::from_millis(250));
    assert!(rig.is_running(claimless));
}

#[test]
fn rq_places_one_task_every_380_ms() {
    let mut rig = cluster(WorkerOwnedPreset::Rq3_13, 2);
    rig.exclusive(&[A]);
    rig.exclusive(&[B]);
    rig.pass(Span::from_micros(379_999));
    assert_eq!(rig.started.len(), 0);
    rig.pass(Span::from_micros(1));
    assert_eq!(rig.started.len(), 1);
    rig.pass(Span::from_millis(380));
    assert_eq!(rig.started.len(), 2);
}

#[test]
fn a_cancelled_task_frees_its_reservation_and_its_place_in_line() {
    let mut rig = pulp2(2);
    let [a, b] = [rig.exclusive(&[A]), rig.exclusive(&[B])];
    now(&mut rig);
    let stuck = rig.exclusive(&[C]);
    let behind = rig.exclusive(&[D]);
    now(&mut rig);
    rig.cancel(stuck);
    rig.cancel(a);
    rig.pass(Span::from_millis(250));
    assert_eq!((rig.settled[&stuck], rig.settled[&a]), (Outcome::Cancelled, Outcome::Cancelled));
    assert!(rig.is_running(behind) && rig.is_running(b));
}

#[test]
fn a_lost_start_is_repeated() {
    let mut rig = pulp2(2);
    rig.hold_to(W1);
    rig.hold_to(W2);
    let task = rig.exclusive(&[A]);
    now(&mut rig);
    rig.lose_to(W1);
    rig.lose_to(W2);
    assert!(!rig.is_running(task));
    rig.pass(secs(5));
    assert!(rig.is_running(task));
    assert_eq!(rig.starts_of(task), 1);
}
