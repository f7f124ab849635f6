//! Which facts an analysis looks at.

use std::{ops::Range, sync::Arc};

use barometer_chassis::door::Door;
use barometer_proto::metrics::v1 as wire;

use crate::{
    query::{Condition, Table, Vocabulary, Zones, check_positions, parse_filters, parse_zone},
    rules::zone::LocalDays,
};

/// A time and conditions, checked.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub(crate) start: Option<i64>,
    pub(crate) end: Option<i64>,
    pub(crate) days: Arc<LocalDays>,
    pub(crate) filters: Vec<Condition>,
    /// When it is asked: nothing after that counts.
    pub(crate) now: i64,
}

impl Scope {
    /// Parses a scope; its filters are on dimensions of these facts. Nothing when there is no reporting zone.
    pub(super) fn parse(
        door: &mut Door,
        scope: Option<wire::Scope>,
        of: (Table, &str),
        vocabulary: &Vocabulary,
        zones: &Zones,
    ) -> Option<Self> {
        let now = door.now().0;
        door.inside("scope", |door| {
            let wire::Scope { start_time, end_time, time_zone, filters, at_least } = scope.unwrap_or_default();
            let start = door.optional_time("start_time", start_time).map(|at| at.0);
            let end = door.optional_time("end_time", end_time).map(|at| at.0);
            if let Some(start) = start {
                if end.is_some_and(|end| end <= start) {
                    door.refuse("end_time", "OUT_OF_RANGE", "must be later than `start_time`");
                } else if start >= now {
                    door.refuse("start_time", "OUT_OF_RANGE", "lies in the future");
                }
            }
            let days = parse_zone(door, &time_zone, zones);
            let filters = parse_filters(door, filters, &[of], vocabulary);
            check_positions(door, &at_least);
            Some(Scope { start, end, days: days?, filters, now })
        })
    }

    /// Until when it reaches: not beyond now.
    pub(super) fn until(&self) -> i64 {
        self.end.map_or(self.now, |end| end.min(self.now))
    }

    /// The whole time, with this instant as its start when it has none.
    pub(super) fn range(&self, first: i64) -> Range<i64> {
        self.start.unwrap_or(first)..self.until()
    }
}
