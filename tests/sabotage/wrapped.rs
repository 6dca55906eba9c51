//! Bugs planted between `queue_first` and the world: each forger does one thing wrong.

use std::collections::{BTreeMap, BTreeSet};

use lanekeeper::base::{Claim, Claims, Epoch, Mode, Note, Outcome, QueueId, ResourceId, Span, TaskId, WorkerId};
use lanekeeper::engine::message::{ClusterMessage, Ended, Heartbeat, Holding, Report, Stamp, Start, WorkerName};
use lanekeeper::engine::{Effect, Input, WorkerMessage};

use super::{Forger, Relay, settlement};

/// A forger of single effects: gives what is done instead.
pub fn instead(mut forge: impl FnMut(&mut Relay<'_>, Effect) -> Vec<Effect> + 'static) -> Forger {
    Box::new(move |relay, input| {
        for effect in relay.effects(input) {
            let done = forge(relay, effect);
            relay.out.extend(done);
        }
    })
}

/// A forger of the claims of submissions.
fn claims_as(mut forge: impl FnMut(TaskId, &[Claim]) -> Claims + 'static) -> Forger {
    Box::new(move |relay, input| match input {
        Input::Submit { task, claims } => relay.pass(Input::Submit { task, claims: &forge(task, claims) }),
        other => relay.pass(other),
    })
}

/// A forger of what workers report, once per attempt or many times.
fn reports_as(forge: impl Fn(Report) -> Report + 'static) -> Forger {
    Box::new(move |relay, input| match input {
        Input::Worker { worker, message: WorkerMessage::Finished(report) } => {
            relay.pass(Input::Worker { worker, message: &WorkerMessage::Finished(forge(*report)) });
        }
        Input::Worker { worker, message: WorkerMessage::Heartbeat(beat) } => {
            let reports = beat.reports.iter().map(|report| forge(*report)).collect();
            let message = WorkerMessage::Heartbeat(Box::new(Heartbeat { reports, ..(**beat).clone() }));
            relay.pass(Input::Worker { worker, message: &message });
        }
        other => relay.pass(other),
    })
}

/// Every nth time: yes.
pub fn every(nth: u32) -> impl FnMut() -> bool {
    let mut count = 0;
    move || {
        count += 1;
        count % nth == 0
    }
}

pub fn starts_on_two_workers() -> Forger {
    instead(|relay, effect| match effect {
        Effect::Send(worker, ClusterMessage::Start(start)) if start.queue.is_general() => {
            let another = relay.view.another(worker);
            let again = another.map(|another| Effect::Send(another, ClusterMessage::Start(start)));
            [effect].into_iter().chain(again).collect()
        }
        other => vec![other],
    })
}

pub fn starts_what_is_settled() -> Forger {
    instead(|relay, effect| {
        let start = settlement(&effect).and_then(|task| relay.view.starts.get(&task).copied());
        let again = start.and_then(|(worker, start)| {
            let another = relay.view.another(worker)?;
            let start = Start { queue: QueueId::GENERAL, epoch: Epoch(0), ticket: relay.view.last_ticket, ..start };
            Some(Effect::Send(another, ClusterMessage::Start(start)))
        });
        [effect].into_iter().chain(again).collect()
    })
}

/// The task goes round the queues: any idle worker executes it beside them.
pub fn starts_out_of_the_general_queue() -> Forger {
    instead(|relay, effect| match effect {
        Effect::Note(Note::Placed { task, queue }) if !queue.is_general() && task.0 % 4 == 0 => {
            let start = Start { task, queue: QueueId::GENERAL, epoch: Epoch(0), ticket: relay.view.last_ticket };
            let worker = relay.view.members.last().copied();
            let at_once = worker.map(|worker| Effect::Send(worker, ClusterMessage::Start(start)));
            [effect].into_iter().chain(at_once).collect()
        }
        other => vec![other],
    })
}

pub fn grants_to_two_workers() -> Forger {
    instead(|relay, effect| match &effect {
        Effect::Send(worker, message @ ClusterMessage::Grant { .. }) => {
            let again = relay.view.another(*worker).map(|another| Effect::Send(another, message.clone()));
            [effect].into_iter().chain(again).collect()
        }
        _ => vec![effect],
    })
}

pub fn does_not_wait_for_releases() -> Forger {
    Box::new(|relay, input| {
        let effects = relay.effects(input);
        let revoked = effects.iter().filter_map(|effect| match effect {
            Effect::Send(worker, ClusterMessage::Revoke { holding, .. }) => Some((*worker, *holding)),
            _ => None,
        });
        let revoked: Vec<_> = revoked.collect();
        relay.out.extend(effects);
        for (worker, holding) in revoked {
            relay.pass(Input::Worker { worker, message: &WorkerMessage::Released(holding) });
        }
    })
}

pub fn leases_longer_than_it_waits() -> Forger {
    let longer = |lease: Option<Span>| lease.map(|lease| lease * 3);
    instead(move |_, mut effect| {
        match &mut effect {
            Effect::Send(_, ClusterMessage::Grant { lease, .. }) => *lease = longer(*lease),
            Effect::Send(_, ClusterMessage::Welcome(welcome)) => welcome.lease = longer(welcome.lease),
            _ => {}
        }
        vec![effect]
    })
}

/// The dead are kept alive: whoever is silent is taken to have said what it said last.
pub fn believes_the_dead_alive() -> Forger {
    Box::new(|relay, input| {
        if input == Input::Timeout {
            let beats = relay.view.beats.iter().filter(|(worker, _)| relay.view.members.contains(worker));
            let beats: Vec<_> = beats.map(|(worker, (_, beat))| (*worker, beat.clone())).collect();
            for (worker, beat) in beats {
                relay.pass(Input::Worker { worker, message: &WorkerMessage::Heartbeat(Box::new(beat)) });
            }
        }
        relay.pass(input);
    })
}

/// What happens to grants and starts of queues whose owner was lost at some time.
fn orphans(mut forge: impl FnMut(&mut Relay<'_>, WorkerId, ClusterMessage) -> Vec<Effect> + 'static) -> Forger {
    let mut orphaned = BTreeSet::new();
    instead(move |relay, effect| match effect {
        Effect::Note(Note::QueueOrphaned { queue, .. }) => {
            orphaned.insert(queue);
            vec![effect]
        }
        Effect::Send(worker, ClusterMessage::Grant { holding, .. }) if orphaned.contains(&holding.queue) => {
            let Effect::Send(_, grant) = effect else { unreachable!() };
            forge(relay, worker, grant)
        }
        Effect::Send(worker, ClusterMessage::Welcome(mut welcome)) => {
            welcome.grants.retain(|holding| !orphaned.contains(&holding.queue));
            vec![Effect::Send(worker, ClusterMessage::Welcome(welcome))]
        }
        other => vec![other],
    })
}

pub fn gives_orphans_to_nobody() -> Forger {
    orphans(|_, _, _| vec![])
}

pub fn gives_orphans_to_the_dead() -> Forger {
    orphans(|relay, _, grant| relay.view.lost.first().map(|dead| Effect::Send(*dead, grant)).into_iter().collect())
}

pub fn exceeds_max() -> Forger {
    Box::new(|relay, input| match input {
        Input::Limits { min, max } => relay.pass(Input::Limits { min, max: max + 2 }),
        other => relay.pass(other),
    })
}

pub fn falls_below_min() -> Forger {
    Box::new(|relay, input| match input {
        Input::Limits { min, max } => relay.pass(Input::Limits { min: min.saturating_sub(1), max }),
        other => relay.pass(other),
    })
}

pub fn ignores_new_limits() -> Forger {
    let mut begun = false;
    Box::new(move |relay, input| {
        let limits = matches!(input, Input::Limits { .. });
        if !(limits && std::mem::replace(&mut begun, true)) {
            relay.pass(input);
        }
    })
}

/// As soon as a queue holds two tasks it is deleted, and what was in it is not heard of again.
pub fn deletes_a_queue_in_use() -> Forger {
    let mut deleted = None;
    instead(move |relay, effect| match effect {
        Effect::Note(Note::Placed { queue, .. })
            if deleted.is_none() && !queue.is_general() && relay.view.queues[&queue].len() > 1 =>
        {
            deleted = Some(queue);
            vec![effect, Effect::Note(Note::QueueDraining { queue }), Effect::Note(Note::QueueDeleted { queue })]
        }
        Effect::Send(_, ClusterMessage::Start(start)) if deleted == Some(start.queue) => vec![],
        other => vec![other],
    })
}

pub fn drops_submissions() -> Forger {
    let mut now_and_then = every(10);
    Box::new(move |relay, input| {
        if !(matches!(input, Input::Submit { .. }) && now_and_then()) {
            relay.pass(input);
        }
    })
}

pub fn counts_duplicate_reports() -> Forger {
    Box::new(|relay, input| {
        let reports: Vec<Report> = match input {
            Input::Worker { message: WorkerMessage::Finished(report), .. } => vec![*report],
            Input::Worker { message: WorkerMessage::Heartbeat(beat), .. } => beat.reports.to_vec(),
            _ => vec![],
        };
        let again = reports.iter().filter(|report| report.ended == Some(Ended::Completed));
        let again: Vec<TaskId> =
            again.map(|report| report.start.task).filter(|task| relay.view.settled.contains(task)).collect();
        relay.pass(input);
        relay.out.extend(again.into_iter().map(|task| Effect::Settle(task, Outcome::Completed)));
    })
}

pub fn settles_twice() -> Forger {
    let mut now_and_then = every(9);
    instead(move |_, effect| match settlement(&effect) {
        Some(_) if now_and_then() => vec![effect.clone(), effect],
        _ => vec![effect],
    })
}

pub fn settles_whatever_is_reported() -> Forger {
    Box::new(|relay, input| {
        relay.pass(input);
        if let Input::Worker { message: WorkerMessage::Finished(report), .. } = input {
            relay.out.push(Effect::Settle(report.start.task, Outcome::Completed));
        }
    })
}

pub fn takes_the_finished_for_aborted() -> Forger {
    reports_as(|report| match report {
        Report { ended: Some(Ended::Completed), start } if start.ticket.0 % 9 == 0 => {
            Report { ended: Some(Ended::Aborted), start }
        }
        other => other,
    })
}

pub fn takes_the_declined_for_done() -> Forger {
    reports_as(|report| Report { ended: Some(report.ended.unwrap_or(Ended::Completed)), ..report })
}

pub fn settles_when_it_starts() -> Forger {
    let mut early = BTreeSet::new();
    instead(move |_, effect| match &effect {
        Effect::Send(_, ClusterMessage::Start(start)) if start.task.0 % 8 == 0 && early.insert(start.task) => {
            let task = start.task;
            vec![effect, Effect::Settle(task, Outcome::Completed)]
        }
        _ if settlement(&effect).is_some_and(|task| early.contains(&task)) => vec![],
        _ => vec![effect],
    })
}

/// Every grant of a queue has the number 1; the engine behind is none the wiser.
pub fn epochs_that_stand_still() -> Forger {
    const ONE: Epoch = Epoch(1);
    let mut epochs: BTreeMap<(WorkerId, QueueId), Epoch> = BTreeMap::new();
    Box::new(move |relay, input| {
        let effects = match input {
            Input::Worker { worker, message } => {
                let real = |holding: Holding| {
                    let epoch = epochs.get(&(worker, holding.queue)).copied().unwrap_or(holding.epoch);
                    Holding { epoch, ..holding }
                };
                let message = match message {
                    WorkerMessage::Released(holding) => WorkerMessage::Released(real(*holding)),
                    WorkerMessage::Heartbeat(beat) => {
                        let holds = beat.holds.iter().map(|holding| real(*holding)).collect();
                        WorkerMessage::Heartbeat(Box::new(Heartbeat { holds, ..(**beat).clone() }))
                    }
                    other => other.clone(),
                };
                relay.effects(Input::Worker { worker, message: &message })
            }
            other => relay.effects(other),
        };
        for mut effect in effects {
            match &mut effect {
                Effect::Send(
                    worker,
                    ClusterMessage::Grant { holding, .. } | ClusterMessage::Revoke { holding, .. },
                ) => {
                    epochs.insert((*worker, holding.queue), holding.epoch);
                    holding.epoch = ONE;
                }
                Effect::Send(worker, ClusterMessage::Welcome(welcome)) => {
                    for holding in &mut welcome.grants {
                        epochs.insert((*worker, holding.queue), holding.epoch);
                        holding.epoch = ONE;
                    }
                }
                Effect::Send(_, ClusterMessage::Start(start)) if !start.queue.is_general() => start.epoch = ONE,
                Effect::Note(Note::QueueOwned { epoch, .. }) => *epoch = ONE,
                _ => {}
            }
            relay.out.push(effect);
        }
    })
}

/// Workers are told apart by the names of their hosts, of which there are three: who comes up under a name is taken for
/// who had it before.
pub fn reused_names_inherit() -> Forger {
    const HOSTS: u32 = 3;
    let mut latest: BTreeMap<WorkerId, WorkerId> = BTreeMap::new();
    let name = |worker: WorkerId| WorkerId(worker.0 % HOSTS);
    Box::new(move |relay, input| {
        let effects = match input {
            Input::Worker { worker, message } => {
                if matches!(message, WorkerMessage::Join { .. }) {
                    latest.insert(name(worker), worker);
                }
                relay.effects(Input::Worker { worker: name(worker), message })
            }
            Input::Quiesce { worker } => relay.effects(Input::Quiesce { worker: name(worker) }),
            other => relay.effects(other),
        };
        let to = |worker: WorkerId| latest.get(&worker).copied().unwrap_or(worker);
        relay.out.extend(effects.into_iter().map(|effect| match effect {
            Effect::Send(worker, message) => Effect::Send(to(worker), message),
            Effect::Note(Note::QueueOwned { queue, worker, epoch, why }) => {
                Effect::Note(Note::QueueOwned { queue, worker: to(worker), epoch, why })
            }
            other => other,
        }));
    })
}

pub fn overlooks_the_second_claim() -> Forger {
    claims_as(|_, claims| claims.iter().take(1).copied().collect())
}

pub fn takes_exclusive_for_shared() -> Forger {
    claims_as(|_, claims| claims.iter().map(|claim| Claim { mode: Mode::Shared, ..*claim }).collect())
}

pub fn spreads_tasks_regardless() -> Forger {
    claims_as(|task, claims| {
        (0..).zip(claims).map(|(n, claim)| Claim { resource: ResourceId(task.0 * 8 + n), ..*claim }).collect()
    })
}

/// The reservation of a resource goes with the first task that is done, though others of that resource wait.
pub fn frees_reservations_in_use() -> Forger {
    const RESOURCES: u32 = 64;
    let mut lives: BTreeMap<ResourceId, u32> = BTreeMap::new();
    Box::new(move |relay, input| {
        let effects = match input {
            Input::Submit { task, claims } => {
                let anew = |claim: &Claim| {
                    let life = lives.get(&claim.resource).copied().unwrap_or(0);
                    Claim { resource: ResourceId(claim.resource.0 + RESOURCES * life), ..*claim }
                };
                let claims: Claims = claims.iter().map(anew).collect();
                relay.effects(Input::Submit { task, claims: &claims })
            }
            other => relay.effects(other),
        };
        for task in effects.iter().filter_map(settlement) {
            for claim in &relay.view.claims[&task] {
                *lives.entry(claim.resource).or_default() += 1;
            }
        }
        relay.out.extend(effects);
    })
}

/// A submission is held back until the next one has been dealt with.
pub fn loses_the_order_of_creation() -> Forger {
    let mut held: Option<(TaskId, Claims)> = None;
    let mut now_and_then = every(4);
    Box::new(move |relay, input| match input {
        Input::Submit { task, claims } if held.is_none() && now_and_then() => {
            held = Some((task, Claims::from_slice(claims)));
        }
        other => {
            let after_next = matches!(other, Input::Submit { .. } | Input::Timeout);
            relay.pass(other);
            if let Some((task, claims)) = held.take_if(|_| after_next) {
                relay.pass(Input::Submit { task, claims: &claims });
            }
        }
    })
}

/// Whoever is about to leave waits for the answer to its last report, for ever.
pub fn does_not_let_leavers_go() -> Forger {
    let leaves = |relay: &Relay<'_>, worker: WorkerId| {
        relay.view.beats.get(&worker).is_some_and(|(_, beat): &(_, Heartbeat)| beat.quiescing)
    };
    instead(move |relay, effect| match effect {
        Effect::Send(worker, ClusterMessage::Answered { .. }) if leaves(relay, worker) => vec![],
        other => vec![other],
    })
}

pub fn never_passes_a_quiesce_on() -> Forger {
    instead(|_, effect| match effect {
        Effect::Send(_, ClusterMessage::Quiesce) => vec![],
        other => vec![other],
    })
}

/// A worker that was counted out once is sent tasks all the same.
pub fn sends_tasks_to_the_dead() -> Forger {
    instead(|relay, effect| match effect {
        Effect::Send(_, message @ ClusterMessage::Start(Start { ticket, .. }))
            if ticket.0 % 5 == 0 && !relay.view.lost.is_empty() =>
        {
            relay.view.lost.first().map(|dead| Effect::Send(*dead, message)).into_iter().collect()
        }
        other => vec![other],
    })
}

/// What a lost worker executed is neither failed nor started again.
pub fn forgets_what_the_lost_executed() -> Forger {
    let mut forgotten = BTreeSet::new();
    instead(move |_, effect| match &effect {
        Effect::Note(Note::Requeued { task, .. }) => {
            forgotten.insert(*task);
            vec![]
        }
        Effect::Send(_, ClusterMessage::Start(start)) if forgotten.contains(&start.task) => vec![],
        _ => vec![effect],
    })
}

pub fn fences_nothing_off() -> Forger {
    instead(|_, effect| match effect {
        Effect::Fence(_) => vec![],
        other => vec![other],
    })
}

/// A report settles its task, though the task has been started anew since.
pub fn lets_old_reports_settle() -> Forger {
    Box::new(|relay, input| {
        let reports: Vec<Report> = match input {
            Input::Worker { message: WorkerMessage::Heartbeat(beat), .. } => beat.reports.to_vec(),
            _ => vec![],
        };
        let anew = |report: &Report| {
            let latest = relay.view.starts.get(&report.start.task);
            let old = latest.is_some_and(|(_, start)| start.ticket > report.start.ticket);
            report.ended == Some(Ended::Completed) && old && !relay.view.settled.contains(&report.start.task)
        };
        let settled: Vec<TaskId> = reports.iter().filter(|report| anew(report)).map(|it| it.start.task).collect();
        relay.out.extend(settled.into_iter().map(|task| Effect::Settle(task, Outcome::Completed)));
        relay.pass(input);
    })
}

/// Whenever it is woken, a worker joins that was never there.
pub fn believes_in_ghosts() -> Forger {
    let mut ghosts = 1_000;
    let mut now_and_then = every(20);
    Box::new(move |relay, input| {
        if input == Input::Timeout && now_and_then() {
            ghosts += 1;
            let join = WorkerMessage::Join { stamp: Stamp(relay.now.micros()), name: WorkerName(ghosts.into()) };
            relay.pass(Input::Worker { worker: WorkerId(ghosts), message: &join });
        }
        relay.pass(input);
    })
}
