//! Which waiting tasks are runnable: every earlier incomplete task, blocked or not, holds all its claims.
//!
//! Mirrors `PulpcoreWorker._unblock_tasks`, which scans all incomplete tasks in order of creation with the sets
//! `taken_exclusive_resources` and `taken_shared_resources`. Here each resource keeps its claimants in that order, and
//! only who comes next is looked at: the same answer without the scan.

use std::collections::VecDeque;

use crate::base::{Claim, IdMap, IdVec, Mode, ResourceId, TaskId};

/// The claims of all incomplete tasks.
#[derive(Default, Debug)]
pub(super) struct Admission {
    lines: IdVec<ResourceId, Line>,
    /// How many claims of a blocked task have something in conflict ahead.
    blocked: IdMap<TaskId, u32>,
}

/// The claimants of one resource in order of creation.
#[derive(Default, Debug)]
struct Line {
    claimants: VecDeque<Claimant>,
    exclusives: usize,
}

#[derive(Clone, Copy, Debug)]
struct Claimant {
    task: TaskId,
    mode: Mode,
    clear: bool,
}

impl Admission {
    /// A new task, the last in order; true: nothing in conflict is ahead of it.
    pub(super) fn enter(&mut self, task: TaskId, claims: &[Claim]) -> bool {
        let mut blocked = 0;
        for claim in claims {
            let line = self.lines.grow_to(claim.resource);
            let clear = match claim.mode {
                Mode::Exclusive => line.claimants.is_empty(),
                Mode::Shared => line.exclusives == 0,
            };
            line.claimants.push_back(Claimant { task, mode: claim.mode, clear });
            line.exclusives += usize::from(claim.mode == Mode::Exclusive);
            blocked += u32::from(!clear);
        }
        if blocked > 0 {
            self.blocked.insert(task, blocked);
        }
        blocked == 0
    }

    /// A task is complete; returns those that have nothing in conflict ahead from here on, in order of creation.
    pub(super) fn leave(&mut self, task: TaskId, claims: &[Claim]) -> Vec<TaskId> {
        self.blocked.remove(task);
        let mut runnable = Vec::new();
        for claim in claims {
            for cleared in self.lines[claim.resource].leave(task) {
                let count = self.blocked.get_mut(cleared).expect("a blocked task");
                *count -= 1;
                if *count == 0 {
                    self.blocked.remove(cleared);
                    runnable.push(cleared);
                }
            }
        }
        runnable.sort_unstable();
        runnable
    }
}

impl Line {
    fn leave(&mut self, task: TaskId) -> Vec<TaskId> {
        let position = self.claimants.iter().position(|other| other.task == task).expect("a claimant");
        let gone = self.claimants.remove(position).expect("it was just found");
        self.exclusives -= usize::from(gone.mode == Mode::Exclusive);
        let Some(first) = self.claimants.front_mut() else { return Vec::new() };
        match first.mode {
            Mode::Exclusive => {
                let cleared = !std::mem::replace(&mut first.clear, true);
                if cleared { vec![first.task] } else { Vec::new() }
            }
            // The shared ones at the front were cleared before, unless an exclusive one among them is gone.
            Mode::Shared if gone.mode == Mode::Exclusive => {
                let front = self.claimants.iter_mut().take_while(|other| other.mode == Mode::Shared);
                front.filter_map(|other| (!std::mem::replace(&mut other.clear, true)).then_some(other.task)).collect()
            }
            Mode::Shared => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ResourceId = ResourceId(0);
    const B: ResourceId = ResourceId(1);

    #[test]
    fn a_blocked_task_keeps_its_claims_so_that_nothing_overtakes() {
        let mut admission = Admission::default();
        let (t1, t2, t3) = ([Claim::exclusive(A)], [Claim::exclusive(A), Claim::exclusive(B)], [Claim::exclusive(B)]);
        assert!(admission.enter(TaskId(1), &t1));
        assert!(!admission.enter(TaskId(2), &t2));
        assert!(!admission.enter(TaskId(3), &t3), "B is taken by a task that waits itself");
        assert_eq!(admission.leave(TaskId(1), &t1), [TaskId(2)]);
        assert_eq!(admission.leave(TaskId(2), &t2), [TaskId(3)]);
    }

    #[test]
    fn shared_claims_run_together_and_never_overtake_an_exclusive_one() {
        let mut admission = Admission::default();
        let (shared, exclusive) = ([Claim::shared(A)], [Claim::exclusive(A)]);
        assert!(admission.enter(TaskId(1), &shared));
        assert!(admission.enter(TaskId(2), &shared));
        assert!(!admission.enter(TaskId(3), &exclusive));
        assert!(!admission.enter(TaskId(4), &shared));
        assert!(!admission.enter(TaskId(5), &shared));
        assert_eq!(admission.leave(TaskId(2), &shared), []);
        assert_eq!(admission.leave(TaskId(1), &shared), [TaskId(3)]);
        assert_eq!(admission.leave(TaskId(3), &exclusive), [TaskId(4), TaskId(5)]);
    }

    #[test]
    fn a_waiting_task_that_is_cancelled_lets_those_behind_it_pass() {
        let mut admission = Admission::default();
        let (shared, exclusive) = ([Claim::shared(A)], [Claim::exclusive(A)]);
        admission.enter(TaskId(1), &shared);
        admission.enter(TaskId(2), &exclusive);
        admission.enter(TaskId(3), &shared);
        assert_eq!(admission.leave(TaskId(2), &exclusive), [TaskId(3)]);
    }
}
