//! Dispatch: which task a free worker starts, and what its report means.

use std::cmp::Reverse;

use super::membership::{Member, Outstanding};
use super::{Place, QueueFirst, answer, note};
use crate::base::{Epoch, Note, Outcome, QueueId, TaskId, Ticket, Time, WorkerId};
use crate::engine::message::{ClusterMessage, Effect, Ended, Fence, Outbox, Report, Start};
use crate::engine::spec::{Discipline, LostTask, ServedBy};

impl QueueFirst {
    pub(super) fn place_general(&mut self, task: TaskId, out: &mut Outbox) {
        self.placements += 1;
        let state = self.tasks.get_mut(task).expect("an unsettled task");
        (state.place, state.sequence) = (Place::Queue(QueueId::GENERAL), self.placements);
        if self.keeps_records {
            out.push(state.record(task));
        }
        self.general.push_back(task);
        self.general_waiting += 1;
        note(out, Note::Placed { task, queue: QueueId::GENERAL });
    }

    /// General tasks wait: those who may take them get them, whoever has been idle longest first. Who may also depends
    /// on who owns what, so this is asked after every input.
    pub(super) fn wake_for_general(&mut self, out: &mut Outbox) {
        let everyone = self.spec.general_queue.served_by == ServedBy::Everyone || !self.members.any_surplus();
        while self.general_waiting > 0
            && let Some(worker) = self.members.longest_idle(everyone)
        {
            let served = self.give_work(worker, None, out);
            assert!(served, "{worker} may take a general task and does not");
        }
    }

    /// A worker is idle; `answers`: a report came with that word, and its answer goes with the next order, if there is one.
    #[inline(always)]
    pub(super) fn fetch(&mut self, worker: WorkerId, answers: Option<Ticket>, out: &mut Outbox) {
        let Some(member) = self.members.get(worker) else {
            answer(worker, answers, out);
            return self.ask_to_rejoin(worker, out);
        };
        let is_free = member.outstanding.is_none() && !member.quiescing;
        if is_free && self.give_work(worker, answers, out) {
            return;
        }
        answer(worker, answers, out);
        if is_free {
            self.members.set_idle(worker, true);
        }
    }

    /// Gives an idle worker its next task, if there is one for it.
    #[inline]
    pub(super) fn serve(&mut self, worker: WorkerId, out: &mut Outbox) {
        if self.members.get(worker).is_some_and(Member::is_idle) {
            self.give_work(worker, None, out);
        }
    }

    /// Gives a worker that has nothing to do its next task; false: there is none for it.
    fn give_work(&mut self, worker: WorkerId, answers: Option<Ticket>, out: &mut Outbox) -> bool {
        let Some(start) = self.next_start(worker) else { return false };
        let task = self.tasks.get_mut(start.task).expect("an unsettled task");
        assert!(task.running.is_none(), "{} is started twice", start.task);
        task.running = Some((worker, start.ticket));
        task.attempts += 1;
        if self.keeps_records {
            out.push(task.record_attempt(start.task));
        }
        let order = match answers {
            Some(answered) => ClusterMessage::AnsweredAndStart { answered, start },
            None => ClusterMessage::Start(start),
        };
        out.push(Effect::Send(worker, order));
        true
    }

    /// Picks what a worker starts next, and takes it out of what waits.
    #[inline(always)]
    fn next_start(&mut self, worker: WorkerId) -> Option<Start> {
        let member = self.members.get(worker)?;
        let served_by_all = || self.spec.general_queue.served_by == ServedBy::Everyone || !self.members.any_surplus();
        let general = self.general_waiting > 0 && (member.owned.is_empty() || served_by_all());
        let general_is_due = general && member.reserved_streak >= self.spec.general_queue.general_after;
        let reserved = if general_is_due { None } else { self.next_reserved(member) };
        match reserved {
            Some((queue, task)) => Some(self.start_reserved(worker, queue, task)),
            None => general.then(|| self.start_general(worker)),
        }
    }

    /// The queue that the discipline picks, with its first task.
    ///
    /// Whose turn it is in a round goes by the last start of each queue, under whichever owner: a round that began anew
    /// with every owner would pass over the same queues each time. Where nothing has started yet, the oldest task is first.
    #[inline(always)]
    fn next_reserved(&self, member: &Member) -> Option<(QueueId, TaskId)> {
        if let [only] = member.owned.as_slice() {
            return self.pool.queue(*only).startable().map(|task| (*only, task));
        }
        let ready = member.owned.iter().filter_map(|queue| {
            let state = self.pool.queue(*queue);
            state.startable().map(|task| (*queue, task, state.last_start))
        });
        let picked = match self.spec.double_duty.discipline {
            Discipline::RoundRobin => ready.min_by_key(|(_, task, last_start)| (*last_start, *task)),
            Discipline::DrainFirst => ready.max_by_key(|(_, task, last_start)| (*last_start, Reverse(*task))),
            Discipline::OldestHead => ready.min_by_key(|(_, task, _)| *task),
        };
        picked.map(|(queue, task, _)| (queue, task))
    }

