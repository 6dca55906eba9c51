//! When two states are one: what everything shows, with numbers that are only ever compared replaced by their order.
//!
//! - Tickets rise, and are compared with others that were given to the same worker: rank by rank, for each worker.
//! - Placements, numbers of going idle and the last starts of queues are compared with each other within one engine:
//!   rank by rank. The last number that was given is above all others, by how much makes no difference.
//! - Epochs are compared and counted on by one: ranks in which a gap remains a gap.
//! - Instants count from now. Those so long ago that every lease and silence counted from them is over are only
//!   compared with each other: rank by rank.
//!
//! A state and its renaming answer every input alike up to the same renaming, for neither engine nor agents do anything
//! else with these numbers. What a part of the state shows is taken apart once (`Shown`): its text, in which only
//! stands which of its numbers are equal, and these numbers, which are named for every state anew. Texts are hashed to
//! 128 bits, and so are the hashes and names of all parts: of n of these two fall together with a probability of at
//! most n²/2^129, which is 10⁻²³ at a hundred million.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::hash::Hasher;
use std::sync::Arc;

use lanekeeper::base::mix::mix;
use lanekeeper::base::{Ticket, Time, WorkerId};
use smallvec::SmallVec;

use super::scope::LONG_AGO;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Ticket,
    LastStart,
    Placement,
    Idle,
    Epoch,
    Instant,
    /// Nothing reads it before it is overwritten, or nothing at all in a cluster without general tasks, with a fixed
    /// number of queues and placement by load.
    Unread,
}

/// What stands before a number that means something in one engine only, and what it is. The first that fits counts.
const OWN: [(&str, Kind); 10] = [
    ("last_ticket: ", Kind::Unread),
    ("placements: ", Kind::Unread),
    ("idled: ", Kind::Unread),
    ("empty_since: Some(Time(", Kind::Unread),
    ("reserved_streak: ", Kind::Unread),
    (" attempts: ", Kind::Unread),
    (" last: Some(QueueId(", Kind::Unread),
    ("last_start: Ticket(", Kind::LastStart),
    ("sequence: ", Kind::Placement),
    ("idle: Some(", Kind::Idle),
];

/// The same of what is compared between engine, agents, messages and store.
const COMMON: [(&str, Kind); 6] = [
    (" now: Stamp(", Kind::Unread),
    ("answered: Stamp(", Kind::Unread),
    ("Ticket(", Kind::Ticket),
    ("Epoch(", Kind::Epoch),
    ("Stamp(", Kind::Instant),
    ("Time(", Kind::Instant),
];

struct Number {
    from: usize,
    to: usize,
    kind: Kind,
    value: u64,
}

/// The numbers of the text that are to be renamed, in order.
fn numbers(text: &str, marks: &'static [(&str, Kind)]) -> impl Iterator<Item = Number> {
    let bytes = text.as_bytes();
    let mut at = 1;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            if !bytes[at].is_ascii_digit() || !matches!(bytes[at - 1], b'(' | b' ') {
                at += 1;
                continue;
            }
            let from = at;
            at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            let before = &bytes[..from];
            // Most differ in the last letter already.
            let fits = |mark: &[u8]| before.get(from - 2) == mark.get(mark.len() - 2) && before.ends_with(mark);
            if let Some((_, kind)) = marks.iter().find(|(mark, _)| fits(mark.as_bytes())) {
                return Some(Number { from, to: at, kind: *kind, value: text[from..at].parse().expect("a number") });
            }
        }
        None
    })
}

/// The text with other names for its numbers.
fn renamed(text: &str, numbers: &[Number], mut name: impl FnMut(&mut String, &Number)) -> String {
    let mut named = String::with_capacity(text.len());
    let mut copied = 0;
    for number in numbers {
        named.push_str(&text[copied..number.from]);
        copied = number.to;
        name(&mut named, number);
    }
    named.push_str(&text[copied..]);
    named
}

