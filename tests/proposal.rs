//! The proposal, sentence by sentence: R1 to R20 of the requirements, on the real engine and real agents.

mod rig;

use std::collections::BTreeMap;

use lanekeeper::base::{Note, Outcome, QueueId, TaskId, WorkerId};
use lanekeeper::engine::message::{ClusterMessage, Effect};
use lanekeeper::engine::spec::*;
use rig::*;

fn w(number: u32) -> WorkerId {
    WorkerId(number - 1)
}

fn owners(rig: &Rig) -> Vec<Option<WorkerId>> {
    rig.owners.values().copied().collect()
}

#[test]
fn r01_all_unfinished_conflicting_tasks_share_one_fifo_and_run_in_order() {
    let mut rig = Rig::new(spec(4, 4), 4);
    let tasks: Vec<_> = (0..30).map(|i| (i % 3, rig.exclusive(&[i % 3]))).collect();
    let mut queue_of = BTreeMap::new();
    for (resource, task) in &tasks {
        assert_eq!(*queue_of.entry(*resource).or_insert(rig.place(*task)), rig.place(*task));
    }
    rig.run_dry();
    for resource in 0..3 {
        let of = |task: &TaskId| tasks.iter().any(|(r, t)| *r == resource && t == task);
        let starts: Vec<_> = rig.order_of_starts().into_iter().filter(of).collect();
        assert!(starts.is_sorted() && starts.len() == 10);
    }
}

#[test]
fn r02_at_most_one_exclusive_task_of_a_resource_runs_at_any_instant() {
    let mut rig = Rig::new(spec(4, 4), 4);
    let tasks: Vec<_> = (0..8).map(|_| rig.exclusive(&[A])).collect();
    for task in &tasks {
        assert_eq!(tasks.iter().filter(|task| rig.is_running(**task)).count(), 1);
        rig.finish(rig.executor(*task));
    }
    assert_eq!(rig.settled.len(), 8);
}

#[test]
fn r03_a_quiescing_worker_gets_no_new_work_and_leaves_gracefully() {
    let mut rig = Rig::new(spec(1, 1), 1);
    let running = rig.exclusive(&[A]);
    let waiting = rig.exclusive(&[A]);
    rig.quiesce(w(1));
    assert_eq!(rig.running(w(1)), Some(running), "it finishes what it runs");
    rig.finish(w(1));
    assert!(!rig.is_alive(w(1)), "gone");
    assert_eq!(rig.settled.len(), 1);
    let next = rig.join();
    assert_eq!(rig.running(next), Some(waiting), "nothing was lost");
}

#[test]
fn r04_the_number_of_workers_may_go_up_and_down_at_any_time() {
    let mut rig = Rig::new(spec(3, 3), 0);
    for i in 0..24 {
        rig.exclusive(&[i % 5]);
        match i % 4 {
            0 => _ = rig.join(),
            1 => rig.terminate(WorkerId(i / 8)),
            2 if i > 12 => rig.crash(WorkerId(i / 6)),
            _ => rig.pass(secs(7)),
        }
    }
    rig.join();
    for _ in 0..10 {
        rig.pass(secs(31));
        rig.run_dry();
    }
    assert_eq!(rig.settled.len(), 24);
    assert!(rig.settled.values().all(|outcome| *outcome == Outcome::Completed));
}

#[test]
fn r05_workers_hold_no_long_term_state_and_a_queue_is_not_named_after_one() {
    let mut rig = Rig::new(spec(2, 2), 2);
    for i in 0..10 {
        rig.exclusive(&[i]);
    }
    let places = rig.places.clone();
    rig.crash(w(1));
    rig.crash(w(2));
    rig.pass(secs(40));
    assert_eq!(owners(&rig), [None, None], "vacant, not lost");
    rig.join();
    assert_eq!(owners(&rig), [Some(w(3)), Some(w(3))]);
    rig.run_dry();
    assert_eq!((rig.places, rig.settled.len()), (places, 10));
}

