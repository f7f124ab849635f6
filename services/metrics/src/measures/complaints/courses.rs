//! Figures of how cases went: what was reopened, how long it took for good, and what lies open.

use std::ops::RangeInclusive;

use barometer_chassis::error::Error;

use crate::{
    catalogue::Metric,
    columns::{Facts, times::NEVER},
    query::{
        Ask,
        cut::Cutter,
        figures::{Figure, Grid, Measured, extent_of, plain, real},
        scan::{Way, scan, scan_each},
        spreads::Durations,
        told::{Kind, Worth},
    },
    rules::{
        course::{AGES, Turn, age, open_stretches, time_to_last_resolution, was_reopened},
        proportion::ProportionTally,
    },
};

/// From when the first case was first resolved until the last was.
pub(crate) fn extent_of_resolutions(facts: &Facts, _: &Metric) -> Option<RangeInclusive<i64>> {
    let cases = &facts.cases;
    extent_of((0..cases.len()).filter(|row| cases.is_there(*row)).filter_map(|row| cases.first_resolve(row)))
}

/// By when they were first resolved: until then a case can not be reopened.
pub(crate) fn reopen_rate(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let resolved = |row| if cases.is_there(row) { cases.first_resolve(row).unwrap_or(NEVER) } else { NEVER };
    let mut grid = Grid::<ProportionTally>::new(ask.periods.len());
    let cutter = scan(ask, 0..cases.len(), resolved, |cell, row| {
        let reopened = was_reopened(cases.turns.of(row));
        grid.at(cell).extend([reopened]);
        if ask.is_explained() {
            let counts = [("reopened", f64::from(reopened)), ("resolved", 1.0)];
            ask.tell(Kind::Case, row, resolved(row), &counts, Worth::None);
            let taken_up = cases.turns.entries(row).filter(|(_, turn, _)| reopened && *turn == Turn::Reopened);
            taken_up.for_each(|(at, _, id)| ask.tell_entry(row, id, at));
        }
    })?;
    Ok(ask.figures(&cutter, &grid, |tally| {
        let counts = [("reopened", tally.hits().answers()), ("resolved", tally.total().answers())];
        Measured::share(tally, ask.query.parameters.level, counts)
    }))
}

/// By when they were opened, as all times that cases took.
pub(crate) fn time_to_last_resolution_of(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let cases = &ask.facts.cases;
    let opened = cases.times.as_slice();
    let mut durations = Durations::new(ask);
    let cutter = scan_each(ask, Way::Cases, |cell, row| {
        match time_to_last_resolution(opened[row as usize], cases.turns.of(row)) {
            Some(taken) => {
                durations.add(cell, taken);
                tell(ask, row, &[("resolved", 1.0)], Worth::Time(taken));
            }
            None if cases.is_cancelled(row) => {}
            None => {
                durations.wait(cell);
                tell(ask, row, &[("waiting", 1.0)], Worth::None);
            }
        }
    })?;
    Ok(durations.figures(ask, &cutter, "resolved", Some("waiting")))
}

pub(crate) fn backlog(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let mut grid = Grid::<[u64; AGES.len()]>::new(ask.periods.len());
    let cutter = each_open(ask, |cell, row, since_open| {
        grid.at(cell)[age(since_open)] += 1;
        tell(ask, row, &[("open", 1.0), (AGES[age(since_open)].0, 1.0)], Worth::Time(since_open));
    })?;
    Ok(ask.figures(&cutter, &grid, |ages| {
        let open = ages.iter().sum();
        let told = AGES.iter().zip(ages).map(|((name, _), count)| (*name, *count));
        // Nothing open is a figure: 0, wherever there are cases at all.
        let facts = ask.facts.cases.times.live();
        Measured {
            value: (facts > 0).then(|| real(open)),
            counts: plain([("open", open)].into_iter().chain(told)),
            ..Measured::default()
        }
    }))
}

pub(crate) fn backlog_age(ask: &Ask<'_>) -> Result<Vec<Figure>, Error> {
    let mut ages = Durations::new(ask);
    let cutter = each_open(ask, |cell, row, since_open| {
        ages.add(cell, since_open);
        tell(ask, row, &[("open", 1.0)], Worth::Time(since_open));
    })?;
    Ok(ages.figures(ask, &cutter, "open", None))
}

/// Tells of a case, by when it was opened.
fn tell(ask: &Ask<'_>, row: u32, counts: &[(&'static str, f64)], worth: Worth) {
    ask.tell(Kind::Case, row, ask.facts.cases.times.at(row as usize), counts, worth);
}

/// Goes through the cases that are open when each period ends, or now where it is not over: the cell of each, its row, and
/// how long ago it was opened.
fn each_open<'q>(ask: &Ask<'q>, mut each: impl FnMut(u32, u32, i64)) -> Result<Cutter<'q>, Error> {
    let cases = &ask.facts.cases;
    let opened = cases.times.as_slice();
    let mut stretches = Vec::new();
    for row in (0..cases.len()).filter(|row| cases.is_there(*row)) {
        let open = open_stretches(opened[row as usize], cases.turns.of(row));
        stretches.extend(open.map(|stretch| (stretch.start, stretch.end, row)));
    }
    stretches.sort_unstable();

    let mut cutter = ask.cutter();
    let index = Grid::<()>::new(ask.periods.len());
    let (mut begun, mut open) = (0, Vec::new());
    let (mut rows, mut groups) = (Vec::new(), Vec::new());
    for (period, end) in ask.periods.as_slice().iter().map(|period| period.end.min(ask.query.now)).enumerate() {
        // What happens at the very end belongs to the next period, as everywhere.
        let more = stretches[begun..].partition_point(|(start, _, _)| *start < end);
        open.extend(stretches[begun..begun + more].iter().map(|(_, until, row)| (*until, *row)));
        begun += more;
        open.retain(|(until, _)| end <= *until);
        rows.clear();
        rows.extend(open.iter().map(|(_, row)| *row));
        // A stretch may be of no length, or two may meet at the end.
        rows.sort_unstable();
        rows.dedup();
        cutter.cut(&mut rows, &mut groups, |_| end - 1)?;
        for (row, group) in rows.iter().zip(&groups) {
            each(index.index(*group, period), *row, end.saturating_sub(opened[*row as usize]));
        }
    }
    Ok(cutter)
}
