//! Going through the rows of a table, each in its cell.

use barometer_chassis::error::Error;

use super::{
    Ask,
    cut::Cutter,
    figures::{Calendar, Grid},
};

/// Rows that are cut at once.
const BLOCK: usize = 65_536;

/// Goes through the rows whose instant lies in the time asked for and that pass: the cell of each, and its row. A row that
/// counts in no period has the instant [`NEVER`](crate::columns::times::NEVER).
pub(super) fn scan<'q>(
    ask: &Ask<'q>,
    rows: impl Iterator<Item = u32>,
    at: impl Fn(u32) -> i64 + Copy,
    mut each: impl FnMut(u32, u32),
) -> Result<Cutter<'q>, Error> {
    let index = Grid::<()>::new(ask.periods.len());
    scan_with(ask, ask.cutter(), rows, at, |group, period, row| each(index.index(group, period), row))
}

/// The same by another cutter than that of the metric: the group of each row, its period, and the row.
pub(super) fn scan_with<'q>(
    ask: &Ask<'q>,
    mut cutter: Cutter<'q>,
    rows: impl Iterator<Item = u32>,
    at: impl Fn(u32) -> i64 + Copy,
    mut each: impl FnMut(u32, usize, u32),
) -> Result<Cutter<'q>, Error> {
    let range = ask.range();
    let mut calendar = Calendar::new(ask);
    let mut rows = rows.filter(|row| range.contains(&at(*row)));
    let (mut some, mut groups) = (Vec::new(), Vec::new());
    loop {
        some.clear();
        some.extend(rows.by_ref().take(BLOCK));
        if some.is_empty() {
            return Ok(cutter);
        }
        cutter.cut(&mut some, &mut groups, at)?;
        for (row, group) in some.iter().zip(&groups) {
            each(*group, calendar.period(at(*row)), *row);
        }
    }
}
