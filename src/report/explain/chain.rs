//! Collects what belongs to a chain of causes while the facts pass by.
//!
//! A task's own facts always belong to it; those of a queue or a worker only where the chain's tasks were in that queue
//! or on that worker, which is known at the end.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{Words, clock, lease};
use super::{Step, Story};
use crate::base::task::conflict;
use crate::base::{Claims, Epoch, Labels, Note, Property, QueueId, Span, TaskId, Ticket, Time, WorkerId};
use crate::fact::{AttemptEnd, EffectAnswer, Fact, Observe};
use crate::observe::Violation;

/// What a chain is about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// One sentence.
    pub title: String,
    /// Its tasks.
    pub tasks: Vec<TaskId>,
    /// Violations to point at, each with what it is about.
    pub violations: Vec<Violation>,
}

impl Subject {
    /// A violation.
    pub fn violation(violation: &Violation, labels: &Labels) -> Subject {
        let (property, cause) = (violation.property, labels.named(&violation.cause));
        let title = format!("{property} is broken at {}: {cause}", clock(violation.at));
        Subject { title, tasks: violation.tasks.clone(), violations: vec![violation.clone()] }
    }

    /// A task, behind those that it had to follow.
    pub fn task(task: TaskId, rivals: Vec<TaskId>, violations: &[Violation], labels: &Labels) -> Subject {
        let names: Vec<String> = rivals.iter().map(|rival| labels.task(*rival)).collect();
        let behind = if names.is_empty() { String::new() } else { format!(", behind {}", names.join(", ")) };
        let title = format!("the life of {}{behind}", labels.task(task));
        let concerned = violations.iter().filter(|violation| violation.tasks.contains(&task)).cloned().collect();
        Subject { title, tasks: rivals.into_iter().chain([task]).collect(), violations: concerned }
    }
}

/// Finds the earlier unsettled tasks that conflict with one when it is submitted.
#[derive(Debug)]
pub struct Rivals {
    task: TaskId,
    open: BTreeMap<TaskId, Claims>,
    found: Option<Vec<TaskId>>,
}

impl Rivals {
    /// At most so many are told of: the last ones, which the task waits for longest.
    const MOST: usize = 3;

    /// Those of `task`, before the first fact.
    pub fn new(task: TaskId) -> Rivals {
        Rivals { task, open: BTreeMap::new(), found: None }
    }

    /// The rivals, in order of submission; `None`: the task was never submitted.
    pub fn finish(self) -> Option<Vec<TaskId>> {
        self.found
    }
}

impl Observe for Rivals {
    fn on(&mut self, _: Time, fact: &Fact<'_>) {
        if let Fact::Settled { task, .. } = *fact {
            self.open.remove(&task);
        }
        let Fact::Submitted { task, claims, .. } = *fact else { return };
        if task != self.task {
            if self.found.is_none() {
                self.open.insert(task, Claims::from_slice(claims));
            }
            return;
        }
        let rivals = self.open.iter().filter(|(_, other)| conflict(claims, other)).map(|(task, _)| *task);
        let mut rivals: Vec<TaskId> = rivals.collect();
        rivals.drain(..rivals.len().saturating_sub(Rivals::MOST));
        self.found = Some(rivals);
    }
}

/// What a sentence is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum About {
    Task(TaskId),
    /// A report of a task that comes too late to break anything.
    Late(TaskId),
    Queue(QueueId),
    /// A queue, and the worker that becomes its owner.
    Grant(QueueId, WorkerId),
    /// A queue, and what its owner does or meets.
    Owner(QueueId, WorkerId),
    Worker(WorkerId),
    Pool,
    Engine,
}

#[derive(Debug)]
struct Line {
    at: Time,
    about: About,
    text: String,
    broken: Vec<String>,
}

/// An attempt of a task of the chain that has not ended.
#[derive(Clone, Copy, Debug)]
struct Open {
    task: TaskId,
    worker: WorkerId,
    queue: QueueId,
    epoch: Epoch,
    ticket: Ticket,
}

/// The chain while it grows.
#[derive(Debug)]
pub struct Chain<'a> {
    words: Words<'a>,
    subject: Subject,
    /// Violations that are not told yet, latest first.
    due: Vec<Violation>,
    lines: Vec<Line>,
    queues: BTreeSet<QueueId>,
    workers: BTreeSet<WorkerId>,
    open: Vec<Open>,
    unsettled: BTreeSet<TaskId>,
    /// The owner of each queue, its epoch, and since when.
    owners: BTreeMap<QueueId, (WorkerId, Epoch, Time)>,
    /// Grants that were taken up: renewals are not told.
    held: BTreeSet<(QueueId, WorkerId, Epoch)>,
    begins: Option<Time>,
    ends: Option<Time>,
}

