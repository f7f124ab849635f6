//! Cohorts and curves as messages.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::{self as wire, log_rank_test::Expected};
use barometer_statistics::{
    Interval, Level,
    retention::RetentionCell,
    survival::{LogRank, OfGroup},
};

use crate::analysis::{
    reasons::{OfReason, Rise},
    retention::{Cell, Cohort, Cohorts},
    survival::{Curve, Curves, Fall, Told},
};

/// Cohorts with their averages.
pub(crate) fn retention(
    cohorts: Cohorts,
    level: Level,
    freshness: Vec<wire::Freshness>,
) -> wire::QueryRetentionResponse {
    let Cohorts { cohorts, averages } = cohorts;
    let told = |cohorts: Vec<Cohort>| cohorts.into_iter().map(|one| cohort(one, level)).collect();
    wire::QueryRetentionResponse { cohorts: told(cohorts), averages: told(averages), freshness }
}

fn cohort(cohort: Cohort, level: Level) -> wire::Cohort {
    let Cohort { group, within, label, customers, cells } = cohort;
    wire::Cohort {
        group: group.into_iter().collect(),
        start_time: Some(Micros(within.start).to_wire()),
        end_time: Some(Micros(within.end).to_wire()),
        label,
        customers: count(customers.unwrap_or_default()),
        suppressed: customers.is_none(),
        cells: cells.into_iter().map(|one| cell(one, level)).collect(),
    }
}

fn cell(cell: Cell, level: Level) -> wire::RetentionCell {
    let Cell { periods, counted } = cell;
    let of = counted.unwrap_or_default();
    let RetentionCell { size, retained, unfinished } = of;
    wire::RetentionCell {
        start: i32::try_from(periods.start).unwrap_or(i32::MAX),
        end: i32::try_from(periods.end).unwrap_or(i32::MAX),
        customers: count(size),
        retained: count(retained),
        unfinished: count(unfinished),
        percent: of.percent(),
        interval: of.proportion().map(|share| interval(share.interval(level), level)),
        suppressed: counted.is_none(),
    }
}

/// Curves with their test.
pub(crate) fn survival(curves: Curves, level: Level, freshness: Vec<wire::Freshness>) -> wire::QuerySurvivalResponse {
    let Curves { curves, test: compared } = curves;
    wire::QuerySurvivalResponse {
        curves: curves.into_iter().map(|one| curve(one, level)).collect(),
        test: compared.map(test),
        freshness,
    }
}

fn curve(curve: Curve, level: Level) -> wire::SurvivalCurve {
    let Curve { group, told } = curve;
    let group = group.into_iter().collect();
    let Some(told) = told else {
        return wire::SurvivalCurve { group, suppressed: true, ..wire::SurvivalCurve::default() };
    };
    let Told { customers, events, steps, median, median_limits, restricted_mean, until, reasons } = told;
    let (low, high) = median_limits;
    wire::SurvivalCurve {
        group,
        customers: count(customers),
        events: count(events),
        steps: steps.into_iter().map(|fall| step(fall, level)).collect(),
        median_days: median.map(days),
        median_low_days: low.map(days),
        median_high_days: high.map(days),
        restricted_mean_days: restricted_mean.map(|mean| mean / DAY),
        until_days: days(until),
        suppressed: false,
        reasons: reasons.into_iter().map(|one| reason(one, level)).collect(),
    }
}

fn reason(of: OfReason, level: Level) -> wire::ReasonCurve {
    let OfReason { reason, events, steps } = of;
    let step = |rise| {
        let Rise { time, events, share, interval: limits } = rise;
        let interval = limits.map(|limits| interval(limits, level));
        wire::ReasonStep { days: days(time), events: count(events), share, interval }
    };
    wire::ReasonCurve { reason, events: count(events), steps: steps.into_iter().map(step).collect() }
}

fn step(fall: Fall, level: Level) -> wire::SurvivalStep {
    let Fall { time, at_risk, events, survival, interval: limits } = fall;
    wire::SurvivalStep {
        days: days(time),
        at_risk: count(at_risk),
        events: count(events),
        survival,
        interval: limits.map(|limits| interval(limits, level)),
    }
}

fn test(test: LogRank) -> wire::LogRankTest {
    let LogRank { statistic, degrees_of_freedom, p_value, groups } = test;
    let of_group = |OfGroup { observed, expected }| Expected { observed: count(observed), expected };
    wire::LogRankTest {
        statistic,
        degrees_of_freedom: i32::try_from(degrees_of_freedom).unwrap_or(i32::MAX),
        p_value,
        groups: groups.into_iter().map(of_group).collect(),
    }
}

fn interval(limits: Interval, level: Level) -> wire::Interval {
    let Interval { lower, upper } = limits;
    wire::Interval { low: lower, high: upper, level: level.share() }
}

/// 24 hours in microseconds.
const DAY: f64 = 86_400e6;

/// Microseconds in days of 24 hours: exact up to 285 years.
#[allow(clippy::cast_precision_loss, reason = "nobody stays so long")]
fn days(micros: u64) -> f64 {
    micros as f64 / DAY
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
