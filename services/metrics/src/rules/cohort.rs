//! Cohorts: customers by the period of their first sale, and how many of them bought in each period since.

use super::period::{PeriodError, Periods};
use super::proportion::ProportionTally;

/// The most periods that a table of cohorts may have: more than a year of days. A table has a cell for every two.
pub const MAX_COHORT_PERIODS: usize = 400;

/// A table of cohorts over calendar periods of the reporting time zone, each cell on its own period ("on period k").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortTable<'p> {
    periods: &'p Periods,
    known_until: i64,
    /// By cohort, then by periods since: how many of the cohort's customers bought. The first is the cohort's size.
    active: Vec<Vec<u64>>,
}

/// A cell of the table: of the customers of one cohort, those who bought so many periods later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortCell {
    /// The period of the cohort, as an index into the table's periods.
    pub cohort: usize,
    /// How many periods later; 0 is the period of the first sale itself.
    pub since: usize,
    /// Who bought, of the cohort. Its rate is the retention of the cohort.
    pub retention: ProportionTally,
    /// Whether more sales may still fall into the cell: it is not over yet, or the range holds only a part of it.
    pub unfinished: bool,
}

impl<'p> CohortTable<'p> {
    /// An empty table. All sales before the instant `known_until` are known; periods that end later are unfinished.
    ///
    /// # Errors
    /// [`PeriodError::TooMany`] with more than [`MAX_COHORT_PERIODS`].
    pub fn new(periods: &'p Periods, known_until: i64) -> Result<Self, PeriodError> {
        let count = periods.len();
        if count > MAX_COHORT_PERIODS {
            return Err(PeriodError::TooMany { limit: MAX_COHORT_PERIODS });
        }
        let active = (0..count).map(|cohort| vec![0; count - cohort]).collect();
        Ok(Self { periods, known_until, active })
    }

    /// Counts a customer, by the instants of *all* sales, ascending: the first of them decides the cohort. Who first
    /// bought outside the periods is in no cohort.
    pub fn add(&mut self, sales: &[i64]) {
        self.for_each_cell(sales, |active| *active += 1);
    }

    /// Takes out a customer that was counted so.
    pub fn remove(&mut self, sales: &[i64]) {
        self.for_each_cell(sales, |active| *active -= 1);
    }

    /// Adds what another table over the same periods counted.
    pub fn merge(&mut self, other: &Self) {
        debug_assert_eq!(self.periods, other.periods);
        for (mine, theirs) in self.active.iter_mut().flatten().zip(other.active.iter().flatten()) {
            *mine += theirs;
        }
    }

    /// All cells, by cohort, then by periods since. A cohort without customers has cells too, of nothing.
    pub fn cells(&self) -> impl Iterator<Item = CohortCell> {
        let cohorts = self.active.iter().enumerate();
        cohorts.flat_map(move |(cohort, row)| (0..row.len()).map(move |since| self.cell(cohort, since)))
    }

    /// The retention of all cohorts together after so many periods, each cohort by its size. Unfinished cells are left
    /// out, and their cohorts with them.
    pub fn average(&self, since: usize) -> ProportionTally {
        let mut average = ProportionTally::default();
        for cell in self.cells().filter(|cell| cell.since == since && !cell.unfinished) {
            average.merge(&cell.retention);
        }
        average
    }

    fn cell(&self, cohort: usize, since: usize) -> CohortCell {
        let (size, active) = (self.active[cohort][0], self.active[cohort][since]);
        let period = &self.periods.as_slice()[cohort + since];
        CohortCell {
            cohort,
            since,
            retention: ProportionTally::of_counts(active, size - active),
            unfinished: period.partial || period.end > self.known_until,
        }
    }

