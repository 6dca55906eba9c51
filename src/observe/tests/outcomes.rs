//! Histories of tasks that are given up, and of outcomes without a cause.

use super::*;

const T0: TaskId = TaskId(0);

/// One worker that has been there for long, and a task that it executes, or not.
fn cancelled_at_200(executes: bool) -> (Play, Ticket) {
    let mut play = Play::new();
    play.up(W0).at(190).submit(0, &[Claim::exclusive(A)], Q1);
    let ticket = if executes { play.start(0, W0, Q1) } else { Ticket(0) };
    play.at(200).fact(Fact::CancelAsked { task: T0 });
    (play, ticket)
}

fn breaches(play: Play) -> u64 {
    play.observer.finish(Time::from_secs(400)).violation_counts[Property::Outcomes.index()]
}

fn settle(play: &mut Play, outcome: Outcome) {
    play.fact(Fact::Settled { task: T0, outcome });
}

#[test]
fn a_task_that_was_given_up_is_cancelled_in_time_or_completed_where_its_report_was_faster() {
    let (mut waiting, _) = cancelled_at_200(false);
    settle(&mut waiting, Outcome::Cancelled);
    assert_eq!(breaches(waiting), 0);
    let (mut stopped, ticket) = cancelled_at_200(true);
    stopped.end(0, W0, ticket, AttemptEnd::Aborted);
    settle(&mut stopped, Outcome::Cancelled);
    assert_eq!(breaches(stopped), 0);
    let (mut faster, ticket) = cancelled_at_200(true);
    faster.finish(0, W0, Q1, ticket);
    assert_eq!(breaches(faster), 0);
    let (never, _) = cancelled_at_200(false);
    assert_eq!(breaches(never), 1, "it is overdue at the end");
    let (mut late, _) = cancelled_at_200(false);
    late.at(321);
    settle(&mut late, Outcome::Cancelled);
    assert_eq!(breaches(late), 1);
}

#[test]
fn a_task_that_was_given_up_begins_nothing_and_runs_to_no_end_unless_something_came_in_between() {
    let begun = |lost: bool, joined: bool| {
        let (mut play, _) = cancelled_at_200(false);
        if lost {
            play.fact(Fact::MessageLost { worker: W0 });
        }
        if joined {
            play.up(W1);
        }
        play.at(201).start(0, W0, Q1);
        settle(&mut play, Outcome::Cancelled);
        breaches(play)
    };
    assert_eq!(
        [begun(false, false), begun(true, false), begun(false, true)],
        [1, 0, 1],
        "who joins takes no word away"
    );
    let (mut ended, ticket) = cancelled_at_200(true);
    ended.at(201).finish(0, W0, Q1, ticket);
    assert_eq!(breaches(ended), 1);
    let mut stopping = Play::with(Settings { abort_takes: Span::from_secs(1), ..settings() });
    stopping.up(W0).at(190).submit(0, &[Claim::exclusive(A)], Q1);
    let ticket = stopping.start(0, W0, Q1);
    stopping.at(200).fact(Fact::CancelAsked { task: T0 });
    stopping.at(201).finish(0, W0, Q1, ticket);
    assert_eq!(breaches(stopping), 0, "it ended while it was being stopped");
}

#[test]
fn an_outcome_needs_a_cause() {
    let unasked = |outcome: Outcome| {
        let mut play = Play::new();
        play.up(W0).at(200).submit(0, &[Claim::exclusive(A)], Q1);
        settle(&mut play, outcome);
        breaches(play)
    };
    assert_eq!(unasked(Outcome::Cancelled), 1);
    assert_eq!(unasked(Outcome::Failed), 1);
    let failed = |end: AttemptEnd| {
        let mut play = Play::new();
        play.up(W0).at(200).submit(0, &[Claim::exclusive(A)], Q1);
        let ticket = play.start(0, W0, Q1);
        play.end(0, W0, ticket, end);
        settle(&mut play, Outcome::Failed);
        breaches(play)
    };
    assert_eq!((failed(AttemptEnd::Failed), failed(AttemptEnd::Died), failed(AttemptEnd::Completed)), (0, 0, 1));
    let (mut stopped, ticket) = cancelled_at_200(true);
    stopped.end(0, W0, ticket, AttemptEnd::Aborted);
    settle(&mut stopped, Outcome::Failed);
    assert_eq!(breaches(stopped), 1, "its client had it stopped");
    let (mut done, ticket) = cancelled_at_200(true);
    done.end(0, W0, ticket, AttemptEnd::Completed);
    let (worker, queue, epoch, answer) = (W0, Q1, Epoch(1), EffectAnswer::Accepted);
    done.fact(Fact::Effect { task: T0, worker, queue, epoch, ticket, answer });
    settle(&mut done, Outcome::Cancelled);
    assert_eq!(breaches(done), 1, "its effect is in the store");
    let mut lost = Play::new();
    lost.up(W0).at(200).submit(0, &[Claim::exclusive(A)], Q1).fact(Fact::WorkerPaused { worker: W0 });
    settle(&mut lost, Outcome::Failed);
    assert_eq!(breaches(lost), 0, "the order to start it may have reached a worker that stands still");
}
