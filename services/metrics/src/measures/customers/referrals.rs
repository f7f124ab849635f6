//! Figures of referrals.

use std::ops::RangeInclusive;

use barometer_chassis::error::Error;

use crate::{
    catalogue::Metric,
    columns::Facts,
    query::{
        Ask,
        cut::Groups,
        figures::{Figure, Grid, Measured},
        scan::{Way, scan_each},
        told::{Kind, Worth},
    },
    rules::proportion::ProportionTally,
};

/// From the first until the last referral.
pub(crate) fn extent(facts: &Facts, _: &Metric) -> Option<RangeInclusive<i64>> {
    facts.referrals.times.extent()
}

pub(crate) fn referrals(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = made(ask)?;
    Ok(ask.figures(&cutter, &grid, |[joined, open]| {
        let all = joined + open;
        Measured::count(all, all, [("referrals", all), ("joined", *joined)])
    }))
}

pub(crate) fn referral_conversion_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = made(ask)?;
    Ok(ask.figures(&cutter, &grid, |[joined, open]| {
        let counts = [("joined", *joined), ("referrals", joined + open)];
        Measured::share(&ProportionTally::of_counts(*joined, *open), ask.query.parameters.level, counts)
    }))
}

/// Referrals that brought a customer, and the others.
fn made(ask: &Ask<'_>) -> Result<(Groups, Grid<[u64; 2]>), Error> {
    let referrals = &ask.facts.referrals;
    let brought = referrals.brought(ask.facts.people.len());
    let mut grid = Grid::<[u64; 2]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Referrals, |cell, row| {
        let [joined, open] = grid.at(cell);
        *(if brought[row as usize] { joined } else { open }) += 1;
        let counts = [("referrals", 1.0), ("joined", f64::from(brought[row as usize]))];
        ask.tell(Kind::Referral, row, referrals.times.at(row as usize), &counts, Worth::None);
    })?;
    Ok((cutter, grid))
}
