//! The calendar of future events. What is popped follows the total order (time, class, insertion number), whatever was
//! scheduled when, and in the steady state nothing is allocated.
//!
//! Two containers share the work. What lies ahead is a small key in a 4-ary heap and an event in a slab; a key is stale
//! when its slot was emptied or given to another insertion number, which makes cancelling O(1): the key is skipped when
//! its turn comes. What is scheduled for the current instant waits, by value, in a FIFO lane of its class: its insertion
//! number is above all of that class and instant, so a queue is order enough.

use std::collections::VecDeque;

use crate::base::Time;

/// Classes are numbered below this.
pub const CLASS_COUNT: usize = 8;

const CLASS_SHIFT: u32 = 56;
const ARITY: usize = 4;
/// So few stale keys are never worth a sweep.
const STALE_TOLERATED: usize = 64;
/// The slot of a handle whose event lies in the lane of its class.
const IN_LANE: u32 = u32::MAX;

/// Names one scheduled event, for cancelling it. Never names another one, however long it is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handle {
    /// Class and insertion number.
    rank: u64,
    /// Where it lies in the slab, or [`IN_LANE`].
    slot: u32,
}

/// An event that is due at the current instant; `None`: it was cancelled.
struct Due<E> {
    rank: u64,
    event: Option<E>,
}

/// The place of an event in the order, and the slot where it lies.
#[derive(Clone, Copy)]
struct Key {
    micros: u64,
    /// The class above the insertion number: ties of an instant are decided by one compare.
    rank: u64,
    slot: u32,
}

impl Key {
    #[inline(always)]
    fn order(self) -> u128 {
        (u128::from(self.micros) << 64) | u128::from(self.rank)
    }
}

struct Slot<E> {
    rank: u64,
    event: Option<E>,
}

/// Future events of type `E` in the order (time, class, insertion number).
pub struct Calendar<E> {
    now: Time,
    inserted: u64,
    live: usize,
    heap: Vec<Key>,
    /// The root of the heap was popped and not replaced yet: the next key scheduled takes its place, which saves one of
    /// two sifts when an event schedules its successor.
    root_vacant: bool,
    /// The heap holds nothing of the current instant. Stays true as long as time stands: what is scheduled for the
    /// current instant goes to a lane.
    heap_is_ahead: bool,
    /// Sorted by rank; the first and the last of a lane are never cancelled ones.
    lanes: [VecDeque<Due<E>>; CLASS_COUNT],
    /// Bit `c` is set while lane `c` is not empty.
    busy_lanes: u8,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    /// Keys of cancelled events that are still in the heap.
    stale: usize,
}

