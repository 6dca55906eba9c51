//! Every fact of a run as a line of JSON (NDJSON): for programs, and to find where two runs part.
//!
//! A line has `at` (seconds), `event`, and the event's own fields; tasks, workers, queues and resources by their names.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::base::note::{GrantReason, ParkReason};
use crate::base::{Claim, ClassId, Epoch, Labels, Mode, Note, QueueId, TaskId, Time, WorkerId};
use crate::fact::{AttemptEnd, EffectAnswer, Exit, Fact, Observe};

/// Writes each fact as it happens.
#[derive(Debug)]
pub struct Events<'a, W> {
    labels: &'a Labels,
    out: W,
    failed: Option<io::Error>,
}

impl<'a, W: Write> Events<'a, W> {
    /// A writer before the first fact.
    pub fn new(labels: &'a Labels, out: W) -> Self {
        Events { labels, out, failed: None }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The first error of writing, if there was one.
    pub fn finish(mut self) -> io::Result<()> {
        match self.failed {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

impl<W: Write> Observe for Events<'_, W> {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if self.failed.is_none() {
            let line = line(now, fact, self.labels);
            self.failed = writeln!(self.out, "{line}").err();
        }
    }
}

/// A fact as one line of JSON.
pub fn line(now: Time, fact: &Fact<'_>, labels: &Labels) -> Value {
    let mut line = Line { fields: Map::new(), labels };
    line.put("at", json!(now.as_secs_f64()));
    line.fact(fact);
    Value::Object(line.fields)
}

struct Line<'a> {
    fields: Map<String, Value>,
    labels: &'a Labels,
}

impl Line<'_> {
    fn put(&mut self, key: &str, value: Value) -> &mut Self {
        self.fields.insert(key.to_owned(), value);
        self
    }
    fn event(&mut self, name: &str) -> &mut Self {
        self.put("event", json!(name))
    }
    fn task(&mut self, task: TaskId) -> &mut Self {
        self.put("task", json!(self.labels.task(task)))
    }
    fn worker(&mut self, worker: WorkerId) -> &mut Self {
        self.put("worker", json!(self.labels.worker(worker)))
    }
    fn class(&mut self, class: ClassId) -> &mut Self {
        self.put("class", json!(self.labels.class(class)))
    }
    fn queue(&mut self, queue: QueueId) -> &mut Self {
        self.put("queue", json!(queue.to_string()))
    }
    fn epoch(&mut self, epoch: Epoch) -> &mut Self {
        self.put("epoch", json!(epoch.0))
    }
    fn why(&mut self, why: &str) -> &mut Self {
        self.put("why", json!(why))
    }
    fn until(&mut self, key: &str, until: Option<Time>) -> &mut Self {
        self.put(key, until.map_or(Value::Null, |until| json!(until.as_secs_f64())))
    }

    fn claims(&mut self, key: &str, claims: &[Claim], mode: Mode) -> &mut Self {
        let names = claims.iter().filter(|claim| claim.mode == mode).map(|claim| self.labels.resource(claim.resource));
        let names: Vec<String> = names.collect();
        if names.is_empty() { self } else { self.put(key, json!(names)) }
    }

    fn fact(&mut self, fact: &Fact<'_>) {
        match *fact {
            Fact::Submitted { task, class, claims, service } => self
                .event("submitted")
                .task(task)
                .class(class)
                .claims("exclusive", claims, Mode::Exclusive)
                .claims("shared", claims, Mode::Shared)
                .put("service", json!(service.as_secs_f64())),
            Fact::CancelAsked { task } => self.event("cancel_asked").task(task),
            Fact::Settled { task, outcome } => {
                self.event("settled").task(task).put("outcome", json!(outcome.to_string()))
            }
            Fact::LimitsSet { min, max } => self.event("limits_set").put("min", json!(min)).put("max", json!(max)),
            Fact::WorkerArrived { worker } => self.event("worker_arrived").worker(worker),
            Fact::WorkerReady { worker } => self.event("worker_ready").worker(worker),
            Fact::WorkerPaused { worker } => self.event("worker_paused").worker(worker),
            Fact::WorkerResumed { worker } => self.event("worker_resumed").worker(worker),
            Fact::QuiesceAsked { worker } => self.event("quiesce_asked").worker(worker),
            Fact::QuiesceDelivered { worker, deadline } => {
                self.event("quiesce_delivered").worker(worker).until("deadline", Some(deadline))
            }
            Fact::WorkerGone { worker, exit } => {
                self.event("worker_gone").worker(worker).put("exit", json!(exit_name(exit)))
            }
            Fact::Started { task, worker, queue, epoch, ticket } => {
                self.event("started").task(task).worker(worker).queue(queue).epoch(epoch).put("ticket", json!(ticket.0))
            }
            Fact::Ended { task, worker, ticket, end } => self
                .event("ended")
                .task(task)
                .worker(worker)
                .put("ticket", json!(ticket.0))
                .put("end", json!(end_name(end))),
            Fact::Reported { task, worker, queue, epoch, ticket } => self
                .event("reported")
                .task(task)
                .worker(worker)
                .queue(queue)
                .epoch(epoch)
                .put("ticket", json!(ticket.0)),
            Fact::Held { worker, queue, epoch, until } => {
                self.event("held").worker(worker).queue(queue).epoch(epoch).until("until", until)
            }
            Fact::Dropped { worker, queue, epoch } => self.event("dropped").worker(worker).queue(queue).epoch(epoch),
            Fact::Effect { task, worker, queue, epoch, ticket, answer } => self
                .event("effect")
                .task(task)
                .worker(worker)
                .queue(queue)
                .epoch(epoch)
                .put("ticket", json!(ticket.0))
                .put("answer", json!(answer_name(answer))),
            Fact::Poisoned { task, never_ends } => {
                self.event("poisoned").task(task).put("never_ends", json!(never_ends))
            }
            Fact::EngineDown { term } => self.event("engine_down").put("term", json!(term.0)),
            Fact::EngineUp { term } => self.event("engine_up").put("term", json!(term.0)),
            Fact::EngineHeld { held } => self.event("engine_held").put("held", json!(held)),
            Fact::MessageLost { worker } => self.event("message_lost").worker(worker),
            Fact::MessageOvertook { worker } => self.event("message_overtook").worker(worker),
            Fact::MessageSent { worker } => self.event("message_sent").worker(worker),
            Fact::MessageArrived { worker } => self.event("message_arrived").worker(worker),
            Fact::Noted(note) => self.note(note),
        };
    }

    fn note(&mut self, note: Note) -> &mut Self {
        match note {
            Note::QueueCreated { queue } => self.event("queue_created").queue(queue),
            Note::QueueOwned { queue, worker, epoch, why } => {
                self.event("queue_owned").queue(queue).worker(worker).epoch(epoch).why(reason_name(why))
            }
            Note::QueueRevoking { queue, worker, why } => {
                self.event("queue_revoking").queue(queue).worker(worker).why(reason_name(why))
            }
            Note::QueueOrphaned { queue, worker, lease_ends } => {
                self.event("queue_orphaned").queue(queue).worker(worker).until("lease_ends", Some(lease_ends))
            }
            Note::QueueVacant { queue } => self.event("queue_vacant").queue(queue),
            Note::QueueDraining { queue } => self.event("queue_draining").queue(queue),
            Note::QueueRevived { queue } => self.event("queue_revived").queue(queue),
            Note::QueueDeleted { queue } => self.event("queue_deleted").queue(queue),
            Note::Placed { task, queue } => self.event("placed").task(task).queue(queue),
            Note::Parked { task, why } => match why {
                ParkReason::BehindParked(other) => {
                    let other = json!(self.labels.task(other));
                    self.event("parked").task(task).why("behind_parked").put("behind", other)
                }
                ParkReason::Split(one, other) => {
                    let queues = json!([one.to_string(), other.to_string()]);
                    self.event("parked").task(task).why("split").put("queues", queues)
                }
                ParkReason::AtMax => self.event("parked").task(task).why("at_max"),
                ParkReason::InLine => self.event("parked").task(task).why("in_line"),
            },
            Note::Requeued { task, lost } => self.event("requeued").task(task).put("lost", json!(lost)),
            Note::WorkerLost { worker } => self.event("worker_lost").worker(worker),
        }
    }
}

