//! Random histories of a small cluster, driven by hand: whatever happens, conflicting tasks never run at once and start
//! in order, every queue has an owner while a worker is there, and in the end everything is settled.

mod rig;

use lanekeeper::base::task::conflict;
use lanekeeper::base::{Claim, TaskId, WorkerId};
use proptest::prelude::*;
use rig::steps::{Step, apply, options, step};
use rig::*;

/// The claims of every task, and what was said of the run so far.
struct Judge {
    claims: Vec<Vec<Claim>>,
    judged_starts: usize,
}

impl Judge {
    fn look(&mut self, rig: &Rig) {
        let running: Vec<_> = (0..rig.workers()).filter_map(|w| rig.executing(WorkerId(w as u32))).collect();
        for (i, a) in running.iter().enumerate() {
            for b in &running[i + 1..] {
                let (x, y) = (&self.claims[a.0 as usize], &self.claims[b.0 as usize]);
                assert!(a == b || !conflict(x, y), "{a} and {b} run at once");
            }
        }
        for (task, settled_before) in &rig.starts_judged[self.judged_starts..] {
            for earlier in (0..task.0).map(TaskId) {
                let conflicts = conflict(&self.claims[earlier.0 as usize], &self.claims[task.0 as usize]);
                assert!(!conflicts || settled_before.contains(&earlier), "{task} starts before {earlier} is settled");
            }
        }
        self.judged_starts = rig.starts_judged.len();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_promises_hold(spec in options(), steps in proptest::collection::vec(step(), 1..80)) {
        let mut rig = Rig::new(spec, 2);
        let mut judge = Judge { claims: Vec::new(), judged_starts: 0 };
        for step in &steps {
            if let Step::Submit(claims) = step {
                judge.claims.push(claims.clone());
            }
            apply(&mut rig, step);
            judge.look(&rig);
        }
        // Healing: everybody can speak, one healthy worker is there, time passes.
        for worker in 0..rig.workers() {
            rig.wake(WorkerId(worker as u32));
        }
        rig.let_go();
        let healthy = rig.join();
        for _ in 0..12 {
            rig.run_dry();
            rig.pass(secs(31));
            judge.look(&rig);
        }
        rig.run_dry();
        judge.look(&rig);
        prop_assert_eq!(rig.settled.len(), judge.claims.len(), "everything is settled");
        prop_assert!(rig.owners.values().all(Option::is_some), "every queue has an owner: {:?}", rig.owners);
        prop_assert!(rig.is_alive(healthy));
    }
}
