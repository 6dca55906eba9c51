//! Tasks come and go, and clear the way for those in conflict behind them.

use super::{Claimant, Ledger, Place, TaskRec};
use crate::base::task::copied;
use crate::base::{Claim, ClassId, Mode, QueueId, Span, TaskId, Time};

impl Ledger {
    #[inline(always)]
    pub(crate) fn submit(&mut self, task: TaskId, class: ClassId, claims: &[Claim], service: Span) {
        let mut uncleared = 0;
        for claim in claims {
            let resource = self.resources.grow_to(claim.resource);
            let clear = match claim.mode {
                Mode::Exclusive => resource.claimants.is_empty(),
                Mode::Shared => resource.exclusives == 0,
            };
            resource.claimants.push(Claimant { task, mode: claim.mode, clear });
            resource.exclusives += u32::from(claim.mode == Mode::Exclusive);
            uncleared += u32::from(!clear);
        }
        self.submitted += 1;
        self.work = self.work.saturating_add(service.micros());
        self.tally.in_system.rise(self.now);
        self.tally.waiting.rise(self.now);
        if uncleared == 0 {
            self.tally.runnable.rise(self.now);
            self.tally.stray += 1;
        }
        let rec = TaskRec {
            class,
            claims: copied(claims),
            submitted: self.now,
            service,
            runnable_at: if uncleared == 0 { self.now } else { Time::MAX },
            uncleared,
            ..TaskRec::default()
        };
        self.tasks.insert(task, rec);
    }

    pub(super) fn poison(&mut self, task: TaskId, never_ends: bool) {
        if let Some(rec) = self.tasks.get_mut(task).filter(|_| never_ends) {
            rec.endless = true;
            self.endless += 1;
        }
    }

    #[inline(always)]
    pub(crate) fn settle(&mut self, task: TaskId) {
        let now = self.now;
        let Some(rec) = self.tasks.get_mut(task) else { return };
        self.settled += 1;
        self.endless -= u64::from(rec.endless);
        self.work = self.work.saturating_sub(rec.service.micros());
        self.tally.in_system.fall(now);
        self.tally.stray -= u64::from(rec.is_stray());
        let is_open = rec.open > 0;
        if !is_open {
            self.tally.waiting.fall(now);
            if rec.uncleared == 0 {
                self.tally.runnable.fall(now);
            }
        }
        // What is needed of the record is taken out of it, so that it is not moved.
        let (place, claims) = (rec.place, std::mem::take(&mut rec.claims));
        self.tasks.remove(task);
        if is_open {
            self.outlive(task, &claims);
        }
        self.release_claims(task, &claims, place.is_reserving());
        self.leave(task, place);
    }

    #[inline(always)]
    fn release_claims(&mut self, task: TaskId, claims: &[Claim], is_placed: bool) {
        for claim in claims {
            let resource = &mut self.resources[claim.resource];
            resource.placed -= u32::from(is_placed);
            let claimants = &mut resource.claimants;
            if claimants.front().is_some_and(|first| first.task == task) {
                claimants.pop();
            } else {
                claimants.remove(|other| other.task == task).expect("a claim is listed until then");
            }
            resource.exclusives -= u32::from(claim.mode == Mode::Exclusive);
            let Some(first) = claimants.front_mut() else { continue };
            if first.mode == Mode::Exclusive {
                if !first.clear {
                    first.clear = true;
                    self.cleared.push(first.task);
                }
            } else if claim.mode == Mode::Exclusive {
                for shared in claimants.iter_mut().take_while(|other| other.mode == Mode::Shared) {
                    if !shared.clear {
                        shared.clear = true;
                        self.cleared.push(shared.task);
                    }
                }
            }
        }
        for index in 0..self.cleared.len() {
            self.clear_one(self.cleared[index]);
        }
        self.cleared.clear();
    }

    fn clear_one(&mut self, task: TaskId) {
        let rec = &mut self.tasks[task];
        rec.uncleared -= 1;
        if rec.uncleared > 0 {
            return;
        }
        rec.runnable_at = self.now;
        if rec.open == 0 {
            self.tally.runnable.rise(self.now);
        }
        self.tally.stray += u64::from(rec.is_stray());
        match rec.place {
            // Engines without queues put tasks with claims there too: what they wait for from here on is a worker.
            Place::Queue(QueueId::GENERAL) => rec.general_clocks = self.general_clocks,
            Place::Queue(queue) if self.queues[queue].fifo.front() == Some(&task) => self.begin_head(queue),
            Place::Queue(_) | Place::Parked | Place::AtMax | Place::Nowhere => {}
        }
    }
}
