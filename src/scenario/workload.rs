//! Classes, resources and sources of tasks: every name is resolved, every size is one that a machine can hold.

use std::collections::BTreeMap;

use super::diagnose::{shortened, suggestion};
use super::file::{ClaimFile, File, PopularityFile, WorkloadFile};
use super::findings::Findings;
use super::places::{below, item};
use super::{Arrivals, ClaimDraw, Count, Popularity, Source, convert, table};
use crate::base::{ClassId, Labels, ResourceId, Span};
use crate::sim::dist::Dist;

const RESOURCES_MAX: u64 = 10_000_000;
const TASKS_MAX: f64 = 4e9;
/// Beyond this resources are shown by number, unless something of the scenario names resources.
const LABELLED_MAX: u64 = 1_000_000;

struct Group {
    first: u32,
    count: u32,
    popularity: Popularity,
}

/// Groups of resources, and resources that scripts and tables name.
pub(crate) struct Resources {
    /// `None`: it has been refused already.
    groups: BTreeMap<String, Option<Group>>,
    single: BTreeMap<String, ResourceId>,
    count: u32,
}

impl Resources {
    pub(crate) fn of(file: &File, labels: &mut Labels, findings: &mut Findings<'_>) -> Resources {
        let mut groups = BTreeMap::new();
        let mut total: u64 = 0;
        for (name, group) in &file.resources {
            let path = below("resources", name);
            let first = total;
            total = total.saturating_add(group.count);
            if group.count < 1 || total > RESOURCES_MAX {
                let message = format!("{} resources: there must be 1 to {RESOURCES_MAX} in all", group.count);
                findings.error(&below(&path, "count"), message, "");
                total = first;
                groups.insert(name.clone(), None);
                continue;
            }
            let popularity = match group.popularity {
                PopularityFile::Uniform => Popularity::Uniform,
                PopularityFile::Zipf(exponent) => Popularity::Zipf(exponent.0),
            };
            if matches!(popularity, Popularity::Zipf(exponent) if exponent > 20.0) {
                findings.error(&below(&path, "popularity.zipf"), "the exponent is at most 20", "");
            }
            let (first, count) = (u32::try_from(first).unwrap_or(0), u32::try_from(group.count).unwrap_or(1));
            groups.insert(name.clone(), Some(Group { first, count, popularity }));
        }
        let named = !file.script.is_empty() || file.workload.iter().any(|source| source.trace.is_some());
        if total <= LABELLED_MAX || named {
            for (name, group) in &groups {
                for number in 1..=group.as_ref().map_or(0, |group| group.count) {
                    labels.resources.push(format!("{name}-{number}"));
                }
            }
        }
        Resources { groups, single: BTreeMap::new(), count: u32::try_from(total).unwrap_or(0) }
    }

    /// The resource of this name: of a group (`repo-17`), or one of its own.
    pub(crate) fn named(&mut self, name: &str, labels: &mut Labels) -> ResourceId {
        if let Some((group, number)) = name.rsplit_once('-') {
            let group = self.groups.get(group).and_then(Option::as_ref);
            let number = number.parse::<u32>().ok().filter(|it| it.to_string() == number);
            if let (Some(group), Some(number)) = (group, number)
                && (1..=group.count).contains(&number)
            {
                return ResourceId(group.first + number - 1);
            }
        }
        *self.single.entry(name.to_owned()).or_insert_with(|| {
            labels.resources.push(name.to_owned());
            self.count += 1;
            ResourceId(self.count - 1)
        })
    }
}

/// The class of this name.
pub(crate) fn class(name: &str, labels: &mut Labels) -> ClassId {
    let known = labels.classes.iter().find(|(_, known)| *known == name).map(|(id, _)| id);
    known.unwrap_or_else(|| labels.classes.push(name.to_owned()))
}

/// All sources, in the order written.
pub(crate) fn sources(
    file: &File,
    resources: &mut Resources,
    labels: &mut Labels,
    findings: &mut Findings<'_>,
) -> Vec<Source> {
    let mut sources = Vec::new();
    for (index, source) in file.workload.iter().enumerate() {
        let path = item("workload", index);
        let drawn =
            [source.class.is_some(), source.arrivals.is_some(), source.service.is_some(), source.claims.is_some()];
        match &source.trace {
            Some(_) if drawn.contains(&true) => {
                findings.error(&path, "a trace brings its own classes, arrivals, services and claims", "remove them");
            }
            Some(trace) => {
                let rows = table::rows(trace, &below(&path, "trace"), resources, labels, findings);
                sources.push(Source::Table { rows });
            }
            None => sources.extend(drawn_source(source, &path, resources, labels, findings)),
        }
    }
    sources
}

fn drawn_source(
    source: &WorkloadFile,
    path: &str,
    resources: &Resources,
    labels: &mut Labels,
    findings: &mut Findings<'_>,
) -> Option<Source> {
    let (Some(name), Some(arrivals), Some(service)) = (&source.class, &source.arrivals, &source.service) else {
        for (key, there) in [
            ("class", source.class.is_some()),
            ("arrivals", source.arrivals.is_some()),
            ("service", source.service.is_some()),
        ] {
            if !there {
                findings.error(path, format!("`{path}` needs the key `{key}`"), "or `trace: {file: tasks.csv}` alone");
            }
        }
        return None;
    };
    if name.is_empty() || name.len() > 100 || name.contains(|c: char| c.is_control() || "{}=<>".contains(c)) {
        findings.error(&below(path, "class"), format!("`{}` is no name of a class", shortened(name)), "");
    }
    let mut claims = Vec::new();
    for (group, claim) in source.claims.iter().flatten() {
        let at = below(&below(path, "claims"), group);
        claims.extend(claim_draw(group, claim, &at, resources, findings));
    }
    Some(Source::Drawn {
        class: class(name, labels),
        arrivals: convert::arrivals(arrivals, &below(path, "arrivals"), findings),
        service: convert::dist(service, &below(path, "service"), findings),
        claims,
    })
}

