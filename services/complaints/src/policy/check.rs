//! What is wrong with a list of policies: everything at once, each with the path of its field.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
};

use barometer_chassis::error::Violation;
use barometer_proto::complaints::v1::ClockKind;

use super::{ClockTarget, PolicyList, Policy, unreachable};
use crate::calendar_version::CalendarId;

/// The clocks of a case in the order in which they can end: none may be due after one that follows.
const IN_ORDER: [(ClockKind, &str); 4] = [
    (ClockKind::Acknowledgement, "acknowledgement"),
    (ClockKind::FirstResponse, "first response"),
    (ClockKind::Resolution, "resolution"),
    (ClockKind::TotalResolution, "total resolution"),
];

/// All that is wrong with a list, given the calendars that there are. Paths begin at the list: `policies[2].name`.
pub fn check(policies: &PolicyList, calendars: &BTreeSet<CalendarId>) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    for (place, policy) in policies.0.iter().enumerate() {
        let mut refuse = |field: &str, reason: &'static str, description: String| {
            found.push(Violation { field: format!("policies[{place}]{field}"), reason, description });
        };
        if let Some(first) = names.get(policy.name.as_str()) {
            refuse(".name", "REPEATED", format!("is the name of policies[{first}] already"));
        }
        names.entry(&policy.name).or_insert(place);
        // A nil id was refused already.
        if !policy.calendar_id.0.is_nil() && !calendars.contains(&policy.calendar_id) {
            refuse(".calendar_id", "UNKNOWN_CALENDAR", "there is no such calendar".to_owned());
        }
        check_targets(policy, &mut refuse);
    }
    found.extend(unreachable(policies).into_iter().map(|(place, by)| never_reached(policies, place, by)));
    found.extend(without_fallback(policies));
    found
}

fn never_reached(policies: &PolicyList, place: usize, by: usize) -> Violation {
    let name = policies.0.get(by).map(|policy| policy.name.as_str()).unwrap_or_default();
    Violation {
        field: format!("policies[{place}]"),
        reason: "UNREACHABLE",
        description: format!("is never reached: policies[{by}] `{name}` before it matches every case that it would"),
    }
}

fn without_fallback(policies: &PolicyList) -> Option<Violation> {
    let missing = |field: String, description: &str| {
        Some(Violation { field, reason: "MISSING_FALLBACK", description: description.to_owned() })
    };
    match policies.0.len().checked_sub(1).map(|last| (last, &policies.0[last])) {
        None => missing("policies".to_owned(), "must hold at least a policy that matches every case"),
        Some((_, policy)) if policy.conditions.are_none() => None,
        Some((last, _)) => missing(
            format!("policies[{last}].conditions"),
            "the last policy must match every case, and so have no conditions: there is no fallback",
        ),
    }
}

/// What is wrong with the targets of one policy.
fn check_targets(policy: &Policy, refuse: &mut impl FnMut(&str, &'static str, String)) {
    if policy.targets.is_empty() {
        refuse(".targets", "REQUIRED", "a policy has at least one target".to_owned());
    }
    let mut seen: HashMap<i32, usize> = HashMap::new();
    for (place, target) in policy.targets.iter().enumerate() {
        if let Some(first) = seen.get(&target.clock) {
            refuse(
                &format!(".targets[{place}].clock"),
                "REPEATED",
                format!("targets[{first}] is of the same clock: each has one target"),
            );
        }
        seen.entry(target.clock).or_insert(place);
        check_holding(target, place, refuse);
    }
    let targets = IN_ORDER.map(|(kind, name)| {
        let place = seen.get(&i32::from(kind)).copied();
        place.and_then(|place| Some((place, name, policy.targets.get(place)?)))
    });
    for (index, later) in targets.iter().enumerate() {
        let Some((_, later_name, later)) = later else { continue };
        for (place, name, earlier) in targets.iter().take(index).flatten() {
            if earlier.target.compare(&later.target) == Some(Ordering::Greater) {
                refuse(
                    &format!(".targets[{place}].target"),
                    "CONTRADICTORY",
                    format!("the {name} ({}) may take longer than the {later_name} ({})", earlier.target, later.target),
                );
            }
        }
    }
}

fn check_holding(target: &ClockTarget, place: usize, refuse: &mut impl FnMut(&str, &'static str, String)) {
    let Some(holding) = &target.holding_target else { return };
    let field = format!(".targets[{place}].holding_target");
    if target.clock != i32::from(ClockKind::FinalResponse) {
        refuse(&field, "NOT_FINAL_RESPONSE", "is of the final response only".to_owned());
    } else if matches!(holding.compare(&target.target), Some(Ordering::Less | Ordering::Equal)) {
        let told = format!("a holding reply must give more time ({holding}) than there is without ({})", target.target);
        refuse(&field, "CONTRADICTORY", told);
    }
}
