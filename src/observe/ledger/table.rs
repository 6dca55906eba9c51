//! The unsettled tasks, found by one comparison: they are looked up a dozen times each.

use std::ops::{Index, IndexMut};

use super::TaskRec;
use crate::base::id::Id as _;
use crate::base::{IdMap, TaskId};

/// So many tasks in a row have a slot of their own: few enough for a near cache.
const SLOTS: usize = 256;

/// No task has this number.
const VACANT: u64 = u64::MAX;

/// The records of unsettled tasks. Each lies in the slot of its number modulo [`SLOTS`], until a later task needs that.
#[derive(Debug)]
pub(crate) struct TaskTable {
    slots: Box<[Slot; SLOTS]>,
    /// Those that had to make room.
    others: IdMap<TaskId, TaskRec>,
    len: usize,
}

#[derive(Debug)]
struct Slot {
    /// Whose record it is, or [`VACANT`].
    task: u64,
    rec: TaskRec,
}

impl Default for TaskTable {
    fn default() -> Self {
        let slots: Vec<Slot> = (0..SLOTS).map(|_| Slot { task: VACANT, rec: TaskRec::default() }).collect();
        let slots = slots.into_boxed_slice().try_into().expect("as many as there are slots");
        TaskTable { slots, others: IdMap::new(), len: 0 }
    }
}

impl TaskTable {
    #[inline(always)]
    pub(crate) fn get(&self, task: TaskId) -> Option<&TaskRec> {
        let slot = &self.slots[task.index() % SLOTS];
        if slot.task == u64::from(task.0) { Some(&slot.rec) } else { self.other(task) }
    }

    #[inline(always)]
    pub(crate) fn get_mut(&mut self, task: TaskId) -> Option<&mut TaskRec> {
        let slot = &mut self.slots[task.index() % SLOTS];
        if slot.task == u64::from(task.0) { Some(&mut slot.rec) } else { self.others.get_mut(task) }
    }

    pub(crate) fn contains(&self, task: TaskId) -> bool {
        self.get(task).is_some()
    }

    #[cold]
    fn other(&self, task: TaskId) -> Option<&TaskRec> {
        self.others.get(task)
    }

    /// Enters a task that is not there.
    #[inline(always)]
    pub(crate) fn insert(&mut self, task: TaskId, rec: TaskRec) {
        if self.slots[task.index() % SLOTS].task != VACANT {
            self.make_room(task);
        }
        self.slots[task.index() % SLOTS] = Slot { task: task.0.into(), rec };
        self.len += 1;
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self, task: TaskId) {
        let slot = &mut self.slots[task.index() % SLOTS];
        let before = TaskId::from_index(usize::try_from(slot.task).expect("it was the number of a task"));
        self.others.insert(before, std::mem::take(&mut slot.rec));
    }

    /// Removes a task whose claims have been taken out.
    #[inline(always)]
    pub(crate) fn remove(&mut self, task: TaskId) {
        let slot = &mut self.slots[task.index() % SLOTS];
        if slot.task == u64::from(task.0) {
            slot.task = VACANT;
            self.len -= 1;
        } else {
            self.remove_other(task);
        }
    }

    #[cold]
    fn remove_other(&mut self, task: TaskId) {
        self.len -= usize::from(self.others.remove(task).is_some());
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// All tasks in order of their submission.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TaskId, &TaskRec)> {
        let in_slots = self.slots.iter().filter(|slot| slot.task != VACANT);
        let in_slots = in_slots.map(|slot| (TaskId(u32::try_from(slot.task).expect("a task's number")), &slot.rec));
        let mut all: Vec<(TaskId, &TaskRec)> = self.others.iter().chain(in_slots).collect();
        all.sort_unstable_by_key(|(task, _)| *task);
        all.into_iter()
    }
}

impl Index<TaskId> for TaskTable {
    type Output = TaskRec;
    fn index(&self, task: TaskId) -> &TaskRec {
        self.get(task).expect("an unsettled task")
    }
}

impl IndexMut<TaskId> for TaskTable {
    #[inline(always)]
    fn index_mut(&mut self, task: TaskId) -> &mut TaskRec {
        self.get_mut(task).expect("an unsettled task")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::{ClassId, Time};

    proptest! {
        #[test]
        fn the_table_agrees_with_a_map(leaves in prop::collection::vec(0usize..2000, 1..1200)) {
            let mut model = BTreeMap::new();
            let mut table = TaskTable::default();
            for (number, leaves) in leaves.into_iter().enumerate() {
                let (task, class) = (TaskId::from_index(number), ClassId::from_index(7 * number));
                let rec = TaskRec { class, submitted: Time::from_micros(1), ..TaskRec::default() };
                table.insert(task, rec);
                model.insert(task, class);
                let leaving = TaskId::from_index(leaves);
                table.remove(leaving);
                model.remove(&leaving);
                prop_assert_eq!(table.len(), model.len());
                prop_assert_eq!(table.get(leaving).is_some(), false);
                prop_assert_eq!(table.get_mut(task).map(|rec| rec.class), model.get(&task).copied());
            }
            prop_assert!(table.iter().map(|(task, rec)| (task, rec.class)).eq(model));
        }
    }
}
