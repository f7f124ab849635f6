//! Figures of cases that changed hands.

use barometer_chassis::error::Error;

use crate::{
    columns::times::NEVER,
    query::{
        Ask,
        figures::{Figure, Grid, Measured, plain, real},
        scan::{Way, scan, scan_each},
        told::{Kind, Worth},
    },
    rules::rate::per_one,
};

/// By when they changed hands.
pub(crate) fn hand_offs(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let hand_offs = &cases.hand_offs;
    let at = |row: u32| match cases.is_there(hand_offs.cases[row as usize]) {
        true => hand_offs.times.at(row as usize),
        false => NEVER,
    };
    let mut grid = Grid::<[u64; 2]>::new(ask.periods.len());
    let mut seen = Vec::new();
    let cutter = scan(ask, 0..u32::try_from(hand_offs.cases.len()).unwrap_or(u32::MAX), at, |cell, row| {
        grid.at(cell)[0] += 1;
        let case = hand_offs.cases[row as usize];
        seen.push((cell, case));
        ask.tell(Kind::CaseEntry, row, at(row), &[("hand_offs", 1.0)], Worth::None);
        ask.gather(Kind::Case, case, cases.times.at(case as usize), "cases");
    })?;
    seen.sort_unstable();
    seen.dedup();
    seen.iter().for_each(|(cell, _)| grid.at(*cell)[1] += 1);
    Ok(ask.figures(&cutter, &grid, |[hand_offs, cases]| {
        Measured::count(*hand_offs, *hand_offs, [("hand_offs", *hand_offs), ("cases", *cases)])
    }))
}

/// By when the cases were opened.
pub(crate) fn hand_offs_per_case(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let mut grid = Grid::<[u64; 3]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Cases, |cell, row| {
        let [hand_offs, handed_off, all] = grid.at(cell);
        let of_case = cases.hand_offs_of(row);
        *hand_offs += of_case;
        *handed_off += u64::from(of_case > 0);
        *all += 1;
        let counts = [("hand_offs", real(of_case)), ("handed_off", f64::from(of_case > 0)), ("cases", 1.0)];
        ask.tell(Kind::Case, row, cases.times.at(row as usize), &counts, Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[hand_offs, handed_off, all]| Measured {
        value: per_one(*hand_offs, *all),
        counts: plain([("hand_offs", *hand_offs), ("handed_off", *handed_off), ("cases", *all)]),
        ..Measured::default()
    }))
}
