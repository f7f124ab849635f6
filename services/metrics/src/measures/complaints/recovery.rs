//! Figures of customers after a complaint that was solved, one that was not, and none.
//!
//! All of them are customers who were active, and are watched for the same time: from the instant at which the complaint was
//! opened, solved or not, or from the start of the period when there was none.

use std::ops::RangeInclusive;

use barometer_chassis::{clock::Micros, error::Error};

use crate::{
    analysis::by_person::{self, Instants},
    catalogue::Metric,
    columns::{Facts, by_person::ByPerson, dictionary::EMPTY, people::NOBODY, times::NEVER},
    measures::{complaints::rates::DISSATISFIED, sales::activity::within_reach},
    query::{
        Ask, Table,
        board::Board,
        cut::Cutter,
        evidence::Evidence,
        figures::{Figure, Measured, extent_of, plain},
        told::{Kind, Worth},
    },
    rules::{
        activity::{is_active, within},
        proportion::ProportionTally,
        spread::Moments,
    },
};

const OUTCOME: &str = "complaint_outcome";
const CURRENCY: &str = "currency";

/// What became of the complaint of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    None,
    Solved,
    Unsolved,
}

impl Outcome {
    const ALL: [Outcome; 3] = [Outcome::None, Outcome::Solved, Outcome::Unsolved];

    fn name(self) -> &'static str {
        match self {
            Outcome::None => "none",
            Outcome::Solved => "solved",
            Outcome::Unsolved => "unsolved",
        }
    }
}

/// A customer of a period who is watched.
#[derive(Clone, Copy, Debug)]
struct Watched {
    person: u32,
    period: usize,
    /// From when on.
    from: i64,
    outcome: Outcome,
}

/// From the first until the last purchase or case.
pub(crate) fn extent(facts: &Facts, _: &Metric) -> Option<RangeInclusive<i64>> {
    let extents = [facts.purchases.times.extent(), facts.cases.times.extent()];
    extent_of(extents.into_iter().flatten().flat_map(|extent| [*extent.start(), *extent.end()]))
}

/// How many of them bought again.
pub(crate) fn service_recovery(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let sales = by_person::sales(ask.facts, i64::MAX);
    let after = after(ask);
    let mut pile = Pile::<[u64; 3]>::new(ask);
    let cutter = watch(ask, &sales, |group, watched| {
        let [retained, gone, pending] = pile.cell(group, watched);
        let until = watched.from.saturating_add(after);
        let (count, names): (_, &[_]) = if until > ask.query.now {
            (pending, &[("pending", 1.0)])
        } else if within(sales.of(watched.person), watched.from..until).is_empty() {
            (gone, &[("customers", 1.0)])
        } else {
            (retained, &[("customers", 1.0), ("retained", 1.0)])
        };
        *count += 1;
        ask.tell(Kind::Customer, watched.person, watched.from, names, Worth::None);
    })?;
    let mut board = Board::<[u64; 3]>::new(ask);
    for (group, outcome, cells) in pile.into_rows() {
        let row = board.row(cutter.name(group).into_iter().chain([named(outcome)]))?;
        cells.into_iter().enumerate().for_each(|(period, cell)| *board.cell(row, period) = cell);
    }
    Ok(board.figures(ask, |[retained, gone, pending]| {
        let counts = [("retained", *retained), ("customers", retained + gone), ("pending", *pending)];
        Measured::share(&ProportionTally::of_counts(*retained, *gone), ask.query.parameters.level, counts)
    }))
}

/// What the customers of a cell spent.
#[derive(Clone, Debug, Default)]
struct Spent {
    /// By currency.
    of_currencies: Vec<Moments>,
    buyers: Vec<u64>,
    customers: u64,
    pending: u64,
}