/// Numbers in order, 0 among them.
fn in_order(numbers: impl Iterator<Item = u64>) -> Values {
    let mut values: Values = numbers.chain([0]).collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// As many as a state has of one kind, mostly.
type Values = SmallVec<[u64; 32]>;

fn rank(values: &[u64], value: u64) -> usize {
    values.binary_search(&value).expect("one of them")
}

/// What an engine or its records show, with those numbers renamed that mean nothing to others.
pub fn own(text: &str) -> String {
    let numbers: Vec<Number> = numbers(text, &OWN).collect();
    let ranked = [Kind::LastStart, Kind::Placement, Kind::Idle]
        .map(|kind| in_order(numbers.iter().filter(|it| it.kind == kind).map(|it| it.value)));
    let [starts, placements, idle] = &ranked;
    renamed(text, &numbers, |named, number| {
        let values = match number.kind {
            Kind::LastStart => starts,
            Kind::Placement => placements,
            Kind::Idle => idle,
            Kind::Unread | Kind::Ticket | Kind::Epoch | Kind::Instant => return,
        };
        // No number any more.
        write!(named, "#{}", rank(values, number.value)).expect("any text fits");
    })
}

thread_local! {
    static TEXT: RefCell<String> = RefCell::default();
}

/// Hands over the text of something, which nobody keeps.
pub fn read<R>(shown: impl Display, reader: impl FnOnce(&str) -> R) -> R {
    TEXT.with_borrow_mut(|text| {
        text.clear();
        write!(text, "{shown}").expect("any text fits");
        reader(text)
    })
}

/// What a part of a state shows, with its own numbers renamed, taken apart: its text, and the other numbers.
#[derive(Default, Debug)]
pub struct Shown {
    /// A fingerprint of the text, in which each of these numbers is the place at which it stands below.
    text: u128,
    /// Those of one kind in the order in which they are met, one kind after the other.
    numbers: Box<[u64]>,
    /// Where each kind ends.
    ends: [u32; 3],
}

/// The kinds of these numbers.
const KINDS: [Kind; 3] = [Kind::Ticket, Kind::Epoch, Kind::Instant];

impl Shown {
    pub fn new(text: &str) -> Shown {
        let mut met = [Values::new(), Values::new(), Values::new()];
        let (mut print, mut taken) = (Print::default(), 0);
        for number in numbers(text, &COMMON) {
            print.take_text(&text[taken..number.from]);
            taken = number.to;
            if let Some(kind) = KINDS.iter().position(|kind| *kind == number.kind) {
                let met = &mut met[kind];
                let place = met.iter().position(|value| *value == number.value).unwrap_or_else(|| {
                    met.push(number.value);
                    met.len() - 1
                });
                print.take(place as u64);
            }
        }
        print.take_text(&text[taken..]);
        let mut end = 0;
        let ends = met.each_ref().map(|numbers| {
            end += numbers.len() as u32;
            end
        });
        Shown { text: print.done(), numbers: met.concat().into(), ends }
    }

    /// The numbers of one kind.
    fn of(&self, kind: usize) -> &[u64] {
        let from = if kind == 0 { 0 } else { self.ends[kind - 1] };
        &self.numbers[from as usize..self.ends[kind] as usize]
    }

    pub fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.of(0).iter().filter(|ticket| **ticket > 0).map(|ticket| Ticket(*ticket))
    }
}

/// The fingerprint of a state, with the other numbers renamed: that of what its parts show, begun with everything else.
/// `now` is what instants count from, `given_to` says to whom each ticket was given.
pub fn canonical<'a>(
    mut print: Print,
    parts: impl Iterator<Item = &'a Arc<Shown>> + Clone,
    now: Time,
    given_to: &BTreeMap<Ticket, WorkerId>,
) -> u128 {
    parts.clone().for_each(|part| print.take_long(part.text));
    for (at, kind) in KINDS.into_iter().enumerate() {
        let mut all = Values::new();
        parts.clone().for_each(|part| all.extend_from_slice(part.of(at)));
        let values = in_order(all.iter().copied());
        let names = match kind {
            Kind::Ticket => Names::of_tickets(&values, given_to),
            Kind::Epoch => Names::of_epochs(&values),
            _ => Names::of_instants(&values, now),
        };
        all.iter().for_each(|value| print.take(names.of(*value)));
    }
    print.done()
}

