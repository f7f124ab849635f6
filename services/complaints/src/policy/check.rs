//! What is wrong with a list of policies: everything at once, each with the path of its field.

use std::collections::HashMap;

use barometer_chassis::error::Violation;

use super::{Policy, PolicyList, unreachable};
use crate::{
    clock::{Kind, Target, Unit},
    ladder,
};

/// The clocks of a case in the order in which they can end: none may be due after one that follows.
const IN_ORDER: [(Kind, &str); 4] = [
    (Kind::Acknowledgement, "acknowledgement"),
    (Kind::FirstResponse, "first response"),
    (Kind::Resolution, "resolution"),
    (Kind::TotalResolution, "total resolution"),
];

/// All that is wrong with a list. Paths begin at the list: `policies[2].name`.
pub fn check(policies: &PolicyList) -> Vec<Violation> {
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
        check_targets(policy, &mut refuse);
        check_ladders(policy, &mut refuse);
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
    let mut seen: HashMap<Kind, usize> = HashMap::new();
    for (place, target) in policy.targets.iter().enumerate() {
        if let Some(first) = seen.get(&target.kind) {
            let told = format!("targets[{first}] is of the same clock: each has one target");
            refuse(&format!(".targets[{place}].kind"), "REPEATED", told);
        }
        seen.entry(target.kind).or_insert(place);
    }
    let targets = IN_ORDER.map(|(kind, name)| {
        let place = seen.get(&kind).copied();
        place.and_then(|place| Some((place, name, policy.targets.get(place)?.target)))
    });
    for (index, later) in targets.iter().enumerate() {
        let Some((_, later_name, later)) = later else { continue };
        for (place, name, earlier) in targets.iter().take(index).flatten() {
            if is_longer(*earlier, *later) {
                let (earlier, later) = (words(*earlier), words(*later));
                let told = format!("the {name} may take {earlier}, but the {later_name} only {later}");
                refuse(&format!(".targets[{place}].target"), "CONTRADICTION", told);
            }
        }
    }
}

