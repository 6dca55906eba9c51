//! Distributions, arrivals and workers: from what is written to what is run.

use std::sync::Arc;

use super::file::{ArrivalsFile, CountDrawn, CountFile, DistFile, DrawnFile, ExitFile, SignalFile, WorkersFile};
use super::findings::Findings;
use super::places::{below, item};
use super::units::{Amount, Percent, Plain};
use super::{
    Arrivals, Autoscaler, Count, MmppState, Pause, Piece, RollingReplace, ScaleSignal, ShiftChange, Workers, table,
};
use crate::base::time::SPAN_MAX;
use crate::base::{Span, Time};
use crate::sim::dist::Dist;

pub(crate) fn time(span: Span) -> Time {
    Time::ZERO.saturating_add(span)
}

pub(crate) fn above_zero(span: Span, path: &str, findings: &mut Findings<'_>) {
    if span.is_zero() {
        findings.error(path, "this time must be above zero", "");
    }
}

/// A distribution; where it is wrong, a constant after the finding was noted.
pub(crate) fn dist<V: Amount>(file: &DistFile<V>, path: &str, findings: &mut Findings<'_>) -> Dist {
    let drawn = match file {
        DistFile::Constant(value) => return Dist::Constant(bounded(*value, path, findings)),
        DistFile::Drawn(drawn) => drawn,
    };
    match drawn {
        DrawnFile::Uniform { min, max } => {
            let at = below(path, "uniform");
            let (min, max) = (bounded(*min, &below(&at, "min"), findings), bounded(*max, &below(&at, "max"), findings));
            ordered(min, max, &below(&at, "min"), "max", findings);
            Dist::Uniform { min, max }
        }
        DrawnFile::Exponential { mean } => {
            Dist::Exponential { mean: positive(*mean, &below(path, "exponential.mean"), findings) }
        }
        DrawnFile::Lognormal { mean, cv } => Dist::Lognormal {
            mean: positive(*mean, &below(path, "lognormal.mean"), findings),
            cv: shape(*cv, &below(path, "lognormal.cv"), findings),
        },
        DrawnFile::Erlang { shape, mean } => {
            if !(1..=1_000).contains(shape) {
                findings.error(&below(path, "erlang.shape"), format!("{shape} stages: there must be 1 to 1000"), "");
            }
            Dist::Erlang { shape: *shape, mean: positive(*mean, &below(path, "erlang.mean"), findings) }
        }
        DrawnFile::Weibull { shape: form, mean } => Dist::Weibull {
            shape: shape(*form, &below(path, "weibull.shape"), findings),
            mean: positive(*mean, &below(path, "weibull.mean"), findings),
        },
        DrawnFile::Pareto { shape: form, min, cap } => {
            let shape = shape(*form, &below(path, "pareto.shape"), findings);
            let lower = positive(*min, &below(path, "pareto.min"), findings);
            let cap = bounded(*cap, &below(path, "pareto.cap"), findings);
            ordered(min.span(), cap, &below(path, "pareto.min"), "cap", findings);
            Dist::Pareto { shape, min: lower, cap: cap.micros() as f64 }
        }
        DrawnFile::Empirical { file, class } => {
            let values = table::empirical(file, class.as_deref(), &below(path, "empirical"), findings);
            Dist::Empirical(Arc::from(values))
        }
    }
}

fn bounded<V: Amount>(value: V, path: &str, findings: &mut Findings<'_>) -> Span {
    let span = value.span();
    if span > SPAN_MAX {
        findings.error(path, "this value is absurdly large", "");
    }
    span
}

fn positive<V: Amount>(value: V, path: &str, findings: &mut Findings<'_>) -> f64 {
    let span = bounded(value, path, findings);
    above_zero(span, path, findings);
    span.micros() as f64
}

fn shape(value: Plain, path: &str, findings: &mut Findings<'_>) -> f64 {
    if !(0.01..=1_000.0).contains(&value.0) {
        findings.error(path, format!("{} is not between 0.01 and 1000", value.0), "");
    }
    value.0
}

fn ordered(min: Span, max: Span, path: &str, upper: &str, findings: &mut Findings<'_>) {
    if min > max {
        findings.error(path, format!("`min` is above `{upper}`"), &format!("make `min` at most `{upper}`"));
    }
}

/// A distribution of intervals: not always zero, or time would stand still.
pub(crate) fn intervals(file: &DistFile<Span>, path: &str, findings: &mut Findings<'_>) -> Dist {
    let errors = findings.errors.len();
    let dist = dist(file, path, findings);
    if errors == findings.errors.len() && mean_micros(&dist) < 1.0 {
        findings.error(path, "this time must be above zero, at least on average", "");
    }
    dist
}

