//! Histories of the general queue where messages take time: whoever is idle is heard of with every heartbeat, which is
//! no reason to wait.

use super::*;

/// A message takes a second at most.
fn slow() -> Play {
    Play::with(Settings { message_slack: Span::from_secs(2), ..settings() })
}

impl Play {
    /// A message between the engine and the worker, on its way for a second.
    fn message(&mut self, secs: u64, worker: WorkerId) -> &mut Play {
        self.at(secs).fact(Fact::MessageSent { worker }).at(secs + 1).fact(Fact::MessageArrived { worker })
    }
    /// The breaches of work_conserving when the task is executed on the worker from here on.
    fn executes(mut self, task: u32, worker: WorkerId) -> u64 {
        let ticket = self.start(task, worker, QueueId::GENERAL);
        let secs = self.now.micros() / 1_000_000 + 1;
        self.at(secs).finish(task, worker, QueueId::GENERAL, ticket);
        self.done().violation_counts[Property::WorkConserving.index()]
    }
}

#[test]
fn a_general_task_that_waits_until_the_next_heartbeat_of_an_idle_worker_is_a_breach() {
    let waits = |secs: u64| {
        let mut play = slow();
        play.up(W0).at(50).submit(0, &[], QueueId::GENERAL);
        play.message(50 + secs - 1, W0);
        play.executes(0, W0)
    };
    assert_eq!(waits(2), 0, "the order was on its way");
    assert_eq!(waits(3), 1, "it was sent too late");
}

#[test]
fn a_worker_joins_and_asks_before_it_can_be_given_a_general_task() {
    let joins = |takes: u64| {
        let mut play = slow();
        play.at(10).submit(0, &[], QueueId::GENERAL).at(50).up(W0);
        play.message(50 + takes - 1, W0);
        play.executes(0, W0)
    };
    assert_eq!(joins(4), 0, "join, welcome, request, order");
    assert_eq!(joins(5), 1);
}

#[test]
fn a_change_of_the_limits_is_no_reason_to_let_a_general_task_wait_beside_a_worker_without_a_queue() {
    let mut play = slow();
    play.up(W0).up(W1).note(Note::QueueCreated { queue: Q1 }).own(Q1, W0, 1);
    play.at(50).submit(0, &[], QueueId::GENERAL).fact(Fact::LimitsSet { min: 0, max: 1 });
    play.note(Note::QueueDraining { queue: Q1 }).note(Note::QueueDeleted { queue: Q1 });
    play.message(59, W0);
    assert_eq!(play.executes(0, W0), 1);
}
