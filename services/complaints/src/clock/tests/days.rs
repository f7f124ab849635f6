//! Clocks that count days.

use super::*;

fn due(unit: Unit, amount: u32, opened: &str) -> String {
    let case = berlin(&[ClockTarget::new(Kind::FinalResponse, amount, unit)], &[(opened, Opened)]);
    case.clock(Kind::FinalResponse, opened).due.expect("within the years").to_string()
}

#[test]
fn the_day_of_the_start_does_not_count_and_the_last_one_does_to_its_end() {
    use Unit::{CalendarDays, Months, Weeks, WorkingDays};
    for (unit, amount, opened, told) in [
        // Thursday: working days end when work does, others at midnight.
        (WorkingDays, 1, "2026-03-05T00:00:00Z", "2026-03-06T17:00:00Z"),
        (WorkingDays, 2, "2026-03-05T20:00:00Z", "2026-03-09T17:00:00Z"),
        (WorkingDays, 1, "2026-03-07T12:00:00Z", "2026-03-09T17:00:00Z"),
        (WorkingDays, 15, "2026-03-02T12:00:00Z", "2026-03-23T17:00:00Z"),
        (CalendarDays, 1, "2026-03-05T00:00:00Z", "2026-03-06T23:00:00Z"),
        // 23:30Z is the next day in Berlin.
        (CalendarDays, 1, "2026-03-05T23:30:00Z", "2026-03-07T23:00:00Z"),
        // Clocks go forward in between.
        (CalendarDays, 5, "2026-03-26T12:00:00Z", "2026-03-31T22:00:00Z"),
        (Weeks, 8, "2026-03-02T12:00:00Z", "2026-04-27T22:00:00Z"),
        (Months, 1, "2026-01-31T12:00:00Z", "2026-02-28T23:00:00Z"),
        (Months, 1, "2028-01-31T12:00:00Z", "2028-02-29T23:00:00Z"),
        (Months, 12, "2028-02-29T12:00:00Z", "2029-02-28T23:00:00Z"),
        (Months, 3, "2026-03-31T12:00:00Z", "2026-06-30T22:00:00Z"),
    ] {
        assert_eq!(due(unit, amount, opened), told, "{amount} {unit:?} from {opened}");
    }
}

#[test]
fn a_pause_takes_the_days_whose_end_it_covers() {
    let paused = |unit, from: &str, until: &str| {
        let pauses = Pauses { customer: true, third_party: false };
        let target = ClockTarget { pauses, ..ClockTarget::new(Kind::FinalResponse, 3, unit) };
        let wait = Wait::Customer;
        let events = [("2026-03-02T12:00:00Z", Opened), (from, WaitBegan(wait)), (until, WaitEnded(wait))];
        let case = berlin(&[target], &events);
        case.clock(Kind::FinalResponse, "2026-03-12T12:00:00Z").due.expect("soon").to_string()
    };
    let [working, calendar] = [Unit::WorkingDays, Unit::CalendarDays];
    // Within a day, it takes nothing. Work ends at 17:00Z.
    assert_eq!(paused(working, "2026-03-03T07:00:00Z", "2026-03-03T16:59:00Z"), "2026-03-05T17:00:00Z");
    assert_eq!(paused(working, "2026-03-03T17:00:00Z", "2026-03-04T16:59:00Z"), "2026-03-05T17:00:00Z");
    assert_eq!(paused(working, "2026-03-03T16:59:00Z", "2026-03-03T17:00:00Z"), "2026-03-06T17:00:00Z");
    assert_eq!(paused(working, "2026-03-03T12:00:00Z", "2026-03-05T12:00:00Z"), "2026-03-09T17:00:00Z");
    assert_eq!(paused(calendar, "2026-03-03T12:00:00Z", "2026-03-05T12:00:00Z"), "2026-03-07T23:00:00Z");
    assert_eq!(paused(calendar, "2026-03-02T13:00:00Z", "2026-03-03T12:00:00Z"), "2026-03-05T23:00:00Z");
}

#[test]
fn no_date_is_counted_twice_when_a_case_changes_hands() {
    let berlin = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &[]);
    let new_york = timetable("America/New_York", &WORKDAYS, &["08:00-18:00"], &[]);
    let target = ClockTarget::new(Kind::FinalResponse, 2, Unit::WorkingDays);
    let events = [
        ("2026-03-02T12:00:00Z", Opened),
        // Monday's end in New York is that of the day of the start.
        ("2026-03-02T18:00:00Z", HandedOver { desk: 1 }),
        ("2026-03-03T12:00:00Z", HandedOver { desk: 0 }),
        // Tuesday was counted in Berlin.
        ("2026-03-03T18:00:00Z", HandedOver { desk: 1 }),
    ];
    let case = Told::new(&[berlin, new_york], &[target], &events);
    let clock = case.clock(Kind::FinalResponse, "2026-03-05T12:00:00Z");
    assert_eq!((clock.due, clock.used), (Some(at("2026-03-04T23:00:00Z")), Amount::Days(2)));
    let told: Vec<_> = case.history().explain(&clock).map(|stretch| (stretch.until, stretch.reason)).collect();
    assert_eq!(
        told,
        [
            (at("2026-03-02T18:00:00Z"), Reason::DayOfStart),
            (at("2026-03-03T05:00:00Z"), Reason::DayOfStart),
            (at("2026-03-03T12:00:00Z"), Reason::DayNotEnded),
            (at("2026-03-03T18:00:00Z"), Reason::DayEnded),
            (at("2026-03-04T05:00:00Z"), Reason::DayCounted),
            (at("2026-03-05T05:00:00Z"), Reason::DayEnded),
            (at("2026-03-05T12:00:00Z"), Reason::DayNotEnded),
        ]
    );
}

#[test]
fn a_holding_response_in_time_brings_the_longer_target() {
    let target = ClockTarget {
        holding: Some(Target { amount: 35, unit: Unit::WorkingDays }),
        ..ClockTarget::new(Kind::FinalResponse, 15, Unit::WorkingDays)
    };
    for (held, due, state) in [
        ("2026-03-23T17:00:00Z", "2026-04-20T16:00:00Z", State::Running),
        ("2026-03-23T17:00:00.000001Z", "2026-03-23T17:00:00Z", State::Breached),
    ] {
        let case = berlin(&[target], &[("2026-03-02T12:00:00Z", Opened), (held, ToCustomer(Holding))]);
        let before = case.clock(Kind::FinalResponse, "2026-03-20T12:00:00Z");
        assert_eq!((before.due, before.held), (Some(at("2026-03-23T17:00:00Z")), false));
        let after = case.clock(Kind::FinalResponse, "2026-03-24T12:00:00Z");
        assert_eq!((after.due, after.state), (Some(at(due)), state), "{held}");
        assert_eq!(after.held, state == State::Running);
    }
}

#[test]
fn nothing_is_due_after_the_calendar_ends() {
    let case = berlin(&[ClockTarget::new(Kind::Resolution, 120, Unit::Months)], &[("2195-01-01T00:00:00Z", Opened)]);
    let clock = case.clock(Kind::Resolution, "2195-01-02T00:00:00Z");
    assert_eq!((clock.due, clock.state), (None, State::Running));
}