    #[inline(always)]
    fn start_reserved(&mut self, worker: WorkerId, queue: QueueId, task: TaskId) -> Start {
        let ticket = self.next_ticket();
        let state = self.pool.queue_mut(queue);
        state.started = Some(ticket);
        let start = Start { task, queue, epoch: state.epoch, ticket };
        self.waiting -= 1;
        self.members.busy_with(worker, Outstanding { start }).reserved_streak += 1;
        start
    }

    fn start_general(&mut self, worker: WorkerId) -> Start {
        let task = self.general.pop_front().expect("a waiting general task");
        self.general_waiting -= 1;
        self.skip_settled_general();
        let ticket = self.next_ticket();
        let start = Start { task, queue: QueueId::GENERAL, epoch: Epoch(0), ticket };
        self.members.busy_with(worker, Outstanding { start }).reserved_streak = 0;
        start
    }

    /// Keeps the front of the general queue an unsettled task.
    pub(super) fn skip_settled_general(&mut self) {
        while self.general.front().is_some_and(|task| !self.tasks.contains(*task)) {
            self.general.pop_front();
        }
    }

    /// Takes a report of an attempt; a stale one changes nothing.
    #[inline(always)]
    pub(super) fn take_report(&mut self, now: Time, worker: WorkerId, report: Report, out: &mut Outbox) {
        let Start { task, ticket, .. } = report.start;
        if let Some(member) = self.members.get_mut(worker)
            && member.outstanding.is_some_and(|outstanding| outstanding.start.ticket == ticket)
        {
            member.outstanding = None;
        }
        let current = self.tasks.get(task).is_some_and(|state| state.running == Some((worker, ticket)));
        if !current {
            return;
        }
        match report.ended {
            Some(Ended::Completed) => self.settle(now, task, Outcome::Completed, out),
            Some(Ended::Failed) => self.settle(now, task, Outcome::Failed, out),
            Some(Ended::Aborted | Ended::Refused) => self.attempt_lost(now, task, out),
            None => self.not_started(now, task, out),
        }
        if let Some(owner) = self.pool.get(report.start.queue).and_then(super::Queue::owner) {
            self.serve(owner, out);
        }
    }

    /// An order to start was declined or voided: that was no attempt.
    pub(super) fn not_started(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        self.tasks[task].attempts -= 1;
        if self.tasks[task].cancelled {
            self.settle(now, task, Outcome::Cancelled, out);
        } else {
            self.put_back(task, false, out);
        }
    }

    /// An attempt was lost with its worker, or was stopped.
    pub(super) fn attempt_lost(&mut self, now: Time, task: TaskId, out: &mut Outbox) {
        let state = self.tasks.get_mut(task).expect("an unsettled task");
        state.lost += 1;
        let (lost, cancelled) = (state.lost, state.cancelled);
        if let (Place::Queue(QueueId::GENERAL), Some((_, ticket))) = (state.place, state.running) {
            self.fence(Fence::Attempt { task, ticket }, out);
        }
        let tries = match self.spec.running_task_of_lost_worker {
            LostTask::Fail => 1,
            LostTask::Requeue(limit) => limit.max_attempts,
        };
        if cancelled {
            self.settle(now, task, Outcome::Cancelled, out);
        } else if lost >= tries {
            self.settle(now, task, Outcome::Failed, out);
        } else {
            note(out, Note::Requeued { task, lost });
            self.put_back(task, true, out);
        }
    }

    /// The task waits again, at the head of its queue. Where its order was declined (not `began`), the queue keeps its turn.
    fn put_back(&mut self, task: TaskId, began: bool, out: &mut Outbox) {
        let state = self.tasks.get_mut(task).expect("an unsettled task");
        state.running = None;
        out.push(state.record_attempt(task));
        match state.place {
            Place::Parked => unreachable!("a parked task was running"),
            Place::Queue(QueueId::GENERAL) => {
                self.general.push_front(task);
                self.general_waiting += 1;
            }
            Place::Queue(queue) => {
                let state = self.pool.queue_mut(queue);
                let ordered = state.started.take();
                if began {
                    state.took_turn(ordered);
                }
                self.waiting += 1;
            }
        }
    }
}
