//! The progress bar, and Ctrl-C. A thread of its own looks at the experiment; without a terminal it draws nothing and
//! only passes the interruption on.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::exit::Exit;
use crate::base::Span;
use crate::experiment::replicate::{Progress, total_span};
use crate::scenario::Scenario;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Ctrl-C ends experiments in good order; a second one ends the program at once.
pub(super) fn catch_interruptions() {
    // Where no handler can be set, Ctrl-C ends the program at once, as usual.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(Exit::Interrupted.code()));
        }
    });
}

/// Whether Ctrl-C was pressed.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Does the work while another thread shows its progress.
pub(super) fn watched<T>(extent: &Extent<'_>, quiet: bool, work: impl FnOnce(&Progress) -> T) -> T {
    let progress = Progress::default();
    let bar = bar(extent, quiet);
    let look = || {
        if interrupted() {
            progress.stop();
        }
        bar.set_position(progress.simulated().micros());
        bar.set_message(format!("{} of {} replications", progress.finished(), extent.replications));
    };
    let done = looking(look, || work(&progress));
    bar.finish_and_clear();
    done
}

/// Does the work while another thread looks on, again and again.
pub(super) fn looking<T>(mut look: impl FnMut() + Send, work: impl FnOnce() -> T) -> T {
    std::thread::scope(|scope| {
        let (done, is_done) = channel::<()>();
        scope.spawn(move || {
            // The other end is dropped when the work is over, by a panic too.
            while is_done.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                look();
            }
        });
        let _done = done;
        work()
    })
}

/// One line that tells how far something is, of which nobody knows how much there is.
pub(super) fn line(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.with_style(ProgressStyle::with_template("{spinner} {msg}").expect("a template that is fixed"))
}

/// How much there is to do.
pub(super) struct Extent<'a> {
    /// What is run.
    pub(super) name: &'a str,
    /// In all.
    pub(super) replications: u64,
    /// Of all of them.
    pub(super) simulated: Span,
}

impl<'a> Extent<'a> {
    /// So many experiments as large as this scenario.
    pub(super) fn of(scenario: &'a Scenario, experiments: u64) -> Extent<'a> {
        let simulated = Span::from_micros(total_span(scenario).micros().saturating_mul(experiments));
        let replications = u64::from(scenario.run.replications).saturating_mul(experiments);
        Extent { name: &scenario.name, replications, simulated }
    }
}

fn bar(extent: &Extent<'_>, quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(extent.simulated.micros()), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3} %  {msg}  {eta} left");
    bar.with_style(style.expect("a template that is fixed").progress_chars("=> ")).with_prefix(extent.name.to_owned())
}
