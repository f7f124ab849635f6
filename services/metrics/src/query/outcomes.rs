//! Figures of what became of cases, and of what they cost.
//!
//! All of them count a case in the period in which it was opened, as its times do: so they can be set beside each other.

use barometer_chassis::error::Error;

use super::{
    Ask,
    cases::scan as scan_opened,
    cut::Cutter,
    figures::{Figure, Grid, Measured, real},
    sales::units,
    scan::scan,
};
use crate::{
    columns::{redresses::NO_CASE, times::NEVER},
    rules::proportion::ProportionTally,
};

/// Findings and acceptances as the contract numbers them.
const UPHELD: u8 = 1;
const PARTLY_UPHELD: u8 = 2;
const REJECTED: u8 = 3;
const ASKED: u8 = 2;
const ACCEPTED: u8 = 3;
const DECLINED: u8 = 4;
const NOT_ASKED: u8 = 5;
/// Satisfied are those who give as many points, of five.
const SATISFIED: u8 = 4;

pub(crate) fn upheld_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let findings = &ask.facts.cases.finding;
    let mut grid = Grid::<[u64; 4]>::new(ask.periods.len());
    let cutter = scan_opened(ask, |cell, row| {
        let [upheld, partly, rejected, undecided] = grid.at(cell);
        match findings.get(row as usize) {
            UPHELD => *upheld += 1,
            PARTLY_UPHELD => *partly += 1,
            REJECTED => *rejected += 1,
            _ => *undecided += 1,
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |[upheld, partly, rejected, undecided]| {
        let counts =
            [("upheld", *upheld), ("partly_upheld", *partly), ("rejected", *rejected), ("undecided", *undecided)];
        Measured::share(&ProportionTally::of_counts(upheld + partly, *rejected), ask.query.parameters.level, counts)
    }))
}

pub(crate) fn acceptance_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let acceptances = &ask.facts.cases.acceptance;
    let mut grid = Grid::<[u64; 4]>::new(ask.periods.len());
    let cutter = scan_opened(ask, |cell, row| {
        let [accepted, declined, asked, not_asked] = grid.at(cell);
        match acceptances.get(row as usize) {
            ACCEPTED => *accepted += 1,
            DECLINED => *declined += 1,
            ASKED => *asked += 1,
            NOT_ASKED => *not_asked += 1,
            _ => {}
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |[accepted, declined, asked, not_asked]| {
        let counts =
            [("accepted", *accepted), ("declined", *declined), ("unanswered", *asked), ("not_asked", *not_asked)];
        Measured::share(&ProportionTally::of_counts(*accepted, *declined), ask.query.parameters.level, counts)
    }))
}

pub(crate) fn case_satisfaction(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let mut grid = Grid::<ProportionTally>::new(ask.periods.len());
    let cutter = scan_opened(ask, |cell, row| {
        grid.at(cell).extend(cases.satisfaction(row).map(|points| points >= SATISFIED));
    })?;
    Ok(ask.figures(&cutter, &grid, |tally| {
        let counts = [("satisfied", tally.hits().answers()), ("answers", tally.total().answers())];
        Measured::share(tally, ask.query.parameters.level, counts)
    }))
}

/// What was given in a cell.
#[derive(Clone, Copy, Debug, Default)]
struct Given {
    worth: i128,
    redresses: u64,
    cases: u64,
}

pub(crate) fn redress_cost(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let redresses = &ask.facts.cases.redresses;
    let (cutter, grid) = given(ask, &redresses.micros)?;
    Ok(ask.figures(&cutter, &grid, |given| Measured {
        value: (given.redresses > 0).then(|| units(given.worth)),
        amounts: vec![("cost", given.worth)],
        ..Measured::count(0, 0, [("redresses", given.redresses), ("cases", given.cases)])
    }))
}

pub(crate) fn redress_points(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let redresses = &ask.facts.cases.redresses;
    let (cutter, grid) = given(ask, &redresses.points)?;
    Ok(ask.figures(&cutter, &grid, |given| {
        let points = u64::try_from(given.worth).unwrap_or_default();
        Measured {
            value: (given.redresses > 0).then(|| real(points)),
            ..Measured::count(0, 0, [("redresses", given.redresses), ("cases", given.cases)])
        }
    }))
}

/// The redresses that are worth anything in a column, added up by cell.
fn given<'q>(ask: &Ask<'q>, worths: &'q [i64]) -> Result<(Cutter<'q>, Grid<Given>), Error> {
    let cases = &ask.facts.cases;
    let of = &cases.redresses.cases;
    let opened = |row: u32| match (of[row as usize], worths[row as usize]) {
        (NO_CASE, _) | (_, 0) => NEVER,
        (case, _) => cases.times.at(case as usize),
    };
    let mut grid = Grid::<Given>::new(ask.periods.len());
    let mut seen = Vec::new();
    let cutter = scan(ask, 0..u32::try_from(of.len()).unwrap_or(NO_CASE), opened, |cell, row| {
        let given = grid.at(cell);
        given.worth += i128::from(worths[row as usize]);
        given.redresses += 1;
        seen.push((cell, of[row as usize]));
    })?;
    seen.sort_unstable();
    seen.dedup();
    seen.iter().for_each(|(cell, _)| grid.at(*cell).cases += 1);
    Ok((cutter, grid))
}
