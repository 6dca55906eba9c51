//! What an agent orders is done here: messages are sent, attempts begin, stop and end.
//!
//! An attempt takes its overhead and its service divided by its worker's speed. While its worker stands still, so does
//! the attempt.

use crate::base::{Span, Time, WorkerId};
use crate::engine::agent::{AgentEffect, AgentInput};
use crate::engine::message::{Ended, Holding, Stamp, Start, WorkerMessage};
use crate::fact::{AttemptEnd, Exit, Fact};
use crate::scenario::{CancelWhen, Harm};
use crate::sim::Handle;

use super::{Event, World, class};

/// So much later than the end of the run does an attempt end that never ends.
const NEVER: Span = Span::from_secs(86_400);
/// What slowness is measured on.
const UNIT: Span = Span::from_secs(1);

/// An attempt that executes.
pub(super) struct Attempt {
    pub(super) start: Start,
    /// When it ends by itself.
    ends: Time,
    /// When it is stopped, and whether its lease is the reason.
    stop: Option<(Time, bool)>,
    /// Its end in the calendar, except while its worker stands still.
    pub(super) timer: Handle,
}

impl Attempt {
    fn over_at(&self) -> Time {
        self.stop.map_or(self.ends, |(at, _)| at.min(self.ends))
    }
}

/// `service / speed`, where 1_000_000 is speed 1; rounded up to whole µs.
fn scaled(service: Span, speed: u64) -> Span {
    if speed == 1_000_000 {
        return service;
    }
    let micros = (u128::from(service.micros()) * 1_000_000).div_ceil(u128::from(speed.max(1)));
    Span::from_micros(u64::try_from(micros).expect("an attempt without end"))
}

/// A span, so many times longer for each slowness (in millionths) that goes on.
fn slowed(span: Span, slow: &[u64]) -> Span {
    let longer = |span: Span, factor: &u64| {
        let micros = (u128::from(span.micros()) * u128::from(*factor)).div_ceil(1_000_000);
        Span::from_micros(u64::try_from(micros).expect("an attempt without end"))
    };
    slow.iter().fold(span, longer)
}

