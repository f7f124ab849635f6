//! Figures of customers by when they became known.

use std::ops::{Range, RangeInclusive};

use barometer_chassis::error::Error;

use crate::{
    catalogue::Metric,
    columns::{Facts, customers::Known, revisions::Revisions, times::NEVER},
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured, extent_of},
        told::{Kind, Worth},
    },
};

pub(crate) fn new_customers(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let mut grid = Grid::<u64>::new(ask.periods.len());
    let mut cutter = ask.cutter();
    let (mut rows, mut groups) = (Vec::new(), Vec::new());
    for (row, person, at) in instants(ask.facts) {
        let Some(period) = ask.periods.index_of(at) else { continue };
        let end = ask.periods.as_slice()[period].end;
        groups_of(&mut cutter, row, end - 1, &mut rows, &mut groups)?;
        groups.iter().for_each(|group| *grid.cell(*group, period) += 1);
        groups.iter().for_each(|_| ask.tell(Kind::Customer, person, at, &[("customers", 1.0)], Worth::None));
    }
    Ok(ask.figures(&cutter, &grid, |count| Measured::count(*count, *count, [("customers", *count)])))
}

pub(crate) fn customers(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let mut cutter = ask.cutter();
    let counts = standing(ask, &mut cutter, |person, at| {
        ask.tell(Kind::Customer, person, at, &[("customers", 1.0)], Worth::None);
    })?;
    Ok(ask.figures(&cutter, &counts, |count| Measured::count(*count, *count, [("customers", *count)])))
}

/// How many customers each group has when each period ends. `told` hears of each when it is asked what a figure is made of: its
/// number among people, and from when on it is known.
pub(crate) fn standing(ask: &Ask<'_>, cutter: &mut Cutter<'_>, told: impl FnMut(u32, i64)) -> Result<Grid<u64>, Error> {
    standing_while(ask, cutter, |_, spans| spans.push(i64::MIN..i64::MAX), told)
}

/// The same of those for whom something holds then: `spans` appends the stretches of time in which it does, of a customer by
/// its number among people. A stretch is of account for a period that ends after its beginning and not after its end.
pub(crate) fn standing_while(
    ask: &Ask<'_>,
    cutter: &mut Cutter<'_>,
    spans_of: impl Fn(u32, &mut Vec<Range<i64>>),
    mut told: impl FnMut(u32, i64),
) -> Result<Grid<u64>, Error> {
    let ends: Vec<i64> = ask.periods.as_slice().iter().map(|period| period.end).collect();
    let after = |at: i64| ends.partition_point(|end| *end <= at);
    // How many more, or less, there are than at the end of the period before.
    let mut grid = Grid::<i64>::new(ends.len() + 1);
    let dated = cutter.dated();
    let (mut rows, mut groups, mut changes, mut spans) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (row, person, known) in instants(ask.facts) {
        spans.clear();
        spans_of(person, &mut spans);
        changes.clear();
        changes.push(known);
        changes.extend(spans.iter().flat_map(|span| [span.start, span.end]).filter(|at| *at > known));
        let instants = dated.iter().flat_map(|attribute| ask.facts.attributes.instants(*attribute, person));
        changes.extend(instants.filter(|at| *at > known));
        changes.sort_unstable();
        changes.dedup();
        for (index, at) in changes.iter().enumerate() {
            let from = after(*at);
            let to = changes.get(index + 1).map_or(ends.len(), |next| after(*next));
            if from < to && spans.iter().any(|span| span.contains(at)) {
                groups_of(cutter, row, *at, &mut rows, &mut groups)?;
                for group in &groups {
                    *grid.cell(*group, from) += 1;
                    *grid.cell(*group, to) -= 1;
                }
                if ask.is_explained() && !groups.is_empty() {
                    told(person, known);
                }
            }
        }
    }
    let mut counts = Grid::<u64>::new(ends.len());
    for group in 0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX) {
        let mut count = 0;
        for period in 0..ends.len() {
            count += grid.get(group, period);
            *counts.cell(group, period) = u64::try_from(count).unwrap_or_default();
        }
    }
    Ok(counts)
}

/// From when the first customer became known until the last did.
pub(crate) fn extent(facts: &Facts, _: &Metric) -> Option<RangeInclusive<i64>> {
    extent_of(instants(facts).into_iter().map(|(_, _, at)| at))
}

/// When what customers are known by was last said otherwise.
pub(crate) fn revisions(facts: &Facts) -> Vec<&Revisions> {
    vec![
        &facts.customers.revisions,
        &facts.purchases.times.revisions,
        &facts.interactions.times.revisions,
        &facts.subscriptions.times.revisions,
        &facts.memberships.times.revisions,
        &facts.referrals.times.revisions,
        &facts.responses.times.revisions,
    ]
}

/// Every customer with its row, its number among people, and from when on it is known.
pub(crate) fn instants(facts: &Facts) -> Vec<(u32, u32, i64)> {
    let mut firsts = vec![i64::MAX; facts.people.len()];
    let kinds = [
        (&facts.purchases.times, &facts.purchases.customers),
        (&facts.interactions.times, &facts.interactions.customers),
        (&facts.subscriptions.times, &facts.subscriptions.customers),
        (&facts.memberships.times, &facts.memberships.customers),
        (&facts.referrals.times, &facts.referrals.customers),
        (&facts.responses.times, &facts.responses.customers),
    ];
    for (times, customers) in kinds {
        for (at, customer) in times.as_slice().iter().zip(customers) {
            // Nobody has no place.
            if let Some(first) = firsts.get_mut(*customer as usize).filter(|first| *at != NEVER && *at < **first) {
                *first = *at;
            }
        }
    }
    let known = facts.customers.iter().filter_map(|(row, customer)| {
        let first = || firsts.get(customer.person as usize).copied().filter(|first| *first != i64::MAX);
        Some((row, customer.person, since(customer, first)?))
    });
    known.collect()
}

/// From when on a customer is known, of whom the first thing happened at an instant, if anything did.
pub(crate) fn since(customer: Known, first: impl FnOnce() -> Option<i64>) -> Option<i64> {
    customer.since.into_iter().chain(first()).min().or(customer.created)
}

/// The groups of one customer at an instant.
fn groups_of(
    cutter: &mut Cutter<'_>,
    row: u32,
    at: i64,
    rows: &mut Vec<u32>,
    groups: &mut Vec<u32>,
) -> Result<(), Error> {
    rows.clear();
    rows.push(row);
    cutter.cut(rows, groups, |_| at)
}
