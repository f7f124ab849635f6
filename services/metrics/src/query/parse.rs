//! Parsing a query at the door.

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::{door::Door, error::Error, position::Position};
use barometer_proto::metrics::v1 as wire;

use super::{Condition, Query, Table, Zones};
use crate::{
    catalogue::{self, Metric, Parameters},
    columns::Facts,
    fold::Source,
    rules::granularity::Granularity,
};

const MAX_METRICS: usize = 16;
const MAX_GROUP_BY: usize = 4;
const MAX_FILTERS: usize = 32;
const MAX_VALUES: usize = 1_000;
const MAX_NAME: usize = 63;
const MAX_VALUE: usize = 128;
/// Names that a violation tells at most.
const MAX_TOLD: usize = 50;

/// The dimensions that facts have at the moment, by table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Vocabulary {
    responses: Vec<String>,
    purchases: Vec<String>,
    customers: Vec<String>,
    cases: Vec<String>,
}

impl Vocabulary {
    /// Of these facts.
    pub(crate) fn of(facts: &Facts) -> Self {
        Vocabulary {
            responses: Table::Responses.declared(facts),
            purchases: Table::Purchases.declared(facts),
            customers: Table::Customers.declared(facts),
            cases: Table::Cases.declared(facts),
        }
    }

    fn has(&self, table: Table, name: &str) -> bool {
        table.dimensions().contains(&name) || self.declared(table).iter().any(|declared| declared == name)
    }

    fn tell(&self, table: Table) -> String {
        let declared = self.declared(table).iter().map(String::as_str);
        let names: Vec<_> = table.dimensions().iter().copied().chain(declared).collect();
        let more = if names.len() > MAX_TOLD { ", …" } else { "" };
        format!("{}{more}", names[..names.len().min(MAX_TOLD)].join(", "))
    }

    fn declared(&self, table: Table) -> &[String] {
        match table {
            Table::Responses => &self.responses,
            Table::Purchases => &self.purchases,
            Table::Customers => &self.customers,
            Table::Cases | Table::HandOffs | Table::Redresses | Table::Clocks | Table::Claims | Table::Escalations => {
                &self.cases
            }
            Table::Promises | Table::FollowUps => &[],
        }
    }
}

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
) -> Result<Query, Error> {
    Door::open(|door| {
        let wire::QueryMetricsRequest {
            metrics,
            start_time,
            end_time,
            granularity,
            time_zone,
            group_by,
            filters,
            parameters,
            at_least,
        } = request;
        let metrics = parse_metrics(door, metrics);
        let start = door.optional_time("start_time", start_time).map(|at| at.0);
        let end = door.optional_time("end_time", end_time).map(|at| at.0);
        let now = door.now().0;
        match (start, end) {
            (Some(start), Some(end)) if start >= end => {
                door.refuse("end_time", "OUT_OF_RANGE", "must be later than start_time");
            }
            (Some(start), None) if start >= now => {
                door.refuse("start_time", "OUT_OF_RANGE", "lies in the future: give an end_time too");
            }
            _ => {}
        }
        let granularity = match door.optional_choice("granularity", granularity) {
            wire::Granularity::Unspecified => Granularity::All,
            wire::Granularity::Day => Granularity::Day,
            wire::Granularity::Week => Granularity::Week,
            wire::Granularity::Month => Granularity::Month,
            wire::Granularity::Quarter => Granularity::Quarter,
            wire::Granularity::Year => Granularity::Year,
        };
        let days = zones.find(&time_zone).or_else(|| {
            door.refuse("time_zone", "UNKNOWN_VALUE", "is no IANA name of a time zone");
            zones.find("")
        });
        let group_by = parse_group_by(door, group_by, &metrics, vocabulary);
        let filters =
            door.each("filters", filters, MAX_FILTERS, |door, filter| parse_filter(door, filter, &metrics, vocabulary));
        let parameters = parse_parameters(door, &parameters, &metrics);
        check_positions(door, &at_least);
        days.map(|days| Query { metrics, start, end, granularity, days, group_by, filters, parameters, now })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

fn parse_metrics(door: &mut Door, names: Vec<String>) -> Vec<&'static Metric> {
    if names.is_empty() {
        door.missing("metrics");
    }
    let mut seen = BTreeSet::new();
    let metrics = door.each("metrics", names, MAX_METRICS, |door, name| {
        let Some(metric) = catalogue::find(&name) else {
            let known: Vec<_> = catalogue::METRICS.iter().map(|metric| metric.id).collect();
            door.refuse("", "UNKNOWN_METRIC", format!("is no metric; there are {}", known.join(", ")));
            return None;
        };
        if !seen.insert(metric.id) {
            door.refuse("", "REPEATED", format!("names `{name}` again"));
        }
        Some(metric)
    });
    metrics.into_iter().flatten().collect()
}

fn parse_group_by(
    door: &mut Door,
    names: Vec<String>,
    metrics: &[&'static Metric],
    vocabulary: &Vocabulary,
) -> Vec<String> {
    let mut seen = BTreeSet::new();
    door.each("group_by", names, MAX_GROUP_BY, |door, name| {
        let name = check_dimension(door, "", name, metrics, vocabulary);
        if !seen.insert(name.clone()) {
            door.refuse("", "REPEATED", format!("names `{name}` again"));
        }
        name
    })
}

fn parse_filter(
    door: &mut Door,
    filter: wire::Filter,
    metrics: &[&'static Metric],
    vocabulary: &Vocabulary,
) -> Condition {
    let wire::Filter { dimension, values, exclude } = filter;
    let dimension = check_dimension(door, "dimension", dimension, metrics, vocabulary);
    if values.is_empty() {
        door.missing("values");
    }
    let values = door.each("values", values, MAX_VALUES, |door, value| door.text("", value, MAX_VALUE));
    Condition { dimension, values, exclude }
}

/// The name of a dimension that every metric asked for has.
fn check_dimension(
    door: &mut Door,
    field: &str,
    name: String,
    metrics: &[&'static Metric],
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
    let without = metrics.iter().find(|metric| !vocabulary.has(metric.table, &name));
    if let Some(metric) = without {
        let known = vocabulary.tell(metric.table);
        let description = format!("`{name}` is no dimension of {}; there are {known}", metric.id);
        door.refuse(field, "UNKNOWN_DIMENSION", description);
    }
    name
}

fn parse_parameters(door: &mut Door, given: &BTreeMap<String, String>, metrics: &[&'static Metric]) -> Parameters {
    let known: BTreeMap<_, _> =
        metrics.iter().flat_map(|metric| metric.parameters).map(|parameter| (parameter.name, *parameter)).collect();
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
            door.refuse(&field, "OUT_OF_RANGE", format!("is not one of: {}", parameter.allowed.describe()));
        }
    }
    parameters
}

fn check_positions(door: &mut Door, tokens: &[String]) {
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
