//! Orders and reports that are lost around the end of a lease, each found by a hunt. The real engine and real agents,
//! driven by hand.

mod rig;

use lanekeeper::base::{Epoch, Outcome, QueueId, Span, Ticket, WorkerId};
use lanekeeper::engine::agent::{Agent, AgentEffect, AgentInput, AgentOptions};
use lanekeeper::engine::message::{ClusterMessage, Holding, Stamp, Welcome, WorkerMessage, WorkerName};
use lanekeeper::engine::spec::*;
use rig::*;

const W1: WorkerId = WorkerId(0);
const W2: WorkerId = WorkerId(1);

#[test]
fn an_order_that_is_sent_again_does_not_come_after_a_newer_grant() {
    let mut rig = Rig::new(spec(1, 1), 1);
    rig.hold_to(W1);
    rig.limits(2, 2);
    rig.lose_to(W1); // The grant of the second queue.
    rig.claimless();
    rig.finish(W1); // It has seen a later order, and is known not to hold that queue.
    rig.hold_to(W1);
    let lost = rig.claimless();
    rig.lose_to(W1);
    rig.pass(secs(10));
    assert_eq!(rig.running(W1), Some(lost), "old news beside the grant that the same heartbeat brings about");
}

#[test]
fn a_revoke_after_the_end_of_a_lease_does_not_void_an_attempt_whose_report_is_not_answered() {
    let mut spec = QueueFirstSpec { newcomers: Newcomers::Relieve, ..spec(1, 1) };
    let LeaseSpec::Lease(lease) = &mut spec.lease else { panic!("a lease by default") };
    lease.duration = secs(12);
    let mut rig = Rig::new(spec, 1);
    let task = rig.exclusive(&[A]);
    rig.pass(secs(9));
    rig.hold_from(W1);
    rig.finish(W1);
    rig.pass(secs(5));
    rig.lose_from(W1); // The report and the heartbeat of 10 s; the lease is over.
    rig.join(); // Relieves W1.
    assert_eq!(rig.settled.get(&task), Some(&Outcome::Completed));
    assert_eq!((rig.starts_of(task), rig.owner(1)), (1, Some(W2)));
}

#[test]
fn an_owner_that_quiesces_finishes_a_task_that_outlasts_its_lease() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let task = rig.exclusive(&[A]);
    rig.quiesce(W1);
    rig.pass(secs(90));
    assert_eq!((rig.running(W1), rig.starts_of(task)), (Some(task), 1));
    rig.finish(W1);
    assert_eq!(rig.settled[&task], Outcome::Completed);
    assert_eq!((rig.is_alive(W1), rig.owner(1)), (false, Some(W2)));
}

#[test]
fn a_general_start_is_declined_when_the_ttl_may_be_over_by_a_clock_within_the_margin() {
    let mut rig = Rig::new(spec(1, 1), 1);
    rig.hold_from(W1);
    rig.pass(Span::from_millis(29_500));
    rig.claimless();
    assert_eq!(rig.running(W1), None);
}

#[test]
fn what_an_agent_has_said_to_be_released_it_does_not_take_up_from_an_answer_under_way() {
    let options = AgentOptions { heartbeat: secs(10), session: Some(secs(28)), fences_itself: true };
    let mut agent = Agent::new(options, WorkerName(1));
    let holding = Holding { queue: QueueId(1), epoch: Epoch(2) };
    let welcome = |stamp, grants: &[Holding], ticket| {
        let grants = grants.iter().copied().collect();
        let lease = Some(secs(30));
        ClusterMessage::Welcome(Box::new(Welcome { stamp: Stamp(stamp), lease, grants, ticket: Ticket(ticket) }))
    };
    let mut heard = |now, message: &ClusterMessage| {
        let mut effects = Vec::new();
        agent.handle(Stamp(now), AgentInput::Message(message), &mut effects);
        effects
    };
    heard(1, &welcome(0, &[], 1));
    // The grant is lost, or comes last.
    let released = heard(20, &ClusterMessage::Revoke { holding, ticket: Ticket(3) });
    assert_eq!(released, [AgentEffect::Send(WorkerMessage::Released(holding))]);
    let held = |effects: &[AgentEffect]| effects.iter().any(|it| matches!(it, AgentEffect::Held { .. }));
    let crossed = heard(30, &welcome(10, &[holding], 4));
    assert!(!held(&crossed), "the answer to an older heartbeat, and another may hold it: {crossed:?}");
    assert!(held(&heard(50, &welcome(40, &[holding], 5))), "a later one is a new offer");
}
