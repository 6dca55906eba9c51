//! What a guided hunt learns: which mixes came across what few runs do, so that they are tried again with one part
//! drawn anew.

use std::collections::{BTreeMap, VecDeque};

use super::Bag;
use crate::base::names::ProbeSet;
use crate::experiment::swarm::{Mix, Part};
use crate::sim::Streams;

/// So many mixes are remembered for each probe: the latest.
const KEPT: usize = 8;
/// A mix is remembered for a probe that fewer than one in so many runs hit.
const RARE: u64 = 20;
/// So many of the rarest probes are gone after.
const RAREST: usize = 4;
/// Parts are drawn from seeds below this: short to name.
const SEEDS: u64 = 1_000_000;
/// The streams of hunts are those of no replication; the first source is the swarm's.
const REPLICATION: u64 = u64::MAX;
const SOURCE: u64 = 1;

/// Mixes worth another look.
pub(super) struct Guide {
    streams: Streams,
    /// By probe.
    mixes: BTreeMap<usize, VecDeque<Mix>>,
}

impl Guide {
    pub(super) fn new(first: u64) -> Guide {
        Guide { streams: Streams::new(first, REPLICATION), mixes: BTreeMap::new() }
    }

    /// Takes note of what a run came across that was rare in the runs before it.
    pub(super) fn learn(&mut self, mix: &Mix, probes: ProbeSet, before: &Bag) {
        for probe in probes.iter().map(|probe| probe.index()) {
            let count = before.probes.get(&probe).copied().unwrap_or(0);
            if count * RARE <= before.runs {
                let mixes = self.mixes.entry(probe).or_default();
                mixes.push_back(mix.clone());
                if mixes.len() > KEPT {
                    mixes.pop_front();
                }
            }
        }
    }

    /// One of the mixes that performed worst or came across one of the rarest probes, with one part drawn anew; `None`
    /// while there is none.
    pub(super) fn mutant(&self, seen: &Bag, number: u64) -> Option<Mix> {
        let mut rarest: Vec<usize> = self.mixes.keys().copied().collect();
        rarest.sort_by_key(|probe| (seen.probes.get(probe).copied().unwrap_or(0), *probe));
        let mut parents: Vec<&Mix> = seen.worst.iter().map(|(_, mix)| mix).collect();
        if parents.is_empty() {
            parents = rarest.iter().take(RAREST).flat_map(|probe| &self.mixes[probe]).collect();
        }
        let mut stream = self.streams.open(SOURCE, number, 0);
        let mut below = |count: usize| stream.below(count.max(1) as u64) as usize;
        let parent = *parents.get(below(parents.len()))?;
        let part = Part::all().nth(below(Part::all().len()))?;
        Some(parent.with(part, stream.below(SEEDS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Probe;

    #[test]
    fn what_hit_a_rare_probe_is_changed_in_one_part_and_what_hit_a_common_one_is_not() {
        let mut guide = Guide::new(1);
        let mut bag = Bag { runs: 100, ..Bag::default() };
        bag.probes.insert(Probe::ALL[0].index(), 90);
        let hit = |probe: Probe| {
            let mut set = ProbeSet::default();
            set.hit(probe);
            set
        };
        guide.learn(&Mix::of(7), hit(Probe::ALL[0]), &bag);
        assert_eq!(guide.mutant(&bag, 1), None);
        guide.learn(&Mix::of(8), hit(Probe::ALL[1]), &bag);
        let mutant = guide.mutant(&bag, 1).unwrap();
        assert_eq!((mutant.seed, mutant.redrawn.len()), (8, 1));
        assert_eq!(guide.mutant(&bag, 1), Some(mutant));
        bag.worst.push((3.0, Mix::of(9)));
        assert_eq!(guide.mutant(&bag, 1).unwrap().seed, 9, "bad performance goes before rare events");
    }
}
