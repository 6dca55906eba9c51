//! Bugs in what becomes of a client's wish, and in what clients are told.

use std::collections::BTreeSet;

use lanekeeper::base::Outcome;
use lanekeeper::engine::message::ClusterMessage;
use lanekeeper::engine::{Effect, Input};

use super::wrapped::instead;
use super::{Forger, settlement};

pub fn starts_what_is_cancelled() -> Forger {
    let mut cancelled = BTreeSet::new();
    Box::new(move |relay, input| match input {
        Input::Cancel { task } if !relay.view.settled.contains(&task) && !relay.view.starts.contains_key(&task) => {
            cancelled.insert(task);
            relay.out.push(Effect::Settle(task, Outcome::Cancelled));
        }
        other => {
            let effects = relay.effects(other);
            let known = |effect: &Effect| settlement(effect).is_some_and(|task| cancelled.contains(&task));
            relay.out.extend(effects.into_iter().filter(|effect| !known(effect)));
        }
    })
}

pub fn ignores_cancels() -> Forger {
    Box::new(|relay, input| {
        if !matches!(input, Input::Cancel { .. }) {
            relay.pass(input);
        }
    })
}

pub fn stops_nothing() -> Forger {
    instead(|_, effect| match effect {
        Effect::Send(_, ClusterMessage::Abort { .. }) => Vec::new(),
        other => vec![other],
    })
}

/// The client hears of a cancel before the worker does, whatever that reports then.
pub fn cancels_what_is_finished() -> Forger {
    let mut cancelled = BTreeSet::new();
    Box::new(move |relay, input| {
        if let Input::Cancel { task } = input {
            cancelled.insert(task);
        }
        for effect in relay.effects(input) {
            relay.out.push(match effect {
                Effect::Settle(task, Outcome::Completed) if cancelled.contains(&task) => {
                    Effect::Settle(task, Outcome::Cancelled)
                }
                other => other,
            });
        }
    })
}

pub fn calls_the_cancelled_failed() -> Forger {
    instead(|_, effect| match effect {
        Effect::Settle(task, Outcome::Cancelled) => vec![Effect::Settle(task, Outcome::Failed)],
        other => vec![other],
    })
}