/// What is wrong with the ladders of one policy.
fn check_ladders(policy: &Policy, refuse: &mut impl FnMut(&str, &'static str, String)) {
    let mut seen: HashMap<Kind, usize> = HashMap::new();
    for (place, ladder) in policy.ladders.iter().enumerate() {
        let path = format!(".ladders[{place}]");
        if let Some(first) = seen.get(&ladder.kind) {
            let told = format!("ladders[{first}] is of the same clock: each has one ladder");
            refuse(&format!("{path}.kind"), "REPEATED", told);
        }
        seen.entry(ladder.kind).or_insert(place);
        match policy.targets.iter().find(|target| target.kind == ladder.kind) {
            None => refuse(&format!("{path}.kind"), "NO_TARGET", "the policy has no target for this clock".to_owned()),
            Some(target) => {
                ladder::check(target.target, &ladder.steps, &policy.conditions, |step, field, reason, told| {
                    refuse(&format!("{path}.steps[{step}]{field}"), reason, told);
                })
            }
        }
    }
    ladder::check_of_promises(&policy.promise_steps, &policy.conditions, |step, field, reason, told| {
        refuse(&format!(".promise_steps[{step}]{field}"), reason, told);
    });
}

/// Whether one target is due after the other whenever both start: so many days of any calendar are never over before as
/// many days of the week, nor working minutes before as many minutes. Of other units that is so when the least that the one
/// may take is more than the most that the other may.
pub(crate) fn is_longer(one: Target, other: Target) -> bool {
    /// Working units take at least as long as others.
    #[derive(PartialEq)]
    enum Counts {
        Time,
        Days,
    }
    let size = |target: Target| match target.unit {
        Unit::ElapsedMinutes => Some((Counts::Time, false, target.amount)),
        Unit::WorkingMinutes => Some((Counts::Time, true, target.amount)),
        Unit::WorkingDays => Some((Counts::Days, true, target.amount)),
        Unit::CalendarDays => Some((Counts::Days, false, target.amount)),
        Unit::Weeks => Some((Counts::Days, false, target.amount.saturating_mul(7))),
        Unit::Months => None,
    };
    if (one.unit, other.unit) == (Unit::Months, Unit::Months) {
        return one.amount > other.amount;
    }
    match (size(one), size(other)) {
        (Some((counts, working, amount)), Some((as_well, also_working, than))) if counts == as_well => {
            working >= also_working && amount > than
        }
        _ => most_minutes(other).is_some_and(|most| least_minutes(one) > most),
    }
}

const DAY: u64 = 24 * 60;

/// The least that a target may take. Days begin with the one after the start, and one of them may be missing: where the clocks
/// are changed, or the date line is moved.
fn least_minutes(Target { amount, unit }: Target) -> u64 {
    let amount = u64::from(amount);
    match unit {
        Unit::ElapsedMinutes | Unit::WorkingMinutes => amount,
        Unit::CalendarDays | Unit::WorkingDays => amount.saturating_sub(1) * DAY,
        Unit::Weeks => (7 * amount).saturating_sub(1) * DAY,
        Unit::Months => (28 * amount).saturating_sub(1) * DAY,
    }
}

/// The most that a target may take; working time takes as long as its calendar makes it. The day of the start comes on top,
/// and one more for changed clocks.
fn most_minutes(Target { amount, unit }: Target) -> Option<u64> {
    let amount = u64::from(amount);
    match unit {
        Unit::ElapsedMinutes => Some(amount),
        Unit::CalendarDays => Some((amount + 2) * DAY),
        Unit::Weeks => Some((7 * amount + 2) * DAY),
        Unit::Months => Some((31 * amount + 2) * DAY),
        Unit::WorkingMinutes | Unit::WorkingDays => None,
    }
}

/// As people say it: `3 working days`.
fn words(target: Target) -> String {
    let unit = match target.unit {
        Unit::ElapsedMinutes => "minute",
        Unit::WorkingMinutes => "working minute",
        Unit::WorkingDays => "working day",
        Unit::CalendarDays => "day",
        Unit::Weeks => "week",
        Unit::Months => "month",
    };
    let plural = if target.amount == 1 { "" } else { "s" };
    format!("{} {unit}{plural}", target.amount)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ClockTarget, policy::Conditions};

    fn policy(name: &str, conditions: Conditions, targets: &[(Kind, u32, Unit)]) -> Policy {
        let targets = targets.iter().map(|(kind, amount, unit)| ClockTarget::new(*kind, *amount, *unit)).collect();
        Policy { name: name.to_owned(), conditions, targets, ..Policy::default() }
    }

    fn found(policies: Vec<Policy>) -> Vec<String> {
        let found = check(&PolicyList(policies));
        found.into_iter().map(|violation| format!("{} {}", violation.field, violation.reason)).collect()
    }

    const GOOD: [(Kind, u32, Unit); 1] = [(Kind::FirstResponse, 60, Unit::WorkingMinutes)];

    fn of(tier: &str) -> Conditions {
        Conditions { customer_tiers: [tier.to_owned()].into_iter().collect(), ..Conditions::default() }
    }

    #[test]
    fn a_good_list_has_nothing_wrong() {
        let none = Conditions::default();
        assert!(found(vec![policy("gold", of("gold"), &GOOD), policy("all", none, &GOOD)]).is_empty());
    }

    #[test]
    fn everything_is_told_at_once() {
        let told = found(vec![
            policy("one", of("gold"), &GOOD),
            policy("one", of("silver"), &[]),
            policy("two", of("gold"), &GOOD),
        ]);
        let expected = [
            "policies[1].name REPEATED",
            "policies[1].targets REQUIRED",
            "policies[2] UNREACHABLE",
            "policies[2].conditions MISSING_FALLBACK",
        ];
        assert_eq!(told, expected);
        assert_eq!(found(Vec::new()), ["policies MISSING_FALLBACK"]);
    }

    #[test]
    fn no_step_may_take_longer_than_one_that_follows() {
        use Kind::{Acknowledgement, FirstResponse, PeriodicUpdate, Resolution, TotalResolution};
        use Unit::{CalendarDays, ElapsedMinutes, Months, Weeks, WorkingDays, WorkingMinutes};
        let refused = |targets: &[(Kind, u32, Unit)]| {
            found(vec![policy("all", Conditions::default(), targets)])
                .into_iter()
                .map(|told| told.replace("policies[0].", "").replace(" CONTRADICTION", ""))
                .collect::<Vec<_>>()
        };
        let none: [&str; 0] = [];
        let equal = [(Acknowledgement, 1, WorkingDays), (FirstResponse, 1, WorkingDays)];
        assert_eq!(refused(&equal), none);
        assert_eq!(refused(&[(TotalResolution, 2, Weeks), (Resolution, 15, CalendarDays)]), ["targets[1].target"]);
        assert_eq!(refused(&[(Resolution, 14, CalendarDays), (TotalResolution, 2, Weeks)]), none);
        let all = [(Acknowledgement, 9, WorkingDays), (FirstResponse, 5, WorkingDays), (Resolution, 8, WorkingDays)];
        assert_eq!(refused(&all), ["targets[0].target", "targets[0].target"]);
        // Working time takes at least as long as time; the other way nothing is known.
        assert_eq!(refused(&[(Acknowledgement, 61, WorkingMinutes), (FirstResponse, 60, ElapsedMinutes)]).len(), 1);
        assert_eq!(refused(&[(Acknowledgement, 61, ElapsedMinutes), (FirstResponse, 60, WorkingMinutes)]), none);
        assert_eq!(refused(&[(Resolution, 8, WorkingDays), (TotalResolution, 1, Weeks)]).len(), 1);
        assert_eq!(refused(&[(Resolution, 2, Months), (TotalResolution, 1, Months)]).len(), 1);
        // Other units are held against one another by what they take at least and at most.
        assert_eq!(refused(&[(Resolution, 2, Months), (TotalResolution, 30, CalendarDays)]).len(), 1);
        assert_eq!(refused(&[(Resolution, 1, Months), (TotalResolution, 27, CalendarDays)]), none);
        assert_eq!(refused(&[(FirstResponse, 10_080, ElapsedMinutes), (Resolution, 1, CalendarDays)]).len(), 1);
        assert_eq!(refused(&[(FirstResponse, 1_440, ElapsedMinutes), (Resolution, 1, CalendarDays)]), none);
        assert_eq!(refused(&[(FirstResponse, 4, WorkingDays), (Resolution, 4_000, ElapsedMinutes)]).len(), 1);
        assert_eq!(refused(&[(FirstResponse, 9, CalendarDays), (Resolution, 60, WorkingMinutes)]), none);
        assert_eq!(refused(&[(PeriodicUpdate, 9, WorkingDays), (Resolution, 1, WorkingDays)]), none);
        assert_eq!(refused(&[(Resolution, 1, Months), (Resolution, 1, Months)]), ["targets[1].kind REPEATED"]);
    }
}
