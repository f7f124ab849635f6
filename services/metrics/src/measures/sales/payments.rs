//! Figures of payments, by when they were due.

use std::ops::RangeInclusive;

use barometer_chassis::error::Error;

use crate::{
    catalogue::Metric,
    columns::{Facts, times::NEVER},
    query::{
        Ask,
        figures::{Calendar, Figure, Grid, Measured, extent_of},
        told::{Kind, Worth},
    },
    rules::{
        money::is_sale,
        on_time::{Outcome, outcome},
        proportion::ProportionTally,
    },
};

/// Rows that are cut at once.
const BLOCK: usize = 65_536;

/// From the first until the last instant at which a payment is due.
pub(crate) fn extent(facts: &Facts, _: &Metric) -> Option<RangeInclusive<i64>> {
    let purchases = &facts.purchases;
    extent_of(purchases.due_rows().map(|row| purchases.due(row)).filter(|due| *due != NEVER))
}

/// How many of the payments that were due came late, or not at all.
pub(crate) fn late_payment_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let purchases = &ask.facts.purchases;
    let range = ask.range();
    let due = |row: u32| purchases.due(row);
    let mut rows =
        purchases.due_rows().filter(|row| range.contains(&due(*row)) && is_sale(purchases.amounts[*row as usize]));
    let mut cutter = ask.cutter();
    let mut calendar = Calendar::new(ask);
    let mut grid = Grid::<[u64; 3]>::new(ask.periods.len());
    let (mut some, mut groups, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        some.clear();
        some.extend(rows.by_ref().take(BLOCK));
        if some.is_empty() {
            break;
        }
        cutter.cut(&mut some, &mut groups, due)?;
        cutter.divide(purchases, &some, &groups, &mut pieces)?;
        for piece in &pieces {
            let due = due(piece.row);
            let [on_time, late, waiting] = grid.cell(piece.group, calendar.period(due));
            let (count, name) = match outcome(due, purchases.paid(piece.row), 0, ask.query.now) {
                Outcome::OnTime => (on_time, "on_time"),
                Outcome::Late => (late, "late"),
                Outcome::Waiting => (waiting, "waiting"),
            };
            *count += 1;
            ask.tell(Kind::Purchase, piece.row, due, &[(name, 1.0)], Worth::Amount(piece.amount.into()));
        }
    }
    Ok(ask.figures(&cutter, &grid, |[on_time, late, waiting]| {
        let counts = [("late", *late), ("on_time", *on_time), ("waiting", *waiting)];
        Measured::share(&ProportionTally::of_counts(*late, *on_time), ask.query.parameters.level, counts)
    }))
}
