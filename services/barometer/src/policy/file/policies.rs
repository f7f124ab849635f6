//! The policies of a file.

use std::collections::{BTreeMap, BTreeSet};

use barometer_chassis::door::Door;
use barometer_complaints::{calendar::Calendar, calendar_version::CalendarId, parse_policy_list};
use barometer_proto::complaints::v1::{
    self as wire, CaseKind, ClockDuration, ClockKind, ClockTarget, Conditions, PolicySet, Priority, Severity,
};
use serde::Deserialize;
use toml::Spanned;
use uuid::Uuid;

use super::{super::amount, ladders, place::Places};

type Texts = Option<Vec<Spanned<String>>>;

/// A policy as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    name: Option<Spanned<String>>,
    calendar: Option<Spanned<String>>,
    kinds: Texts,
    categories: Texts,
    severities: Texts,
    priorities: Texts,
    channels: Texts,
    customer_tiers: Texts,
    value_bands: Texts,
    products: Texts,
    countries: Texts,
    targets: Option<BTreeMap<String, Spanned<Target>>>,
    ladders: Option<ladders::Texts>,
}

/// A target as it is written.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "a target is an amount such as \"3 working days\", or { target = …, holding = … }")]
enum Target {
    Amount(String),
    Table(TargetTable),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetTable {
    target: String,
    holding: Option<String>,
    pauses_for_customer: Option<bool>,
    pauses_for_third_party: Option<bool>,
}

/// Notes what is wrong with policies; gives them, and the calendars that they name by the ids that were made up for them. Whether the calendars that they name are there is known only if there are any.
pub(super) fn check(
    places: &mut Places<'_>,
    texts: Vec<Spanned<Text>>,
    calendars: Option<&BTreeMap<String, Option<Calendar>>>,
) -> (Vec<wire::Policy>, BTreeMap<String, String>) {
    places.note("policies", 0, "policies");
    let mut names = Names { ids: BTreeMap::new(), calendars };
    let policies: Vec<wire::Policy> =
        texts.into_iter().enumerate().map(|(index, text)| read(places, &mut names, index, text)).collect();
    let set = PolicySet { policies: policies.clone(), ..PolicySet::default() };
    let known: BTreeSet<CalendarId> = names.ids.values().copied().collect();
    if let Err(error) = Door::open(|door| parse_policy_list(door, set, &known)) {
        places.refused(error);
    }
    (policies, names.ids.into_iter().map(|(name, id)| (id.to_string(), name)).collect())
}

/// Ids made up for the names of calendars.
struct Names<'c> {
    ids: BTreeMap<String, CalendarId>,
    calendars: Option<&'c BTreeMap<String, Option<Calendar>>>,
}

impl Names<'_> {
    fn id(&mut self, name: &str) -> Option<CalendarId> {
        if self.calendars.is_some_and(|calendars| !calendars.contains_key(name)) {
            return None;
        }
        let next = CalendarId(Uuid::from_u128(u128::try_from(self.ids.len()).unwrap_or_default() + 1));
        Some(*self.ids.entry(name.to_owned()).or_insert(next))
    }
}

