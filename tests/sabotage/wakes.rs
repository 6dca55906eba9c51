//! Bugs that let work wait beside idle workers.

use lanekeeper::base::{Claims, Note, TaskId};
use lanekeeper::engine::message::ClusterMessage;
use lanekeeper::engine::{Effect, Input, WorkerMessage};

use super::Forger;
use super::wrapped::{every, instead};

pub fn drops_starts() -> Forger {
    let mut now_and_then = every(7);
    instead(move |_, effect| match effect {
        Effect::Send(_, ClusterMessage::Start(start)) if !start.queue.is_general() && now_and_then() => vec![],
        other => vec![other],
    })
}

pub fn loses_wake_ups() -> Forger {
    let mut now_and_then = every(5);
    Box::new(move |relay, input| {
        let fetch = matches!(input, Input::Worker { message: WorkerMessage::Fetch, .. });
        if !(fetch && now_and_then()) {
            relay.pass(input);
        }
    })
}

/// Only so many unsettled tasks are looked at; the next one gets in when one of them is done.
pub fn looks_at_the_first_twenty_only() -> Forger {
    const WINDOW: usize = 20;
    let mut outside: Vec<(TaskId, Claims)> = Vec::new();
    Box::new(move |relay, input| {
        if let Input::Submit { task, claims } = input {
            outside.push((task, Claims::from_slice(claims)));
        } else {
            relay.pass(input);
        }
        let inside = relay.view.claims.len() - outside.len() - relay.view.settled.len();
        let enter = outside.len().min(WINDOW.saturating_sub(inside));
        for (task, claims) in outside.drain(..enter) {
            relay.pass(Input::Submit { task, claims: &claims });
        }
    })
}

/// Orders to start general tasks reach only the worker that asks for one, or whose heartbeat comes; `forgotten`: these
/// effects are such that nobody else is thought of.
fn general_tasks_wait(forgotten: fn(&[Effect]) -> bool) -> Forger {
    Box::new(move |relay, input| {
        let asks = |message: &WorkerMessage| matches!(message, WorkerMessage::Fetch | WorkerMessage::Heartbeat(_));
        let asker = match input {
            Input::Worker { worker, message } if asks(message) => Some(worker),
            _ => None,
        };
        let effects: Vec<Effect> = relay.effects(input).into_iter().collect();
        let forgotten = forgotten(&effects);
        let is_woken = |effect: &Effect| match effect {
            Effect::Send(worker, ClusterMessage::Start(start)) => start.queue.is_general() && asker != Some(*worker),
            _ => false,
        };
        relay.out.extend(effects.into_iter().filter(|effect| !(forgotten && is_woken(effect))));
    })
}

/// A general task waits until somebody asks.
pub fn wakes_nobody_for_general_tasks() -> Forger {
    general_tasks_wait(|_| true)
}

/// New general tasks are thought of, and old ones only when somebody asks: not when a worker's last queue is taken.
pub fn forgets_general_tasks_that_wait() -> Forger {
    general_tasks_wait(|effects| {
        let is_news = |effect: &Effect| match effect {
            Effect::Note(Note::Placed { queue, .. }) => queue.is_general(),
            Effect::Note(Note::Requeued { .. } | Note::QueueOwned { .. }) => true,
            _ => false,
        };
        !effects.iter().any(is_news)
    })
}
