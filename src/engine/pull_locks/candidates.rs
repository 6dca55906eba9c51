//! Unblocked tasks, and which of them a worker takes.

use std::collections::{BTreeMap, VecDeque};

use crate::base::{Span, TaskId, Time, mix};

use super::draw;

/// The unblocked tasks in order of creation; those that were created at one instant lie together, by number.
#[derive(Default, Debug)]
pub(super) struct Candidates {
    created_at: BTreeMap<Time, VecDeque<TaskId>>,
    picks: u64,
}

impl Candidates {
    pub(super) fn insert(&mut self, created: Time, task: TaskId) {
        let together = self.created_at.entry(created).or_default();
        if let Err(place) = together.binary_search(&task) {
            together.insert(place, task);
        }
    }

    /// Does nothing where the task is not among them.
    pub(super) fn remove(&mut self, created: Time, task: TaskId) {
        let Some(together) = self.created_at.get_mut(&created) else { return };
        if let Ok(place) = together.binary_search(&task) {
            together.remove(place);
            if together.is_empty() {
                self.created_at.remove(&created);
            }
        }
    }

    /// The task that a worker takes: the first by these ranks, or, where none has a rank, by chance.
    pub(super) fn pick(&mut self, ranks: &BTreeMap<TaskId, u32>, seed: u64, jitter: Span) -> Option<TaskId> {
        self.picks += 1;
        self.first_ranked(ranks).or_else(|| self.by_chance(seed, jitter))
    }

    fn first_ranked(&self, ranks: &BTreeMap<TaskId, u32>) -> Option<TaskId> {
        if ranks.is_empty() {
            return None;
        }
        let ranked = self.created_at.values().flatten().filter_map(|task| Some((*ranks.get(task)?, *task)));
        ranked.min().map(|(_, task)| task)
    }

    /// `ORDER BY pulp_created + 8 s * random() LIMIT 1`: each row draws anew each time. No row that was created after
    /// the smallest sum so far can have a smaller one. Of many rows of one instant the smallest draw decides, which is
    /// drawn at once, however many they are: any of them has it alike.
    fn by_chance(&self, seed: u64, jitter: Span) -> Option<TaskId> {
        let mut best: Option<(u64, TaskId)> = None;
        for (created, together) in &self.created_at {
            let created = created.micros();
            if best.is_some_and(|(smallest, _)| created >= smallest) {
                break;
            }
            let first = together[0];
            let random = |what| mix::mix(seed, &[what, self.picks, first.0.into()]);
            let count = together.len() as u64;
            let (added, task) = match (jitter.micros(), count) {
                (0, _) => (0, first),
                (jitter, 1) => (mix::below(random(draw::PICK), jitter), first),
                (jitter, _) => {
                    let lucky = mix::below(random(draw::PICK_AMONG), count) as usize;
                    (smallest_of(count, random(draw::PICK), jitter), together[lucky])
                }
            };
            let sum = created.saturating_add(added);
            if best.is_none_or(|(smallest, _)| sum < smallest) {
                best = Some((sum, task));
            }
        }
        best.map(|(_, task)| task)
    }
}

/// The smallest of so many uniform draws below `bound`, by inversion of its distribution.
fn smallest_of(count: u64, bits: u64, bound: u64) -> u64 {
    let uniform = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    let smallest = -libm::expm1(libm::log1p(-uniform) / count as f64);
    ((smallest * bound as f64) as u64).min(bound - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JITTER: Span = Span::from_secs(8);

    fn none() -> BTreeMap<TaskId, u32> {
        BTreeMap::new()
    }

    fn of(tasks: &[(u64, u32)]) -> Candidates {
        let mut candidates = Candidates::default();
        for (seconds, task) in tasks {
            candidates.insert(Time::from_micros(seconds * 1_000_000), TaskId(*task));
        }
        candidates
    }

    #[test]
    fn without_jitter_the_first_created_is_taken_and_of_one_instant_the_lowest_number() {
        let mut candidates = of(&[(2, 1), (1, 5), (1, 3)]);
        assert_eq!(candidates.pick(&none(), 1, Span::ZERO), Some(TaskId(3)));
        candidates.remove(Time::from_micros(1_000_000), TaskId(3));
        candidates.remove(Time::from_micros(1_000_000), TaskId(5));
        assert_eq!(candidates.pick(&none(), 1, Span::ZERO), Some(TaskId(1)));
        candidates.remove(Time::from_micros(2_000_000), TaskId(1));
        assert_eq!(candidates.pick(&none(), 1, Span::ZERO), None);
    }

    #[test]
    fn those_with_a_rank_come_first_and_by_rank() {
        let mut candidates = of(&[(1, 0), (2, 1), (3, 2)]);
        let ranks = BTreeMap::from([(TaskId(1), 7), (TaskId(2), 4)]);
        assert_eq!(candidates.pick(&ranks, 1, JITTER), Some(TaskId(2)));
        candidates.remove(Time::from_micros(3_000_000), TaskId(2));
        assert_eq!(candidates.pick(&ranks, 1, JITTER), Some(TaskId(1)));
    }

    /// Three tasks of one instant beside one that came 4 s later: the later one wins when its draw and 4 s are below
    /// the smallest of three, which is a chance of 1/64: the integral of (1 - u - 1/2)^3 over u from 0 to 1/2.
    #[test]
    fn of_one_instant_all_are_taken_alike_and_the_smallest_draw_meets_the_others() {
        let mut candidates = of(&[(0, 0), (0, 1), (0, 2), (4, 3)]);
        let mut taken = [0_u32; 4];
        for _ in 0..64_000 {
            taken[candidates.pick(&none(), 9, JITTER).expect("there are four").0 as usize] += 1;
        }
        assert!(taken[3].abs_diff(1_000) < 130, "{taken:?}");
        assert!(taken[..3].iter().all(|count| count.abs_diff(21_000) < 500), "{taken:?}");
    }

    #[test]
    fn a_burst_of_a_hundred_thousand_is_taken_in_a_moment() {
        let mut candidates = Candidates::default();
        (0..100_000).for_each(|task| candidates.insert(Time::ZERO, TaskId(task)));
        let mut taken = 0;
        while let Some(task) = candidates.pick(&none(), 3, JITTER) {
            candidates.remove(Time::ZERO, task);
            taken += 1;
        }
        assert_eq!(taken, 100_000);
    }
}
