//! Faults: what they are once they are resolved, and how they are resolved.

use super::file::{
    CancelFile, ChosenFile, CrashFile, CrashPointFile, DirectionFile, EngineCrashFile, FaultFile, File, PoisonFile,
    StoreFile,
};
use super::findings::Findings;
use super::places::{below, item};
use super::units::Plain;
use super::{Source, convert};
use crate::base::time::SPAN_MAX;
use crate::base::{ClassId, Labels, Span, Time};

/// All faults of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Those that happen at an instant, in the order written.
    pub timed: Vec<TimedFault>,
    /// Tasks that do harm.
    pub poisons: Vec<Poison>,
    /// Tasks that are given up.
    pub cancels: Vec<CancelRace>,
}

/// A fault at an instant.
#[derive(Clone, Debug)]
pub struct TimedFault {
    /// When.
    pub at: Time,
    /// What.
    pub fault: Fault,
}

/// What happens at an instant.
#[derive(Clone, Debug)]
pub enum Fault {
    /// So many workers crash.
    Crash {
        /// How many.
        count: u32,
        /// When the store has the effect of their next task, or at once.
        before_report: bool,
    },
    /// Workers stand still.
    Pause {
        /// Which.
        workers: Chosen,
        /// For how long.
        lasts: Span,
    },
    /// Hosts ask workers to leave.
    Quiesce {
        /// Which.
        workers: Chosen,
    },
    /// Messages of workers are lost.
    Isolate {
        /// Whose.
        workers: Chosen,
        /// For how long.
        lasts: Span,
        /// Which way.
        direction: Cut,
    },
    /// Workers execute slowly.
    Slow {
        /// Which.
        workers: Chosen,
        /// In millionths, at least 1_000_000.
        factor: u64,
        /// For how long.
        lasts: Span,
    },
    /// Clocks of workers jump, and run fast or slow from here on.
    Clock {
        /// Whose.
        workers: Chosen,
        /// Those of workers that come later are off by this and drift too, µs; only for all.
        offset_micros: i64,
        /// By so much they jump, µs.
        jump_micros: i64,
        /// They gain so many parts of 10^9.
        drift_ppb: i64,
    },
    /// The engine crashes.
    EngineCrash(EngineCrash),
    /// A second engine is restored while the first one is alive.
    SecondEngine {
        /// The first one is switched off after this.
        lasts: Span,
    },
    /// A share of the workers crashes within a second.
    MassDeath {
        /// From 0 to 1.
        fraction: f64,
    },
    /// Tasks of a source come at one instant.
    TaskHerd {
        /// How many.
        tasks: u64,
        /// The source's position in the workload.
        source: usize,
    },
    /// Workers come at one instant.
    WorkerHerd {
        /// How many.
        workers: u32,
    },
    /// The store fails.
    Store {
        /// For how long.
        lasts: Span,
        /// How.
        does: StoreFault,
        /// An engine that ended because of it is followed by a new one after this.
        recover_after: Span,
    },
}

/// Where and for how long an engine is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EngineCrash {
    /// How long there is no engine.
    pub recover_after: Span,
    /// It crashes at the first input that reaches this point.
    pub point: CrashPoint,
}

/// Where in the handling of an input an engine crashes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CrashPoint {
    /// Before it persists anything.
    BeforePersist,
    /// When the first record is durable.
    AfterPersist,
    /// Before it sends anything.
    BeforeSend,
    /// When the first message is sent.
    AfterSend,
}

/// Which workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Chosen {
    /// So many, drawn among those that are up.
    Count(u32),
    /// All that are up.
    All,
}

/// Which way messages are lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    /// Those to the engine.
    pub to_engine: bool,
    /// Those of the engine.
    pub from_engine: bool,
}

/// How the store fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreFault {
    /// It refuses records.
    Refuse,
    /// Records are durable, and the engine does not hear of it.
    LoseAnswer,
    /// It takes so long.
    Slow(Span),
}

/// Tasks that do harm.
#[derive(Clone, Copy, Debug)]
pub struct Poison {
    /// Only those of this class.
    pub class: Option<ClassId>,
    /// From 0 to 1.
    pub share: f64,
    /// What they do.
    pub does: Harm,
}

/// What a task does that does harm.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// Its worker dies at the end of it, each time.
    KillsWorker,
    /// It executes for ever.
    NeverEnds,
}

