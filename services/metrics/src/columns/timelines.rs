//! What customers did, in its order, kept current once somebody asked for it.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use super::{
    by_person::ByPerson,
    people::NOBODY,
    times::{NEVER, Times},
};

/// Everything is put in order anew after as many changes as a part of it that is this many times smaller.
const PARTS: usize = 8;
/// After fewer changes it never is.
const FEW: usize = 65_536;

/// The instants at which customers did something, or instants and rows, each customer's ascending. Nothing is kept until they
/// are asked for the first time; then 8 bytes for each instant (16 with its row) and 8 for each customer, and as much again for
/// those of whom something changed since. What nobody did is left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timelines<T = i64> {
    made: OnceLock<Made<T>>,
}

#[derive(Clone, Debug)]
struct Made<T> {
    ordered: ByPerson<T>,
    /// Those of customers of whom something changed since.
    changed: FxHashMap<u32, Vec<T>>,
    /// How many changes there were since.
    changes: usize,
}

impl<T: Copy + Default + Ord> Timelines<T> {
    /// The same, made from all of so many customers' if that was not done yet: `each` gives them, the same each time.
    pub(crate) fn get<I: Iterator<Item = (u32, T)>>(&self, people: usize, each: impl Fn() -> I) -> &Self {
        self.made.get_or_init(|| {
            let ordered = ByPerson::new(people, &each);
            Made { ordered, changed: FxHashMap::default(), changes: 0 }
        });
        self
    }

    /// Those of a customer; none before they were made.
    pub(crate) fn of(&self, person: u32) -> &[T] {
        self.made.get().map_or(&[], |made| made.of(person))
    }

    /// Takes note that what was done by one customer at an instant, was by another at another; or by [`NOBODY`].
    pub(crate) fn note(&mut self, before: (u32, T), after: (u32, T)) {
        let Some(made) = self.made.get_mut() else { return };
        if before == after {
            return;
        }
        made.change(before, |instants, place, is_there| {
            if is_there {
                instants.remove(place);
            }
        });
        made.change(after, |instants, place, _| instants.insert(place, after.1));
        made.changes += 1;
        if made.changes > FEW.max(made.ordered.len() / PARTS) {
            made.order();
        }
    }
}

impl<T: Copy + Default + Ord> Made<T> {
    fn of(&self, person: u32) -> &[T] {
        self.changed.get(&person).map_or_else(|| self.ordered.of(person), Vec::as_slice)
    }

    fn change(&mut self, (person, at): (u32, T), change: impl FnOnce(&mut Vec<T>, usize, bool)) {
        if person == NOBODY {
            return;
        }
        let ordered = &self.ordered;
        let instants = self.changed.entry(person).or_insert_with(|| ordered.of(person).to_vec());
        let (place, is_there) = match instants.binary_search(&at) {
            Ok(place) => (place, true),
            Err(place) => (place, false),
        };
        change(instants, place, is_there);
    }

    fn order(&mut self) {
        let last = self.changed.keys().max().map_or(0, |person| *person as usize + 1);
        let most = self.ordered.len() + self.changes;
        self.ordered = ByPerson::of_each(self.ordered.people().max(last), most, |person| self.of(person));
        self.changed = FxHashMap::default();
        self.changes = 0;
    }
}

/// Whose is what is in a row, and when; nobody's and never where nothing is yet.
pub(super) fn done(customers: &[u32], times: &Times, row: usize) -> (u32, i64) {
    customers.get(row).map_or((NOBODY, NEVER), |customer| (*customer, times.at(row)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PEOPLE: u32 = 5;

    /// Somebody, nobody, or somebody who comes later; and an instant.
    fn done() -> impl Strategy<Value = (u32, i64)> {
        (prop_oneof![0..PEOPLE + 2, Just(NOBODY)], 0_i64..6)
    }

    proptest! {
        #[test]
        fn changes_are_as_if_they_had_always_been(
            start in prop::collection::vec(done(), 0..20),
            changes in prop::collection::vec((0_usize..30, done(), any::<bool>()), 0..60),
        ) {
            let mut rows: Vec<_> = start.into_iter().filter(|(person, _)| *person < PEOPLE).collect();
            let mut timelines = Timelines::default();
            timelines.get(PEOPLE as usize, || rows.iter().copied());
            for (row, after, orders) in changes {
                let before = match rows.get_mut(row) {
                    Some(cell) => std::mem::replace(cell, after),
                    None => {
                        rows.push(after);
                        (NOBODY, 0)
                    }
                };
                timelines.note(before, after);
                if orders {
                    timelines.made.get_mut().expect("made").order();
                }
                for person in 0..PEOPLE + 3 {
                    let mut own: Vec<_> = rows.iter().filter(|(of, _)| *of == person).map(|(_, at)| *at).collect();
                    own.sort_unstable();
                    prop_assert_eq!(timelines.of(person), own);
                }
            }
        }
    }

    #[test]
    fn nothing_is_kept_that_nobody_asked_for() {
        let mut timelines = Timelines::<i64>::default();
        timelines.note((NOBODY, 0), (1, 5));
        assert!(timelines.made.get().is_none() && timelines.of(1).is_empty());
        assert_eq!(timelines.get(2, || [(1, 7), (1, 5)].into_iter()).of(1), [5, 7]);
    }

    #[test]
    fn a_customer_of_many_instants_is_not_put_in_order_for_each_of_them() {
        let mut timelines = Timelines::default();
        let many = i64::try_from(2 * FEW).expect("small");
        timelines.get(1, || (0..many).map(|at| (0, at)));
        for at in 0..100 {
            timelines.note((NOBODY, 0), (0, many + at));
        }
        let made = timelines.made.get().expect("made");
        assert_eq!((made.changes, made.ordered.len(), timelines.of(0).len()), (100, 2 * FEW, 2 * FEW + 100));
    }

    #[test]
    fn what_changed_is_put_in_order_when_it_is_much() {
        let mut timelines = Timelines::default();
        timelines.get(1, std::iter::empty);
        for at in 0..=i64::try_from(FEW).expect("small") {
            timelines.note((NOBODY, 0), (0, at));
        }
        let made = timelines.made.get().expect("made");
        assert_eq!((made.changes, made.ordered.len()), (0, FEW + 1));
        assert_eq!(timelines.of(0).len(), FEW + 1);
    }
}