/// The mean of a distribution in µs.
pub(crate) fn mean_micros(dist: &Dist) -> f64 {
    match dist {
        Dist::Constant(span) => span.micros() as f64,
        Dist::Uniform { min, max } => (min.micros() as f64 + max.micros() as f64) / 2.0,
        Dist::Exponential { mean }
        | Dist::Lognormal { mean, .. }
        | Dist::Erlang { mean, .. }
        | Dist::Weibull { mean, .. } => *mean,
        // The cut-off mean: min + the integral of the tail (min/x)^shape from min to cap.
        Dist::Pareto { shape, min, cap } => {
            if (shape - 1.0).abs() < 1e-9 {
                min + min * libm::log(cap / min)
            } else {
                min + min / (shape - 1.0) * (1.0 - libm::pow(min / cap, shape - 1.0))
            }
        }
        Dist::Empirical(values) => {
            values.iter().map(|value| value.micros() as f64).sum::<f64>() / (values.len().max(1) as f64)
        }
    }
}

/// When tasks or workers come.
pub(crate) fn arrivals(file: &ArrivalsFile, path: &str, findings: &mut Findings<'_>) -> Arrivals {
    match file {
        ArrivalsFile::Poisson(rate) => {
            if rate.per_micro() <= 0.0 {
                let help = "leave the line out, or write a rate like 8/m";
                findings.error(&below(path, "poisson"), "at a rate of zero nothing ever comes", help);
            }
            Arrivals::Poisson { mean_micros: rate.mean_micros() }
        }
        ArrivalsFile::Every(span) => {
            above_zero(*span, &below(path, "every"), findings);
            Arrivals::Every(*span)
        }
        ArrivalsFile::Renewal(file) => Arrivals::Renewal(intervals(file, &below(path, "renewal"), findings)),
        ArrivalsFile::Piecewise(pieces) => {
            let path = below(path, "piecewise");
            let mut before = Span::ZERO;
            for (index, piece) in pieces.iter().enumerate() {
                if piece.until <= before {
                    let at = below(&item(&path, index), "until");
                    findings.error(&at, "this piece ends before it begins", "pieces are written in order of time");
                }
                before = piece.until;
            }
            not_empty(pieces.len(), &path, findings);
            let piece = |it: &super::file::PieceFile| Piece { until: time(it.until), per_micro: it.rate.per_micro() };
            Arrivals::Piecewise(pieces.iter().map(piece).collect())
        }
        ArrivalsFile::Burst { at, tasks } => {
            if *tasks == 0 {
                findings.error(&below(path, "burst.tasks"), "a burst has at least 1 task", "");
            }
            Arrivals::Burst { at: time(*at), tasks: *tasks }
        }
        ArrivalsFile::Mmpp(states) => {
            let path = below(path, "mmpp");
            not_empty(states.len(), &path, findings);
            for (index, state) in states.iter().enumerate() {
                above_zero(state.dwell, &below(&item(&path, index), "dwell"), findings);
            }
            if states.iter().all(|state| state.rate.per_micro() <= 0.0) {
                findings.error(&path, "every state has a rate of zero: nothing ever comes", "");
            }
            let state = |it: &super::file::MmppFile| MmppState { per_micro: it.rate.per_micro(), dwell: it.dwell };
            Arrivals::Mmpp(states.iter().map(state).collect())
        }
    }
}

fn not_empty(count: usize, path: &str, findings: &mut Findings<'_>) {
    if count == 0 {
        findings.error(path, "this list must not be empty", "");
    }
}

/// A number of claims.
pub(crate) fn count(file: &CountFile, path: &str, findings: &mut Findings<'_>) -> Count {
    match file {
        CountFile::Fixed(number) => Count { min: *number, max: *number },
        CountFile::Drawn(CountDrawn::Uniform { min, max }) => {
            if min > max {
                let at = below(path, "uniform.min");
                findings.error(&at, format!("min {min} is above max {max}"), "make `min` at most `max`");
            }
            Count { min: *min, max: *max }
        }
    }
}

/// Workers; fills in the defaults that depend on other keys.
pub(crate) fn workers(file: &mut WorkersFile, findings: &mut Findings<'_>) -> Workers {
    if file.initial > 1_000_000 {
        findings.error("workers.initial", format!("{} workers: at most 1000000", file.initial), "");
    }
    if file.lifetime.is_some() && file.exit.is_none() {
        file.exit = Some(ExitFile { crash: Some(Percent::whole(100)), quiesce: Some(Percent::whole(0)) });
    }
    let speed = dist(&file.speed, "workers.speed", findings);
    if let Some(0) = least_micros(&speed) {
        findings.error("workers.speed", "a speed of zero never finishes anything", "write a speed above zero");
    }
    let pause = file.pause.as_ref().map(|pause| Pause {
        every: intervals(&pause.every, "workers.pause.every", findings),
        lasts: dist(&pause.lasts, "workers.pause.for", findings),
    });
    Workers {
        initial: u32::try_from(file.initial).unwrap_or(u32::MAX),
        startup: dist(&file.startup, "workers.startup", findings),
        arrivals: file.arrivals.as_ref().map(|it| arrivals(it, "workers.arrivals", findings)),
        lifetime: file.lifetime.as_ref().map(|it| intervals(it, "workers.lifetime", findings)),
        crash_share: file.exit.as_ref().map_or(1.0, |exit| crash_share(exit, findings)),
        grace: file.grace,
        restart_after: file.restart_after.as_ref().map(|it| dist(it, "workers.restart_after", findings)),
        pause,
        overhead: dist(&file.overhead, "workers.overhead", findings),
        abort_takes: file.abort_takes,
        speed,
        shift_change: shift_change(file, findings),
        rolling_replace: rolling_replace(file, findings),
        autoscaler: autoscaler(file, findings),
    }
}

