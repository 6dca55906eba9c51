//! Seed, length, replications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::units::Percent;
use crate::base::Span;

/// Seed, length, replications.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunFile {
    /// The only seed there is.
    pub seed: u64,
    /// Independent repetitions, 1 to 1,000,000.
    pub replications: u32,
    /// Arrivals stop here. By default 8h; where there is nothing but a script or a trace, its last event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon: Option<Span>,
    /// Time after the horizon to finish what is left.
    pub drain: Span,
    /// Left out of the statistics, never out of the oracle.
    pub warm_up: Span,
    /// The level of confidence intervals.
    pub confidence: Percent,
}
impl Default for RunFile {
    fn default() -> Self {
        RunFile {
            seed: 42,
            replications: 8,
            horizon: None,
            drain: Span::from_secs(7_200),
            warm_up: Span::ZERO,
            confidence: Percent::whole(95),
        }
    }
}
