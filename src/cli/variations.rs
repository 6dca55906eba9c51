//! What a scenario file holds beyond its base: the variants of `compare` and the cells of `sweep`. Each is read as the
//! verb that runs it will read it.

use std::path::Path;

use super::exit::Failure;
use super::session::{Ready, ready, refusal};
use super::sweep::Cells;
use super::terminal::Terminal;
use crate::registry::Registry;
use crate::scenario::grid::Grid;
use crate::scenario::variants::variants;
use crate::scenario::{Override, SourceText, Variant, load_variant};

/// Reads each variant; says each warning once.
///
/// # Errors
/// What is wrong with any of them, or that they cannot be paired.
pub(super) fn read_variants(
    file: Option<&Path>,
    source: &SourceText,
    variants: &[Variant],
    overrides: &[Override],
    registry: &Registry,
    terminal: &Terminal,
) -> Result<Vec<Ready>, Failure> {
    let (mut said, mut systems) = (Vec::new(), Vec::new());
    let mut wrong: Option<Failure> = None;
    for variant in variants {
        let loaded = load_variant(source, variant, overrides);
        match ready(file, source, loaded, registry, terminal) {
            Ok((system, warnings)) => {
                for warning in warnings.iter().map(|it| it.render(terminal.color_on_stderr())) {
                    if !said.contains(&warning) {
                        terminal.say(&warning);
                        said.push(warning);
                    }
                }
                systems.push(system);
            }
            Err(failure) => match &mut wrong {
                None => wrong = Some(failure),
                Some(first) => {
                    first.exit = first.exit.max(failure.exit);
                    first.message += &format!("\n\n{}", failure.message);
                }
            },
        }
    }
    if let Some(failure) = wrong {
        return Err(failure);
    }
    let runs = |it: &Ready| {
        let run = &it.scenario.run;
        (run.replications, run.precision.map(|it| (it.metric.name, it.class, it.relative.to_bits())))
    };
    if systems.iter().any(|it| runs(it) != runs(&systems[0])) {
        return Err(Failure::usage("error: variants that differ in `run.replications` cannot be paired"));
    }
    Ok(systems)
}

/// Reads everything that a file holds beyond its base, and runs none of it.
///
/// # Errors
/// What is wrong with any variant or cell.
pub(super) fn check_all(
    base: &Ready,
    source: &SourceText,
    overrides: &[Override],
    registry: &Registry,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let variants = variants(source).map_err(|found| refusal(&[found], terminal))?;
    read_variants(base.file.as_deref(), source, &variants, overrides, registry, terminal)?;
    let Some(grid) = Grid::of(source).map_err(|found| refusal(&[found], terminal))? else { return Ok(()) };
    let cells = Cells { base, source, overrides, registry, terminal };
    let (each, _) = cells.of(&grid, |_| true, false)?;
    cells.check(&each)
}
