//! The engine's host: carries out what the engine wants, keeps its records, lets it crash and restores another one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use lanekeeper::base::{Note, Outcome, TaskId, Term, Ticket, Time, WorkerId};
use lanekeeper::engine::message::{Fence, Record};
use lanekeeper::engine::{ClusterMessage, Effect, Records};

use super::Cluster;
use super::brain::{Brain, Given};
use super::canonical;

#[derive(Clone)]
pub struct Host {
    brain: Brain,
    /// An engine that a later one has fenced off, and that does not know it.
    elder: Option<Brain>,
    records: Arc<Records>,
    /// The engine crashes before it carries out this one of its next effects.
    pub crash_at: Option<usize>,
    /// Settled by the records, and the client was not told.
    untold: BTreeMap<TaskId, Outcome>,
}

impl Host {
    pub fn new() -> Host {
        let (records, untold) = (Arc::default(), BTreeMap::new());
        Host { brain: Brain::fresh(), elder: None, records, crash_at: None, untold }
    }

    /// `replaceable`: a later engine may be made from the records.
    pub fn show(&self, text: &mut String, replaceable: bool) {
        let Host { brain, elder, records, crash_at: _, untold: _ } = self;
        text.push_str(&brain.shown);
        if let Some(elder) = elder {
            text.push_str(&elder.shown);
        }
        if replaceable {
            let records = canonical::own(&format!("{records:?}"));
            write!(text, "{:?}{records}", brain.term()).expect("any text fits");
        }
    }

    pub fn literal(&self) -> [Option<u128>; 2] {
        [Some(self.brain.literal), self.elder.as_ref().map(|elder| elder.literal)]
    }

    pub fn is_due(&self, now: Time) -> bool {
        self.brain.due.is_some_and(|at| at <= now)
    }

    pub fn is_doubled(&self) -> bool {
        self.elder.is_some()
    }

    /// Whether the engine crashes before this effect. Fences and notes go with the record before them.
    fn crashes_before(&mut self, effect: &Effect) -> bool {
        match (&mut self.crash_at, effect) {
            (None, _) | (_, Effect::Fence(_) | Effect::Note(_)) => false,
            (Some(0), _) => true,
            (Some(left), _) => {
                *left -= 1;
                false
            }
        }
    }
}

impl Cluster {
    pub fn give(&mut self, given: Given) {
        if let Given::Worker(..) = given {
            self.tell_elder(&given);
        }
        let effects = self.host.brain.give(&self.setup, self.now, given.clone());
        self.remember_tickets(&effects);
        self.remember_unsent(&given);
        for effect in effects {
            if self.host.crashes_before(&effect) {
                return self.replace_engine(Some(given));
            }
            self.carry_out(effect);
        }
        if self.host.crash_at == Some(0) {
            self.replace_engine(Some(given));
        }
    }

    /// The engine is gone; another one is made from the records. Who said something and got no answer says it again,
    /// except for workers, whose messages are lost.
    fn replace_engine(&mut self, said: Option<Given>) {
        self.host.crash_at = None;
        self.host.brain = self.host.brain.restored(&self.host.records);
        for (task, outcome) in std::mem::take(&mut self.host.untold) {
            self.seen.settle(task, outcome);
        }
        self.give(Given::Timeout);
        match said {
            Some(Given::Submit(task)) if self.host.records.tasks.contains_key(&task) => {}
            Some(said @ (Given::Submit(_) | Given::Cancel(_) | Given::Limits)) => self.give(said),
            Some(Given::Worker(..) | Given::Timeout) | None => {}
        }
    }

    pub fn second_engine(&mut self) {
        self.host.elder = Some(self.host.brain.clone());
        self.replace_engine(None);
    }

    /// It hears what workers say, too, and its own clock. It ends when the store refuses it.
    pub fn tell_elder(&mut self, given: &Given) {
        let Some(mut elder) = self.host.elder.take() else { return };
        let mut effects = Vec::new();
        if elder.due.is_some_and(|at| at <= self.now) {
            effects.extend(elder.give(&self.setup, self.now, Given::Timeout));
        }
        effects.extend(elder.give(&self.setup, self.now, given.clone()));
        self.remember_tickets(&effects);
        for effect in effects {
            match effect {
                Effect::Persist(_) | Effect::Fence(_) => return,
                Effect::Send(worker, message) => self.send(elder.term(), worker, message),
                Effect::Settle(..) | Effect::Note(_) => {}
            }
        }
        self.host.elder = Some(elder);
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Persist(Record::Leads) => {}
            Effect::Persist(record) => {
                Arc::make_mut(&mut self.host.records).apply(&record);
                if let Record::TaskGone { task, outcome } = record {
                    self.host.untold.insert(task, outcome);
                }
            }
            Effect::Fence(Fence::Queue { queue, epoch }) => drop(self.good.insert(queue, epoch)),
            Effect::Fence(Fence::Attempt { task, ticket }) => drop(self.stale.insert(task, ticket)),
            Effect::Send(worker, message) => self.send(self.host.brain.term(), worker, message),
            Effect::Settle(task, outcome) => {
                self.host.untold.remove(&task);
                self.seen.settle(task, outcome);
            }
            Effect::Note(Note::Placed { task, .. } | Note::Parked { task, .. }) => drop(self.seen.placed.insert(task)),
            Effect::Note(_) => {}
        }
    }

    fn send(&mut self, speaker: Term, worker: WorkerId, message: ClusterMessage) {
        let process = &mut self.processes[worker.0 as usize];
        if process.alive {
            process.to_worker.push_back((speaker, message));
        }
    }

    /// A restored engine numbers what a worker has kept, when it hears of it, and does not tell it.
    fn remember_unsent(&mut self, given: &Given) {
        let Given::Worker(worker, _) = given else { return };
        if self.host.brain.term() == Term(1) {
            return;
        }
        for ticket in canonical::tickets(&self.host.brain.shown) {
            if !self.given_to.contains_key(&ticket) {
                Arc::make_mut(&mut self.given_to).insert(ticket, *worker);
            }
        }
    }

    fn remember_tickets(&mut self, effects: &[Effect]) {
        let tickets: Vec<(Ticket, WorkerId)> = effects.iter().filter_map(ticket_of).collect();
        if !tickets.is_empty() {
            Arc::make_mut(&mut self.given_to).extend(tickets);
        }
    }
}

/// The ticket of an order, and to whom it is given.
fn ticket_of(effect: &Effect) -> Option<(Ticket, WorkerId)> {
    let Effect::Send(worker, message) = effect else { return None };
    let ticket = match message {
        ClusterMessage::Grant { ticket, .. } | ClusterMessage::Revoke { ticket, .. } => *ticket,
        ClusterMessage::Rejoin { ticket } => *ticket,
        ClusterMessage::Welcome(welcome) => welcome.ticket,
        ClusterMessage::Start(start) | ClusterMessage::AnsweredAndStart { start, .. } => start.ticket,
        // They repeat the ticket of a start.
        ClusterMessage::Abort { .. } | ClusterMessage::Answered { .. } | ClusterMessage::Quiesce => return None,
    };
    Some((ticket, *worker))
}
