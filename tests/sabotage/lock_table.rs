//! A small engine of another kind: one list of tasks, and idle workers that take what does not conflict with anything
//! earlier. Right as it stands; each [`Wrong`] is a bug that such systems really had, at the one place where it sits.

use lanekeeper::base::task::conflict;
use lanekeeper::base::{Claim, Claims, Epoch, Mode, Note, Outcome, QueueId, Span, TaskId, Ticket, Time, WorkerId};
use lanekeeper::engine::message::{ClusterMessage, Ended, Heartbeat, Report, Stamp, Start, Welcome};
use lanekeeper::engine::spec::QueueFirstSpec;
use lanekeeper::engine::{Context, Effect, Engine, Input, Outbox, Reason, WorkerMessage};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wrong {
    Nothing,
    /// Looks at what runs only: the newest of what does not conflict with it goes first.
    NewestFirst,
    /// A shared claim waits for nobody but a running exclusive one.
    SharedOvertakes,
    /// A task's reservations are freed as soon as a heartbeat says that it runs.
    FreedInUse,
    /// The end of one task frees the reservations of all others of its resources.
    FreesThoseOfOthers,
    /// What a lost worker had reserved stays reserved.
    KeepsThoseOfTheLost,
    /// A task whose worker is lost waits behind all others.
    RequeuedLast,
    /// A task whose worker is lost is forgotten with it.
    LostWithItsWorker,
    /// New tasks are looked at only when another one ends.
    NobodyIsWoken,
    /// Only the first twenty unsettled tasks are looked at.
    FirstTwentyOnly,
}

#[derive(Debug)]
struct Task {
    id: TaskId,
    claims: Claims,
    running: Option<(WorkerId, Ticket)>,
    /// Its reservations keep others away.
    reserves: bool,
    cancelled: bool,
}

#[derive(Debug)]
struct Member {
    id: WorkerId,
    heard: Time,
    idle: bool,
    quiescing: bool,
}

#[derive(Debug)]
pub struct LockTable {
    wrong: Wrong,
    ttl: Span,
    tasks: Vec<Task>,
    members: Vec<Member>,
    tickets: u64,
}

macro_rules! makers {
    ($($name:ident = $wrong:ident,)+) => {
        $(pub fn $name(_: &QueueFirstSpec, context: Context) -> Box<dyn Engine> {
            Box::new(LockTable::new(Wrong::$wrong, context))
        })+
    };
}
makers! {
    right = Nothing,
    newest_first = NewestFirst,
    shared_overtakes = SharedOvertakes,
    freed_in_use = FreedInUse,
    frees_those_of_others = FreesThoseOfOthers,
    keeps_those_of_the_lost = KeepsThoseOfTheLost,
    requeued_last = RequeuedLast,
    lost_with_its_worker = LostWithItsWorker,
    nobody_is_woken = NobodyIsWoken,
    first_twenty_only = FirstTwentyOnly,
}

impl Engine for LockTable {
    fn handle(&mut self, now: Time, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Submit { task, claims } => {
                let claims = Claims::from_slice(claims);
                self.tasks.push(Task { id: task, claims, running: None, reserves: true, cancelled: false });
                out.push(Effect::Note(Note::Placed { task, queue: QueueId::GENERAL }));
                if self.wrong == Wrong::NobodyIsWoken {
                    return;
                }
            }
            Input::Cancel { task } => self.cancel(task, out),
            Input::Quiesce { worker } => {
                out.push(Effect::Send(worker, ClusterMessage::Quiesce));
                self.quiesce(worker);
            }
            Input::Limits { .. } | Input::Disconnected { .. } => {}
            Input::Worker { worker, message } => self.message(now, worker, message, out),
            Input::Timeout => self.lose_the_silent(now, out),
        }
        self.dispatch(out);
    }
    fn next_timeout(&self) -> Option<(Time, Reason)> {
        self.members.iter().map(|member| (member.heard + self.ttl, "a worker may be lost")).min()
    }
}

