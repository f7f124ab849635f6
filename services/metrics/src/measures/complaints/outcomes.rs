//! Figures of what became of cases, and of what they cost.
//!
//! All of them count a case in the period in which it was opened, as its times do: so they can be set beside each other.

use barometer_chassis::error::Error;

use crate::{
    columns::{redresses::NO_CASE, times::NEVER},
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured, real, units, whole},
        scan::{Way, scan, scan_each},
        told::{Kind, Worth},
    },
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
    let cutter = scan_each(ask, Way::Cases, |cell, row| {
        let [upheld, partly, rejected, undecided] = grid.at(cell);
        let (name, count) = match findings.get(row as usize) {
            UPHELD => ("upheld", upheld),
            PARTLY_UPHELD => ("partly_upheld", partly),
            REJECTED => ("rejected", rejected),
            _ => ("undecided", undecided),
        };
        *count += 1;
        tell(ask, row, &[(name, 1.0)], Worth::None);
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
    let cutter = scan_each(ask, Way::Cases, |cell, row| {
        let [accepted, declined, asked, not_asked] = grid.at(cell);
        let (name, count) = match acceptances.get(row as usize) {
            ACCEPTED => ("accepted", accepted),
            DECLINED => ("declined", declined),
            ASKED => ("unanswered", asked),
            NOT_ASKED => ("not_asked", not_asked),
            _ => return,
        };
        *count += 1;
        tell(ask, row, &[(name, 1.0)], Worth::None);
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
    let cutter = scan_each(ask, Way::Cases, |cell, row| {
        if let Some(points) = cases.satisfaction(row) {
            let is_satisfied = points >= SATISFIED;
            grid.at(cell).extend([is_satisfied]);
            let counts = [("satisfied", f64::from(is_satisfied)), ("answers", 1.0)];
            tell(ask, row, &counts, Worth::Number(f64::from(points)));
        }
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
    let (cutter, grid) = given(ask, &redresses.micros, Worth::Amount)?;
    Ok(ask.figures(&cutter, &grid, |given| Measured {
        value: (given.redresses > 0).then(|| units(given.worth)),
        amounts: vec![("cost", given.worth)],
        ..Measured::count(0, 0, [("redresses", given.redresses), ("cases", given.cases)])
    }))
}

pub(crate) fn redress_points(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let redresses = &ask.facts.cases.redresses;
    let (cutter, grid) = given(ask, &redresses.points, |points| Worth::Number(whole(points)))?;
    Ok(ask.figures(&cutter, &grid, |given| {
        let points = u64::try_from(given.worth).unwrap_or_default();
        Measured {
            value: (given.redresses > 0).then(|| real(points)),
            ..Measured::count(0, 0, [("redresses", given.redresses), ("cases", given.cases)])
        }
    }))
}

/// The redresses that are worth anything in a column, added up by cell. They are told with their cases, having no ids.
fn given<'q>(
    ask: &Ask<'q>,
    worths: &'q [i64],
    worth: impl Fn(i128) -> Worth,
) -> Result<(Cutter<'q>, Grid<Given>), Error> {
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
        seen.push((cell, of[row as usize], worths[row as usize]));
    })?;
    seen.sort_unstable();
    for of_case in seen.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (cell, case, _) = of_case[0];
        grid.at(cell).cases += 1;
        let counts = [("redresses", real(of_case.len() as u64)), ("cases", 1.0)];
        let total = of_case.iter().map(|(_, _, worth)| i128::from(*worth)).sum();
        tell(ask, case, &counts, worth(total));
    }
    Ok((cutter, grid))
}

fn tell(ask: &Ask<'_>, case: u32, counts: &[(&'static str, f64)], worth: Worth) {
    ask.tell(Kind::Case, case, ask.facts.cases.times.at(case as usize), counts, worth);
}
