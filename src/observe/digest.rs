//! A fixed 128-bit digest of all facts, the same on every platform and in every build.
//!
//! Every fact is encoded as a tag, its instant and its fields, and folded into two lanes by multiplication. It tells
//! runs apart by accident, not against malice.

use crate::base::note::{GrantReason, ParkReason};
use crate::base::{Mode, Note, Outcome, Time};
use crate::fact::{AttemptEnd, EffectAnswer, Exit, Fact};

const LANE_A: u64 = 0xA076_1D64_78BD_642F;
const LANE_B: u64 = 0xE703_7ED1_A0B4_28DB;

/// The running digest.
#[derive(Clone, Copy, Debug)]
pub struct Digest {
    a: u64,
    b: u64,
}

impl Default for Digest {
    fn default() -> Self {
        Digest { a: 0x8EBC_6AF0_9C88_C6E3, b: 0x5899_65CC_7537_4CC3 }
    }
}

impl Digest {
    /// The digest of everything added so far.
    pub fn value(self) -> u128 {
        u128::from(self.a) << 64 | u128::from(self.b)
    }

    #[inline]
    fn word(&mut self, word: u64) {
        self.a = fold(self.a ^ word, LANE_A).wrapping_add(word);
        self.b = fold(self.b.wrapping_add(word), LANE_B) ^ word;
    }

    /// A tag below 64 and up to 58 bits of fields, then the instant.
    #[inline]
    fn open(&mut self, tag: u64, fields: u64, now: Time) {
        self.word(tag | fields << 6);
        self.word(now.micros());
    }

    /// Adds one fact.
    #[inline(always)]
    pub fn add(&mut self, now: Time, fact: &Fact<'_>) {
        match *fact {
            Fact::Submitted { task, class, claims, service } => {
                self.open(1, class.0.into(), now);
                self.word(pair(task.0, u32::try_from(claims.len()).unwrap_or(u32::MAX)));
                self.word(service.micros());
                for claim in claims {
                    let mode = match claim.mode {
                        Mode::Exclusive => 0,
                        Mode::Shared => 1,
                    };
                    self.word(pair(claim.resource.0, mode));
                }
            }
            Fact::CancelAsked { task } => self.open(2, task.0.into(), now),
            Fact::Settled { task, outcome } => {
                let outcome = match outcome {
                    Outcome::Completed => 0,
                    Outcome::Failed => 1,
                    Outcome::Cancelled => 2,
                };
                self.open(3, u64::from(task.0) << 2 | outcome, now);
            }
            Fact::LimitsSet { min, max } => {
                self.open(4, min.into(), now);
                self.word(max.into());
            }
            Fact::WorkerArrived { worker } => self.open(5, worker.0.into(), now),
            Fact::WorkerReady { worker } => self.open(6, worker.0.into(), now),
            Fact::WorkerPaused { worker } => self.open(7, worker.0.into(), now),
            Fact::WorkerResumed { worker } => self.open(8, worker.0.into(), now),
            Fact::QuiesceDelivered { worker, deadline } => {
                self.open(9, worker.0.into(), now);
                self.word(deadline.micros());
            }
            Fact::WorkerGone { worker, exit } => {
                let exit = match exit {
                    Exit::Left => 0,
                    Exit::Crashed => 1,
                    Exit::Killed => 2,
                };
                self.open(10, u64::from(worker.0) << 2 | exit, now);
            }
            Fact::Started { task, worker, queue, epoch, ticket } => {
                self.open(11, task.0.into(), now);
                self.word(pair(worker.0, queue.0));
                self.word(u64::from(epoch.0) << 32 ^ ticket.0);
            }
            Fact::Ended { task, worker, ticket, end } => {
                let end = match end {
                    AttemptEnd::Completed => 0,
                    AttemptEnd::Failed => 1,
                    AttemptEnd::SelfFenced => 2,
                    AttemptEnd::Aborted => 3,
                    AttemptEnd::Died => 4,
                };
                self.open(12, u64::from(task.0) << 3 | end, now);
                self.word(worker.0.into());
                self.word(ticket.0);
            }
            Fact::Reported { task, worker, queue, epoch, ticket } => {
                self.open(13, task.0.into(), now);
                self.word(pair(worker.0, queue.0));
                self.word(u64::from(epoch.0) << 32 ^ ticket.0);
            }
            Fact::Held { worker, queue, epoch, until } => {
                self.open(14, worker.0.into(), now);
                self.word(pair(queue.0, epoch.0));
                self.word(until.map_or(u64::MAX, Time::micros));
            }
            Fact::Dropped { worker, queue, epoch } => {
                self.open(15, worker.0.into(), now);
                self.word(pair(queue.0, epoch.0));
            }
            Fact::MessageSent { worker } => self.open(16, worker.0.into(), now),
            Fact::MessageArrived { worker } => self.open(17, worker.0.into(), now),
            Fact::Effect { task, worker, queue, epoch, ticket, answer } => {
                let answer = match answer {
                    EffectAnswer::Accepted => 0,
                    EffectAnswer::Refused => 1,
                    EffectAnswer::AlreadyDone => 2,
                };
                self.open(18, u64::from(task.0) << 2 | answer, now);
                self.word(pair(worker.0, queue.0));
                self.word(u64::from(epoch.0) << 32 ^ ticket.0);
            }
            Fact::MessageLost { worker } => self.open(19, worker.0.into(), now),
            Fact::Poisoned { task, never_ends } => self.open(20, u64::from(task.0) << 1 | u64::from(never_ends), now),
            Fact::EngineDown { term } => self.open(21, term.0.into(), now),
            Fact::EngineUp { term } => self.open(22, term.0.into(), now),
            Fact::MessageOvertook { worker } => self.open(24, worker.0.into(), now),
            Fact::EngineHeld { held } => self.open(23, held.into(), now),
            Fact::Noted(note) => self.note(now, note),
        }
    }

