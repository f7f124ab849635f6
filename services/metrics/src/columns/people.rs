//! Ids by small numbers.

use std::{iter::Peekable, slice, sync::OnceLock, vec};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Stands for nobody: the customer of an anonymous answer.
pub(crate) const NOBODY: u32 = u32::MAX;

/// New ids are merged into the order once they are more than this part of it, and more than a few. That takes a step for each id
/// there is: ids begin with the time at which they were made, so new ones mostly come last.
const PARTS: usize = 64;
const FEW: usize = 4_096;

/// Ids and their numbers, from 0.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ids {
    ids: Vec<Uuid>,
    #[serde(skip)]
    numbers: FxHashMap<Uuid, u32>,
    /// The numbers of the first of them in the order of the ids, 4 bytes each; nothing until it is asked for.
    #[serde(skip)]
    ordered: OnceLock<Vec<u32>>,
}

impl Ids {
    /// The number of an id, a new one if need be.
    pub(crate) fn number(&mut self, id: Uuid) -> u32 {
        if let Some(number) = self.find(id) {
            return number;
        }
        let number = u32::try_from(self.ids.len()).unwrap_or(NOBODY);
        self.ids.push(id);
        self.numbers.insert(id, number);
        self.keep_order();
        number
    }

    /// The number of an id, if it has one.
    pub(crate) fn find(&self, id: Uuid) -> Option<u32> {
        self.numbers.get(&id).copied()
    }

    /// The ids by number.
    pub(crate) fn as_slice(&self) -> &[Uuid] {
        &self.ids
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// All ids that come after one, with their numbers, in their order.
    pub(crate) fn after(&self, after: Option<Uuid>) -> After<'_> {
        let comes_before = |id: Uuid| after.is_some_and(|after| id <= after);
        let ordered = self.ordered.get_or_init(|| in_order(&self.ids, 0).map(|(_, number)| number).collect());
        let first = ordered.partition_point(|number| comes_before(self.ids[*number as usize]));
        let mut late: Vec<_> = in_order(&self.ids, ordered.len()).collect();
        late.drain(..late.partition_point(|(id, _)| comes_before(*id)));
        After { ids: &self.ids, ordered: ordered[first..].iter(), late: late.into_iter().peekable() }
    }

    fn keep_order(&mut self) {
        let are_many = |ordered: usize| self.ids.len() - ordered > FEW.max(ordered / PARTS);
        if self.ordered.get().is_some_and(|ordered| are_many(ordered.len())) {
            self.order();
        }
    }

    fn order(&mut self) {
        let Some(ordered) = self.ordered.get_mut() else { return };
        ordered.extend(in_order(&self.ids, ordered.len()).map(|(_, number)| number));
        // Two runs in order, which are merged.
        ordered.sort_by_key(|number| self.ids[*number as usize]);
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.numbers = self.ids.iter().copied().zip(0..).collect();
    }
}

/// The ids from a number on, in their order.
fn in_order(ids: &[Uuid], from: usize) -> vec::IntoIter<(Uuid, u32)> {
    let numbers = u32::try_from(from).unwrap_or(NOBODY)..;
    let mut ids: Vec<_> = ids[from..].iter().copied().zip(numbers).collect();
    ids.sort_unstable();
    ids.into_iter()
}

/// Ids with their numbers, in their order.
#[derive(Debug)]
pub(crate) struct After<'i> {
    ids: &'i [Uuid],
    ordered: slice::Iter<'i, u32>,
    /// Those that came since the others were put in order.
    late: Peekable<vec::IntoIter<(Uuid, u32)>>,
}

impl Iterator for After<'_> {
    type Item = (Uuid, u32);

    fn next(&mut self) -> Option<Self::Item> {
        let Some(number) = self.ordered.as_slice().first() else { return self.late.next() };
        let id = self.ids[*number as usize];
        self.late.next_if(|(late, _)| *late < id).or_else(|| self.ordered.next().map(|number| (id, *number)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_come_in_their_order(
            ids in prop::collection::vec(0_u128..60, 0..40), asked in 0_usize..40, more in 0_usize..40, after in prop::option::of(0_u128..60),
        ) {
            let mut found = Ids::default();
            for (index, id) in ids.iter().enumerate() {
                found.number(Uuid::from_u128(*id));
                if index == asked {
                    found.after(None);
                }
                if index == more {
                    found.order();
                }
            }
            let mut plain: Vec<_> = found.as_slice().iter().copied().zip(0..).collect();
            plain.sort_unstable();
            plain.retain(|(id, _)| after.is_none_or(|after| *id > Uuid::from_u128(after)));
            prop_assert_eq!(found.after(after.map(Uuid::from_u128)).collect::<Vec<_>>(), plain);
        }
    }

    #[test]
    fn the_order_is_made_anew_when_there_are_many_more() {
        let mut ids = Ids::default();
        ids.after(None);
        // From the last to the first.
        let id = |number: usize| Uuid::from_u128(u128::MAX - u128::try_from(number).expect("small"));
        (0..=FEW).for_each(|number| _ = ids.number(id(number)));
        assert_eq!(ids.ordered.get().map(Vec::len), Some(FEW + 1));
        ids.number(id(FEW + 1));
        assert_eq!(ids.ordered.get().map(Vec::len), Some(FEW + 1), "one more is merged");
        let numbers: Vec<_> = ids.after(None).map(|(_, number)| number).collect();
        assert!(numbers.is_sorted_by(|a, b| a > b) && numbers.len() == FEW + 2);
    }
}