impl World<'_> {
    /// Hands `input` to the agent of a worker that lives, and carries out what it wants; whether an attempt begins.
    pub(super) fn tell_agent(&mut self, id: WorkerId, input: AgentInput<'_>) -> bool {
        let now = self.now();
        let Some(worker) = self.workers.get_mut(id) else { return false };
        debug_assert!(self.agent_effects.is_empty(), "an agent is told something while its word is carried out");
        worker.agent.handle(worker.clock.read(now), input, &mut self.agent_effects);
        worker.arm(id, &mut self.calendar);
        let mut begins = false;
        for position in 0..self.agent_effects.len() {
            match &mut self.agent_effects[position] {
                AgentEffect::Send(message) => {
                    let message = std::mem::replace(message, WorkerMessage::Leave);
                    self.send_to_engine(id, message);
                }
                AgentEffect::Execute(start) => {
                    let start = *start;
                    self.execute(id, start);
                    begins = true;
                }
                AgentEffect::Stop { ticket, fenced } => {
                    let (ticket, fenced) = (*ticket, *fenced);
                    self.stop(id, ticket, fenced);
                }
                AgentEffect::Held { holding, until } => {
                    let (holding, until) = (*holding, *until);
                    self.held(id, holding, until);
                }
                AgentEffect::Dropped { holding } => {
                    let Holding { queue, epoch } = *holding;
                    self.fact(Fact::Dropped { worker: id, queue, epoch });
                }
                AgentEffect::Exit => self.worker_gone(id, Exit::Left),
            }
        }
        self.agent_effects.clear();
        begins
    }

    #[inline(never)]
    fn held(&mut self, id: WorkerId, holding: Holding, until: Option<Stamp>) {
        let clock = self.workers[id].clock;
        let until = until.map(|stamp| clock.when(stamp));
        self.fact(Fact::Held { worker: id, queue: holding.queue, epoch: holding.epoch, until });
    }

    /// The attempt uses the task in the stead of the message that ordered it.
    fn execute(&mut self, id: WorkerId, start: Start) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        let task = self.tasks.get(start.task).expect("an attempt of a task that no client submitted");
        assert!(worker.attempt.is_none(), "{id} was told to execute two tasks at once");
        let executes = task.overhead + scaled(task.service, worker.speed);
        let fate = task.fate;
        let ends = match fate.poison {
            Some(Harm::NeverEnds) => self.scenario.run.horizon + self.scenario.run.drain + NEVER,
            Some(Harm::KillsWorker) | None => self.calendar.now() + slowed(executes, &worker.slow),
        };
        let timer = self.calendar.schedule(ends, class::PHYSICAL, Event::AttemptOver(id));
        worker.attempt = Some(Attempt { start, ends, stop: None, timer });
        self.executing += 1;
        let Start { task, queue, epoch, ticket } = start;
        self.fact(Fact::Started { task, worker: id, queue, epoch, ticket });
        if fate.cancel.is_some() {
            self.give_up(task, CancelWhen::Running, Span::from_micros(executes.micros() / 2));
        }
    }

    /// The attempt is stopped `abort_takes` from now, unless it ends before.
    fn stop(&mut self, id: WorkerId, ticket: crate::base::Ticket, fenced: bool) {
        let at = self.now() + self.scenario.workers.abort_takes;
        let Some(worker) = self.workers.get_mut(id) else { return };
        let Some(attempt) = worker.attempt.as_mut().filter(|attempt| attempt.start.ticket == ticket) else { return };
        attempt.stop = Some((at, fenced));
        if at < attempt.ends {
            self.calendar.cancel(attempt.timer);
            attempt.timer = self.calendar.schedule(at, class::PHYSICAL, Event::AttemptOver(id));
        }
    }

    /// What runs to its end has its effect in the store before it is reported.
    pub(super) fn attempt_over(&mut self, id: WorkerId) {
        let now = self.now();
        let Some(attempt) = self.workers.get_mut(id).and_then(|worker| worker.attempt.take()) else { return };
        match attempt.stop {
            Some((_, fenced)) if attempt.ends > now => {
                self.attempt_ended(id, &attempt, if fenced { AttemptEnd::SelfFenced } else { AttemptEnd::Aborted });
                self.unuse_task(attempt.start.task);
                self.tell_agent(id, AgentInput::Ended { ticket: attempt.start.ticket, ended: Ended::Aborted });
            }
            Some(_) | None => {
                let task = attempt.start.task;
                if self.fates.is_some() {
                    self.give_up(task, CancelWhen::Finished, Span::ZERO);
                    if self.tasks.get(task).is_some_and(|known| known.fate.poison == Some(Harm::KillsWorker)) {
                        self.attempt_ended(id, &attempt, AttemptEnd::Died);
                        self.unuse_task(task);
                        return self.crash(id);
                    }
                }
                self.attempt_ended(id, &attempt, AttemptEnd::Completed);
                self.send_effect(id, attempt.start);
            }
        }
    }

    /// The attempt executes no longer.
    pub(super) fn attempt_ended(&mut self, worker: WorkerId, attempt: &Attempt, end: AttemptEnd) {
        self.executing -= 1;
        let Start { task, ticket, .. } = attempt.start;
        self.fact(Fact::Ended { task, worker, ticket, end });
    }

    /// Puts the attempt's end back, later by the time that the worker stood still.
    pub(super) fn thaw(&mut self, id: WorkerId, stood_still: Span) {
        let Some(attempt) = self.workers.get_mut(id).and_then(|worker| worker.attempt.as_mut()) else { return };
        attempt.ends += stood_still;
        if let Some((at, _)) = &mut attempt.stop {
            *at += stood_still;
        }
        attempt.timer = self.calendar.schedule(attempt.over_at(), class::PHYSICAL, Event::AttemptOver(id));
    }

    /// Its worker becomes slower or faster: what is left of an attempt takes longer or shorter.
    pub(super) fn rescale(&mut self, id: WorkerId, change: impl FnOnce(&mut Vec<u64>)) {
        let now = self.calendar.now();
        let Some(worker) = self.workers.get_mut(id) else { return };
        let before = slowed(UNIT, &worker.slow);
        change(&mut worker.slow);
        let after = slowed(UNIT, &worker.slow);
        let still_since = worker.paused.map(|(since, _)| since);
        let Some(attempt) = &mut worker.attempt else { return };
        let from = still_since.unwrap_or(now);
        if attempt.ends <= from {
            return;
        }
        let left = u128::from(attempt.ends.since(from).micros()) * u128::from(after.micros());
        let left = left.div_ceil(u128::from(before.micros()));
        attempt.ends = from + Span::from_micros(u64::try_from(left).expect("an attempt without end"));
        if still_since.is_none() {
            self.calendar.cancel(attempt.timer);
            attempt.timer = self.calendar.schedule(attempt.over_at(), class::PHYSICAL, Event::AttemptOver(id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slower_worker_takes_longer_rounded_up() {
        let service = Span::from_micros(10);
        assert_eq!(scaled(service, 1_000_000), service);
        assert_eq!(scaled(service, 500_000), Span::from_micros(20));
        assert_eq!(scaled(service, 3_000_000), Span::from_micros(4));
        assert_eq!(scaled(Span::ZERO, 3_000_000), Span::ZERO);
    }
}
