//! Where two runs part: the first fact that differs, what came before it in both, and what followed in each.
//!
//! Both runs are read as lines of events, side by side and once; memory does not grow with them.

use std::collections::VecDeque;
use std::io::{self, BufRead};

use serde_json::Value;

use super::number;
use crate::base::Time;

/// How two runs compare.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Comparison {
    /// All facts are equal; so many there are.
    Equal(u64),
    /// They part.
    Differ(Difference),
}

/// The first difference of two runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// So many facts are equal before it.
    pub equal: u64,
    /// The last equal ones.
    pub before: Vec<String>,
    /// The facts of the first run from there on; none: it ends there.
    pub first: Vec<String>,
    /// The facts of the second one.
    pub second: Vec<String>,
}

/// Why a run cannot be compared.
#[derive(Debug)]
pub struct Unreadable {
    /// 0: the first one, 1: the second one.
    pub which: usize,
    /// The line, from 1; 0: there is none.
    pub line: u64,
    /// What is wrong with it.
    pub why: String,
}

/// The events of a run, a line each.
struct Events<R> {
    which: usize,
    lines: io::Lines<R>,
    line: u64,
}

impl<R: BufRead> Events<R> {
    fn next(&mut self) -> Result<Option<String>, Unreadable> {
        let wrong = |line, why| Unreadable { which: self.which, line, why };
        match self.lines.next() {
            None if self.line == 0 => Err(wrong(0, "it holds no event".to_owned())),
            None => Ok(None),
            Some(read) => {
                self.line += 1;
                let text = read.map_err(|error| wrong(self.line, error.to_string()))?;
                // Both runs were written by the same hand: a look at the ends of a line finds what is torn or no event.
                if text.starts_with("{\"at\":") && text.ends_with('}') {
                    Ok(Some(text))
                } else {
                    Err(wrong(self.line, "this is no event, or a part of one".to_owned()))
                }
            }
        }
    }
}

/// Compares two runs, given as lines of events; `context`: so many lines before and after are kept.
///
/// # Errors
/// When a run cannot be read, holds nothing, or holds what is no event.
pub fn first_difference(first: impl BufRead, second: impl BufRead, context: usize) -> Result<Comparison, Unreadable> {
    let mut first = Events { which: 0, lines: first.lines(), line: 0 };
    let mut second = Events { which: 1, lines: second.lines(), line: 0 };
    let mut before: VecDeque<String> = VecDeque::new();
    let mut equal = 0;
    loop {
        match (first.next()?, second.next()?) {
            (None, None) => return Ok(Comparison::Equal(equal)),
            (Some(one), Some(other)) if one == other => {
                equal += 1;
                before.push_back(one);
                if before.len() > context {
                    before.pop_front();
                }
            }
            (one, other) => {
                let (first, second) = (rest(one, &mut first, context)?, rest(other, &mut second, context)?);
                return Ok(Comparison::Differ(Difference { equal, before: before.into(), first, second }));
            }
        }
    }
}

/// What follows in a run that goes on, its first line included.
fn rest(begun: Option<String>, events: &mut Events<impl BufRead>, context: usize) -> Result<Vec<String>, Unreadable> {
    let mut lines: Vec<String> = begun.into_iter().collect();
    while !lines.is_empty() && lines.len() <= context {
        let Some(line) = events.next()? else { break };
        lines.push(line);
    }
    Ok(lines)
}

impl Difference {
    /// For people: `first` and `second` are what the runs are called.
    pub fn words(&self, first: &str, second: &str) -> String {
        let facts = number::counted(self.equal, "fact");
        let mut out = format!("{facts} {} equal\n", if self.equal == 1 { "is" } else { "are" });
        if !self.before.is_empty() {
            out += &format!("\nbefore, in both\n{}", told(&self.before));
        }
        out += "\nthe first difference\n";
        for (name, lines) in [(first, &self.first), (second, &self.second)] {
            let line = lines.first().map_or_else(|| "the run is over\n".to_owned(), |line| event_words(line) + "\n");
            out += &format!("  {name}:\n  {line}");
        }
        for (name, lines) in [(first, &self.first), (second, &self.second)] {
            if lines.len() > 1 {
                out += &format!("\nwhat followed in {name}\n{}", told(&lines[1..]));
            }
        }
        out
    }
}

fn told(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {}\n", event_words(line))).collect()
}

/// An event's line for people: when, what, and its fields; as it is, where it is no event.
fn event_words(line: &str) -> String {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(line) else { return line.to_owned() };
    let (Some(at), Some(event)) = (fields.shift_remove("at"), fields.shift_remove("event")) else {
        return line.to_owned();
    };
    let at = Time::from_micros((at.as_f64().unwrap_or_default() * 1e6).round() as u64);
    let mut out = format!("{:>12}  {}", number::clock(at), plain(&event));
    for (key, value) in &fields {
        out += &format!(" {key}={}", plain(value));
    }
    out
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "{\"at\":0.0,\"event\":\"worker_ready\",\"worker\":\"w1\"}\n{\"at\":90.5,\"event\":\"started\",\"task\":\"t1\"}\n{\"at\":91.0,\"event\":\"x\"}\n{\"at\":91.0,\"event\":\"y\"}\n{\"at\":91.0,\"event\":\"z\"}\n";

    fn compared(first: &str, second: &str) -> Comparison {
        first_difference(first.as_bytes(), second.as_bytes(), 2).unwrap()
    }

    fn difference(first: &str, second: &str) -> Difference {
        let Comparison::Differ(difference) = compared(first, second) else { panic!("they are equal") };
        difference
    }

    #[test]
    fn equal_runs_have_none() {
        assert_eq!(compared(A, A), Comparison::Equal(5));
    }

    #[test]
    fn the_first_difference_comes_with_what_was_before_and_what_followed() {
        let found = difference(A, &A.replace("t1", "t2"));
        assert_eq!(
            found.words("A", "B"),
            "1 fact is equal\n\nbefore, in both\n             0  worker_ready worker=w1\n\nthe first \
             difference\n  A:\n  1 min 30.5 s  started task=t1\n  B:\n  1 min 30.5 s  started task=t2\n\nwhat followed in A\n    \
             1 min 31 s  x\n    1 min 31 s  y\n\nwhat followed in B\n    1 min 31 s  x\n    1 min 31 s  y\n"
        );
    }

    #[test]
    fn what_is_no_event_is_refused_with_its_run_and_line() {
        for (first, second, which, line) in [
            (A, "", 1, 0),
            ("hello\n", A, 0, 1),
            (A, &A[..A.len() - 3], 1, 5),
            (&A.replace("t1", "t2")[..A.len() - 30], A, 0, 4),
        ] {
            let found = first_difference(first.as_bytes(), second.as_bytes(), 9).unwrap_err();
            assert_eq!((found.which, found.line), (which, line), "{first} / {second}: {found:?}");
        }
    }

    #[test]
    fn a_run_that_ends_earlier_differs_at_its_end() {
        let found = difference(A, A.split_once("\n{\"at\":91.0,\"event\":\"y").unwrap().0);
        assert_eq!((found.equal, found.second.len()), (3, 0));
        assert!(found.words("A", "B").contains("B:\n  the run is over"));
    }
}
