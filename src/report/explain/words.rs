//! A fact as a sentence.

use crate::base::note::{GrantReason, ParkReason};
use crate::base::{Claim, Labels, Mode, Note, Span, Time};
use crate::fact::{AttemptEnd, EffectAnswer, Exit, Fact};
use crate::report::number;

/// What sentences need to know beside the facts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    pub(super) labels: &'a Labels,
    /// A worker not heard for so long counts as dead.
    pub(super) ttl: Span,
}

impl Words<'_> {
    /// The sentence; `None` for what happens all the time (messages, renewals).
    pub(super) fn of(&self, now: Time, fact: &Fact<'_>) -> Option<String> {
        let names = self.labels;
        Some(match *fact {
            Fact::Submitted { task, claims, .. } => {
                format!("{} is submitted {}", names.task(task), self.claims(claims))
            }
            Fact::CancelAsked { task } => format!("the client of {} asks to cancel it", names.task(task)),
            Fact::Settled { task, outcome } => format!("{} is settled: {outcome}", names.task(task)),
            Fact::LimitsSet { min, max } => format!("the pool is to have between {min} and {max} queues"),
            Fact::WorkerReady { worker } => format!("{} is ready for work", names.worker(worker)),
            Fact::WorkerPaused { worker } => format!("{} stands still", names.worker(worker)),
            Fact::WorkerResumed { worker } => format!("{} goes on", names.worker(worker)),
            Fact::QuiesceAsked { worker } => format!("the operator asks {} to leave", names.worker(worker)),
            Fact::QuiesceDelivered { worker, deadline } => {
                format!("{} is told to quiesce, and to be gone by {}", names.worker(worker), clock(deadline))
            }
            Fact::WorkerGone { worker, exit } => format!("{} {}", names.worker(worker), gone(exit)),
            Fact::Started { task, worker, queue, epoch, .. } => {
                let (task, worker) = (names.task(task), names.worker(worker));
                if queue.is_general() {
                    format!("{task} starts on {worker}, from the general queue")
                } else {
                    format!("{task} starts on {worker}, for {queue} under epoch {}", epoch.0)
                }
            }
            Fact::Ended { task, worker, end, .. } => ended(&names.task(task), &names.worker(worker), end),
            Fact::Reported { task, worker, queue, epoch, .. } => {
                let (task, worker) = (names.task(task), names.worker(worker));
                let epoch = epoch.0;
                format!("{worker}'s report on {task} reaches the engine, under epoch {epoch} of {queue}: too late")
            }
            Fact::Held { worker, queue, epoch, until } => {
                let (worker, epoch) = (names.worker(worker), epoch.0);
                format!("{worker} takes up {queue} under epoch {epoch}{}", lease(until))
            }
            Fact::Dropped { worker, queue, epoch } => {
                format!("{} lets go of {queue}, epoch {}", names.worker(worker), epoch.0)
            }
            Fact::Effect { task, worker, queue, epoch, answer, .. } => {
                let whose = format!("the effect of {} by {}", names.task(task), names.worker(worker));
                match answer {
                    EffectAnswer::Accepted => format!("the store accepts {whose}, under epoch {} of {queue}", epoch.0),
                    EffectAnswer::Refused => {
                        format!("the store refuses {whose}: it comes under stale epoch {}", epoch.0)
                    }
                    EffectAnswer::AlreadyDone => format!("the store has {whose} already, by an earlier attempt"),
                }
            }
            Fact::Poisoned { task, never_ends: true } => format!("{} is poison: it never ends", names.task(task)),
            Fact::Poisoned { task, .. } => format!("{} is poison: it kills its worker each time", names.task(task)),
            Fact::MessageLost { worker } => {
                format!("a message between the engine and {} is lost", names.worker(worker))
            }
            Fact::MessageOvertook { worker } => {
                format!("a message between the engine and {} overtakes an earlier one", names.worker(worker))
            }
            Fact::EngineDown { term } => format!("the engine of term {} is gone", term.0),
            Fact::EngineUp { term } => format!("an engine is restored from the records, with term {}", term.0),
            Fact::EngineHeld { held: true } => "the store takes its time, and the engine's decisions wait".to_owned(),
            Fact::EngineHeld { held: false } => "the store has caught up, and the engine's decisions go out".to_owned(),
            Fact::Noted(note) => self.note(now, note),
            Fact::WorkerArrived { .. } | Fact::MessageSent { .. } | Fact::MessageArrived { .. } => return None,
        })
    }

    fn note(&self, now: Time, note: Note) -> String {
        let names = self.labels;
        match note {
            Note::QueueCreated { queue } => format!("{queue} is created"),
            Note::QueueOwned { queue, worker, epoch, why } => {
                format!("{queue} is granted to {} as epoch {}{}", names.worker(worker), epoch.0, cause(why))
            }
            Note::QueueRevoking { queue, worker, why } => {
                format!("{} is asked to hand {queue} back{}", names.worker(worker), cause(why))
            }
            Note::QueueOrphaned { queue, worker, lease_ends } if lease_ends > now => {
                let (worker, ends) = (names.worker(worker), clock(lease_ends));
                format!("{queue} is orphaned, and waits until {worker}'s lease has surely ended, at {ends}")
            }
            Note::QueueOrphaned { queue, .. } => format!("{queue} is orphaned, and no lease holds it back"),
            Note::QueueVacant { queue } => format!("{queue} is vacant: it has no owner"),
            Note::QueueDraining { queue } => format!("{queue} drains: no fresh reservations, deleted when empty"),
            Note::QueueRevived { queue } => format!("{queue} is revived, and drains no more"),
            Note::QueueDeleted { queue } => format!("{queue} is deleted"),
            Note::Placed { task, queue } if queue.is_general() => {
                format!("{} goes to the general queue", names.task(task))
            }
            Note::Placed { task, queue } => format!("{} is put at the end of {queue}", names.task(task)),
            Note::Parked { task, why } => {
                let task = names.task(task);
                match why {
                    ParkReason::BehindParked(other) => {
                        format!("{task} is parked behind {}, which is parked itself", names.task(other))
                    }
                    ParkReason::Split(one, other) => {
                        format!("{task} is parked: tasks that it must follow lie in {one} and in {other}")
                    }
                    ParkReason::AtMax => format!("{task} is parked: the pool is at its maximum, and no queue is empty"),
                    ParkReason::InLine => {
                        format!("{task} stands in the one line from which tasks are placed one at a time")
                    }
                }
            }
            Note::Requeued { task, lost } => {
                let lost = number::counted(lost.into(), "attempt");
                format!("{} is put back to the head of its queue, {lost} lost", names.task(task))
            }
            Note::WorkerLost { worker } => {
                format!("{}'s last heartbeat is {} old: it counts as dead", names.worker(worker), self.ttl_words())
            }
        }
    }

    fn ttl_words(&self) -> String {
        number::clock(Time::from_micros(self.ttl.micros()))
    }

    fn claims(&self, claims: &[Claim]) -> String {
        let names = |mode: Mode| {
            let of_mode = claims.iter().filter(|claim| claim.mode == mode);
            of_mode.map(|claim| self.labels.resource(claim.resource)).collect::<Vec<_>>().join(", ")
        };
        match (names(Mode::Exclusive), names(Mode::Shared)) {
            (none, nothing) if none.is_empty() && nothing.is_empty() => "and claims nothing".to_owned(),
            (exclusive, none) if none.is_empty() => format!("and claims {exclusive}"),
            (none, shared) if none.is_empty() => format!("and claims {shared} shared"),
            (exclusive, shared) => format!("and claims {exclusive}, and {shared} shared"),
        }
    }
}

