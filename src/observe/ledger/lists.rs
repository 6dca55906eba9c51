//! Lists that hold one item most of the time: it lies in the record itself, where no list has to be followed to find it.

use std::collections::VecDeque;
use std::collections::vec_deque;

/// A short list in no order that matters.
#[derive(Clone, Debug)]
pub(crate) struct Few<T> {
    first: Option<T>,
    /// Empty while there is no first one.
    others: Vec<T>,
}

impl<T> Default for Few<T> {
    fn default() -> Self {
        Few { first: None, others: Vec::new() }
    }
}

impl<T: Copy> Few<T> {
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, item: T) {
        match self.first {
            None => self.first = Some(item),
            Some(_) => self.push_other(item),
        }
    }

    #[cold]
    fn push_other(&mut self, item: T) {
        self.others.push(item);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.others)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.first.iter_mut().chain(&mut self.others)
    }

    /// The first item that is so.
    #[inline(always)]
    pub(crate) fn find(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        match &mut self.first {
            Some(first) if is_it(first) => Some(first),
            _ => self.others.iter_mut().find(|item| is_it(item)),
        }
    }

    /// Takes the first item out that is so; the last one comes in its place.
    #[inline(always)]
    pub(crate) fn take(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        match self.first {
            Some(first) if is_it(&first) => {
                self.first = None;
                if !self.others.is_empty() {
                    self.first = self.others.pop();
                }
                Some(first)
            }
            _ => self.take_other(is_it),
        }
    }

    #[cold]
    fn take_other(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        let index = self.others.iter().position(is_it)?;
        Some(self.others.swap_remove(index))
    }
}

/// A line: who came first leaves first.
#[derive(Clone, Debug)]
pub(crate) struct Line<T> {
    front: Option<T>,
    /// Empty while there is no front.
    rest: VecDeque<T>,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Line { front: None, rest: VecDeque::new() }
    }
}

impl<T> Line<T> {
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.front.is_none()
    }

    #[inline(always)]
    pub(crate) fn front(&self) -> Option<&T> {
        self.front.as_ref()
    }

    #[inline(always)]
    pub(crate) fn front_mut(&mut self) -> Option<&mut T> {
        self.front.as_mut()
    }

    /// Appends an item; says whether it is the front.
    #[inline(always)]
    pub(crate) fn push(&mut self, item: T) -> bool {
        if self.front.is_some() {
            self.rest.push_back(item);
            return false;
        }
        self.front = Some(item);
        true
    }

    #[inline(always)]
    pub(crate) fn pop(&mut self) {
        self.front = None;
        if !self.rest.is_empty() {
            self.front = self.rest.pop_front();
        }
    }

    pub(crate) fn iter(&self) -> std::iter::Chain<std::option::Iter<'_, T>, vec_deque::Iter<'_, T>> {
        self.front.iter().chain(&self.rest)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.front.iter_mut().chain(&mut self.rest)
    }

    /// Takes the first item out that is so.
    #[cold]
    pub(crate) fn remove(&mut self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        if self.front.as_ref().is_some_and(&is_it) {
            let next = self.rest.pop_front();
            return std::mem::replace(&mut self.front, next);
        }
        let index = self.rest.iter().position(is_it)?;
        self.rest.remove(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_is_a_list_whose_last_item_fills_a_gap() {
        let mut few = Few::default();
        assert!(few.is_empty());
        (0..4).for_each(|item| few.push(item));
        assert_eq!(few.take(|item| *item == 0), Some(0));
        assert_eq!(few.iter().copied().collect::<Vec<_>>(), [3, 1, 2]);
        assert_eq!(few.take(|item| *item == 1), Some(1));
        assert_eq!(few.take(|item| *item == 1), None);
        few.iter_mut().for_each(|item| *item += 10);
        assert_eq!((few.find(|item| *item > 12).copied(), few.find(|item| *item == 12).copied()), (Some(13), Some(12)));
        assert_eq!((few.take(|_| true), few.take(|_| true), few.is_empty()), (Some(13), Some(12), true));
    }

    #[test]
    fn a_line_is_a_queue() {
        let mut line = Line::default();
        assert!(line.push(0) && !line.push(1) && !line.push(2) && !line.push(3));
        assert_eq!((line.remove(|item| *item == 2), line.remove(|item| *item == 0)), (Some(2), Some(0)));
        line.iter_mut().for_each(|item| *item += 10);
        assert_eq!((line.front(), line.iter().copied().collect::<Vec<_>>()), (Some(&11), vec![11, 13]));
        line.pop();
        assert_eq!(line.front_mut(), Some(&mut 13));
        line.pop();
        line.pop();
        assert!(line.is_empty());
    }
}
