//! A map whose look-up is one index.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

use super::id::Id;

/// A map keyed by dense, rising ids of which not many are ever given (workers and queues, not tasks): eight bytes for each
/// id up to the highest, beside what is in it. Look-ups are cheaper than those of an [`IdMap`](super::IdMap), which has no
/// such remains of the past. Iteration is in order of ids.
#[derive(Clone)]
pub struct IdTable<K, V> {
    entries: Vec<Option<Box<V>>>,
    len: usize,
    key: PhantomData<fn(K) -> K>,
}

impl<K: Id, V> IdTable<K, V> {
    /// An empty table.
    pub const fn new() -> Self {
        IdTable { entries: Vec::new(), len: 0, key: PhantomData }
    }
    /// The entry of `key`.
    #[inline]
    pub fn get(&self, key: K) -> Option<&V> {
        self.entries.get(key.index())?.as_deref()
    }
    /// The entry of `key`.
    #[inline]
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.entries.get_mut(key.index())?.as_deref_mut()
    }
    /// Whether there is an entry of `key`.
    #[inline]
    pub fn contains(&self, key: K) -> bool {
        self.get(key).is_some()
    }
    /// How many entries there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Sets the entry of `key`.
    pub fn insert(&mut self, key: K, value: V) {
        let index = key.index();
        if index >= self.entries.len() {
            self.entries.resize_with(index + 1, || None);
        }
        let before = self.entries[index].replace(Box::new(value));
        self.len += usize::from(before.is_none());
    }
    /// Takes the entry of `key` out.
    pub fn remove(&mut self, key: K) -> Option<V> {
        let value = self.entries.get_mut(key.index())?.take()?;
        self.len -= 1;
        Some(*value)
    }
    /// All entries in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let entries = self.entries.iter().enumerate();
        entries.filter_map(|(index, value)| Some((K::from_index(index), value.as_deref()?)))
    }
}

impl<K: Id + fmt::Debug, V: fmt::Debug> fmt::Debug for IdTable<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Id, V> Default for IdTable<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
impl<K: Id, V> Index<K> for IdTable<K, V> {
    type Output = V;
    #[inline]
    fn index(&self, key: K) -> &V {
        self.get(key).expect("no entry of this id")
    }
}
impl<K: Id, V> IndexMut<K> for IdTable<K, V> {
    #[inline]
    fn index_mut(&mut self, key: K) -> &mut V {
        self.get_mut(key).expect("no entry of this id")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::WorkerId;
    use super::*;

    proptest! {
        #[test]
        fn it_agrees_with_a_btree_map(steps in prop::collection::vec((any::<bool>(), 0u32..40), 1..200)) {
            let mut model = BTreeMap::new();
            let mut table: IdTable<WorkerId, u32> = IdTable::new();
            for (insert, id) in steps {
                if insert {
                    table.insert(WorkerId(id), id * 3);
                    model.insert(id, id * 3);
                } else {
                    prop_assert_eq!(table.remove(WorkerId(id)), model.remove(&id));
                }
                prop_assert_eq!(table.get(WorkerId(id)), model.get(&id));
                prop_assert_eq!(table.contains(WorkerId(id)), model.contains_key(&id));
                prop_assert_eq!((table.len(), table.is_empty()), (model.len(), model.is_empty()));
            }
            prop_assert!(table.iter().map(|(id, value)| (id.0, *value)).eq(model.into_iter()));
        }
    }
}
