//! L2: recorded histories as tables of tasks. One format a file; the table is what all of them become.

pub mod pulp;
pub mod table;

use std::fmt;

/// What was done to a history so that it became a table.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// What is in the table as it was recorded.
    pub kept: Vec<String>,
    /// What had to be supposed.
    pub guessed: Vec<String>,
    /// What was left out.
    pub dropped: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (word, lines) in [("kept", &self.kept), ("guessed", &self.guessed), ("dropped", &self.dropped)] {
            for line in lines {
                writeln!(f, "{word}: {line}")?;
            }
            if lines.is_empty() {
                writeln!(f, "{word}: nothing")?;
            }
        }
        Ok(())
    }
}