/// The same with these numbers as they are.
pub fn literal<'a>(mut print: Print, parts: impl Iterator<Item = &'a Arc<Shown>>) -> u128 {
    for part in parts {
        print.take_long(part.text);
        part.numbers.iter().for_each(|value| print.take(*value));
    }
    print.done()
}

/// Numbers of one kind, in order, and their names.
struct Names(SmallVec<[(u64, u64); 32]>);

impl Names {
    fn of(&self, value: u64) -> u64 {
        let at = self.0.binary_search_by_key(&value, |(value, _)| *value).expect("one of them");
        self.0[at].1
    }

    /// Their rank among those that were given to the same worker. Where that is not known of one, all are ranked
    /// together.
    fn of_tickets(values: &[u64], given_to: &BTreeMap<Ticket, WorkerId>) -> Names {
        let owner = |value: u64| given_to.get(&Ticket(value)).map_or(0, |owner| 1 + u64::from(owner.0));
        let known = values[1..].iter().all(|value| owner(*value) > 0);
        let owner = |value| if known { owner(value) } else { 0 };
        let name = |value: &u64| {
            let of = owner(*value);
            let rank = values.iter().filter(|other| *other < value && owner(**other) == of).count();
            (*value, of << 32 | rank as u64)
        };
        Names(values.iter().map(name).collect())
    }

    /// The next number where they follow each other, the next but one where there is a gap.
    fn of_epochs(values: &[u64]) -> Names {
        let (mut name, mut before) = (0, 0);
        let names = values.iter().map(|value| {
            name += (value - before).min(2);
            before = *value;
            (*value, name)
        });
        Names(names.collect())
    }

    /// How far they are from now; the rank of those that are over. No rank is as high as a distance.
    fn of_instants(values: &[u64], now: Time) -> Names {
        let name = |(rank, value): (usize, &u64)| {
            let is_old = value + LONG_AGO.micros() <= now.micros();
            (*value, if is_old { rank as u64 } else { value.wrapping_sub(now.micros()).wrapping_add(1 << 63) })
        };
        Names(values.iter().enumerate().map(name).collect())
    }
}

/// 128 bits that tell states apart.
pub struct Print {
    a: u64,
    b: u64,
}

impl Default for Print {
    fn default() -> Print {
        Print { a: mix(1, &[]), b: mix(2, &[]) }
    }
}

impl Print {
    pub fn take(&mut self, word: u64) {
        self.a = folded(self.a ^ word, 0x9E37_79B9_7F4A_7C15);
        self.b = folded(self.b ^ word, 0xD6E8_FEB8_6659_FD93);
    }

    /// Its end is told from what is taken next.
    fn take_text(&mut self, text: &str) {
        self.take(text.len() as u64);
        self.write(text.as_bytes());
    }

    fn take_long(&mut self, words: u128) {
        self.take(words as u64);
        self.take((words >> 64) as u64);
    }

    pub fn done(self) -> u128 {
        let Print { a, b } = self;
        u128::from(mix(a, &[b])) << 64 | u128::from(mix(b, &[a]))
    }
}

/// So that it takes whatever can be hashed.
impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.take(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.take(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        mix(self.a, &[self.b])
    }
}

/// The fingerprint of a text.
pub fn fingerprint(text: &str) -> u128 {
    let mut print = Print::default();
    print.take_text(text);
    print.done()
}

/// Both halves of a product, each bit of which depends on all of the word.
fn folded(word: u64, by: u64) -> u64 {
    let product = u128::from(word) * u128::from(by);
    (product >> 64) as u64 ^ product as u64
}
