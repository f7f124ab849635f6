//! Figures of the steps that ladders took.

use barometer_chassis::error::Error;

use crate::{
    columns::{Facts, promises::NO_PROMISE, redresses::NO_CASE, times::NEVER},
    query::{
        Ask,
        figures::{Figure, Grid, Measured},
        scan::scan,
        told::{Kind, Worth},
    },
};

/// By when they were taken.
pub(crate) fn escalations(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let Facts { escalations, cases, promises, .. } = ask.facts;
    let taken = |row: u32| {
        let (case, promise) = (escalations.cases[row as usize], escalations.promises[row as usize]);
        let there = (case == NO_CASE || cases.is_there(case)) && (promise == NO_PROMISE || promises.is_there(promise));
        Some(escalations.times.at(row as usize)).filter(|_| there).unwrap_or(NEVER)
    };
    let mut grid = Grid::<[u64; 3]>::new(ask.periods.len());
    let mut seen = Vec::new();
    let cutter = scan(ask, 0..u32::try_from(escalations.cases.len()).unwrap_or(u32::MAX), taken, |cell, row| {
        let [steps, late, _] = grid.at(cell);
        *steps += 1;
        *late += u64::from(escalations.was_late(row));
        let case = escalations.cases[row as usize];
        seen.extend((case != NO_CASE).then_some((cell, case)));
        let counts = [("escalations", 1.0), ("late", f64::from(escalations.was_late(row)))];
        ask.tell(Kind::Escalation, row, taken(row), &counts, Worth::None);
        if case != NO_CASE {
            ask.gather(Kind::Case, case, cases.times.at(case as usize), "cases");
        }
    })?;
    seen.sort_unstable();
    seen.dedup();
    seen.iter().for_each(|(cell, _)| grid.at(*cell)[2] += 1);
    Ok(ask.figures(&cutter, &grid, |[steps, late, cases]| {
        Measured::count(*steps, *steps, [("escalations", *steps), ("late", *late), ("cases", *cases)])
    }))
}
