//! Orders and reports that are lost around the end of a lease, each found by a hunt. The real engine and real agents,
//! driven by hand.

mod rig;

use lanekeeper::base::{Epoch, Outcome, QueueId, Span, TaskId, Ticket, WorkerId};
use lanekeeper::engine::agent::{Agent, AgentEffect, AgentInput, AgentOptions};
use lanekeeper::engine::message::{ClusterMessage, Ended, Holding, Stamp, Start, Welcome, WorkerMessage, WorkerName};
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
fn an_order_that_is_declined_as_the_lease_is_over_does_not_take_the_turn_of_its_queue() {
    let mut rig = Rig::new(spec(2, 2), 1);
    rig.exclusive(&[A]);
    let waits = rig.exclusive(&[B]);
    rig.hold_from(W1);
    rig.pass(secs(25));
    rig.lose_from(W1); // Two heartbeats: at 30 s both leases are over, and the first task is stopped.
    rig.pass(secs(5));
    assert_eq!((rig.running(W1), rig.starts_of(waits)), (Some(waits), 1), "whose order was declined at that instant");
}

#[test]
fn an_agent_that_has_joined_again_says_at_once_which_reports_are_not_answered() {
    let mut agent = Lone::new();
    agent.welcome(10, 0, &[HOLDING], 2);
    agent.hear(20, &ClusterMessage::Start(start(3)));
    agent.told(30, AgentInput::Ended { ticket: Ticket(3), ended: Ended::Completed });
    agent.hear(40, &ClusterMessage::Rejoin { ticket: Ticket(5) });
    let again = agent.welcome(50, 40, &[], 6);
    let [AgentEffect::Send(WorkerMessage::Heartbeat(beat))] = &again[..] else { panic!("{again:?}") };
    assert_eq!((beat.reports.len(), beat.running), (1, None));
    assert_eq!(beat.started, Ticket(6), "what was ordered before, in answer to that report, is void");
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
    let mut agent = Lone::new();
    // The grant is lost, or comes last.
    let released = agent.hear(20, &ClusterMessage::Revoke { holding: HOLDING, ticket: Ticket(3) });
    assert_eq!(released, [AgentEffect::Send(WorkerMessage::Released(HOLDING))]);
    let crossed = agent.welcome(30, 10, &[HOLDING], 4);
    assert!(!took_up(&crossed), "the answer to an older heartbeat, and another may hold it: {crossed:?}");
    let again = agent.welcome(50, 40, &[HOLDING], 5);
    assert_eq!(again, released, "the word of it may be late as well as lost");
    assert_eq!(agent.welcome(70, 60, &[], 6), []);
}

#[test]
fn nor_from_an_answer_to_a_heartbeat_that_is_not_the_last() {
    let mut agent = Lone::new();
    let (first, second) = (secs(10).micros(), secs(20).micros());
    let (holding, counted_from, ticket) = (HOLDING, Stamp(0), Ticket(3));
    agent.told(first, AgentInput::Timer);
    agent.hear(second, &ClusterMessage::Grant { holding, counted_from, lease: Some(secs(15)), ticket });
    agent.told(second, AgentInput::Timer); // It has seen that grant, which came too late.
    let crossed = agent.welcome(second + 10, first, &[HOLDING], 4);
    assert!(!took_up(&crossed), "the last heartbeat said that it is not held: {crossed:?}");
    assert!(took_up(&agent.welcome(second + 20, second, &[HOLDING], 5)), "and this is the answer to it");
}

#[test]
fn nor_where_two_heartbeats_of_one_instant_cannot_be_told_apart() {
    let mut agent = Lone::new();
    agent.hear(10, &ClusterMessage::Start(start(2)));
    let beat = secs(10).micros();
    let first = agent.told(beat, AgentInput::Timer);
    let second = agent.hear(beat, &ClusterMessage::Revoke { holding: HOLDING, ticket: Ticket(3) });
    for effects in [&first, &second] {
        assert!(matches!(effects[..], [AgentEffect::Send(WorkerMessage::Heartbeat(_))]), "{effects:?}");
    }
    let other = Holding { queue: QueueId(2), epoch: Epoch(1) };
    assert!(!took_up(&agent.welcome(beat, beat, &[other], 4)), "it may be the answer to the first");
}

#[test]
fn nor_what_was_taken_back_before_its_declined_start_was_answered() {
    let mut agent = Lone::new();
    agent.hear(10, &ClusterMessage::Start(start(2)));
    let revoked = agent.hear(20, &ClusterMessage::Revoke { holding: HOLDING, ticket: Ticket(3) });
    assert!(matches!(revoked[..], [AgentEffect::Send(WorkerMessage::Heartbeat(_))]), "{revoked:?}");
    let crossed = agent.welcome(30, 15, &[HOLDING], 4);
    assert!(!took_up(&crossed), "the heartbeat said that it is not held: {crossed:?}");
}

