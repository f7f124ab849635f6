//! Going through the periods of a query by what changes in them.

use std::ops::Range;

use super::Ask;

/// The periods of a query that began before some instant, the last of them cut there.
#[derive(Debug)]
pub(crate) struct Walk {
    starts: Vec<i64>,
    ends: Vec<i64>,
}

impl Walk {
    /// Those that began before `until`.
    pub(crate) fn new(ask: &Ask<'_>, until: i64) -> Self {
        let begun = || ask.periods.as_slice().iter().take_while(|period| period.start < until);
        Walk {
            starts: begun().map(|period| period.start).collect(),
            ends: begun().map(|period| period.end.min(until)).collect(),
        }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The first instant of a period, and the first after it.
    pub(crate) fn bounds(&self, period: usize) -> Range<i64> {
        self.starts[period]..self.ends[period]
    }

    /// The first period that ends after an instant; how many there are when none does.
    pub(crate) fn ending_after(&self, at: i64) -> usize {
        self.ends.partition_point(|end| *end <= at)
    }

    /// Visits the periods of a run, which covers each once: a period in which one of the instants lies alone, with `true`;
    /// those between them together.
    pub(crate) fn visit(
        &self,
        run: Range<usize>,
        instants: impl Iterator<Item = i64>,
        mut each: impl FnMut(Range<usize>, bool),
    ) {
        let mut next = run.start;
        for at in instants {
            let period = self.ending_after(at);
            if period >= run.end {
                break;
            }
            if period < next || at < self.starts[period] {
                continue;
            }
            if next < period {
                each(next..period, false);
            }
            each(period..period + 1, true);
            next = period + 1;
        }
        if next < run.end {
            each(next..run.end, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_period_comes_once_and_alone_where_something_changes(
            mut instants in prop::collection::vec(-20_i64..120, 0..12), from in 0_usize..10, length in 0_usize..10,
        ) {
            instants.sort_unstable();
            let walk = Walk { starts: (0..10).map(|k| 10 * k).collect(), ends: (1..=10).map(|k| 10 * k).collect() };
            let run = from..(from + length).min(10);
            let mut told = Vec::new();
            walk.visit(run.clone(), instants.iter().copied(), |periods, changes| {
                let count = periods.len();
                told.extend(periods.map(|period| (period, changes)));
                assert!(count > 0 && (count == 1 || !changes));
            });
            let changes = |period: usize| instants.iter().any(|at| walk.bounds(period).contains(at));
            prop_assert_eq!(told, run.map(|period| (period, changes(period))).collect::<Vec<_>>());
        }
    }
}
