//! Every metric of `base::names::METRICS`, from the ledger. Integrals and sums are whole numbers, so that the identities
//! (worker time, sojourns, reasons of waiting) hold exactly and are checked in every run.

use std::collections::BTreeMap;

use super::areas::Areas;
use super::histogram::Distribution;
use super::ledger::{Doing, FirstStart, Ledger, REASONS, Reasons, Step, TaskRec};
use super::oracle::Oracle;
use super::{RankRow, Settings, WAIT_SHARES, WorkerTime};
use crate::base::names::{METRICS, metric_named};
use crate::base::{Claim, ClassId, IdVec, Note, Outcome, Property, ResourceId, Span, Time};
use crate::fact::{EffectAnswer, Fact};

/// At most so many resources are listed by rank.
const RANKS: usize = 20;

/// Metrics by name and class.
pub(crate) type Values = BTreeMap<(&'static str, Option<ClassId>), f64>;

/// What a run amounted to.
pub(crate) struct Finished {
    pub(crate) values: Values,
    pub(crate) sample_sizes: BTreeMap<(&'static str, Option<ClassId>), u64>,
    pub(crate) unstarted: u64,
    pub(crate) wait_quantiles: Vec<f64>,
    pub(crate) ranks: Vec<RankRow>,
}

#[derive(Clone, Default, Debug)]
struct ClassStats {
    wait: Distribution,
    response: Distribution,
    /// In thousandths.
    slowdown: Distribution,
    slowdown_micros: u128,
    slowdown_max: u64,
    reasons: [u128; REASONS.len()],
    submitted: u64,
    outcomes: [u64; 3],
    requeued: u64,
    unfinished: u64,
    lost: u64,
    /// Completed ones among those submitted in the window.
    completed_in_window: u64,
}

#[derive(Default, Debug)]
struct Churn {
    created: u64,
    deleted: u64,
    moved: u64,
}

#[derive(Clone, Copy, Default, Debug)]
struct ResourceStats {
    tasks: u64,
    started: u64,
    wait_micros: u64,
}

/// What is measured in one run.
#[derive(Debug)]
pub(crate) struct Metrics {
    from: Time,
    to: Time,
    classes: IdVec<ClassId, ClassStats>,
    resources: IdVec<ResourceId, ResourceStats>,
    areas: Areas,
    churn: Churn,
    effects_refused: u64,
    effects_already_done: u64,
    /// Time of workers that are gone, in the window.
    gone_micros: u128,
    /// Over the whole run: the sojourns of settled tasks, µs.
    sojourns: u128,
    /// The first wait that was not the sum of its reasons.
    unexplained: Option<String>,
}

impl Metrics {
    pub(crate) fn new(settings: &Settings) -> Self {
        Metrics {
            from: settings.warm_up,
            to: settings.horizon,
            classes: (0..settings.classes).map(|_| ClassStats::default()).collect(),
            resources: (0..settings.resources).map(|_| ResourceStats::default()).collect(),
            areas: Areas::new(settings.warm_up, settings.horizon),
            churn: Churn::default(),
            effects_refused: 0,
            effects_already_done: 0,
            gone_micros: 0,
            sojourns: 0,
            unexplained: None,
        }
    }

    fn in_window(&self, at: Time) -> bool {
        self.from <= at && at < self.to
    }

    fn clipped(&self, from: Time, to: Time) -> u64 {
        to.min(self.to).saturating_since(from.max(self.from)).micros()
    }

    /// The world stood as it is in the ledger until `to`.
    #[inline(always)]
    pub(crate) fn advance(&mut self, to: Time, ledger: &Ledger) {
        self.areas.advance(to, ledger);
    }

    /// Takes in a fact that not every task brings and that happens at `now`, before the ledger does.
    pub(crate) fn enter(&mut self, now: Time, fact: &Fact<'_>, ledger: &Ledger) {
        match *fact {
            Fact::Noted(Note::Requeued { task, .. }) => {
                if let Some(rec) = ledger.tasks.get(task) {
                    self.classes.grow_to(rec.class).requeued += 1;
                }
            }
            Fact::Noted(Note::QueueCreated { .. }) => {
                self.churn.created += u64::from(self.in_window(now) && now > Time::ZERO);
            }
            Fact::Noted(Note::QueueDeleted { .. }) => self.churn.deleted += u64::from(self.in_window(now)),
            _ => {}
        }
    }

    /// Takes in what the ledger did with a fact that happened at `now`.
    #[inline(always)]
    pub(crate) fn after(&mut self, now: Time, step: &Step) {
        match *step {
            Step::Gone { arrived } => self.gone_micros += u128::from(self.clipped(arrived, now)),
            Step::Owned { moved } => self.churn.moved += u64::from(moved && self.in_window(now)),
            Step::Other => {}
        }
    }

    /// A task was submitted.
    #[inline(always)]
    pub(crate) fn submitted(&mut self, now: Time, class: ClassId, claims: &[Claim]) {
        self.classes.grow_to(class).submitted += 1;
        if self.in_window(now) {
            for claim in claims {
                self.resources.grow_to(claim.resource).tasks += 1;
            }
        }
    }

    /// The store answered an effect.
    #[inline(always)]
    pub(crate) fn effect(&mut self, answer: EffectAnswer) {
        self.effects_refused += u64::from(answer == EffectAnswer::Refused);
        self.effects_already_done += u64::from(answer == EffectAnswer::AlreadyDone);
    }

    /// A task started for the first time.
    #[inline(always)]
    pub(crate) fn first_start(&mut self, now: Time, FirstStart { rec, waited }: FirstStart<'_>) {
        let wait = now.since(rec.submitted);
        if waited.iter().sum::<u64>() != wait.micros() {
            self.cannot_explain(wait, waited);
        }
        if !self.in_window(rec.submitted) {
            return;
        }
        let class = self.classes.grow_to(rec.class);
        class.wait.add(wait.micros());
        for (sum, reason) in class.reasons.iter_mut().zip(waited) {
            *sum += u128::from(reason);
        }
        for claim in &rec.claims {
            let resource = self.resources.grow_to(claim.resource);
            resource.started += 1;
            resource.wait_micros += wait.micros();
        }
    }

    #[cold]
    fn cannot_explain(&mut self, wait: Span, reasons: Reasons) {
        let sentence = || format!("a task waited {wait}, and its reasons {reasons:?} do not add up to it");
        self.unexplained.get_or_insert_with(sentence);
    }

    /// A task is settled.
    #[inline(always)]
    pub(crate) fn settled(&mut self, now: Time, rec: &TaskRec, outcome: Outcome) {
        let response = now.since(rec.submitted);
        self.sojourns += u128::from(response.micros());
        let (is_of_window, is_in_window) = (self.in_window(rec.submitted), self.in_window(now));
        let class = self.classes.grow_to(rec.class);
        class.outcomes[outcome as usize] += 1;
        if outcome == Outcome::Completed {
            class.completed_in_window += u64::from(is_in_window);
            if is_of_window {
                class.complete(response, rec.service);
            }
        }
    }

    /// All worker time in the window by state, and counted on its own.
    pub(crate) fn worker_time(&self, ledger: &Ledger) -> WorkerTime {
        let micros = |area: u128| u64::try_from(area).expect("worker time fits 64 bits");
        let living = ledger.workers.values().filter(|rec| rec.doing() != Doing::Gone);
        let total =
            self.gone_micros + living.map(|rec| u128::from(self.clipped(rec.arrived, ledger.now))).sum::<u128>();
        let sums = self.areas.in_window(ledger);
        WorkerTime {
            starting: micros(sums.starting),
            busy: micros(sums.busy),
            paused: micros(sums.paused),
            idle_avoidable: micros(sums.idle_avoidable),
            idle_unavoidable: micros(sums.idle_unavoidable),
            total: micros(total),
        }
    }

    /// The identities that must hold at any instant.
    pub(crate) fn audit(&self, ledger: &Ledger) -> Result<(), String> {
        if let Some(sentence) = &self.unexplained {
            return Err(sentence.clone());
        }
        let unfinished = ledger.tasks.iter().map(|(_, rec)| u128::from(ledger.now.since(rec.submitted).micros()));
        let sojourns = self.sojourns + unfinished.sum::<u128>();
        let in_system = ledger.tally.in_system.area(ledger.now);
        if sojourns != in_system {
            return Err(format!("tasks in the system add up to {in_system} µs, and their sojourns to {sojourns} µs"));
        }
        let time = self.worker_time(ledger);
        let states = time.starting + time.busy + time.paused + time.idle_avoidable + time.idle_unavoidable;
        if states != time.total {
            return Err(format!("the states of workers add up to {states} µs of {} µs", time.total));
        }
        Ok(())
    }

    /// All metrics at the end of the run. One without data is absent.
    pub(crate) fn finish(mut self, ledger: &Ledger, oracle: &Oracle) -> Finished {
        for (_, rec) in ledger.tasks.iter() {
            self.classes.grow_to(rec.class).unfinished += 1;
        }
        for task in oracle.no_loss.lost() {
            self.classes[ledger.tasks[*task].class].lost += 1;
        }
        let window = Window(self.clipped(Time::ZERO, ledger.now));
        let mut values = Values::new();
        let mut sample_sizes = BTreeMap::new();
        let mut all = ClassStats::default();
        for (id, class) in self.classes.iter() {
            class.write(&mut values, Some(id), window);
            class.count(&mut sample_sizes, Some(id));
            all.merge(class);
        }
        all.write(&mut values, None, window);
        all.count(&mut sample_sizes, None);
        self.write_workers(&mut values, ledger, window);
        self.write_queues(&mut values, ledger, window);
        put(&mut values, "overlap_seconds", None, Some(oracle.exclusion.total().as_secs_f64()));
        put(&mut values, "effects.refused", None, Some(self.effects_refused as f64));
        put(&mut values, "effects.already_done", None, Some(self.effects_already_done as f64));
        for metric in METRICS {
            let property = metric.name.strip_prefix("violations.").and_then(|name| name.parse::<Property>().ok());
            let count = property.map(|property| oracle.docket.counts[property.index()] as f64);
            put(&mut values, metric.name, None, count);
        }
        let wait_quantiles = all.wait.quantiles(WAIT_SHARES).into_iter().flatten().map(|micros| micros / 1e6).collect();
        let unstarted = |rec: &TaskRec| rec.starts == 0 && self.in_window(rec.submitted);
        let unstarted = ledger.tasks.iter().filter(|(_, rec)| unstarted(rec)).count() as u64;
        Finished { values, sample_sizes, unstarted, wait_quantiles, ranks: self.ranks() }
    }

    fn write_workers(&self, values: &mut Values, ledger: &Ledger, window: Window) {
        let time = self.worker_time(ledger);
        let share = |micros: u64| (time.total > 0).then(|| micros as f64 / time.total as f64);
        for (name, micros) in [
            ("worker.utilisation", time.busy),
            ("worker.idle_avoidable", time.idle_avoidable),
            ("worker.idle_unavoidable", time.idle_unavoidable),
            ("worker.idle", time.idle_avoidable + time.idle_unavoidable),
            ("worker.paused", time.paused),
            ("worker.starting", time.starting),
        ] {
            put(values, name, None, share(micros));
        }
        put(values, "workers.mean", None, window.mean(time.total.into()));
        let sums = self.areas.in_window(ledger);
        put(values, "backlog.mean", None, window.mean(sums.waiting));
        put(values, "backlog.max", None, window.mean(0).map(|_| self.areas.backlog_max() as f64));
        put(values, "runnable.mean", None, window.mean(sums.runnable));
        put(values, "parked.mean", None, window.mean(sums.parked));
    }

    fn write_queues(&self, values: &mut Values, ledger: &Ledger, window: Window) {
        let Churn { created, deleted, moved } = self.churn;
        for (name, count) in [
            ("queue.created", created),
            ("queue.deleted", deleted),
            ("queue.moved", moved),
            ("queue.churn", created + deleted + moved),
        ] {
            put(values, name, None, window.per_second(count).map(|rate| rate * 3600.0));
        }
        let sums = self.areas.in_window(ledger);
        let range = self.areas.queues_range();
        put(values, "queue.count.mean", None, window.mean(sums.queues));
        put(values, "queue.count.min", None, range.map(|(low, _)| low as f64));
        put(values, "queue.count.max", None, range.map(|(_, high)| high as f64));
        let nonempty: u128 = sums.nonempty.iter().sum();
        let [_, orphaned, vacant] = sums.nonempty.map(|area| (nonempty > 0).then(|| area as f64 / nonempty as f64));
        put(values, "queue.orphaned", None, orphaned);
        put(values, "queue.vacant", None, vacant);
    }

    fn ranks(&self) -> Vec<RankRow> {
        let mut ranks: Vec<_> = self.resources.iter().filter(|(_, stats)| stats.tasks > 0).collect();
        ranks.sort_by_key(|(resource, stats)| (std::cmp::Reverse(stats.tasks), *resource));
        ranks.truncate(RANKS);
        let row = |(resource, stats): (ResourceId, &ResourceStats)| RankRow {
            resource,
            tasks: stats.tasks,
            wait_mean: if stats.started == 0 { 0.0 } else { stats.wait_micros as f64 / stats.started as f64 / 1e6 },
        };
        ranks.into_iter().map(row).collect()
    }
}

/// The length of the window that was observed, µs.
#[derive(Clone, Copy)]
struct Window(u64);

impl Window {
    fn mean(self, area: u128) -> Option<f64> {
        (self.0 > 0).then(|| area as f64 / self.0 as f64)
    }
    fn per_second(self, count: u64) -> Option<f64> {
        (self.0 > 0).then(|| count as f64 / (self.0 as f64 / 1e6))
    }
}

impl ClassStats {
    #[inline(always)]
    fn complete(&mut self, response: Span, service: Span) {
        self.response.add(response.micros());
        if service.is_zero() {
            return;
        }
        let (response, service) = (response.micros(), service.micros());
        let micros = match response.checked_mul(1_000_000) {
            Some(scaled) => scaled / service,
            None => u64::try_from(u128::from(response) * 1_000_000 / u128::from(service)).unwrap_or(u64::MAX),
        };
        self.slowdown.add(micros / 1000);
        self.slowdown_micros += u128::from(micros);
        self.slowdown_max = self.slowdown_max.max(micros);
    }

    fn merge(&mut self, other: &ClassStats) {
        self.wait.merge(&other.wait);
        self.response.merge(&other.response);
        self.slowdown.merge(&other.slowdown);
        self.slowdown_micros += other.slowdown_micros;
        self.slowdown_max = self.slowdown_max.max(other.slowdown_max);
        for (sum, reason) in self.reasons.iter_mut().zip(other.reasons) {
            *sum += reason;
        }
        for (sum, count) in self.outcomes.iter_mut().zip(other.outcomes) {
            *sum += count;
        }
        self.submitted += other.submitted;
        self.requeued += other.requeued;
        self.unfinished += other.unfinished;
        self.lost += other.lost;
        self.completed_in_window += other.completed_in_window;
    }

    fn count(&self, sizes: &mut BTreeMap<(&'static str, Option<ClassId>), u64>, class: Option<ClassId>) {
        for (name, distribution) in [("wait", &self.wait), ("response", &self.response), ("slowdown", &self.slowdown)] {
            sizes.insert((name, class), distribution.count());
        }
    }

    fn write(&self, values: &mut Values, class: Option<ClassId>, window: Window) {
        for (name, distribution, scale) in
            [("wait", &self.wait, 1e6), ("response", &self.response, 1e6), ("slowdown", &self.slowdown, 1e3)]
        {
            let quantiles = distribution.quantiles([0.5, 0.9, 0.95, 0.99]);
            for (suffix, value) in ["p50", "p90", "p95", "p99"].into_iter().zip(quantiles) {
                put(values, &format!("{name}.{suffix}"), class, value.map(|value| value / scale));
            }
            if name != "slowdown" {
                put(values, &format!("{name}.mean"), class, distribution.mean().map(|value| value / scale));
                put(values, &format!("{name}.max"), class, distribution.max().map(|value| value / scale));
            }
        }
        if self.slowdown.count() > 0 {
            let mean = self.slowdown_micros as f64 / self.slowdown.count() as f64 / 1e6;
            put(values, "slowdown.mean", class, Some(mean));
            put(values, "slowdown.max", class, Some(self.slowdown_max as f64 / 1e6));
        }
        for (name, sum) in REASONS.iter().zip(self.reasons) {
            let started = self.wait.count();
            put(values, name, class, (started > 0).then(|| sum as f64 / started as f64 / 1e6));
        }
        put(values, "throughput", class, window.per_second(self.completed_in_window));
        let [completed, failed, cancelled] = self.outcomes;
        for (name, count) in [
            ("tasks.submitted", self.submitted),
            ("tasks.completed", completed),
            ("tasks.failed", failed),
            ("tasks.cancelled", cancelled),
            ("tasks.requeued", self.requeued),
            ("tasks.unfinished", self.unfinished),
            ("tasks.lost", self.lost),
        ] {
            put(values, name, class, Some(count as f64));
        }
    }
}

fn put(values: &mut Values, name: &str, class: Option<ClassId>, value: Option<f64>) {
    if let Some(value) = value {
        let metric = metric_named(name).expect("every metric is listed in base::names");
        values.insert((metric.name, class), value);
    }
}
