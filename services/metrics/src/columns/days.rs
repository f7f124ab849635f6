//! Answers by the day of their instant, each day counted when somebody asks for it first.
//!
//! They are counted by survey, and by the columns that somebody groups or filters by: by their channel, say. A count is made of
//! the rows as they are, and dropped when one of the day's rows changes. Of each day a few such combinations are kept, and
//! none that divides its answers so finely that going through them is as good.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
};

use barometer_chassis::clock::Micros;
use rustc_hash::FxHashMap;

use super::{dictionary::EMPTY, responses::MAX_SCORE, times::NEVER};

/// The most combinations of columns by which a day is counted; then the one that was asked for first is dropped.
const COMBINATIONS: usize = 8;
/// A count has at most one pile for so many answers of its day: a pile takes 52 bytes.
const ANSWERS_OF_A_PILE: usize = 16;

/// The answers of each day, in UTC.
#[derive(Clone, Debug, Default)]
pub(crate) struct Days {
    days: BTreeMap<i64, Day>,
}

/// The answers of one day.
#[derive(Debug, Default)]
pub(crate) struct Day {
    /// In no order.
    pub(crate) rows: Vec<u32>,
    counts: RwLock<Vec<Count>>,
}

/// A day's answers by survey and some columns; nothing where they would be too many piles.
#[derive(Debug)]
struct Count {
    columns: Arc<[String]>,
    piles: Option<Arc<[Pile]>>,
}

/// Columns of answers by which they are counted.
#[derive(Clone, Debug)]
pub(crate) struct Combination<'f> {
    names: Arc<[String]>,
    codes: Vec<&'f [u32]>,
}

/// A day's answers that have the same survey and the same codes in some columns.
#[derive(Clone, Debug)]
pub(crate) struct Pile {
    /// One of the answers.
    pub(crate) row: u32,
    /// All of them: as many have each score, and the last none.
    scores: [u32; UNSCORED + 1],
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
            day.forget();
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
            day.forget();
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

impl Clone for Day {
    /// Counts are made again when they are asked for.
    fn clone(&self) -> Self {
        Day { rows: self.rows.clone(), counts: RwLock::default() }
    }
}

impl Day {
    /// The answers counted by survey, some columns and score, from the columns that hold them. Nothing when a count would
    /// have hardly fewer piles than there are answers.
    pub(crate) fn piles(&self, surveys: &[u32], scores: &[u8], by: &Combination<'_>) -> Option<Arc<[Pile]>> {
        let find = |counts: &[Count]| counts.iter().find(|count| count.columns == by.names).map(|of| of.piles.clone());
        if let Some(found) = find(&self.counts.read().unwrap_or_else(PoisonError::into_inner)) {
            return found;
        }
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = find(&counts) {
            return found;
        }
        if counts.len() == COMBINATIONS {
            counts.remove(0);
        }
        let piles = self.count(surveys, scores, &by.codes);
        counts.push(Count { columns: Arc::clone(&by.names), piles: piles.clone() });
        piles
    }

    fn count(&self, surveys: &[u32], scores: &[u8], columns: &[&[u32]]) -> Option<Arc<[Pile]>> {
        let most = self.rows.len() / ANSWERS_OF_A_PILE;
        let mut piles: Vec<Pile> = Vec::new();
        let mut places: FxHashMap<Vec<u32>, usize> = FxHashMap::default();
        let mut codes = Vec::with_capacity(columns.len() + 1);
        for row in &self.rows {
            let index = *row as usize;
            codes.clear();
            codes.push(surveys[index]);
            codes.extend(columns.iter().map(|column| column.get(index).copied().unwrap_or(EMPTY)));
            let place = match places.get(&codes) {
                Some(place) => *place,
                None if piles.len() == most => return None,
                None => {
                    places.insert(codes.clone(), piles.len());
                    piles.push(Pile { row: *row, scores: [0; UNSCORED + 1] });
                    piles.len() - 1
                }
            };
            // Fewer than there are rows.
            piles[place].scores[usize::from(scores[index]).min(UNSCORED)] += 1;
        }
        Some(piles.into())
    }

