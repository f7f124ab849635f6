//! Which row of a table holds which fact, and in which version.

use std::io;

use mmap_vec::DefaultSegmentBuilder;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Stamp, cold::Cold};

const PAGE: i64 = 4_096;
/// Stands for no row.
pub(super) const NO_ROW: u32 = u32::MAX;

/// The rows of a table by the numbers of their facts.
///
/// A fact keeps its row for ever, also when it was withdrawn: its version is what stops an older one from coming back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rows {
    numbers: Cold<i64>,
    versions: Cold<i64>,
    ids: Cold<Uuid>,
    /// Row by number, in pages: numbers are dense within a service, so within a kind they come in crowds.
    #[serde(skip)]
    pages: FxHashMap<i64, Box<[u32]>>,
}

impl Rows {
    /// The row that a version of a fact is to be written to; a new row is one beyond the last. `None` when the version
    /// is not news.
    pub(crate) fn claim(&mut self, stamp: Stamp) -> Option<usize> {
        let Stamp { id, number, version, written: _ } = stamp;
        let next = u32::try_from(self.numbers.len()).ok().filter(|next| *next != NO_ROW)?;
        let slot = slot(&mut self.pages, number);
        if *slot == NO_ROW {
            *slot = next;
            self.numbers.push(number);
            self.versions.push(version);
            self.ids.push(id);
            return Some(next as usize);
        }
        let row = *slot as usize;
        let known = &mut self.versions[row];
        (version > *known).then(|| {
            *known = version;
            // Only of one that was awaited it is another.
            self.ids[row] = id;
            row
        })
    }

    /// The row of a fact, if it has one.
    pub(crate) fn find(&self, number: i64) -> Option<u32> {
        let page = self.pages.get(&number.div_euclid(PAGE))?;
        let row = page.get(usize::try_from(number.rem_euclid(PAGE)).ok()?)?;
        Some(*row).filter(|row| *row != NO_ROW)
    }

    /// The number of the fact in a row.
    pub(crate) fn number(&self, row: usize) -> i64 {
        self.numbers[row]
    }

    /// The id of the fact in a row; nil while it is only awaited.
    pub(crate) fn id(&self, row: usize) -> Uuid {
        self.ids[row]
    }

    /// The bytes of it that could be in files and are in memory.
    pub(super) fn bytes(&self) -> usize {
        self.numbers.bytes() + self.versions.bytes() + self.ids.bytes()
    }

    /// Moves what no figure reads into files.
    pub(super) fn move_into(&mut self, files: &DefaultSegmentBuilder) -> io::Result<()> {
        self.numbers.move_into(files)?;
        self.versions.move_into(files)?;
        self.ids.move_into(files)
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.pages.clear();
        for (row, number) in (0..).zip(self.numbers.iter()) {
            *slot(&mut self.pages, *number) = row;
        }
    }
}

fn slot(pages: &mut FxHashMap<i64, Box<[u32]>>, number: i64) -> &mut u32 {
    let page = pages.entry(number.div_euclid(PAGE)).or_insert_with(|| std::iter::repeat_n(NO_ROW, 4_096).collect());
    // Within 0..4096.
    &mut page[usize::try_from(number.rem_euclid(PAGE)).unwrap_or_default()]
}

/// Writes a row of a column: replaces what was there, which it gives, or adds it when it is one beyond the last.
pub(crate) fn put<T>(column: &mut Vec<T>, row: usize, value: T) -> Option<T> {
    match column.get_mut(row) {
        Some(cell) => Some(std::mem::replace(cell, value)),
        None => {
            column.push(value);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_newer_versions_are_let_in() {
        let mut rows = Rows::default();
        let stamp = |number, version, id| Stamp { id: Uuid::from_u128(id), number, version, written: None };
        assert_eq!(rows.claim(stamp(7_000, 3, 9)), Some(0));
        assert_eq!(rows.claim(stamp(1, 1, 9)), Some(1));
        assert_eq!(rows.claim(stamp(7_000, 3, 9)), None);
        assert_eq!(rows.claim(stamp(7_000, 2, 9)), None);
        assert_eq!(rows.claim(stamp(7_000, 4, 9)), Some(0));
        rows.restore();
        assert_eq!(rows.claim(stamp(7_000, 4, 9)), None);
        assert_eq!(rows.claim(stamp(i64::MAX, 1, 9)), Some(2));
        assert_eq!((rows.number(0), rows.id(0)), (7_000, Uuid::from_u128(9)));
        assert_eq!(rows.claim(Stamp::awaited(5)), Some(3));
        assert_eq!((rows.claim(Stamp::awaited(5)), rows.id(3)), (None, Uuid::nil()));
        assert_eq!(rows.claim(stamp(5, 1, 8)), Some(3));
        assert_eq!((rows.claim(Stamp::awaited(5)), rows.id(3)), (None, Uuid::from_u128(8)));
        assert_eq!(
            [7_000, 1, i64::MAX, 2, -1].map(|number| rows.find(number)),
            [Some(0), Some(1), Some(2), None, None]
        );
    }
}