    fn note(&mut self, now: Time, note: Note) {
        match note {
            Note::QueueCreated { queue } => self.open(32, queue.0.into(), now),
            Note::QueueOwned { queue, worker, epoch, why } => {
                self.open(33, u64::from(queue.0) << 2 | reason(why), now);
                self.word(pair(worker.0, epoch.0));
            }
            Note::QueueRevoking { queue, worker, why } => {
                self.open(34, u64::from(queue.0) << 2 | reason(why), now);
                self.word(worker.0.into());
            }
            Note::QueueOrphaned { queue, worker, lease_ends } => {
                self.open(35, queue.0.into(), now);
                self.word(worker.0.into());
                self.word(lease_ends.micros());
            }
            Note::QueueVacant { queue } => self.open(36, queue.0.into(), now),
            Note::QueueDraining { queue } => self.open(37, queue.0.into(), now),
            Note::QueueRevived { queue } => self.open(38, queue.0.into(), now),
            Note::QueueDeleted { queue } => self.open(39, queue.0.into(), now),
            Note::Placed { task, queue } => {
                self.open(40, task.0.into(), now);
                self.word(queue.0.into());
            }
            Note::Parked { task, why } => {
                let (kind, detail) = match why {
                    ParkReason::BehindParked(other) => (0, other.0.into()),
                    ParkReason::Split(one, other) => (1, pair(one.0, other.0)),
                    ParkReason::AtMax => (2, 0),
                    ParkReason::InLine => (3, 0),
                };
                self.open(41, u64::from(task.0) << 2 | kind, now);
                self.word(detail);
            }
            Note::Requeued { task, lost } => {
                self.open(42, task.0.into(), now);
                self.word(lost.into());
            }
            Note::WorkerLost { worker } => self.open(43, worker.0.into(), now),
        }
    }
}

#[inline]
fn fold(x: u64, by: u64) -> u64 {
    let product = u128::from(x) * u128::from(by);
    (product >> 64) as u64 ^ product as u64
}

#[inline]
fn pair(one: u32, other: u32) -> u64 {
    u64::from(one) | u64::from(other) << 32
}

fn reason(why: GrantReason) -> u64 {
    match why {
        GrantReason::Vacant => 0,
        GrantReason::Relief => 1,
        GrantReason::Balance => 2,
        GrantReason::Quiesce => 3,
        GrantReason::Deletion => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Claim, ClassId, ResourceId, Span, TaskId, WorkerId};

    fn of(facts: &[(u64, Fact<'_>)]) -> u128 {
        let mut digest = Digest::default();
        for (at, fact) in facts {
            digest.add(Time::from_micros(*at), fact);
        }
        digest.value()
    }

    #[test]
    fn the_golden_digest_holds_on_every_platform() {
        let claims = [Claim::exclusive(ResourceId(3)), Claim::shared(ResourceId(5))];
        let submitted =
            Fact::Submitted { task: TaskId(0), class: ClassId(1), claims: &claims, service: Span::from_secs(1) };
        let facts = [(0, Fact::WorkerArrived { worker: WorkerId(0) }), (7, submitted)];
        assert_eq!(format!("{:032x}", of(&facts)), "8b13c304a4c6ebab9ee3f66b49f3f953");
    }

    #[test]
    fn order_instants_and_fields_all_count() {
        let one = Fact::WorkerReady { worker: WorkerId(0) };
        let two = Fact::WorkerReady { worker: WorkerId(1) };
        let digests = [
            of(&[]),
            of(&[(0, one)]),
            of(&[(1, one)]),
            of(&[(0, two)]),
            of(&[(0, one), (0, two)]),
            of(&[(0, two), (0, one)]),
            of(&[(0, Fact::WorkerPaused { worker: WorkerId(0) })]),
        ];
        for (index, digest) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(digest));
        }
    }
}
