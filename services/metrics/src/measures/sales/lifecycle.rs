//! Where customers stand in a period by when they bought, how often they come, and who comes back.

use std::ops::Range;

use barometer_chassis::{clock::Micros, error::Error};
use barometer_statistics::{
    lifecycle::{Lifecycle, Stage},
    presence::Presence,
};

use crate::{
    catalogue::Visits,
    columns::times::EVER,
    measures::sales::activity::each_buyer,
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured, plain, real},
        told::{Kind, Worth},
        walk::Walk,
    },
    rules::{
        activity::repeated, granularity::Granularity, period::Periods, proportion::ProportionTally, rate::percent_of,
    },
};

/// The period before the first, and any before that, as the rule numbers them.
const BEFORE: i64 = -1;
const EARLIER: i64 = -3;

pub(crate) fn lifecycle(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = stages(ask)?;
    Ok(ask.figures(&cutter, &grid, |of| Measured::count(of.active(), of.active() + of.dormant, counts(of))))
}

pub(crate) fn lifecycle_quick_ratio(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (cutter, grid) = stages(ask)?;
    Ok(ask.figures(&cutter, &grid, |of| Measured {
        value: of.quick_ratio(),
        counts: plain(counts(of)),
        ..Measured::default()
    }))
}

/// The share of a period's days, or weeks, on which those came who came at all.
pub(crate) fn stickiness(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    #[derive(Clone, Copy, Default)]
    struct Cell {
        customers: u64,
        visits: u64,
        units: u64,
    }
    let unit = |at: i64| {
        let day = i64::from(ask.query.days.day(at));
        match ask.query.parameters.visits {
            Visits::Days => day,
            // Day 0 is a Thursday.
            Visits::Weeks => (day + 3).div_euclid(7),
        }
    };
    let periods = ask.periods.as_slice();
    let mut grid = Grid::<Cell>::new(periods.len());
    let cutter = each_buyer(ask, ask.range(), |group, customer, sales| {
        let period = |sale: &i64| ask.periods.index_of(*sale);
        for within in sales.chunk_by(|a, b| period(a) == period(b)) {
            let Some(index) = within.first().and_then(period) else { continue };
            let cell = grid.cell(group, index);
            let visits = within.chunk_by(|a, b| unit(*a) == unit(*b)).count() as u64;
            cell.customers += 1;
            cell.visits += visits;
            let counts = [("customers", 1.0), ("active_units", real(visits))];
            ask.tell(Kind::Customer, customer, within[0], &counts, Worth::None);
            cell.units = (unit(periods[index].end - 1) - unit(periods[index].start) + 1).unsigned_abs();
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |Cell { customers, visits, units }| Measured {
        value: percent_of(*visits, units * customers),
        counts: plain([("customers", *customers), ("active_units", *visits), ("units", *units)]),
        ..Measured::default()
    }))
}

/// Who was away when a period began, and bought in it.
pub(crate) fn reactivated_customers(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    #[derive(Clone, Copy, Default)]
    struct Cell {
        reactivated: u64,
        away: u64,
        /// How many more, or less, than in the period before are away all through it.
        staying: i64,
    }
    let walk = Walk::new(ask, ask.query.now);
    let mut grid = Grid::<Cell>::new(ask.periods.len());
    let cutter = each_buyer(ask, EVER..ask.range().end, |group, customer, sales| {
        let days = ask.query.parameters.inactivity_days;
        let Some(presence) = Presence::by_inactivity(sales.iter().copied(), days) else { return };
        let edges = presence.spans().iter().flat_map(|span| [span.start - 1, span.end - 1]);
        walk.visit(0..walk.len(), edges, |periods, changes| {
            let Range { start, end } = walk.bounds(periods.start);
            let away = presence.is_inactive(start) == Some(true);
            let bought = || sales.get(sales.partition_point(|sale| *sale < start)).filter(|sale| **sale < end);
            if away && ask.is_explained() {
                let counts = [("reactivated", f64::from(bought().is_some())), ("away", 1.0)];
                let at = bought().or(sales[..sales.partition_point(|sale| *sale < start)].last());
                ask.tell(Kind::Customer, customer, at.copied().unwrap_or(start), &counts, Worth::None);
            }
            if changes {
                let bought = bought().is_some();
                let cell = grid.cell(group, periods.start);
                cell.away += u64::from(away);
                cell.reactivated += u64::from(away && bought);
            } else if away {
                grid.cell(group, periods.start).staying += 1;
                if periods.end < walk.len() {
                    grid.cell(group, periods.end).staying -= 1;
                }
            }
        });
    })?;
    for group in 0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX) {
        let mut staying = 0;
        for period in 0..walk.len() {
            let cell = grid.cell(group, period);
            staying += cell.staying;
            cell.away += u64::try_from(staying).unwrap_or_default();
        }
    }
    Ok(ask.figures(&cutter, &grid, |Cell { reactivated, away, .. }| {
        Measured::count(*reactivated, *away, [("reactivated", *reactivated), ("away", *away)])
    }))
}