#[test]
fn r06_a_worker_announces_itself_and_is_told_its_queues_and_creates_none() {
    let mut rig = Rig::new(spec(1, 4), 0);
    let queues = rig.queues();
    let worker = rig.join();
    assert_eq!((rig.queues(), rig.owner(1)), (queues, Some(worker)));
    let told = rig.effects.iter().any(
        |effect| matches!(effect, Effect::Send(to, ClusterMessage::Grant { holding, .. }) if *to == worker && holding.queue == QueueId(1)),
    );
    assert!(told);
    rig.join();
    assert_eq!(rig.queues(), queues, "a join alone creates nothing");
}

#[test]
fn r07_tasks_are_routed_to_queues_and_never_to_workers() {
    let routes = |workers: u32| {
        let mut rig = Rig::new(QueueFirstSpec { create: CreateSpec::PerWorker, ..spec(4, 4) }, workers);
        for i in 0..20 {
            rig.exclusive(&[i % 7]);
        }
        rig.places
    };
    assert_eq!(routes(0).len(), 20, "also without any worker");
    assert_eq!(routes(0), routes(0));
    let mut with_workers = Rig::new(spec(4, 4), 2);
    let first = with_workers.exclusive(&[A]);
    let before = with_workers.places.clone();
    with_workers.crash(with_workers.executor(first));
    with_workers.pass(secs(31));
    assert_eq!(with_workers.places, before, "its worker is another one, its queue is not");
}

#[test]
fn r08_every_queue_has_exactly_one_healthy_worker_whenever_one_exists() {
    let mut rig = Rig::new(spec(5, 5), 3);
    assert!(owners(&rig).iter().all(Option::is_some));
    rig.crash(w(1));
    rig.crash(w(2));
    rig.pass(secs(31));
    assert_eq!(owners(&rig), [Some(w(3)); 5]);
    rig.crash(w(3));
    rig.pass(secs(31));
    assert_eq!(owners(&rig), [None; 5]);
    let newcomer = rig.join();
    assert_eq!(owners(&rig), [Some(newcomer); 5]);
}

#[test]
fn r09_death_and_a_newcomer_the_orphan_goes_to_the_newcomer_with_contents_and_order_intact() {
    let mut rig = Rig::new(spec(2, 2), 2);
    let tasks: Vec<_> = (0..4).map(|_| rig.exclusive(&[A])).collect();
    let dead = rig.executor(tasks[0]);
    rig.crash(dead);
    let newcomer = rig.join();
    rig.pass(secs(31));
    assert_eq!(rig.owners[&rig.places[&tasks[0]]], Some(newcomer));
    rig.run_dry();
    assert_eq!(rig.order_of_starts()[1..], tasks[..], "the lost task again, then the rest in order");
}

#[test]
fn r10_death_without_a_newcomer_another_worker_does_double_duty_until_a_queue_is_empty_which_may_be_deleted() {
    let spec = QueueFirstSpec { delete: DeleteSpec::AfterDoubleDuty, ..spec(1, 2) };
    let mut rig = Rig::new(spec, 2);
    let first = rig.exclusive(&[A]);
    let second = rig.exclusive(&[B]);
    let third = rig.exclusive(&[B]);
    assert_eq!(rig.queues(), 2);
    let dead = rig.executor(first);
    let survivor = rig.executor(second);
    rig.crash(dead);
    rig.pass(secs(31));
    assert_eq!(rig.owned_by(survivor), 2, "double duty");
    rig.run_dry();
    assert_eq!(rig.settled.len(), 3);
    assert!(rig.starts_of(third) == 1 && rig.queues() == 1, "one queue was empty and is gone");
}

#[test]
fn r11_a_surplus_worker_may_get_the_general_queue_only() {
    let mut rig = Rig::new(spec(1, 1), 2);
    let reserved = rig.exclusive(&[A]);
    rig.exclusive(&[A]);
    let surplus = if rig.executor(reserved) == w(1) { w(2) } else { w(1) };
    assert_eq!((rig.owned_by(surplus), rig.running(surplus)), (0, None));
    let general = rig.claimless();
    assert_eq!(rig.running(surplus), Some(general));
}