/// Tasks that are given up.
#[derive(Clone, Copy, Debug)]
pub struct CancelRace {
    /// From 0 to 1.
    pub share: f64,
    /// When.
    pub when: CancelWhen,
}

/// When a client gives a task up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelWhen {
    /// A second after it was submitted, if it has not begun.
    Waiting,
    /// When an order to start it is on its way.
    Starting,
    /// In the middle of its first attempt.
    Running,
    /// When it has run to its end.
    Finished,
}

/// All faults of a file.
pub(crate) fn faults(file: &File, sources: &[Source], labels: &Labels, findings: &mut Findings<'_>) -> Faults {
    let mut faults = Faults::default();
    for (index, fault) in file.faults.iter().enumerate() {
        let path = item("faults", index);
        match fault {
            FaultFile::Poison { class, share, does } => faults.poisons.push(Poison {
                class: class
                    .as_ref()
                    .and_then(|name| class_named(name, &below(&path, "poison.class"), labels, findings)),
                share: share.fraction(),
                does: harm(*does),
            }),
            FaultFile::Cancel { share, when } => {
                faults.cancels.push(CancelRace { share: share.fraction(), when: cancel_when(*when) });
            }
            timed => faults.timed.extend(timed_fault(timed, &path, sources, labels, findings)),
        }
    }
    faults
}

fn timed_fault(
    fault: &FaultFile,
    path: &str,
    sources: &[Source],
    labels: &Labels,
    findings: &mut Findings<'_>,
) -> Option<TimedFault> {
    let (at, fault) = match fault {
        FaultFile::Crash { at, count, when } => {
            (at, Fault::Crash { count: *count, before_report: *when == CrashFile::BeforeReport })
        }
        FaultFile::Pause { at, workers, lasts } => (at, Fault::Pause { workers: chosen(*workers), lasts: *lasts }),
        FaultFile::Quiesce { at, workers } => (at, Fault::Quiesce { workers: chosen(*workers) }),
        FaultFile::Isolate { at, workers, lasts, direction } => {
            (at, Fault::Isolate { workers: chosen(*workers), lasts: *lasts, direction: cut(*direction) })
        }
        FaultFile::Slow { at, workers, factor, lasts } => {
            let factor = slow_factor(*factor, &below(path, "slow.factor"), findings);
            (at, Fault::Slow { workers: chosen(*workers), factor, lasts: *lasts })
        }
        FaultFile::Clock { at, workers, offset, drift_ppm, jump } => {
            let path = below(path, "clock");
            if offset.is_some() && *workers != ChosenFile::All {
                findings.error(
                    &below(&path, "offset"),
                    "an offset is for `workers: all`",
                    "use `jump` for some workers",
                );
            }
            let fault = Fault::Clock {
                workers: chosen(*workers),
                offset_micros: shift(offset.as_deref(), &below(&path, "offset"), findings),
                jump_micros: shift(jump.as_deref(), &below(&path, "jump"), findings),
                drift_ppb: drift(*drift_ppm, &path, findings),
            };
            (at, fault)
        }
        FaultFile::EngineCrash(it) => (&it.at, Fault::EngineCrash(engine_crash(*it))),
        FaultFile::SecondEngine { at, lasts } => (at, Fault::SecondEngine { lasts: *lasts }),
        FaultFile::MassDeath { at, fraction } => (at, Fault::MassDeath { fraction: fraction.fraction() }),
        FaultFile::Herd { at, tasks, class, workers } => {
            return herd(*at, *tasks, class.as_deref(), *workers, &below(path, "herd"), sources, labels, findings);
        }
        FaultFile::Store { at, lasts, does, recover_after, by } => {
            let does = match does {
                StoreFile::Refuse => StoreFault::Refuse,
                StoreFile::LoseAnswer => StoreFault::LoseAnswer,
                StoreFile::Slow => StoreFault::Slow(*by),
            };
            (at, Fault::Store { lasts: *lasts, does, recover_after: *recover_after })
        }
        FaultFile::Poison { .. } | FaultFile::Cancel { .. } => return None,
    };
    Some(TimedFault { at: convert::time(*at), fault })
}

