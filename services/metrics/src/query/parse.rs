//! Parsing a query at the door.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use barometer_chassis::{door::Door, error::Error, position::Position};
use barometer_proto::metrics::v1 as wire;

use super::{Condition, Query, Setting, Table, Vocabulary, Zones};
use crate::{
    catalogue::{Metric, Parameter, Parameters},
    fold::Source,
    rules::{granularity::Granularity, zone::LocalDays},
};

pub(crate) const MAX_METRICS: usize = 16;
pub(crate) const MAX_GROUP_BY: usize = 4;
const MAX_FILTERS: usize = 32;
const MAX_VALUES: usize = 1_000;
pub(super) const MAX_NAME: usize = 63;
const MAX_VALUE: usize = 128;

/// The positions among `at_least` that are such. [`parse`] tells about the others.
pub(crate) fn positions(tokens: &[String]) -> Vec<(Source, Position)> {
    let position = |token: &String| {
        let (service, position) = Position::decode(token)?;
        Some((Source::find(&service)?, position))
    };
    tokens.iter().filter_map(position).collect()
}

/// Parses a query, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::QueryMetricsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
) -> Result<Query, Error> {
    Door::open(|door| parse_in(door, request, vocabulary, zones, setting, &[]))?
        .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

/// Parses a query within another message. Every metric takes the parameters `also`. `None` only without a zone.
pub(crate) fn parse_in(
    door: &mut Door,
    mut request: wire::QueryMetricsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
    also: &[&'static Parameter],
) -> Option<Query> {
    let metrics = parse_metrics(door, std::mem::take(&mut request.metrics), vocabulary);
    parse_of(door, metrics, request, vocabulary, zones, setting, also)
}

/// The same of these metrics, whichever the query names.
pub(crate) fn parse_of(
    door: &mut Door,
    metrics: Vec<&'static Metric>,
    request: wire::QueryMetricsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
    also: &[&'static Parameter],
) -> Option<Query> {
    let wire::QueryMetricsRequest {
        metrics: _,
        start_time,
        end_time,
        granularity,
        time_zone,
        group_by,
        filters,
        parameters,
        at_least,
    } = request;
    let (start, end) = parse_times(door, start_time, end_time);
    let granularity = parse_granularity(door, granularity).unwrap_or_default();
    let days = parse_zone(door, &time_zone, zones);
    let tables = tables_of(&metrics);
    let group_by = parse_group_by(door, group_by, MAX_GROUP_BY, &tables, vocabulary);
    let filters = parse_filters(door, filters, &tables, vocabulary);
    let parameters = parse_parameters(door, &parameters, &metrics, also);
    check_positions(door, &at_least);
    let now = door.now().0;
    days.map(|days| Query { metrics, start, end, granularity, days, group_by, filters, parameters, now, setting })
}

/// The time asked for, of which either side may be open.
pub(crate) fn parse_times(
    door: &mut Door,
    start: Option<prost_types::Timestamp>,
    end: Option<prost_types::Timestamp>,
) -> (Option<i64>, Option<i64>) {
    let start = door.optional_time("start_time", start).map(|at| at.0);
    let end = door.optional_time("end_time", end).map(|at| at.0);
    let now = door.now().0;
    match (start, end) {
        (Some(start), Some(end)) if start >= end => {
            door.refuse("end_time", "OUT_OF_RANGE", "must be later than `start_time`");
        }
        (Some(start), None) if start >= now => {
            door.refuse("start_time", "OUT_OF_RANGE", "lies in the future: give an end_time too");
        }
        _ => {}
    }
    (start, end)
}

/// The tables of metrics, each with the metric's name.
pub(crate) fn tables_of(metrics: &[&'static Metric]) -> Vec<(Table, &'static str)> {
    metrics.iter().flat_map(|metric| metric.tables().into_iter().map(|table| (table, metric.id))).collect()
}

/// How long periods are, if that is said.
pub(crate) fn parse_granularity(door: &mut Door, granularity: i32) -> Option<Granularity> {
    match door.optional_choice("granularity", granularity) {
        wire::Granularity::Unspecified => None,
        wire::Granularity::Day => Some(Granularity::Day),
        wire::Granularity::Week => Some(Granularity::Week),
        wire::Granularity::Month => Some(Granularity::Month),
        wire::Granularity::Quarter => Some(Granularity::Quarter),
        wire::Granularity::Year => Some(Granularity::Year),
    }
}

/// The days of a zone by its name; those of the reporting zone when it has none, or one that is refused.
pub(crate) fn parse_zone(door: &mut Door, time_zone: &str, zones: &Zones) -> Option<Arc<LocalDays>> {
    zones.find(time_zone).or_else(|| {
        door.refuse("time_zone", "UNKNOWN_VALUE", "is no IANA name of a time zone");
        zones.find("")
    })
}

/// The metrics of these names.
pub(crate) fn parse_metrics(door: &mut Door, names: Vec<String>, vocabulary: &Vocabulary) -> Vec<&'static Metric> {
    if names.is_empty() {
        door.missing("metrics");
    }
    let mut seen = BTreeSet::new();
    let metrics = door.each("metrics", names, MAX_METRICS, |door, name| {
        let metric = vocabulary.metric(door, "", &name)?;
        if !seen.insert((metric.id, metric.version)) {
            door.refuse("", "REPEATED", format!("names `{name}` again"));
        }
        Some(metric)
    });
    metrics.into_iter().flatten().collect()
}

/// The names of at most so many dimensions that all of these tables have; each table with the name of what is made of it.
pub(crate) fn parse_group_by(
    door: &mut Door,
    names: Vec<String>,
    most: usize,
    tables: &[(Table, &str)],
    vocabulary: &Vocabulary,
) -> Vec<String> {
    let mut seen = BTreeSet::new();
    door.each("group_by", names, most, |door, name| {
        let name = check_dimension(door, "", name, tables, vocabulary);
        if !seen.insert(name.clone()) {
            door.refuse("", "REPEATED", format!("names `{name}` again"));
        }
        name
    })
}

/// Conditions on dimensions that all of these tables have.
pub(crate) fn parse_filters(
    door: &mut Door,
    filters: Vec<wire::Filter>,
    tables: &[(Table, &str)],
    vocabulary: &Vocabulary,
) -> Vec<Condition> {
    door.each("filters", filters, MAX_FILTERS, |door, wire::Filter { dimension, values, exclude }| {
        let dimension = check_dimension(door, "dimension", dimension, tables, vocabulary);
        if values.is_empty() {
            door.missing("values");
        }
        let values = door.each("values", values, MAX_VALUES, |door, value| door.text("", value, MAX_VALUE));
        Condition { dimension, values, exclude }
    })
}

fn check_dimension(
    door: &mut Door,
    field: &str,
    name: String,
    tables: &[(Table, &str)],
    vocabulary: &Vocabulary,
) -> String {
    if name.is_empty() {
        door.missing(field);
        return name;
    }
    if name.chars().count() > MAX_NAME {
        door.refuse(field, "TOO_LONG", format!("at most {MAX_NAME} characters"));
        return name;
    }
    let without = tables.iter().find(|(table, _)| !vocabulary.has(*table, &name));
    if let Some((table, of)) = without {
        let known = vocabulary.tell(*table);
        let description = format!("`{name}` is no dimension of {of}; there are {known}");
        door.refuse(field, "UNKNOWN_DIMENSION", description);
    }
    name
}

/// The parameters given by name, of those that the metrics have and of `also`.
pub(crate) fn parse_parameters(
    door: &mut Door,
    given: &BTreeMap<String, String>,
    metrics: &[&'static Metric],
    also: &[&'static Parameter],
) -> Parameters {
    let all = metrics.iter().flat_map(|metric| metric.parameters).chain(also);
    let known: BTreeMap<_, _> = all.map(|parameter| (parameter.name, *parameter)).collect();
    let mut parameters = Parameters::default();
    for (name, value) in given {
        let field = format!("parameters.{}", name.chars().take(MAX_NAME).collect::<String>());
        let Some(parameter) = known.get(name.as_str()) else {
            let names: Vec<_> = known.keys().copied().collect();
            let description = match names.is_empty() {
                true => "is no parameter: there are none".to_owned(),
                false => format!("is no parameter; there are {}", names.join(", ")),
            };
            door.refuse(&field, "UNKNOWN_PARAMETER", description);
            continue;
        };
        if !parameters.set(name, value) {
            door.refuse(&field, "OUT_OF_RANGE", format!("must be {}", parameter.allowed.describe()));
        }
    }
    parameters
}

/// Refuses what is no position of a source, or a second one of it.
pub(crate) fn check_positions(door: &mut Door, tokens: &[String]) {
    let mut seen = BTreeMap::new();
    for (index, token) in tokens.iter().enumerate() {
        let field = format!("at_least[{index}]");
        match Position::decode(token) {
            Some((service, _)) if Source::find(&service).is_none() => {
                door.refuse(&field, "NOT_A_POSITION", format!("is a position of {service}, which figures do not use"));
            }
            Some((service, _)) => {
                if seen.insert(service.clone(), index).is_some() {
                    door.refuse(&field, "REPEATED", format!("is another position of {service}"));
                }
            }
            None => door.refuse(&field, "NOT_A_POSITION", "is not a position"),
        }
    }
}
