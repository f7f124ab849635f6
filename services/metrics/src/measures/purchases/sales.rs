//! Figures of purchases: how many, and what they came to.

use std::ops::Range;

use barometer_chassis::error::Error;

use crate::{
    columns::times::NEVER,
    query::{
        Ask,
        cut::{Cutter, Groups, Piece},
        figures::{Calendar, Figure, Grid, Measured, plain, real, units},
        scan::{Way, scan_each},
        told::{Kind, Worth},
    },
    rules::{
        money::is_sale,
        rate::{per_one, ratio},
    },
};

/// The dimension by which purchases are divided.
const PARTS: &str = "category";

pub(crate) fn purchases(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (groups, grid) = tills(ask)?;
    Ok(ask.figures(&groups, &grid, |till| Measured::count(till.sales, till.sales + till.returns, till.counts())))
}

pub(crate) fn revenue(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (groups, grid) = tills(ask)?;
    Ok(ask.figures(&groups, &grid, |till| {
        let net = till.gross + till.returned;
        Measured {
            value: (till.sales + till.returns > 0).then(|| units(net)),
            counts: plain(till.counts()),
            amounts: vec![("gross", till.gross), ("returns", till.returned), ("net", net)],
            ..Measured::default()
        }
    }))
}

pub(crate) fn average_order(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (groups, grid) = tills(ask)?;
    Ok(ask.figures(&groups, &grid, |till| Measured {
        value: (till.sales > 0).then(|| units(till.gross) / real(till.sales)),
        counts: plain([("sales", till.sales)]),
        amounts: vec![("gross", till.gross)],
        ..Measured::default()
    }))
}

pub(crate) fn purchase_frequency(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (groups, grid) = tills(ask)?;
    Ok(ask.figures(&groups, &grid, |till| Measured {
        value: per_one(till.sales, till.customers),
        counts: plain([("sales", till.sales), ("buyers", till.customers)]),
        ..Measured::default()
    }))
}

/// What those bought who had bought before the period, of what all did.
pub(crate) fn existing_sales_share(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    #[derive(Clone, Copy, Default)]
    struct Cell {
        existing: i128,
        gross: i128,
        customers: u64,
    }
    let purchases = &ask.facts.purchases;
    let times = purchases.times.as_slice();
    let sale = |row: usize| is_sale(purchases.amounts[row]) && times[row] != NEVER;
    let mut firsts = vec![i64::MAX; ask.facts.people.len()];
    for (row, customer) in purchases.customers.iter().enumerate().filter(|(row, _)| sale(*row)) {
        let first = &mut firsts[*customer as usize];
        *first = times[row].min(*first);
    }
    let starts: Vec<i64> = ask.periods.as_slice().iter().map(|period| period.start).collect();
    let mut grid = Grid::<Cell>::new(starts.len());
    let mut buyers = Vec::new();
    let groups = scan_sold(ask, |Sold { cell, period, row: of, amount }| {
        let row = of as usize;
        if !sale(row) {
            return;
        }
        let of_cell = grid.at(cell);
        of_cell.gross += i128::from(amount);
        if firsts[purchases.customers[row] as usize] < starts[period] {
            of_cell.existing += i128::from(amount);
        }
        buyers.push((cell, purchases.customers[row]));
        ask.tell(Kind::Purchase, of, times[row], &[], Worth::Amount(amount.into()));
        ask.gather(Kind::Customer, purchases.customers[row], times[row], "customers");
    })?;
    buyers.sort_unstable();
    buyers.dedup();
    buyers.iter().for_each(|(cell, _)| grid.at(*cell).customers += 1);
    Ok(ask.figures(&groups, &grid, |Cell { existing, gross, customers }| Measured {
        // A category can come to less than nothing.
        value: u128::try_from(*gross).ok().and_then(|gross| ratio(100 * existing, gross)),
        counts: plain([("customers", *customers)]),
        amounts: vec![("existing", *existing), ("new", gross - existing), ("gross", *gross)],
        ..Measured::default()
    }))
}

