//! Every state that can be reached, breadth first: the first wrong one is reached by one of the shortest ways.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::{Action, Cluster};

/// So many states are looked at together.
const TOGETHER: usize = 4_096;

/// What becomes of parts is forgotten every so many steps from the first state: more often takes more time, less often
/// more memory.
const REMEMBERED: usize = 4;

#[derive(Debug)]
pub struct Explored {
    pub states: usize,
    pub steps: u64,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    pub wrong: Option<Wrong>,
}

/// What happened, and before which of all that it had to do the engine crashed meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    action: Action,
    crash: Option<u8>,
}

/// A broken promise and a shortest way to it.
#[derive(Debug)]
pub struct Wrong {
    pub what: String,
    pub way: Vec<Step>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, after", self.what)?;
        for Step { action, crash } in &self.way {
            write!(f, " {action:?}")?;
            if let Some(before) = crash {
                write!(f, " with a crash before effect {before}")?;
            }
        }
        Ok(())
    }
}

/// How each state was reached first: from which one, by which of what may happen there.
struct Ways(Vec<(u32, u16)>);

impl Ways {
    /// The steps to a state, and one more from there.
    fn to(&self, mut state: u32, last: u16, first: &Cluster) -> Vec<Step> {
        let mut choices = vec![last];
        while state > 0 {
            let (before, choice) = self.0[state as usize];
            choices.push(choice);
            state = before;
        }
        let mut at = Ok(first.clone());
        let mut step = |choice: u16| {
            let here = at.as_ref().expect("nothing follows a panic");
            let (step, after) = steps(here).nth(usize::from(choice)).expect("it was chosen before");
            at = after;
            step
        };
        choices.into_iter().rev().map(&mut step).collect()
    }
}

/// What tells states apart.
pub type Key = fn(&Cluster) -> u128;

/// Those of the states that were seen. Nobody goes through them.
#[allow(clippy::disallowed_types, reason = "only asked whether it contains something")]
type Prints = std::collections::HashSet<u128>;

/// What comes after a step; what an engine or agent said that panicked.
type After = Result<Cluster, String>;

/// All that may happen in a state, and what comes after it. An engine or agent that panics is in the wrong.
fn steps(state: &Cluster) -> impl Iterator<Item = (Step, After)> {
    state.actions().into_iter().flat_map(move |action| {
        let whole = take(Step { action, crash: None }, || Some(state.after(action)));
        let crashes = (0..=u8::MAX).take_while(move |_| state.may_crash_during(action)).map_while(move |crash| {
            take(Step { action, crash: Some(crash) }, || state.after_crash(action, usize::from(crash)))
        });
        whole.into_iter().chain(crashes)
    })
}

fn take(step: Step, after: impl FnOnce() -> Option<Cluster>) -> Option<(Step, After)> {
    let after = catch_unwind(AssertUnwindSafe(after)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    });
    match after {
        Ok(after) => after.map(|state| (step, Ok(state))),
        Err(text) => Some((step, Err(text))),
    }
}

/// A step to what was not seen before: from which state, the how manyeth there.
struct Next {
    from: u32,
    choice: u16,
    key: u128,
    after: After,
}

/// How many steps there are from a state, and those to what was not seen before.
fn next(from: u32, state: &Cluster, key: Key, seen: &Prints) -> (u64, Vec<Next>) {
    let (mut count, mut found) = (0, Vec::new());
    for (choice, (_, after)) in (0..).zip(steps(state)) {
        count += 1;
        let key = after.as_ref().map_or(0, key);
        if after.is_err() || !seen.contains(&key) {
            found.push(Next { from, choice, key, after });
        }
    }
    (count, found)
}

/// Looks at every state that can be reached from `first`, or at those before the first wrong one.
pub fn explore(first: Cluster, key: Key) -> Explored {
    look(first, key, &mut |_| {})
}

/// The same, and shows every state once.
pub fn look(first: Cluster, key: Key, show: &mut dyn FnMut(&Cluster)) -> Explored {
    show(&first);
    let mut seen = Prints::from_iter([key(&first)]);
    let mut ways = Ways(vec![(0, 0)]);
    let mut open = vec![(0, first.clone())];
    let mut explored = Explored { states: 1, steps: 0, depth: 0, wrong: None };
    while !open.is_empty() {
        let mut reached = Vec::new();
        let mut left = open.into_iter();
        while left.len() > 0 {
            // A state is let go once it is known what follows it.
            let together: Vec<_> = left.by_ref().take(TOGETHER).collect();
            let follow = |(number, state): (u32, Cluster)| next(number, &state, key, &seen);
            let found: Vec<(u64, Vec<Next>)> = together.into_par_iter().map(follow).collect();
            for (count, found) in found {
                explored.steps += count;
                for Next { from, choice, key, after } in found {
                    let what = match after {
                        Err(panic) => Some(panic),
                        Ok(_) if !seen.insert(key) => continue,
                        Ok(state) => {
                            let number = u32::try_from(ways.0.len()).expect("fewer states than 2^32");
                            ways.0.push((from, choice));
                            show(&state);
                            let wrong = state.wrong();
                            reached.push((number, state));
                            wrong
                        }
                    };
                    if let Some(what) = what {
                        explored.wrong = Some(Wrong { what, way: ways.to(from, choice, &first) });
                        explored.states = seen.len();
                        return explored;
                    }
                }
            }
        }
        if explored.depth.is_multiple_of(REMEMBERED) {
            first.forget();
            reached.par_iter().for_each(|(_, state): &(u32, Cluster)| state.forget());
        }
        explored.depth += usize::from(!reached.is_empty());
        explored.states = seen.len();
        open = reached;
    }
    explored
}
