//! Explicit events, in order of time, ties in the order written. Each is in the calendar once the one before it has
//! happened.

use crate::base::{Claims, Span, Time, WorkerId};
use crate::engine::Input;
use crate::fact::{Exit, Fact, Observe};
use crate::scenario::{Action, Cut};

use super::workers::Origin;
use super::workload::Demand;
use super::{Event, World, class};

impl<O: Observe> World<'_, O> {
    pub(super) fn schedule_script(&mut self) {
        if let Some(event) = self.scenario.script.get(self.script) {
            let at: Time = event.at.max(self.now());
            self.calendar.schedule(at, class::OUTSIDE, Event::Script);
        }
    }

    pub(super) fn script_event(&mut self) {
        let event = &self.scenario.script[self.script];
        self.script += 1;
        self.schedule_script();
        match &event.action {
            Action::Submit { class, claims, service } => {
                let overhead = self.scenario.workers.overhead.sample(&mut self.script_overheads);
                let claims: Claims = claims.clone();
                self.submit(&Demand { class: *class, service: *service, overhead }, &claims);
            }
            Action::Cancel { task } => self.cancel(*task),
            Action::Join { worker } => {
                assert_eq!(*worker, WorkerId(self.next_worker), "a script names its workers in order of arrival");
                let place = self.places.new_place(Origin::Script);
                self.worker_arrives(place);
            }
            Action::Crash { worker } => self.worker_gone(*worker, Exit::Crashed),
            Action::Pause { worker, lasts } => self.pause(*worker, *lasts),
            Action::Quiesce { worker } => self.ask_to_quiesce(*worker),
            Action::Slow { worker, factor, lasts } => self.slow(*worker, *factor, *lasts),
            Action::Isolate { worker, lasts, direction } => self.isolate(*worker, *direction, *lasts),
            Action::Drop { worker, direction } => self.meddle_with_next(*worker, *direction, None),
            Action::Delay { worker, direction, by } => self.meddle_with_next(*worker, *direction, Some(*by)),
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

    fn meddle_with_next(&mut self, worker: WorkerId, direction: Cut, late: Option<Span>) {
        if let Some(state) = self.workers.get_mut(worker) {
            state.links.meddle_with_next(direction, late);
        }
    }
}
