//! Retention of cohorts: of those who started together, who is active so many periods later.
//!
//! A period is a calendar period of the reporting time zone or 24 hours from each customer's own start; whoever asks
//! numbers them, from 0 for the period of the start itself.
//!
//! ```
//! use barometer_statistics::retention::{RetentionDefinition, RetentionTable, Starts};
//!
//! let mut table = RetentionTable::new(RetentionDefinition::OnPeriod, 4).expect("columns");
//! for active in [vec![0, 1, 3], vec![0, 2], vec![1, 2, 3]] {
//!     for (cohort, since) in Starts::FirstTime.of(&active) {
//!         // Periods 0 to 3 are over.
//!         table.add(cohort, &since, u32::try_from(4 - cohort).expect("not in the future"));
//!     }
//! }
//! let first: Vec<_> = table.cohort(0).expect("two customers").iter().map(|cell| cell.percent()).collect();
//! assert_eq!(first, [Some(100.0), Some(50.0), Some(50.0), Some(50.0)]);
//! assert_eq!(table.average(1).percent(), Some(100.0 * 2.0 / 3.0));
//! assert!(table.cohort(1).expect("one customer")[3].is_unfinished());
//! ```

use std::{collections::BTreeMap, ops::Range};

use crate::{comparison::Proportion, number::percent};

/// When a customer counts as retained k periods later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RetentionDefinition {
    /// Active on period k.
    #[default]
    OnPeriod,
    /// Active on period k or any later one. Rises as time goes on, for who is away can still come back.
    OnOrAfter,
}

/// What makes a customer a member of a cohort.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Starts {
    /// The first activity ever.
    #[default]
    FirstTime,
    /// Every period of activity anew: a customer is a member of as many cohorts.
    Recurring,
}

impl Starts {
    /// The cohorts of a customer who was active in these periods, ascending, each with the periods of activity counted
    /// from its start.
    pub fn of(self, active: &[i64]) -> Vec<(i64, Vec<u32>)> {
        let mut cohorts = Vec::new();
        self.for_each(active, |start, since| cohorts.push((start, since.to_vec())));
        cohorts
    }

    /// Visits the same cohorts one by one, in one room for all of them.
    pub fn for_each(self, active: &[i64], mut visit: impl FnMut(i64, &[u32])) {
        let starts = match self {
            Self::FirstTime => active.len().min(1),
            Self::Recurring => active.len(),
        };
        let mut since = Vec::with_capacity(active.len());
        for (index, start) in active.iter().take(starts).enumerate() {
            since.clear();
            let counted = |period: &i64| u32::try_from(period.checked_sub(*start)?).ok();
            since.extend(active[index..].iter().filter_map(counted));
            visit(*start, &since);
        }
    }
}

/// Members of a cohort, or of several, and those of them who were retained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RetentionCell {
    /// All members.
    pub size: u64,
    /// Those who were active in the periods of the cell.
    pub retained: u64,
    /// Members for whom the periods of the cell are not over: they can still become retained.
    pub unfinished: u64,
}

impl RetentionCell {
    /// The share retained, 0 to 100 %. `None` over nobody.
    pub fn percent(&self) -> Option<f64> {
        percent(self.retained.into(), self.size.into())
    }

    /// The same as a share of customers, for its interval and for comparisons. `None` over nobody.
    pub fn proportion(&self) -> Option<Proportion> {
        Proportion::new(self.retained, self.size)
    }

    /// Whether it can still rise because its periods are not over.
    pub fn is_unfinished(&self) -> bool {
        self.unfinished > 0
    }

    fn merge(&mut self, other: &Self) {
        let Self { size, retained, unfinished } = *other;
        self.size += size;
        self.retained += retained;
        self.unfinished += unfinished;
    }
}

/// Cohorts by the period of their start, each with a cell for every column of the table. Tables of disjoint sets of
/// customers add up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionTable {
    columns: Columns,
    cohorts: BTreeMap<i64, Tally>,
}

/// Which periods since the start make a customer retained in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Columns {
    /// Each its own, from 0.
    On(usize),
    /// Each its own and all later ones.
    OnOrAfter(usize),
    /// Any of a bracket.
    Brackets(Vec<Range<u32>>),
}

/// What is counted of a cohort, so that a member costs no more than it has active periods.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tally {
    /// By column, who was retained in it; of [`Columns::OnOrAfter`], for whom it is the last such.
    retained: Vec<u64>,
    /// By how many periods are over, how many members; those for whom all columns are over together.
    over: Vec<u64>,
}

