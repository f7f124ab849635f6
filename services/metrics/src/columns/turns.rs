//! When cases ended and were reopened: from the entries of their histories, which never change.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::rules::course::Turn;

/// The turns of all cases, by the row of the case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Turns {
    of_cases: Vec<Box<[Marked]>>,
    held: usize,
}

/// What happened and when. By instant, then by the entry's number: of the same instant, what was recorded first came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Marked {
    at: i64,
    /// The entry's number and, in the lowest two bits, what it was.
    mark: i64,
    id: Uuid,
}

/// What an entry of a case's history is to figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It ended, or was reopened.
    Turn(Turn),
    /// Somebody handed it over.
    HandedOver,
}

impl Marked {
    fn new(at: i64, number: i64, id: Uuid, event: Event) -> Self {
        let kind = match event {
            Event::HandedOver => 0,
            Event::Turn(Turn::Resolved) => 1,
            Event::Turn(Turn::Cancelled) => 2,
            Event::Turn(Turn::Reopened) => 3,
        };
        Marked { at, mark: number.wrapping_mul(4) | kind, id }
    }

    fn turn(self) -> Option<(i64, Turn, Uuid)> {
        let turn = match self.mark & 3 {
            1 => Turn::Resolved,
            2 => Turn::Cancelled,
            3 => Turn::Reopened,
            _ => return None,
        };
        Some((self.at, turn, self.id))
    }
}

impl Turns {
    /// Notes an entry of a case; says whether it is news.
    pub(crate) fn note(&mut self, case: u32, at: i64, number: i64, id: Uuid, event: Event) -> bool {
        let case = case as usize;
        if case >= self.of_cases.len() {
            self.of_cases.resize_with(case + 1, Box::default);
        }
        let marked = Marked::new(at, number, id, event);
        let of_case = &mut self.of_cases[case];
        let Err(place) = of_case.binary_search(&marked) else { return false };
        // There are few, and hardly ever more: room for no more is kept.
        let mut grown = Vec::with_capacity(of_case.len() + 1);
        grown.extend_from_slice(&of_case[..place]);
        grown.push(marked);
        grown.extend_from_slice(&of_case[place..]);
        *of_case = grown.into_boxed_slice();
        self.held += 1;
        true
    }

    /// What ended a case, or took it up again, in the order in which it came.
    pub(crate) fn of(&self, case: u32) -> impl Iterator<Item = (i64, Turn)> + Clone {
        self.entries(case).map(|(at, turn, _)| (at, turn))
    }

    /// The same with the id of each entry.
    pub(crate) fn entries(&self, case: u32) -> impl Iterator<Item = (i64, Turn, Uuid)> + Clone {
        self.of_cases.get(case as usize).into_iter().flatten().filter_map(|marked| marked.turn())
    }

    /// How many entries are held.
    pub(crate) fn held(&self) -> usize {
        self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_their_order_whatever_that_of_their_arrival() {
        let mut turns = Turns::default();
        let (resolved, reopened) = (Event::Turn(Turn::Resolved), Event::Turn(Turn::Reopened));
        for (at, number, event) in [(20, 9, resolved), (20, 8, reopened), (5, 10, resolved), (7, 4, Event::HandedOver)]
        {
            let id = Uuid::from_u128(i64::unsigned_abs(number).into());
            assert!(turns.note(3, at, number, id, event));
            assert!(!turns.note(3, at, number, id, event), "no news");
        }
        let expected = [(5, Turn::Resolved), (20, Turn::Reopened), (20, Turn::Resolved)];
        assert!(turns.of(3).eq(expected));
        assert!(turns.entries(3).map(|(.., id)| id.as_u128()).eq([10, 8, 9]));
        assert_eq!((turns.of(0).count(), turns.of(99).count(), turns.held()), (0, 0, 4));
    }
}