/// What they spent, by currency.
pub(crate) fn spend_after_complaint(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let facts = ask.facts;
    let sales = by_person::sales(facts, i64::MAX);
    let after = after(ask);
    let currencies = Currencies::new(ask);
    let spending = ByPerson::new(facts.people.len(), || currencies.spending(facts));
    let mut pile = Pile::<Spent>::new(ask);
    let mut sums = vec![0_i128; currencies.texts.len()];
    let asked = currencies.passes.iter().position(|passes| *passes);
    let cutter = watch(ask, &sales, |group, watched| {
        let spent = pile.cell(group, watched);
        let until = watched.from.saturating_add(after);
        if until > ask.query.now {
            spent.pending += 1;
            ask.tell(Kind::Customer, watched.person, watched.from, &[("pending", 1.0)], Worth::None);
            return;
        }
        sums.fill(0);
        let all = spending.of(watched.person);
        let first = all.partition_point(|(at, _, _)| *at < watched.from);
        all[first..].iter().take_while(|(at, _, _)| *at < until).for_each(|(_, currency, amount)| {
            sums[*currency as usize] += i128::from(*amount);
        });
        spent.customers += 1;
        spent.of_currencies.resize(sums.len(), Moments::default());
        spent.buyers.resize(sums.len(), 0);
        for (currency, sum) in sums.iter().enumerate() {
            let most = if *sum < 0 { i64::MIN } else { i64::MAX };
            spent.of_currencies[currency].add(i64::try_from(*sum).unwrap_or(most));
            spent.buyers[currency] += u64::from(*sum != 0);
        }
        // A figure that is explained is of one currency.
        if let Some(sum) = asked.and_then(|currency| sums.get(currency)) {
            let counts = [("customers", 1.0), ("spenders", f64::from(*sum != 0))];
            ask.tell(Kind::Customer, watched.person, watched.from, &counts, Worth::Amount(*sum));
        }
    })?;
    let mut board = Board::<(Moments, i128, [u64; 3])>::new(ask);
    for (group, outcome, cells) in pile.into_rows() {
        for (index, currency) in currencies.texts.iter().enumerate().filter(|(index, _)| currencies.passes[*index]) {
            let own = [named(outcome), (CURRENCY.to_owned(), currency.clone())];
            let row = board.row(cutter.name(group).into_iter().chain(own))?;
            for (period, spent) in cells.iter().enumerate() {
                let moments = spent.of_currencies.get(index).copied().unwrap_or_default();
                let buyers = spent.buyers.get(index).copied().unwrap_or_default();
                *board.cell(row, period) = (moments, moments.sum(), [spent.customers, buyers, spent.pending]);
            }
        }
    }
    let level = ask.query.parameters.level;
    Ok(board.figures(ask, |(moments, spent, [customers, buyers, pending])| Measured {
        value: moments.mean(),
        counts: plain([("customers", *customers), ("spenders", *buyers), ("pending", *pending)]),
        amounts: vec![("spend", *spent)],
        interval: moments.interval(level).map(|interval| (interval, level)),
        evidence: Evidence::Times(*moments),
        ..Measured::default()
    }))
}

/// The currencies in which anybody bought or returned anything.
struct Currencies {
    texts: Vec<String>,
    passes: Vec<bool>,
    /// By code of the column.
    places: Vec<u32>,
}

impl Currencies {
    fn new(ask: &Ask<'_>) -> Self {
        let purchases = &ask.facts.purchases;
        let dictionary = &purchases.currency.dictionary;
        let mut used = vec![false; dictionary.len()];
        for (row, code) in purchases.currency.codes().iter().enumerate() {
            used[*code as usize] |= purchases.times.at(row) != NEVER;
        }
        let codes = (0..).zip(used).filter(|(code, used)| *used && *code != EMPTY).map(|(code, _)| code);
        let mut places = vec![u32::MAX; dictionary.len()];
        let mut texts = Vec::new();
        for (place, code) in (0..).zip(codes) {
            places[code as usize] = place;
            texts.push(dictionary.text(code).to_owned());
        }
        let passes = texts.iter().map(|text| ask.passes(CURRENCY, text)).collect();
        Currencies { texts, passes, places }
    }

    /// Whose purchases and returns: when, in which currency, and what they came to.
    fn spending<'f>(&'f self, facts: &'f Facts) -> impl Iterator<Item = (u32, (i64, u32, i64))> {
        let purchases = &facts.purchases;
        let rows = purchases
            .customers
            .iter()
            .enumerate()
            .filter(|(row, person)| **person != NOBODY && purchases.times.at(*row) != NEVER);
        rows.filter_map(|(row, person)| {
            let code = purchases.currency.codes().get(row).copied().unwrap_or(EMPTY);
            let place = self.places.get(code as usize).copied().filter(|place| *place != u32::MAX)?;
            Some((*person, (purchases.times.at(row), place, purchases.amounts[row])))
        })
    }
}