impl Columns {
    fn len(&self) -> usize {
        match self {
            Self::On(columns) | Self::OnOrAfter(columns) => *columns,
            Self::Brackets(brackets) => brackets.len(),
        }
    }

    /// How many periods are over when a column is. What comes after period k can go on for ever: a cell is told when k
    /// itself is over.
    fn over_at(&self, column: usize) -> usize {
        match self {
            Self::On(_) | Self::OnOrAfter(_) => column + 1,
            Self::Brackets(brackets) => brackets[column].end as usize,
        }
    }

    /// How many periods are over when all columns are.
    fn all_over_at(&self) -> usize {
        (0..self.len()).map(|column| self.over_at(column)).max().unwrap_or_default()
    }

    /// Visits what a member with these active periods counts in, each once.
    fn visit(&self, since: &[u32], mut visit: impl FnMut(usize)) {
        match self {
            Self::On(columns) => {
                let mut before = None;
                for period in since.iter().map(|period| *period as usize).take_while(|period| period < columns) {
                    if before != Some(period) {
                        visit(period);
                        before = Some(period);
                    }
                }
            }
            Self::OnOrAfter(columns) => {
                if let Some(last) = since.last() {
                    visit((*last as usize).min(columns - 1));
                }
            }
            Self::Brackets(brackets) => {
                for (column, bracket) in brackets.iter().enumerate() {
                    let first = since.partition_point(|period| *period < bracket.start);
                    if since.get(first).is_some_and(|period| *period < bracket.end) {
                        visit(column);
                    }
                }
            }
        }
    }
}

impl RetentionTable {
    /// A table with columns for 0, 1, … periods since the start. `None` without columns.
    pub fn new(definition: RetentionDefinition, columns: u32) -> Option<Self> {
        let count = columns as usize;
        let columns = match definition {
            RetentionDefinition::OnPeriod => Columns::On(count),
            RetentionDefinition::OnOrAfter => Columns::OnOrAfter(count),
        };
        (count > 0).then_some(Self { columns, cohorts: BTreeMap::new() })
    }

    /// A table with a column for each bracket of periods since the start, such as 1..4 and 4..13 weeks: who is active
    /// in any of its periods is retained. `None` unless there is one and none is empty. Brackets may overlap.
    pub fn of_brackets(brackets: Vec<Range<u32>>) -> Option<Self> {
        let valid = !brackets.is_empty() && brackets.iter().all(|bracket| bracket.start < bracket.end);
        valid.then_some(Self { columns: Columns::Brackets(brackets), cohorts: BTreeMap::new() })
    }

    /// Counts a member of a cohort: the periods since the start in which it was active, ascending, and how many of
    /// them, from 0 on, are over.
    pub fn add(&mut self, cohort: i64, since: &[u32], over: u32) {
        let Self { columns, cohorts } = self;
        let tally = cohorts.entry(cohort).or_insert_with(|| Tally::of(columns));
        columns.visit(since, |column| tally.retained[column] += 1);
        let over = (over as usize).min(tally.over.len() - 1);
        tally.over[over] += 1;
    }

    /// Takes out a member who was counted just so.
    pub fn remove(&mut self, cohort: i64, since: &[u32], over: u32) {
        let Self { columns, cohorts } = self;
        let Some(tally) = cohorts.get_mut(&cohort) else { return };
        columns.visit(since, |column| tally.retained[column] -= 1);
        let over = (over as usize).min(tally.over.len() - 1);
        tally.over[over] -= 1;
        if tally.size() == 0 {
            cohorts.remove(&cohort);
        }
    }

