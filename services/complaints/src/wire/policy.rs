//! Policies: message ⇄ row.

use std::collections::BTreeSet;

use barometer_chassis::{clock::Micros, door::Door};
use barometer_proto::complaints::v1::{self as wire, CaseKind, Priority, Severity};
use prost_types::Timestamp;
use uuid::Uuid;

use super::{
    category::parse_category,
    ladder::{parse_ladder, parse_steps, render_ladder, render_steps},
};
use crate::{
    calendar_version::CalendarId,
    case::{PriorityTable, UNKNOWN_BAND},
    clock::ClockTarget,
    policy::{self, AnyOf, Conditions, Due, MAX_POLICIES, Policy, PolicyList, Subject},
    policy_set::Model,
};

/// The most values of a condition.
const MAX_VALUES: usize = 100;
/// More targets, and ladders, than there are kinds of clocks.
const MAX_TARGETS: usize = 16;
/// 1900-01-01T00:00:00Z, before which nothing happened.
const EARLIEST: Micros = Micros(-2_208_988_800 * Micros::SECOND);
/// How far ahead a case may be described.
const AHEAD: i64 = 5 * 366 * Micros::DAY;

/// The calendars that a list names, as far as they are ids: those to look for before it is parsed.
pub(crate) fn named_calendars(message: &wire::PolicySet) -> Vec<Uuid> {
    let named = message.policies.iter().take(MAX_POLICIES);
    let ids: BTreeSet<Uuid> = named.filter_map(|policy| Uuid::try_parse(&policy.calendar_id).ok()).collect();
    ids.into_iter().collect()
}

/// A list that is to be published, checked in all its parts against one another; `calendars` are those that there are.
pub fn parse_policy_list(door: &mut Door, message: wire::PolicySet, calendars: &BTreeSet<CalendarId>) -> PolicyList {
    let wire::PolicySet { policies, version: _, etag: _, create_time: _ } = message;
    let too_many = policies.len() > MAX_POLICIES;
    let list =
        PolicyList(door.each("policies", policies, MAX_POLICIES, |door, policy| parse_policy(door, policy, calendars)));
    if !too_many {
        for found in policy::check(&list) {
            door.refuse(&found.field, found.reason, found.description);
        }
    }
    list
}

fn parse_policy(door: &mut Door, message: wire::Policy, calendars: &BTreeSet<CalendarId>) -> Policy {
    let wire::Policy { name, conditions, calendar_id, targets, ladders, promise_steps } = message;
    let named = door.optional_id("calendar_id", &calendar_id).map(CalendarId);
    if calendar_id.is_empty() {
        door.missing("calendar_id");
    } else if named.is_some_and(|id| !calendars.contains(&id)) {
        door.refuse("calendar_id", "UNKNOWN_CALENDAR", "there is no such calendar");
    }
    Policy {
        name: door.required_text("name", name, 128),
        conditions: door.inside("conditions", |door| parse_conditions(door, conditions.unwrap_or_default())),
        calendar_id: named.unwrap_or_default(),
        targets: door.each("targets", targets, MAX_TARGETS, ClockTarget::parse),
        ladders: door.each("ladders", ladders, MAX_TARGETS, parse_ladder),
        promise_steps: parse_steps(door, "promise_steps", promise_steps),
    }
}

fn parse_conditions(door: &mut Door, message: wire::Conditions) -> Conditions {
    let wire::Conditions {
        kinds,
        categories,
        severities,
        priorities,
        channels,
        customer_tiers,
        value_bands,
        products,
        countries,
    } = message;
    let texts = |door: &mut Door, field: &str, values: Vec<String>, max: usize| {
        door.each(field, values, MAX_VALUES, |door, value| door.required_text("", value, max))
    };
    Conditions {
        kinds: choices::<CaseKind, _>(door, "kinds", kinds),
        categories: door
            .each("categories", categories, MAX_VALUES, |door, path| parse_named_category(door, "", path))
            .into_iter()
            .collect(),
        severities: choices::<Severity, _>(door, "severities", severities),
        priorities: choices::<Priority, _>(door, "priorities", priorities),
        channels: texts(door, "channels", channels, 64).into_iter().collect(),
        customer_tiers: texts(door, "customer_tiers", customer_tiers, 64).into_iter().collect(),
        value_bands: texts(door, "value_bands", value_bands, 64).into_iter().collect(),
        products: texts(door, "products", products, 128).into_iter().collect(),
        countries: texts(door, "countries", countries, 64).into_iter().collect(),
    }
}

