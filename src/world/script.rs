//! Explicit events, in order of time, ties in the order written. Each is in the calendar once the one before it has
//! happened.

use crate::base::{Claims, Time, WorkerId};
use crate::engine::Input;
use crate::fact::{Exit, Fact, Observe};
use crate::scenario::Action;

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
            Action::Cancel { task } => {
                self.fact(Fact::CancelAsked { task: *task });
                self.tell_engine(Input::Cancel { task: *task });
            }
            Action::Join { worker } => {
                assert_eq!(*worker, WorkerId(self.next_worker), "a script names its workers in order of arrival");
                let place = self.places.new_place(Origin::Script);
                self.worker_arrives(place);
            }
            Action::Crash { worker } => self.worker_gone(*worker, Exit::Crashed),
            Action::Pause { worker, lasts } => self.pause(*worker, *lasts),
            Action::Quiesce { worker } => self.tell_engine(Input::Quiesce { worker: *worker }),
            Action::SetLimits { min, max } => self.set_limits(*min, *max),
        }
    }
}
