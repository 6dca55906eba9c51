//! The keys of what lies ahead, by their order: few in a sorted row, many in a 4-ary heap.
//!
//! In a row what comes next is taken from the end, and a new key passes those that come before it: with a few dozen keys
//! that is less work than the levels of a heap.

use std::cmp::Reverse;

const ARITY: usize = 4;
/// So many keys lie in a row; one more and all lie in a heap.
const ROW: usize = 32;
/// So few keys of a heap are put in a row again.
const FEW: usize = ROW / 2;

/// The place of an event in the order, and where it lies.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) micros: u64,
    /// The class above the insertion number above the slot: ties of an instant are decided by one compare.
    pub(super) rank: u64,
}

impl Key {
    #[inline(always)]
    fn order(self) -> u128 {
        (u128::from(self.micros) << 64) | u128::from(self.rank)
    }
}

/// Keys in either of two containers: one of them is empty.
#[derive(Default)]
pub(super) struct Keys {
    /// What comes first is last.
    row: Vec<Key>,
    heap: Vec<Key>,
    /// The root of the heap was popped and not replaced yet: the next key takes its place, which saves one of two sifts
    /// when an event schedules its successor.
    root_vacant: bool,
}

impl Keys {
    /// How many there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.row.len() + self.heap.len() - usize::from(self.root_vacant)
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, key: Key) {
        if !self.heap.is_empty() || self.row.len() == ROW {
            return self.insert_in_heap(key);
        }
        let order = key.order();
        self.row.push(key);
        let row = self.row.as_mut_slice();
        let mut place = row.len() - 1;
        while let Some(before) = place.checked_sub(1)
            && row[before].order() < order
        {
            row[place] = row[before];
            place = before;
        }
        row[place] = key;
    }

    #[inline(never)]
    fn insert_in_heap(&mut self, key: Key) {
        // Sorted keys are a heap.
        self.heap.extend(self.row.drain(..).rev());
        if self.root_vacant {
            self.root_vacant = false;
            self.sift_down(0, key);
        } else {
            self.heap.push(key);
            self.sift_up(self.heap.len() - 1, key);
        }
    }

    /// Takes the first key out.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<Key> {
        self.row.pop().or_else(|| self.pop_heap())
    }

    #[inline(never)]
    fn pop_heap(&mut self) -> Option<Key> {
        self.fill_root();
        if self.heap.len() <= FEW {
            self.heap.sort_unstable_by_key(|key| Reverse(key.order()));
            std::mem::swap(&mut self.row, &mut self.heap);
            return self.row.pop();
        }
        self.root_vacant = true;
        self.heap.first().copied()
    }

    /// The first key.
    #[inline]
    pub(super) fn first(&mut self) -> Option<Key> {
        self.fill_root();
        self.row.last().or(self.heap.first()).copied()
    }

    /// Whether all keys lie after this instant, if none lies before it.
    #[inline(always)]
    pub(super) fn lie_after(&self, micros: u64) -> bool {
        if self.heap.is_empty() {
            return self.row.last().is_none_or(|first| first.micros > micros);
        }
        self.candidates().iter().all(|key| key.micros > micros)
    }

    /// Whether there is a key of this instant that comes before this rank, if none lies before the instant.
    pub(super) fn come_before(&self, micros: u64, rank: u64) -> bool {
        let comes_before = |key: &Key| key.micros == micros && key.rank < rank;
        self.row.last().is_some_and(comes_before) || self.candidates().iter().any(comes_before)
    }

    /// Keys of the heap of which one is the first: its root, or the root's children while it is vacant.
    fn candidates(&self) -> &[Key] {
        let candidates = if self.root_vacant { 1..ARITY + 1 } else { 0..1 };
        &self.heap[candidates.start.min(self.heap.len())..candidates.end.min(self.heap.len())]
    }

    /// Drops the keys that `is_live` says no of.
    pub(super) fn retain(&mut self, is_live: impl Fn(&Key) -> bool) {
        self.fill_root();
        self.row.retain(&is_live);
        self.heap.retain(&is_live);
        for position in (0..self.heap.len().div_ceil(ARITY)).rev() {
            self.sift_down(position, self.heap[position]);
        }
    }

    #[inline(always)]
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
    fn sift_down(&mut self, mut hole: usize, key: Key) {
        let order = key.order();
        let heap = self.heap.as_mut_slice();
        loop {
            let first = hole * ARITY + 1;
            let (child, least) = if let Some([a, b, c, d]) = heap.get(first..first + ARITY) {
                // A tournament in arithmetic: which child wins is a coin toss that no branch predictor can learn.
                let (left, l) = if b.order() < a.order() { (1, *b) } else { (0, *a) };
                let (right, r) = if d.order() < c.order() { (3, *d) } else { (2, *c) };
                if r.order() < l.order() { (first + right, r) } else { (first + left, l) }
            } else {
                let rest = heap.get(first..).unwrap_or(&[]);
                match rest.iter().enumerate().min_by_key(|(_, key)| key.order()) {
                    Some((offset, key)) => (first + offset, *key),
                    None => break,
                }
            };
            if order < least.order() {
                break;
            }
            heap[hole] = least;
            hole = child;
        }
        heap[hole] = key;
    }
}
