//! The least of many loads, kept up to date in O(log n) a change, and in O(1) where the change plays no part higher up.

use std::fmt;

/// The load of a slot that does not take part.
const NONE: u32 = u32::MAX;

/// A tournament over slots: the one with the smallest (load, slot) wins.
#[derive(Default)]
pub(super) struct Tournament {
    /// How many slots there are.
    slots: u32,
    /// Loads above slots: `tree[1]` is the least of all, the children of `n` are `2 n` and `2 n + 1`, and the second half
    /// is one entry for each slot.
    tree: Vec<u64>,
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
        let least = *self.tree.get(1)?;
        (least >> 32 != u64::from(NONE)).then_some(least as u32)
    }

    /// One more slot, which does not take part yet.
    pub(super) fn grow(&mut self) -> u32 {
        let slot = self.slots;
        self.slots += 1;
        let before = self.tree.len() / 2;
        if slot as usize >= before {
            let size = self.slots.next_power_of_two().max(2);
            let absent = (0..size).skip(before).map(|slot| entry(slot, NONE));
            let leaves: Vec<u64> = self.tree[before..].iter().copied().chain(absent).collect();
            self.tree = vec![0; size as usize];
            self.tree.extend(leaves);
            for node in (1..size as usize).rev() {
                self.tree[node] = self.better(node);
            }
        }
        slot
    }

    /// The slot takes part with this load, which is below `u32::MAX`.
    #[inline(always)]
    pub(super) fn set(&mut self, slot: u32, load: u32) {
        let tree = self.tree.as_mut_slice();
        let mut node = tree.len() / 2 + slot as usize;
        let mut better = entry(slot, load);
        tree[node] = better;
        while node > 1 {
            better = better.min(tree[node ^ 1]);
            node /= 2;
            if tree[node] == better {
                return; // Nobody above hears of it.
            }
            tree[node] = better;
        }
    }

    /// The slot takes no part from here on.
    pub(super) fn withdraw(&mut self, slot: u32) {
        self.set(slot, NONE);
    }

    /// The better one of a node's children.
    #[inline]
    fn better(&self, node: usize) -> u64 {
        self.tree[2 * node].min(self.tree[2 * node + 1])
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
        fn the_winner_is_the_least_loaded_and_the_lowest_on_ties(steps in prop::collection::vec((0u32..9, 0u32..5), 1..200)) {
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
