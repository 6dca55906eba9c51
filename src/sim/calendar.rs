//! The calendar of future events. What is popped follows the total order (time, class, insertion number), whatever was
//! scheduled when, and in the steady state nothing is allocated.
//!
//! Two containers share the work. What lies ahead is a key of 16 bytes (see `keys`) and an event in a slab; a key is stale
//! when its slot was emptied or given to another rank, which makes cancelling O(1): the key is skipped when its turn comes.
//! What is scheduled for the current instant waits, by value, in a FIFO lane of its class: its insertion number is above all
//! of that class and instant, so a queue is order enough.

mod keys;

use std::collections::VecDeque;

use crate::base::Time;

use keys::{Key, Keys};

/// Classes are numbered below this.
pub const CLASS_COUNT: usize = 8;

/// A rank is, from above: 3 bits of class, 38 bits of insertion number, 23 bits that say where the event lies.
const SLOT_BITS: u32 = 23;
const CLASS_SHIFT: u32 = 61;
/// The slot of an event that lies in the lane of its class.
const IN_LANE: u32 = (1 << SLOT_BITS) - 1;
/// The rank of an empty slot. No event in a slot has it, for its last bits are those of a lane.
const EMPTY: u64 = u64::MAX;
/// So few stale keys are never worth a sweep.
const STALE_TOLERATED: usize = 64;

/// Names one scheduled event, for cancelling it. Never names another one, however long it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handle {
    rank: u64,
}

fn slot_of(rank: u64) -> usize {
    (rank & u64::from(IN_LANE)) as usize
}

/// An event that is due at the current instant; `None`: it was cancelled.
struct Due<E> {
    rank: u64,
    event: Option<E>,
}

struct Slot<E> {
    /// The rank of the event that lies here, or [`EMPTY`].
    rank: u64,
    event: E,
}

/// Future events of type `E` in the order (time, class, insertion number). The calendar copies them about: small ones.
pub struct Calendar<E> {
    now: Time,
    inserted: u64,
    live: usize,
    keys: Keys,
    /// No key is of the current instant. Looked at when one is popped: what is scheduled for the current instant goes to a
    /// lane.
    keys_lie_after: bool,
    /// Sorted by rank; the first and the last of a lane are never cancelled ones.
    lanes: [VecDeque<Due<E>>; CLASS_COUNT],
    /// Bit `c` is set while lane `c` is not empty.
    busy_lanes: u8,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    /// Keys of cancelled events that are still there.
    stale: usize,
}

impl<E: Copy> Calendar<E> {
    /// An empty calendar at the start of the run.
    pub fn new() -> Self {
        Calendar {
            now: Time::ZERO,
            inserted: 0,
            live: 0,
            keys: Keys::default(),
            keys_lie_after: true,
            lanes: std::array::from_fn(|_| VecDeque::new()),
            busy_lanes: 0,
            slots: Vec::new(),
            free: Vec::new(),
            stale: 0,
        }
    }

    /// The current instant: the time of the event that was popped last.
    #[inline]
    pub fn now(&self) -> Time {
        self.now
    }

    /// How many events lie ahead.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether nothing lies ahead.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Puts an event into the calendar; among events of one instant the lower class comes first.
    ///
    /// # Panics
    /// If `at` lies before [`Calendar::now`], `class` is not below [`CLASS_COUNT`], or more than 2^23 - 1 events lie ahead
    /// or 2^38 were scheduled.
    #[inline]
    pub fn schedule(&mut self, at: Time, class: u8, event: E) -> Handle {
        assert!(at >= self.now, "an event was scheduled for {at:?}, but it is already {:?}", self.now);
        if at == self.now {
            return self.schedule_now(class, event);
        }
        let slot = self.free.pop().unwrap_or_else(|| self.new_slot(event));
        let rank = self.next_rank(class, slot);
        self.slots[slot as usize] = Slot { rank, event };
        self.keys.insert(Key { micros: at.micros(), rank });
        Handle { rank }
    }

    /// Puts an event of the current instant into the calendar: [`Calendar::schedule`] at [`Calendar::now`], and cheaper.
    ///
    /// # Panics
    /// If `class` is not below [`CLASS_COUNT`], or 2^38 events were scheduled.
    pub fn schedule_now(&mut self, class: u8, event: E) -> Handle {
        let rank = self.next_rank(class, IN_LANE);
        self.lanes[usize::from(class)].push_back(Due { rank, event: Some(event) });
        self.busy_lanes |= 1 << class;
        Handle { rank }
    }

    #[inline(always)]
    fn next_rank(&mut self, class: u8, slot: u32) -> u64 {
        assert!(usize::from(class) < CLASS_COUNT, "class {class} of an event is too high");
        let place = self.inserted << SLOT_BITS | u64::from(slot);
        assert!(place < 1 << CLASS_SHIFT, "events are counted in 38 bits");
        self.inserted += 1;
        self.live += 1;
        u64::from(class) << CLASS_SHIFT | place
    }

