//! L5: many runs of one scenario, and what they say together.

pub mod judge;
pub mod record;
pub mod replay;
pub mod replicate;
pub mod shrink;
pub mod stats;

pub use judge::{Expectation, Verdict};
pub use replicate::{Options, Progress, Results, replicate};
pub use stats::Estimate;
