//! The time a query is about.

use std::ops::Range;

use super::{Query, answers, known};
use crate::{catalogue::Measure, columns::Facts, rules::period::Periods};

/// What is asked for; where that is open, from the first fact of the metrics asked for until after the last, and not
/// before now when one of them tells a state. Without any fact, the present day.
pub(super) fn of(query: &Query, facts: &Facts) -> Range<i64> {
    let end = query.end.unwrap_or_else(|| {
        let last = query.metrics.iter().filter_map(|metric| last(metric.measure, facts)).max();
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
        let first = query.metrics.iter().filter_map(|metric| first(metric.measure, facts)).min();
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
    match measure {
        Measure::Customers
        | Measure::ActiveCustomers
        | Measure::ChurnRate
        | Measure::RetentionRate
        | Measure::InactiveShare => true,
        Measure::Nps
        | Measure::Csat
        | Measure::Ces
        | Measure::Responses
        | Measure::NewCustomers
        | Measure::Purchases
        | Measure::Revenue
        | Measure::RepeatPurchaseRate
        | Measure::CohortRetention
        | Measure::ComplaintsOpened
        | Measure::TimeToFirstResponse
        | Measure::TimeToResolution
        | Measure::OnTimeRate => false,
    }
}

fn first(measure: Measure, facts: &Facts) -> Option<i64> {
    match measure {
        Measure::Nps | Measure::Csat | Measure::Ces | Measure::Responses => answers::first(measure, facts),
        Measure::Customers | Measure::NewCustomers => known::instants(facts).into_iter().map(|(_, _, at)| at).min(),
        Measure::ActiveCustomers
        | Measure::Purchases
        | Measure::Revenue
        | Measure::RepeatPurchaseRate
        | Measure::ChurnRate
        | Measure::RetentionRate
        | Measure::InactiveShare
        | Measure::CohortRetention => facts.purchases.times.first(),
        Measure::ComplaintsOpened | Measure::TimeToFirstResponse | Measure::TimeToResolution | Measure::OnTimeRate => {
            facts.cases.times.first()
        }
    }
}

fn last(measure: Measure, facts: &Facts) -> Option<i64> {
    match measure {
        Measure::Nps | Measure::Csat | Measure::Ces | Measure::Responses => answers::last(measure, facts),
        Measure::Customers | Measure::NewCustomers => known::instants(facts).into_iter().map(|(_, _, at)| at).max(),
        Measure::ActiveCustomers
        | Measure::Purchases
        | Measure::Revenue
        | Measure::RepeatPurchaseRate
        | Measure::ChurnRate
        | Measure::RetentionRate
        | Measure::InactiveShare
        | Measure::CohortRetention => facts.purchases.times.last(),
        Measure::ComplaintsOpened | Measure::TimeToFirstResponse | Measure::TimeToResolution | Measure::OnTimeRate => {
            facts.cases.times.last()
        }
    }
}
