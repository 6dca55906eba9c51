//! L1: the kernel of the simulation. No word of the domain.

pub mod calendar;
pub mod dist;
pub mod streams;

pub use calendar::{Calendar, Handle};
pub use dist::{Dist, Picker};
pub use streams::{Stream, Streams};
