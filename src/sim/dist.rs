//! Distributions of spans. Every variate takes a fixed number of draws from its stream, so that runs under common
//! random numbers stay aligned.

use std::sync::Arc;

use super::Stream;
use crate::base::Span;

/// A distribution of spans (or of plain numbers scaled by 10^6, like speeds).
#[derive(Clone, PartialEq, Debug)]
pub enum Dist {
    /// Always the same. No draw.
    Constant(Span),
    /// Uniform between two bounds, both included.
    Uniform {
        /// Lower bound.
        min: Span,
        /// Upper bound, not below `min`.
        max: Span,
    },
    /// Exponential.
    Exponential {
        /// Mean in µs, above zero.
        mean: f64,
    },
    /// Lognormal, by its own mean and coefficient of variation.
    Lognormal {
        /// Mean in µs, above zero.
        mean: f64,
        /// Standard deviation / mean, above zero.
        cv: f64,
    },
    /// Sum of `shape` exponentials. `shape` draws.
    Erlang {
        /// How many stages, at least 1.
        shape: u32,
        /// Mean in µs, above zero.
        mean: f64,
    },
    /// Weibull.
    Weibull {
        /// Shape, above zero.
        shape: f64,
        /// Mean in µs, above zero.
        mean: f64,
    },
    /// Pareto, cut off: a variate beyond `cap` is `cap`.
    Pareto {
        /// Shape, above zero.
        shape: f64,
        /// Smallest value in µs, above zero.
        min: f64,
        /// Largest value in µs.
        cap: f64,
    },
    /// One of recorded values, each alike.
    Empirical(Arc<[Span]>),
}
