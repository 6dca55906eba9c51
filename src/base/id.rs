//! Dense ids, never reused within a run, and the two containers keyed by them.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// A dense `u32` id that can key an [`IdVec`] or an [`IdMap`].
pub trait Id: Copy + Eq + Ord {
    /// The id with this index.
    fn from_index(index: usize) -> Self;
    /// Its index.
    fn index(self) -> usize;
}

macro_rules! dense_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub struct $name(pub u32);
        impl Id for $name {
            #[inline]
            fn from_index(index: usize) -> Self {
                $name(u32::try_from(index).expect(concat!("too many ids of kind ", stringify!($name))))
            }
            #[inline]
            fn index(self) -> usize {
                self.0 as usize
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{}"), u64::from(self.0) + 1)
            }
        }
    };
}

dense_id!(
    /// A task: its submission number from 0, shown from 1 (`t1`).
    TaskId, "t");
dense_id!(
    /// A worker: one session of one process. A restarted process is a new worker.
    WorkerId, "w");
dense_id!(
    /// A resource that tasks claim.
    ResourceId, "r");
dense_id!(
    /// A class of tasks (a line of the workload).
    ClassId, "class");

/// A queue. Number 0 is the general queue; reserving queues are numbered from 1 in order of creation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct QueueId(pub u32);

impl QueueId {
    /// The one queue of tasks without claims: served by many, promises no order.
    pub const GENERAL: QueueId = QueueId(0);

    /// Whether this is the general queue.
    pub fn is_general(self) -> bool {
        self == QueueId::GENERAL
    }
}
impl Id for QueueId {
    fn from_index(index: usize) -> Self {
        QueueId(u32::try_from(index).expect("too many queues"))
    }
    fn index(self) -> usize {
        self.0 as usize
    }
}
impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_general() { f.write_str("general") } else { write!(f, "q{}", self.0) }
    }
}

/// The fencing token of a queue: one more with every grant of it; 0 before the first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch of the next grant.
    pub fn next(self) -> Epoch {
        Epoch(self.0.checked_add(1).expect("a queue was granted 2^32 times"))
    }
}
impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// The number of an engine's life: a restored engine has a higher term than all before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Term(pub u32);

/// The number of an order that an engine gave to a worker (grant, revoke, start, answer). Rises within an engine's
/// life; the ticket of a start identifies the attempt that it began.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Ticket(pub u64);

/// A vector indexed by an id instead of a number.
#[derive(Clone)]
pub struct IdVec<K, V> {
    items: Vec<V>,
    key: PhantomData<fn(K) -> K>,
}

impl<K: Id, V> IdVec<K, V> {
    /// An empty vector.
    pub const fn new() -> Self {
        IdVec { items: Vec::new(), key: PhantomData }
    }
    /// Appends and returns the new item's id.
    pub fn push(&mut self, value: V) -> K {
        self.items.push(value);
        K::from_index(self.items.len() - 1)
    }
    /// The item with this id, if there is one.
    #[inline]
    pub fn get(&self, key: K) -> Option<&V> {
        self.items.get(key.index())
    }
    /// The item with this id, if there is one.
    #[inline]
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.items.get_mut(key.index())
    }
    /// How many items there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    /// All items with their ids, in order.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.items.iter().enumerate().map(|(index, value)| (K::from_index(index), value))
    }
    /// All items, in order.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.items.iter()
    }
    /// All items, in order, to be changed.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.items.iter_mut()
    }
}

impl<K: Id, V: fmt::Debug> fmt::Debug for IdVec<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.items).finish()
    }
}

impl<K: Id, V: Default> IdVec<K, V> {
    /// The item with this id; the vector grows by defaults to hold it.
    #[inline(always)]
    pub fn grow_to(&mut self, key: K) -> &mut V {
        let index = key.index();
        if index >= self.items.len() {
            return self.grow(index);
        }
        &mut self.items[index]
    }

    #[cold]
    fn grow(&mut self, index: usize) -> &mut V {
        self.items.resize_with(index + 1, V::default);
        &mut self.items[index]
    }
}