#[allow(clippy::too_many_arguments, reason = "the fields of one fault and what is known of the file")]
fn herd(
    at: Span,
    tasks: u64,
    class: Option<&str>,
    workers: u32,
    path: &str,
    sources: &[Source],
    labels: &Labels,
    findings: &mut Findings<'_>,
) -> Option<TimedFault> {
    let at = convert::time(at);
    if (tasks > 0) == (workers > 0) || tasks > 1_000_000 || workers > 1_000_000 {
        findings.error(
            path,
            "a herd is of tasks or of workers: 1 to 1000000",
            "write `tasks: 1000` or `workers: 1000`",
        );
        return None;
    }
    if workers > 0 {
        return Some(TimedFault { at, fault: Fault::WorkerHerd { workers } });
    }
    let wanted = match class {
        Some(name) => Some(class_named(name, &below(path, "class"), labels, findings)?),
        None => None,
    };
    let drawn = |source: &Source| match source {
        Source::Drawn { class, .. } => wanted.is_none_or(|wanted| wanted == *class),
        Source::Table { .. } => false,
    };
    let source = sources.iter().position(drawn);
    if source.is_none() {
        findings.error(path, "a herd of tasks needs a class of the workload", "name one with `class`");
    }
    Some(TimedFault { at, fault: Fault::TaskHerd { tasks, source: source? } })
}

fn class_named(name: &str, path: &str, labels: &Labels, findings: &mut Findings<'_>) -> Option<ClassId> {
    let found = labels.classes.iter().find(|(_, known)| *known == name).map(|(id, _)| id);
    if found.is_none() {
        let known: Vec<&str> = labels.classes.values().map(String::as_str).collect();
        let message = format!("there is no class `{}`", super::diagnose::shortened(name));
        findings.error(path, message, &super::diagnose::suggestion(name, &known));
    }
    found
}

/// What a clock gains, in parts of 10^9.
pub(crate) fn drift(ppm: f64, path: &str, findings: &mut Findings<'_>) -> i64 {
    const MOST: f64 = 500_000.0;
    if !(-MOST..=MOST).contains(&ppm) {
        findings.error(&below(path, "drift_ppm"), "a drift lies between -500000 and 500000 ppm", "");
        return 0;
    }
    libm::round(ppm * 1e3) as i64
}

/// A time with a sign, µs.
pub(crate) fn shift(text: Option<&str>, path: &str, findings: &mut Findings<'_>) -> i64 {
    let Some(text) = text else { return 0 };
    let (text, sign) = text.strip_prefix('-').map_or((text, 1), |text| (text, -1));
    match text.parse::<Span>() {
        Ok(span) if span <= SPAN_MAX => sign * i64::try_from(span.micros()).unwrap_or(i64::MAX),
        Ok(_) => {
            findings.error(path, "this time is longer than 100 years", "");
            0
        }
        Err(message) => {
            findings.error(path, message, "write a time like 5s or -5s");
            0
        }
    }
}

fn chosen(file: ChosenFile) -> Chosen {
    match file {
        ChosenFile::Count(count) => Chosen::Count(count),
        ChosenFile::All => Chosen::All,
    }
}

pub(crate) fn cut(file: DirectionFile) -> Cut {
    Cut { to_engine: file != DirectionFile::FromEngine, from_engine: file != DirectionFile::ToEngine }
}

pub(crate) fn engine_crash(file: EngineCrashFile) -> EngineCrash {
    let point = match file.point {
        CrashPointFile::BeforePersist => CrashPoint::BeforePersist,
        CrashPointFile::AfterPersist => CrashPoint::AfterPersist,
        CrashPointFile::BeforeSend => CrashPoint::BeforeSend,
        CrashPointFile::AfterSend => CrashPoint::AfterSend,
    };
    EngineCrash { recover_after: file.recover_after, point }
}

/// A factor in millionths.
pub(crate) fn slow_factor(factor: Plain, path: &str, findings: &mut Findings<'_>) -> u64 {
    if !(1.0..=1_000.0).contains(&factor.0) {
        findings.error(path, format!("{} times slower: a factor lies between 1 and 1000", factor.0), "");
    }
    libm::round(factor.0.clamp(1.0, 1_000.0) * 1e6) as u64
}

pub(crate) fn harm(file: PoisonFile) -> Harm {
    match file {
        PoisonFile::KillsWorker => Harm::KillsWorker,
        PoisonFile::NeverEnds => Harm::NeverEnds,
    }
}

fn cancel_when(file: CancelFile) -> CancelWhen {
    match file {
        CancelFile::Waiting => CancelWhen::Waiting,
        CancelFile::Starting => CancelWhen::Starting,
        CancelFile::Running => CancelWhen::Running,
        CancelFile::Finished => CancelWhen::Finished,
    }
}