/// Of those who bought for the first time, who bought again soon.
pub(crate) fn second_purchase_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let parameters = ask.query.parameters;
    let within = i64::from(parameters.within_days) * Micros::DAY;
    // The second sale may come after the time asked for.
    let until = ask.range().end.saturating_add(within);
    let mut grid = Grid::<ProportionTally>::new(ask.periods.len());
    let cutter = each_buyer(ask, EVER..until, |group, customer, sales| {
        let Some(first) = sales.first() else { return };
        let Some(period) = ask.periods.index_of(*first) else { return };
        let soon = &sales[..sales.partition_point(|sale| *sale < first.saturating_add(within))];
        let second = repeated(soon, parameters.basis, &ask.query.days);
        grid.cell(group, period).extend(second);
        if let Some(second) = second {
            let counts = [("first", 1.0), ("second", f64::from(second))];
            ask.tell(Kind::Customer, customer, *first, &counts, Worth::None);
        }
    })?;
    let mut figures = ask.figures(&cutter, &grid, |tally| {
        let counts = [("first", tally.total().answers()), ("second", tally.hits().answers())];
        Measured::share(tally, parameters.level, counts)
    });
    // Until then they may still come.
    figures.iter_mut().for_each(|figure| figure.partial |= figure.end.saturating_add(within) > ask.query.now);
    Ok(figures)
}

fn counts(of: &Lifecycle) -> [(&'static str, u64); 4] {
    [("new", of.new), ("returning", of.returning), ("resurrecting", of.resurrecting), ("dormant", of.dormant)]
}

fn stages<'q>(ask: &Ask<'q>) -> Result<(Cutter<'q>, Grid<Lifecycle>), Error> {
    let mut grid = Grid::<Lifecycle>::new(ask.periods.len());
    let begun = Walk::new(ask, ask.query.now).len();
    let (start, before) = (ask.range().start, before(ask));
    let mut active = Vec::new();
    let cutter = each_buyer(ask, EVER..ask.range().end, |group, customer, sales| {
        active.clear();
        active.extend(sales.iter().filter_map(|sale| match *sale {
            sale if sale < before => Some(EARLIER),
            sale if sale < start => Some(BEFORE),
            sale => ask.periods.index_of(sale).and_then(|period| i64::try_from(period).ok()),
        }));
        active.dedup();
        let mut done = BEFORE;
        for period in active.iter().flat_map(|period| [*period, period + 1]) {
            let index = usize::try_from(period).ok().filter(|index| period > done && *index < begun);
            if let (Some(index), Some(stage)) = (index, Stage::of(&active, period)) {
                grid.cell(group, index).add(stage);
                let name = match stage {
                    Stage::New => "new",
                    Stage::Returning => "returning",
                    Stage::Resurrecting => "resurrecting",
                    Stage::Dormant => "dormant",
                };
                let at = sales.last().copied().unwrap_or(start);
                ask.tell(Kind::Customer, customer, at, &[(name, 1.0)], Worth::None);
                done = period;
            }
        }
    })?;
    Ok((cutter, grid))
}

/// The start of the period before the first: of the calendar's, or, of the whole time, of as long a time.
fn before(ask: &Ask<'_>) -> i64 {
    let Range { start, end } = ask.range();
    let of_calendar = |at: i64| Periods::start_of(&ask.query.days, ask.query.granularity, at);
    let before = match ask.query.granularity {
        Granularity::All => start.checked_sub(end - start),
        _ => of_calendar(start).and_then(|first| of_calendar(first - 1)),
    };
    before.unwrap_or(start)
}
