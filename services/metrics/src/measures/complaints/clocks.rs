//! Figures of the clocks of cases.
//!
//! All of them count a clock in the period in which it began to run: so that nothing is forgotten which nobody answers, the
//! figures of a period change with its late answers. Of most kinds of clocks that is when the case was opened.

use barometer_chassis::error::Error;

use crate::{
    catalogue::Span,
    columns::clocks::Counted,
    query::{
        Ask,
        figures::{Figure, Grid, Measured},
        scan::{Way, scan_each},
        spreads::Durations,
        told::{Kind, Worth},
    },
    rules::{on_time::Outcome, proportion::ProportionTally},
};

pub(crate) fn clock_time(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let (clocks, cases) = (&ask.facts.clocks, &ask.facts.cases);
    let span = ask.query.parameters.span;
    let mut durations = Durations::new(ask);
    let cutter = scan_each(ask, Way::Clocks, |cell, row| match clocks.counted(row) {
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
    let cutter = scan_each(ask, Way::Clocks, |cell, row| {
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
