//! `selftest`: the simulator against closed forms; a table of z-scores and of the half-widths that were reached.

use clap::Args;

use super::exit::{Exit, Failure};
use super::progress::{Extent, watched};
use super::terminal::Terminal;
use crate::base::Span;
use crate::experiment::selftest::{Case, Line, SamplePath, cases, coverage, paths};

/// Beyond this it is no chance: once in 16,000 cases.
const Z_MAX: f64 = 4.0;
/// Intervals whose coverage is counted, and between what it must lie.
const INTERVALS: u32 = 2_000;
const COVERAGE: (f64, f64) = (0.935, 0.965);
const SEEDS: [u64; 3] = [1, 2, 3];

/// Hold the simulator against queueing theory.
#[derive(Clone, Args, Debug)]
#[command(after_help = "Examples:
  lanekeeper selftest
  lanekeeper selftest --full")]
pub(super) struct SelftestArgs {
    /// Heavier loads and heavier tails too; takes several times as long.
    #[arg(long)]
    full: bool,
    /// How many threads run replications; never changes a result. Default: one per processor.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

impl SelftestArgs {
    pub(super) fn command(&self) -> String {
        format!("lanekeeper selftest{}", if self.full { " --full" } else { "" })
    }

    pub(super) fn call(&self, terminal: &Terminal) -> Result<Exit, Failure> {
        let jobs = self.jobs.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
        let extent = |name| Extent { name, replications: 0, simulated: Span::ZERO };
        terminal
            .print("system                             value             exact       mean       z  half-width\n")?;
        let mut wrong = 0;
        for case in cases().iter().filter(|case| self.full || !case.is_full) {
            let lines = watched(&extent(case.name), terminal.quiet, |progress| case.run(1.0, jobs, progress));
            let Some(lines) = lines else { return Ok(Exit::Interrupted) };
            for line in lines {
                let holds = holds(case, &line);
                wrong += u32::from(!holds);
                terminal.print(&row(case, &line, holds))?;
            }
        }
        for path in paths() {
            wrong += u32::from(path.exact != path.simulated);
            terminal.print(&path_row(&path))?;
        }
        for seed in SEEDS {
            let found =
                watched(&extent("coverage"), terminal.quiet, |progress| coverage(seed, INTERVALS, jobs, progress));
            let Some(found) = found else { return Ok(Exit::Interrupted) };
            let holds = (COVERAGE.0..=COVERAGE.1).contains(&found);
            wrong += u32::from(!holds);
            terminal.print(&format!(
                "{:.2} % of {INTERVALS} intervals of 95 % hold the mean response of M/M/1 at 0.5, seed {seed}{}\n",
                found * 100.0,
                if holds { "" } else { "  WRONG" }
            ))?;
        }
        if wrong > 0 {
            terminal.print(&format!("{wrong} lines are wrong. Repeat with:\n{}\n", self.command()))?;
            return Ok(Exit::Violated);
        }
        terminal.print(&format!("all agree with theory: every |z| is below {Z_MAX}\n"))?;
        Ok(Exit::Done)
    }
}

fn holds(case: &Case, line: &Line) -> bool {
    line.z.abs() < Z_MAX && case.wanted.is_none_or(|wanted| line.half_width <= wanted)
}

fn row(case: &Case, line: &Line, holds: bool) -> String {
    format!(
        "{:34} {:13} {:>9.5}  {:>9.5}  {:>+6.2}  {:>8.2} %{}\n",
        case.name,
        if line.known.what.is_empty() { "mean response" } else { line.known.what },
        line.known.exact,
        line.mean,
        line.z,
        line.half_width * 100.0,
        if holds { "" } else { "  WRONG" }
    )
}

fn path_row(path: &SamplePath) -> String {
    let SamplePath { name, exact, simulated } = path;
    if exact == simulated {
        format!("{name:34} {} tasks to the microsecond\n", exact.len())
    } else {
        format!("{name:34} starts and ends in us {simulated:?} instead of {exact:?}  WRONG\n")
    }
}