impl<'a> Chain<'a> {
    /// At most so many steps are told; of more, those farthest before the first violation, or the end, are left out.
    const LIMIT: usize = 60;

    /// A chain before the first fact; a worker not heard for `ttl` counts as dead.
    pub fn new(subject: Subject, labels: &'a Labels, ttl: Span) -> Self {
        let mut due = subject.violations.clone();
        due.sort_by_key(|violation| std::cmp::Reverse(violation.at));
        Chain {
            words: Words { labels, ttl },
            queues: due.iter().filter_map(|violation| violation.queue).collect(),
            workers: due.iter().flat_map(|violation| violation.workers.iter().copied()).collect(),
            unsettled: subject.tasks.iter().copied().collect(),
            subject,
            due,
            lines: Vec::new(),
            open: Vec::new(),
            owners: BTreeMap::new(),
            held: BTreeSet::new(),
            begins: None,
            ends: None,
        }
    }

    /// The story; `end` is the end of the run.
    pub fn finish(mut self, end: Time) -> Story {
        self.point_at_violations(end, true);
        let begins = self.begins.or_else(|| self.last_grant_before_a_violation()).unwrap_or(Time::ZERO);
        let ends = self.ends.unwrap_or(end);
        for line in &self.lines {
            if let About::Grant(queue, worker) | About::Owner(queue, worker) = line.about
                && self.queues.contains(&queue)
                && (begins..=ends).contains(&line.at)
            {
                self.workers.insert(worker);
            }
        }
        let is_told = |line: &Line| match line.about {
            About::Task(_) | About::Late(_) | About::Engine => true,
            About::Queue(queue) => self.queues.contains(&queue),
            About::Grant(queue, worker) | About::Owner(queue, worker) => {
                self.queues.contains(&queue) && self.workers.contains(&worker)
            }
            About::Worker(worker) => self.workers.contains(&worker),
            About::Pool => self.subject.violations.iter().any(|it| it.property == Property::PoolBounds),
        };
        // What held when it began: the last grant of each queue before, and, where no task leads to it, what befell each
        // worker last.
        let without_tasks = self.subject.tasks.is_empty();
        let (mut grants, mut workers) = (BTreeMap::new(), BTreeMap::new());
        for (index, line) in self.lines.iter().enumerate().filter(|(_, line)| line.at < begins) {
            match line.about {
                About::Grant(queue, _) => {
                    grants.insert(queue, index);
                }
                About::Worker(worker) if without_tasks => {
                    workers.insert(worker, index);
                }
                _ => {}
            }
        }
        let before: BTreeSet<usize> = grants.into_values().chain(workers.into_values()).collect();
        let told = |(index, line): &(usize, Line)| {
            !line.broken.is_empty() || (is_told(line) && ((begins..=ends).contains(&line.at) || before.contains(index)))
        };
        let lines: Vec<Line> =
            std::mem::take(&mut self.lines).into_iter().enumerate().filter(told).map(|(_, line)| line).collect();
        Story { title: self.subject.title, steps: shortened(joined(lines, self.words.labels)) }
    }

    /// When the first of the violation's workers that had a queue of it was given it for the last time.
    fn last_grant_before_a_violation(&self) -> Option<Time> {
        let violation = self.subject.violations.first()?;
        let last = |is_it: &dyn Fn(WorkerId) -> bool| {
            let grants = self.lines.iter().filter(|line| {
                let About::Grant(queue, worker) = line.about else { return false };
                line.at < violation.at && self.queues.contains(&queue) && is_it(worker)
            });
            grants.map(|line| line.at).next_back()
        };
        let of_workers = violation.workers.iter().filter_map(|worker| last(&|it| it == *worker)).min();
        of_workers.or_else(|| last(&|_| true))
    }

