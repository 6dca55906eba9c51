//! The one observer of a run: digest, ledger, oracle, metrics, samples and timeline, fed with every fact once.

use super::digest::Digest;
use super::ledger::Ledger;
use super::metrics::{Finished, Metrics};
use super::oracle::Oracle;
use super::probes::Probes;
use super::samples::Samples;
use super::timeline::Recorder;
use super::{Observation, Settings};
use crate::base::{Note, Probe, Property, Time};
use crate::fact::{Choice, Fact, Observe};

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
}

impl Observer {
    /// An observer before the first fact.
    pub fn new(settings: Settings) -> Self {
        Observer {
            digest: Digest::default(),
            facts: 0,
            ledger: Ledger::default(),
            oracle: Oracle::new(&settings),
            metrics: Metrics::new(&settings),
            probes: Probes::default(),
            samples: Samples::new(&settings),
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
        let Finished { values, sample_sizes, wait_quantiles, ranks } = self.metrics.finish(&self.ledger, &self.oracle);
        let violations = self.oracle.docket.examples;
        Observation {
            digest: self.digest.value(),
            facts: self.facts,
            tasks: self.ledger.submitted,
            metrics: values,
            sample_sizes,
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
    #[inline(always)]
    fn take_in(&mut self, now: Time, fact: &Fact<'_>) {
        self.digest.add(now, fact);
        self.facts += 1;
        if now > self.ledger.now {
            self.advance(now);
        }
        let known = self.ledger.known(now, fact);
        self.oracle.judge(now, fact, &known, &self.ledger);
        self.probes.enter(now, fact, &known, &self.ledger);
        self.metrics.enter(now, fact, &known, &self.ledger);
        self.samples.note(fact, &known);
        let step = self.ledger.apply(fact);
        self.metrics.after(now, &step);
        if let Some(recorder) = &mut self.recorder {
            recorder.enter(now, fact);
        }
    }

    fn other(&mut self, now: Time, fact: &Fact<'_>) {
        self.take_in(now, fact);
    }
}

/// The facts that every task brings have a function each: the kind of fact is known in it, and every match on it folds.
/// All others share one.
macro_rules! apart {
    ($($name:ident: $kind:pat),+ $(,)?) => {
        impl Observer {
            $(fn $name(&mut self, now: Time, fact: &Fact<'_>) {
                if let $kind = fact {
                    self.take_in(now, fact);
                }
            })+

            #[inline(always)]
            fn sort(&mut self, now: Time, fact: &Fact<'_>) {
                match fact {
                    $($kind => self.$name(now, fact),)+
                    _ => self.other(now, fact),
                }
            }
        }
    };
}

apart! {
    submitted: Fact::Submitted { .. },
    placed: Fact::Noted(Note::Placed { .. }),
    started: Fact::Started { .. },
    ended: Fact::Ended { .. },
    effect: Fact::Effect { .. },
    reported: Fact::Reported { .. },
    settled: Fact::Settled { .. },
}

impl Observe for Observer {
    #[inline(always)]
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.sort(now, fact);
    }

    #[inline(always)]
    fn chose(&mut self, now: Time, choice: Choice) {
        if let Some(recorder) = &mut self.recorder {
            recorder.chose(now, choice);
        }
    }
}