impl<K: Id, V> Default for IdVec<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
impl<K: Id, V> FromIterator<V> for IdVec<K, V> {
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Self {
        IdVec { items: items.into_iter().collect(), key: PhantomData }
    }
}
impl<K: Id, V> Index<K> for IdVec<K, V> {
    type Output = V;
    #[inline]
    fn index(&self, key: K) -> &V {
        &self.items[key.index()]
    }
}
impl<K: Id, V> IndexMut<K> for IdVec<K, V> {
    #[inline]
    fn index_mut(&mut self, key: K) -> &mut V {
        &mut self.items[key.index()]
    }
}

const PAGE_BITS: usize = 6;
const PAGE_SIZE: usize = 1 << PAGE_BITS;

/// A map keyed by dense, rising ids whose memory follows the entries that are in it, not the ids ever used.
///
/// Ids live on pages of 64. A page is given back for reuse when its last entry leaves; what remains of the past is a
/// directory of eight bytes per page between the oldest entry and the newest. Insert, look-up and removal are O(1), no
/// hashing; iteration is in order of ids.
#[derive(Clone)]
pub struct IdMap<K, V> {
    /// The page number (id / 64) of `directory[0]`.
    first_page: usize,
    directory: Vec<Option<Box<Page<V>>>>,
    /// So many pages at the front of the directory are gone for good.
    passed: usize,
    free: Vec<Box<Page<V>>>,
    len: usize,
    key: PhantomData<fn(K) -> K>,
}

#[derive(Clone)]
struct Page<V> {
    used: usize,
    slots: [Option<V>; PAGE_SIZE],
}

impl<V> Page<V> {
    fn empty() -> Box<Page<V>> {
        Box::new(Page { used: 0, slots: std::array::from_fn(|_| None) })
    }
}

impl<K: Id, V> IdMap<K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        IdMap { first_page: 0, directory: Vec::new(), passed: 0, free: Vec::new(), len: 0, key: PhantomData }
    }

    /// Where the page of `key` is in the directory; far beyond its end for a page before the first.
    #[inline(always)]
    fn position(&self, key: K) -> usize {
        (key.index() >> PAGE_BITS).wrapping_sub(self.first_page)
    }

    /// The entry of `key`.
    #[inline]
    pub fn get(&self, key: K) -> Option<&V> {
        self.directory.get(self.position(key))?.as_ref()?.slots[key.index() % PAGE_SIZE].as_ref()
    }
    /// The entry of `key`.
    #[inline]
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        let position = self.position(key);
        self.directory.get_mut(position)?.as_mut()?.slots[key.index() % PAGE_SIZE].as_mut()
    }
    /// Whether there is an entry of `key`.
    #[inline]
    pub fn contains(&self, key: K) -> bool {
        self.get(key).is_some()
    }

    /// Sets the entry of `key` and returns the one before.
    #[inline(always)]
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let position = self.position(key);
        let Some(Some(page)) = self.directory.get_mut(position) else { return self.insert_on_new_page(key, value) };
        let before = page.slots[key.index() % PAGE_SIZE].replace(value);
        if before.is_none() {
            page.used += 1;
            self.len += 1;
        }
        before
    }

    #[cold]
    fn insert_on_new_page(&mut self, key: K, value: V) -> Option<V> {
        self.add_page(key);
        self.insert(key, value)
    }

    fn add_page(&mut self, key: K) {
        let number = key.index() >> PAGE_BITS;
        if self.directory.is_empty() {
            self.first_page = number;
        }
        if let Some(missing) = self.first_page.checked_sub(number).filter(|missing| *missing > 0) {
            self.directory.splice(..0, (0..missing).map(|_| None));
            self.first_page = number;
            self.passed = 0;
        }
        let position = number - self.first_page;
        self.passed = self.passed.min(position);
        if position >= self.directory.len() {
            self.directory.resize_with(position + 1, || None);
        }
        self.directory[position] = Some(self.free.pop().unwrap_or_else(Page::empty));
    }

    /// Takes the entry of `key` out.
    #[inline(always)]
    pub fn remove(&mut self, key: K) -> Option<V> {
        let position = self.position(key);
        let page = self.directory.get_mut(position)?.as_mut()?;
        let value = page.slots[key.index() % PAGE_SIZE].take()?;
        page.used -= 1;
        self.len -= 1;
        if page.used == 0 {
            self.remove_page(position);
        }
        Some(value)
    }

    /// Shows the entry of `key`, if there is one, to `is_over`, and drops it where that says so.
    #[inline(always)]
    pub fn drop_if(&mut self, key: K, is_over: impl FnOnce(&mut V) -> bool) {
        let position = self.position(key);
        let Some(Some(page)) = self.directory.get_mut(position) else { return };
        let slot = &mut page.slots[key.index() % PAGE_SIZE];
        if slot.as_mut().is_some_and(is_over) {
            *slot = None;
            page.used -= 1;
            self.len -= 1;
            if page.used == 0 {
                self.remove_page(position);
            }
        }
    }

    #[cold]
    fn remove_page(&mut self, position: usize) {
        self.free.extend(self.directory[position].take());
        while self.directory.get(self.passed).is_some_and(Option::is_none) {
            self.passed += 1;
        }
        // What has passed is dropped when it is more than what remains: each page pays for O(1) of it.
        if self.passed > self.directory.len() / 2 {
            self.directory.drain(..self.passed);
            self.first_page += self.passed;
            self.passed = 0;
        }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let first_page = self.first_page;
        self.directory.iter().enumerate().filter_map(|(position, page)| Some((position, page.as_ref()?))).flat_map(
            move |(position, page)| {
                let base = (first_page + position) << PAGE_BITS;
                page.slots
                    .iter()
                    .enumerate()
                    .filter_map(move |(slot, value)| value.as_ref().map(|value| (K::from_index(base + slot), value)))
            },
        )
    }
    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = K> + '_ {
        self.iter().map(|(key, _)| key)
    }
}

