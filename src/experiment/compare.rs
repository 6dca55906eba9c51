//! Systems side by side under common random numbers: every replication gives each of them the same plan, and what is
//! judged is the difference, pair by pair.

use rayon::prelude::*;

use super::precision;
use super::replicate::{Options, Progress, Results, Run, results, run_in_order};
use super::stats::{Paired, Refusal, holm, is_of_begun, refusals, unstarted};
use crate::base::ClassId;
use crate::base::names::{MetricInfo, metric_named};
use crate::engine::EngineFactory;
use crate::observe::Observation;
use crate::scenario::Scenario;
use crate::world::plan_digest;

/// The metrics that are compared where none are named: the family of Holm's correction.
const FAMILY: [&str; 14] = [
    "wait.mean",
    "wait.p95",
    "wait.p99",
    "response.mean",
    "throughput",
    "tasks.failed",
    "tasks.cancelled",
    "tasks.requeued",
    "tasks.unfinished",
    "worker.idle_avoidable",
    "queue.churn",
    "queue.orphaned",
    "violations.exclusion",
    "violations.order",
];

/// A metric, and the class it is taken of (`None`: all).
pub type Measure = (&'static MetricInfo, Option<ClassId>);

/// What is compared where nothing is named.
pub fn default_measures() -> Vec<Measure> {
    FAMILY.iter().map(|name| (metric_named(name).expect("a metric of the list"), None)).collect()
}

/// One of the systems that are compared.
#[derive(Clone, Copy)]
pub struct System<'a> {
    /// Its scenario.
    pub scenario: &'a Scenario,
    /// Its engine.
    pub factory: &'a dyn EngineFactory,
}

/// What the systems gave, in their order; the first is the baseline.
#[derive(Debug)]
pub struct Compared {
    /// Equally many replications of each.
    pub results: Vec<Results>,
    /// Which of them had the plan of the baseline in every replication.
    pub same_plan: Vec<bool>,
}

/// Runs the systems side by side. With a precision in the baseline's scenario: until the interval of every difference in
/// its metric is that narrow against the baseline's mean.
pub fn compare(systems: &[System<'_>], options: Options, progress: &Progress) -> Compared {
    let run = &systems[0].scenario.run;
    let mut done: Vec<Vec<(Observation, u64)>> = systems.iter().map(|_| Vec::new()).collect();
    let mut wanted = precision::first_round(run);
    let complete = loop {
        let first = u32::try_from(done[0].len()).expect("replications are counted in u32");
        let of_all = |replication| {
            let timeline = options.timeline && replication == 0;
            systems.iter().map(move |it| Run { scenario: it.scenario, factory: it.factory, replication, timeline })
        };
        let runs: Vec<Run<'_>> = (first..wanted).flat_map(of_all).collect();
        let mut more = run_in_order(&runs, options.jobs, progress);
        let all = more.len() == runs.len();
        more.truncate(more.len() / systems.len() * systems.len());
        for (index, one) in more.into_iter().enumerate() {
            done[index % systems.len()].push(one);
        }
        match precision::next_round(run, wanted).filter(|_| all) {
            Some(more) if !is_precise(run, &done) => wanted = more,
            Some(_) | None => break all,
        }
    };
    let replications = u32::try_from(done[0].len()).expect("replications are counted in u32");
    let plans: Vec<Vec<u128>> = (0..replications)
        .into_par_iter()
        .map(|replication| systems.iter().map(|it| plan_digest(it.scenario, replication)).collect())
        .collect();
    let same_plan = (0..systems.len()).map(|index| plans.iter().all(|plan| plan[index] == plan[0])).collect();
    let of_one = |(system, done): (&System<'_>, _)| results(system.factory, system.scenario, done, complete);
    Compared { results: systems.iter().zip(done).map(of_one).collect(), same_plan }
}

fn is_precise(run: &crate::scenario::Run, done: &[Vec<(Observation, u64)>]) -> bool {
    let Some(wanted) = &run.precision else { return true };
    let value = |one: &(Observation, u64)| precision::value(wanted, &one.0);
    let mean = super::stats::Estimate::of(&done[0].iter().filter_map(value).collect::<Vec<_>>(), run.confidence);
    let reference = mean.map_or(0.0, |it| it.mean);
    done[1..].iter().all(|other| {
        let pairs = done[0].iter().zip(other).filter_map(|(a, b)| Some((value(a)?, value(b)?)));
        let paired = Paired::of(&pairs.collect::<Vec<_>>(), run.confidence);
        precision::is_met(paired.map(|it| it.difference).as_ref(), wanted.relative, reference)
    })
}

/// How a system does against the baseline in one metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Better, and not by chance.
    Better,
    /// Worse, and not by chance.
    Worse,
    /// Different, and not by chance, in a metric that is neither good nor bad.
    Different,
    /// It may be chance, or there is no difference.
    Inconclusive,
}

impl Standing {
    /// `better`, `worse`, `different` or `inconclusive`.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Better => "better",
            Standing::Worse => "worse",
            Standing::Different => "different",
            Standing::Inconclusive => "inconclusive",
        }
    }
}

