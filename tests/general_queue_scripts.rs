//! The general queue of `queue_first`: who serves it, and what becomes of its tasks. The real engine and real agents,
//! driven by hand.

mod rig;

use lanekeeper::base::WorkerId;
use lanekeeper::engine::spec::*;
use rig::*;

const W1: WorkerId = WorkerId(0);
const W2: WorkerId = WorkerId(1);

#[test]
fn after_so_many_reserved_starts_a_waiting_general_task_is_taken() {
    let general = GeneralQueue { served_by: ServedBy::Everyone, general_after: 2 };
    let mut rig = Rig::new(QueueFirstSpec { general_queue: general, ..spec(1, 1) }, 0);
    for _ in 0..4 {
        rig.exclusive(&[A]);
    }
    let task = rig.claimless();
    rig.join();
    rig.run_dry();
    assert_eq!(rig.order_of_starts()[2], task);
}

#[test]
fn the_general_queue_is_served_by_surplus_workers_only_while_there_is_one() {
    let general = GeneralQueue { served_by: ServedBy::Surplus, general_after: 16 };
    let mut rig = Rig::new(QueueFirstSpec { general_queue: general, ..spec(1, 1) }, 2);
    let first = rig.claimless();
    let second = rig.claimless();
    assert_eq!((rig.running(W1), rig.running(W2)), (None, Some(first)), "w1 owns the queue");
    rig.crash(W2);
    rig.pass(secs(30));
    assert!(rig.running(W1).is_some_and(|task| task == first || task == second));
}

#[test]
fn a_general_task_of_a_lost_worker_is_put_back_at_the_ttl() {
    let mut rig = Rig::new(spec(0, 1), 2);
    let task = rig.claimless();
    assert_eq!(rig.running(W1), Some(task));
    rig.crash(W1);
    rig.pass(secs(30));
    assert_eq!(rig.running(W2), Some(task));
}

#[test]
fn a_start_of_the_general_queue_that_waited_at_a_paused_worker_is_declined() {
    let mut rig = Rig::new(spec(0, 1), 2);
    rig.pause(W1);
    let task = rig.claimless();
    rig.pass(secs(31));
    assert_eq!(rig.running(W2), Some(task));
    rig.wake(W1);
    assert_eq!((rig.running(W1), rig.starts_of(task)), (None, 1));
}

#[test]
fn a_worker_whose_last_queue_is_taken_while_it_is_idle_gets_the_general_task_that_waits() {
    let general = GeneralQueue { served_by: ServedBy::Surplus, general_after: 16 };
    let mut rig = Rig::new(QueueFirstSpec { general_queue: general, ..spec(2, 2) }, 3);
    let [executing, waiting] = [rig.claimless(), rig.claimless()];
    assert!(rig.is_running(executing) && !rig.is_running(waiting), "one worker has no queue");
    rig.limits(1, 1);
    assert!(rig.is_running(waiting), "two have none");
}
