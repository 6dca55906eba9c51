//! The cells of a sweep: which there are, and whether each of them can be run.

use std::collections::{BTreeMap, BTreeSet};

use super::outcome::label;
use crate::cli::exit::{Exit, Failure};
use crate::cli::session::{Ready, ready, refusal};
use crate::cli::terminal::Terminal;
use crate::registry::Registry;
use crate::scenario::grid::{Grid, GridCell};
use crate::scenario::{Diagnostic, Override, SourceText, load_cell};

/// More combinations than this are a slip of the pen, unless one says otherwise.
const CELLS_MAX: u64 = 1_000_000;
/// More findings than this are not shown one by one.
const FINDINGS_MAX: usize = 20;

/// A scenario file whose cells are read.
pub(in crate::cli) struct Cells<'a> {
    pub(in crate::cli) base: &'a Ready,
    pub(in crate::cli) source: &'a SourceText,
    /// What wins over the cells.
    pub(in crate::cli) overrides: &'a [Override],
    pub(in crate::cli) registry: &'a Registry,
    pub(in crate::cli) terminal: &'a Terminal,
}

impl Cells<'_> {
    /// The cells whose number is to be kept, each with its number in the whole sweep, and how many the whole sweep has.
    ///
    /// # Errors
    /// When the sweep as a whole cannot be run.
    pub(in crate::cli) fn of(
        &self,
        grid: &Grid,
        kept: impl Fn(u64) -> bool,
        allow_huge: bool,
    ) -> Result<(Vec<(u64, GridCell)>, u64), Failure> {
        let combinations = grid.combinations();
        if combinations.is_none() || combinations.is_some_and(|count| count > CELLS_MAX) && !allow_huge {
            let count = combinations.map_or("more than 10^19".to_owned(), |count| count.to_string());
            return Err(Failure::usage(format!(
                "error: {count} combinations: more than {CELLS_MAX} are only run with --allow-huge\n  help: vary less, or \
                 leave cells out with `where`"
            )));
        }
        if self.base.scenario.run.precision.is_some() {
            return Err(Failure::usage("error: the cells of a sweep have equally many replications: write a number"));
        }
        let document = self.base.written.document();
        grid.check_conditions(self.source, &document).map_err(|found| refusal(&[found], self.terminal))?;
        let (mut cells, mut count) = (Vec::new(), 0);
        for cell in grid.cells(&document) {
            if kept(count) {
                cells.push((count, cell));
            }
            count += 1;
        }
        if count == 0 {
            let help = "help: all conditions must hold, those of the file and those of --where";
            let message = format!("error: `where` leaves no combination\n  {help}");
            return Err(Failure { exit: Exit::Nothing, message });
        }
        Ok((cells, count))
    }

    /// Reads every cell once: a mistake in the last one costs nothing.
    ///
    /// # Errors
    /// What is wrong with them: each finding once, with the first cell that has it.
    pub(in crate::cli) fn check(&self, cells: &[(u64, GridCell)]) -> Result<(), Failure> {
        let mut names = BTreeSet::new();
        let mut wrong: BTreeMap<String, (Diagnostic, u64)> = BTreeMap::new();
        let (mut warned, mut refused) = (0_u64, 0);
        for (_, cell) in cells {
            if !names.insert(cell.name.as_str()) {
                let message = format!("error: two cells have the same parameters: {}", label(&cell.parameters));
                return Err(Failure::usage(message));
            }
            match load_cell(self.source, cell, self.overrides) {
                Ok(loaded) => {
                    warned += u64::from(!loaded.warnings.is_empty());
                    self.registry.factory(&loaded.scenario.engine).map_err(|why| self.refused(why))?;
                }
                Err(found) => {
                    refused += 1;
                    for it in found {
                        let key = format!("{:?} {}", it.place, it.message);
                        let message = format!("{} (in the cell {})", it.message, label(&cell.parameters));
                        wrong.entry(key).or_insert((Diagnostic { message, ..it }, 0)).1 += 1;
                    }
                }
            }
        }
        if !wrong.is_empty() {
            let mut failure = self.refusal(wrong.into_values().collect());
            if refused < cells.len() {
                failure.message += "\n  help: leave such cells out with `where: a.min <= a.max` in the file, or --where 'a.min <= a.max'";
            }
            return Err(failure);
        }
        if warned > 0 {
            let total = cells.len();
            self.terminal
                .say(&format!("{warned} of {total} cells have warnings: `lanekeeper check` with --set shows them"));
        }
        Ok(())
    }

    fn refusal(&self, wrong: Vec<(Diagnostic, u64)>) -> Failure {
        let more = wrong.len().saturating_sub(FINDINGS_MAX);
        let shown = |(found, cells): (Diagnostic, u64)| match cells {
            1 => found,
            _ => Diagnostic { message: format!("{}; {} more cells have this", found.message, cells - 1), ..found },
        };
        let found: Vec<Diagnostic> = wrong.into_iter().take(FINDINGS_MAX).map(shown).collect();
        let mut failure = refusal(&found, self.terminal);
        if more > 0 {
            failure.message += &format!("\n\n{more} more findings of this sweep are not shown");
        }
        failure
    }

    fn refused(&self, why: String) -> Failure {
        refusal(&[Diagnostic::error(&self.source.path, why)], self.terminal)
    }

    /// Reads one cell, ready to run.
    ///
    /// # Errors
    /// When it cannot be run.
    pub(super) fn read(&self, cell: &GridCell) -> Result<Ready, Failure> {
        let loaded = load_cell(self.source, cell, self.overrides);
        Ok(ready(self.base.file.as_deref(), self.source, loaded, self.registry, self.terminal)?.0)
    }
}
