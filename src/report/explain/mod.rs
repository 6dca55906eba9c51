//! The chain of causes of a task or of a violation, in sentences with times, from facts and the engine's stated reasons.
//!
//! Whoever simulates hands the facts of one replication to a [`Chain`] (or to [`Rivals`] first, to learn who was ahead
//! of a task); what comes out is a [`Story`].

mod chain;
mod waiting;
mod words;

pub use chain::{Chain, Rivals, Subject};
pub use waiting::why_waiting;
pub(crate) use words::clock;

use crate::base::Time;

/// Something that happened, told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// When.
    pub at: Time,
    /// What.
    pub text: String,
    /// What is broken here, and why.
    pub broken: Vec<String>,
}

/// A chain of causes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Story {
    /// What is explained, one sentence.
    pub title: String,
    /// In order.
    pub steps: Vec<Step>,
}

impl Story {
    /// For a terminal: a line per step, the time where it changes.
    pub fn words(&self) -> String {
        let clocks: Vec<String> = self.steps.iter().map(|step| clock(step.at)).collect();
        let width = clocks.iter().map(|clock| clock.chars().count()).max().unwrap_or(0);
        let mut out = format!("{}\n\n", self.title);
        let mut last = "";
        for (step, clock) in self.steps.iter().zip(&clocks) {
            let shown = if clock == last { "" } else { clock };
            last = clock;
            out += format!("  {shown:>width$}  {}", step.text).trim_end();
            out.push('\n');
            for broken in &step.broken {
                out += &format!("  {:width$}    <- {broken}\n", "");
            }
        }
        out
    }
}