#[test]
fn r12_a_new_queue_is_created_only_by_policy_if_and_when_needed_and_given_to_the_surplus_worker() {
    let when = CreateSpec::When(CreateWhen { backlog_per_queue: 3, held_for: secs(5) });
    let mut rig = Rig::new(QueueFirstSpec { create: when, ..spec(1, 2) }, 1);
    for resource in 0..5 {
        rig.exclusive(&[resource]);
    }
    rig.pass(secs(20));
    assert_eq!(rig.queues(), 1, "needed, but there is nobody to give it to");
    let surplus = rig.join();
    assert_eq!(rig.queues(), 1, "not for so long yet");
    rig.pass(secs(5));
    assert_eq!((rig.queues(), rig.owner(2)), (2, Some(surplus)));
}

#[test]
fn r13_the_number_of_queues_follows_min_max_demand_and_available_workers() {
    let queues = |min, max, demand: u32, workers| {
        let mut rig = Rig::new(spec(min, max), workers);
        for resource in 0..demand {
            rig.exclusive(&[resource]);
        }
        rig.queues()
    };
    assert_eq!(queues(0, 8, 0, 8), 0);
    assert_eq!(queues(2, 8, 0, 8), 2, "min");
    assert_eq!(queues(1, 8, 5, 8), 5, "demand");
    assert_eq!(queues(1, 8, 20, 3), 3, "workers");
    assert_eq!(queues(1, 4, 20, 8), 4, "max");
    assert_eq!(queues(6, 8, 20, 3), 6, "min holds without workers, too");
}

#[test]
fn r14_the_cluster_owns_the_whole_life_of_a_queue() {
    let mut rig = Rig::new(QueueFirstSpec { delete: DeleteSpec::EmptyFor(secs(60)), ..spec(0, 1) }, 1);
    rig.exclusive(&[A]);
    rig.run_dry();
    rig.pass(secs(59));
    assert_eq!(rig.queues(), 1);
    rig.pass(secs(1));
    let life: Vec<_> = rig
        .notes
        .iter()
        .filter_map(|note| match note {
            Note::QueueCreated { .. } => Some("created"),
            Note::QueueOwned { .. } => Some("owned"),
            Note::QueueDraining { .. } => Some("draining"),
            Note::QueueRevoking { .. } => Some("revoking"),
            Note::QueueVacant { .. } => Some("vacant"),
            Note::QueueDeleted { .. } => Some("deleted"),
            _ => None,
        })
        .collect();
    assert_eq!(life, ["created", "owned", "draining", "revoking", "vacant", "deleted"]);
}

#[test]
fn r15_relabelling_workers_relabels_effects_and_changes_nothing_else() {
    use lanekeeper::base::{Claim, ResourceId, Span, Term, Time};
    use lanekeeper::engine::message::{Heartbeat, Input, Stamp, WorkerMessage, WorkerName};
    use lanekeeper::engine::queue_first::{Policies, factory};
    use lanekeeper::engine::{Context, Detection};

    // The same history under two labellings of four workers; all that differs is the label.
    let history = |labels: [u32; 4]| {
        let detection = Detection { heartbeat: Span::from_secs(10), ttl: Span::from_secs(30) };
        let factory = factory(&spec(3, 6), &Policies::default()).expect("built in");
        let mut engine = factory.fresh(Context { seed: 1, term: Term(1), detection });
        let (mut out, mut log) = (Vec::new(), Vec::new());
        let mut give = |at: u64, input: Input<'_>| {
            engine.handle(Time::from_secs(at), input, &mut out);
            log.extend(out.drain(..).map(|effect| format!("{effect:?}")));
        };
        let from = |worker: usize, message| (WorkerId(labels[worker]), message);
        let mut inputs = Vec::new();
        for worker in 0..4 {
            inputs.push((
                worker as u64,
                from(worker, WorkerMessage::Join { stamp: Stamp(0), name: WorkerName(worker as u64) }),
            ));
            inputs.push((worker as u64, from(worker, WorkerMessage::Fetch)));
        }
        for (at, (worker, message)) in &inputs {
            give(*at, Input::Worker { worker: *worker, message });
        }
        for task in 0..12 {
            let claims = [Claim::exclusive(ResourceId(task % 5))];
            give(5, Input::Submit { task: TaskId(task), claims: &claims });
        }
        let beat = WorkerMessage::Heartbeat(Box::new(Heartbeat {
            stamp: Stamp(20_000_000),
            seen: lanekeeper::base::Ticket(0),
            started: lanekeeper::base::Ticket(0),
            quiescing: true,
            running: None,
            holds: Default::default(),
            reports: Default::default(),
        }));
        give(20, Input::Worker { worker: WorkerId(labels[2]), message: &beat });
        give(60, Input::Timeout);
        let mut text = log.join("\n");
        for (index, label) in labels.iter().enumerate() {
            text = text.replace(&format!("WorkerId({label})"), &format!("worker-{index}"));
        }
        text
    };
    assert_eq!(history([0, 1, 2, 3]), history([93, 12, 77, 50]));
}