    /// Adds what another table of the same columns counted; false, and nothing done, when its columns are others.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.columns == other.columns;
        if same {
            for (cohort, Tally { retained, over }) in &other.cohorts {
                let tally = self.cohorts.entry(*cohort).or_insert_with(|| Tally::of(&self.columns));
                tally.retained.iter_mut().zip(retained).for_each(|(mine, theirs)| *mine += theirs);
                tally.over.iter_mut().zip(over).for_each(|(mine, theirs)| *mine += theirs);
            }
        }
        same
    }

    /// How many cohorts have members.
    pub fn len(&self) -> usize {
        self.cohorts.len()
    }

    /// Whether no cohort has members.
    pub fn is_empty(&self) -> bool {
        self.cohorts.is_empty()
    }

    /// The cohorts that have members, by the period of their start, with a cell for each column.
    pub fn cohorts(&self) -> impl Iterator<Item = (i64, Vec<RetentionCell>)> {
        self.cohorts.iter().map(|(cohort, tally)| (*cohort, tally.cells(&self.columns)))
    }

    /// A cell for each column of a cohort. `None` when it has no members.
    pub fn cohort(&self, cohort: i64) -> Option<Vec<RetentionCell>> {
        self.cohorts.get(&cohort).map(|tally| tally.cells(&self.columns))
    }

    /// All cohorts together, a cell for each column, so that each counts by its size; without those whose cell is
    /// unfinished, which would pull the average down.
    pub fn averages(&self) -> Vec<RetentionCell> {
        let mut averages = vec![RetentionCell::default(); self.columns.len()];
        for (_, cells) in self.cohorts() {
            let finished = averages.iter_mut().zip(&cells).filter(|(_, cell)| !cell.is_unfinished());
            finished.for_each(|(average, cell)| average.merge(cell));
        }
        averages
    }

    /// The same of one column. Nobody where there is no such column.
    pub fn average(&self, column: usize) -> RetentionCell {
        self.averages().get(column).copied().unwrap_or_default()
    }
}

impl Tally {
    fn of(columns: &Columns) -> Self {
        Self { retained: vec![0; columns.len()], over: vec![0; columns.all_over_at() + 1] }
    }

    fn size(&self) -> u64 {
        self.over.iter().sum()
    }

