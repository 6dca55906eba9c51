//! Runs the replications of a scenario on any number of threads; what comes out never depends on how many.
//!
//! Threads take replications in rising order, so that an interrupted experiment keeps a run of finished replications
//! from the first one on.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::precision;
use super::stats::Estimate;
use crate::base::mix::mix;
use crate::base::{Span, Time};
use crate::engine::{EngineFactory, Guarantees};
use crate::fact::{Choice, Fact, Observe};
use crate::observe::{Observation, Observer};
use crate::scenario::Scenario;
use crate::world;

pub(crate) use super::settings::settings;

/// Facts between two looks at the shared progress: rare enough to cost nothing, often enough to stop at once.
const FACTS_PER_LOOK: u32 = 1 << 12;

/// How far an experiment is, for whoever watches from another thread, and the way to stop it.
#[derive(Debug, Default)]
pub struct Progress {
    stop: AtomicBool,
    finished: AtomicU32,
    simulated_micros: AtomicU64,
}

impl Progress {
    /// Asks the experiment to end with what is finished.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }
    /// Whether it was asked to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
    /// Replications that are finished.
    pub fn finished(&self) -> u32 {
        self.finished.load(Ordering::Relaxed)
    }
    /// Simulated time so far, over all replications; [`total_span`] when all are finished.
    pub fn simulated(&self) -> Span {
        Span::from_micros(self.simulated_micros.load(Ordering::Relaxed))
    }
}

/// The simulated time of all replications of a scenario.
pub fn total_span(scenario: &Scenario) -> Span {
    Span::from_micros(run_micros(scenario).saturating_mul(u64::from(scenario.run.replications)))
}

fn run_micros(scenario: &Scenario) -> u64 {
    scenario.run.horizon.saturating_add(scenario.run.drain).micros()
}

/// What the replications of a scenario gave.
#[derive(Debug)]
pub struct Results {
    /// The engine's name.
    pub engine: String,
    /// What it promised.
    pub guarantees: Guarantees,
    /// One per finished replication, in order from replication 0.
    pub observations: Vec<Observation>,
    /// Over the facts of all of them; of one replication: its own digest.
    pub digest: u128,
    /// Calendar events of all of them.
    pub events: u64,
    /// Whether every replication is there.
    pub complete: bool,
}

/// How to run replications.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// On so many threads (at least one).
    pub jobs: usize,
    /// Whether the first one records its timeline, for charts.
    pub timeline: bool,
}

/// Runs the scenario's replications: all of them, or as many as its precision asks for.
///
/// # Panics
/// If a replication does: the first message says which one.
pub fn replicate(scenario: &Scenario, factory: &dyn EngineFactory, options: Options, progress: &Progress) -> Results {
    let mut done: Vec<(Observation, u64)> = Vec::new();
    let mut wanted = precision::first_round(&scenario.run);
    loop {
        let first = u32::try_from(done.len()).expect("replications are counted in u32");
        let run = |replication| Run { scenario, factory, replication, timeline: options.timeline && replication == 0 };
        done.extend(run_in_order(&(first..wanted).map(run).collect::<Vec<_>>(), options.jobs, progress));
        if done.len() < wanted as usize {
            return results(factory, scenario, done, false);
        }
        match precision::next_round(&scenario.run, wanted) {
            Some(more) if !is_precise(&scenario.run, &done) => wanted = more,
            Some(_) | None => return results(factory, scenario, done, true),
        }
    }
}

fn is_precise(run: &crate::scenario::Run, done: &[(Observation, u64)]) -> bool {
    let Some(it) = &run.precision else { return true };
    let values: Vec<f64> = done.iter().filter_map(|(one, _)| precision::value(it, one)).collect();
    let estimate = Estimate::of(&values, run.confidence);
    precision::is_met(estimate.as_ref(), it.relative, estimate.map_or(0.0, |it| it.mean))
}

/// What these finished replications of a scenario amount to.
pub(crate) fn results(
    factory: &dyn EngineFactory,
    scenario: &Scenario,
    done: Vec<(Observation, u64)>,
    complete: bool,
) -> Results {
    let (observations, events): (Vec<_>, Vec<_>) = done.into_iter().unzip();
    Results {
        engine: factory.name().to_owned(),
        guarantees: factory.guarantees(scenario.detection),
        digest: combined(&observations),
        events: events.iter().sum(),
        complete,
        observations,
    }
}

/// One replication of one scenario.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The scenario.
    pub scenario: &'a Scenario,
    /// Its engine.
    pub factory: &'a dyn EngineFactory,
    /// Which replication.
    pub replication: u32,
    /// Whether it records its timeline.
    pub timeline: bool,
}