/// With which lease a grant is taken up.
pub(super) fn lease(until: Option<Time>) -> String {
    match until {
        Some(until) => format!(", with a lease until {}", clock(until)),
        None => ", without a lease".to_owned(),
    }
}

fn gone(exit: Exit) -> &'static str {
    match exit {
        Exit::Left => "leaves in good order",
        Exit::Crashed => "crashes",
        Exit::Killed => "is killed at the end of its grace",
    }
}

fn ended(task: &str, worker: &str, end: AttemptEnd) -> String {
    match end {
        AttemptEnd::Completed => format!("{task} runs to its end on {worker}"),
        AttemptEnd::Failed => format!("{task} fails on {worker}"),
        AttemptEnd::SelfFenced => format!("{worker} stops {task} by itself, because its lease is over"),
        AttemptEnd::Aborted => format!("{worker} stops {task}, because it is told to"),
        AttemptEnd::Died => format!("{task} dies with {worker}"),
    }
}

fn cause(why: GrantReason) -> &'static str {
    match why {
        GrantReason::Vacant => "",
        GrantReason::Relief => ", to relieve an owner on double duty",
        GrantReason::Balance => ", to even out the queues per worker",
        GrantReason::Quiesce => ", because its owner quiesces",
        GrantReason::Deletion => ", because it is to be deleted",
    }
}

/// An instant, the first one included.
pub(crate) fn clock(at: Time) -> String {
    if at == Time::ZERO { "0 s".to_owned() } else { number::clock(at) }
}