    fn cells(&self, columns: &Columns) -> Vec<RetentionCell> {
        // By how many periods are over: of how many members no more are.
        let mut size = 0;
        let not_more: Vec<u64> = self
            .over
            .iter()
            .map(|members| {
                size += members;
                size
            })
            .collect();
        let mut retained = self.retained.clone();
        if let Columns::OnOrAfter(_) = columns {
            for column in (1..retained.len()).rev() {
                retained[column - 1] += retained[column];
            }
        }
        let unfinished = |column: usize| columns.over_at(column).checked_sub(1).map_or(0, |over| not_more[over]);
        let cells = retained.into_iter().enumerate();
        cells.map(|(column, retained)| RetentionCell { size, retained, unfinished: unfinished(column) }).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(mut table: RetentionTable, customers: &[Vec<i64>], starts: Starts) -> RetentionTable {
        for customer in customers {
            starts.of(customer).iter().for_each(|(cohort, since)| table.add(*cohort, since, over(*cohort)));
        }
        table
    }

    /// Periods up to 9 are over.
    fn over(cohort: i64) -> u32 {
        u32::try_from(10 - cohort).unwrap()
    }

    fn row(table: &RetentionTable, cohort: i64) -> Vec<u64> {
        table.cohort(cohort).unwrap().iter().map(|cell| cell.retained).collect()
    }

    #[test]
    fn one_customer_by_each_definition() {
        let customer = [vec![2, 3, 6]];
        let by = |definition| table(RetentionTable::new(definition, 6).unwrap(), &customer, Starts::FirstTime);
        assert_eq!(row(&by(RetentionDefinition::OnPeriod), 2), [1, 1, 0, 0, 1, 0]);
        assert_eq!(row(&by(RetentionDefinition::OnOrAfter), 2), [1, 1, 1, 1, 1, 0]);
        let brackets = RetentionTable::of_brackets(vec![1..3, 2..4, 3..8]).unwrap();
        assert_eq!(row(&table(brackets, &customer, Starts::FirstTime), 2), [1, 0, 1]);
        let recurring = RetentionTable::new(RetentionDefinition::OnPeriod, 5).unwrap();
        let recurring = table(recurring, &customer, Starts::Recurring);
        assert_eq!(
            [2, 3, 6].map(|cohort| row(&recurring, cohort)),
            [[1, 1, 0, 0, 1], [1, 0, 0, 1, 0], [1, 0, 0, 0, 0]]
        );
    }

    #[test]
    fn unfinished_cells_are_flagged_and_in_no_average() {
        let customers = [vec![0, 3], vec![0], vec![8, 9]];
        let months =
            table(RetentionTable::new(RetentionDefinition::OnPeriod, 4).unwrap(), &customers, Starts::FirstTime);
        let unfinished: Vec<_> = months.cohort(8).unwrap().iter().map(RetentionCell::is_unfinished).collect();
        assert_eq!(unfinished, [false, false, true, true]);
        assert_eq!((months.average(1).size, months.average(1).retained), (3, 1));
        assert_eq!((months.average(3).size, months.average(3).retained), (2, 1));
        let brackets = table(RetentionTable::of_brackets(vec![1..3, 3..4]).unwrap(), &customers, Starts::FirstTime);
        assert!(brackets.cohort(8).unwrap()[0].is_unfinished(), "period 10 is not over");
    }

    #[test]
    fn nobody_and_no_columns() {
        assert_eq!(RetentionTable::new(RetentionDefinition::OnPeriod, 0), None);
        assert_eq!((RetentionTable::of_brackets(vec![]), RetentionTable::of_brackets(vec![1..2, 3..3])), (None, None));
        let mut empty = RetentionTable::new(RetentionDefinition::OnOrAfter, 2).unwrap();
        assert_eq!((empty.average(0).percent(), empty.average(9).proportion(), empty.cohort(0)), (None, None, None));
        assert!(!empty.merge(&RetentionTable::new(RetentionDefinition::OnPeriod, 2).unwrap()));
        assert_eq!(Starts::Recurring.of(&[]), []);
    }

    fn customers() -> impl Strategy<Value = Vec<Vec<i64>>> {
        let active = prop::collection::btree_set(0_i64..10, 0..7).prop_map(|active| active.into_iter().collect());
        prop::collection::vec(active, 0..30)
    }

    proptest! {
        #[test]
        fn tables_add_up_and_forget(customers in customers(), cut in 0_usize..30, recurring in any::<bool>()) {
            let starts = if recurring { Starts::Recurring } else { Starts::FirstTime };
            let of = |customers: &[Vec<i64>]| {
                table(RetentionTable::new(RetentionDefinition::OnOrAfter, 5).unwrap(), customers, starts)
            };
            let (left, right) = customers.split_at(cut.min(customers.len()));
            let mut merged = of(left);
            prop_assert!(merged.merge(&of(right)));
            prop_assert_eq!(&merged, &of(&customers));
            for (cohort, since) in left.iter().flat_map(|customer| starts.of(customer)) {
                merged.remove(cohort, &since, over(cohort));
            }
            prop_assert_eq!(merged, of(right));
        }

        #[test]
        fn cells_are_as_plain_counting_says(
            customers in customers(), recurring in any::<bool>(), brackets in prop::collection::vec((0_u32..8, 1_u32..8), 1..4),
        ) {
            let starts = if recurring { Starts::Recurring } else { Starts::FirstTime };
            let brackets: Vec<_> = brackets.into_iter().map(|(start, length)| start..start + length).collect();
            let found = table(RetentionTable::of_brackets(brackets.clone()).unwrap(), &customers, starts);
            let members: Vec<_> = customers.iter().flat_map(|customer| starts.of(customer)).collect();
            for cohort in 0..10 {
                let members = || members.iter().filter(|(start, _)| *start == cohort);
                let cell = |bracket: &Range<u32>| RetentionCell {
                    size: members().count() as u64,
                    retained: members().filter(|(_, since)| since.iter().any(|k| bracket.contains(k))).count() as u64,
                    unfinished: members().filter(|_| over(cohort) < bracket.end).count() as u64,
                };
                let expected = (members().count() > 0).then(|| brackets.iter().map(cell).collect::<Vec<_>>());
                prop_assert_eq!(found.cohort(cohort), expected);
            }
        }

        #[test]
        fn definitions_follow_from_one_another(customers in customers()) {
            let [on, after] = [RetentionDefinition::OnPeriod, RetentionDefinition::OnOrAfter].map(|definition| {
                table(RetentionTable::new(definition, 10).unwrap(), &customers, Starts::FirstTime)
            });
            let single = RetentionTable::of_brackets((0..10).map(|k| k..k + 1).collect()).unwrap();
            let single = table(single, &customers, Starts::FirstTime);
            prop_assert_eq!(single.cohorts().collect::<Vec<_>>(), on.cohorts().collect::<Vec<_>>());
            for (cohort, cells) in after.cohorts() {
                prop_assert_eq!(cells[0].retained, cells[0].size, "all are active at their start");
                prop_assert!(cells.is_sorted_by(|a, b| a.retained >= b.retained));
                for (after, on) in cells.iter().zip(on.cohort(cohort).unwrap()) {
                    prop_assert!(on.retained <= after.retained && (on.size, on.unfinished) == (after.size, after.unfinished));
                }
            }
            let members: u64 = on.cohorts().map(|(_, cells)| cells[0].size).sum();
            prop_assert_eq!(members, customers.iter().filter(|customer| !customer.is_empty()).count() as u64);
        }
    }
}
