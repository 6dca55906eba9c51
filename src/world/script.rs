//! Explicit events, in order of time, ties in the order written. Each is in the calendar once the one before it has
//! happened.

use crate::base::{Claims, Time, WorkerId};
use crate::engine::Input;
use crate::fact::{Exit, Fact};
use crate::scenario::{Action, Cut, ScriptEvent};

use super::network::Late;
use super::workers::Place;
use super::workload::Demand;
use super::{Event, World, class};

impl World<'_> {
    pub(super) fn schedule_script(&mut self) {
        if let Some(event) = self.scenario.script.get(self.script) {
            let at: Time = event.at.max(self.now());
            self.calendar.schedule(at, class::OUTSIDE, Event::Script);
        }
    }

    /// What a script says of messages before anything else happens holds from the first message on.
    pub(super) fn begin_script(&mut self) {
        let of_the_wire = |event: &&ScriptEvent| event.at == Time::ZERO && event.action.wire().is_some();
        self.script = self.scenario.script.iter().take_while(of_the_wire).count();
    }

    pub(super) fn meddle_from_the_start(&mut self, worker: WorkerId) {
        for event in &self.scenario.script[..self.script] {
            if event.action.wire() == Some(worker) {
                self.carry_out_scripted(&event.action);
            }
        }
    }

    pub(super) fn script_event(&mut self) {
        let event = &self.scenario.script[self.script];
        self.script += 1;
        self.schedule_script();
        self.carry_out_scripted(&event.action);
    }

    fn carry_out_scripted(&mut self, action: &Action) {
        match action {
            Action::Submit { class, claims, service, overhead, poison } => {
                let drawn = self.scenario.workers.overhead.sample(&mut self.script_overheads);
                let claims: Claims = claims.clone();
                let demand = Demand { class: *class, service: *service, overhead: overhead.unwrap_or(drawn) };
                self.submit(&demand, &claims, *poison);
            }
            Action::Cancel { task } => self.cancel(*task),
            Action::Join { worker, startup, host, life } => {
                assert_eq!(*worker, WorkerId(self.next_worker), "a script names its workers in order of arrival");
                let place = Place::scripted(*host, *life, self.scenario.workers.initial);
                self.worker_comes(place, *startup);
            }
            Action::Crash { worker, before_report: true } => self.doom(*worker),
            Action::Crash { worker, before_report: false } => self.worker_gone(*worker, Exit::Crashed),
            Action::Pause { worker, lasts } => self.pause(*worker, *lasts),
            Action::Quiesce { worker } => self.ask_to_quiesce(*worker),
            Action::Slow { worker, factor, lasts } => self.slow(*worker, *factor, *lasts),
            Action::Speed { worker, to } => {
                if let Some(state) = self.workers.get_mut(*worker) {
                    state.speed = *to;
                }
            }
            Action::Clock { worker, jump_micros, drift_ppb } => self.set_clock(*worker, *jump_micros, *drift_ppb),
            Action::Isolate { worker, lasts, direction } => self.isolate(*worker, *direction, *lasts),
            Action::Drop { worker, direction } => self.meddle_with_next(*worker, *direction, None),
            Action::Delay { worker, direction, by } => {
                self.meddle_with_next(*worker, *direction, Some(Late { by: *by, again: None }));
            }
            Action::Duplicate { worker, direction, by, again } => {
                self.meddle_with_next(*worker, *direction, Some(Late { by: *by, again: Some(*again) }));
            }
            Action::DelayEffect { task, by } => self.delay_effect(*task, *by),
            Action::EngineCrash(crash) => self.cluster.crash = Some(*crash),
            Action::Signal { worker } => self.signal(*worker),
            Action::SetLimits { min, max } => self.set_limits(*min, *max),
        }
    }

    fn ask_to_quiesce(&mut self, worker: WorkerId) {
        self.fact(Fact::QuiesceAsked { worker });
        self.tell_engine(Input::Quiesce { worker });
    }

    fn meddle_with_next(&mut self, worker: WorkerId, direction: Cut, late: Option<Late>) {
        if let Some(state) = self.workers.get_mut(worker) {
            state.links.meddle_with_next(direction, late);
        }
    }
}
