//! drains: when all faults are over, everything is settled within a bound computed from the work that remains: all of it
//! one after the other on one worker, plus what each task and the detection of losses may cost. Judged at the end of the
//! run, where a healthy worker existed throughout and no task that executes for ever is in the way.

use super::{Breach, Docket, Ledger, recovery};
use crate::base::{Property, Span, Time};

/// What the bound is made of beside the work itself.
#[derive(Clone, Copy, Debug)]
pub struct DrainBound {
    /// The work takes so many times longer on the slowest worker.
    pub factor: u32,
    /// What each task may cost beside its service.
    pub per_task: Span,
    /// Once: the detection of losses, leases, deadlines of policies.
    pub once: Span,
}

#[derive(Debug)]
pub(super) struct Drains {
    bound: DrainBound,
    disturbed: bool,
    healed: Healed,
}

/// The last instant at which something came in between, and what was left then.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Healed {
    pub(super) at: Time,
    work: u64,
    tasks: u64,
}

impl Drains {
    pub(super) fn new(bound: DrainBound) -> Self {
        Drains { bound, disturbed: true, healed: Healed::default() }
    }

    /// A fault, an order from outside, or more work.
    #[inline]
    pub(super) fn disturbed(&mut self) {
        self.disturbed = true;
    }

    #[inline]
    pub(super) fn advance(&mut self, ledger: &Ledger) {
        if self.disturbed {
            self.disturbed = false;
            self.healed = Healed { at: ledger.now, work: ledger.work, tasks: ledger.tally.in_system.count() };
        }
    }

    /// Since when nothing came in between, at `now`.
    pub(super) fn healed_at(&self, now: Time) -> Time {
        if self.disturbed { now } else { self.healed.at }
    }

    pub(super) fn finish(&self, ledger: &Ledger, docket: &mut Docket) {
        let Healed { at, work, tasks } = self.healed;
        let micros = u128::from(work) * u128::from(self.bound.factor)
            + u128::from(tasks + 1) * u128::from(self.bound.per_task.micros())
            + u128::from(self.bound.once.micros());
        let due = at.saturating_add(Span::from_micros(u64::try_from(micros).unwrap_or(u64::MAX)));
        let healthy = ledger.workers.values().any(|rec| rec.healthy_since.is_some_and(|since| since <= at));
        if ledger.now <= due || ledger.endless > 0 || !healthy {
            return;
        }
        for (task, rec) in ledger.tasks.iter() {
            recovery::overdue(task, ledger, docket);
            docket.accuse(Property::Drains, ledger.now, || Breach {
                tasks: vec![task],
                lasted: Some(ledger.now.since(at)),
                cause: format!(
                    "{{t:{}}}, submitted at {}, is unfinished at {}: since {at} nothing came in between, and all that \
                     was left then should have been done by {due}",
                    task.0, rec.submitted, ledger.now
                ),
                ..Breach::default()
            });
        }
    }
}
