//! Figures, definitions and the state of the fold as messages.

pub(crate) mod analysis;
pub(crate) mod comparison;
pub(crate) mod definition;
pub(crate) mod driver;
pub(crate) mod explanation;
pub(crate) mod journey;
pub(crate) mod state;
pub(crate) mod transition;
pub(crate) mod trend;
pub(crate) mod verification;

use barometer_chassis::{clock::Micros, door};
use barometer_proto::{common::v1::Money, metrics::v1 as wire};
use barometer_statistics::{Interval, Level};

use crate::{
    catalogue::{Metric, Parameter},
    fold::{Fold, Source, State},
    query::{Figure, Figures, Measured, Zones},
};

/// A definition.
pub(crate) fn metric(metric: &Metric) -> wire::Metric {
    let Metric {
        id,
        version,
        title,
        description,
        formula,
        unit,
        direction,
        sources,
        table: _,
        parameters,
        counts,
        computed,
        amounts,
        statistics,
        interval,
        always_grouped_by,
        sample,
        minimum_sample,
        lowest,
        highest,
        additivity,
        test,
        example,
        scale: _,
        awaits: _,
        follows: _,
        looks_back: _,
        revisions: _,
        is_state: _,
        stands: _,
        granularity: _,
        extent: _,
        answer: _,
        defined,
    } = metric;
    wire::Metric {
        id: (*id).to_owned(),
        version: *version,
        title: (*title).to_owned(),
        description: (*description).to_owned(),
        formula: (*formula).to_owned(),
        unit: (*unit).into(),
        direction: (*direction).into(),
        sources: texts(sources),
        dimensions: texts(&metric.dimensions()),
        parameters: parameters.iter().map(|one| parameter(one)).collect(),
        counts: texts(counts),
        computed_counts: texts(computed),
        amounts: texts(amounts),
        statistics: texts(statistics),
        interval: (*interval).to_owned(),
        always_grouped_by: texts(always_grouped_by),
        lowest: *lowest,
        highest: *highest,
        additivity: (*additivity).into(),
        minimum_sample: i64::try_from(*minimum_sample).unwrap_or(i64::MAX),
        example: (*example).to_owned(),
        sample: sample.join(" + "),
        test: test.describe().to_owned(),
        defined: defined.is_some(),
    }
}

fn parameter(parameter: &Parameter) -> wire::Parameter {
    let Parameter { name, description, default, allowed } = parameter;
    wire::Parameter {
        name: (*name).to_owned(),
        description: (*description).to_owned(),
        default_value: (*default).to_owned(),
        allowed: allowed.describe(),
    }
}

/// The figures of a metric.
pub(crate) fn result(figures: Figures) -> wire::MetricResult {
    let Figures { metric, figures } = figures;
    wire::MetricResult {
        metric: metric.id.to_owned(),
        version: metric.version,
        unit: metric.unit.into(),
        rows: figures.into_iter().map(row).collect(),
    }
}

pub(crate) fn row(figure: Figure) -> wire::Row {
    let Figure { start, end, label, group, partial, completeness, revised, suppressed, measured } = figure;
    let Measured { value, counts, amounts, statistics, statistics_error, interval, evidence: _ } = measured;
    let currency = group.iter().find(|(name, _)| name == "currency").map_or("", |(_, code)| code);
    let state = match value {
        _ if suppressed => wire::RowState::Suppressed,
        Some(_) => wire::RowState::Ok,
        None => wire::RowState::NoFacts,
    };
    wire::Row {
        start_time: Some(Micros(start).to_wire()),
        end_time: Some(Micros(end).to_wire()),
        // The whole time has no name in the contract.
        label: if label == "all" { String::new() } else { label },
        value,
        state: state.into(),
        counts: counts.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
        amounts: amounts.into_iter().map(|(name, micros)| (name.to_owned(), money(currency, micros))).collect(),
        interval: interval.map(|(limits, level)| limits_of(limits, level)),
        partial,
        statistics: statistics.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        statistics_error,
        completeness: completeness.into(),
        revise_time: revised.map(|at| Micros(at).to_wire()),
        group: group.into_iter().collect(),
    }
}

fn limits_of(Interval { lower, upper }: Interval, level: Level) -> wire::Interval {
    wire::Interval { low: lower, high: upper, level: level.share() }
}

/// Sums lie far beyond single amounts, but within the message's whole units.
pub(crate) fn money(currency: &str, micros: i128) -> Money {
    const MICROS: i128 = 1_000_000;
    let units = i64::try_from(micros / MICROS).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX });
    // What is left is less than a unit.
    let fraction = i64::try_from(micros % MICROS).unwrap_or_default();
    Money { units, ..door::money(currency, fraction) }
}

/// How far these sources have come.
pub(crate) fn freshness(fold: &Fold, state: &State, sources: &[Source]) -> Vec<wire::Freshness> {
    sources.iter().map(|source| freshness_of(fold, state, *source)).collect()
}

fn freshness_of(fold: &Fold, state: &State, source: Source) -> wire::Freshness {
    let reached = state.reached(source);
    wire::Freshness {
        source: source.name().to_owned(),
        position: reached.position.encode(source.name()),
        complete_until: reached.complete_until.map(Micros::to_wire),
        connected: fold.link(source).connected,
    }
}

/// The state of the fold at an instant.
pub(crate) fn fold(fold: &Fold, zones: &Zones, minimum_sample: u64, now: Micros) -> wire::Fold {
    let state = fold.read();
    let sources = Source::ALL.into_iter().map(|source| {
        let link = fold.link(source);
        let complete_until = state.reached(source).complete_until;
        wire::FoldSource {
            freshness: Some(freshness_of(fold, &state, source)),
            lag_seconds: complete_until.map(|until| seconds(now.0.saturating_sub(until.0).max(0))),
            facts: match source {
                Source::Customers => state.facts.count_customers(),
                Source::Surveys => state.facts.count_surveys(),
                Source::Complaints => state.facts.count_complaints(),
            },
            restarts: link.restarts,
            last_error: link.last_error,
        }
    });
    wire::Fold {
        sources: sources.collect(),
        snapshot_time: fold.snapshot_time().map(Micros::to_wire),
        resumed: fold.resumed,
        reporting_time_zone: zones.reporting_name.clone(),
        minimum_sample: i64::try_from(minimum_sample).unwrap_or(i64::MAX),
    }
}

pub(crate) fn seconds(micros: i64) -> f64 {
    std::time::Duration::from_micros(micros.unsigned_abs()).as_secs_f64()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
