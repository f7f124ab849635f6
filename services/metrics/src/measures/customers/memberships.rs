//! Figures of what happens in the loyalty programme.

use std::ops::RangeInclusive;

use barometer_chassis::error::Error;

use crate::{
    catalogue::Metric,
    columns::{
        Facts,
        dictionary::EMPTY,
        memberships::{Memberships, event},
        people::NOBODY,
        times::NEVER,
    },
    query::{
        Ask,
        figures::{Figure, Grid, Measured, plain, units, whole},
        scan::{Way, scan_each},
        told::{Kind, Worth},
    },
    rules::proportion::ProportionTally,
};

/// Rows that are cut at once.
const BLOCK: usize = 65_536;

/// From the first until the last event.
pub(crate) fn extent(facts: &Facts, _: &Metric) -> Option<RangeInclusive<i64>> {
    facts.memberships.times.extent()
}

pub(crate) fn enrolments(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let kinds = &ask.facts.memberships.kind;
    let mut grid = Grid::<[u64; 2]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Memberships, |cell, row| {
        let [joined, left] = grid.at(cell);
        match kinds.get(row as usize) {
            event::JOIN => *joined += 1,
            event::LEAVE => *left += 1,
            _ => {}
        }
        let is = |kind: u8| f64::from(kinds.get(row as usize) == kind);
        tell(ask, row, &[("joined", is(event::JOIN)), ("left", is(event::LEAVE))], Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[joined, left]| {
        Measured::count(*joined, joined + left, [("joined", *joined), ("left", *left)])
    }))
}

pub(crate) fn points_issued(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    points(ask, &[event::EARN, event::ADJUST])
}

pub(crate) fn points_redeemed(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    points(ask, &[event::REDEEM])
}

/// Points of events, and whose they are.
#[derive(Clone, Copy, Debug, Default)]
struct Points {
    points: i128,
    events: u64,
    customers: u64,
}

/// The points of events of these kinds.
fn points(ask: &Ask<'_>, kinds: &[u8]) -> Result<Vec<Figure>, Error> {
    let memberships = &ask.facts.memberships;
    let mut grid = Grid::<Points>::new(ask.periods.len());
    let mut seen = Vec::new();
    let cutter = scan_each(ask, Way::Memberships, |cell, fact| {
        let row = fact as usize;
        if kinds.contains(&memberships.kind.get(row)) {
            let points = grid.at(cell);
            points.points += i128::from(memberships.points[row]);
            points.events += 1;
            seen.push((cell, memberships.customers[row]));
            tell(ask, fact, &[("events", 1.0)], Worth::Number(whole(memberships.points[row].into())));
            ask.gather(Kind::Customer, memberships.customers[row], memberships.times.at(row), "customers");
        }
    })?;
    seen.sort_unstable();
    seen.dedup();
    seen.iter().for_each(|(cell, _)| grid.at(*cell).customers += 1);
    Ok(ask.figures(&cutter, &grid, |points| Measured {
        value: (points.events > 0).then(|| whole(points.points)),
        ..Measured::count(0, 0, [("events", points.events), ("customers", points.customers)])
    }))
}

pub(crate) fn redemption_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let memberships = &ask.facts.memberships;
    let mut grid = Grid::<[i128; 3]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Memberships, |cell, row| {
        let [issued, redeemed, expired] = grid.at(cell);
        let (name, of_kind) = match memberships.kind.get(row as usize) {
            event::EARN | event::ADJUST => ("issued", issued),
            event::REDEEM => ("redeemed", redeemed),
            event::EXPIRE => ("expired", expired),
            _ => return,
        };
        let points = i128::from(memberships.points[row as usize]);
        *of_kind += points;
        tell(ask, row, &[(name, whole(points))], Worth::Number(whole(points)));
    })?;
    Ok(ask.figures(&cutter, &grid, |[issued, redeemed, expired]| Measured {
        value: (*issued > 0).then(|| whole(*redeemed) / whole(*issued)),
        counts: vec![("issued", whole(*issued)), ("redeemed", whole(*redeemed)), ("expired", whole(*expired))],
        ..Measured::default()
    }))
}

/// What became of a voucher. Who redeems one that expired has redeemed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Running,
    Expired,
    Redeemed,
}

