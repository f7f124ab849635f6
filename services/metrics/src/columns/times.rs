//! When the facts of a table happened.

use std::ops::{Range, RangeInclusive};

use serde::{Deserialize, Serialize};

use super::revisions::Revisions;

/// The instant of a fact that was withdrawn: outside of every range. No fact happens before the year 1.
pub(crate) const NEVER: i64 = i64::MIN;
/// Before every fact that was not withdrawn.
pub(crate) const EVER: i64 = NEVER + 1;

/// Rows of a block.
const BLOCK: usize = 65_536;

/// The instants of a table's facts, in microseconds, with the bounds of each block of rows, so that a scan can leave
/// out blocks that lie elsewhere in time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Times {
    at: Vec<i64>,
    /// Rows that are not withdrawn.
    live: usize,
    /// When what happened was last said otherwise.
    pub(crate) revisions: Revisions,
    #[serde(skip)]
    bounds: Vec<Bounds>,
}

/// The first and the last instant of a block; of an empty block the first lies after the last.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    first: i64,
    last: i64,
}

impl Bounds {
    const NONE: Bounds = Bounds { first: i64::MAX, last: NEVER };

    fn of(instants: &[i64]) -> Self {
        let mut bounds = Self::NONE;
        instants.iter().for_each(|at| bounds.widen(*at));
        bounds
    }

    fn widen(&mut self, at: i64) {
        if at != NEVER {
            self.first = self.first.min(at);
            self.last = self.last.max(at);
        }
    }

    fn meet(self, range: &Range<i64>) -> bool {
        self.first < range.end && self.last >= range.start
    }
}

impl Times {
    /// Sets the instant of a row, which is there or one beyond the last, as it was written at another, if that is known;
    /// [`NEVER`] takes the fact out.
    pub(crate) fn put(&mut self, row: usize, at: i64, written: Option<i64>) {
        let block = row / BLOCK;
        if block >= self.bounds.len() {
            self.bounds.resize(block + 1, Bounds::NONE);
        }
        let before = match self.at.get_mut(row) {
            Some(cell) => std::mem::replace(cell, at),
            None => {
                self.at.push(at);
                NEVER
            }
        };
        self.revisions.note(before, at, written);
        self.live += usize::from(at != NEVER);
        self.live -= usize::from(before != NEVER);
        let bounds = &mut self.bounds[block];
        if before != NEVER && before != at && (before == bounds.first || before == bounds.last) {
            *bounds = Bounds::of(block_of(&self.at, block));
        }
        bounds.widen(at);
    }

    /// The instant of a row; [`NEVER`] where the fact was withdrawn, and beyond the last.
    pub(crate) fn at(&self, row: usize) -> i64 {
        self.at.get(row).copied().unwrap_or(NEVER)
    }

    /// The instant of each row; [`NEVER`] where the fact was withdrawn.
    pub(crate) fn as_slice(&self) -> &[i64] {
        &self.at
    }

    /// How many facts there are, without those withdrawn.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// Blocks of rows in which some fact happened in the range; others may be among them.
    pub(crate) fn blocks(&self, range: Range<i64>) -> impl Iterator<Item = Range<usize>> {
        let meeting = self.bounds.iter().enumerate().filter(move |(_, bounds)| bounds.meet(&range));
        meeting.map(|(block, _)| block * BLOCK..((block + 1) * BLOCK).min(self.at.len()))
    }

    /// Fills `rows` with those of a block in which a fact happened in the range.
    pub(crate) fn select(&self, block: Range<usize>, range: &Range<i64>, rows: &mut Vec<u32>) {
        let first = u32::try_from(block.start).unwrap_or(u32::MAX);
        rows.resize(block.len(), 0);
        let mut found = 0;
        for (row, at) in (first..).zip(&self.at[block]) {
            // Written in any case and counted if it is one: without a branch, which time would mispredict.
            rows[found] = row;
            found += usize::from((range.start <= *at) & (*at < range.end));
        }
        rows.truncate(found);
    }

    /// From the first until the last instant at which a fact happened.
    pub(crate) fn extent(&self) -> Option<RangeInclusive<i64>> {
        Some(self.first()?..=self.last()?)
    }

    /// The first instant at which a fact happened.
    pub(crate) fn first(&self) -> Option<i64> {
        self.bounds.iter().map(|bounds| bounds.first).min().filter(|first| *first != i64::MAX)
    }

    /// The last instant at which a fact happened.
    pub(crate) fn last(&self) -> Option<i64> {
        self.bounds.iter().map(|bounds| bounds.last).max().filter(|last| *last != NEVER)
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.bounds = self.at.chunks(BLOCK).map(Bounds::of).collect();
    }
}

fn block_of(at: &[i64], block: usize) -> &[i64] {
    &at[block * BLOCK..((block + 1) * BLOCK).min(at.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_exact_after_every_change() {
        let mut times = Times::default();
        for (row, at) in [(0, 50), (1, 10), (2, 90), (BLOCK, 500)].into_iter() {
            while times.at.len() < row {
                times.put(times.at.len(), 50, None);
            }
            times.put(row, at, None);
        }
        assert!(times.blocks(0..100).eq(std::iter::once(0..BLOCK)));
        assert!(times.blocks(100..1_000).eq(std::iter::once(BLOCK..BLOCK + 1)));
        assert_eq!(times.last(), Some(500));
        times.put(BLOCK, NEVER, None);
        times.put(1, 20, None);
        assert_eq!((times.last(), times.live()), (Some(90), BLOCK));
        assert_eq!(times.blocks(0..20).count(), 0);
        let mut rows = Vec::new();
        times.select(0..4, &(20..51), &mut rows);
        assert_eq!(rows, [0, 1, 3]);
        times.put(2, 60, None);
        assert_eq!(times.blocks(61..1_000).count(), 0);
        times.restore();
        assert_eq!(times.last(), Some(60));
    }
}
