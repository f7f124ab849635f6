//! The time a query is about.

use std::ops::Range;

use super::Query;
use crate::{columns::Facts, rules::period::Periods};

/// What is asked for; where that is open, from the first fact of the metrics asked for until after the last, and not
/// before now when one of them tells a state. Without any fact, the present day.
pub(crate) fn of(query: &Query, facts: &Facts) -> Range<i64> {
    if let (Some(start), Some(end)) = (query.start, query.end) {
        return start..end;
    }
    let extents: Vec<_> = query.metrics.iter().filter_map(|metric| (metric.extent)(facts, metric)).collect();
    let end = query.end.unwrap_or_else(|| {
        let last = extents.iter().map(|extent| *extent.end()).max();
        let after = last.map(|last| {
            Periods::end_of(&query.days, query.granularity, last).unwrap_or_else(|| last.saturating_add(1))
        });
        // Who asks for what came after the last fact is told that there was nothing.
        let after = after.filter(|after| query.start.is_none_or(|start| start < *after));
        match after {
            Some(after) if !tells_a_state(query) => after,
            _ => after.map_or(query.now, |after| query.now.max(after)),
        }
    });
    let start = query.start.unwrap_or_else(|| {
        let first = extents.iter().map(|extent| *extent.start()).min();
        // Facts that come after the end are no beginning.
        let first = first.filter(|first| *first < end);
        let period = |at: i64| Periods::start_of(&query.days, query.granularity, at);
        match first {
            Some(first) => period(first).unwrap_or(first),
            None => period(end - 1).unwrap_or_else(|| query.days.start_of(query.days.day(end - 1))),
        }
    });
    start..end
}

/// Whether one of the metrics asked for tells how things stand.
pub(crate) fn tells_a_state(query: &Query) -> bool {
    query.metrics.iter().any(|metric| metric.is_state)
}
