//! What became of messages, as events of a script: those that were lost or came twice alone, or each and all.

use std::collections::BTreeMap;

use crate::base::{Span, Time, WorkerId};
use crate::scenario::file::{DelayFile, DirectionFile, DropFile, DuplicateFile, ScriptFile};

/// What became of the messages of a run.
#[derive(Default)]
pub(super) struct Wire {
    /// When the last messages were sent, by worker and direction.
    sent: BTreeMap<(WorkerId, bool), Sent>,
    /// Those that were lost or came twice; the others take the time that all take.
    pub(super) faulty: Vec<ScriptFile>,
    /// An event for each message.
    pub(super) all: Vec<ScriptFile>,
}

/// The last messages of one direction that were sent at one instant.
struct Sent {
    at: Time,
    /// After the messages before them and before these.
    before: Span,
}

impl Wire {
    /// A message takes so long, and again so long; one that takes no time is lost.
    ///
    /// An event that concerns the next message is put right after the one before it: at the same instant it could come
    /// too late.
    pub(super) fn sent(
        &mut self,
        now: Time,
        (worker, name, arrived): (WorkerId, &str, Time),
        to_engine: bool,
        takes: Option<Span>,
        again: Option<Span>,
    ) {
        // No event comes between a worker's coming and what it says at that instant, but at the very beginning.
        if now == arrived && now > Time::ZERO {
            return;
        }
        let sent = self.sent.entry((worker, to_engine));
        let sent = sent.or_insert(Sent { at: arrived, before: arrived.since(Time::ZERO) });
        if now > sent.at {
            *sent = Sent { at: now, before: sent.at.since(Time::ZERO) + Span::from_micros(1) };
        }
        let event = ScriptFile { at: sent.before, ..ScriptFile::default() };
        let (worker, direction) = (name.to_owned(), way(to_engine, !to_engine));
        match (takes, again) {
            (None, _) => {
                let event = ScriptFile { drop: Some(DropFile { worker, direction }), ..event };
                self.faulty.push(event.clone());
                self.all.push(event);
            }
            (Some(by), None) => {
                let delay = Some(DelayFile { worker: Some(worker), direction, effect: None, by });
                self.all.push(ScriptFile { delay, ..event });
            }
            (Some(by), Some(again)) => {
                let duplicate = |by, again| DuplicateFile { worker: worker.clone(), direction, by, again: Some(again) };
                let later = again.saturating_sub(by);
                let alone = duplicate(Span::ZERO, later);
                self.faulty.push(ScriptFile { duplicate: Some(alone), ..event.clone() });
                self.all.push(ScriptFile { duplicate: Some(duplicate(by, again)), ..event });
            }
        }
    }
}

pub(super) fn way(to_engine: bool, from_engine: bool) -> DirectionFile {
    match (to_engine, from_engine) {
        (true, false) => DirectionFile::ToEngine,
        (false, true) => DirectionFile::FromEngine,
        (true, true) | (false, false) => DirectionFile::Both,
    }
}