    /// A slot that was never used.
    #[cold]
    fn new_slot(&mut self, event: E) -> u32 {
        let slot = u32::try_from(self.slots.len()).ok().filter(|slot| *slot < IN_LANE);
        self.slots.push(Slot { rank: EMPTY, event });
        slot.expect("too many events lie ahead")
    }

    /// Takes an event out again; `None` if it was popped or cancelled before.
    pub fn cancel(&mut self, handle: Handle) -> Option<E> {
        if slot_of(handle.rank) == IN_LANE as usize {
            return self.cancel_in_lane(handle.rank);
        }
        let event = self.vacate(handle.rank)?;
        self.live -= 1;
        self.stale += 1;
        if self.stale > STALE_TOLERATED && self.stale > self.live {
            self.sweep();
        }
        Some(event)
    }

    fn cancel_in_lane(&mut self, rank: u64) -> Option<E> {
        let class = (rank >> CLASS_SHIFT) as usize;
        let lane = &mut self.lanes[class];
        let position = lane.binary_search_by_key(&rank, |due| due.rank).ok()?;
        let event = lane[position].event.take()?;
        while lane.back().is_some_and(|due| due.event.is_none()) {
            lane.pop_back();
        }
        self.live -= 1;
        self.trim_front(class);
        Some(event)
    }

    /// The next event and its time, which becomes the current instant.
    #[inline(always)]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        loop {
            if let Some(event) = self.pop_lane() {
                self.live -= 1;
                return Some((self.now, event));
            }
            let key = self.keys.pop()?;
            if let Some(event) = self.vacate(key.rank) {
                self.live -= 1;
                self.now = Time::from_micros(key.micros);
                self.keys_lie_after = self.keys.lie_after(key.micros);
                return Some((self.now, event));
            }
            self.stale -= 1;
        }
    }

    /// The time of the next event. Drops keys of cancelled events on the way, therefore `&mut`.
    #[inline]
    pub fn peek_time(&mut self) -> Option<Time> {
        if self.busy_lanes != 0 {
            return Some(self.now);
        }
        self.drop_stale();
        self.keys.first().map(|key| Time::from_micros(key.micros))
    }

    /// Makes the first key, if there is one, that of a live event.
    #[cold]
    fn drop_stale(&mut self) {
        while self.stale > 0
            && let Some(key) = self.keys.first()
            && !self.is_live(key)
        {
            self.keys.pop();
            self.stale -= 1;
        }
    }

    /// Whether an event of the current instant lies ahead, of this class or a lower one.
    ///
    /// # Panics
    /// If `class` is not below [`CLASS_COUNT`].
    #[inline(always)]
    pub fn is_due(&mut self, class: u8) -> bool {
        assert!(usize::from(class) < CLASS_COUNT, "class {class} of an event is too high");
        let lanes = (2u16 << class) - 1;
        u16::from(self.busy_lanes) & lanes != 0 || (!self.keys_lie_after && self.is_due_by_key(class))
    }

    #[cold]
    fn is_due_by_key(&mut self, class: u8) -> bool {
        let last = u64::from(class) << CLASS_SHIFT | ((1 << CLASS_SHIFT) - 1);
        if !self.keys.come_before(self.now.micros(), last) {
            return false;
        }
        // Unless what comes before was cancelled.
        self.drop_stale();
        self.keys.come_before(self.now.micros(), last)
    }

    /// The first event of the lanes, unless a key comes before it.
    #[inline(always)]
    fn pop_lane(&mut self) -> Option<E> {
        if self.busy_lanes == 0 {
            return None;
        }
        let class = self.busy_lanes.trailing_zeros() as usize;
        if !self.keys_lie_after && self.keys.come_before(self.now.micros(), self.lanes[class].front()?.rank) {
            return None;
        }
        let lane = &mut self.lanes[class];
        let event = lane.pop_front()?.event;
        if lane.front().is_none_or(|due| due.event.is_none()) {
            self.trim_front(class);
        }
        event
    }

    fn trim_front(&mut self, class: usize) {
        let lane = &mut self.lanes[class];
        while lane.front().is_some_and(|due| due.event.is_none()) {
            lane.pop_front();
        }
        if lane.is_empty() {
            self.busy_lanes &= !(1 << class);
        }
    }

    /// Empties the slot of an event, if it still lies there.
    #[inline(always)]
    fn vacate(&mut self, rank: u64) -> Option<E> {
        let slot = &mut self.slots[slot_of(rank)];
        if slot.rank != rank {
            return None;
        }
        slot.rank = EMPTY;
        self.free.push(slot_of(rank) as u32);
        Some(slot.event)
    }

    fn is_live(&self, key: Key) -> bool {
        self.slots[slot_of(key.rank)].rank == key.rank
    }

    /// Drops all stale keys. Called when they outnumber the live ones, so each cancellation pays for O(1) of it.
    #[cold]
    fn sweep(&mut self) {
        let slots = &self.slots;
        self.keys.retain(|key| slots[slot_of(key.rank)].rank == key.rank);
        self.stale = 0;
    }
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