/// Sales and returns, counted and added up. A part of a purchase is on the side of the whole.
#[derive(Clone, Debug, Default)]
struct Till {
    /// Micro-units.
    gross: i128,
    returned: i128,
    sales: u64,
    returns: u64,
    customers: u64,
}

impl Till {
    fn counts(&self) -> [(&'static str, u64); 3] {
        [("sales", self.sales), ("returns", self.returns), ("customers", self.customers)]
    }
}

fn tills(ask: &Ask<'_>) -> Result<(Groups, Grid<Till>), Error> {
    let purchases = &ask.facts.purchases;
    let times = purchases.times.as_slice();
    let mut grid = Grid::<Till>::new(ask.periods.len());
    let mut buyers = Vec::new();
    let groups = scan_sold(ask, |Sold { cell, period: _, row: of, amount }| {
        let row = of as usize;
        let till = grid.at(cell);
        if is_sale(purchases.amounts[row]) {
            till.gross += i128::from(amount);
            till.sales += 1;
            buyers.push((cell, purchases.customers[row]));
            ask.tell(Kind::Purchase, of, times[row], &[("sales", 1.0)], Worth::Amount(amount.into()));
            let buyer = |name| ask.gather(Kind::Customer, purchases.customers[row], times[row], name);
            ["customers", "buyers"].into_iter().for_each(buyer);
        } else {
            till.returned += i128::from(amount);
            till.returns += 1;
            ask.tell(Kind::Purchase, of, times[row], &[("returns", 1.0)], Worth::Amount(amount.into()));
        }
    })?;
    buyers.sort_unstable();
    buyers.dedup();
    buyers.iter().for_each(|(cell, _)| grid.at(*cell).customers += 1);
    Ok((groups, grid))
}

/// A purchase, or a part of it.
#[derive(Clone, Copy, Debug)]
struct Sold {
    cell: u32,
    period: usize,
    row: u32,
    /// Micro-units.
    amount: i64,
}

/// Goes through all purchases and returns of the time asked for that pass, in pieces where they are divided; then each metric
/// goes for itself.
fn scan_sold(ask: &Ask<'_>, mut each: impl FnMut(Sold)) -> Result<Groups, Error> {
    let purchases = &ask.facts.purchases;
    let periods = ask.periods.len();
    let names_parts = |name: &String| name == PARTS;
    if ask.query.filters.iter().any(|of| names_parts(&of.dimension)) || ask.group_by().iter().any(names_parts) {
        let times = purchases.times.as_slice();
        let index = Grid::<()>::new(periods);
        let mut calendar = Calendar::new(ask);
        let cutter = scan(ask, ask.range(), |Piece { row, group, amount }| {
            let period = calendar.period(times[row as usize]);
            each(Sold { cell: index.index(group, period), period, row, amount });
        })?;
        return Ok(Groups::from(&cutter));
    }
    scan_each(ask, Way::Purchases, |cell, row| {
        each(Sold { cell, period: cell as usize % periods, row, amount: purchases.amounts[row as usize] });
    })
}

/// Goes through all purchases and returns of a range that pass, in pieces where they are divided.
pub(super) fn scan<'q>(ask: &Ask<'q>, range: Range<i64>, mut each: impl FnMut(Piece)) -> Result<Cutter<'q>, Error> {
    let purchases = &ask.facts.purchases;
    let times = purchases.times.as_slice();
    let mut cutter = ask.cutter();
    let (mut rows, mut groups, mut pieces) = (Vec::new(), Vec::new(), Vec::new());
    for block in purchases.times.blocks(range.clone()) {
        purchases.times.select(block, &range, &mut rows);
        cutter.cut(&mut rows, &mut groups, |row| times[row as usize])?;
        cutter.divide(purchases, &rows, &groups, &mut pieces)?;
        pieces.iter().for_each(|piece| each(*piece));
    }
    Ok(cutter)
}
