//! Histories of cases: a complaint desk with its verbs, waits, hand-offs, reopenings and outcomes, as an event log.
//!
//! The log has the columns that `barometer import histories --map-by-name` reads. It is the same, byte by byte, for the same
//! [`Desk`]; a case depends on nothing but the seed and its number.

mod course;
mod event;

pub use self::event::{COLUMNS, Event};

use crate::{Micros, chance::Chance};

const SECOND: Micros = 1_000_000;
const MINUTE: Micros = 60 * SECOND;
const HOUR: Micros = 60 * MINUTE;
const DAY: Micros = 24 * HOUR;

/// Distinguishes this stream of chance from those of lives.
const PURPOSE: u64 = 0x0068_6973_746f_7279;

/// What a log follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Desk {
    /// How many cases came in.
    pub cases: u32,
    /// Chooses one of the possible logs.
    pub seed: u64,
    /// When the first case can come in.
    pub start: Micros,
    /// When the log ends: what would come later has not happened, so that some cases are still open.
    pub until: Micros,
}

impl Desk {
    /// Everything that happened, in order of time; what happened to a case at one instant in the order in which it did.
    pub fn log(&self) -> Vec<Event> {
        let mut log: Vec<_> = (0..self.cases).flat_map(|number| self.case(number)).collect();
        log.sort_by_key(|event| event.time);
        log
    }

    /// What happened to one case.
    pub fn case(&self, number: u32) -> Vec<Event> {
        let mut chance = Chance::new(self.seed, number, PURPOSE);
        let span = self.until.saturating_sub(self.start) / SECOND;
        let opened = self.start + chance.below(span) * SECOND;
        let mut events = course::of(&mut chance, number, opened);
        events.retain(|event| event.time < self.until);
        events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESK: Desk = Desk { cases: 500, seed: 7, start: 0, until: 180 * DAY };

    #[test]
    fn the_same_desk_has_the_same_log_and_a_larger_one_begins_with_it() {
        assert_eq!(DESK.log(), DESK.log());
        let larger = Desk { cases: 900, ..DESK };
        assert!((0..500).all(|number| larger.case(number) == DESK.case(number)));
        assert_ne!(Desk { seed: 8, ..DESK }.log(), DESK.log());
    }

    #[test]
    fn everything_that_can_happen_does_and_in_order() {
        let log = DESK.log();
        assert!(log.is_sorted_by_key(|event| event.time));
        for name in [
            "opened",
            "acknowledged",
            "responded",
            "awaited_customer",
            "awaited_third_party",
            "resumed",
            "customer_wrote",
            "self_served",
            "resolved",
            "reopened",
            "closed",
            "cancelled",
            "assigned",
            "prioritized",
            "annotated",
            "outcome_set",
            "acceptance_asked",
            "acceptance_recorded",
        ] {
            assert!(log.iter().any(|event| event.name == name), "{name}");
        }
        for number in 0..DESK.cases {
            let events = DESK.case(number);
            assert_eq!(events.iter().filter(|event| event.name == "opened").count(), 1);
            assert!(events[0].name == "opened" && events.is_sorted_by_key(|event| event.time), "{events:?}");
        }
    }

    #[test]
    fn a_line_has_every_column() {
        let columns = COLUMNS.split(',').count();
        assert!(DESK.log().iter().all(|event| event.to_string().split(',').count() == columns));
    }
}
