//! The least of many loads, kept up to date in O(log n) a change, and in O(1) where the change plays no part higher up.

use std::fmt;

/// The load of a slot that does not take part.
const NONE: u32 = u32::MAX;
/// So many meet in one match: few levels, and the least of a few neighbours is found without a branch.
const MATCH: usize = 8;

/// A tournament over slots: the one with the smallest (load, slot) wins.
#[derive(Default)]
pub(super) struct Tournament {
    /// How many slots there are.
    slots: u32,
    /// Loads above slots: `tree[0]` is the least of all, those who meet for place `n` begin at `MATCH * n + 1`, and the
    /// lowest level is one entry for each slot.
    tree: Vec<u64>,
    /// Where the lowest level begins.
    lowest: usize,
}

/// The slots that take part, the winner first.
impl fmt::Debug for Tournament {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut entries = self.tree[self.tree.len() / 2..].to_vec();
        entries.retain(|entry| entry >> 32 != u64::from(NONE));
        entries.sort_unstable();
        f.debug_list().entries(entries.iter().map(|entry| *entry as u32)).finish()
    }
}

impl Tournament {
    /// The slot with the smallest load, the lowest on ties; `None`: none takes part.
    pub(super) fn winner(&self) -> Option<u32> {
        let least = *self.tree.first()?;
        (least >> 32 != u64::from(NONE)).then_some(least as u32)
    }

    /// One more slot, which does not take part yet.
    pub(super) fn grow(&mut self) -> u32 {
        let slot = self.slots;
        self.slots += 1;
        if self.lowest + slot as usize >= self.tree.len() {
            self.add_level();
        }
        slot
    }

    /// The same slots and more, one level further down.
    fn add_level(&mut self) {
        let before = self.tree.split_off(self.lowest);
        self.lowest = MATCH * self.lowest + 1;
        let room = MATCH * before.len().max(1);
        let absent = (0..).map(|slot| entry(slot, NONE)).take(room).skip(before.len());
        self.tree = vec![0; self.lowest];
        self.tree.extend(before.iter().copied().chain(absent));
        for node in (0..self.lowest).rev() {
            self.tree[node] = self.least_below(node);
        }
    }

    /// The slot takes part with this load, which is below `u32::MAX`.
    #[inline(always)]
    pub(super) fn set(&mut self, slot: u32, load: u32) {
        let mut node = self.lowest + slot as usize;
        let mut new = entry(slot, load);
        let mut old = std::mem::replace(&mut self.tree[node], new);
        while node > 0 {
            let above = (node - 1) / MATCH;
            let best = self.tree[above];
            if new > best {
                if old != best {
                    return; // Nobody above hears of it.
                }
                new = self.least_below(above);
            }
            old = std::mem::replace(&mut self.tree[above], new);
            node = above;
        }
    }

    /// The slot takes no part from here on.
    pub(super) fn withdraw(&mut self, slot: u32) {
        self.set(slot, NONE);
    }

    /// The best of those who meet for this place.
    #[inline(always)]
    fn least_below(&self, node: usize) -> u64 {
        let first = MATCH * node + 1;
        self.tree[first..first + MATCH].iter().fold(u64::MAX, |least, entry| least.min(*entry))
    }
}

#[inline]
fn entry(slot: u32, load: u32) -> u64 {
    u64::from(load) << 32 | u64::from(slot)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_winner_is_the_least_loaded_and_the_lowest_on_ties(steps in prop::collection::vec((0u32..99, 0u32..5), 1..900)) {
            let mut tournament = Tournament::default();
            let mut loads: Vec<Option<u32>> = Vec::new();
            for (slot, load) in steps {
                let Some(known) = loads.get_mut(slot as usize) else {
                    prop_assert_eq!(tournament.grow() as usize, loads.len());
                    loads.push(None);
                    continue;
                };
                *known = (load < 4).then_some(load);
                match *known {
                    Some(load) => tournament.set(slot, load),
                    None => tournament.withdraw(slot),
                }
                let least = loads.iter().zip(0u32..).filter_map(|(load, slot)| Some(((*load)?, slot))).min();
                prop_assert_eq!(tournament.winner(), least.map(|(_, slot)| slot));
            }
        }
    }
}