    /// All that happened until `now`, and at `now` too where `included`, is known.
    fn point_at_violations(&mut self, now: Time, included: bool) {
        while let Some(violation) = self.due.pop_if(|violation| violation.at < now || (included && violation.at == now))
        {
            let Violation { property, at, cause, tasks, workers, queue, .. } = violation;
            let cause = self.words.labels.named(&cause);
            let mut broken = vec![format!("here {property} is broken, because {cause}")];
            broken.extend(self.open.iter().filter_map(|attempt| self.stale(attempt)));
            let last =
                |is_it: &dyn Fn(About) -> bool| self.lines.iter().rposition(|line| line.at == at && is_it(line.about));
            // What a task of it did, or else a grant of its queue or what its workers did with it, or else what happened
            // to a worker of it.
            let place = last(&|about| matches!(about, About::Task(task) if tasks.contains(&task)))
                .or_else(|| {
                    last(&|about| {
                        matches!(about, About::Grant(granted, _) if queue == Some(granted))
                            || matches!(about, About::Owner(owned, it) if queue == Some(owned) && workers.contains(&it))
                    })
                })
                .or_else(|| last(&|about| matches!(about, About::Worker(worker) if workers.contains(&worker))))
                .or_else(|| last(&|_| true));
            match place {
                Some(index) => self.lines[index].broken.append(&mut broken),
                None => self.lines.push(Line { at, about: About::Pool, text: String::new(), broken }),
            }
        }
    }

    /// An attempt that goes on under an epoch that is over.
    fn stale(&self, attempt: &Open) -> Option<String> {
        let (owner, epoch, since) = self.owners.get(&attempt.queue)?;
        if *epoch <= attempt.epoch || attempt.queue.is_general() {
            return None;
        }
        let labels = self.words.labels;
        let (worker, task, owner) = (labels.worker(attempt.worker), labels.task(attempt.task), labels.worker(*owner));
        let (queue, old, new, since) = (attempt.queue, attempt.epoch.0, epoch.0, clock(*since));
        Some(format!(
            "{worker} works on {task} under epoch {old} of {queue}, which is {owner}'s as epoch {new} since {since}"
        ))
    }

    fn has(&self, task: TaskId) -> bool {
        self.subject.tasks.contains(&task)
    }

    /// What a fact is about, where it may belong to the chain; notes what it shows of the chain's queues and workers.
    fn about(&mut self, now: Time, fact: &Fact<'_>) -> Option<About> {
        match *fact {
            Fact::Submitted { task, .. } => self.has(task).then(|| {
                self.begins.get_or_insert(now);
                About::Task(task)
            }),
            Fact::CancelAsked { task } => self.has(task).then_some(About::Task(task)),
            Fact::Settled { task, .. } => self.has(task).then(|| {
                self.unsettled.remove(&task);
                About::Task(task)
            }),
            Fact::Started { task, worker, queue, epoch, ticket } => self.has(task).then(|| {
                self.workers.insert(worker);
                self.queues.insert(queue);
                self.open.push(Open { task, worker, queue, epoch, ticket });
                About::Task(task)
            }),
            // What dies with its worker is told where the worker goes.
            Fact::Ended { end: AttemptEnd::Died, .. } => None,
            Fact::Ended { task, worker, ticket, .. } => self.has(task).then(|| {
                self.open.retain(|attempt| attempt.worker != worker || attempt.ticket != ticket);
                About::Task(task)
            }),
            Fact::Reported { task, queue, epoch, .. } => {
                let is_late = self.owners.get(&queue).is_some_and(|(_, current, _)| *current > epoch);
                (self.has(task) && is_late).then_some(About::Late(task))
            }
            Fact::WorkerReady { worker }
            | Fact::WorkerPaused { worker }
            | Fact::WorkerResumed { worker }
            | Fact::QuiesceAsked { worker }
            | Fact::QuiesceDelivered { worker, .. } => Some(About::Worker(worker)),
            Fact::WorkerGone { worker, .. } => {
                self.open.retain(|attempt| attempt.worker != worker);
                Some(About::Worker(worker))
            }
            Fact::Held { worker, queue, epoch, .. } => {
                (!queue.is_general() && self.held.insert((queue, worker, epoch))).then_some(About::Owner(queue, worker))
            }
            Fact::Dropped { worker, queue, .. } => (!queue.is_general()).then_some(About::Owner(queue, worker)),
            Fact::LimitsSet { .. } => Some(About::Pool),
            // What the store accepts is told where its effects are the question.
            Fact::Effect { task, answer, .. } => {
                let asked = self.subject.violations.iter().any(|it| it.property == Property::Effects);
                (self.has(task) && (asked || answer != EffectAnswer::Accepted)).then_some(About::Task(task))
            }
            Fact::Poisoned { task, .. } => self.has(task).then_some(About::Task(task)),
            Fact::MessageLost { worker } | Fact::MessageOvertook { worker } => Some(About::Worker(worker)),
            Fact::EngineDown { .. } | Fact::EngineUp { .. } | Fact::EngineHeld { .. } => Some(About::Engine),
            Fact::Noted(note) => self.about_note(now, note),
            Fact::WorkerArrived { .. } | Fact::MessageSent { .. } | Fact::MessageArrived { .. } => None,
        }
    }

