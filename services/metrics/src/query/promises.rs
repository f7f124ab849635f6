//! Figures of promises to customers.

use barometer_chassis::error::Error;

use super::{
    Ask,
    figures::{Figure, Grid, Measured},
    scan::scan,
};
use crate::rules::{on_time::Outcome, proportion::ProportionTally};

/// By when they were to be kept.
pub(crate) fn promise_kept_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let promises = &ask.facts.promises;
    let mut grid = Grid::<[u64; 4]>::new(ask.periods.len());
    let rows = 0..u32::try_from(promises.customers.len()).unwrap_or(u32::MAX);
    let cutter = scan(
        ask,
        rows,
        |row| promises.times.at(row as usize),
        |cell, row| {
            let [kept, broken, kept_late, open] = grid.at(cell);
            match promises.outcome(row, ask.query.now) {
                Outcome::OnTime => *kept += 1,
                Outcome::Late => *broken += 1,
                Outcome::Waiting => *open += 1,
            }
            *kept_late += u64::from(promises.was_kept_late(row));
        },
    )?;
    Ok(ask.figures(&cutter, &grid, |[kept, broken, kept_late, open]| {
        let counts = [("kept", *kept), ("broken", *broken), ("kept_late", *kept_late), ("open", *open)];
        Measured::share(&ProportionTally::of_counts(*kept, *broken), ask.query.parameters.level, counts)
    }))
}
