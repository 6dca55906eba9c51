//! The loop from outside that starts and quiesces workers. It looks at the world, never into the engine, and keeps a
//! conflict index of its own to know how many tasks could execute.

use std::collections::VecDeque;

use crate::base::{Claim, IdMap, IdVec, Mode, ResourceId, TaskId, Time};
use crate::scenario::{Autoscaler, ScaleSignal};

/// The loop's memory.
pub(super) struct Scaler {
    pub(super) options: Autoscaler,
    /// No change before this instant.
    quiet_until: Time,
    conflicts: ConflictIndex,
}

/// What the loop wants done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    Nothing,
    Start(u32),
    Stop(u32),
}

impl Scaler {
    pub(super) fn new(options: Autoscaler) -> Self {
        Scaler { options, quiet_until: Time::ZERO, conflicts: ConflictIndex::default() }
    }

    pub(super) fn submitted(&mut self, task: TaskId, claims: &[Claim]) {
        self.conflicts.submitted(task, claims);
    }

    pub(super) fn settled(&mut self, task: TaskId) {
        self.conflicts.settled(task);
    }

    /// Decides, given how many workers start up or take work.
    pub(super) fn look(&mut self, now: Time, workers: u32) -> Wish {
        let load = match self.options.signal {
            ScaleSignal::RunnablePerWorker => self.conflicts.clear,
            ScaleSignal::BacklogPerWorker => self.conflicts.tasks.len(),
        };
        let wanted = libm::ceil(load as f64 / self.options.target).min(f64::from(u32::MAX)) as u32;
        let wanted = wanted.clamp(self.options.min, self.options.max.max(self.options.min));
        if now < self.quiet_until || wanted == workers {
            return Wish::Nothing;
        }
        self.quiet_until = now.saturating_add(self.options.cooldown);
        if wanted > workers { Wish::Start(wanted - workers) } else { Wish::Stop(workers - wanted) }
    }
}

/// Unsettled tasks per resource in order of submission. A task is clear when no earlier one conflicts with it.
#[derive(Default)]
struct ConflictIndex {
    lines: IdVec<ResourceId, VecDeque<Place>>,
    tasks: IdMap<TaskId, Waiting>,
    /// How many tasks are clear.
    clear: usize,
}

#[derive(Clone, Copy)]
struct Place {
    task: TaskId,
    mode: Mode,
    clear: bool,
}

struct Waiting {
    claims: crate::base::Claims,
    /// Claims that are not clear.
    blocked: usize,
}

impl ConflictIndex {
    fn submitted(&mut self, task: TaskId, claims: &[Claim]) {
        self.tasks.insert(task, Waiting { claims: claims.into(), blocked: claims.len() });
        self.clear += usize::from(claims.is_empty());
        for claim in claims {
            self.lines.grow_to(claim.resource).push_back(Place { task, mode: claim.mode, clear: false });
            self.clear_head(claim.resource);
        }
    }

    fn settled(&mut self, task: TaskId) {
        let Some(waiting) = self.tasks.remove(task) else { return };
        self.clear -= usize::from(waiting.blocked == 0);
        for claim in &waiting.claims {
            let line = &mut self.lines[claim.resource];
            if let Ok(position) = line.binary_search_by_key(&task, |place| place.task) {
                line.remove(position);
            }
            self.clear_head(claim.resource);
        }
    }

    /// Clears what heads the line: one exclusive claim, or all shared ones before the first exclusive.
    fn clear_head(&mut self, resource: ResourceId) {
        let ConflictIndex { lines, tasks, clear } = self;
        for (position, place) in lines[resource].iter_mut().enumerate() {
            if place.mode == Mode::Exclusive && position > 0 {
                return;
            }
            if !place.clear {
                place.clear = true;
                let waiting = &mut tasks[place.task];
                waiting.blocked -= 1;
                *clear += usize::from(waiting.blocked == 0);
            }
            if place.mode == Mode::Exclusive {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    const X: ResourceId = ResourceId(0);
    const Y: ResourceId = ResourceId(3);

    #[test]
    fn a_task_is_clear_when_no_earlier_one_conflicts() {
        let mut index = ConflictIndex::default();
        index.submitted(TaskId(0), &[Claim::shared(X)]);
        index.submitted(TaskId(1), &[Claim::shared(X)]);
        assert_eq!(index.clear, 2);
        index.submitted(TaskId(2), &[Claim::exclusive(X), Claim::exclusive(Y)]);
        index.submitted(TaskId(3), &[Claim::shared(X)]);
        index.submitted(TaskId(4), &[]);
        assert_eq!(index.clear, 3);
        index.settled(TaskId(1));
        index.settled(TaskId(2));
        assert_eq!(index.clear, 3, "t1, t4 and t5");
        index.settled(TaskId(0));
        index.settled(TaskId(3));
        index.settled(TaskId(4));
        assert_eq!((index.clear, index.tasks.len()), (0, 0));
    }

    #[test]
    fn runnable_tasks_and_not_the_backlog_move_the_fleet_and_a_change_is_followed_by_quiet() {
        let options = Autoscaler {
            target: 2.0,
            signal: ScaleSignal::RunnablePerWorker,
            min: 1,
            max: 3,
            every: Span::from_secs(1),
            cooldown: Span::from_secs(10),
        };
        let mut scaler = Scaler::new(options);
        (0..9).for_each(|task| scaler.submitted(TaskId(task), &[Claim::exclusive(X)]));
        assert_eq!(scaler.look(Time::from_secs(1), 1), Wish::Nothing);
        (9..18).for_each(|task| scaler.submitted(TaskId(task), &[]));
        assert_eq!(scaler.look(Time::from_secs(2), 1), Wish::Start(2));
        assert_eq!(scaler.look(Time::from_secs(11), 1), Wish::Nothing);
        (0..18).for_each(|task| scaler.settled(TaskId(task)));
        assert_eq!(scaler.look(Time::from_secs(12), 3), Wish::Stop(2));
    }
}
