//! Figures of promises to customers.

use barometer_chassis::error::Error;

use crate::{
    query::{
        Ask,
        figures::{Figure, Grid, Measured},
        scan::scan,
        told::{Kind, Worth},
    },
    rules::{on_time::Outcome, proportion::ProportionTally},
};

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
            let (name, count) = match promises.outcome(row, ask.query.now) {
                Outcome::OnTime => ("kept", kept),
                Outcome::Late => ("broken", broken),
                Outcome::Waiting => ("open", open),
            };
            *count += 1;
            *kept_late += u64::from(promises.was_kept_late(row));
            let counts = [(name, 1.0), ("kept_late", f64::from(promises.was_kept_late(row)))];
            ask.tell(Kind::Promise, row, promises.times.at(row as usize), &counts, Worth::None);
        },
    )?;
    Ok(ask.figures(&cutter, &grid, |[kept, broken, kept_late, open]| {
        let counts = [("kept", *kept), ("broken", *broken), ("kept_late", *kept_late), ("open", *open)];
        Measured::share(&ProportionTally::of_counts(*kept, *broken), ask.query.parameters.level, counts)
    }))
}
