//! Hand-written histories: for each property one that breaches it and one that does not.

use super::DrainBound;
use super::*;
use crate::base::names::PropertySet;
use crate::base::note::{GrantReason, ParkReason};
use crate::base::{Claim, Epoch, Note, Outcome, Probe, Term, Ticket};
use crate::fact::{AttemptEnd, EffectAnswer, Exit, Fact, Observe};

mod fleet;
mod general_queue;
mod outcomes;
mod restarts;

const A: ResourceId = ResourceId(0);
const B: ResourceId = ResourceId(1);
const Q1: QueueId = QueueId(1);
const Q2: QueueId = QueueId(2);
const W0: WorkerId = WorkerId(0);
const W1: WorkerId = WorkerId(1);

struct Play {
    observer: Observer,
    now: Time,
    tickets: u64,
}

fn settings() -> Settings {
    Settings {
        warm_up: Time::ZERO,
        horizon: Time::from_secs(100),
        classes: 1,
        resources: 2,
        orphan_bound: Some(Span::from_secs(31)),
        heartbeat: Span::from_secs(10),
        excused: PropertySet::EMPTY,
        drain_bound: DrainBound { factor: 1, per_task: Span::from_secs(20), once: Span::from_secs(120) },
        settle_within: None,
        message_slack: Span::ZERO,
        abort_takes: Span::ZERO,
        timeline: true,
        series_points: 11,
        states_wanted: Vec::new(),
        keep_starts: true,
    }
}

impl Play {
    fn new() -> Play {
        Play::with(settings())
    }
    fn with(settings: Settings) -> Play {
        Play { observer: Observer::new(settings), now: Time::ZERO, tickets: 0 }
    }
    /// Two workers, each with its queue.
    fn two() -> Play {
        let mut play = Play::new();
        for (worker, queue) in [(W0, Q1), (W1, Q2)] {
            play.up(worker);
            play.note(Note::QueueCreated { queue });
            play.own(queue, worker, 1);
        }
        play
    }
    fn at(&mut self, secs: u64) -> &mut Play {
        self.now = Time::from_secs(secs);
        self
    }
    fn fact(&mut self, fact: Fact<'_>) -> &mut Play {
        self.observer.on(self.now, &fact);
        self
    }
    fn note(&mut self, note: Note) -> &mut Play {
        self.fact(Fact::Noted(note))
    }
    fn up(&mut self, worker: WorkerId) -> &mut Play {
        self.fact(Fact::WorkerArrived { worker }).fact(Fact::WorkerReady { worker })
    }
    fn own(&mut self, queue: QueueId, worker: WorkerId, epoch: u32) -> &mut Play {
        let epoch = Epoch(epoch);
        self.note(Note::QueueOwned { queue, worker, epoch, why: GrantReason::Vacant });
        self.fact(Fact::Held { worker, queue, epoch, until: None })
    }
    fn submit(&mut self, task: u32, claims: &[Claim], queue: QueueId) -> &mut Play {
        self.accept(task, claims);
        self.note(Note::Placed { task: TaskId(task), queue })
    }
    fn accept(&mut self, task: u32, claims: &[Claim]) -> &mut Play {
        let (task, class) = (TaskId(task), ClassId(0));
        self.fact(Fact::Submitted { task, class, claims, service: Span::from_secs(5) })
    }
    fn start(&mut self, task: u32, worker: WorkerId, queue: QueueId) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.fact(Fact::Started { task: TaskId(task), worker, queue, epoch: Epoch(1), ticket });
        ticket
    }
    fn end(&mut self, task: u32, worker: WorkerId, ticket: Ticket, end: AttemptEnd) -> &mut Play {
        self.fact(Fact::Ended { task: TaskId(task), worker, ticket, end })
    }
    fn finish(&mut self, task: u32, worker: WorkerId, queue: QueueId, ticket: Ticket) -> &mut Play {
        self.end(task, worker, ticket, AttemptEnd::Completed);
        let (task, epoch) = (TaskId(task), Epoch(1));
        self.fact(Fact::Effect { task, worker, queue, epoch, ticket, answer: EffectAnswer::Accepted });
        self.fact(Fact::Reported { task, worker, queue, epoch, ticket });
        self.fact(Fact::Settled { task, outcome: Outcome::Completed })
    }
    fn settle(&mut self, task: u32) -> &mut Play {
        let task = TaskId(task);
        self.fact(Fact::CancelAsked { task }).fact(Fact::Settled { task, outcome: Outcome::Cancelled })
    }
    fn done(self) -> Observation {
        self.observer.finish(Time::from_secs(100))
    }
    fn counts(self) -> Vec<(Property, u64)> {
        let seen = self.done();
        let counts = Property::ALL.iter().map(|property| (*property, seen.violation_counts[property.index()]));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}

