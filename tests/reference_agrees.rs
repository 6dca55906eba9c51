//! `queue_first` against the reference: whatever happens, every one of its steps is allowed, and none that the reference
//! asks for is left out. The reference is put on trial too: engines with a planted bug meet its objections.

mod reference;
mod rig;
mod sabotage;

use std::sync::Arc;

use lanekeeper::base::Property::{Affinity, Exclusion, NoLoss, Order, Ownership, WorkConserving};
use lanekeeper::base::Time;
use lanekeeper::engine::queue_first::{Policies, factory};
use lanekeeper::engine::{Detection, EngineSpec, Input};
use lanekeeper::fact::{Fact, Observe};
use lanekeeper::scenario::Scenario;
use lanekeeper::world::simulate;
use proptest::prelude::*;
use reference::watched::Watched;
use rig::steps::{apply, options, step};
use rig::{Rig, secs};
use sabotage::scenes::{chaos, scene};
use sabotage::table::TABLE;
use sabotage::{Plant, Saboteur};

/// A bug must meet an objection within so many seeds.
const SEEDS: u64 = 5;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_does_what_the_reference_allows_and_all_that_it_asks_for(
        spec in options(),
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let detection = Detection { heartbeat: secs(10), ttl: secs(30) };
        let engine = factory(&spec, &Policies::default()).expect("built-in policies");
        let watched = Watched::new(&spec, detection, engine);
        let mut rig = Rig::driving(&watched, detection);
        rig.give(Input::Limits { min: spec.queues.min, max: spec.queues.max });
        rig.join();
        rig.join();
        for step in &steps {
            apply(&mut rig, step);
            prop_assert_eq!(watched.objections(), Vec::<String>::new(), "after {:?}", step);
        }
    }
}

struct Nobody;

impl Observe for Nobody {
    fn on(&mut self, _: Time, _: &Fact<'_>) {}
}

/// What the reference objects to in one run of a scenario.
fn objections(scenario: &Scenario, seed: u64, plant: Plant) -> Vec<String> {
    let EngineSpec::QueueFirst(spec) = &scenario.engine else { panic!("bugs are planted in queue_first") };
    let mut scenario = scenario.clone();
    scenario.run.seed = seed;
    let watched = Watched::new(spec, scenario.detection, Arc::new(Saboteur::new(spec, plant)));
    simulate(&scenario, &watched, 0, &mut Nobody);
    watched.objections()
}

#[test]
fn in_chaos_the_reference_objects_to_nothing() {
    for seed in 0..300 {
        let objections = objections(&chaos(seed), seed, Plant::Nothing);
        assert!(objections.is_empty(), "chaos of seed {seed}: {objections:#?}");
    }
}

#[test]
fn it_objects_to_planted_bugs_of_what_may_run_when() {
    let judged = [Exclusion, Ownership, Order, Affinity, NoLoss, WorkConserving];
    let bugs = TABLE.iter().filter(|row| judged.contains(&row.property) && matches!(row.plant, Plant::Forger(_)));
    let mut count = 0;
    for row in bugs {
        count += 1;
        let scenario = scene(row.scene);
        let found = (1..=SEEDS).find_map(|seed| objections(&scenario, seed, row.plant).into_iter().next());
        println!("| {:50} | {}", row.bug, found.as_deref().unwrap_or("none"));
        assert!(found.is_some(), "nobody objects: {}", row.bug);
    }
    assert!(count >= 20, "only {count} bugs were planted");
}
