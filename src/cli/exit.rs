//! Exit codes, and what ends a verb early.

use std::process::ExitCode;

use crate::experiment::Verdict;

/// How the program ends. Later ones outrank earlier ones where several files were given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// Done, all expectations hold.
    Done,
    /// The confidence interval straddles a threshold.
    Inconclusive,
    /// A property or a threshold is violated.
    Violated,
    /// Nothing selected.
    Nothing,
    /// Usage or scenario error.
    Usage,
    /// Two runs of one scenario differ.
    Nondeterminism,
    /// Another file could not be read or written.
    Io,
    /// Internal error.
    Internal,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// The code that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Violated => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Nothing => 4,
            Exit::Nondeterminism => 5,
            Exit::Internal => 70,
            Exit::Io => 74,
            Exit::Interrupted => 130,
        }
    }

    /// Of a verdict.
    pub(crate) const fn of(verdict: Verdict) -> Exit {
        match verdict {
            Verdict::Pass => Exit::Done,
            Verdict::Inconclusive => Exit::Inconclusive,
            Verdict::Fail => Exit::Violated,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// What ends a verb early: a code, and a text for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, message: message.into() }
    }
    pub(crate) fn io(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Io, message: message.into() }
    }
}

impl From<crate::report::Error> for Failure {
    fn from(error: crate::report::Error) -> Failure {
        Failure::io(format!("error: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_that_are_documented() {
        let all = [
            (Exit::Done, 0),
            (Exit::Violated, 1),
            (Exit::Usage, 2),
            (Exit::Inconclusive, 3),
            (Exit::Nothing, 4),
            (Exit::Nondeterminism, 5),
            (Exit::Internal, 70),
            (Exit::Io, 74),
            (Exit::Interrupted, 130),
        ];
        assert!(all.iter().all(|(exit, code)| exit.code() == *code));
    }
}