fn metric(seen: &Observation, name: &'static str) -> f64 {
    seen.metrics[&(name, None)]
}

#[test]
fn a_quiet_run_breaches_nothing_and_its_waits_have_their_reasons() {
    let mut play = Play::two();
    play.submit(0, &[Claim::exclusive(A)], Q1);
    let first = play.start(0, W0, Q1);
    play.at(1).submit(1, &[Claim::exclusive(A)], Q1);
    play.at(2).submit(2, &[Claim::exclusive(B)], Q1);
    play.at(5).finish(0, W0, Q1, first);
    let second = play.start(1, W0, Q1);
    play.at(10).finish(1, W0, Q1, second);
    let third = play.start(2, W0, Q1);
    play.at(15).finish(2, W0, Q1, third);
    assert!(play.observer.audit().is_ok());
    let seen = play.done();
    assert_eq!(seen.violations, []);
    let sums =
        ["wait.blocked", "wait.behind", "wait.owner_busy", "wait.dispatch"].map(|name| metric(&seen, name) * 3.0);
    assert_eq!(sums.map(f64::round), [4.0, 8.0, 0.0, 0.0]);
    assert!((metric(&seen, "wait.mean") - 4.0).abs() < 1e-9);
    assert!(seen.probes.contains(Probe::FalseSerialisation));
    assert_eq!(seen.starts, [TaskId(0), TaskId(1), TaskId(2)]);
    // W1 was idle from 2 s to 10 s beside runnable t3.
    assert_eq!(seen.worker_time.idle_avoidable, 8_000_000);
    assert_eq!(seen.worker_time.busy, 15_000_000);
    assert_eq!(seen.worker_time.total, 200_000_000);
    assert_eq!(seen.series.at.len(), 11);
    assert_eq!(seen.timeline.as_ref().map(|timeline| timeline.attempts.len()), Some(3));
}

#[test]
fn a_head_waits_for_its_owner_first_busy_and_then_gone() {
    let mut play = Play::new();
    play.up(W0).up(W1);
    for queue in [Q1, Q2] {
        play.note(Note::QueueCreated { queue }).own(queue, W0, 1);
    }
    play.submit(0, &[Claim::exclusive(A)], Q1);
    let first = play.start(0, W0, Q1);
    play.submit(1, &[Claim::exclusive(B)], Q2);
    play.at(4).end(0, W0, first, AttemptEnd::Died).fact(Fact::WorkerGone { worker: W0, exit: Exit::Crashed });
    play.at(10).note(Note::QueueOrphaned { queue: Q2, worker: W0, lease_ends: Time::ZERO });
    play.at(12).own(Q2, W1, 2);
    let second = play.start(1, W1, Q2);
    play.at(13).finish(1, W1, Q2, second).note(Note::QueueOrphaned { queue: Q1, worker: W0, lease_ends: Time::ZERO });
    play.own(Q1, W1, 2);
    play.note(Note::Requeued { task: TaskId(0), lost: 1 });
    let again = play.start(0, W1, Q1);
    play.at(18).finish(0, W1, Q1, again);
    let seen = play.done();
    assert_eq!(seen.violations, []);
    assert_eq!(metric(&seen, "wait.owner_busy") * 2.0, 4.0);
    assert_eq!(metric(&seen, "wait.no_owner") * 2.0, 8.0);
    assert_eq!(metric(&seen, "tasks.requeued"), 1.0);
    for probe in [Probe::DoubleDuty, Probe::OrphanedQueue, Probe::QueueMoved, Probe::WorkerCrashed] {
        assert!(seen.probes.contains(probe), "{probe}");
    }
}