#[test]
fn r16_workers_come_and_go_by_outside_influence_and_the_engine_never_starts_or_stops_one() {
    let mut rig = Rig::new(spec(2, 4), 2);
    for i in 0..20 {
        rig.exclusive(&[i]);
    }
    rig.pass(secs(120));
    assert!(rig.is_alive(w(1)) && rig.is_alive(w(2)));
    let quiesced = rig.effects.iter().any(|effect| matches!(effect, Effect::Send(_, ClusterMessage::Quiesce)));
    assert!(!quiesced, "no effect asks a worker to leave unless the operator did");
}

#[test]
fn r17_routing_and_assigning_are_two_separate_decisions() {
    let mut rig = Rig::new(spec(3, 3), 3);
    for i in 0..9 {
        rig.exclusive(&[i]);
    }
    let (places, before) = (rig.places.clone(), owners(&rig));
    rig.terminate(w(1));
    rig.terminate(w(2));
    rig.run_dry();
    assert_eq!(rig.places, places, "no task changed its queue");
    assert_ne!(owners(&rig), before, "queues changed their workers");
}

#[test]
fn r18_planned_relief_a_fresh_worker_takes_over_one_queue_while_the_other_leaves() {
    let mut rig = Rig::new(spec(2, 2), 2);
    let a = rig.exclusive(&[A]);
    let old = rig.executor(a);
    let queue = rig.places[&a];
    let later = rig.exclusive(&[A]);
    let fresh = rig.join();
    rig.terminate(old);
    assert_eq!(rig.running(old), Some(a), "it finishes its customer");
    rig.finish(old);
    assert_eq!((rig.owners[&queue], rig.running(fresh)), (Some(fresh), Some(later)));
    assert!(!rig.is_alive(old));
    // By policy, a newcomer relieves somebody at once.
    let mut rig = Rig::new(QueueFirstSpec { newcomers: Newcomers::Relieve, ..spec(2, 2) }, 2);
    let fresh = rig.join();
    assert_eq!(rig.owned_by(fresh), 1);
}

#[test]
fn r19_double_duty_goes_back_and_forth_until_one_queue_is_empty() {
    let mut rig = Rig::new(spec(2, 2), 0);
    for resource in [A, A, A, B, B] {
        rig.exclusive(&[resource]);
    }
    rig.join();
    rig.run_dry();
    let queues: Vec<_> = rig.order_of_starts().iter().map(|task| rig.places[task].0).collect();
    assert_eq!(queues, [1, 2, 1, 2, 1]);
}

#[test]
fn r20_sixteen_fresh_workers_relieve_sixteen_and_nothing_is_lost_cancelled_or_run_twice() {
    let mut rig = Rig::new(spec(16, 16), 16);
    for i in 0..160 {
        rig.exclusive(&[i % 40]);
    }
    let places = rig.places.clone();
    for _ in 0..16 {
        rig.join();
    }
    (0..16).for_each(|old| rig.terminate(WorkerId(old)));
    rig.run_dry();
    assert_eq!(rig.queues(), 16);
    assert_eq!(rig.places, places, "queues and their contents stay");
    assert!(owners(&rig).iter().all(|owner| owner.is_some_and(|worker| worker.0 >= 16)));
    assert!((16..32).all(|fresh| rig.owned_by(WorkerId(fresh)) == 1), "1:1");
    assert!((0..16).all(|old| !rig.is_alive(WorkerId(old))));
    assert_eq!((rig.settled.len(), rig.started.len()), (160, 160));
    assert!(rig.settled.values().all(|outcome| *outcome == Outcome::Completed));
}
