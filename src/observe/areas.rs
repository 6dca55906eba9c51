//! Integrals of the ledger's counts over the window of statistics, and their extremes in it.

use super::ledger::{Doing, Ledger, Level, Tally};
use crate::base::Time;

/// Integrals over time, µs times a count.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Sums {
    pub(crate) waiting: u128,
    pub(crate) runnable: u128,
    pub(crate) parked: u128,
    pub(crate) queues: u128,
    pub(crate) nonempty: [u128; 3],
    pub(crate) starting: u128,
    pub(crate) busy: u128,
    pub(crate) paused: u128,
    pub(crate) idle_avoidable: u128,
    pub(crate) idle_unavoidable: u128,
}

impl Sums {
    /// From the beginning to `until`.
    fn until(until: Time, tally: &Tally, avoidable: &Level) -> Sums {
        let doing = |doing: Doing| tally.workers[doing as usize].area(until);
        let idle_avoidable = avoidable.area(until);
        Sums {
            waiting: tally.waiting.area(until),
            runnable: tally.runnable.area(until),
            parked: tally.parked.area(until),
            queues: tally.active.area(until) + tally.draining.area(until),
            nonempty: tally.nonempty.map(|level| level.area(until)),
            starting: doing(Doing::Starting),
            busy: doing(Doing::Busy) + doing(Doing::BusyQuiescing),
            paused: doing(Doing::Paused),
            idle_avoidable,
            idle_unavoidable: doing(Doing::Idle) + doing(Doing::IdleQuiescing) - idle_avoidable,
        }
    }

    fn since(self, before: Sums) -> Sums {
        let nonempty = std::array::from_fn(|care| self.nonempty[care] - before.nonempty[care]);
        Sums {
            waiting: self.waiting - before.waiting,
            runnable: self.runnable - before.runnable,
            parked: self.parked - before.parked,
            queues: self.queues - before.queues,
            nonempty,
            starting: self.starting - before.starting,
            busy: self.busy - before.busy,
            paused: self.paused - before.paused,
            idle_avoidable: self.idle_avoidable - before.idle_avoidable,
            idle_unavoidable: self.idle_unavoidable - before.idle_unavoidable,
        }
    }
}

/// Follows the counts through the window.
#[derive(Debug)]
pub(crate) struct Areas {
    from: Time,
    to: Time,
    /// The window opens or closes here, whatever comes next.
    edge: Time,
    is_open: bool,
    /// Idle workers for which there was a runnable task.
    avoidable: Level,
    /// What there was when the window opened, and when it closed.
    opened: Option<Sums>,
    closed: Option<Sums>,
    backlog_max: u64,
    queues_range: Option<(u64, u64)>,
}

impl Areas {
    pub(crate) fn new(from: Time, to: Time) -> Areas {
        let from = from.min(to);
        Areas {
            from,
            to,
            edge: from,
            is_open: false,
            avoidable: Level::default(),
            opened: None,
            closed: None,
            backlog_max: 0,
            queues_range: None,
        }
    }

    /// The world stood as it is in the ledger until `to`.
    #[inline(always)]
    pub(crate) fn advance(&mut self, to: Time, ledger: &Ledger) {
        let tally = &ledger.tally;
        let avoidable = tally.doing(Doing::Idle).min(tally.runnable.count());
        self.avoidable.set(avoidable, ledger.now);
        if to > self.edge {
            self.pass_edges(to, ledger);
        } else if self.is_open {
            self.backlog_max = self.backlog_max.max(tally.waiting.count());
            if ledger.pool_touched {
                self.count_queues(tally);
            }
        }
    }

    /// The window opens, closes or both before `to`.
    #[cold]
    fn pass_edges(&mut self, to: Time, ledger: &Ledger) {
        let tally = &ledger.tally;
        if ledger.now.max(self.from) < to.min(self.to) {
            self.backlog_max = self.backlog_max.max(tally.waiting.count());
            self.count_queues(tally);
        }
        if self.opened.is_none() {
            self.opened = Some(Sums::until(self.from, tally, &self.avoidable));
            self.is_open = true;
            self.edge = self.to;
        }
        if to > self.edge {
            self.closed = Some(Sums::until(self.to, tally, &self.avoidable));
            self.is_open = false;
            self.edge = Time::MAX;
        }
    }

    #[cold]
    fn count_queues(&mut self, tally: &Tally) {
        let queues = tally.queues();
        let (low, high) = self.queues_range.unwrap_or((queues, queues));
        self.queues_range = Some((low.min(queues), high.max(queues)));
    }

    /// The integrals over as much of the window as has passed.
    pub(crate) fn in_window(&self, ledger: &Ledger) -> Sums {
        let Some(opened) = self.opened else { return Sums::default() };
        let until_now = || Sums::until(ledger.now, &ledger.tally, &self.avoidable);
        self.closed.unwrap_or_else(until_now).since(opened)
    }

    /// The most tasks that waited at once.
    pub(crate) fn backlog_max(&self) -> u64 {
        self.backlog_max
    }

    /// The fewest and the most queues; `None`: no time of the window has passed.
    pub(crate) fn queues_range(&self) -> Option<(u64, u64)> {
        self.queues_range
    }
}