#[test]
fn a_general_task_waits_for_nobody_then_for_the_busy_and_a_parked_one_for_room() {
    let mut play = Play::new();
    play.submit(0, &[], QueueId::GENERAL).submit(1, &[], QueueId::GENERAL);
    play.at(2).up(W0);
    let first = play.start(0, W0, QueueId::GENERAL);
    play.at(5).finish(0, W0, QueueId::GENERAL, first);
    let second = play.start(1, W0, QueueId::GENERAL);
    play.at(6).accept(2, &[Claim::exclusive(A)]).note(Note::Parked { task: TaskId(2), why: ParkReason::AtMax });
    play.at(9).finish(1, W0, QueueId::GENERAL, second);
    play.note(Note::QueueCreated { queue: Q1 }).own(Q1, W0, 1);
    play.note(Note::Placed { task: TaskId(2), queue: Q1 });
    let third = play.start(2, W0, Q1);
    play.at(10).finish(2, W0, Q1, third);
    let seen = play.done();
    assert_eq!(seen.violations, []);
    let sum = |name| (metric(&seen, name) * 3.0).round();
    assert_eq!([sum("wait.no_owner"), sum("wait.owner_busy"), sum("wait.parked")], [4.0, 3.0, 3.0]);
}

#[test]
fn exclusion_counts_the_time_for_which_both_execute_and_not_the_pause() {
    let mut play = Play::two();
    play.submit(0, &[Claim::exclusive(A)], Q1);
    let zombie = play.start(0, W0, Q1);
    play.at(5).fact(Fact::WorkerPaused { worker: W0 });
    play.at(30).note(Note::WorkerLost { worker: W0 });
    play.note(Note::QueueOrphaned { queue: Q1, worker: W0, lease_ends: Time::ZERO }).own(Q1, W1, 2);
    play.fact(Fact::Settled { task: TaskId(0), outcome: Outcome::Failed });
    play.submit(1, &[Claim::exclusive(A)], Q1);
    let other = play.start(1, W1, Q1);
    play.at(40).fact(Fact::WorkerResumed { worker: W0 });
    play.at(50).finish(1, W1, Q1, other);
    play.at(75).end(0, W0, zombie, AttemptEnd::Completed);
    let seen = play.done();
    assert_eq!(seen.violation_counts[Property::Exclusion.index()], 1);
    assert_eq!(metric(&seen, "overlap_seconds"), 10.0);
    assert!(seen.probes.contains(Probe::Overlap) && seen.probes.contains(Probe::ZombieExecuting));
    // Without a lease the paused worker still believes to own the queue.
    assert_eq!(seen.violation_counts[Property::Ownership.index()], 1);
}

#[test]
fn order_is_breached_by_each_pair_and_shared_claims_are_none() {
    let mut play = Play::two();
    play.submit(0, &[Claim::shared(A)], Q1).submit(1, &[Claim::shared(A)], Q1);
    let (one, two) = (play.start(0, W0, Q1), play.start(1, W1, Q1));
    play.submit(2, &[Claim::exclusive(A), Claim::exclusive(B)], Q1);
    play.at(1).end(0, W0, one, AttemptEnd::Completed).end(1, W1, two, AttemptEnd::Completed);
    play.start(2, W0, Q1);
    let seen = play.done();
    assert_eq!(seen.violated().iter().collect::<Vec<_>>(), [Property::Order]);
    assert_eq!(seen.violation_counts[Property::Order.index()], 2);
    assert!(seen.probes.contains(Probe::SharedTogether) && seen.probes.contains(Probe::MultiResource));
}