    /// Visits each cell of a customer once, however many sales fall into it.
    fn for_each_cell(&mut self, sales: &[i64], mut visit: impl FnMut(&mut u64)) {
        let Some(cohort) = sales.first().and_then(|first| self.periods.index_of(*first)) else {
            return;
        };
        let mut visited = None;
        for period in sales.iter().map_while(|sale| self.periods.index_of(*sale)) {
            if visited != Some(period) {
                visit(&mut self.active[cohort][period - cohort]);
                visited = Some(period);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::rules::granularity::Granularity;
    use crate::rules::zone::{DAY, LocalDays};

    fn instant(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("an instant").as_microsecond()
    }

    fn periods(granularity: Granularity, from: &str, to: &str) -> Periods {
        let days = LocalDays::new(&TimeZone::UTC);
        Periods::new(&days, granularity, instant(from)..instant(to)).expect("periods")
    }

    fn counts(table: &CohortTable<'_>) -> Vec<(usize, usize, u64, u64, bool)> {
        let row = |cell: CohortCell| {
            let (active, size) = (cell.retention.hits().answers(), cell.retention.total().answers());
            (cell.cohort, cell.since, active, size, cell.unfinished)
        };
        table.cells().map(row).collect()
    }

    #[test]
    fn customers_count_once_in_each_period() {
        let periods = periods(Granularity::Month, "2017-01-01T00:00Z", "2017-04-01T00:00Z");
        let mut table = CohortTable::new(&periods, instant("2017-03-20T00:00Z")).expect("a table");
        let sales = |dates: &[&str]| dates.iter().map(|date| instant(&format!("{date}T12:00Z"))).collect::<Vec<_>>();
        table.add(&sales(&["2017-01-05", "2017-01-06", "2017-03-01", "2017-03-02", "2017-05-01"]));
        table.add(&sales(&["2017-01-31"]));
        table.add(&sales(&["2017-02-01", "2017-03-31"]));
        table.add(&sales(&["2016-12-31", "2017-02-01"]));
        table.add(&[]);
        assert_eq!(
            counts(&table),
            [
                (0, 0, 2, 2, false),
                (0, 1, 0, 2, false),
                (0, 2, 1, 2, true),
                (1, 0, 1, 1, false),
                (1, 1, 1, 1, true),
                (2, 0, 0, 0, true),
            ]
        );
        assert_eq!(table.average(0).rate(), Some(100.0));
        assert_eq!(table.average(1).rate(), Some(0.0), "the second cohort's next period is not over");
        assert_eq!(table.average(2).rate(), None);
    }

    #[test]
    fn a_period_that_is_cut_off_is_unfinished() {
        let periods = periods(Granularity::Month, "2017-01-01T00:00Z", "2017-02-14T00:00Z");
        let table = CohortTable::new(&periods, i64::MAX).expect("a table");
        assert_eq!(table.cells().map(|cell| cell.unfinished).collect::<Vec<_>>(), [false, true, true]);
    }

    #[test]
    fn a_table_has_bounds() {
        let periods = periods(Granularity::Day, "2017-01-01T00:00Z", "2018-02-06T00:00Z");
        assert_eq!(periods.len(), 401);
        let table = CohortTable::new(&periods, 0).map(|_| ());
        assert_eq!(table, Err(PeriodError::TooMany { limit: MAX_COHORT_PERIODS }));
    }

    proptest! {
        #[test]
        fn tables_add_up_and_forget(
            customers in prop::collection::vec(prop::collection::vec(0_i64..240, 0..6), 0..20), cut in 0_usize..20,
        ) {
            let periods = periods(Granularity::Week, "1970-01-10T00:00Z", "1970-07-01T00:00Z");
            let sales = |days: &Vec<i64>| {
                let mut sales: Vec<_> = days.iter().map(|day| day * DAY).collect();
                sales.sort_unstable();
                sales
            };
            let table = |customers: &[Vec<i64>]| {
                let mut table = CohortTable::new(&periods, i64::MAX).expect("a table");
                customers.iter().for_each(|days| table.add(&sales(days)));
                table
            };
            let whole = table(&customers);
            let (left, right) = customers.split_at(cut.min(customers.len()));
            let mut merged = table(right);
            merged.merge(&table(left));
            prop_assert_eq!(&merged, &whole);
            left.iter().for_each(|days| merged.remove(&sales(days)));
            prop_assert_eq!(merged, table(right));

            for cell in whole.cells() {
                let period_of = |day: &i64| periods.index_of(day * DAY);
                let cohort = |days: &&Vec<i64>| days.iter().min().and_then(period_of) == Some(cell.cohort);
                let bought = |days: &&Vec<i64>| days.iter().any(|day| period_of(day) == Some(cell.cohort + cell.since));
                prop_assert_eq!(cell.retention.total().answers(), customers.iter().filter(cohort).count() as u64);
                let active = customers.iter().filter(cohort).filter(bought).count();
                prop_assert_eq!(cell.retention.hits().answers(), active as u64);
            }
        }
    }
}