/// The difference of a system to the baseline in one metric.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// Which system, by its place in the list; never the baseline.
    pub system: usize,
    /// Which metric.
    pub metric: &'static MetricInfo,
    /// Of which class; `None`: all.
    pub class: Option<ClassId>,
    /// The baseline's mean over the pairs.
    pub baseline_mean: f64,
    /// The differences, other minus baseline.
    pub paired: Paired,
    /// Adjusted for all the tests of the comparison (Holm).
    pub p_holm: f64,
    /// What follows.
    pub standing: Standing,
}

/// The differences of all systems to one of them in these metrics, Holm-corrected over all. A metric that some
/// replication has no value for, or too few for its quantile, is left out.
pub fn differences(
    systems: &[&[Observation]],
    baseline: usize,
    measures: &[Measure],
    confidence: f64,
) -> Vec<Difference> {
    let refused: Vec<_> = systems.iter().map(|it| refusals(it)).collect();
    let mut found = Vec::new();
    for (system, other) in systems.iter().enumerate().filter(|(system, _)| *system != baseline) {
        for (metric, class) in measures.iter().copied() {
            let refusal = Refusal { metric: metric.name, class };
            if refused[baseline].contains(&refusal) || refused[system].contains(&refusal) {
                continue;
            }
            let value = |it: &Observation| it.metrics.get(&(metric.name, class)).copied();
            let pairs: Option<Vec<_>> =
                systems[baseline].iter().zip(other.iter()).map(|(a, b)| Some((value(a)?, value(b)?))).collect();
            let Some(pairs) = pairs else { continue };
            let Some(paired) = Paired::of(&pairs, confidence) else { continue };
            let baseline_mean = pairs.iter().map(|pair| pair.0).sum::<f64>() / pairs.len() as f64;
            let standing = Standing::Inconclusive;
            found.push(Difference { system, metric, class, baseline_mean, paired, p_holm: 1.0, standing });
        }
    }
    let adjusted = holm(&found.iter().map(|it| it.paired.p).collect::<Vec<_>>());
    for (one, p_holm) in found.iter_mut().zip(adjusted) {
        one.p_holm = p_holm;
        let is_cut =
            is_of_begun(one.metric.name) && [baseline, one.system].iter().any(|it| unstarted(systems[*it]) > 0);
        if p_holm <= 1.0 - confidence && !is_cut {
            one.standing = standing(one.metric, one.paired.difference.mean);
        }
    }
    found
}

/// What a difference that is not chance means.
fn standing(metric: &MetricInfo, difference: f64) -> Standing {
    match lower_is_better(metric.name) {
        None => Standing::Different,
        Some(lower) if lower == (difference < 0.0) => Standing::Better,
        Some(_) => Standing::Worse,
    }
}

/// Whether less of it is better; `None`: neither.
pub fn lower_is_better(metric: &str) -> Option<bool> {
    let less = [
        "wait.",
        "response.",
        "slowdown.",
        "violations.",
        "backlog.",
        "parked.",
        "overlap_seconds",
        "tasks.failed",
        "tasks.cancelled",
        "tasks.requeued",
        "tasks.unfinished",
        "tasks.lost",
        "worker.idle_avoidable",
        "queue.churn",
        "queue.created",
        "queue.deleted",
        "queue.moved",
        "queue.orphaned",
        "queue.vacant",
    ];
    match metric {
        "throughput" | "tasks.completed" => Some(false),
        _ => less.iter().any(|prefix| metric.starts_with(prefix)).then_some(true),
    }
}

/// The axes of the Pareto front; less of each is better.
pub const PARETO: [&str; 3] = ["worker.idle_avoidable", "wait.mean", "queue.churn"];

/// Which points no other one beats: at most as large in every coordinate and smaller in one.
pub fn pareto_front(points: &[[f64; 3]]) -> Vec<usize> {
    let beats = |one: &[f64; 3], other: &[f64; 3]| {
        let pairs = || one.iter().zip(other);
        pairs().all(|(a, b)| a <= b) && pairs().any(|(a, b)| a < b)
    };
    (0..points.len()).filter(|index| !points.iter().any(|other| beats(other, &points[*index]))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_metrics_exist_and_are_good_or_bad() {
        assert!(default_measures().iter().all(|(metric, _)| lower_is_better(metric.name).is_some()));
        let (less, more) = (metric_named("wait.mean").unwrap(), metric_named("throughput").unwrap());
        assert_eq!((standing(less, -1.0), standing(less, 1.0)), (Standing::Better, Standing::Worse));
        assert_eq!((standing(more, -1.0), standing(more, 1.0)), (Standing::Worse, Standing::Better));
        assert_eq!(standing(metric_named("workers.mean").unwrap(), 1.0), Standing::Different);
    }

    proptest! {
        #[test]
        fn a_front_is_beaten_by_nobody_and_everybody_else_by_one_of_it(
            points in prop::collection::vec(prop::array::uniform3(0..6_u8), 1..30)
        ) {
            let points: Vec<[f64; 3]> = points.into_iter().map(|point| point.map(f64::from)).collect();
            let front = pareto_front(&points);
            let beats = |a: &[f64; 3], b: &[f64; 3]| a != b && a.iter().zip(b).all(|(a, b)| a <= b);
            prop_assert!(!front.is_empty());
            for (index, point) in points.iter().enumerate() {
                let beaten = front.iter().any(|it| beats(&points[*it], point));
                prop_assert_eq!(beaten, !front.contains(&index));
            }
        }
    }
}
