//! Figures of what was spent.

use std::{collections::BTreeMap, ops::RangeInclusive};

use barometer_chassis::error::Error;

use crate::{
    catalogue::Metric,
    columns::{Facts, dictionary::EMPTY},
    measures::customers::known,
    query::{
        Ask, MAX_ROWS, Table,
        cut::Cutter,
        figures::{Figure, Grid, Measured, Name, extent_of, plain, real, units},
        told::{Kind, Worth},
    },
    rules::portion::portion,
};

/// From the first until the last instant at which spending began or a customer became known.
pub(crate) fn extent(facts: &Facts, metric: &Metric) -> Option<RangeInclusive<i64>> {
    let begun = facts.costs.of_acquisition().map(|row| facts.costs.spread(row).start);
    let known = known::extent(facts, metric).into_iter().flat_map(|known| [*known.start(), *known.end()]);
    extent_of(begun.chain(known))
}

/// Micro-units that were spent, and on how many things.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    costs: i128,
    rewards: i128,
    things: u64,
}

/// What was spent in a period to win customers, for each who became known in it. What distinguishes costs divides what was
/// spent, not the customers.
pub(crate) fn acquisition_cost(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let periods = ask.periods.as_slice();
    let mut new = vec![0_u64; periods.len()];
    let known = known::instants(ask.facts);
    for (_, person, at) in known {
        if let Some(period) = ask.periods.index_of(at) {
            new[period] += 1;
            ask.tell(Kind::Customer, person, at, &[("new_customers", 1.0)], Worth::None);
        }
    }

    let mut spent: BTreeMap<Name, Vec<Spent>> = BTreeMap::new();
    for (cutter, grid) in [costs(ask)?, rewards(ask)?] {
        for group in 0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX) {
            let of_group = spent.entry(cutter.name(group)).or_insert_with(|| vec![Spent::default(); periods.len()]);
            for (period, spent) in of_group.iter_mut().enumerate() {
                let Spent { costs, rewards, things } = grid.get(group, period);
                spent.costs += costs;
                spent.rewards += rewards;
                spent.things += things;
            }
        }
    }
    spent.retain(|_, row| row.iter().any(|spent| spent.things > 0));
    if spent.is_empty() && ask.query.group_by.is_empty() {
        spent.insert(Name::new(), vec![Spent::default(); periods.len()]);
    }
    let measure = |(spent, new): (Spent, &u64)| {
        let total = spent.costs + spent.rewards;
        Measured {
            value: (*new > 0 && spent.things > 0).then(|| units(total) / real(*new)),
            counts: plain([("new_customers", *new)]),
            amounts: vec![("costs", spent.costs), ("rewards", spent.rewards), ("total", total)],
            ..Measured::default()
        }
    };
    let groups = spent.into_iter().map(|(name, row)| (name, row.into_iter().zip(&new).map(measure).collect()));
    Ok(ask.assemble(groups.collect()))
}

/// The sums, each spread over its time.
fn costs<'q>(ask: &Ask<'q>) -> Result<(Cutter<'q>, Grid<Spent>), Error> {
    let (costs, range) = (&ask.facts.costs, ask.range());
    let mut grid = Grid::<Spent>::new(ask.periods.len());
    let mut cutter = ask.cutter();
    let (mut rows, mut groups): (Vec<u32>, Vec<u32>) = (costs.of_acquisition().collect(), Vec::new());
    rows.retain(|row| {
        let over = costs.spread(*row);
        over.start < range.end && (over.end > range.start || over.start >= range.start)
    });
    cutter.cut(&mut rows, &mut groups, |row| costs.spread(row).start)?;
    for (row, group) in rows.iter().zip(&groups) {
        let over = costs.spread(*row);
        let first = ask.periods.index_of(over.start).unwrap_or_default();
        let meeting = ask.periods.as_slice().iter().enumerate().skip(first);
        for (period, of_period) in meeting.take_while(|(_, period)| period.start <= over.end) {
            let part = of_period.start..of_period.end;
            if over.end > part.start || part.contains(&over.start) {
                let spent = grid.cell(*group, period);
                let cost = portion(costs.amounts[*row as usize], &over, &part);
                spent.costs += cost;
                spent.things += 1;
                ask.tell(Kind::Cost, *row, over.start, &[], Worth::Amount(cost));
            }
        }
    }
    Ok((cutter, grid))
}

/// What customers who recommended got for it.
fn rewards<'q>(ask: &Ask<'q>) -> Result<(Cutter<'q>, Grid<Spent>), Error> {
    let referrals = &ask.facts.referrals;
    let range = ask.range();
    let mut grid = Grid::<Spent>::new(ask.periods.len());
    let max_groups = MAX_ROWS / ask.periods.len();
    let mut cutter = Cutter::new(ask.facts, Table::Referrals, &ask.query.filters, &ask.group_by(), max_groups);
    let at = |row: u32| referrals.times.at(row as usize);
    let is_rewarded = |row: &u32| {
        let code = referrals.currency.codes().get(*row as usize);
        code.is_some_and(|code| *code != EMPTY) && range.contains(&at(*row))
    };
    let rows = 0..u32::try_from(referrals.customers.len()).unwrap_or(u32::MAX);
    let (mut rows, mut groups): (Vec<u32>, Vec<u32>) = (rows.filter(is_rewarded).collect(), Vec::new());
    cutter.cut(&mut rows, &mut groups, at)?;
    for (row, group) in rows.iter().zip(&groups) {
        let Some(period) = ask.periods.index_of(at(*row)) else { continue };
        let spent = grid.cell(*group, period);
        let reward = i128::from(referrals.rewards[*row as usize]);
        spent.rewards += reward;
        spent.things += 1;
        ask.tell(Kind::Referral, *row, at(*row), &[], Worth::Amount(reward));
    }
    Ok((cutter, grid))
}