#[test]
fn nor_what_has_ended_while_its_task_is_being_stopped() {
    let mut agent = Lone::new();
    agent.welcome(10, 0, &[HOLDING], 2);
    agent.hear(20, &ClusterMessage::Start(start(3)));
    let over = secs(30).micros();
    let stops = AgentEffect::Stop { ticket: Ticket(3), fenced: true };
    assert_eq!(agent.told(over, AgentInput::Timer)[..2], [AgentEffect::Dropped { holding: HOLDING }, stops]);
    let offered = agent.welcome(over + 20, over + 10, &[HOLDING], 3);
    assert!(!took_up(&offered), "its task still executes: {offered:?}");
    agent.told(over + 30, AgentInput::Ended { ticket: Ticket(3), ended: Ended::Aborted });
    agent.hear(over + 40, &ClusterMessage::Answered { ticket: Ticket(3) });
    let overtaken = agent.welcome(over + 45, over + 10, &[HOLDING], 4);
    assert!(!took_up(&overtaken), "that heartbeat said so, though the answer comes after it: {overtaken:?}");
    assert!(took_up(&agent.welcome(over + 60, over + 50, &[HOLDING], 5)), "a later one is a new offer");
}

#[test]
fn nor_does_a_leaving_agent_hand_back_what_has_ended_while_its_task_is_being_stopped() {
    let mut agent = Lone::new();
    agent.welcome(10, 0, &[HOLDING], 2);
    agent.hear(20, &ClusterMessage::Start(start(3)));
    let over = secs(30).micros();
    agent.told(over, AgentInput::Timer);
    agent.hear(over, &ClusterMessage::Quiesce);
    let offered = agent.welcome(over + 20, over + 10, &[HOLDING], 4);
    let hands_back = |effects: &[AgentEffect]| {
        effects.iter().any(|it| matches!(it, AgentEffect::Send(WorkerMessage::Released(one)) if *one == HOLDING))
    };
    assert!(!hands_back(&offered), "its task still executes: {offered:?}");
}

#[test]
fn an_agent_that_has_joined_again_does_not_drop_its_grants_for_what_was_said_before() {
    let mut agent = Lone::new();
    agent.hear(10, &ClusterMessage::Rejoin { ticket: Ticket(5) });
    assert!(took_up(&agent.welcome(20, 10, &[HOLDING], 7)));
    let late = agent.hear(30, &ClusterMessage::Rejoin { ticket: Ticket(6) });
    assert_eq!(late, [], "it has been known again since");
}

#[test]
fn a_start_that_is_sent_again_is_begun_though_newer_grants_have_come() {
    let mut agent = Lone::new();
    agent.hear(10, &ClusterMessage::Grant { holding: HOLDING, counted_from: Stamp(0), lease: None, ticket: Ticket(3) });
    assert_eq!(agent.hear(20, &ClusterMessage::Start(start(2))), [AgentEffect::Execute(start(2))]);
    assert_eq!(agent.hear(30, &ClusterMessage::Start(start(2))), [], "a duplicate");
}

#[test]
fn a_start_of_an_earlier_membership_is_not_begun() {
    let mut agent = Lone::new();
    agent.hear(10, &ClusterMessage::Rejoin { ticket: Ticket(5) });
    agent.welcome(20, 10, &[], 6);
    let general = Start { queue: QueueId::GENERAL, epoch: Epoch(0), ..start(4) };
    assert_eq!(agent.hear(30, &ClusterMessage::Start(general)), [], "its task went to another worker");
}

const HOLDING: Holding = Holding { queue: QueueId(1), epoch: Epoch(2) };

fn start(ticket: u64) -> Start {
    let Holding { queue, epoch } = HOLDING;
    Start { task: TaskId(0), queue, epoch, ticket: Ticket(ticket) }
}

fn took_up(effects: &[AgentEffect]) -> bool {
    effects.iter().any(|it| matches!(it, AgentEffect::Held { .. }))
}

/// An agent that the engine knows, driven by hand.
struct Lone(Agent);

impl Lone {
    fn new() -> Lone {
        let options = AgentOptions { heartbeat: secs(10), session: Some(secs(28)), fences_itself: true };
        let mut lone = Lone(Agent::new(options, WorkerName(1)));
        lone.welcome(1, 0, &[], 1);
        lone
    }
    fn told(&mut self, now: u64, input: AgentInput<'_>) -> Vec<AgentEffect> {
        let mut effects = Vec::new();
        self.0.handle(Stamp(now), input, &mut effects);
        effects
    }
    fn hear(&mut self, now: u64, message: &ClusterMessage) -> Vec<AgentEffect> {
        self.told(now, AgentInput::Message(message))
    }
    fn welcome(&mut self, now: u64, stamp: u64, grants: &[Holding], ticket: u64) -> Vec<AgentEffect> {
        let grants = grants.iter().copied().collect();
        let welcome = Welcome { stamp: Stamp(stamp), lease: Some(secs(30)), grants, ticket: Ticket(ticket) };
        self.hear(now, &ClusterMessage::Welcome(Box::new(welcome)))
    }
}
