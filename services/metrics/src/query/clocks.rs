//! Figures of the clocks of cases.
//!
//! All of them count a clock in the period in which it began to run: so that nothing is forgotten which nobody answers, the
//! figures of a period change with its late answers. Of most kinds of clocks that is when the case was opened.

use barometer_chassis::error::Error;

use super::{
    Ask,
    cut::Cutter,
    figures::{Figure, Grid, Measured},
    scan::scan,
    spreads::Durations,
    told::{Kind, Worth},
};
use crate::{
    catalogue::Span,
    columns::{clocks::Counted, times::NEVER},
    rules::{on_time::Outcome, proportion::ProportionTally},
};

pub(crate) fn clock_time(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (clocks, cases) = (&ask.facts.clocks, &ask.facts.cases);
    let span = ask.query.parameters.span;
    let mut durations = Durations::new(ask);
    let cutter = scan_clocks(ask, |cell, row| match clocks.counted(row) {
        _ if clocks.was_cancelled(row, cases.cancelled_at(clocks.cases[row as usize])) => {}
        Some(Counted { working, elapsed }) => {
            let taken = if span == Span::Working { working } else { elapsed };
            durations.add(cell, taken);
            tell(ask, row, "stopped", Worth::Time(taken));
        }
        None => {
            durations.wait(cell);
            tell(ask, row, "running", Worth::None);
        }
    })?;
    Ok(durations.figures(ask, &cutter, "stopped", Some("running")))
}

pub(crate) fn clock_on_time_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let clocks = &ask.facts.clocks;
    let mut grid = Grid::<[u64; 3]>::new(ask.periods.len());
    let cutter = scan_clocks(ask, |cell, row| {
        let [on_time, late, waiting] = grid.at(cell);
        let (name, count) = match clocks.outcome(row, ask.query.now) {
            Some(Outcome::OnTime) => ("on_time", on_time),
            Some(Outcome::Late) => ("late", late),
            Some(Outcome::Waiting) => ("waiting", waiting),
            None => return,
        };
        *count += 1;
        tell(ask, row, name, Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[on_time, late, waiting]| {
        let counts = [("on_time", *on_time), ("late", *late), ("waiting", *waiting)];
        Measured::share(&ProportionTally::of_counts(*on_time, *late), ask.query.parameters.level, counts)
    }))
}

fn tell(ask: &Ask<'_>, row: u32, count: &'static str, worth: Worth) {
    ask.tell(Kind::CaseClock, row, ask.facts.clocks.times.at(row as usize), &[(count, 1.0)], worth);
}

fn scan_clocks<'q>(ask: &Ask<'q>, each: impl FnMut(u32, u32)) -> Result<Cutter<'q>, Error> {
    let (clocks, cases) = (&ask.facts.clocks, &ask.facts.cases);
    let began = |row: u32| {
        let at = clocks.times.at(row as usize);
        // Those of a case go with it.
        if at != NEVER && cases.is_there(clocks.cases[row as usize]) { at } else { NEVER }
    };
    scan(ask, 0..u32::try_from(clocks.cases.len()).unwrap_or(u32::MAX), began, each)
}