    fn about_note(&mut self, now: Time, note: Note) -> Option<About> {
        match note {
            Note::QueueOwned { queue, worker, epoch, .. } => {
                self.owners.insert(queue, (worker, epoch, now));
                Some(About::Grant(queue, worker))
            }
            Note::QueueRevoking { queue, worker, .. } | Note::QueueOrphaned { queue, worker, .. } => {
                Some(About::Owner(queue, worker))
            }
            Note::QueueCreated { queue }
            | Note::QueueVacant { queue }
            | Note::QueueDraining { queue }
            | Note::QueueRevived { queue }
            | Note::QueueDeleted { queue } => Some(About::Queue(queue)),
            Note::Placed { task, queue } => self.has(task).then(|| {
                self.queues.insert(queue);
                About::Task(task)
            }),
            Note::Parked { task, .. } | Note::Requeued { task, .. } => self.has(task).then_some(About::Task(task)),
            Note::WorkerLost { worker } => Some(About::Worker(worker)),
        }
    }

    /// The grant that was decided at this instant: one sentence tells it and that it is taken up.
    fn grant_of_now(&mut self, now: Time, worker: WorkerId, queue: QueueId) -> Option<&mut Line> {
        let is_fresh = self.owners.get(&queue).is_some_and(|(owner, _, since)| *owner == worker && *since == now);
        let of_it = |line: &Line| line.at == now && line.about == About::Grant(queue, worker);
        let index = self.lines.iter().rposition(of_it).filter(|_| is_fresh)?;
        Some(&mut self.lines[index])
    }

    /// `, and t1 with it`, where a task of the chain executes on a worker that stops or goes on.
    fn with_it(&self, fact: &Fact<'_>) -> String {
        let (Fact::WorkerPaused { worker } | Fact::WorkerResumed { worker } | Fact::WorkerGone { worker, .. }) = *fact
        else {
            return String::new();
        };
        let on_it = self.open.iter().filter(|attempt| attempt.worker == worker);
        let tasks: Vec<String> = on_it.map(|attempt| self.words.labels.task(attempt.task)).collect();
        if tasks.is_empty() { String::new() } else { format!(", and {} with it", tasks.join(", ")) }
    }
}

impl Observe for Chain<'_> {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if self.ends.is_some_and(|ends| now > ends) {
            return;
        }
        self.point_at_violations(now, false);
        let with_it = self.with_it(fact);
        let Some(about) = self.about(now, fact) else { return };
        if let Fact::Held { worker, queue, until, .. } = *fact
            && let Some(grant) = self.grant_of_now(now, worker, queue)
        {
            grant.text += &lease(until);
        } else if let Some(text) = self.words.of(now, fact) {
            self.lines.push(Line { at: now, about, text: text + &with_it, broken: Vec::new() });
        }
        // The chain ends when its tasks are settled and execute nowhere, and what it points at has happened.
        if self.unsettled.is_empty() && self.open.is_empty() && self.due.is_empty() {
            self.ends = Some(now);
        }
    }
}

/// What one task did at one instant, one after the other, in one sentence.
fn joined(lines: Vec<Line>, labels: &Labels) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    for line in lines {
        if let (About::Task(task), Some(last)) = (line.about, out.last_mut())
            && last.at == line.at
            && last.about == line.about
            && last.broken.is_empty()
            && let Some(clause) = line.text.strip_prefix(&format!("{} ", labels.task(task)))
        {
            last.text += &format!("; it {clause}");
            last.broken = line.broken;
        } else {
            out.push(line);
        }
    }
    out
}

/// The steps, the middle left out where there are too many: what led to the first breach, or to the end, matters most.
fn shortened(lines: Vec<Line>) -> Vec<Step> {
    let step = |line: Line| Step { at: line.at, text: line.text, broken: line.broken };
    if lines.len() <= Chain::LIMIT {
        return lines.into_iter().map(step).collect();
    }
    let first_breach = lines.iter().position(|line| !line.broken.is_empty());
    let last = first_breach.map_or(lines.len(), |breach| (breach + Chain::LIMIT / 4).min(lines.len()));
    let head = Chain::LIMIT / 4;
    let tail = last.saturating_sub(Chain::LIMIT / 2).max(head);
    let left_out = Step { at: lines[head].at, text: format!("… {} more steps …", tail - head), broken: Vec::new() };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (index, line) in lines.into_iter().enumerate().take(last) {
        if index < head {
            before.push(step(line));
        } else if index >= tail {
            after.push(step(line));
        }
    }
    if tail > head {
        before.push(left_out);
    }
    before.append(&mut after);
    before
}