/// Cells by group and by what became of the complaint.
struct Pile<T> {
    periods: usize,
    groups: Vec<[Option<Vec<T>>; Outcome::ALL.len()]>,
}

impl<T: Default + Clone> Pile<T> {
    fn new(ask: &Ask<'_>) -> Self {
        Pile { periods: ask.periods.len(), groups: Vec::new() }
    }

    fn cell(&mut self, group: u32, watched: &Watched) -> &mut T {
        let (group, periods) = (group as usize, self.periods);
        if group >= self.groups.len() {
            self.groups.resize_with(group + 1, Default::default);
        }
        let row = self.groups[group][watched.outcome as usize].get_or_insert_with(|| vec![T::default(); periods]);
        &mut row[watched.period]
    }

    fn into_rows(self) -> impl Iterator<Item = (u32, Outcome, Vec<T>)> {
        (0..).zip(self.groups).flat_map(|(group, rows)| {
            Outcome::ALL.into_iter().zip(rows).filter_map(move |(outcome, row)| Some((group, outcome, row?)))
        })
    }
}

fn named(outcome: Outcome) -> (String, String) {
    (OUTCOME.to_owned(), outcome.name().to_owned())
}

fn after(ask: &Ask<'_>) -> i64 {
    i64::from(ask.query.parameters.after_days) * Micros::DAY
}

/// Visits who is watched in each period, with the group: of a customer who complained the first complaint of the period
/// decides; of who did not complain until the time after the start of the period is over, there is none.
fn watch<'q>(ask: &Ask<'q>, sales: &Instants<'_>, mut each: impl FnMut(u32, &Watched)) -> Result<Cutter<'q>, Error> {
    let facts = ask.facts;
    let complaints = complaints(facts);
    let periods = ask.periods.as_slice();
    let wanted = Outcome::ALL.map(|outcome| ask.passes(OUTCOME, outcome.name()));
    let after = after(ask);
    let reach = i64::from(ask.query.parameters.inactivity_days) * Micros::DAY;
    let mut cutter = ask.cutter_of(Table::Customers, |name| name != OUTCOME && name != CURRENCY);
    let Some(window) = ask.query.parameters.window() else { return Ok(cutter) };
    let (mut rows, mut groups, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for (row, customer) in facts.customers.iter() {
        let (sales, complaints) = (sales.of(customer.person), complaints.of(customer.person));
        all.clear();
        let mut last = None;
        for (opened, _, case) in complaints {
            let Some(period) = ask.periods.index_of(*opened).filter(|period| Some(*period) != last) else { continue };
            last = Some(period);
            let solved = facts.cases.first_resolve(*case).is_some_and(|at| at < opened.saturating_add(after));
            all.push((period, *opened, if solved { Outcome::Solved } else { Outcome::Unsolved }));
        }
        for period in within_reach(sales, reach, periods, |period| period.start) {
            let (start, end) = (periods[period].start, periods[period].end);
            let first = complaints.partition_point(|(opened, _, _)| *opened < start);
            let complains = complaints.get(first).is_some_and(|(at, _, _)| *at < end.max(start.saturating_add(after)));
            if !complains && start < ask.query.now {
                all.push((period, start, Outcome::None));
            }
        }
        for (period, from, outcome) in all.drain(..) {
            if wanted[outcome as usize] && is_active(sales, window, from) {
                rows.clear();
                rows.push(row);
                cutter.cut(&mut rows, &mut groups, |_| from)?;
                let watched = Watched { person: customer.person, period, from, outcome };
                groups.iter().for_each(|group| each(*group, &watched));
            }
        }
    }
    Ok(cutter)
}

/// Complaints and losses that were not cancelled: when they were opened, and, of the same instant in the order of their
/// numbers, their rows.
fn complaints(facts: &Facts) -> ByPerson<(i64, i64, u32)> {
    let cases = &facts.cases;
    let is_one = |row: &u32| {
        cases.is_there(*row) && !cases.is_cancelled(*row) && DISSATISFIED.contains(&cases.kind.get(*row as usize))
    };
    let of_row = |row: u32| (cases.customers[row as usize], (cases.times.at(row as usize), cases.number(row), row));
    ByPerson::new(facts.people.len(), || (0..cases.len()).filter(is_one).map(of_row))
}
