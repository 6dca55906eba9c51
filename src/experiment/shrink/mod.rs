//! Makes a failing run minimal: the fewest events, workers and tasks, the roundest numbers, under which the same
//! property is violated for the same kind of cause.
//!
//! What is shrunk is the document of a scenario without chance (see [`record`](super::record)): events go first, by
//! delta debugging, then workers, options that are not needed, digits of numbers, and differences between times.
//! Candidates are tried in groups, in parallel, and the first good one of a group is taken, so that the result does not
//! depend on the number of threads. It is 1-minimal: without any one of its events the violation is gone, unless the
//! search had to be ended before.

mod numbers;
mod parts;
mod remove;
mod trials;

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::Labels;
use crate::base::names::PropertySet;
use crate::engine::{EngineFactory, EngineSpec};
use crate::observe::Violation;

pub use parts::Size;
pub use trials::Aim;

use trials::Trials;

/// Makes the engine that a scenario names; `None` where it cannot.
pub type Engines<'a> = dyn Fn(&EngineSpec) -> Option<Arc<dyn EngineFactory>> + Sync + 'a;

/// How to shrink.
pub struct Options<'a> {
    /// Makes engines.
    pub engines: &'a Engines<'a>,
    /// On so many threads (at least one); never changes the result.
    pub jobs: usize,
    /// What files that the document names are relative to.
    pub dir: PathBuf,
    /// Whether to end with what there is.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// A violation and the smallest scenario that shows it.
pub struct Shrunk {
    /// The scenario; it expects the violation.
    pub document: Value,
    /// The violation in it.
    pub violation: Violation,
    /// The names that its cause refers to.
    pub labels: Labels,
    /// How large the scenario was.
    pub before: Size,
    /// How large it is.
    pub after: Size,
    /// Candidates that were tried.
    pub tried: u64,
    /// Whether nothing more can be left out; otherwise the search was ended as too long.
    pub is_minimal: bool,
    /// Promises that were broken on the way and not in the original, each by a scenario of its own, not shrunk.
    pub others: Vec<(Violation, Value)>,
}

impl Shrunk {
    /// What happened, by name.
    pub fn cause(&self) -> String {
        self.labels.named(&self.violation.cause)
    }
}

/// Shrinks the first of `documents`, forms of one run, that violates what is aimed at; `None` if none does.
///
/// # Panics
/// If no threads can be started.
pub fn shrink(documents: &[Value], aim: Aim, options: &Options<'_>) -> Option<Shrunk> {
    let before = Size::of(documents.first()?);
    let mut trials =
        documents.iter().find_map(|it| Trials::begin(remove::defaults(it, &options.dir), &aim, options))?;
    trials.truncate();
    trials.round_numbers(&["/run"]);
    trials.remove_kinds();
    trials.remove_pieces();
    loop {
        let known = trials.best().clone();
        trials.remove_tasks();
        trials.remove_events();
        trials.remove_workers();
        trials.join_earlier();
        trials.remove_keys();
        trials.end_by_horizon();
        trials.round_numbers(&[""]);
        trials.round_times();
        if *trials.best() == known {
            break;
        }
    }
    trials.rename();
    let is_minimal = !trials.is_given_up();
    let (mut document, outcome, others, tried) = trials.end();
    let violated = outcome.promised_and_broken();
    document["expect"] = json!({ "violated": violated.iter().map(|it| it.name()).collect::<Vec<_>>() });
    Some(Shrunk {
        after: Size::of(&document),
        document,
        violation: outcome.violation,
        labels: outcome.labels,
        before,
        tried,
        is_minimal,
        others,
    })
}
