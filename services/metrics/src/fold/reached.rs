//! How far the facts of a source have come, and in which history.

use barometer_chassis::{clock::Micros, position::Position};
use serde::{Deserialize, Serialize};

/// How far, with every marker that was passed on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reached {
    /// The position; at the start before the first batch.
    pub(crate) position: Position,
    /// Where each marker was first seen, ascending. Batches never span a marker, so this is where it stands.
    markers: Vec<Position>,
    /// Everything acknowledged before this instant is included.
    pub(crate) complete_until: Option<Micros>,
    /// Whether everything there was has been taken in once.
    pub(crate) ready: bool,
}

/// Where a position stands against what was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// What was written there is included.
    Included,
    /// It may come yet.
    Ahead,
    /// It is of another history.
    Gone,
}

impl Reached {
    /// Notes a batch that goes until `position`, and if it was all there was, when it was read.
    pub(crate) fn advance(&mut self, position: Position, caught_up: Option<Micros>) {
        if position.marker != self.marker_before(i64::MAX) {
            self.markers.push(position);
        }
        self.position = position;
        if caught_up.is_some() {
            self.complete_until = caught_up;
            self.ready = true;
        }
    }

    /// Where a position stands.
    pub(crate) fn standing(&self, position: Position) -> Standing {
        let marker = position.marker;
        if position.n <= self.position.n {
            let same = self.marker_before(position.n) == marker;
            return if same { Standing::Included } else { Standing::Gone };
        }
        // Ahead in this history there are our last marker, or ones that we have not seen.
        let old = self.markers.iter().rev().skip(1).any(|seen| seen.marker == marker);
        if old { Standing::Gone } else { Standing::Ahead }
    }

    /// The last marker at or before a position; nil before the first.
    fn marker_before(&self, n: i64) -> uuid::Uuid {
        let last = self.markers.iter().rev().find(|marker| marker.n <= n);
        last.map(|marker| marker.marker).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(n: i64, marker: u128) -> Position {
        Position { n, marker: Uuid::from_u128(marker) }
    }

    #[test]
    fn positions_are_told_apart_by_the_markers_before_them() {
        let mut reached = Reached::default();
        for position in [at(1, 7), at(5, 7), at(6, 8), at(9, 8)] {
            reached.advance(position, None);
        }
        let standing = |n, marker| reached.standing(at(n, marker));
        for (n, marker) in [(0, 0), (1, 7), (5, 7), (6, 8), (9, 8)] {
            assert_eq!(standing(n, marker), Standing::Included, "{n} {marker}");
        }
        for (n, marker) in [(1, 0), (6, 7), (5, 8), (9, 9), (10, 7)] {
            assert_eq!(standing(n, marker), Standing::Gone, "{n} {marker}");
        }
        for (n, marker) in [(10, 8), (10, 9)] {
            assert_eq!(standing(n, marker), Standing::Ahead, "{n} {marker}");
        }
    }

    #[test]
    fn it_is_ready_once_it_was_caught_up_with() {
        let mut reached = Reached::default();
        reached.advance(at(1, 7), None);
        assert!(!reached.ready);
        reached.advance(at(2, 7), Some(Micros(5)));
        reached.advance(at(3, 7), None);
        assert_eq!((reached.ready, reached.complete_until), (true, Some(Micros(5))));
    }
}
