//! What a task asks for, and how it ends.

use std::fmt;

use smallvec::SmallVec;

use super::ResourceId;

/// How a task claims a resource.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Mode {
    /// Alone on the resource.
    Exclusive,
    /// Together with other shared claims.
    Shared,
}

/// One claim of a task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Claim {
    /// What is claimed.
    pub resource: ResourceId,
    /// How.
    pub mode: Mode,
}

impl Claim {
    /// An exclusive claim.
    pub const fn exclusive(resource: ResourceId) -> Claim {
        Claim { resource, mode: Mode::Exclusive }
    }
    /// A shared claim.
    pub const fn shared(resource: ResourceId) -> Claim {
        Claim { resource, mode: Mode::Shared }
    }
    /// Two claims conflict when they are on one resource and at least one of them is exclusive.
    #[inline]
    pub fn conflicts_with(self, other: Claim) -> bool {
        self.resource == other.resource && (self.mode == Mode::Exclusive || other.mode == Mode::Exclusive)
    }
}

/// The claims of a task, each resource at most once. Two fit without an allocation.
pub type Claims = SmallVec<[Claim; 2]>;

/// A copy of these claims. One claim, as most tasks have, is copied without a call.
#[inline]
pub fn copied(claims: &[Claim]) -> Claims {
    match claims {
        [only] => Claims::from_buf_and_len([*only, *only], 1),
        _ => Claims::from_slice(claims),
    }
}

/// Two tasks conflict when claims of theirs do.
pub fn conflict(a: &[Claim], b: &[Claim]) -> bool {
    a.iter().any(|one| b.iter().any(|other| one.conflicts_with(*other)))
}

/// The one final outcome that settles a task.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// It ran to its end.
    Completed,
    /// It failed, or its worker was lost and the policy does not retry (any more).
    Failed,
    /// It was cancelled by its client.
    Cancelled,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Outcome::Completed => "completed",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
        })
    }
}