/// A category, which must be given.
fn parse_named_category(door: &mut Door, field: &str, path: String) -> String {
    if path.is_empty() {
        door.missing(field);
    }
    parse_category(door, field, path)
}

/// A set of values of an enum.
fn choices<E: TryFrom<i32> + Default + PartialEq + Into<i32>, const ALL: usize>(
    door: &mut Door,
    field: &str,
    values: Vec<i32>,
) -> AnyOf<i32, ALL> {
    let values = door.each(field, values, MAX_VALUES, |door, value| -> i32 { door.choice::<E>("", value).into() });
    values.into_iter().collect()
}

/// A list for callers.
pub(crate) fn render_policy_set(row: Model) -> wire::PolicySet {
    let Model { id: _, version, policies, actor: _, create_time } = row;
    wire::PolicySet {
        version,
        policies: render_policy_list(policies),
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
    }
}

/// Policies for callers.
pub(crate) fn render_policy_list(list: PolicyList) -> Vec<wire::Policy> {
    list.0.into_iter().map(render_policy).collect()
}

/// A policy for callers.
pub(crate) fn render_policy(policy: Policy) -> wire::Policy {
    let Policy { name, conditions, calendar_id, targets, ladders, promise_steps } = policy;
    let conditions = (conditions != Conditions::default()).then(|| render_conditions(&conditions));
    let targets = targets.into_iter().map(ClockTarget::to_wire).collect();
    let ladders = ladders.into_iter().map(render_ladder).collect();
    let promise_steps = render_steps(promise_steps);
    wire::Policy { name, conditions, calendar_id: calendar_id.to_string(), targets, ladders, promise_steps }
}

fn render_conditions(conditions: &Conditions) -> wire::Conditions {
    let Conditions {
        kinds,
        categories,
        severities,
        priorities,
        channels,
        customer_tiers,
        value_bands,
        products,
        countries,
    } = conditions;
    wire::Conditions {
        kinds: kinds.values().copied().collect(),
        categories: categories.values().cloned().collect(),
        severities: severities.values().copied().collect(),
        priorities: priorities.values().copied().collect(),
        channels: channels.values().cloned().collect(),
        customer_tiers: customer_tiers.values().cloned().collect(),
        value_bands: value_bands.values().cloned().collect(),
        products: products.values().cloned().collect(),
        countries: countries.values().cloned().collect(),
    }
}

/// When a clock would be due, for callers.
pub(crate) fn render_due(due: Due) -> wire::DueTime {
    let Due { kind, due, holding_due } = due;
    wire::DueTime {
        kind: kind.to_wire().into(),
        due_time: due.map(Micros::to_wire),
        holding_due_time: holding_due.map(Micros::to_wire),
    }
}

/// What policies are asked about a case.
pub(crate) fn parse_described_case(
    door: &mut Door,
    message: wire::DescribedCase,
    priorities: &PriorityTable,
) -> Subject {
    let wire::DescribedCase {
        kind,
        category,
        severity,
        priority,
        channel,
        customer_tier,
        value_band,
        product,
        country,
    } = message;
    let kind = match door.optional_choice("kind", kind) {
        CaseKind::Unspecified => CaseKind::Complaint,
        kind => kind,
    };
    let severity = match door.optional_choice("severity", severity) {
        Severity::Unspecified => Severity::Medium,
        severity => severity,
    };
    let value_band = match door.text("value_band", value_band, 64) {
        band if band.is_empty() => UNKNOWN_BAND.to_owned(),
        band => band,
    };
    let priority = match door.optional_choice("priority", priority) {
        Priority::Unspecified => priorities.priority(severity, &value_band),
        priority => priority,
    };
    Subject {
        kind: kind.into(),
        category: parse_category(door, "category", category),
        severity: severity.into(),
        priority: priority.into(),
        channel: door.text("channel", channel, 64),
        customer_tier: door.text("customer_tier", customer_tier, 64),
        value_band,
        product: door.text("product", product, 128),
        country: door.text("country", country, 64),
    }
}

/// When a described case would be opened.
pub(crate) fn parse_instant(door: &mut Door, field: &str, at: Option<Timestamp>) -> Micros {
    let now = door.now();
    let Some(at) = door.optional_time(field, at) else { return now };
    if at < EARLIEST || at.0 > now.0 + AHEAD {
        door.refuse(field, "OUT_OF_RANGE", "is before 1900 or more than five years ahead");
    }
    at
}
