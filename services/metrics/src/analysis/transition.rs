//! Transitions: how customers moved between detractors, passives and promoters from one period to another.

use std::ops::Range;

use barometer_chassis::{door::Door, error::Error};
use barometer_proto::metrics::v1 as wire;
use barometer_statistics::transition::TransitionMatrix;

use super::{
    MAX_GROUP_BY,
    answered::{Answered, answers, apart, category, of_each, rank, reads},
    scope::Scope,
};
use crate::{
    columns::{Facts, times::EVER},
    fold::Source,
    query::{MAX_ROWS, Name, Table, Vocabulary, Zones, cut::Cutter, parse_granularity, parse_group_by, refuse_periods},
    rules::{
        granularity::Granularity,
        period::{Period, Periods},
        scale::Scale,
    },
};

const CATEGORIES: usize = 3;
/// Each has nine cells.
const MAX_MATRICES: usize = MAX_ROWS / (CATEGORIES * CATEGORIES);

/// What is asked, checked.
#[derive(Clone, Debug)]
pub(crate) struct Transitions {
    pub(crate) scope: Scope,
    between: Between,
    carry: bool,
    group_by: Vec<String>,
    /// Nothing is told of fewer customers.
    minimum_sample: u64,
}

/// The periods that are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Between {
    /// Each period of the scope and the next.
    Every(Granularity),
    /// One time and another; the first may be open to the past, the second to now.
    Two { before: (Option<i64>, i64), after: (i64, Option<i64>) },
}

/// How the customers of a group moved from one period to another.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Matrix {
    pub(crate) group: Name,
    pub(crate) before: Period,
    pub(crate) after: Period,
    /// Nothing of fewer than the smallest sample.
    pub(crate) told: Option<Moved>,
}

/// Who went where; categories from detractors on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moved {
    pub(crate) matrix: TransitionMatrix,
    pub(crate) joined: [u64; CATEGORIES],
    pub(crate) lost: [u64; CATEGORIES],
}