fn least_micros(dist: &Dist) -> Option<u64> {
    match dist {
        Dist::Constant(span) => Some(span.micros()),
        Dist::Uniform { min, .. } => Some(min.micros()),
        Dist::Empirical(values) => values.iter().map(|value| value.micros()).min(),
        Dist::Exponential { .. }
        | Dist::Lognormal { .. }
        | Dist::Erlang { .. }
        | Dist::Weibull { .. }
        | Dist::Pareto { .. } => None,
    }
}

fn crash_share(exit: &ExitFile, findings: &mut Findings<'_>) -> f64 {
    let crash = exit.crash.as_ref().map(Percent::fraction);
    let quiesce = exit.quiesce.as_ref().map(Percent::fraction);
    match (crash, quiesce) {
        (Some(crash), Some(quiesce)) if (crash + quiesce - 1.0).abs() > 1e-9 => {
            findings.error(
                "workers.exit",
                "the shares of exits do not add up to 100%",
                "leave one out: it is the rest",
            );
            1.0
        }
        (Some(crash), _) => crash,
        (None, Some(quiesce)) => 1.0 - quiesce,
        (None, None) => 1.0,
    }
}

fn shift_change(file: &WorkersFile, findings: &mut Findings<'_>) -> Option<ShiftChange> {
    let shift = file.shift_change.as_ref()?;
    let path = "workers.shift_change";
    too_many(shift.leave.max(shift.arrive), path, findings);
    let (text, sign) = shift.overlap.strip_prefix('-').map_or((shift.overlap.as_str(), 1), |text| (text, -1));
    let overlap = text.parse::<Span>().unwrap_or_else(|message| {
        findings.error(&below(path, "overlap"), message, "");
        Span::ZERO
    });
    if overlap > SPAN_MAX || (sign > 0 && overlap > shift.at) {
        findings.error(&below(path, "overlap"), "the new workers would arrive before the start", "");
        return None;
    }
    let overlap_micros = sign * i64::try_from(overlap.micros()).unwrap_or(i64::MAX);
    Some(ShiftChange { at: time(shift.at), leave: shift.leave, arrive: shift.arrive, overlap_micros })
}

fn rolling_replace(file: &WorkersFile, findings: &mut Findings<'_>) -> Option<RollingReplace> {
    let rolling = file.rolling_replace.as_ref()?;
    let path = "workers.rolling_replace";
    above_zero(rolling.every, &below(path, "every"), findings);
    too_many(rolling.batch.max(rolling.surge), path, findings);
    if rolling.batch < 1 {
        findings.error(&below(path, "batch"), "a batch has at least 1 worker", "");
    }
    Some(RollingReplace { at: time(rolling.at), batch: rolling.batch, every: rolling.every, surge: rolling.surge })
}

fn autoscaler(file: &WorkersFile, findings: &mut Findings<'_>) -> Option<Autoscaler> {
    let scaler = file.autoscaler.as_ref()?;
    let path = "workers.autoscaler";
    above_zero(scaler.every, &below(path, "every"), findings);
    too_many(scaler.max, &below(path, "max"), findings);
    if scaler.min > scaler.max {
        let message = format!("min {} is above max {}", scaler.min, scaler.max);
        findings.error(&below(path, "min"), message, "make `min` at most `max`");
    }
    if scaler.target.0 <= 0.0 {
        findings.error(&below(path, "target"), "the target must be above zero", "");
    }
    let signal = match scaler.signal {
        SignalFile::RunnablePerWorker => ScaleSignal::RunnablePerWorker,
        SignalFile::BacklogPerWorker => ScaleSignal::BacklogPerWorker,
    };
    Some(Autoscaler {
        target: scaler.target.0,
        signal,
        min: scaler.min,
        max: scaler.max,
        every: scaler.every,
        cooldown: scaler.cooldown,
    })
}

fn too_many(workers: u32, path: &str, findings: &mut Findings<'_>) {
    if workers > 1_000_000 {
        findings.error(path, format!("{workers} workers: at most 1000000"), "");
    }
}
