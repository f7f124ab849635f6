//! Figures of the work on cases.

use barometer_chassis::error::Error;

use crate::{
    columns::times::NEVER,
    query::{
        Ask,
        figures::Figure,
        scan::scan,
        spreads::Durations,
        told::{Kind, Worth},
    },
};

/// By when the spells of work ended: all that was done on a case in a cell is one handling.
pub(crate) fn handling_time(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (claims, cases) = (&ask.facts.claims, &ask.facts.cases);
    let ended = |row: u32| {
        let at = claims.times.at(row as usize);
        if at != NEVER && cases.is_there(claims.cases[row as usize]) { at } else { NEVER }
    };
    let mut spells = Vec::new();
    let cutter = scan(ask, 0..u32::try_from(claims.cases.len()).unwrap_or(u32::MAX), ended, |cell, row| {
        spells.push((cell, claims.cases[row as usize], claims.handling[row as usize]));
    })?;
    spells.sort_unstable();
    let mut handlings = Durations::new(ask);
    for of_case in spells.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let Some((cell, case, _)) = of_case.first() else { continue };
        let handling = of_case.iter().map(|(_, _, handling)| *handling).fold(0, i64::saturating_add);
        handlings.add(*cell, handling);
        ask.tell(Kind::Case, *case, cases.times.at(*case as usize), &[("cases", 1.0)], Worth::Time(handling));
    }
    Ok(handlings.figures(ask, &cutter, "cases", None))
}
