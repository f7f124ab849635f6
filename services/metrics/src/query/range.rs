//! The time a query is about.

use std::ops::Range;

use super::{Query, Table, answers, courses, known};
use crate::{
    catalogue::{Measure, Metric},
    columns::Facts,
    rules::period::Periods,
};

/// What is asked for; where that is open, from the first fact of the metrics asked for until after the last, and not
/// before now when one of them tells a state. Without any fact, the present day.
pub(super) fn of(query: &Query, facts: &Facts) -> Range<i64> {
    let end = query.end.unwrap_or_else(|| {
        let last = query.metrics.iter().filter_map(|metric| last(metric, facts)).max();
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
        let first = query.metrics.iter().filter_map(|metric| first(metric, facts)).min();
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
pub(super) fn tells_a_state(query: &Query) -> bool {
    query.metrics.iter().any(|metric| is_state(metric.measure))
}

/// Whether a metric tells how things stand at an instant, which without any other is now.
fn is_state(measure: Measure) -> bool {
    matches!(
        measure,
        Measure::Customers
            | Measure::ActiveCustomers
            | Measure::ChurnRate
            | Measure::RetentionRate
            | Measure::InactiveShare
            | Measure::Backlog
            | Measure::BacklogAge
    )
}

fn first(metric: &Metric, facts: &Facts) -> Option<i64> {
    match (metric.table, metric.measure) {
        (Table::Responses, measure) => answers::first(measure, facts),
        (Table::Customers, _) => known::instants(facts).into_iter().map(|(_, _, at)| at).min(),
        (Table::Purchases, _) => facts.purchases.times.first(),
        (Table::Cases, Measure::ReopenRate) => courses::first_resolutions(&facts.cases).min(),
        (Table::Cases | Table::Redresses, _) => facts.cases.times.first(),
        (Table::HandOffs, _) => facts.cases.hand_offs.times.first(),
        (Table::Clocks, _) => facts.clocks.times.first(),
        (Table::FollowUps, _) => facts.follow_ups.times.first(),
        (Table::Claims, _) => facts.claims.times.first(),
        (Table::Escalations, _) => facts.escalations.times.first(),
        (Table::Promises, _) => facts.promises.times.first(),
    }
}

fn last(metric: &Metric, facts: &Facts) -> Option<i64> {
    match (metric.table, metric.measure) {
        (Table::Responses, measure) => answers::last(measure, facts),
        (Table::Customers, _) => known::instants(facts).into_iter().map(|(_, _, at)| at).max(),
        (Table::Purchases, _) => facts.purchases.times.last(),
        (Table::Cases, Measure::ReopenRate) => courses::first_resolutions(&facts.cases).max(),
        (Table::Cases | Table::Redresses, _) => facts.cases.times.last(),
        (Table::HandOffs, _) => facts.cases.hand_offs.times.last(),
        (Table::Clocks, _) => facts.clocks.times.last(),
        (Table::FollowUps, _) => facts.follow_ups.times.last(),
        (Table::Claims, _) => facts.claims.times.last(),
        (Table::Escalations, _) => facts.escalations.times.last(),
        (Table::Promises, _) => facts.promises.times.last(),
    }
}