fn claim_draw(
    name: &str,
    claim: &ClaimFile,
    path: &str,
    resources: &Resources,
    findings: &mut Findings<'_>,
) -> Option<ClaimDraw> {
    let Some(group) = resources.groups.get(name) else {
        let known: Vec<&str> = resources.groups.keys().map(String::as_str).collect();
        let help = suggestion(name, &known);
        findings.error(path, format!("there is no group `{}` in `resources`", shortened(name)), &help);
        return None;
    };
    let group = group.as_ref()?;
    let (exclusive, shared) = match claim {
        ClaimFile::Exclusive(number) => (Count { min: *number, max: *number }, Count { min: 0, max: 0 }),
        ClaimFile::Both(both) => (
            convert::count(&both.exclusive, &below(path, "exclusive"), findings),
            convert::count(&both.shared, &below(path, "shared"), findings),
        ),
    };
    let most = u64::from(exclusive.max) + u64::from(shared.max);
    if most > u64::from(group.count) || most > 1_000 {
        let message = format!("{most} claims of `{name}`, which has {} resources (and at most 1000)", group.count);
        findings.error(path, message, "a task claims a resource at most once");
    }
    Some(ClaimDraw {
        first: ResourceId(group.first),
        count: group.count,
        popularity: group.popularity,
        exclusive,
        shared,
    })
}

/// Refuses more tasks than ids can count.
pub(crate) fn check_size(sources: &[Source], file: &File, horizon: Span, findings: &mut Findings<'_>) {
    let horizon = horizon.micros() as f64;
    let expected: f64 = sources
        .iter()
        .map(|source| match source {
            Source::Drawn { arrivals, .. } => tasks_expected(arrivals, horizon),
            Source::Table { rows } => rows.len() as f64,
        })
        .sum();
    if expected > TASKS_MAX {
        let message = format!("about {expected:.0} tasks in one replication: at most {TASKS_MAX:.0}");
        findings.error("workload", message, "lower the rates or the horizon");
    }
    if let Some(arrivals) = &file.workers.arrivals {
        let mut quiet = Vec::new();
        std::mem::swap(&mut quiet, &mut findings.errors);
        let workers = tasks_expected(&convert::arrivals(arrivals, "workers.arrivals", findings), horizon);
        findings.errors = quiet;
        if workers > 1e8 {
            findings.error(
                "workers.arrivals",
                format!("about {workers:.0} workers in one replication: at most 1e8"),
                "",
            );
        }
    }
}

/// How many are expected to come before the horizon (µs).
pub(crate) fn tasks_expected(arrivals: &Arrivals, horizon: f64) -> f64 {
    match arrivals {
        Arrivals::Burst { tasks, .. } => *tasks as f64,
        Arrivals::Piecewise(pieces) => {
            let mut from = 0.0;
            let mut sum = 0.0;
            for piece in pieces {
                let until = (piece.until.micros() as f64).min(horizon);
                sum += (until - from).max(0.0) * piece.per_micro;
                from = until;
            }
            sum
        }
        Arrivals::Poisson { .. } | Arrivals::Every(_) | Arrivals::Renewal(_) | Arrivals::Mmpp(_) => {
            rate_per_micro(arrivals) * horizon
        }
    }
}

/// The long-run rate per µs.
pub(crate) fn rate_per_micro(arrivals: &Arrivals) -> f64 {
    match arrivals {
        Arrivals::Poisson { mean_micros } => 1.0 / mean_micros,
        Arrivals::Every(span) => 1.0 / (span.micros().max(1) as f64),
        Arrivals::Renewal(dist) => 1.0 / convert::mean_micros(dist).max(1.0),
        Arrivals::Piecewise(pieces) => {
            let until = pieces.last().map_or(0.0, |piece| piece.until.micros() as f64);
            if until > 0.0 { tasks_expected(arrivals, until) / until } else { 0.0 }
        }
        Arrivals::Burst { .. } => 0.0,
        Arrivals::Mmpp(states) => {
            let dwell: f64 = states.iter().map(|state| state.dwell.micros() as f64).sum();
            let tasks: f64 = states.iter().map(|state| state.dwell.micros() as f64 * state.per_micro).sum();
            if dwell > 0.0 { tasks / dwell } else { 0.0 }
        }
    }
}

/// The share of the most popular resource of a group.
pub(crate) fn top_share(popularity: Popularity, count: u32) -> f64 {
    match popularity {
        Popularity::Uniform => 1.0 / f64::from(count),
        Popularity::Zipf(exponent) => {
            // Exact for the head; the tail is bounded from above by as many of its first weight.
            let head = count.min(100_000);
            let sum: f64 = (1..=head).map(|rank| libm::pow(f64::from(rank), -exponent)).sum();
            1.0 / (sum + f64::from(count - head) * libm::pow(f64::from(head), -exponent))
        }
    }
}

/// The mean service of a source of tasks, µs.
pub(crate) fn mean_service(service: &Dist) -> f64 {
    convert::mean_micros(service)
}
