//! How a fleet is changed from outside: shift change, rolling replacement, autoscaler. Nobody asks the engine, and
//! nobody tells it: workers arrive, and hosts signal others to quiesce.
//!
//! - A shift change signals the workers that are up longest; as many as it says arrive somewhat before or after.
//! - A rolling replacement takes the workers that are up when it begins, longest first, batch by batch. Of a batch,
//!   `surge` new ones arrive at first; when they are ready, the old ones of the batch are signalled, and each of the
//!   others is followed by a new one when it is gone. An old one that went by itself before is not replaced.
//! - The autoscaler stops the workers that came last, those that still start up first of all.

use crate::base::{Span, Time, WorkerId};

use super::autoscaler::Wish;
use super::workers::Origin;
use super::{Event, World, class};

/// The progress of a rolling replacement.
#[derive(Default)]
pub(super) struct Batches {
    begun: bool,
    /// Who is still to be replaced, the next batch at the end.
    left: Vec<WorkerId>,
    /// Batches whose new workers are on the way, in order.
    coming: Vec<Vec<WorkerId>>,
}

impl World<'_> {
    pub(super) fn schedule_turnover(&mut self) {
        let options = &self.scenario.workers;
        if let Some(shift) = options.shift_change {
            let micros = i128::from(shift.at.micros()) - i128::from(shift.overlap_micros);
            let arrive = Time::from_micros(u64::try_from(micros.max(0)).expect("an instant within the run"));
            self.calendar.schedule(arrive, class::OUTSIDE, Event::ShiftArrive);
            self.calendar.schedule(shift.at, class::OUTSIDE, Event::ShiftLeave);
        }
        if let Some(rolling) = options.rolling_replace {
            self.calendar.schedule(rolling.at, class::OUTSIDE, Event::Batch);
        }
        if let Some(scaler) = options.autoscaler {
            self.schedule_scale(scaler.every);
        }
    }

    /// Workers that are ready and not quiescing, those up longest first.
    fn longest_up(&self) -> Vec<WorkerId> {
        let taking_work = self.workers.iter().filter(|(_, worker)| worker.is_ready && worker.deadline.is_none());
        let mut up: Vec<(Time, WorkerId)> = taking_work.map(|(id, worker)| (worker.ready_at, id)).collect();
        up.sort_unstable();
        up.into_iter().map(|(_, id)| id).collect()
    }

    /// The new workers of a shift, a batch or the autoscaler; returns when the last of them is ready.
    fn arrive(&mut self, count: u32, origin: Origin) -> Time {
        let mut ready = self.now();
        for _ in 0..count {
            let place = self.places.new_place(origin);
            ready = ready.max(self.worker_arrives(place));
        }
        ready
    }

    pub(super) fn shift_arrives(&mut self) {
        let count = self.scenario.workers.shift_change.map_or(0, |shift| shift.arrive);
        self.arrive(count, Origin::Shift);
    }

    pub(super) fn shift_leaves(&mut self) {
        let count = self.scenario.workers.shift_change.map_or(0, |shift| shift.leave);
        let leaving = self.longest_up().into_iter().take(count as usize);
        self.signal_each(leaving);
    }

    pub(super) fn batch(&mut self) {
        let Some(rolling) = self.scenario.workers.rolling_replace else { return };
        if !self.batches.begun {
            self.batches.begun = true;
            self.batches.left = self.longest_up();
            self.batches.left.reverse();
        }
        let mut old = Vec::new();
        while old.len() < rolling.batch as usize {
            let Some(worker) = self.batches.left.pop() else { break };
            if self.workers.get(worker).is_some_and(|worker| worker.deadline.is_none()) {
                old.push(worker);
            }
        }
        if old.is_empty() {
            return;
        }
        let surge = rolling.surge.min(u32::try_from(old.len()).expect("a batch is counted in u32"));
        for worker in old.iter().skip(surge as usize) {
            self.workers[*worker].successor = Some(Origin::Rolling);
        }
        let number = u32::try_from(self.batches.coming.len()).expect("batches are counted in u32");
        self.batches.coming.push(old);
        let ready = self.arrive(surge, Origin::Rolling);
        // In the class of outside events: the new ones have joined when the old ones are signalled.
        self.calendar.schedule(ready, class::OUTSIDE, Event::BatchReady(number));
        let next = self.now() + rolling.every;
        self.calendar.schedule(next, class::OUTSIDE, Event::Batch);
    }

    pub(super) fn batch_ready(&mut self, number: usize) {
        let leaving = std::mem::take(&mut self.batches.coming[number]);
        self.signal_each(leaving);
    }

    fn schedule_scale(&mut self, every: Span) {
        let at = self.now() + every;
        self.calendar.schedule(at, class::OUTSIDE, Event::Scale);
    }

    pub(super) fn scale(&mut self) {
        let now = self.now();
        let fleet: Vec<WorkerId> =
            self.workers.iter().filter(|(_, w)| w.deadline.is_none()).map(|(id, _)| id).collect();
        let Some(scaler) = &mut self.scaler else { return };
        let every = scaler.options.every;
        match scaler.look(now, u32::try_from(fleet.len()).expect("workers are counted in u32")) {
            Wish::Nothing => {}
            Wish::Start(count) => {
                self.arrive(count, Origin::Scaler);
            }
            Wish::Stop(count) => {
                let (up, starting): (Vec<_>, Vec<_>) = fleet.into_iter().partition(|id| self.workers[*id].is_ready);
                self.signal_each(starting.into_iter().rev().chain(up.into_iter().rev()).take(count as usize));
            }
        }
        self.schedule_scale(every);
    }
}
