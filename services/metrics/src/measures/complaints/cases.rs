//! Figures of complaints: how many came, how long they took, and whether in time.
//!
//! All of them count a case in the period in which it was opened, and not when it was answered or solved: else what
//! nobody answers would be in no figure at all, and the longer a case lies, the better would be the period it came in.
//! A cancelled case was opened, but it needs no answer: without one it is neither late nor waiting.

use barometer_chassis::error::Error;

use crate::{
    catalogue::Clock,
    columns::cases::Cases,
    query::{
        Ask,
        figures::{Figure, Grid, Measured},
        scan::{Way, scan_each},
        spreads::Durations,
        told::{Kind, Worth},
    },
    rules::{
        on_time::{Outcome, outcome},
        proportion::ProportionTally,
    },
};

pub(crate) fn complaints_opened(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let mut grid = Grid::<[u64; 3]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Cases, |cell, row| {
        let [opened, responded, resolved] = grid.at(cell);
        *opened += 1;
        *responded += u64::from(cases.first_response(row).is_some());
        *resolved += u64::from(cases.first_resolve(row).is_some());
        let responded = ("responded", f64::from(cases.first_response(row).is_some()));
        let resolved = ("resolved", f64::from(cases.first_resolve(row).is_some()));
        tell(ask, row, &[("opened", 1.0), responded, resolved], Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[opened, responded, resolved]| {
        Measured::count(*opened, *opened, [("opened", *opened), ("responded", *responded), ("resolved", *resolved)])
    }))
}

pub(crate) fn time_to_acknowledgement(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    times(ask, Cases::acknowledged, "acknowledged")
}

pub(crate) fn time_to_first_response(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    times(ask, Cases::first_response, "responded")
}

pub(crate) fn time_to_resolution(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    times(ask, Cases::first_resolve, "resolved")
}

pub(crate) fn on_time_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let parameters = &ask.query.parameters;
    let cases = &ask.facts.cases;
    let times = cases.times.as_slice();
    let mut grid = Grid::<[u64; 3]>::new(ask.periods.len());
    let cutter = scan_each(ask, Way::Cases, |cell, row| {
        let done = match parameters.clock {
            Clock::FirstResponse => cases.first_response(row),
            Clock::Resolution => cases.first_resolve(row),
        };
        if done.is_none() && cases.is_cancelled(row) {
            return;
        }
        let [on_time, late, waiting] = grid.at(cell);
        let (name, count) = match outcome(times[row as usize], done, parameters.limit, ask.query.now) {
            Outcome::OnTime => ("on_time", on_time),
            Outcome::Late => ("late", late),
            Outcome::Waiting => ("waiting", waiting),
        };
        *count += 1;
        tell(ask, row, &[(name, 1.0)], Worth::None);
    })?;
    Ok(ask.figures(&cutter, &grid, |[on_time, late, waiting]| {
        let counts = [("on_time", *on_time), ("late", *late), ("waiting", *waiting)];
        Measured::share(&ProportionTally::of_counts(*on_time, *late), parameters.level, counts)
    }))
}

fn times(
    ask: &Ask<'_>,
    done_at: impl Fn(&Cases, u32) -> Option<i64>,
    done: &'static str,
) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let opened = cases.times.as_slice();
    let mut durations = Durations::new(ask);
    let cutter = scan_each(ask, Way::Cases, |cell, row| match done_at(cases, row) {
        Some(at) => {
            let taken = at.saturating_sub(opened[row as usize]);
            durations.add(cell, taken);
            tell(ask, row, &[(done, 1.0)], Worth::Time(taken));
        }
        None if cases.is_cancelled(row) => {}
        None => {
            durations.wait(cell);
            tell(ask, row, &[("waiting", 1.0)], Worth::None);
        }
    })?;
    Ok(durations.figures(ask, &cutter, done, Some("waiting")))
}

/// Tells of a case, by when it was opened.
fn tell(ask: &Ask<'_>, row: u32, counts: &[(&'static str, f64)], worth: Worth) {
    ask.tell(Kind::Case, row, ask.facts.cases.times.at(row as usize), counts, worth);
}
