//! What the timelines of workers and queues show: bars and marks of one run.

use smallvec::SmallVec;

use super::Violation;
use crate::base::{IdVec, Note, QueueId, TaskId, Ticket, Time, WorkerId};
use crate::fact::{AttemptEnd, Choice, Exit, Fact};

/// Bars and marks of one run. Recording stops at [`Timeline::LIMIT`] bars; `truncated` says so.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Timeline {
    /// Attempts: who executed what for which queue.
    pub attempts: Vec<AttemptBar>,
    /// Lives of workers.
    pub lives: Vec<LifeBar>,
    /// Ownership of queues.
    pub tenures: Vec<TenureBar>,
    /// Lives of queues: created, deleted.
    pub queues: Vec<QueueBar>,
    /// Pauses, crashes, ….
    pub marks: Vec<Mark>,
    /// The end of the recording.
    pub end: Time,
    /// Whether something was left out.
    pub truncated: bool,
}

impl Timeline {
    /// At most so many bars of a kind are kept.
    pub const LIMIT: usize = 200_000;
}

/// One attempt on one worker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AttemptBar {
    /// Where.
    pub worker: WorkerId,
    /// For which queue.
    pub queue: QueueId,
    /// Which task.
    pub task: TaskId,
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// The life of a worker.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct LifeBar {
    /// Who.
    pub worker: WorkerId,
    /// Its process came up.
    pub arrived: Time,
    /// It was ready for work (the end of the recording where it never was).
    pub ready: Time,
    /// It was gone.
    pub gone: Time,
}

/// A worker's time as the owner of a queue, by the engine's word.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TenureBar {
    /// Which queue.
    pub queue: QueueId,
    /// Its owner; `None`: vacant or orphaned.
    pub owner: Option<WorkerId>,
    /// Whether the owner was lost.
    pub orphaned: bool,
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// The life of a queue.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct QueueBar {
    /// Which.
    pub queue: QueueId,
    /// Since when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// Something at an instant.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mark {
    /// When.
    pub at: Time,
    /// At which worker.
    pub worker: Option<WorkerId>,
    /// At which queue.
    pub queue: Option<QueueId>,
    /// What.
    pub kind: MarkKind,
    /// For what lasts: until when; otherwise the same as `at`.
    pub until: Time,
}

/// What a mark shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum MarkKind {
    /// A worker stood still.
    Pause,
    /// A worker and the engine were cut off from each other, in one direction or both.
    Isolated,
    /// A worker crashed.
    Crash,
    /// A worker was killed at the end of its grace.
    Kill,
    /// A worker was told to quiesce.
    Quiesce,
    /// An agent stopped its task because its lease had ended.
    LeaseEnd,
    /// A property was breached.
    Violation,
}

/// Draws a timeline from facts.
#[derive(Default, Debug)]
pub(crate) struct Recorder {
    timeline: Timeline,
    workers: IdVec<WorkerId, WorkerTrack>,
    queues: IdVec<QueueId, QueueTrack>,
}

#[derive(Default, Debug)]
struct WorkerTrack {
    arrived: Option<Time>,
    ready: Option<Time>,
    paused: Option<Time>,
    attempts: SmallVec<[(Ticket, AttemptBar); 1]>,
}

#[derive(Default, Debug)]
struct QueueTrack {
    created: Option<Time>,
    tenure: Option<TenureBar>,
}

/// Keeps a bar unless there are too many of its kind.
fn keep<T>(bars: &mut Vec<T>, truncated: &mut bool, bar: T) {
    if bars.len() < Timeline::LIMIT {
        bars.push(bar);
    } else {
        *truncated = true;
    }
}

impl Recorder {
    /// Takes in a fact.
    pub(crate) fn enter(&mut self, now: Time, fact: &Fact<'_>) {
        match *fact {
            Fact::WorkerArrived { worker } => self.workers.grow_to(worker).arrived = Some(now),
            Fact::WorkerReady { worker } => self.workers.grow_to(worker).ready = Some(now),
            Fact::WorkerPaused { worker } => self.workers.grow_to(worker).paused = Some(now),
            Fact::WorkerResumed { worker } => self.end_pause(now, worker),
            Fact::QuiesceDelivered { worker, .. } => self.mark(now, worker, MarkKind::Quiesce),
            Fact::WorkerGone { worker, exit } => {
                match exit {
                    Exit::Left => {}
                    Exit::Crashed => self.mark(now, worker, MarkKind::Crash),
                    Exit::Killed => self.mark(now, worker, MarkKind::Kill),
                }
                self.end_life(now, worker);
            }
            Fact::Started { task, worker, queue, ticket, .. } => {
                let bar = AttemptBar { worker, queue, task, from: now, to: now };
                self.workers.grow_to(worker).attempts.push((ticket, bar));
            }
            Fact::Ended { worker, ticket, end, .. } => {
                let attempts = &mut self.workers.grow_to(worker).attempts;
                if let Some(index) = attempts.iter().position(|(one, _)| *one == ticket) {
                    let (_, bar) = attempts.swap_remove(index);
                    keep(&mut self.timeline.attempts, &mut self.timeline.truncated, AttemptBar { to: now, ..bar });
                }
                if end == AttemptEnd::SelfFenced {
                    self.mark(now, worker, MarkKind::LeaseEnd);
                }
            }
            Fact::Noted(note) => self.note(now, note),
            Fact::Submitted { .. }
            | Fact::CancelAsked { .. }
            | Fact::QuiesceAsked { .. }
            | Fact::Settled { .. }
            | Fact::LimitsSet { .. }
            | Fact::Effect { .. }
            | Fact::Reported { .. }
            | Fact::Held { .. }
            | Fact::Dropped { .. }
            | Fact::MessageSent { .. }
            | Fact::MessageArrived { .. }
            | Fact::MessageLost { .. }
            | Fact::MessageOvertook { .. }
            | Fact::Poisoned { .. }
            | Fact::EngineDown { .. }
            | Fact::EngineUp { .. }
            | Fact::EngineHeld { .. } => {}
        }
    }

