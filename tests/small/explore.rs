//! Every state that can be reached, breadth first: the first wrong one is reached by one of the shortest ways.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;

use super::{Action, Cluster};

/// So many states are looked at together.
const TOGETHER: usize = 4_096;

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

/// How each state was reached first: from which one, by what.
struct Ways(Vec<(u32, Step)>);

impl Ways {
    fn to(&self, mut state: u32) -> Vec<Step> {
        let mut way = Vec::new();
        while let Some((before, step)) = (state > 0).then(|| self.0[state as usize]) {
            way.push(step);
            state = before;
        }
        way.reverse();
        way
    }
}

/// What tells states apart.
pub type Key = fn(&Cluster) -> u128;

type Next = (u128, u32, Step, Result<Cluster, String>);

/// What may come after a state; an engine or agent that panics is in the wrong.
fn next(from: u32, state: &Cluster, key: Key) -> Vec<Next> {
    let mut found = Vec::new();
    for action in state.actions() {
        found.extend(take(from, Step { action, crash: None }, key, || Some(state.after(action))));
        if state.may_crash_during(action) {
            let crashes = (0..=u8::MAX).map(|crash| {
                let step = Step { action, crash: Some(crash) };
                take(from, step, key, || state.after_crash(action, usize::from(crash)))
            });
            found.extend(crashes.map_while(|after| after));
        }
    }
    found
}

fn take(from: u32, step: Step, key: Key, after: impl FnOnce() -> Option<Cluster>) -> Option<Next> {
    let after = catch_unwind(AssertUnwindSafe(after)).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    });
    let after = after.map(|it| it.map(Ok)).unwrap_or_else(|text| Some(Err(text)))?;
    let key = after.as_ref().map_or(0, key);
    Some((key, from, step, after))
}

/// Looks at every state that can be reached from `first`, or at those before the first wrong one.
pub fn explore(first: Cluster, key: Key) -> Explored {
    look(first, key, &mut |_| {})
}

/// The same, and shows every state once.
pub fn look(first: Cluster, key: Key, show: &mut dyn FnMut(&Cluster)) -> Explored {
    show(&first);
    let mut seen = BTreeSet::from([key(&first)]);
    let mut ways = Ways(vec![(0, Step { action: Action::Submit, crash: None })]);
    let mut open = vec![(0, first)];
    let mut explored = Explored { states: 1, steps: 0, depth: 0, wrong: None };
    while !open.is_empty() {
        let mut reached = Vec::new();
        for together in open.chunks(TOGETHER) {
            let found: Vec<Vec<Next>> = together.par_iter().map(|(number, state)| next(*number, state, key)).collect();
            for (key, from, step, after) in found.into_iter().flatten() {
                explored.steps += 1;
                let what = match after {
                    Err(panic) => Some(panic),
                    Ok(_) if !seen.insert(key) => continue,
                    Ok(state) => {
                        let number = u32::try_from(ways.0.len()).expect("fewer states than 2^32");
                        ways.0.push((from, step));
                        show(&state);
                        let wrong = state.wrong();
                        reached.push((number, state));
                        wrong
                    }
                };
                if let Some(what) = what {
                    let mut way = ways.to(from);
                    way.push(step);
                    explored.wrong = Some(Wrong { what, way });
                    explored.states = seen.len();
                    return explored;
                }
            }
        }
        explored.depth += usize::from(!reached.is_empty());
        explored.states = seen.len();
        open = reached;
    }
    explored
}
