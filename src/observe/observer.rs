//! The one observer of a run: digest, ledger, oracle, metrics, samples and timeline, fed with every fact once.

use super::digest::Digest;
use super::ledger::{Attempt, Begun, Ledger};
use super::metrics::{Finished, Metrics};
use super::oracle::{Accepted, Oracle, Start};
use super::probes::Probes;
use super::samples::Samples;
use super::timeline::Recorder;
use super::{Observation, Settings};
use crate::base::{Note, Probe, Property, Time};
use crate::fact::{Choice, EffectAnswer, Fact, Observe};

/// Reads the facts of one run and says what they amount to.
#[derive(Debug)]
pub struct Observer {
    digest: Digest,
    facts: u64,
    ledger: Ledger,
    oracle: Oracle,
    metrics: Metrics,
    probes: Probes,
    samples: Samples,
    recorder: Option<Recorder>,
    /// Whether outcomes of single tasks are asked for, or a timeline: most runs have neither.
    looks_closer: bool,
}

impl Observer {
    /// An observer before the first fact.
    pub fn new(settings: Settings) -> Self {
        let samples = Samples::new(&settings);
        Observer {
            looks_closer: settings.timeline || samples.asks_of_outcomes(),
            digest: Digest::default(),
            facts: 0,
            ledger: Ledger::default(),
            oracle: Oracle::new(&settings),
            metrics: Metrics::new(&settings),
            probes: Probes::default(),
            samples,
            recorder: settings.timeline.then(Recorder::default),
        }
    }

    /// The digest of the facts so far.
    pub fn digest(&self) -> u128 {
        self.digest.value()
    }

    /// The identities that hold at any instant: tasks in the system against their sojourns, worker time against its
    /// states, waits against their reasons.
    pub fn audit(&self) -> Result<(), String> {
        self.metrics.audit(&self.ledger)
    }

    /// How many tasks the observer remembers: those that are not settled.
    pub fn unsettled(&self) -> usize {
        self.ledger.tasks.len()
    }

    #[inline(always)]
    fn advance(&mut self, to: Time) {
        self.metrics.advance(to, &self.ledger);
        self.oracle.advance(to, &self.ledger);
        self.probes.advance(&self.ledger);
        self.samples.advance(to, false, &self.ledger);
        self.ledger.advance(to);
    }

    /// Ends the observation at `end`, or at the last fact where that is later.
    ///
    /// # Panics
    /// If the books do not balance: that is an error of this crate, and no result of such a run is worth anything.
    pub fn finish(mut self, end: Time) -> Observation {
        let end = end.max(self.ledger.now);
        if end > self.ledger.now {
            self.advance(end);
        }
        self.samples.advance(end, true, &self.ledger);
        self.oracle.finish(&self.ledger);
        if self.oracle.docket.counts[Property::Exclusion.index()] > 0 {
            self.probes.hit.hit(Probe::Overlap);
        }
        if let Err(sentence) = self.audit() {
            panic!("the observer's books do not balance: {sentence}");
        }
        let worker_time = self.metrics.worker_time(&self.ledger);
        let Finished { values, sample_sizes, unstarted, wait_quantiles, ranks } =
            self.metrics.finish(&self.ledger, &self.oracle);
        let violations = self.oracle.docket.examples;
        Observation {
            digest: self.digest.value(),
            facts: self.facts,
            tasks: self.ledger.submitted,
            metrics: values,
            sample_sizes,
            unstarted,
            wait_quantiles,
            ranks,
            violation_counts: self.oracle.docket.counts,
            assumption_broken: self.oracle.docket.outside,
            timeline: self.recorder.map(|recorder| recorder.finish(end, &violations)),
            violations,
            probes: self.probes.hit,
            worker_time,
            series: self.samples.series,
            states: self.samples.states,
            starts: self.samples.starts,
        }
    }
}

impl Observer {
    /// Time has moved on, and this is the first fact of the new instant.
    #[inline(never)]
    fn on_later(&mut self, now: Time, fact: &Fact<'_>) {
        self.digest.advance(now);
        self.advance(now);
        self.take(now, fact);
    }

    #[inline(always)]
    fn take(&mut self, now: Time, fact: &Fact<'_>) {
        self.facts += 1;
        if self.looks_closer {
            self.look_closer(now, fact);
        }
        match fact {
            Fact::Submitted { .. } => self.submitted(now, fact),
            Fact::Noted(Note::Placed { .. }) => self.placed(now, fact),
            Fact::Started { .. } => self.started(now, fact),
            Fact::Ended { .. } => self.ended(now, fact),
            Fact::Effect { .. } => self.effect(now, fact),
            Fact::Reported { .. } => self.reported(fact),
            Fact::Settled { .. } => self.settled(now, fact),
            _ => self.other(now, fact),
        }
    }

