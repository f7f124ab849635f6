//! Parsing a comparison at the door.

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::{door::Door, error::Error};
use barometer_proto::metrics::v1::{self as wire, query_comparisons_request::Against as WireAgainst};

use super::{Adjustment, Against, Comparing, Side};
use crate::{
    catalogue::LEVEL,
    query::{
        Query, Setting, Table, Vocabulary, Zones,
        parse::{
            MAX_GROUP_BY, check_positions, parse_filters, parse_group_by, parse_metrics, parse_parameters, parse_times,
            parse_zone, tables_of,
        },
    },
    rules::granularity::Granularity,
};

const MAX_VALUE: usize = 128;

/// Parses a comparison, which is asked now.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn parse(
    request: wire::QueryComparisonsRequest,
    vocabulary: &Vocabulary,
    zones: &Zones,
    setting: Setting,
) -> Result<Comparing, Error> {
    Door::open(|door| {
        let wire::QueryComparisonsRequest {
            metrics,
            side,
            against,
            time_zone,
            group_by,
            filters,
            parameters,
            at_least,
            adjustment,
        } = request;
        let metrics = parse_metrics(door, metrics, vocabulary);
        let tables = tables_of(&metrics);
        let parse_side = |door: &mut Door, field: &str, side| {
            let side = door.required(field, side);
            door.inside(field, |door| self::parse_side(door, side, &tables, vocabulary))
        };
        let side = parse_side(door, "side", side);
        let against = match against {
            None => {
                door.missing("against");
                Against::Rest
            }
            Some(WireAgainst::Other(other)) => Against::Other(parse_side(door, "other", Some(other))),
            Some(WireAgainst::Rest(wire::Rest {})) => {
                need_groups(door, "rest", &group_by);
                Against::Rest
            }
            Some(WireAgainst::Reference(wire::Reference { group })) => {
                need_groups(door, "reference", &group_by);
                Against::Reference(door.inside("reference", |door| parse_reference(door, group, &group_by)))
            }
        };
        let days = parse_zone(door, &time_zone, zones);
        let group_by = parse_group_by(door, group_by, MAX_GROUP_BY, &tables, vocabulary);
        let filters = parse_filters(door, filters, &tables, vocabulary);
        let parameters = parse_parameters(door, &parameters, &metrics, &[&LEVEL]);
        check_positions(door, &at_least);
        let adjustment = match door.optional_choice("adjustment", adjustment) {
            wire::Adjustment::Unspecified | wire::Adjustment::FalseDiscoveryRate => Adjustment::FalseDiscoveryRate,
            wire::Adjustment::None => Adjustment::None,
        };
        let (start, end, granularity, now) = (side.start, side.end, Granularity::All, door.now().0);
        days.map(|days| {
            let query = Query { metrics, start, end, granularity, days, group_by, filters, parameters, now, setting };
            Comparing { query, side, against, adjustment }
        })
    })?
    .ok_or_else(|| Error::Internal("there is no reporting zone".to_owned()))
}

fn parse_side(door: &mut Door, side: wire::Side, tables: &[(Table, &str)], vocabulary: &Vocabulary) -> Side {
    let wire::Side { start_time, end_time, filters } = side;
    let (start, end) = parse_times(door, start_time, end_time);
    Side { start, end, filters: parse_filters(door, filters, tables, vocabulary) }
}

fn need_groups(door: &mut Door, against: &str, group_by: &[String]) {
    if group_by.is_empty() {
        door.refuse("group_by", "REQUIRED", format!("is required: `{against}` is of groups"));
    }
}

/// The value of each dimension to group by.
fn parse_reference(door: &mut Door, group: BTreeMap<String, String>, group_by: &[String]) -> BTreeMap<String, String> {
    let (wanted, given): (BTreeSet<_>, BTreeSet<_>) = (group_by.iter().collect(), group.keys().collect());
    if wanted != given {
        let names: Vec<_> = group_by.iter().map(|name| name.chars().take(63).collect::<String>()).collect();
        door.refuse("group", "INCOMPLETE", format!("must name a value of each of: {}", names.join(", ")));
    }
    group.into_iter().map(|(name, value)| (name, door.text("group", value, MAX_VALUE))).collect()
}
