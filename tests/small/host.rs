//! The engine's host: carries out what the engine wants, keeps its records and the store, lets it crash and restores
//! another one.

use std::collections::BTreeMap;
use std::sync::Arc;

use lanekeeper::base::{Epoch, Note, Outcome, QueueId, TaskId, Term, Ticket, Time, WorkerId};
use lanekeeper::engine::message::{Fence, Record};
use lanekeeper::engine::{ClusterMessage, Effect, Records};

use super::brain::{Brain, Given};
use super::canonical::{self, Shown};
use super::part::Machine;
use super::scope::Setup;

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
    /// What the store refuses.
    pub good: BTreeMap<QueueId, Epoch>,
    pub stale: BTreeMap<TaskId, Ticket>,
    /// To whom each ticket was given.
    pub given_to: Arc<BTreeMap<Ticket, WorkerId>>,
}

/// What a host is asked to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Asked {
    Give(Given),
    /// Only the engine hears it that a later one has fenced off.
    GiveElder(Given),
    /// Wakes the engine as often as it wants to be woken by now.
    Wake,
    SecondEngine,
}

/// What it tells others.
pub enum Told {
    Worker(WorkerId, Term, ClusterMessage),
    Settled(TaskId, Outcome),
    Placed(TaskId),
}

impl Host {
    pub fn new() -> Host {
        Host {
            brain: Brain::fresh(),
            elder: None,
            records: Arc::default(),
            crash_at: None,
            untold: BTreeMap::new(),
            good: BTreeMap::new(),
            stale: BTreeMap::new(),
            given_to: Arc::default(),
        }
    }

    pub fn literal(&self) -> [u128; 2] {
        [self.brain.literal, self.elder.as_ref().map_or(0, |elder| elder.literal)]
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

impl Machine for Host {
    /// When, what, and before which of the effects the engine crashes.
    type Input = (Time, Asked, Option<usize>);
    type Output = Told;

    fn take(&mut self, setup: &Setup, (now, asked, crash_at): &Self::Input) -> Vec<Told> {
        self.crash_at = *crash_at;
        let mut at_work = AtWork { host: self, setup, now: *now, out: Vec::new() };
        match asked {
            Asked::Give(given) => at_work.give(given),
            Asked::GiveElder(given) => at_work.give_elder(given),
            Asked::Wake => {
                while at_work.host.brain.due.is_some_and(|at| at <= *now) {
                    at_work.give(&Given::Timeout);
                }
            }
            Asked::SecondEngine => {
                at_work.host.elder = Some(at_work.host.brain.clone());
                at_work.replace_engine(None);
            }
        }
        at_work.out
    }

    /// What a later engine is made from matters only where there may be one.
    fn show(&self) -> Vec<Arc<Shown>> {
        let Host { brain, elder, records, crash_at: _, untold: _, good, stale, given_to: _ } = self;
        let elder = elder.iter().map(|elder| Arc::clone(&elder.shown));
        let store = canonical::read(format_args!("{good:?}{stale:?}"), Shown::new);
        let records = canonical::read(format_args!("{:?}{records:?}", brain.term()), canonical::own);
        let texts = [store, Shown::new(&records)].map(Arc::new);
        elder.chain([Arc::clone(&brain.shown)]).chain(texts).collect()
    }
}

/// A host and what it does at an instant.
struct AtWork<'a> {
    host: &'a mut Host,
    setup: &'a Setup,
    now: Time,
    out: Vec<Told>,
}

impl AtWork<'_> {
    fn give(&mut self, given: &Given) {
        if let Given::Worker(..) = given {
            self.give_elder(given);
        }
        // Where the first engine is to crash it does so, or it had less to do and all this has not happened.
        let lasts = self.host.crash_at.is_none() || self.host.brain.term() > Term(1);
        let effects = self.host.brain.give(self.setup, self.now, given.clone(), lasts);
        self.remember_tickets(&effects);
        self.remember_unsent(given);
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
    fn replace_engine(&mut self, said: Option<&Given>) {
        self.host.crash_at = None;
        self.host.brain = self.host.brain.restored(&self.host.records);
        for (task, outcome) in std::mem::take(&mut self.host.untold) {
            self.out.push(Told::Settled(task, outcome));
        }
        self.give(&Given::Timeout);
        match said {
            Some(Given::Submit(task)) if self.host.records.tasks.contains_key(task) => {}
            Some(said @ (Given::Submit(_) | Given::Cancel(_) | Given::Limits)) => self.give(said),
            Some(Given::Worker(..) | Given::Timeout) | None => {}
        }
    }

    /// It hears what workers say, too, and its own clock. It ends when the store refuses it.
    fn give_elder(&mut self, given: &Given) {
        let Some(mut elder) = self.host.elder.take() else { return };
        let mut effects = Vec::new();
        if elder.due.is_some_and(|at| at <= self.now) {
            effects.extend(elder.give(self.setup, self.now, Given::Timeout, true));
        }
        effects.extend(elder.give(self.setup, self.now, given.clone(), true));
        self.remember_tickets(&effects);
        for effect in effects {
            match effect {
                Effect::Persist(_) | Effect::Fence(_) => return,
                Effect::Send(worker, message) => self.out.push(Told::Worker(worker, elder.term(), message)),
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
            Effect::Fence(Fence::Queue { queue, epoch }) => drop(self.host.good.insert(queue, epoch)),
            Effect::Fence(Fence::Attempt { task, ticket }) => drop(self.host.stale.insert(task, ticket)),
            Effect::Send(worker, message) => {
                self.out.push(Told::Worker(worker, self.host.brain.term(), message));
            }
            Effect::Settle(task, outcome) => {
                self.host.untold.remove(&task);
                self.out.push(Told::Settled(task, outcome));
            }
            Effect::Note(Note::Placed { task, .. } | Note::Parked { task, .. }) => self.out.push(Told::Placed(task)),
            Effect::Note(_) => {}
        }
    }

    /// A restored engine numbers what a worker has kept, when it hears of it, and does not tell it.
    fn remember_unsent(&mut self, given: &Given) {
        let Given::Worker(worker, _) = given else { return };
        if self.host.brain.term() == Term(1) {
            return;
        }
        for ticket in self.host.brain.shown.tickets() {
            if !self.host.given_to.contains_key(&ticket) {
                Arc::make_mut(&mut self.host.given_to).insert(ticket, *worker);
            }
        }
    }

    fn remember_tickets(&mut self, effects: &[Effect]) {
        let tickets: Vec<(Ticket, WorkerId)> = effects.iter().filter_map(ticket_of).collect();
        if !tickets.is_empty() {
            Arc::make_mut(&mut self.host.given_to).extend(tickets);
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
