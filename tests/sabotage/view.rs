//! What a forger knows: everything that went in and came out so far, in plain maps.

use std::collections::{BTreeMap, BTreeSet};

use lanekeeper::base::{Claims, Note, QueueId, TaskId, Ticket, Time, WorkerId};
use lanekeeper::engine::message::{ClusterMessage, Heartbeat, Start};
use lanekeeper::engine::{Effect, Input, WorkerMessage};

#[derive(Default, Debug)]
pub struct View {
    pub claims: BTreeMap<TaskId, Claims>,
    /// Unsettled tasks by queue.
    pub queues: BTreeMap<QueueId, BTreeSet<TaskId>>,
    /// Workers that have joined and neither left nor were lost.
    pub members: BTreeSet<WorkerId>,
    /// Workers that were lost.
    pub lost: BTreeSet<WorkerId>,
    /// The last heartbeat of each worker and when it came.
    pub beats: BTreeMap<WorkerId, (Time, Heartbeat)>,
    /// The last order to start each unsettled task.
    pub starts: BTreeMap<TaskId, (WorkerId, Start)>,
    pub settled: BTreeSet<TaskId>,
    /// The highest number of an order so far.
    pub last_ticket: Ticket,
}

impl View {
    pub fn heard(&mut self, now: Time, input: &Input<'_>) {
        match input {
            Input::Submit { task, claims } => drop(self.claims.insert(*task, Claims::from_slice(claims))),
            Input::Worker { worker, message } => match message {
                WorkerMessage::Join { .. } => drop(self.members.insert(*worker)),
                WorkerMessage::Leave => drop(self.members.remove(worker)),
                WorkerMessage::Heartbeat(beat) => drop(self.beats.insert(*worker, (now, (**beat).clone()))),
                _ => {}
            },
            _ => {}
        }
    }

    pub fn said(&mut self, effect: &Effect) {
        match effect {
            Effect::Send(worker, ClusterMessage::Start(start)) => {
                self.starts.insert(start.task, (*worker, *start));
                self.last_ticket = self.last_ticket.max(start.ticket);
            }
            Effect::Send(_, ClusterMessage::Welcome(welcome)) => {
                self.last_ticket = self.last_ticket.max(welcome.ticket);
            }
            Effect::Settle(task, _) => {
                self.settled.insert(*task);
                self.queues.values_mut().for_each(|tasks| _ = tasks.remove(task));
            }
            Effect::Note(Note::Placed { task, queue }) => drop(self.queues.entry(*queue).or_default().insert(*task)),
            Effect::Note(Note::WorkerLost { worker }) => {
                self.members.remove(worker);
                self.lost.insert(*worker);
            }
            _ => {}
        }
    }

    /// A member other than this one.
    pub fn another(&self, than: WorkerId) -> Option<WorkerId> {
        self.members.iter().copied().find(|worker| *worker != than)
    }
}