pub(crate) fn voucher_redemption_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let memberships = &ask.facts.memberships;
    let fates = fates(memberships);
    let mut grid = Grid::<[u64; 3]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Memberships, |cell, fact| {
        let row = fact as usize;
        let voucher = memberships.vouchers[row];
        if memberships.kind.get(row) == event::GRANT_VOUCHER && voucher != NOBODY {
            let [redeemed, expired, running] = grid.at(cell);
            let (name, of_fate) = match fates[voucher as usize] {
                Fate::Redeemed => ("redeemed", redeemed),
                Fate::Expired => ("expired", expired),
                Fate::Running => ("running", running),
            };
            *of_fate += 1;
            tell(ask, fact, &[("granted", 1.0), (name, 1.0)], Worth::None);
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |[redeemed, expired, running]| {
        let others = expired + running;
        let counts =
            [("granted", redeemed + others), ("redeemed", *redeemed), ("expired", *expired), ("running", *running)];
        Measured::share(&ProportionTally::of_counts(*redeemed, others), ask.query.parameters.level, counts)
    }))
}

/// By voucher.
fn fates(memberships: &Memberships) -> Vec<Fate> {
    let mut fates = vec![Fate::Running; memberships.vouchers_known()];
    for (row, voucher) in memberships.vouchers.iter().enumerate() {
        let fate = match memberships.kind.get(row) {
            event::REDEEM_VOUCHER => Fate::Redeemed,
            event::EXPIRE_VOUCHER => Fate::Expired,
            _ => continue,
        };
        if let Some(known) = fates.get_mut(*voucher as usize) {
            *known = fate.max(*known);
        }
    }
    fates
}

/// What is owed.
#[derive(Clone, Copy, Debug, Default)]
struct Owed {
    micros: i128,
    events: u64,
}

/// What all events until the end of each period come to.
pub(crate) fn points_liability(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let memberships = &ask.facts.memberships;
    let ends: Vec<i64> = ask.periods.as_slice().iter().map(|period| period.end).collect();
    let last = ends.last().copied().unwrap_or(NEVER);
    let at = |row: u32| memberships.times.at(row as usize);
    let is_worth = |row: &u32| {
        let is_told = memberships.currency.codes().get(*row as usize).is_some_and(|code| *code != EMPTY);
        is_told && direction(memberships, *row) != 0 && at(*row) != NEVER && at(*row) < last
    };
    let mut grid = Grid::<Owed>::new(ends.len());
    let mut cutter = ask.cutter();
    let mut all = rows(memberships).filter(is_worth);
    let (mut some, mut groups) = (Vec::new(), Vec::new());
    loop {
        some.clear();
        some.extend(all.by_ref().take(BLOCK));
        if some.is_empty() {
            break;
        }
        cutter.cut(&mut some, &mut groups, at)?;
        for (row, group) in some.iter().zip(&groups) {
            let owed = grid.cell(*group, ends.partition_point(|end| *end <= at(*row)));
            let micros = i128::from(direction(memberships, *row)) * i128::from(memberships.values[*row as usize]);
            owed.micros += micros;
            owed.events += 1;
            tell(ask, *row, &[("events", 1.0)], Worth::Amount(micros));
        }
    }
    for group in 0..u32::try_from(cutter.groups()).unwrap_or(u32::MAX) {
        let mut so_far = Owed::default();
        for period in 0..ends.len() {
            let owed = grid.cell(group, period);
            so_far = Owed { micros: so_far.micros + owed.micros, events: so_far.events + owed.events };
            *owed = so_far;
        }
    }
    Ok(ask.figures(&cutter, &grid, |owed| Measured {
        value: (owed.events > 0).then(|| units(owed.micros)),
        counts: plain([("events", owed.events)]),
        amounts: vec![("liability", owed.micros)],
        ..Measured::default()
    }))
}

/// 1 where the value of an event is owed from then on, -1 where it is no more, 0 where it is of no account.
fn direction(memberships: &Memberships, row: u32) -> i64 {
    match memberships.kind.get(row as usize) {
        event::EARN | event::GRANT_VOUCHER => 1,
        event::REDEEM | event::EXPIRE | event::REDEEM_VOUCHER | event::EXPIRE_VOUCHER => -1,
        event::ADJUST => memberships.points[row as usize].signum(),
        _ => 0,
    }
}

fn rows(memberships: &Memberships) -> std::ops::Range<u32> {
    0..u32::try_from(memberships.customers.len()).unwrap_or(u32::MAX)
}

fn tell(ask: &Ask<'_>, row: u32, counts: &[(&'static str, f64)], worth: Worth) {
    ask.tell(Kind::MembershipEvent, row, ask.facts.memberships.times.at(row as usize), counts, worth);
}