impl<E> Calendar<E> {
    /// An empty calendar at the start of the run.
    pub fn new() -> Self {
        Calendar {
            now: Time::ZERO,
            inserted: 0,
            live: 0,
            heap: Vec::new(),
            root_vacant: false,
            heap_is_ahead: false,
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
    /// If `at` lies before [`Calendar::now`], or `class` is not below [`CLASS_COUNT`].
    #[inline]
    pub fn schedule(&mut self, at: Time, class: u8, event: E) -> Handle {
        assert!(at >= self.now, "an event was scheduled for {at:?}, but it is already {:?}", self.now);
        assert!(usize::from(class) < CLASS_COUNT, "class {class} of an event is too high");
        assert!(self.inserted < 1 << CLASS_SHIFT, "too many events");
        let rank = (u64::from(class) << CLASS_SHIFT) | self.inserted;
        self.inserted += 1;
        self.live += 1;
        if at == self.now {
            self.lanes[usize::from(class)].push_back(Due { rank, event: Some(event) });
            self.busy_lanes |= 1 << class;
            return Handle { rank, slot: IN_LANE };
        }
        let slot = self.occupy(rank, event);
        let key = Key { micros: at.micros(), rank, slot };
        if self.root_vacant {
            self.root_vacant = false;
            self.sift_down(0, key);
        } else {
            self.heap.push(key);
            self.sift_up(self.heap.len() - 1, key);
        }
        Handle { rank, slot }
    }

    /// Takes an event out again; `None` if it was popped or cancelled before.
    pub fn cancel(&mut self, handle: Handle) -> Option<E> {
        if handle.slot == IN_LANE {
            return self.cancel_in_lane(handle.rank);
        }
        let event = self.vacate(handle.rank, handle.slot)?;
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
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        loop {
            if let Some(event) = self.pop_lane() {
                self.live -= 1;
                return Some((self.now, event));
            }
            self.fill_root();
            let key = *self.heap.first()?;
            self.root_vacant = true;
            if let Some(event) = self.vacate(key.rank, key.slot) {
                self.live -= 1;
                self.heap_is_ahead &= key.micros == self.now.micros();
                self.now = Time::from_micros(key.micros);
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
        loop {
            self.fill_root();
            let key = *self.heap.first()?;
            if self.stale == 0 || self.is_live(key) {
                return Some(Time::from_micros(key.micros));
            }
            self.root_vacant = true;
            self.stale -= 1;
        }
    }

    /// The first event of the lanes, unless a key of the heap comes before it.
    #[inline]
    fn pop_lane(&mut self) -> Option<E> {
        if self.busy_lanes == 0 {
            return None;
        }
        let class = self.busy_lanes.trailing_zeros() as usize;
        if !self.heap_is_ahead && self.heap_comes_before(self.lanes[class].front()?.rank) {
            return None;
        }
        let lane = &mut self.lanes[class];
        let event = lane.pop_front()?.event;
        if lane.front().is_none_or(|due| due.event.is_none()) {
            self.trim_front(class);
        }
        event
    }

    /// Whether the heap holds a key of the current instant that comes before this rank.
    fn heap_comes_before(&mut self, rank: u64) -> bool {
        // The least key is the root, or one of its children while it is vacant.
        let least = match self.heap.as_slice() {
            [_, a, b, c, d, ..] if self.root_vacant => a.order().min(b.order()).min(c.order().min(d.order())),
            [_, few @ ..] if self.root_vacant => few.iter().map(|key| key.order()).min().unwrap_or(u128::MAX),
            [root, ..] => root.order(),
            [] => u128::MAX,
        };
        let (micros, least_rank) = ((least >> 64) as u64, least as u64);
        self.heap_is_ahead = micros > self.now.micros();
        !self.heap_is_ahead && least_rank < rank
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

    #[inline]
    fn fill_root(&mut self) {
        if self.root_vacant {
            self.root_vacant = false;
            if let Some(last) = self.heap.pop()
                && !self.heap.is_empty()
            {
                self.sift_down(0, last);
            }
        }
    }

    /// Writes `key` at `hole` or further up, where it belongs.
    #[inline]
    fn sift_up(&mut self, mut hole: usize, key: Key) {
        let order = key.order();
        while hole > 0 {
            let parent = (hole - 1) / ARITY;
            let above = self.heap[parent];
            if above.order() < order {
                break;
            }
            self.heap[hole] = above;
            hole = parent;
        }
        self.heap[hole] = key;
    }

    /// Writes `key` at `hole` or further down, where it belongs.
    #[inline]
    fn sift_down(&mut self, mut hole: usize, key: Key) {
        let order = key.order();
        let heap = self.heap.as_mut_slice();
        loop {
            let first = hole * ARITY + 1;
            let child = if let Some([a, b, c, d]) = heap.get(first..first + ARITY) {
                // A tournament in arithmetic: which child wins is a coin toss that no branch predictor can learn.
                let left = usize::from(b.order() < a.order());
                let right = 2 + usize::from(d.order() < c.order());
                let right_wins = heap[first + right].order() < heap[first + left].order();
                first + if right_wins { right } else { left }
            } else {
                let rest = heap.get(first..).unwrap_or(&[]);
                match rest.iter().enumerate().min_by_key(|(_, key)| key.order()) {
                    Some((offset, _)) => first + offset,
                    None => break,
                }
            };
            let least = heap[child];
            if order < least.order() {
                break;
            }
            heap[hole] = least;
            hole = child;
        }
        heap[hole] = key;
    }

    #[inline]
    fn occupy(&mut self, rank: u64, event: E) -> u32 {
        let content = Slot { rank, event: Some(event) };
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = content;
            return slot;
        }
        self.slots.push(content);
        u32::try_from(self.slots.len() - 1).expect("too many events lie ahead")
    }

    /// Empties a slot, if it still holds the event of this rank.
    #[inline]
    fn vacate(&mut self, rank: u64, slot: u32) -> Option<E> {
        let content = &mut self.slots[slot as usize];
        if content.rank != rank {
            return None;
        }
        let event = content.event.take()?;
        self.free.push(slot);
        Some(event)
    }

    fn is_live(&self, key: Key) -> bool {
        let content = &self.slots[key.slot as usize];
        content.rank == key.rank && content.event.is_some()
    }

    /// Drops all stale keys. Called when they outnumber the live ones, so each cancellation pays for O(1) of it.
    #[cold]
    fn sweep(&mut self) {
        self.fill_root();
        let slots = &self.slots;
        let is_live = |key: &Key| {
            let content = &slots[key.slot as usize];
            content.rank == key.rank && content.event.is_some()
        };
        self.heap.retain(is_live);
        for position in (0..self.heap.len().div_ceil(ARITY)).rev() {
            self.sift_down(position, self.heap[position]);
        }
        self.stale = 0;
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(micros: u64) -> Time {
        Time::from_micros(micros)
    }

    #[test]
    fn at_one_instant_the_class_decides_and_then_the_insertion() {
        let mut calendar = Calendar::new();
        for (micros, class, event) in [(5, 1, 'd'), (5, 0, 'b'), (5, 1, 'e'), (2, 7, 'a'), (5, 0, 'c')] {
            calendar.schedule(at(micros), class, event);
        }
        let order: String = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, "abcde");
    }

    #[test]
    fn what_is_scheduled_for_the_current_instant_waits_for_earlier_insertions_of_its_class() {
        let mut calendar = Calendar::new();
        calendar.schedule(at(5), 0, 'a');
        calendar.schedule(at(5), 2, 'd');
        calendar.schedule(at(5), 3, 'f');
        assert_eq!(calendar.pop(), Some((at(5), 'a')));
        calendar.schedule(at(5), 2, 'e');
        calendar.schedule(at(5), 1, 'c');
        calendar.schedule(at(5), 0, 'b');
        let order: String = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, "bcdef");
    }

    #[test]
    fn a_handle_of_the_past_cancels_nothing_even_when_its_slot_is_used_again() {
        let mut calendar = Calendar::new();
        let first = calendar.schedule(at(1), 0, 'a');
        assert_eq!(calendar.pop(), Some((at(1), 'a')));
        let second = calendar.schedule(at(1), 0, 'b');
        assert_eq!(calendar.cancel(first), None);
        assert_eq!(calendar.cancel(second), Some('b'));
        assert_eq!(calendar.cancel(second), None);
        assert_eq!(calendar.pop(), None);
        assert!(calendar.is_empty());
    }

    #[test]
    fn cancelled_events_do_not_pile_up() {
        let mut calendar = Calendar::new();
        for round in 0..100_000u64 {
            let ahead = calendar.schedule(at(10 + round % 7), 0, round);
            let here = calendar.schedule(at(0), 1, round);
            assert!(calendar.cancel(ahead).is_some() && calendar.cancel(here).is_some());
        }
        let keys = calendar.heap.len() + calendar.lanes.iter().map(VecDeque::len).sum::<usize>();
        assert!(keys <= STALE_TOLERATED + 1, "{keys} keys of nothing");
        assert!(calendar.slots.len() <= 2);
        assert_eq!(calendar.peek_time(), None);
    }

    #[test]
    #[should_panic(expected = "already")]
    fn the_past_is_closed() {
        let mut calendar = Calendar::new();
        calendar.schedule(at(5), 0, ());
        calendar.pop();
        calendar.schedule(at(4), 0, ());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Schedule { ahead: u64, class: u8 },
        Cancel { pick: usize },
        Pop,
        Peek,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4u64, 0..8u8).prop_map(|(ahead, class)| Step::Schedule { ahead, class }),
            1 => (0..1000u64, 0..8u8).prop_map(|(ahead, class)| Step::Schedule { ahead, class }),
            3 => any::<usize>().prop_map(|pick| Step::Cancel { pick }),
            2 => Just(Step::Pop),
            1 => Just(Step::Peek),
        ]
    }

    proptest! {
        #[test]
        fn it_behaves_like_an_ordered_map(steps in prop::collection::vec(step(), 0..1500)) {
            let mut calendar = Calendar::new();
            let mut model: BTreeMap<(u64, u8, usize), usize> = BTreeMap::new();
            let mut handles = Vec::new();
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Schedule { ahead, class } => {
                        let number = handles.len();
                        let key = (now + ahead, class, number);
                        handles.push((calendar.schedule(at(now + ahead), class, number), key));
                        model.insert(key, number);
                    }
                    Step::Cancel { pick } if !handles.is_empty() => {
                        let (handle, key) = handles[pick % handles.len()];
                        prop_assert_eq!(calendar.cancel(handle), model.remove(&key));
                    }
                    Step::Cancel { .. } => {}
                    Step::Pop => {
                        let expected = model.pop_first().map(|((micros, _, _), number)| (at(micros), number));
                        prop_assert_eq!(calendar.pop(), expected);
                        now = calendar.now().micros();
                    }
                    Step::Peek => {
                        let expected = model.first_key_value().map(|((micros, _, _), _)| at(*micros));
                        prop_assert_eq!(calendar.peek_time(), expected);
                    }
                }
                prop_assert_eq!(calendar.len(), model.len());
            }
            while let Some(((micros, _, _), number)) = model.pop_first() {
                prop_assert_eq!(calendar.pop(), Some((at(micros), number)));
            }
            prop_assert_eq!(calendar.pop(), None);
        }
    }
}
