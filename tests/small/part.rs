//! Parts of a state: its host and each of its workers. States share them, and with them the work that is done on them:
//! what a part shows is found out once, and so is what becomes of it by an input. Nothing is left out by that: a part
//! is a function of what it was made from and of its inputs since, and where two states share one it answers both
//! alike.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::canonical::Shown;
use super::scope::Setup;

/// What takes one input at a time, and tells nobody of it but by its outputs.
pub trait Machine: Clone {
    type Input: PartialEq;
    type Output;

    fn take(&mut self, setup: &Setup, input: &Self::Input) -> Vec<Self::Output>;

    /// Everything that its future depends on. What matters in some states only comes last.
    fn show(&self) -> Vec<Arc<Shown>>;
}

pub struct Part<T: Machine>(Arc<Shared<T>>);

struct Shared<T: Machine> {
    it: T,
    shown: OnceLock<Vec<Arc<Shown>>>,
    next: Mutex<Vec<Next<T>>>,
}

/// An input, what became of the part by it, and what it put out.
type Next<T> = (<T as Machine>::Input, Part<T>, Outputs<T>);

pub type Outputs<T> = Arc<[<T as Machine>::Output]>;

impl<T: Machine> Part<T> {
    pub fn new(it: T) -> Part<T> {
        Part(Arc::new(Shared { it, shown: OnceLock::new(), next: Mutex::default() }))
    }

    pub fn shown(&self) -> &[Arc<Shown>] {
        self.0.shown.get_or_init(|| self.0.it.show())
    }

    /// Takes an input; gives what it puts out.
    pub fn take(&mut self, setup: &Setup, input: T::Input) -> Outputs<T> {
        let known =
            self.next().iter().find(|(known, ..)| *known == input).map(|(_, next, out)| (next.clone(), out.clone()));
        let (next, outputs) = known.unwrap_or_else(|| {
            // Not under the lock: it may panic.
            let mut it = self.0.it.clone();
            let outputs: Outputs<T> = it.take(setup, &input).into();
            let next = Part::new(it);
            self.next().push((input, next.clone(), Arc::clone(&outputs)));
            (next, outputs)
        });
        *self = next;
        outputs
    }

    /// Forgets what nobody else remembers of what becomes of it.
    pub fn forget(&self) {
        self.next().retain(|(_, next, _)| Arc::strong_count(&next.0) > 1);
    }

    fn next(&self) -> MutexGuard<'_, Vec<Next<T>>> {
        self.0.next.lock().expect("nothing panics under it")
    }
}

impl<T: Machine> Clone for Part<T> {
    fn clone(&self) -> Part<T> {
        Part(Arc::clone(&self.0))
    }
}

impl<T: Machine> Deref for Part<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0.it
    }
}