fn read(places: &mut Places<'_>, names: &mut Names<'_>, index: usize, text: Spanned<Text>) -> wire::Policy {
    let (offset, path) = (text.span().start, format!("policies[{index}]"));
    let Text {
        name,
        calendar,
        kinds,
        categories,
        severities,
        priorities,
        channels,
        customer_tiers,
        value_bands,
        products,
        countries,
        targets,
        ladders,
    } = text.into_inner();
    let label = match &name {
        Some(name) => format!("policy `{}`", name.get_ref()),
        None => path.clone(),
    };
    places.note(path.clone(), offset, label.clone());
    let at = name.as_ref().map_or(offset, |name| name.span().start);
    places.note(format!("{path}.name"), at, format!("{label}: name"));
    let calendar_id = calendar.map(|calendar| {
        places.note(format!("{path}.calendar_id"), calendar.span().start, format!("{label}: calendar"));
        names.id(calendar.get_ref()).unwrap_or_else(|| {
            places.bad(&format!("there is no calendar `{}` in this file", calendar.get_ref()));
            CalendarId::default()
        })
    });
    if calendar_id.is_none() {
        places.note(format!("{path}.calendar_id"), offset, format!("{label}: calendar"));
    }
    let mut set = |field: &str, values: Texts| condition(places, &path, &label, field, values);
    let (kinds, severities, priorities) =
        (set("kinds", kinds), set("severities", severities), set("priorities", priorities));
    let mut texts = |field, values| set(field, values).into_iter().map(|(_, _, text)| text).collect::<Vec<_>>();
    let conditions = Conditions {
        categories: texts("categories", categories),
        channels: texts("channels", channels),
        customer_tiers: texts("customer_tiers", customer_tiers),
        value_bands: texts("value_bands", value_bands),
        products: texts("products", products),
        countries: texts("countries", countries),
        kinds: words(places, &label, kinds, |word| {
            CaseKind::from_str_name(&format!("CASE_KIND_{word}")).map(i32::from)
        }),
        severities: words(places, &label, severities, |word| {
            Severity::from_str_name(&format!("SEVERITY_{word}")).map(i32::from)
        }),
        priorities: words(places, &label, priorities, |word| {
            Priority::from_str_name(&format!("PRIORITY_{word}")).map(i32::from)
        }),
    };
    places.note(format!("{path}.targets"), offset, format!("{label}: targets"));
    let targets = targets.unwrap_or_default().into_iter().enumerate();
    let targets =
        targets.map(|(at, (name, text))| target(places, format!("{path}.targets[{at}]"), &label, &name, text));
    let targets = targets.collect();
    let (ladders, promise_steps) = ladders::read(places, &path, offset, &label, ladders.unwrap_or_default());
    wire::Policy {
        targets,
        ladders,
        promise_steps,
        name: name.map(Spanned::into_inner).unwrap_or_default(),
        conditions: Some(conditions),
        calendar_id: calendar_id.map(|id| id.to_string()).unwrap_or_default(),
    }
}

/// The values of a condition: path, place and text of each.
fn condition(
    places: &mut Places<'_>,
    path: &str,
    label: &str,
    field: &str,
    values: Texts,
) -> Vec<(String, usize, String)> {
    let read = |(at, value): (usize, Spanned<String>)| {
        let (path, offset) = (format!("{path}.conditions.{field}[{at}]"), value.span().start);
        places.note(path.clone(), offset, format!("{label}: {field}"));
        (path, offset, value.into_inner())
    };
    values.unwrap_or_default().into_iter().enumerate().map(read).collect()
}

/// Values of an enum by the last words of their names.
fn words(
    places: &mut Places<'_>,
    label: &str,
    values: Vec<(String, usize, String)>,
    value_of: impl Fn(&str) -> Option<i32>,
) -> Vec<i32> {
    let mut read = |(path, offset, word): (String, usize, String)| {
        value_of(&word.to_uppercase()).filter(|value| *value != 0).unwrap_or_else(|| {
            places.note(path, offset, label);
            places.bad(&format!("there is no `{word}`"));
            UNKNOWN
        })
    };
    values.into_iter().map(&mut read).collect()
}

/// No value of any enum.
pub(super) const UNKNOWN: i32 = -1;

fn target(places: &mut Places<'_>, path: String, label: &str, name: &str, text: Spanned<Target>) -> ClockTarget {
    let offset = text.span().start;
    let label = format!("{label}: {name}");
    let table = match text.into_inner() {
        Target::Amount(target) => {
            TargetTable { target, holding: None, pauses_for_customer: None, pauses_for_third_party: None }
        }
        Target::Table(table) => table,
    };
    let mut amount = |field: &str, text: &str| -> Option<ClockDuration> {
        places.note(format!("{path}.{field}"), offset, label.clone());
        amount::parse(text).map_err(|wrong| places.bad(&wrong)).ok()
    };
    let target = amount("target", &table.target);
    let holding_target = table.holding.and_then(|holding| amount("holding_target", &holding));
    places.note(format!("{path}.kind"), offset, label.clone());
    let kind = clock(places, name);
    ClockTarget {
        kind,
        target,
        holding_target,
        pauses_for_customer: table.pauses_for_customer,
        pauses_for_third_party: table.pauses_for_third_party,
    }
}

/// The clock of a name; what is wrong is told of the field noted last.
pub(super) fn clock(places: &mut Places<'_>, name: &str) -> i32 {
    let kind = ClockKind::from_str_name(&format!("CLOCK_KIND_{}", name.to_uppercase())).map(i32::from);
    kind.filter(|kind| *kind != 0).unwrap_or_else(|| {
        places.bad(&format!("there is no clock `{name}`: they are {}", clocks().join(", ")));
        UNKNOWN
    })
}

/// The clocks, as they are written.
fn clocks() -> Vec<String> {
    let known = (1..).map_while(|value| ClockKind::try_from(value).ok());
    known.map(|kind| kind.as_str_name().trim_start_matches("CLOCK_KIND_").to_lowercase()).collect()
}