    fn forget(&mut self) {
        self.counts.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl<'f> Combination<'f> {
    /// Of columns, each with its name and its codes.
    pub(crate) fn new(mut columns: Vec<(String, &'f [u32])>) -> Self {
        columns.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        columns.dedup_by(|(one, _), (other, _)| one == other);
        let (names, codes): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
        Combination { names: names.into(), codes }
    }
}

impl Histogram {
    /// Counts an answer.
    pub(crate) fn add(&mut self, score: u8) {
        self.0[usize::from(score).min(UNSCORED)] += 1;
    }

    /// Adds the answers of a pile.
    pub(crate) fn merge(&mut self, pile: &Pile) {
        self.0.iter_mut().zip(pile.scores).for_each(|(count, more)| *count += u64::from(more));
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

    const HOUR: i64 = Micros::DAY / 24;

    /// Of a pile: survey, channel, how many, how many with a score of 10, and how many without any.
    type Told = (u32, u32, u64, u64, u64);

    /// The piles of each day.
    fn told(days: &Days, surveys: &[u32], scores: &[u8], by: &Combination<'_>) -> Vec<Option<Vec<Told>>> {
        let tell = |pile: &Pile| {
            let mut scores = Histogram::default();
            scores.merge(pile);
            let all = scores.scores().map(|(_, count)| count).sum::<u64>() + scores.unscored();
            let row = pile.row as usize;
            let code = by.codes.first().and_then(|codes| codes.get(row)).copied().unwrap_or(EMPTY);
            (surveys[row], code, all, scores.0[10], scores.unscored())
        };
        let piles = |day: &Day| {
            let mut told: Vec<_> = day.piles(surveys, scores, by)?.iter().map(tell).collect();
            told.sort_unstable();
            Some(told)
        };
        days.meeting(0..48 * HOUR).map(|(_, day)| piles(day)).collect()
    }

    #[test]
    fn counts_follow_every_change() {
        // 48 answers: 24 on each of two days, every third to the other survey.
        let surveys: Vec<u32> = (0..48).map(|row| u32::from(row % 3 == 2)).collect();
        let mut scores = vec![9; 48];
        scores[47] = NO_SCORE;
        let mut times: Vec<i64> = (0..48).map(|row| row * HOUR).collect();
        let mut days = Days::default();
        times.iter().enumerate().for_each(|(row, at)| days.note(row, NEVER, *at));
        let none = Combination::new(Vec::new());
        // Two piles of 24 answers would be too many.
        assert_eq!(told(&days, &surveys, &scores, &none), [None, None]);
        for (row, at) in times.iter_mut().enumerate().take(47).skip(24) {
            days.note(row, *at, 5 * HOUR);
            *at = 5 * HOUR;
        }
        assert_eq!(told(&days, &surveys, &scores, &none), [Some(vec![(0, 0, 32, 0, 0), (1, 0, 15, 0, 0)]), None]);
        // Another score at the same instant; another day; withdrawn.
        scores[0] = 10;
        days.note(0, times[0], times[0]);
        days.note(1, times[1], 30 * HOUR);
        days.note(2, times[2], NEVER);
        (times[1], times[2]) = (30 * HOUR, NEVER);
        assert_eq!(told(&days, &surveys, &scores, &none)[0], Some(vec![(0, 0, 31, 1, 0), (1, 0, 14, 0, 0)]));
        days.note(1, times[1], HOUR);
        days.note(2, NEVER, HOUR);
        days.note(47, times[47], HOUR);
        (times[1], times[2], times[47]) = (HOUR, HOUR, HOUR);
        let all = [Some(vec![(0, 0, 32, 1, 0), (1, 0, 16, 0, 1)])];
        assert_eq!(told(&days, &surveys, &scores, &none), all);
        assert_eq!(days.meeting(0..HOUR).count(), 1);
        assert_eq!(days.meeting(24 * HOUR..25 * HOUR).count(), 0);
        let mut again = Days::default();
        again.restore(&times);
        assert_eq!(told(&again, &surveys, &scores, &none), all);
        assert_eq!(told(&days.clone(), &surveys, &scores, &none), all);
    }

    #[test]
    fn columns_divide_and_few_combinations_are_kept() {
        let (surveys, scores) = (vec![0; 64], vec![10; 64]);
        let codes: Vec<u32> = (0..60).map(|row| row % 2).collect();
        let mut days = Days::default();
        (0..64).for_each(|row| days.note(row, NEVER, HOUR));
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        for name in names.into_iter().chain(names) {
            let by = Combination::new(vec![(name.to_owned(), codes.as_slice()); 2]);
            // The last rows have no code.
            let divided = [Some(vec![(0, 0, 34, 34, 0), (0, 1, 30, 30, 0)])];
            assert_eq!(told(&days, &surveys, &scores, &by), divided);
        }
        let (_, day) = days.meeting(0..HOUR + 1).next().expect("a day");
        assert_eq!(day.counts.read().expect("no panic").len(), COMBINATIONS);
        let (one, other) = (("a".to_owned(), codes.as_slice()), ("b".to_owned(), codes.as_slice()));
        assert_eq!(Combination::new(vec![one.clone(), other.clone()]).names, Combination::new(vec![other, one]).names);
    }
}