fn answer_name(answer: EffectAnswer) -> &'static str {
    match answer {
        EffectAnswer::Accepted => "accepted",
        EffectAnswer::Refused => "refused",
        EffectAnswer::AlreadyDone => "already_done",
    }
}

fn exit_name(exit: Exit) -> &'static str {
    match exit {
        Exit::Left => "left",
        Exit::Crashed => "crashed",
        Exit::Killed => "killed",
    }
}

fn end_name(end: AttemptEnd) -> &'static str {
    match end {
        AttemptEnd::Completed => "completed",
        AttemptEnd::Failed => "failed",
        AttemptEnd::SelfFenced => "self_fenced",
        AttemptEnd::Aborted => "aborted",
        AttemptEnd::Died => "died",
    }
}

fn reason_name(why: GrantReason) -> &'static str {
    match why {
        GrantReason::Vacant => "vacant",
        GrantReason::Relief => "relief",
        GrantReason::Balance => "balance",
        GrantReason::Quiesce => "quiesce",
        GrantReason::Deletion => "deletion",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ResourceId, Span};

    #[test]
    fn a_fact_is_a_line_with_names_and_seconds() {
        let labels = Labels {
            classes: ["sync".to_owned()].into_iter().collect(),
            resources: ["repo \"1\"".to_owned()].into_iter().collect(),
            ..Labels::default()
        };
        let claims = [Claim::exclusive(ResourceId(0)), Claim::shared(ResourceId(4))];
        let service = Span::from_millis(1500);
        let submitted = Fact::Submitted { task: TaskId(7), class: ClassId(0), claims: &claims, service };
        let owned =
            Note::QueueOwned { queue: QueueId(1), worker: WorkerId(1), epoch: Epoch(2), why: GrantReason::Vacant };
        let mut out = Vec::new();
        let mut events = Events::new(&labels, &mut out);
        events.on(Time::from_micros(250_001), &submitted);
        events.on(Time::from_secs(30), &Fact::Noted(owned));
        events.finish().unwrap();
        let expected = r#"{"at":0.250001,"event":"submitted","task":"t8","class":"sync","exclusive":["repo \"1\""],"shared":["r5"],"service":1.5}
{"at":30.0,"event":"queue_owned","queue":"q1","worker":"w2","epoch":2,"why":"vacant"}
"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
