//! When what is known of a time last changed.

use std::{collections::BTreeMap, ops::Range};

use barometer_chassis::clock::Micros;
use serde::{Deserialize, Serialize};

use super::times::NEVER;

/// Days of every time zone begin at a quarter of an hour of UTC, but for local mean times of before about 1920.
const QUARTER: i64 = 900 * Micros::SECOND;
const QUARTERS_OF_A_DAY: i64 = Micros::DAY / QUARTER;

/// By quarter of an hour of UTC when the latest of the facts that happened in it was written, in seconds.
///
/// A fact that moves is noted where it was and where it is, one that is withdrawn where it was: as long as it is kept here, of
/// which it was told. Facts read anew are only known where they are. So this is no part of what figures are made of.
///
/// A quarter in which something happened takes about 20 bytes, so that a year of facts round the clock takes 700 kB.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Revisions {
    quarters: BTreeMap<i64, u32>,
    /// The latest of the quarters of each day.
    days: BTreeMap<i64, u32>,
}

impl Revisions {
    /// Notes that what happened at one instant is now said to have happened at another; [`NEVER`] is none. Nothing is noted of
    /// what was written nobody knows when.
    pub(crate) fn note(&mut self, before: i64, now: i64, written: Option<i64>) {
        let Some(written) = written.and_then(|written| u32::try_from(written.div_euclid(Micros::SECOND)).ok()) else {
            return;
        };
        for at in [before, now].into_iter().filter(|at| *at != NEVER) {
            let quarter = at.div_euclid(QUARTER);
            for (of, index) in [(&mut self.quarters, quarter), (&mut self.days, quarter.div_euclid(QUARTERS_OF_A_DAY))]
            {
                let latest = of.entry(index).or_default();
                *latest = written.max(*latest);
            }
        }
    }

    /// When the latest fact of a time was written, in microseconds. What is cut of a quarter counts with it.
    pub(crate) fn latest(&self, time: Range<i64>) -> Option<i64> {
        let (first, end) = (time.start.div_euclid(QUARTER), time.end.saturating_sub(1).div_euclid(QUARTER) + 1);
        let (first_day, end_day) = (first.div_euclid(QUARTERS_OF_A_DAY), end.div_euclid(QUARTERS_OF_A_DAY));
        let quarters = |range: Range<i64>| of_range(&self.quarters, range);
        let latest = if first_day == end_day {
            quarters(first..end)
        } else {
            // Whole days from their own notes.
            let (morning, evening) = ((first_day + 1) * QUARTERS_OF_A_DAY, end_day * QUARTERS_OF_A_DAY);
            let days = of_range(&self.days, first_day + 1..end_day);
            quarters(first..morning).max(days).max(quarters(evening..end))
        };
        latest.map(|seconds| i64::from(seconds) * Micros::SECOND)
    }
}

fn of_range(notes: &BTreeMap<i64, u32>, range: Range<i64>) -> Option<u32> {
    if range.is_empty() {
        return None;
    }
    notes.range(range).map(|(_, written)| *written).max()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 4 * QUARTER;

    #[test]
    fn a_fact_counts_where_it_was_and_where_it_is() {
        let mut revisions = Revisions::default();
        revisions.note(NEVER, 5 * HOUR, Some(100 * Micros::SECOND));
        revisions.note(5 * HOUR, 30 * HOUR, Some(200 * Micros::SECOND));
        revisions.note(NEVER, 31 * HOUR, None);
        let latest = |hours: Range<i64>| revisions.latest(hours.start * HOUR..hours.end * HOUR);
        assert_eq!(latest(5..6), Some(200 * Micros::SECOND));
        assert_eq!(latest(30..31), Some(200 * Micros::SECOND));
        assert_eq!((latest(6..30), latest(31..32), latest(0..5)), (None, None, None));
        // An older version that comes late takes nothing back.
        revisions.note(30 * HOUR, NEVER, Some(150 * Micros::SECOND));
        assert_eq!(revisions.latest(29 * HOUR..40 * HOUR), Some(200 * Micros::SECOND));
        assert_eq!(revisions.latest(i64::MIN..i64::MAX), Some(200 * Micros::SECOND));
    }

    #[test]
    fn what_is_cut_of_a_quarter_counts() {
        let mut revisions = Revisions::default();
        revisions.note(NEVER, HOUR, Some(Micros::SECOND));
        assert_eq!(revisions.latest(HOUR + 1..HOUR + 2), Some(Micros::SECOND));
        assert_eq!(revisions.latest(HOUR + QUARTER..HOUR + 2 * QUARTER), None);
        assert_eq!(revisions.latest(HOUR - QUARTER..HOUR), None);
    }

    proptest! {
        #[test]
        fn days_and_quarters_tell_the_same(
            notes in prop::collection::vec((-800_i64..800, 1_i64..1_000), 0..60),
            start in -900_i64..900, length in 1_i64..900,
        ) {
            let mut revisions = Revisions::default();
            notes.iter().for_each(|(at, written)| revisions.note(NEVER, at * QUARTER, Some(written * Micros::SECOND)));
            let within = notes.iter().filter(|(at, _)| (start..start + length).contains(at));
            let expected = within.map(|(_, written)| written * Micros::SECOND).max();
            prop_assert_eq!(revisions.latest(start * QUARTER..(start + length) * QUARTER), expected);
        }
    }
}