/// Parses a request, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::QueryTransitionsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    minimum_sample: u64,
) -> Result<Transitions, Error> {
    Door::open(|door| {
        let wire::QueryTransitionsRequest { scope, granularity, before, after, carry, group_by } = request;
        let of = (Table::Responses, "nps");
        let has_time = scope.as_ref().is_some_and(|scope| scope.start_time.is_some() || scope.end_time.is_some());
        let granularity = parse_granularity(door, granularity);
        let between = parse_between(door, before, after, granularity, has_time);
        let group_by = parse_group_by(door, group_by, MAX_GROUP_BY, &[of], vocabulary);
        let scope = Scope::parse(door, scope, of, vocabulary, zones);
        scope.map(|scope| {
            let group_by = apart(group_by, &scope.filters);
            Transitions { scope, between, carry, group_by, minimum_sample }
        })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

fn parse_between(
    door: &mut Door,
    before: Option<wire::Span>,
    after: Option<wire::Span>,
    granularity: Option<Granularity>,
    has_time: bool,
) -> Between {
    if before.is_none() && after.is_none() {
        return Between::Every(granularity.unwrap_or(Granularity::Month));
    }
    for (field, given) in [("granularity", granularity.is_some()), ("scope", has_time)] {
        if given {
            door.refuse(field, "NOT_TOGETHER", "names periods, as `before` and `after` do");
        }
    }
    let (before, after) = (door.required("before", before), door.required("after", after));
    let wire::Span { start_time, end_time } = before;
    let (start, before_end) = door.inside("before", |door| {
        let (start, end) = (door.optional_time("start_time", start_time), door.time("end_time", end_time));
        check_order(door, start.map(|at| at.0), end_time.map(|_| end.0));
        (start.map(|at| at.0), end.0)
    });
    let wire::Span { start_time, end_time } = after;
    let (after_start, end) = door.inside("after", |door| {
        let (start, end) = (door.time("start_time", start_time).0, door.optional_time("end_time", end_time));
        check_order(door, start_time.map(|_| start), end.map(|at| at.0));
        if start_time.is_some() && start < before_end {
            door.refuse("start_time", "OUT_OF_RANGE", "lies before the end of `before`");
        } else if start >= door.now().0 {
            door.refuse("start_time", "OUT_OF_RANGE", "lies in the future");
        }
        (start, end.map(|at| at.0))
    });
    Between::Two { before: (start, before_end), after: (after_start, end) }
}

fn check_order(door: &mut Door, start: Option<i64>, end: Option<i64>) {
    if start.zip(end).is_some_and(|(start, end)| end <= start) {
        door.refuse("end_time", "OUT_OF_RANGE", "must be later than `start_time`");
    }
}

impl Transitions {
    /// Whether it is made of facts of a source.
    pub(crate) fn reads(&self, source: Source) -> bool {
        reads(source)
    }

    /// Counts.
    ///
    /// Errors: INVALID when there are too many groups or periods.
    pub(crate) fn run(&self, facts: &Facts) -> Result<Vec<Matrix>, Error> {
        let mut cutter = Cutter::new(facts, Table::Responses, &self.scope.filters, &self.group_by, MAX_MATRICES);
        let all = answers(facts, Scale::Nps, &self.reach(), &mut cutter)?;
        let periods = self.periods(all.iter().map(|answer| answer.at).min())?;
        let pairs = periods.len().saturating_sub(1);
        if pairs == 0 {
            return Ok(Vec::new());
        }
        if cutter.groups().saturating_mul(pairs) > MAX_MATRICES {
            let told = format!("the answer has more than {MAX_MATRICES} matrices: ask for fewer groups or periods");
            return Err(Error::invalid("group_by", "TOO_MANY", told));
        }
        let mut groups = vec![Tally::new(pairs); cutter.groups()];
        let mut standing = Vec::new();
        for of_one in of_each(&all) {
            self.stand(facts, &periods, of_one, &mut standing);
            if let Some(tally) = groups.get_mut(of_one[0].group as usize) {
                if self.carry { tally.carry(&standing) } else { tally.add(&standing) }
            }
        }
        let mut named: Vec<_> = (0..).zip(groups).map(|(group, tally)| (cutter.name(group), tally)).collect();
        named.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut matrices = Vec::new();
        for (group, tally) in named {
            for (index, moved) in tally.told().into_iter().enumerate() {
                let counted = moved.customers();
                if counted == 0 {
                    continue;
                }
                let told = Some(moved).filter(|_| counted >= self.minimum_sample);
                let (before, after) = (periods[index].clone(), periods[index + 1].clone());
                matrices.push(Matrix { group: group.clone(), before, after, told });
            }
        }
        Ok(matrices)
    }

    /// The time whose answers matter.
    fn reach(&self) -> Range<i64> {
        let (start, end) = match &self.between {
            Between::Every(_) => (self.scope.start, self.scope.until()),
            Between::Two { before, after } => (before.0, self.end_of(after.1)),
        };
        start.filter(|_| !self.carry).unwrap_or(EVER)..end
    }

    /// The periods in their order, from the first answer on where they are open.
    fn periods(&self, first: Option<i64>) -> Result<Vec<Period>, Error> {
        let Scope { start, days, now, .. } = &self.scope;
        match &self.between {
            Between::Every(granularity) => {
                let Some(first) = first else { return Ok(Vec::new()) };
                let start = start.or_else(|| Periods::start_of(days, *granularity, first)).unwrap_or(first);
                let periods = Periods::new(days, *granularity, start..self.scope.until());
                Ok(periods.map_err(|error| refuse_periods(&error))?.as_slice().to_vec())
            }
            Between::Two { before, after } => {
                let period = |start, end| Period { start, end, label: String::new(), partial: false };
                let start = before.0.or(first).unwrap_or(before.1).min(before.1);
                let until = self.end_of(after.1);
                let partial = after.1.is_none_or(|end| end > *now);
                Ok(vec![period(start, before.1), Period { partial, ..period(after.0, until) }])
            }
        }
    }

    fn end_of(&self, end: Option<i64>) -> i64 {
        end.map_or(self.scope.now, |end| end.min(self.scope.now))
    }

    /// Fills `into` with the periods in which a customer answered last in a category, ascending.
    fn stand(&self, facts: &Facts, periods: &[Period], of_one: &[Answered], into: &mut Vec<(usize, usize)>) {
        into.clear();
        for answer in of_one {
            // Between two periods lies what the later one carries.
            let index = periods.partition_point(|period| period.end <= answer.at);
            let is_in = periods.get(index).is_some_and(|period| self.carry || period.start <= answer.at);
            if !is_in {
                continue;
            }
            let stands = (index, rank(category(facts, answer.row)));
            match into.last_mut() {
                Some(last) if last.0 == index => *last = stands,
                _ => into.push(stands),
            }
        }
    }
}

impl Moved {
    /// Who has a category in either period.
    fn customers(&self) -> u64 {
        self.matrix.total() + self.joined.iter().chain(&self.lost).sum::<u64>()
    }
}

/// The moves of a group, by pair of periods.
#[derive(Clone, Debug)]
struct Tally {
    moved: Vec<[[u64; CATEGORIES]; CATEGORIES]>,
    joined: Vec<[u64; CATEGORIES]>,
    lost: Vec<[u64; CATEGORIES]>,
    /// How many more, or less, than from the pair before stay where they are.
    staying: Vec<[i64; CATEGORIES]>,
}

impl Tally {
    fn new(pairs: usize) -> Self {
        Tally {
            moved: vec![Default::default(); pairs],
            joined: vec![Default::default(); pairs],
            lost: vec![Default::default(); pairs],
            staying: vec![Default::default(); pairs + 1],
        }
    }

    /// Counts a customer who stands somewhere in these periods, and nowhere in the others.
    fn add(&mut self, standing: &[(usize, usize)]) {
        let mut before = None;
        for (index, (period, category)) in standing.iter().copied().enumerate() {
            if period > 0 && before != Some(period - 1) {
                self.joined[period - 1][category] += 1;
            }
            if period < self.moved.len() {
                match standing.get(index + 1) {
                    Some((next, to)) if *next == period + 1 => self.moved[period][category][*to] += 1,
                    _ => self.lost[period][category] += 1,
                }
            }
            before = Some(period);
        }
    }

    /// Counts a customer who stays where it stood until it stands elsewhere.
    fn carry(&mut self, standing: &[(usize, usize)]) {
        let pairs = self.moved.len();
        if let Some((period, category)) = standing.first().filter(|(period, _)| *period > 0) {
            self.joined[period - 1][*category] += 1;
        }
        for (index, (period, category)) in standing.iter().copied().enumerate() {
            let until = standing.get(index + 1).map_or(pairs, |(next, to)| {
                self.moved[next - 1][category][*to] += 1;
                next - 1
            });
            self.staying[period][category] += 1;
            self.staying[until][category] -= 1;
        }
    }

    fn told(self) -> Vec<Moved> {
        let mut staying = [0_i64; CATEGORIES];
        let pairs = self.moved.into_iter().zip(self.staying).zip(self.joined.into_iter().zip(self.lost));
        let told = pairs.filter_map(|((mut moved, more), (joined, lost))| {
            let mut matrix = TransitionMatrix::new(CATEGORIES)?;
            for category in 0..CATEGORIES {
                staying[category] += more[category];
                moved[category][category] += u64::try_from(staying[category]).unwrap_or_default();
                for (to, customers) in moved[category].iter().enumerate() {
                    let _known = matrix.add_many(category, to, *customers);
                }
            }
            Some(Moved { matrix, joined, lost })
        });
        told.collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// By walking through every pair of periods.
    fn plainly(pairs: usize, standing: &[(usize, usize)], carry: bool) -> Vec<Moved> {
        let at = |period: usize| {
            let last = standing.iter().rfind(|(of, _)| if carry { *of <= period } else { *of == period });
            last.map(|(_, category)| *category)
        };
        let pair = |index: usize| {
            let mut moved =
                Moved { matrix: TransitionMatrix::new(CATEGORIES).expect("three"), joined: [0; 3], lost: [0; 3] };
            match (at(index), at(index + 1)) {
                (Some(from), Some(to)) => assert!(moved.matrix.add(from, to)),
                (Some(from), None) => moved.lost[from] += 1,
                (None, Some(to)) => moved.joined[to] += 1,
                (None, None) => {}
            }
            moved
        };
        (0..pairs).map(pair).collect()
    }

    proptest! {
        #[test]
        fn every_pair_of_periods_is_counted(
            standing in prop::collection::btree_map(0_usize..9, 0_usize..3, 0..9), carry in any::<bool>(),
        ) {
            let standing: Vec<_> = standing.into_iter().collect();
            let mut tally = Tally::new(8);
            if carry { tally.carry(&standing) } else { tally.add(&standing) }
            prop_assert_eq!(tally.told(), plainly(8, &standing, carry));
        }
    }
}