/// Runs them on so many threads; observations and numbers of events come in order, up to the first that was stopped.
pub(crate) fn run_in_order(runs: &[Run<'_>], jobs: usize, progress: &Progress) -> Vec<(Observation, u64)> {
    let mut all = Vec::with_capacity(runs.len());
    run_each(runs, jobs, progress, |_, observation, events| all.push((observation, events)));
    all
}

/// Runs them on so many threads and hands each over as soon as all before it are handed over: its place, its
/// observation, its number of events. Nothing comes after the first that was stopped.
pub fn run_each(runs: &[Run<'_>], jobs: usize, progress: &Progress, take: impl FnMut(usize, Observation, u64) + Send) {
    let done = Mutex::new(InOrder { next: 0, early: BTreeMap::new(), take });
    let next = AtomicUsize::new(0);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs.clamp(1, runs.len().max(1)));
    pool.build().expect("threads can be started").broadcast(|_| {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(run) = runs.get(index).filter(|_| !progress.is_stopped()) else { return };
            let Some(finished) = one(run, progress) else { return };
            done.lock().expect("no thread panics while it hands over").put(index, finished);
        }
    });
}

/// Puts what is finished back in order.
struct InOrder<F> {
    next: usize,
    early: BTreeMap<usize, (Observation, u64)>,
    take: F,
}

impl<F: FnMut(usize, Observation, u64)> InOrder<F> {
    fn put(&mut self, index: usize, finished: (Observation, u64)) {
        self.early.insert(index, finished);
        while let Some((observation, events)) = self.early.remove(&self.next) {
            (self.take)(self.next, observation, events);
            self.next += 1;
        }
    }
}

/// One replication on its own: what [`replicate`] observes of it, without its timeline.
///
/// # Panics
/// If the replication does.
pub fn replicate_one(scenario: &Scenario, factory: &dyn EngineFactory, replication: u32) -> Observation {
    let run = Run { scenario, factory, replication, timeline: false };
    one(&run, &Progress::default()).expect("nobody stops it").0
}

/// One digest of those of many; of one: its own.
pub fn combined(observations: &[Observation]) -> u128 {
    if let [only] = observations {
        return only.digest;
    }
    let words: Vec<u64> = observations.iter().flat_map(|it| [(it.digest >> 64) as u64, it.digest as u64]).collect();
    u128::from(mix(0, &words)) << 64 | u128::from(mix(1, &words))
}

/// One replication; `None` if it was stopped.
fn one(run: &Run<'_>, progress: &Progress) -> Option<(Observation, u64)> {
    let Run { scenario, factory, replication, .. } = *run;
    let guarantees = factory.guarantees(scenario.detection);
    let observer = Observer::new(settings(scenario, &guarantees, run.timeline));
    let mut watched = Watched { observer, progress, seen: Time::ZERO, countdown: FACTS_PER_LOOK };
    let run = catch_unwind(AssertUnwindSafe(|| world::simulate(scenario, factory, replication, &mut watched)));
    let stats = match run {
        Ok(stats) => stats,
        Err(cause) if cause.is::<Stopped>() => return None,
        Err(cause) => {
            // The threads are about to be joined: only one of them may go on, and the others need not finish.
            progress.stop();
            resume_unwind(Box::new(ReplicationPanic { replication, message: text_of(&*cause) }));
        }
    };
    let rest = run_micros(scenario).saturating_sub(watched.seen.micros());
    progress.simulated_micros.fetch_add(rest, Ordering::Relaxed);
    progress.finished.fetch_add(1, Ordering::Relaxed);
    Some((watched.observer.finish(stats.ended_at), stats.events))
}

/// What a panic inside a replication is passed on as.
#[derive(Debug)]
pub struct ReplicationPanic {
    /// In which replication.
    pub replication: u32,
    /// What the panic said.
    pub message: String,
}

/// The text of a panic's payload.
pub fn text_of(cause: &(dyn std::any::Any + Send)) -> String {
    cause
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| cause.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// Unwinds a run that was stopped; never seen outside this file.
struct Stopped;

/// Passes facts on, tells how far the run is, and ends it when it is asked to.
struct Watched<'a> {
    observer: Observer,
    progress: &'a Progress,
    seen: Time,
    countdown: u32,
}

impl Observe for Watched<'_> {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.countdown -= 1;
        // Nothing is done after either call: no frame, as nearly every fact needs none.
        if self.countdown == 0 { self.look(now, fact) } else { self.observer.on(now, fact) }
    }

    fn chose(&mut self, now: Time, choice: Choice) {
        self.observer.chose(now, choice);
    }
}

impl Watched<'_> {
    #[cold]
    fn look(&mut self, now: Time, fact: &Fact<'_>) {
        self.countdown = FACTS_PER_LOOK;
        self.progress.simulated_micros.fetch_add(now.since(self.seen).micros(), Ordering::Relaxed);
        self.seen = now;
        if self.progress.is_stopped() {
            resume_unwind(Box::new(Stopped));
        }
        self.observer.on(now, fact);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_panic_is_kept() {
        let caught = catch_unwind(|| resume_unwind(Box::new(format!("a queue was lost: q{}", 7)))).unwrap_err();
        assert_eq!(text_of(&*caught), "a queue was lost: q7");
    }
}
