//! Drives the engine that leads: gives it inputs, carries out its effects in order, and wakes it when it wants to be.

use crate::base::Time;
use crate::engine::{ClusterMessage, Effect, Input};
use crate::fact::Fact;

use super::{Event, World, class};

/// So many timeouts at one instant mean that an engine asks for an instant that its timeout does not use up.
const TIMEOUTS_AT_ONCE: u32 = 100_000;

impl World<'_> {
    pub(super) fn tell_engine(&mut self, input: Input<'_>) {
        if self.cluster.watched {
            return self.tell_watched(input);
        }
        self.reports_arrive(input);
        let Some(engine) = &mut self.engine else { return };
        debug_assert!(self.outbox.is_empty(), "an engine is told something while its word is carried out");
        engine.handle(self.calendar.now(), input, &mut self.outbox);
        // Read where they lie: to take the outbox away and put it back costs more.
        for position in 0..self.outbox.len() {
            match &mut self.outbox[position] {
                // Nobody will have to be restored.
                Effect::Persist(_) => {}
                Effect::Fence(fence) => {
                    let fence = *fence;
                    self.fence(fence);
                }
                Effect::Send(worker, message) => {
                    let (worker, message) = (*worker, std::mem::replace(message, ClusterMessage::Quiesce));
                    self.send_to_worker(worker, message);
                }
                Effect::Settle(task, outcome) => {
                    let (task, outcome) = (*task, *outcome);
                    self.client_is_told(task, outcome);
                }
                Effect::Note(note) => {
                    let note = *note;
                    self.fact(Fact::Noted(note));
                }
            }
        }
        self.outbox.clear();
        self.arm_engine();
    }

    /// One entry of the calendar stands for the engine's timer. It is moved only forward in time when it fires: an
    /// engine's wish is often put off and seldom brought forward.
    #[inline(always)]
    pub(super) fn arm_engine(&mut self) {
        let Some((wanted, _)) = self.engine.as_ref().and_then(|engine| engine.next_timeout()) else { return };
        if self.engine_timer.is_none_or(|(_, at)| wanted < at) {
            self.bring_engine_forward(wanted.max(self.now()));
        }
    }

    fn bring_engine_forward(&mut self, wanted: Time) {
        if let Some((handle, at)) = self.engine_timer {
            if at <= wanted {
                return; // It is due already.
            }
            self.calendar.cancel(handle);
        }
        let handle = self.calendar.schedule(wanted, class::ENGINE, Event::EngineTimeout);
        self.engine_timer = Some((handle, wanted));
    }

    pub(super) fn engine_timeout(&mut self) {
        self.engine_timer = None;
        let now = self.now();
        match self.engine.as_ref().and_then(|engine| engine.next_timeout()) {
            Some((wanted, reason)) if wanted <= now => {
                let (at, count) = self.timeouts;
                self.timeouts = (now, if at == now { count + 1 } else { 1 });
                assert!(
                    self.timeouts.1 < TIMEOUTS_AT_ONCE,
                    "the engine asks for a timeout at {now} for ever: {reason}"
                );
                self.tell_engine(Input::Timeout);
            }
            Some(_) | None => self.arm_engine(),
        }
    }
}
