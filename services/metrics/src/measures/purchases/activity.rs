//! Figures of customers by what they bought, and when last.

use std::ops::Range;

use barometer_chassis::{clock::Micros, error::Error};
use barometer_statistics::presence::Presence;

use crate::{
    columns::times::EVER,
    measures::{
        purchases::sales,
        subscriptions::churn::{Churns, Side},
    },
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured},
        told::{Kind, Worth},
    },
    rules::{
        activity::{is_active, repeated},
        money::is_sale,
        period::Period,
        proportion::ProportionTally,
    },
};

pub(crate) fn active_customers(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = standing(ask, |active, bought| [("active", active), ("buyers", bought)])?;
    Ok(ask.figures(&cutter, &grid, |cell| {
        Measured::count(cell.active, cell.ever, [("active", cell.active), ("buyers", cell.buyers)])
    }))
}

pub(crate) fn inactive_share(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = standing(ask, |active, _| [("inactive", !active), ("buyers", true)])?;
    Ok(ask.figures(&cutter, &grid, |cell| {
        let inactive = cell.ever - cell.active;
        let tally = ProportionTally::of_counts(inactive, cell.active);
        Measured::share(&tally, ask.query.parameters.level, [("inactive", inactive), ("buyers", cell.ever)])
    }))
}

pub(crate) fn churn_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    churn(ask, Side::Churn)
}

pub(crate) fn retention_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    churn(ask, Side::Retention)
}

pub(crate) fn repeat_purchase_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let basis = ask.query.parameters.basis;
    let mut grid = Grid::<ProportionTally>::new(ask.periods.len());
    let cutter = each_buyer(ask, ask.range(), |group, customer, sales| {
        let period = |sale: &i64| ask.periods.index_of(*sale);
        for within in sales.chunk_by(|a, b| period(a) == period(b)) {
            let index = within.first().and_then(period);
            if let (Some(index), Some(repeated)) = (index, repeated(within, basis, &ask.query.days)) {
                grid.cell(group, index).extend([repeated]);
                let counts = [("repeaters", f64::from(repeated)), ("buyers", 1.0)];
                within.first().into_iter().for_each(|at| ask.tell(Kind::Customer, customer, *at, &counts, Worth::None));
            }
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |tally| {
        let counts = [("repeaters", tally.hits().answers()), ("buyers", tally.total().answers())];
        Measured::share(tally, ask.query.parameters.level, counts)
    }))
}

fn churn(ask: &Ask<'_>, side: Side) -> Result<Vec<Figure>, Error> {
    let mut churns = Churns::new(ask, i64::MAX);
    let range = ask.range();
    let cutter =
        each_buyer(ask, range.start.saturating_sub(reach(ask)).max(EVER)..range.end, |group, customer, sales| {
            let days = ask.query.parameters.inactivity_days;
            if let Some(presence) = Presence::by_inactivity(sales.iter().copied(), days) {
                churns.add(group, 0..ask.periods.len(), &presence);
                churns.tell(ask, customer, &presence);
            }
        })?;
    let grid = churns.counted()?;
    Ok(ask.figures(&cutter, &grid, |cell| cell.measure(ask, side)))
}

/// Buyers as they stand when a period ends.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    /// Who ever bought until then.
    ever: u64,
    /// Who is active then.
    active: u64,
    /// Who bought in the period.
    buyers: u64,
}

/// Buyers as they stand; `told` names the counts to which one adds, by whether it is active in the end and bought in the period.
fn standing<'q>(
    ask: &Ask<'q>,
    told: impl Fn(bool, bool) -> [(&'static str, bool); 2],
) -> Result<(Cutter<'q>, Grid<Standing>), Error> {
    let mut grid = Grid::<Standing>::new(ask.periods.len());
    let Some(window) = ask.query.parameters.window() else { return Ok((ask.cutter(), grid)) };
    let range = ask.range();
    let periods = ask.periods.as_slice();
    let cutter = each_buyer(ask, EVER..range.end, |group, customer, sales| {
        let (Some(first), Some(last)) = (sales.first(), sales.last()) else { return };
        // For now noted where it begins, below carried on.
        grid.cell(group, periods.partition_point(|period| period.end <= *first)).ever += 1;
        for index in within_reach(sales, reach(ask), periods, |period| period.end) {
            grid.cell(group, index).active += u64::from(is_active(sales, window, periods[index].end));
        }
        let mut visited = None;
        for period in sales.iter().filter_map(|sale| ask.periods.index_of(*sale)) {
            if visited != Some(period) {
                grid.cell(group, period).buyers += 1;
                visited = Some(period);
            }
        }
        if ask.is_explained() {
            let counts = told(is_active(sales, window, range.end), visited.is_some());
            ask.tell(Kind::Customer, customer, *last, &counts.map(|(name, adds)| (name, f64::from(adds))), Worth::None);
        }
    })?;
    for group in 0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX) {
        for period in 1..periods.len() {
            let before = grid.get(group, period - 1).ever;
            grid.cell(group, period).ever += before;
        }
    }
    Ok((cutter, grid))
}

/// The periods whose start, or end, lies at most so long after some sale, each once: in others nobody is active then.
pub(crate) fn within_reach(
    sales: &[i64],
    reach: i64,
    periods: &[Period],
    instant: impl Fn(&Period) -> i64 + Copy,
) -> impl Iterator<Item = usize> {
    let mut seen = 0;
    sales.iter().flat_map(move |sale| {
        let from = periods.partition_point(|period| instant(period) <= *sale).max(seen);
        seen = from + periods[from..].partition_point(|period| instant(period) <= sale.saturating_add(reach));
        from..seen
    })
}

/// Visits the buyers of each group, by their numbers among people, with the instants of their sales in a range, ascending.
pub(super) fn each_buyer<'q>(
    ask: &Ask<'q>,
    range: Range<i64>,
    mut visit: impl FnMut(u32, u32, &[i64]),
) -> Result<Cutter<'q>, Error> {
    let purchases = &ask.facts.purchases;
    let cutter = ask.cutter();
    if cutter.is_of_all() {
        let timelines = purchases.timelines(ask.facts.people.len());
        for person in 0..u32::try_from(ask.facts.people.len()).unwrap_or(u32::MAX) {
            let sales = timelines.of(person);
            let within = sales.partition_point(|at| *at < range.start)..sales.partition_point(|at| *at < range.end);
            if !within.is_empty() {
                visit(0, person, &sales[within]);
            }
        }
        return Ok(cutter);
    }
    let times = purchases.times.as_slice();
    let mut sales = Vec::new();
    let cutter = sales::scan(ask, range, |piece| {
        let row = piece.row as usize;
        if is_sale(purchases.amounts[row]) {
            sales.push((piece.group, purchases.customers[row], times[row]));
        }
    })?;
    sales.sort_unstable();
    let mut instants = Vec::new();
    for of_one in sales.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        instants.clear();
        instants.extend(of_one.iter().map(|(_, _, at)| *at));
        if let Some((group, customer, _)) = of_one.first() {
            visit(*group, *customer, &instants);
        }
    }
    Ok(cutter)
}

/// How long after a sale a customer stays active, in microseconds.
fn reach(ask: &Ask<'_>) -> i64 {
    i64::from(ask.query.parameters.inactivity_days) * Micros::DAY
}