impl<K: Id + fmt::Debug, V: fmt::Debug> fmt::Debug for IdMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Id, V> Default for IdMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}
impl<K: Id, V> Index<K> for IdMap<K, V> {
    type Output = V;
    #[inline]
    fn index(&self, key: K) -> &V {
        self.get(key).expect("no entry of this id")
    }
}
impl<K: Id, V> IndexMut<K> for IdMap<K, V> {
    #[inline]
    fn index_mut(&mut self, key: K) -> &mut V {
        self.get_mut(key).expect("no entry of this id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn id_map_agrees_with_a_btree_map(ops in proptest::collection::vec((0..4u32, 0u32..700), 1..600)) {
            let mut model = BTreeMap::new();
            let mut map: IdMap<TaskId, u32> = IdMap::new();
            for (op, id) in ops {
                match op {
                    0 | 1 => prop_assert_eq!(map.insert(TaskId(id), id * 3), model.insert(id, id * 3)),
                    2 => prop_assert_eq!(map.remove(TaskId(id)), model.remove(&id)),
                    _ => {
                        map.drop_if(TaskId(id), |value| *value % 2 == 0);
                        model.retain(|key, value| *key != id || *value % 2 != 0);
                    }
                }
                prop_assert_eq!(map.len(), model.len());
                prop_assert_eq!(map.get(TaskId(id)), model.get(&id));
            }
            prop_assert!(map.iter().map(|(k, v)| (k.0, *v)).eq(model.iter().map(|(k, v)| (*k, *v))));
        }
    }

    #[test]
    fn memory_follows_what_is_in_the_map_and_not_the_ids_ever_used() {
        let mut map: IdMap<TaskId, u64> = IdMap::new();
        for id in 0..1_000_000 {
            map.insert(TaskId(id), 0);
            if id >= 100 {
                map.remove(TaskId(id - 100));
            }
        }
        let pages = map.free.len() + map.directory.iter().flatten().count();
        assert!(pages <= 4, "{pages} pages for 100 entries");
        assert!(map.directory.len() <= 8);
    }
}
