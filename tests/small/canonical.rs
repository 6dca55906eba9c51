//! When two states are one: what everything shows, with numbers that are only ever compared replaced by their order.
//!
//! - Tickets rise, and are compared with others that were given to the same worker: rank by rank, for each worker.
//! - Placements, numbers of going idle and the last starts of queues are compared with each other within one engine: rank
//!   by rank. The last number that was given is above all others, by how much makes no difference.
//! - Epochs are compared and counted on by one: ranks in which a gap remains a gap.
//! - Instants count from now. Those so long ago that every lease and silence counted from them is over are only compared
//!   with each other: rank by rank.
//!
//! A state and its renaming answer every input alike up to the same renaming, for neither engine nor agents do anything
//! else with these numbers. The text is then hashed to 128 bits: of n states two fall together with a probability of at
//! most n²/2^129, which is 10⁻²³ at a hundred million.

use std::collections::BTreeMap;
use std::fmt::Write;

use lanekeeper::base::mix::mix;
use lanekeeper::base::{Ticket, Time, WorkerId};

use super::scope::LONG_AGO;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Ticket,
    LastStart,
    Placement,
    Idle,
    Epoch,
    Instant,
    /// Nothing reads it before it is overwritten, or nothing at all in a cluster without general tasks, with a fixed number
    /// of queues and placement by load.
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
fn numbers(text: &str, marks: &[(&str, Kind)]) -> Vec<Number> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 1;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() || !matches!(bytes[at - 1], b'(' | b' ') {
            at += 1;
            continue;
        }
        let to = at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let before = &bytes[..at];
        // Most differ in the last letter already.
        let fits = |mark: &[u8]| before.get(at - 2) == mark.get(mark.len() - 2) && before.ends_with(mark);
        if let Some((_, kind)) = marks.iter().find(|(mark, _)| fits(mark.as_bytes())) {
            found.push(Number { from: at, to, kind: *kind, value: text[at..to].parse().expect("a number") });
        }
        at = to;
    }
    found
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

/// The values of one kind in order, 0 among them.
fn values(numbers: &[Number], wanted: impl Fn(&Number) -> bool) -> Vec<u64> {
    let mut values: Vec<u64> = numbers.iter().filter(|it| wanted(it)).map(|it| it.value).chain([0]).collect();
    values.sort_unstable();
    values.dedup();
    values
}

fn push(text: &mut String, number: impl std::fmt::Display) {
    write!(text, "{number}").expect("any text fits");
}

fn rank(values: &[u64], value: u64) -> usize {
    values.binary_search(&value).expect("one of them")
}

/// What an engine or its records show, with those numbers renamed that mean nothing to others.
pub fn own(text: &str) -> String {
    let numbers = numbers(text, &OWN);
    let ranked = [Kind::LastStart, Kind::Placement, Kind::Idle].map(|kind| values(&numbers, |it| it.kind == kind));
    let [starts, placements, idle] = &ranked;
    renamed(text, &numbers, |named, number| {
        let values = match number.kind {
            Kind::LastStart => starts,
            Kind::Placement => placements,
            Kind::Idle => idle,
            Kind::Unread | Kind::Ticket | Kind::Epoch | Kind::Instant => return,
        };
        // No number any more.
        named.push('#');
        push(named, rank(values, number.value));
    })
}

/// What a whole cluster shows, with the other numbers renamed; `now` is what instants count from, `given_to` says to whom
/// each ticket was given.
pub fn canonical(text: &str, now: Time, given_to: &BTreeMap<Ticket, WorkerId>) -> String {
    let numbers = numbers(text, &COMMON);
    let is_old = |number: &Number| number.kind == Kind::Instant && number.value + LONG_AGO.micros() <= now.micros();
    let old = values(&numbers, is_old);
    let tickets = Tickets::new(&values(&numbers, |it| it.kind == Kind::Ticket), given_to);
    let epochs = with_gaps(&values(&numbers, |it| it.kind == Kind::Epoch));
    renamed(text, &numbers, |named, number| match number.kind {
        Kind::Ticket => tickets.push_name(named, number.value),
        Kind::Epoch => push(named, epochs[&number.value]),
        Kind::Instant if is_old(number) => push(named, rank(&old, number.value)),
        Kind::Instant => push(named, format_args!("{:+}", number.value.wrapping_sub(now.micros()) as i64)),
        Kind::Unread | Kind::LastStart | Kind::Placement | Kind::Idle => {}
    })
}

/// The tickets in what is shown.
pub fn tickets(text: &str) -> impl Iterator<Item = Ticket> {
    let tickets = numbers(text, &COMMON).into_iter().filter(|number| number.kind == Kind::Ticket && number.value > 0);
    tickets.map(|number| Ticket(number.value))
}

/// Tickets by whom they were given to. Where that is not known of one, all are ranked together.
struct Tickets(Vec<(Option<WorkerId>, u64)>);

impl Tickets {
    fn new(values: &[u64], given_to: &BTreeMap<Ticket, WorkerId>) -> Tickets {
        let owners: Vec<_> = values.iter().map(|value| given_to.get(&Ticket(*value)).copied()).collect();
        let known = owners[1..].iter().all(Option::is_some);
        Tickets(owners.into_iter().map(|owner| owner.filter(|_| known)).zip(values.iter().copied()).collect())
    }

    fn push_name(&self, text: &mut String, ticket: u64) {
        let (owner, _) = self.0.iter().find(|(_, value)| *value == ticket).expect("one of them");
        let rank = self.0.iter().filter(|(of, value)| of == owner && *value < ticket).count();
        if let Some(owner) = owner {
            push(text, owner);
        }
        push(text, rank);
    }
}

/// Each value with its new name: the next one where they follow each other, the next but one where there is a gap.
fn with_gaps(values: &[u64]) -> BTreeMap<u64, u64> {
    let (mut name, mut before) = (0, 0);
    let names = values.iter().map(|value| {
        name += (value - before).min(2);
        before = *value;
        (*value, name)
    });
    names.collect()
}

/// 128 bits that tell states apart.
pub fn fingerprint(text: &str) -> u128 {
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let length = text.len() as u64;
    let (mut a, mut b) = (mix(1, &[length]), mix(2, &[length]));
    let mut take = |word: u64| {
        a = folded(a ^ word, 0x9E37_79B9_7F4A_7C15);
        b = folded(b ^ word, 0xD6E8_FEB8_6659_FD93);
    };
    words.iter().for_each(|word| take(u64::from_le_bytes(*word)));
    rest.iter().for_each(|byte| take(u64::from(*byte)));
    u128::from(mix(a, &[b])) << 64 | u128::from(mix(b, &[a]))
}

/// Both halves of a product, each bit of which depends on all of the word.
fn folded(word: u64, by: u64) -> u64 {
    let product = u128::from(word) * u128::from(by);
    (product >> 64) as u64 ^ product as u64
}