impl LockTable {
    fn new(wrong: Wrong, context: Context) -> LockTable {
        LockTable { wrong, ttl: context.detection.ttl, tasks: Vec::new(), members: Vec::new(), tickets: 0 }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn member(&mut self, worker: WorkerId) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.id == worker)
    }

    fn quiesce(&mut self, worker: WorkerId) {
        if let Some(member) = self.member(worker) {
            member.quiescing = true;
        }
    }

    fn cancel(&mut self, task: TaskId, out: &mut Outbox) {
        let Some(position) = self.tasks.iter().position(|known| known.id == task) else { return };
        match self.tasks[position].running {
            None => self.settle(position, Outcome::Cancelled, out),
            Some((worker, ticket)) => {
                self.tasks[position].cancelled = true;
                out.push(Effect::Send(worker, ClusterMessage::Abort { ticket }));
            }
        }
    }

    fn message(&mut self, now: Time, worker: WorkerId, message: &WorkerMessage, out: &mut Outbox) {
        match message {
            WorkerMessage::Join { stamp, .. } => {
                if self.member(worker).is_none() {
                    self.members.push(Member { id: worker, heard: now, idle: false, quiescing: false });
                }
                self.welcome(worker, *stamp, out);
            }
            WorkerMessage::Heartbeat(beat) => self.heartbeat(now, worker, beat, out),
            WorkerMessage::Fetch => match self.member(worker) {
                Some(member) => member.idle = true,
                None => out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket: self.ticket() })),
            },
            WorkerMessage::Finished(report) => self.reported(worker, *report, out),
            WorkerMessage::FinishedAndFetch(report) => {
                self.reported(worker, *report, out);
                self.message(now, worker, &WorkerMessage::Fetch, out);
            }
            WorkerMessage::Released(_) => {}
            WorkerMessage::Leave => self.members.retain(|member| member.id != worker),
        }
    }

    fn welcome(&mut self, worker: WorkerId, stamp: Stamp, out: &mut Outbox) {
        let welcome = Welcome { stamp, lease: None, grants: Default::default(), ticket: self.ticket() };
        out.push(Effect::Send(worker, ClusterMessage::Welcome(Box::new(welcome))));
    }

    fn heartbeat(&mut self, now: Time, worker: WorkerId, beat: &Heartbeat, out: &mut Outbox) {
        for report in &beat.reports {
            self.reported(worker, *report, out);
        }
        let Some(member) = self.member(worker) else {
            return out.push(Effect::Send(worker, ClusterMessage::Rejoin { ticket: self.ticket() }));
        };
        member.heard = now;
        member.quiescing |= beat.quiescing;
        let freed = self.wrong == Wrong::FreedInUse;
        let mut idle = beat.running.is_none();
        for task in &mut self.tasks {
            match task.running {
                Some((who, ticket)) if who == worker && beat.running == Some(ticket) => task.reserves &= !freed,
                Some((who, ticket)) if who == worker && beat.started >= ticket => task.running = None,
                Some((who, ticket)) if who == worker => {
                    let start = Start { task: task.id, queue: QueueId::GENERAL, epoch: Epoch(0), ticket };
                    out.push(Effect::Send(worker, ClusterMessage::Start(start)));
                    idle = false;
                }
                _ => {}
            }
        }
        if let Some(member) = self.member(worker) {
            member.idle |= idle;
        }
        self.welcome(worker, beat.stamp, out);
    }

    fn reported(&mut self, worker: WorkerId, report: Report, out: &mut Outbox) {
        let ticket = report.start.ticket;
        out.push(Effect::Send(worker, ClusterMessage::Answered { ticket }));
        let Some(position) = self.tasks.iter().position(|task| task.running == Some((worker, ticket))) else { return };
        match report.ended {
            Some(Ended::Completed) => self.settle(position, Outcome::Completed, out),
            Some(Ended::Failed) => self.settle(position, Outcome::Failed, out),
            Some(Ended::Aborted | Ended::Refused) | None if self.tasks[position].cancelled => {
                self.settle(position, Outcome::Cancelled, out);
            }
            Some(Ended::Aborted | Ended::Refused) | None => self.tasks[position].running = None,
        }
    }

    fn settle(&mut self, position: usize, outcome: Outcome, out: &mut Outbox) {
        let done = self.tasks.remove(position);
        out.push(Effect::Settle(done.id, outcome));
        if self.wrong == Wrong::FreesThoseOfOthers {
            let touches =
                |task: &Task| task.claims.iter().any(|a| done.claims.iter().any(|b| a.resource == b.resource));
            self.tasks.iter_mut().filter(|task| touches(task)).for_each(|task| task.reserves = false);
        }
    }

    fn lose_the_silent(&mut self, now: Time, out: &mut Outbox) {
        let silent = |member: &Member| member.heard + self.ttl <= now;
        let lost: Vec<WorkerId> = self.members.iter().filter(|member| silent(member)).map(|member| member.id).collect();
        self.members.retain(|member| !lost.contains(&member.id));
        for worker in lost {
            out.push(Effect::Note(Note::WorkerLost { worker }));
            let ran = |task: &Task| task.running.is_some_and(|(who, _)| who == worker);
            let Some(position) = self.tasks.iter().position(ran) else { continue };
            match self.wrong {
                Wrong::KeepsThoseOfTheLost => {}
                Wrong::LostWithItsWorker => drop(self.tasks.remove(position)),
                Wrong::RequeuedLast => {
                    let task = self.tasks.remove(position);
                    self.tasks.push(Task { running: None, ..task });
                }
                _ => self.tasks[position].running = None,
            }
        }
    }

    /// Idle workers take what may start, one each.
    fn dispatch(&mut self, out: &mut Outbox) {
        while let Some(member) = self.members.iter().position(|member| member.idle && !member.quiescing) {
            let mut candidates = (0..self.tasks.len()).filter(|position| self.may_start(*position));
            let next = if self.wrong == Wrong::NewestFirst { candidates.next_back() } else { candidates.next() };
            let Some(position) = next else { return };
            let (worker, ticket) = (self.members[member].id, self.ticket());
            self.members[member].idle = false;
            let task = &mut self.tasks[position];
            task.running = Some((worker, ticket));
            let start = Start { task: task.id, queue: QueueId::GENERAL, epoch: Epoch(0), ticket };
            out.push(Effect::Send(worker, ClusterMessage::Start(start)));
        }
    }

    fn may_start(&self, position: usize) -> bool {
        let task = &self.tasks[position];
        if task.running.is_some() || (self.wrong == Wrong::FirstTwentyOnly && position >= 20) {
            return false;
        }
        self.tasks.iter().enumerate().all(|(other, it)| {
            let running = it.running.is_some();
            let counts = match self.wrong {
                Wrong::NewestFirst => running,
                Wrong::SharedOvertakes if shares(&task.claims) => running,
                _ => other < position,
            };
            let freed = running && !it.reserves;
            other == position || !counts || freed || !conflict(&it.claims, &task.claims)
        })
    }
}

fn shares(claims: &[Claim]) -> bool {
    claims.iter().all(|claim| claim.mode == Mode::Shared)
}
