//! The one or two questions that are asked at once: A and AAAA of a name are two.

use super::flight::Question;
use core::ops::{Index, IndexMut};

/// Which of the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The first, or the only one.
    First,
    /// The second.
    Second,
}

/// One value for each question; the second's means nothing where there is one question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerQuestion<T> {
    /// The first question's.
    pub first: T,
    /// The second question's.
    pub second: T,
}

impl<T> PerQuestion<T> {
    /// The same for both.
    pub const fn both(value: T) -> PerQuestion<T>
    where
        T: Copy,
    {
        PerQuestion { first: value, second: value }
    }

    /// Both, each with its question.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        [(Slot::First, &self.first), (Slot::Second, &self.second)].into_iter()
    }

    /// The same, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, &mut T)> {
        [(Slot::First, &mut self.first), (Slot::Second, &mut self.second)].into_iter()
    }

    /// True where it holds of one.
    pub fn any(&self, is: impl Fn(&T) -> bool) -> bool {
        is(&self.first) || is(&self.second)
    }
}

impl<T> Index<Slot> for PerQuestion<T> {
    type Output = T;

    fn index(&self, slot: Slot) -> &T {
        match slot {
            Slot::First => &self.first,
            Slot::Second => &self.second,
        }
    }
}

impl<T> IndexMut<Slot> for PerQuestion<T> {
    fn index_mut(&mut self, slot: Slot) -> &mut T {
        match slot {
            Slot::First => &mut self.first,
            Slot::Second => &mut self.second,
        }
    }
}

/// The questions.
#[derive(Clone, Copy)]
pub struct Questions<'a> {
    first: &'a Question<'a>,
    second: Option<&'a Question<'a>>,
}

impl<'a> Questions<'a> {
    /// One.
    pub fn one(question: &'a Question<'a>) -> Questions<'a> {
        Questions { first: question, second: None }
    }

    /// One or two.
    pub fn of(first: &'a Question<'a>, second: Option<&'a Question<'a>>) -> Questions<'a> {
        Questions { first, second }
    }

    /// How many.
    pub fn count(&self) -> usize {
        1 + usize::from(self.second.is_some())
    }

    /// Those that there are, in order.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        [Slot::First, Slot::Second].into_iter().take(self.count())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = (Slot, &'a Question<'a>)> + use<'a> {
        let both =
            [Some((Slot::First, self.first)), self.second.map(|second| (Slot::Second, second))];
        both.into_iter().flatten()
    }
}

impl<'a> Index<Slot> for Questions<'a> {
    type Output = Question<'a>;

    /// Where there is no second one, the first.
    fn index(&self, slot: Slot) -> &Question<'a> {
        match (slot, self.second) {
            (Slot::Second, Some(second)) => second,
            _ => self.first,
        }
    }
}
