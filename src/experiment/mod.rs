//! L5: many runs of one scenario, and what they say together.

pub mod compare;
pub mod hunt;
pub mod judge;
mod precision;
pub mod rank;
pub mod record;
pub mod replay;
pub mod replicate;
pub mod selftest;
mod settings;
pub mod shrink;
pub mod stationarity;
pub mod stats;
pub mod swarm;
pub mod theory;
pub mod verify;

pub use judge::{Expectation, Verdict};
pub use replicate::{Options, Progress, Results, replicate};
pub use stats::Estimate;