    /// Takes in a choice of chance.
    pub(crate) fn chose(&mut self, now: Time, choice: Choice) {
        if let Choice::Isolated { worker, lasts, .. } = choice {
            let until = now.saturating_add(lasts);
            let mark = Mark { at: now, worker: Some(worker), queue: None, kind: MarkKind::Isolated, until };
            keep(&mut self.timeline.marks, &mut self.timeline.truncated, mark);
        }
    }

    fn note(&mut self, now: Time, note: Note) {
        match note {
            Note::QueueCreated { queue } => {
                self.queues.grow_to(queue).created = Some(now);
                self.begin_tenure(now, queue, None, false);
            }
            Note::QueueOwned { queue, worker, .. } => self.begin_tenure(now, queue, Some(worker), false),
            Note::QueueOrphaned { queue, .. } => self.begin_tenure(now, queue, None, true),
            Note::QueueVacant { queue } => self.begin_tenure(now, queue, None, false),
            Note::QueueDeleted { queue } => self.end_queue(now, queue),
            Note::QueueRevoking { .. }
            | Note::QueueDraining { .. }
            | Note::QueueRevived { .. }
            | Note::Placed { .. }
            | Note::Parked { .. }
            | Note::Requeued { .. }
            | Note::WorkerLost { .. } => {}
        }
    }

    fn mark(&mut self, now: Time, worker: WorkerId, kind: MarkKind) {
        let mark = Mark { at: now, worker: Some(worker), queue: None, kind, until: now };
        keep(&mut self.timeline.marks, &mut self.timeline.truncated, mark);
    }

    fn end_pause(&mut self, now: Time, worker: WorkerId) {
        if let Some(at) = self.workers.grow_to(worker).paused.take() {
            let mark = Mark { at, worker: Some(worker), queue: None, kind: MarkKind::Pause, until: now };
            keep(&mut self.timeline.marks, &mut self.timeline.truncated, mark);
        }
    }

    fn end_life(&mut self, now: Time, worker: WorkerId) {
        self.end_pause(now, worker);
        let track = self.workers.grow_to(worker);
        let timeline = &mut self.timeline;
        for (_, bar) in track.attempts.drain(..) {
            keep(&mut timeline.attempts, &mut timeline.truncated, AttemptBar { to: now, ..bar });
        }
        if let Some(arrived) = track.arrived.take() {
            let bar = LifeBar { worker, arrived, ready: track.ready.unwrap_or(now), gone: now };
            keep(&mut timeline.lives, &mut timeline.truncated, bar);
        }
    }

    fn begin_tenure(&mut self, now: Time, queue: QueueId, owner: Option<WorkerId>, orphaned: bool) {
        self.end_tenure(now, queue);
        self.queues.grow_to(queue).tenure = Some(TenureBar { queue, owner, orphaned, from: now, to: now });
    }

    fn end_tenure(&mut self, now: Time, queue: QueueId) {
        if let Some(bar) = self.queues.grow_to(queue).tenure.take().filter(|bar| bar.from < now) {
            keep(&mut self.timeline.tenures, &mut self.timeline.truncated, TenureBar { to: now, ..bar });
        }
    }

    fn end_queue(&mut self, now: Time, queue: QueueId) {
        self.end_tenure(now, queue);
        if let Some(from) = self.queues.grow_to(queue).created.take() {
            keep(&mut self.timeline.queues, &mut self.timeline.truncated, QueueBar { queue, from, to: now });
        }
    }

    /// Everything that still goes on ends at `end`.
    pub(crate) fn finish(mut self, end: Time, violations: &[Violation]) -> Timeline {
        let workers: Vec<_> = self.workers.iter().map(|(worker, _)| worker).collect();
        let queues: Vec<_> = self.queues.iter().map(|(queue, _)| queue).collect();
        workers.into_iter().for_each(|worker| self.end_life(end, worker));
        queues.into_iter().for_each(|queue| self.end_queue(end, queue));
        for violation in violations {
            let worker = violation.workers.last().copied();
            let until = violation.lasted.map_or(violation.at, |lasted| violation.at.saturating_add(lasted));
            let mark = Mark { at: violation.at, worker, queue: violation.queue, kind: MarkKind::Violation, until };
            keep(&mut self.timeline.marks, &mut self.timeline.truncated, mark);
        }
        for mark in &mut self.timeline.marks {
            mark.until = mark.until.min(end);
        }
        self.timeline.end = end;
        self.timeline
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    #[test]
    fn a_worker_is_shown_cut_off_for_as_long_as_it_was_and_the_run_lasted() {
        let mut recorder = Recorder::default();
        let at = Time::from_secs;
        for from in [10, 90] {
            let lasts = Span::from_secs(20);
            let worker = WorkerId(0);
            recorder.chose(at(from), Choice::Isolated { worker, to_engine: true, from_engine: false, lasts });
        }
        let marks = recorder.finish(at(100), &[]).marks;
        let spans: Vec<_> = marks.iter().map(|mark| (mark.kind, mark.at, mark.until)).collect();
        assert_eq!(spans, [(MarkKind::Isolated, at(10), at(30)), (MarkKind::Isolated, at(90), at(100))]);
    }
}
