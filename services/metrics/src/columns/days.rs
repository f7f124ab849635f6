//! Answers by the day of their instant, each day counted when somebody asks for it first.
//!
//! A count is made of the rows as they are, and dropped when one of the day's rows changes.

use std::{collections::BTreeMap, ops::Range, sync::OnceLock};

use barometer_chassis::clock::Micros;

use super::{responses::MAX_SCORE, times::NEVER};

/// The answers of each day, in UTC.
#[derive(Clone, Debug, Default)]
pub(crate) struct Days {
    days: BTreeMap<i64, Day>,
}

/// The answers of one day.
#[derive(Clone, Debug, Default)]
pub(crate) struct Day {
    /// In no order.
    pub(crate) rows: Vec<u32>,
    piles: OnceLock<Vec<Pile>>,
}

/// A day's answers to one survey.
#[derive(Clone, Debug)]
pub(crate) struct Pile {
    /// The survey.
    pub(crate) survey: u32,
    /// One of the answers.
    pub(crate) row: u32,
    /// All of them.
    pub(crate) scores: Histogram,
}

/// Answers by score, and those without one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram([u64; UNSCORED + 1]);

const UNSCORED: usize = MAX_SCORE as usize + 1;

impl Days {
    /// Notes that an answer was written: when it happened so far, and when it does now ([`NEVER`] for not at all).
    pub(crate) fn note(&mut self, row: usize, before: i64, now: i64) {
        let Ok(row) = u32::try_from(row) else { return };
        let (from, to) = (day_of(before), day_of(now));
        if let Some(from) = from
            && let Some(day) = self.days.get_mut(&from)
        {
            day.piles.take();
            if to != Some(from) {
                if let Some(place) = day.rows.iter().position(|other| *other == row) {
                    day.rows.swap_remove(place);
                }
                if day.rows.is_empty() {
                    self.days.remove(&from);
                }
            }
        }
        if let Some(to) = to.filter(|to| from != Some(*to)) {
            let day = self.days.entry(to).or_default();
            day.rows.push(row);
            day.piles.take();
        }
    }

    /// The days that meet a range of time and have answers, in their order, each with its own range.
    pub(crate) fn meeting(&self, range: Range<i64>) -> impl DoubleEndedIterator<Item = (Range<i64>, &Day)> {
        let days = range.start.div_euclid(Micros::DAY)..=range.end.saturating_sub(1).div_euclid(Micros::DAY);
        self.days.range(days).map(|(day, answers)| {
            let start = day.saturating_mul(Micros::DAY);
            (start..start.saturating_add(Micros::DAY), answers)
        })
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self, times: &[i64]) {
        self.days.clear();
        for (row, at) in times.iter().enumerate() {
            self.note(row, NEVER, *at);
        }
    }
}

impl Day {
    /// The answers counted by survey and score, from the columns that hold them.
    pub(crate) fn piles(&self, surveys: &[u32], scores: &[u8]) -> &[Pile] {
        self.piles.get_or_init(|| {
            let mut piles: Vec<Pile> = Vec::new();
            let mut at = 0;
            for row in &self.rows {
                let survey = surveys[*row as usize];
                if piles.get(at).is_none_or(|pile| pile.survey != survey) {
                    at = piles.iter().position(|pile| pile.survey == survey).unwrap_or_else(|| {
                        piles.push(Pile { survey, row: *row, scores: Histogram::default() });
                        piles.len() - 1
                    });
                }
                piles[at].scores.add(scores[*row as usize]);
            }
            piles
        })
    }
}

impl Histogram {
    /// Counts an answer.
    pub(crate) fn add(&mut self, score: u8) {
        self.0[usize::from(score).min(UNSCORED)] += 1;
    }

    /// Adds what another counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(count, more)| *count += more);
    }

    /// The scores, and how many answers have each.
    pub(crate) fn scores(&self) -> impl Iterator<Item = (u8, u64)> {
        (0..=MAX_SCORE).zip(self.0)
    }

    /// How many have none.
    pub(crate) fn unscored(&self) -> u64 {
        self.0[UNSCORED]
    }
}

fn day_of(at: i64) -> Option<i64> {
    (at != NEVER).then(|| at.div_euclid(Micros::DAY))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::responses::NO_SCORE;

    #[test]
    fn counts_follow_every_change() {
        let (surveys, mut scores) = ([0, 1, 0, 0], vec![10, 3, 9, NO_SCORE]);
        let mut days = Days::default();
        let hour = |hours: i64| hours * Micros::DAY / 24;
        [1, 2, 23, 25].into_iter().enumerate().for_each(|(row, at)| days.note(row, NEVER, hour(at)));
        let told = |days: &Days, scores: &[u8]| {
            let tell = |pile: &Pile| {
                let all = pile.scores.scores().map(|(_, count)| count).sum::<u64>() + pile.scores.unscored();
                (pile.survey, all, pile.scores.0[10])
            };
            let days = days.meeting(0..hour(48));
            days.map(|(_, day)| day.piles(&surveys, scores).iter().map(tell).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(told(&days, &scores), [vec![(0, 2, 1), (1, 1, 0)], vec![(0, 1, 0)]]);
        // Another score at the same instant; another day; withdrawn.
        scores[2] = 10;
        days.note(2, hour(23), hour(23));
        days.note(1, hour(2), hour(30));
        days.note(3, hour(25), NEVER);
        assert_eq!(told(&days, &scores), [vec![(0, 2, 2)], vec![(1, 1, 0)]]);
        assert_eq!(days.meeting(hour(24)..hour(25)).count(), 1);
        assert_eq!(days.meeting(hour(23)..hour(24)).count(), 1);
        let mut again = Days::default();
        again.restore(&[hour(1), hour(30), hour(23), NEVER]);
        assert_eq!(told(&again, &scores), told(&days, &scores));
    }
}
