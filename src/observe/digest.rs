//! A fixed 128-bit digest of all facts, the same on every platform and in every build.
//!
//! Every fact is encoded in pairs of words, and an instant in one when time moves on. A pair is taken in by one
//! multiplication: each word is mixed into one half of the state, and the 128 bits of the product of both halves into the
//! halves crosswise. So each half goes on in the other even where the product says nothing of it (the other half was 0),
//! and two runs that once differ meet again only where two 128-bit states do, which is a matter of chance: of 2^-64 at
//! most for a pair that differs in one word, whose half must meet a product of its own. It tells runs apart by accident,
//! not against malice.

use crate::base::note::{GrantReason, ParkReason};
use crate::base::{Claim, Mode, Note, Outcome, Time};
use crate::fact::{AttemptEnd, EffectAnswer, Exit, Fact};

/// The tag of a move of time; facts have tags from 1 to 63.
const INSTANT: u64 = 0;

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
    pub fn value(mut self) -> u128 {
        // What came last has reached both halves only after a round more.
        self.words(0xA076_1D64_78BD_642F, 0xE703_7ED1_A0B4_28DB);
        u128::from(self.a) << 64 | u128::from(self.b)
    }

    #[inline(always)]
    fn words(&mut self, one: u64, other: u64) {
        let (a, b) = (self.a ^ one, self.b ^ other);
        let product = u128::from(a) * u128::from(b);
        self.a = product as u64 ^ b;
        self.b = (product >> 64) as u64 ^ a;
    }

    /// A tag from 1 to 63 with up to 58 bits of fields, and a word of fields.
    #[inline(always)]
    fn open(&mut self, tag: u64, fields: u64, word: u64) {
        self.words(tag | fields << 6, word);
    }

    /// Time moves on: what is added from here on happens at `now`.
    #[inline(always)]
    pub fn advance(&mut self, now: Time) {
        self.words(INSTANT, now.micros());
    }

    /// Adds one fact.
    #[inline(always)]
    pub fn add(&mut self, fact: &Fact<'_>) {
        match *fact {
            Fact::Submitted { task, class, claims, service } => {
                self.open(1, class.0.into(), pair(task.0, u32::try_from(claims.len()).unwrap_or(u32::MAX)));
                let mut claims = claims.iter().map(word_of);
                self.words(service.micros(), claims.next().unwrap_or(0));
                for claim in claims {
                    self.words(claim, 0);
                }
            }
            Fact::CancelAsked { task } => self.open(2, 0, task.0.into()),
            Fact::Settled { task, outcome } => {
                let outcome = match outcome {
                    Outcome::Completed => 0,
                    Outcome::Failed => 1,
                    Outcome::Cancelled => 2,
                };
                self.open(3, outcome, task.0.into());
            }
            Fact::LimitsSet { min, max } => self.open(4, 0, pair(min, max)),
            Fact::WorkerArrived { worker } => self.open(5, 0, worker.0.into()),
            Fact::WorkerReady { worker } => self.open(6, 0, worker.0.into()),
            Fact::WorkerPaused { worker } => self.open(7, 0, worker.0.into()),
            Fact::WorkerResumed { worker } => self.open(8, 0, worker.0.into()),
            Fact::QuiesceAsked { worker } => self.open(25, 0, worker.0.into()),
            Fact::QuiesceDelivered { worker, deadline } => self.open(9, worker.0.into(), deadline.micros()),
            Fact::WorkerGone { worker, exit } => {
                let exit = match exit {
                    Exit::Left => 0,
                    Exit::Crashed => 1,
                    Exit::Killed => 2,
                };
                self.open(10, exit, worker.0.into());
            }
            Fact::Started { task, worker, queue, epoch, ticket } => {
                self.open(11, task.0.into(), pair(worker.0, queue.0));
                self.words(epoch.0.into(), ticket.0);
            }
            Fact::Ended { task, worker, ticket, end } => {
                let end = match end {
                    AttemptEnd::Completed => 0,
                    AttemptEnd::Failed => 1,
                    AttemptEnd::SelfFenced => 2,
                    AttemptEnd::Aborted => 3,
                    AttemptEnd::Died => 4,
                };
                self.open(12, end, pair(task.0, worker.0));
                self.words(ticket.0, 0);
            }
            Fact::Reported { task, worker, queue, epoch, ticket } => {
                self.open(13, task.0.into(), pair(worker.0, queue.0));
                self.words(epoch.0.into(), ticket.0);
            }
            Fact::Held { worker, queue, epoch, until } => {
                self.open(14, worker.0.into(), pair(queue.0, epoch.0));
                self.words(until.map_or(u64::MAX, Time::micros), 0);
            }
            Fact::Dropped { worker, queue, epoch } => self.open(15, worker.0.into(), pair(queue.0, epoch.0)),
            Fact::MessageSent { worker } => self.open(16, 0, worker.0.into()),
            Fact::MessageArrived { worker } => self.open(17, 0, worker.0.into()),
            Fact::Effect { task, worker, queue, epoch, ticket, answer } => {
                let answer = match answer {
                    EffectAnswer::Accepted => 0,
                    EffectAnswer::Refused => 1,
                    EffectAnswer::AlreadyDone => 2,
                };
                self.open(18, u64::from(task.0) << 2 | answer, pair(worker.0, queue.0));
                self.words(epoch.0.into(), ticket.0);
            }
            Fact::MessageLost { worker } => self.open(19, 0, worker.0.into()),
            Fact::Poisoned { task, never_ends } => self.open(20, u64::from(never_ends), task.0.into()),
            Fact::EngineDown { term } => self.open(21, 0, term.0.into()),
            Fact::EngineUp { term } => self.open(22, 0, term.0.into()),
            Fact::MessageOvertook { worker } => self.open(24, 0, worker.0.into()),
            Fact::EngineHeld { held } => self.open(23, 0, held.into()),
            Fact::Noted(note) => self.note(note),
        }
    }

    #[inline(always)]
    fn note(&mut self, note: Note) {
        match note {
            Note::QueueCreated { queue } => self.open(32, 0, queue.0.into()),
            Note::QueueOwned { queue, worker, epoch, why } => {
                self.open(33, u64::from(queue.0) << 3 | reason(why), pair(worker.0, epoch.0));
            }
            Note::QueueRevoking { queue, worker, why } => self.open(34, reason(why), pair(queue.0, worker.0)),
            Note::QueueOrphaned { queue, worker, lease_ends } => {
                self.open(35, 0, pair(queue.0, worker.0));
                self.words(lease_ends.micros(), 0);
            }
            Note::QueueVacant { queue } => self.open(36, 0, queue.0.into()),
            Note::QueueDraining { queue } => self.open(37, 0, queue.0.into()),
            Note::QueueRevived { queue } => self.open(38, 0, queue.0.into()),
            Note::QueueDeleted { queue } => self.open(39, 0, queue.0.into()),
            Note::Placed { task, queue } => self.open(40, 0, pair(task.0, queue.0)),
            Note::Parked { task, why } => {
                let (kind, detail) = match why {
                    ParkReason::BehindParked(other) => (0, other.0.into()),
                    ParkReason::Split(one, other) => (1, pair(one.0, other.0)),
                    ParkReason::AtMax => (2, 0),
                    ParkReason::InLine => (3, 0),
                };
                self.open(41, u64::from(task.0) << 2 | kind, detail);
            }
            Note::Requeued { task, lost } => self.open(42, 0, pair(task.0, lost)),
            Note::WorkerLost { worker } => self.open(43, 0, worker.0.into()),
        }
    }
}

#[inline(always)]
fn word_of(claim: &Claim) -> u64 {
    let mode = match claim.mode {
        Mode::Exclusive => 0,
        Mode::Shared => 1,
    };
    pair(claim.resource.0, mode)
}

#[inline(always)]
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
        let (mut digest, mut now) = (Digest::default(), 0);
        for (at, fact) in facts {
            if *at > now {
                now = *at;
                digest.advance(Time::from_micros(now));
            }
            digest.add(fact);
        }
        digest.value()
    }

    #[test]
    fn the_golden_digest_holds_on_every_platform() {
        let claims = [Claim::exclusive(ResourceId(3)), Claim::shared(ResourceId(5))];
        let submitted =
            Fact::Submitted { task: TaskId(0), class: ClassId(1), claims: &claims, service: Span::from_secs(1) };
        let facts = [(0, Fact::WorkerArrived { worker: WorkerId(0) }), (7, submitted)];
        assert_eq!(format!("{:032x}", of(&facts)), "2fc7d859c621793047a441112f44c1f6");
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