#[test]
fn ownership_ends_with_the_lease_or_when_it_is_dropped() {
    let hold = |worker, epoch, until| Fact::Held {
        worker,
        queue: Q1,
        epoch: Epoch(epoch),
        until: Some(Time::from_secs(until)),
    };
    let mut good = Play::new();
    good.up(W0).up(W1).fact(hold(W0, 1, 10)).at(10).fact(hold(W1, 2, 20));
    good.fact(Fact::Dropped { worker: W1, queue: Q1, epoch: Epoch(2) }).at(11).fact(hold(W0, 3, 20));
    assert_eq!(good.counts(), []);
    let mut early = Play::new();
    early.up(W0).up(W1).fact(hold(W0, 1, 10)).at(9).fact(hold(W1, 2, 20)).fact(hold(W1, 2, 25));
    assert_eq!(early.counts(), [(Property::Ownership, 1)]);
    let mut falling = Play::new();
    falling.up(W0).up(W1).fact(hold(W0, 2, 10)).at(10).fact(hold(W1, 1, 20));
    assert_eq!(falling.counts(), [(Property::Ownership, 1)]);
}

#[test]
fn no_loss_knows_a_second_settlement_a_stranger_and_a_vanished_task() {
    let mut play = Play::two();
    play.submit(0, &[Claim::exclusive(A)], Q1);
    let ticket = play.start(0, W0, Q1);
    play.at(1).finish(0, W0, Q1, ticket).settle(0).settle(9).accept(1, &[]);
    let seen = play.done();
    assert_eq!(seen.violation_counts[Property::NoLoss.index()], 3);
    assert_eq!(metric(&seen, "tasks.lost"), 1.0);
    assert_eq!(metric(&seen, "tasks.unfinished"), 1.0);
}

#[test]
fn attempts_beyond_the_faults_and_after_settlement_are_breaches() {
    let mut play = Play::two();
    play.submit(0, &[Claim::exclusive(A)], Q1);
    let fenced = play.start(0, W0, Q1);
    play.at(1).end(0, W0, fenced, AttemptEnd::SelfFenced);
    let second = play.start(0, W0, Q1);
    play.at(2).end(0, W0, second, AttemptEnd::Completed);
    play.start(0, W1, Q1);
    play.at(3).settle(0);
    play.start(0, W0, Q1);
    assert_eq!(play.counts(), [(Property::Attempts, 2)]);
}

#[test]
fn a_report_may_be_gone_with_the_engine_that_it_was_given_to() {
    let attempts = |crashes: bool| {
        let mut play = Play::two();
        play.submit(0, &[Claim::exclusive(A)], Q1);
        let ticket = play.start(0, W0, Q1);
        play.at(1).end(0, W0, ticket, AttemptEnd::Completed);
        play.fact(Fact::Reported { task: TaskId(0), worker: W0, queue: Q1, epoch: Epoch(1), ticket });
        if crashes {
            play.fact(Fact::EngineDown { term: Term(1) }).at(2).fact(Fact::EngineUp { term: Term(2) });
        }
        play.at(3).start(0, W0, Q1);
        play.done().violation_counts[Property::Attempts.index()]
    };
    assert_eq!((attempts(false), attempts(true)), (1, 0));
}

#[test]
fn a_restored_engine_gives_no_old_epoch_and_a_grant_without_end_may_be_from_before_the_crash() {
    let recovery = |until: Option<Time>| {
        let mut play = Play::two();
        play.at(1).own(Q1, W1, 2);
        play.at(2).fact(Fact::EngineDown { term: Term(1) }).at(3).fact(Fact::EngineUp { term: Term(2) });
        play.at(4).fact(Fact::Held { worker: W0, queue: Q1, epoch: Epoch(1), until });
        play.done().violation_counts[Property::Recovery.index()]
    };
    assert_eq!((recovery(Some(Time::from_secs(34))), recovery(None)), (1, 0));
}

