//! Random histories of a small cluster: what can happen, and how it is made to happen on the rig.

use lanekeeper::base::{Claim, ResourceId, TaskId, WorkerId};
use lanekeeper::engine::message::Ended;
use lanekeeper::engine::spec::*;
use proptest::prelude::*;

use super::{Rig, secs};

#[derive(Clone, Debug)]
pub enum Step {
    Submit(Vec<Claim>),
    Finish(usize),
    Fail(usize),
    Join,
    Crash(usize),
    Pause(usize),
    Wake(usize),
    Terminate(usize),
    Quiesce(usize),
    Cancel(u32),
    HoldTo(usize),
    HoldFrom(usize),
    LoseTo(usize),
    LoseFrom(usize),
    LetGo,
    Limits(u32, u32),
    Pass(u64),
}

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    proptest::collection::btree_map(0u32..4, proptest::bool::weighted(0.6), 0..3).prop_map(|claims| {
        let claim = |(resource, exclusive): (u32, bool)| {
            if exclusive { Claim::exclusive(ResourceId(resource)) } else { Claim::shared(ResourceId(resource)) }
        };
        claims.into_iter().map(claim).collect()
    })
}

/// Anything that can happen.
pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => claims().prop_map(Step::Submit),
        8 => (0usize..6).prop_map(Step::Finish),
        1 => (0usize..6).prop_map(Step::Fail),
        2 => Just(Step::Join),
        1 => (0usize..6).prop_map(Step::Crash),
        1 => (0usize..6).prop_map(Step::Pause),
        2 => (0usize..6).prop_map(Step::Wake),
        1 => (0usize..6).prop_map(Step::Terminate),
        1 => (0usize..6).prop_map(Step::Quiesce),
        1 => (0u32..30).prop_map(Step::Cancel),
        1 => (0usize..6).prop_map(Step::HoldTo),
        1 => (0usize..6).prop_map(Step::HoldFrom),
        1 => (0usize..6).prop_map(Step::LoseTo),
        1 => (0usize..6).prop_map(Step::LoseFrom),
        2 => Just(Step::LetGo),
        1 => (0u32..3, 0u32..4).prop_map(|(min, more)| Step::Limits(min, (min + more).max(1))),
        6 => (1u64..40).prop_map(Step::Pass),
    ]
}

/// Options of the engine, all of them drawn.
pub fn options() -> impl Strategy<Value = QueueFirstSpec> {
    let placement = prop_oneof![
        Just(PlacementSpec::LeastBacklog),
        Just(PlacementSpec::Sticky),
        Just(PlacementSpec::RoundRobin),
        Just(PlacementSpec::Random)
    ];
    let create = prop_oneof![
        Just(CreateSpec::Eager),
        Just(CreateSpec::PerWorker),
        Just(CreateSpec::When(CreateWhen { backlog_per_queue: 2, held_for: secs(3) }))
    ];
    let delete =
        prop_oneof![Just(DeleteSpec::Never), Just(DeleteSpec::AfterDoubleDuty), Just(DeleteSpec::EmptyFor(secs(9)))];
    let at_max = prop_oneof![Just(AtMax::Share), Just(AtMax::Park(ParkLimit { at_most: secs(20) }))];
    let newcomers = prop_oneof![Just(Newcomers::GeneralOnly), Just(Newcomers::Relieve), Just(Newcomers::Rebalance)];
    let discipline =
        prop_oneof![Just(Discipline::RoundRobin), Just(Discipline::OldestHead), Just(Discipline::DrainFirst)];
    let rebalance = prop_oneof![Just(Rebalance::Never), Just(Rebalance::OnJoin), Just(Rebalance::Every(secs(17)))];
    let served_by = prop_oneof![Just(ServedBy::Everyone), Just(ServedBy::Surplus)];
    (0u32..3, 1u32..4, placement, create, delete, at_max, newcomers, discipline, rebalance, served_by).prop_map(
        |(min, more, placement, create, delete, at_max, newcomers, discipline, rebalance, served_by)| QueueFirstSpec {
            queues: QueueLimits { min, max: min + more },
            placement,
            create,
            delete,
            at_max,
            newcomers,
            rebalance,
            double_duty: DoubleDuty { prefer_at_most: 2, discipline },
            general_queue: GeneralQueue { served_by, general_after: 3 },
            running_task_of_lost_worker: LostTask::Requeue(RequeueLimit { max_attempts: 100 }),
            ..QueueFirstSpec::default()
        },
    )
}

/// Makes it happen, where it can.
pub fn apply(rig: &mut Rig, step: &Step) {
    let alive =
        |index: &usize| (*index < rig.workers()).then_some(WorkerId(*index as u32)).filter(|w| rig.is_alive(*w));
    match step {
        Step::Submit(claims) => drop(rig.submit(claims)),
        Step::Finish(index) => {
            if let Some(worker) = alive(index).filter(|worker| rig.executing(*worker).is_some()) {
                rig.finish(worker);
            }
        }
        Step::Fail(index) => {
            if let Some(worker) = alive(index).filter(|worker| rig.executing(*worker).is_some()) {
                rig.end(worker, Ended::Failed);
            }
        }
        Step::Join => {
            if rig.workers() < 6 {
                rig.join();
            }
        }
        Step::Crash(index) => alive(index).into_iter().for_each(|worker| rig.crash(worker)),
        Step::Pause(index) => alive(index).into_iter().for_each(|worker| rig.pause(worker)),
        Step::Wake(index) => alive(index).into_iter().for_each(|worker| rig.wake(worker)),
        Step::Terminate(index) => alive(index).into_iter().for_each(|worker| rig.terminate(worker)),
        Step::Quiesce(index) => alive(index).into_iter().for_each(|worker| rig.quiesce(worker)),
        Step::Cancel(task) => rig.cancel(TaskId(*task)),
        Step::HoldTo(index) => rig.hold_to(WorkerId(*index as u32)),
        Step::HoldFrom(index) => rig.hold_from(WorkerId(*index as u32)),
        Step::LoseTo(index) => alive(index).into_iter().for_each(|worker| rig.lose_to(worker)),
        Step::LoseFrom(index) => rig.lose_from(WorkerId(*index as u32)),
        Step::LetGo => rig.let_go(),
        Step::Limits(min, max) => rig.limits(*min, *max),
        Step::Pass(seconds) => rig.pass(secs(*seconds)),
    }
}