    #[cold]
    fn look_closer(&mut self, now: Time, fact: &Fact<'_>) {
        self.samples.note(fact);
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(now, fact);
        }
    }
}

/// The facts that every task brings have a function each, in which everybody who has to do with that kind of fact takes
/// part: first who looks at the world as it was before, then the ledger, then who looks at what it made of it. All others
/// share one. Each adds the fact to the digest itself, for there its kind is known.
impl Observer {
    #[inline(never)]
    fn submitted(&mut self, now: Time, fact: &Fact<'_>) {
        let Fact::Submitted { task, class, claims, service } = *fact else { return };
        self.digest.add(fact);
        self.oracle.submitted();
        self.metrics.submitted(now, class, claims);
        self.ledger.submit(task, class, claims, service);
    }

    #[inline(never)]
    fn placed(&mut self, now: Time, fact: &Fact<'_>) {
        let Fact::Noted(Note::Placed { task, queue }) = *fact else { return };
        self.digest.add(fact);
        if self.ledger.place(task, queue) {
            self.oracle.placed_apart(now, task, queue, &self.ledger);
        }
    }

    #[inline(never)]
    fn started(&mut self, now: Time, fact: &Fact<'_>) {
        let Fact::Started { task, worker, queue, epoch, ticket } = *fact else { return };
        self.digest.add(fact);
        let start = Start::new(now, task, worker, queue, ticket, &self.ledger);
        self.oracle.started(&start, &self.ledger);
        self.probes.started(&start, &self.ledger);
        let Begun { first, is_beside } = self.ledger.start(Attempt::new(task, ticket, queue, epoch), worker);
        if let Some(first) = first {
            self.samples.first_start(task);
            self.probes.waited(&first.waited);
            self.metrics.first_start(now, first);
        }
        if is_beside {
            self.oracle.exclusion.started_beside(now, task, worker, ticket, &self.ledger);
        }
    }

    #[inline(never)]
    fn ended(&mut self, now: Time, fact: &Fact<'_>) {
        let Fact::Ended { task, worker, ticket, end } = *fact else { return };
        self.digest.add(fact);
        self.oracle.ended(now, task, worker, ticket, end);
        let over = self.ledger.end(worker, ticket, end);
        self.probes.ended(worker, end, over, &self.ledger);
    }

    #[inline(never)]
    fn effect(&mut self, now: Time, fact: &Fact<'_>) {
        let Fact::Effect { task, worker, queue, epoch, ticket, answer } = *fact else { return };
        self.digest.add(fact);
        self.probes.effect(answer);
        self.metrics.effect(answer);
        match answer {
            EffectAnswer::Accepted => {
                let before = self.ledger.accept(task, queue, epoch);
                self.oracle.accepted(now, &Accepted { task, worker, queue, epoch, before }, &self.ledger);
            }
            EffectAnswer::Refused => self.ledger.refuse(worker, ticket),
            EffectAnswer::AlreadyDone => {}
        }
    }

    #[inline(never)]
    fn reported(&mut self, fact: &Fact<'_>) {
        let Fact::Reported { worker, queue, epoch, ticket, .. } = *fact else { return };
        self.digest.add(fact);
        let is_first = self.ledger.report(worker, ticket);
        self.probes.reported(queue, epoch, is_first, &self.ledger);
    }

    #[inline(never)]
    fn settled(&mut self, now: Time, fact: &Fact<'_>) {
        let Fact::Settled { task, outcome } = *fact else { return };
        self.digest.add(fact);
        let rec = self.ledger.tasks.get(task);
        self.oracle.settled(now, task, outcome, rec, &self.ledger);
        self.probes.settled(outcome);
        if let Some(rec) = rec {
            self.metrics.settled(now, rec, outcome);
        }
        self.ledger.settle(task);
    }

    fn other(&mut self, now: Time, fact: &Fact<'_>) {
        self.digest.add(fact);
        self.oracle.judge(now, fact, &self.ledger);
        self.probes.enter(now, fact, &self.ledger);
        self.metrics.enter(now, fact, &self.ledger);
        let step = self.ledger.apply(fact);
        self.metrics.after(now, &step);
    }
}

impl Observe for Observer {
    // Inlined into whoever passes facts on. Nothing is done after the call, so that a fact costs one.
    #[inline(always)]
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if now > self.ledger.now { self.on_later(now, fact) } else { self.take(now, fact) }
    }

    fn chose(&mut self, now: Time, choice: Choice) {
        if let Some(recorder) = &mut self.recorder {
            recorder.chose(now, choice);
        }
    }
}