#[test]
fn affinity_ties_what_conflicts_and_nothing_else() {
    let mut play = Play::two();
    play.at(1).submit(0, &[Claim::shared(A)], Q1);
    let one = play.start(0, W0, Q1);
    play.submit(1, &[Claim::shared(A)], Q2);
    let two = play.start(1, W1, Q2);
    play.at(2).submit(2, &[Claim::exclusive(A)], Q2);
    play.at(3).finish(0, W0, Q1, one).finish(1, W1, Q2, two);
    let three = play.start(2, W1, Q2);
    play.at(4).finish(2, W1, Q2, three).submit(3, &[Claim::exclusive(A)], Q1);
    play.start(3, W0, Q1);
    assert_eq!(play.counts(), [(Property::Affinity, 1)]);
}

#[test]
fn an_idle_owner_beside_a_runnable_head_is_a_breach_unless_a_message_is_in_flight() {
    let mut bad = Play::two();
    bad.submit(0, &[Claim::exclusive(A)], Q1).at(3);
    let ticket = bad.start(0, W0, Q1);
    bad.at(4).finish(0, W0, Q1, ticket);
    let seen = bad.done();
    assert_eq!(seen.violated().iter().collect::<Vec<_>>(), [Property::WorkConserving]);
    assert_eq!(seen.violations[0].lasted, Some(Span::from_secs(3)));
    let mut good = Play::two();
    good.fact(Fact::MessageSent { worker: W0 }).submit(0, &[Claim::exclusive(A)], Q1).at(3);
    good.fact(Fact::MessageArrived { worker: W0 });
    let ticket = good.start(0, W0, Q1);
    good.at(4).finish(0, W0, Q1, ticket);
    assert_eq!(good.counts(), []);
}

#[test]
fn what_is_settled_as_completed_took_effect() {
    let mut bad = Play::two();
    bad.submit(0, &[Claim::exclusive(A)], Q1);
    bad.fact(Fact::Settled { task: TaskId(0), outcome: Outcome::Completed });
    assert_eq!(bad.counts(), [(Property::NoLoss, 1)]);
}

#[test]
fn a_runnable_task_in_no_queue_is_a_breach_unless_it_waits_for_an_empty_one() {
    let breaches = |why: Option<ParkReason>| {
        let mut play = Play::two();
        play.submit(0, &[Claim::exclusive(A)], Q1);
        let ticket = play.start(0, W0, Q1);
        play.accept(1, &[Claim::exclusive(A)]);
        if let Some(why) = why {
            play.note(Note::Parked { task: TaskId(1), why });
        }
        play.at(5).finish(0, W0, Q1, ticket);
        play.at(8).note(Note::Placed { task: TaskId(1), queue: Q1 });
        let ticket = play.start(1, W0, Q1);
        play.at(9).finish(1, W0, Q1, ticket);
        play.counts()
    };
    assert_eq!(breaches(None), [(Property::WorkConserving, 1)]);
    assert_eq!(breaches(Some(ParkReason::Split(Q1, Q2))), [(Property::WorkConserving, 1)]);
    assert_eq!(breaches(Some(ParkReason::AtMax)), []);
}

#[test]
fn states_are_told_after_everything_that_happens_at_the_instant() {
    let asked = |secs| (Time::from_secs(secs), TaskId(0));
    let mut play = Play::with(Settings { states_wanted: vec![asked(9), asked(0), asked(5)], ..settings() });
    play.up(W0).submit(0, &[], QueueId::GENERAL).at(5);
    let ticket = play.start(0, W0, QueueId::GENERAL);
    play.at(9).finish(0, W0, QueueId::GENERAL, ticket);
    assert_eq!(play.done().states, [("completed", None), ("waiting", None), ("running", Some(W0))]);
}

#[test]
fn nothing_is_kept_of_a_settled_task() {
    let mut play = Play::two();
    for task in 0..50_000 {
        play.now = Time::from_micros(u64::from(task) * 100);
        play.submit(task, &[Claim::exclusive(A)], Q1);
        let ticket = play.start(task, W0, Q1);
        play.now = Time::from_micros(u64::from(task) * 100 + 50);
        play.finish(task, W0, Q1, ticket);
    }
    assert_eq!(play.observer.unsettled(), 0);
    assert_eq!(play.done().violations, []);
}
