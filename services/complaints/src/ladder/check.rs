//! What is wrong with a ladder.

use barometer_proto::complaints::v1::Priority;

use super::{Raise, Repeat, Rung, When};
use crate::{
    clock::{Target, Unit},
    policy::{Conditions, is_longer},
};

/// Tells everything that is wrong with the steps of a clock's ladder, of a policy with these conditions: the place of the
/// step, the field within it, the reason and the words.
pub fn check(
    target: Target,
    steps: &[Rung],
    conditions: &Conditions,
    refuse: impl FnMut(usize, &str, &'static str, String),
) {
    check_steps(Some(target), steps, conditions, refuse);
}

/// The same of the ladder of promises.
pub fn check_of_promises(
    steps: &[Rung],
    conditions: &Conditions,
    refuse: impl FnMut(usize, &str, &'static str, String),
) {
    check_steps(None, steps, conditions, refuse);
}

fn check_steps(
    target: Option<Target>,
    steps: &[Rung],
    conditions: &Conditions,
    mut refuse: impl FnMut(usize, &str, &'static str, String),
) {
    let mut raised = conditions.priorities.values().copied().min().unwrap_or_default();
    for (place, rung) in steps.iter().enumerate() {
        let mut refuse = |field: &str, reason, told: &str| refuse(place, field, reason, told.to_owned());
        if let Some(before) = place.checked_sub(1).and_then(|before| steps.get(before))
            && !comes_after(rung.when, before.when)
        {
            refuse("", "OUT_OF_ORDER", "is not taken after the step before it");
        }
        check_times(target, rung, &mut refuse);
        if rung.raise.is_none() && rung.hand_over.is_none() && rung.notify.is_empty() {
            refuse("", "REQUIRED", "does nothing: it raises the priority, hands the case over or notifies somebody");
        }
        match rung.raise {
            Some(Raise::To(to)) if to <= raised.max(Priority::Low.into()) => {
                let told =
                    "raises nothing: every case is as urgent by then, by what the policy or an earlier step says";
                refuse(".raise_to", "RAISES_NOTHING", told);
            }
            Some(Raise::ByOne) if raised >= i32::from(Priority::Urgent) => {
                let told = "raises nothing: every case is as urgent as can be by then";
                refuse(".raise_by_one", "RAISES_NOTHING", told);
            }
            Some(Raise::To(to)) => raised = to,
            Some(Raise::ByOne) if raised > 0 => raised += 1,
            Some(Raise::ByOne) | None => {}
        }
    }
}

/// Whether a step is taken after another, as far as that can be said of every calendar.
fn comes_after(when: When, before: When) -> bool {
    match (before, when) {
        (When::Percent(before), When::Percent(then)) => before < then,
        (When::Percent(_), When::Due | When::After(_)) | (When::Due, When::After(_)) => true,
        (When::After(before), When::After(then)) => before != then && !is_longer(before, then),
        (When::Due, When::Percent(_) | When::Due) | (When::After(_), When::Percent(_) | When::Due) => false,
    }
}

/// What is wrong with when a step is taken.
fn check_times(target: Option<Target>, rung: &Rung, refuse: &mut impl FnMut(&str, &'static str, &str)) {
    let not_a_pace = "is neither minutes, working days nor calendar days";
    match (rung.when, target) {
        (When::Percent(percent), Some(target)) if all_of_days(target, percent) => {
            let told = "comes to all of the target, as days are used one by one: say 100, or a smaller part";
            refuse(".percent", "ROUNDS_TO_DUE", told);
        }
        (When::After(after), Some(target))
            if after.of_unit(target.unit).is_none() && after.unit != Unit::ElapsedMinutes =>
        {
            let told = "is measured neither as the clock is nor in minutes round the clock";
            refuse(".after_due.unit", "NOT_OF_THIS_CLOCK", told);
        }
        (When::After(Target { unit: Unit::Weeks | Unit::Months, .. }), None) => {
            refuse(".after_due.unit", "NOT_A_PACE", not_a_pace);
        }
        _ => {}
    }
    let at_night = |amount: Target| rung.working_time_only && amount.unit == Unit::ElapsedMinutes;
    let contradiction = "is measured round the clock, but the step is taken in working time only";
    if let When::After(after) = rung.when
        && at_night(after)
    {
        refuse(".after_due", "CONTRADICTION", contradiction);
    }
    let Some(Repeat { every, .. }) = rung.repeat else { return };
    match every.unit {
        Unit::Weeks | Unit::Months => {
            refuse(".repeat.every.unit", "NOT_A_PACE", not_a_pace);
        }
        _ if at_night(every) => refuse(".repeat.every", "CONTRADICTION", contradiction),
        _ => {}
    }
}

/// Whether a part of so many days comes to all of them.
fn all_of_days(target: Target, percent: u8) -> bool {
    let days = match target.unit {
        Unit::WorkingDays | Unit::CalendarDays => u64::from(target.amount),
        Unit::Weeks => 7 * u64::from(target.amount),
        Unit::Months => 28 * u64::from(target.amount),
        Unit::ElapsedMinutes | Unit::WorkingMinutes => return false,
    };
    (days * u64::from(percent)).div_ceil(100) >= days
}
