//! What workers change outside of the cluster goes through this store: it holds one effect per task, and refuses those
//! that the engine has fenced off.

use crate::base::{Epoch, IdVec, QueueId, Span, TaskId, Ticket, WorkerId};
use crate::engine::agent::AgentInput;
use crate::engine::message::{Ended, Fence, Start};
use crate::fact::{EffectAnswer, Fact};

use super::parcels::{Body, Message};
use super::{Task, World};

/// What the store keeps beside the tasks themselves.
#[derive(Default)]
pub(super) struct Store {
    /// The lowest epoch of each queue that is good.
    epochs: IdVec<QueueId, Epoch>,
}

/// What the store keeps of an unsettled task.
#[derive(Clone, Copy, Default)]
pub(super) struct Kept {
    /// It has its effect.
    done: bool,
    /// Attempts up to this ticket are stale.
    stale: Ticket,
}

impl Kept {
    /// It has its effect and nothing is known to be stale.
    pub(super) fn done() -> Kept {
        Kept { done: true, ..Kept::default() }
    }
}

impl Store {
    /// An effect arrives. A stale one is refused even where the task is done: its worker must not go on.
    #[inline]
    fn write(&self, task: &mut Task, start: Start) -> EffectAnswer {
        let good = self.epochs.get(start.queue).copied().unwrap_or_default();
        if start.epoch < good || start.ticket <= task.kept.stale {
            EffectAnswer::Refused
        } else if std::mem::replace(&mut task.kept.done, true) {
            EffectAnswer::AlreadyDone
        } else {
            EffectAnswer::Accepted
        }
    }
}

impl World<'_> {
    /// The engine says what is stale from here on.
    pub(super) fn fence(&mut self, fence: Fence) {
        match fence {
            Fence::Queue { queue, epoch } => {
                let good = self.store.epochs.grow_to(queue);
                *good = epoch.max(*good);
            }
            Fence::Attempt { task, ticket } => {
                if let Some(known) = self.tasks.get_mut(task) {
                    known.kept.stale = ticket.max(known.kept.stale);
                }
            }
        }
    }

    /// An attempt ran to its end: its effect goes to the store, at once or late.
    #[inline(always)]
    pub(super) fn send_effect(&mut self, worker: WorkerId, start: Start) {
        if self.late_effects.is_empty() {
            return self.effect_arrives(worker, start);
        }
        let late = self.late_effects.remove(&start.task).unwrap_or(Span::ZERO);
        if late.is_zero() {
            return self.effect_arrives(worker, start);
        }
        self.executing += 1;
        self.fact(Fact::MessageSent { worker });
        let at = self.now() + late;
        self.post(at, Message { worker, travelled: true, body: Body::Effect(start) });
    }

    pub(super) fn delay_effect(&mut self, task: TaskId, by: Span) {
        if self.tasks.contains(task) {
            self.late_effects.insert(task, by);
        }
    }

    pub(super) fn late_effect_arrives(&mut self, worker: WorkerId, start: Start) {
        self.executing -= 1;
        self.effect_arrives(worker, start);
    }

    /// An attempt ran to its end and its effect reaches the store; its worker hears the answer and reports.
    #[inline(always)]
    pub(super) fn effect_arrives(&mut self, worker: WorkerId, start: Start) {
        let Start { task, queue, epoch, ticket } = start;
        let known = self.tasks.get_mut(task).expect("a task is kept while an attempt of it is under way");
        let answer = self.store.write(known, start);
        if known.unuse() {
            self.tasks.remove(task);
        }
        self.fact(Fact::Effect { task, worker, queue, epoch, ticket, answer });
        let ended = match answer {
            EffectAnswer::Accepted | EffectAnswer::AlreadyDone => Ended::Completed,
            EffectAnswer::Refused => Ended::Refused,
        };
        match self.workers.get_mut(worker) {
            Some(state) if state.doomed => self.crash(worker),
            Some(state) if !state.reads => state.answer = Some((ticket, ended)),
            Some(_) | None => {
                self.tell_agent(worker, AgentInput::Ended { ticket, ended });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        Task {
            service: Span::ZERO,
            overhead: Span::ZERO,
            settled: false,
            uses: 1,
            kept: Kept::default(),
            fate: crate::world::faults::Fate::default(),
        }
    }
    fn start(queue: u32, epoch: u32, ticket: u64) -> Start {
        Start { task: TaskId(0), queue: QueueId(queue), epoch: Epoch(epoch), ticket: Ticket(ticket) }
    }

    #[test]
    fn a_task_has_one_effect_and_none_under_an_epoch_that_is_over() {
        let mut store = Store::default();
        *store.epochs.grow_to(QueueId(2)) = Epoch(3);
        let mut task = task();
        assert_eq!(store.write(&mut task, start(2, 2, 7)), EffectAnswer::Refused);
        assert_eq!(store.write(&mut task, start(2, 3, 8)), EffectAnswer::Accepted);
        assert_eq!(store.write(&mut task, start(2, 3, 9)), EffectAnswer::AlreadyDone);
        assert_eq!(store.write(&mut task, start(2, 2, 7)), EffectAnswer::Refused);
    }

    #[test]
    fn without_epochs_the_ticket_tells_a_stale_attempt() {
        let (store, mut task) = (Store::default(), task());
        task.kept.stale = Ticket(5);
        assert_eq!(store.write(&mut task, start(0, 0, 5)), EffectAnswer::Refused);
        assert_eq!(store.write(&mut task, start(0, 0, 6)), EffectAnswer::Accepted);
    }
}
