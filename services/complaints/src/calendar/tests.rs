//! Timetables against facts, and against a twin that goes through time minute by minute.

mod restated;
mod twin;

use std::sync::Arc;

use barometer_chassis::{clock::Micros, door::Door};
use jiff::Timestamp;
use proptest::prelude::*;

pub(crate) use self::twin::Twin;
use super::{Calendar, Holiday, Hours, Timetable, WorkingTime};

pub(crate) const MINUTE: i64 = 60 * Micros::SECOND;

/// The instant of an RFC 3339 text.
pub(crate) fn at(text: &str) -> Micros {
    Micros(text.parse::<Timestamp>().expect("an instant").as_microsecond())
}

/// A calendar with the same hours, such as `08:00-18:00`, on each of the weekdays; holidays as `2026-12-25` or
/// `2026-12-24 12:00-24:00`.
pub(crate) fn calendar(zone: &str, weekdays: &[i32], hours: &[&str], holidays: &[&str]) -> Calendar {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').expect("HH:MM");
        hour.parse::<i32>().expect("hours") * 60 + minute.parse::<i32>().expect("minutes")
    };
    let range =
        |text: &str| text.split_once('-').map(|(from, until)| (minute(from), minute(until))).expect("from-until");
    let parsed = Door::open(|door| {
        let times = weekdays.iter().flat_map(|day| hours.iter().map(move |hours| (*day, range(hours))));
        let times = times.map(|(day, (from, until))| WorkingTime::parse(door, day, from, until)).collect();
        let holiday = |text: &&str| {
            let (date, (from, until)) =
                text.split_once(' ').map_or((*text, (0, 0)), |(day, hours)| (day, range(hours)));
            (date.to_owned(), from, until)
        };
        let holidays: Vec<_> = holidays.iter().map(holiday).collect();
        let holidays = holidays
            .into_iter()
            .map(|(date, from, until)| Holiday::parse(door, &date, from, until, format!("holiday of {date}")));
        let holidays = holidays.collect();
        Calendar::parse(door, zone.to_owned(), times, holidays)
    });
    parsed.expect("a good calendar")
}

pub(crate) fn timetable(zone: &str, weekdays: &[i32], hours: &[&str], holidays: &[&str]) -> Arc<Timetable> {
    Arc::new(Timetable::new(&calendar(zone, weekdays, hours, holidays)).expect("a known zone"))
}

pub(crate) const WORKDAYS: [i32; 5] = [1, 2, 3, 4, 5];

#[test]
fn hours_that_clocks_skip_or_repeat() {
    let sundays = timetable("America/New_York", &[7], &["01:00-05:00"], &[]);
    for (day, hours) in [("2024-03-03", 4), ("2024-03-10", 3), ("2024-11-03", 5), ("2024-11-10", 4)] {
        let start = at(&format!("{day}T00:00:00Z"));
        assert_eq!(sundays.worked(start, Micros(start.0 + Micros::DAY)), hours * 60 * MINUTE, "{day}");
    }
    // Hours that begin or end within the skipped or the repeated hour.
    for (hours, spring, autumn) in [("02:30-05:00", 120, 150), ("01:00-02:30", 60, 150), ("00:00-01:30", 90, 90)] {
        let sundays = timetable("America/New_York", &[7], &[hours], &[]);
        for (day, minutes) in [("2024-03-10", spring), ("2024-11-03", autumn)] {
            let start = at(&format!("{day}T00:00:00Z"));
            assert_eq!(sundays.worked(start, Micros(start.0 + Micros::DAY)), minutes * MINUTE, "{day} {hours}");
        }
    }
}

#[test]
fn due_is_closing_time_when_that_is_when_it_is_reached() {
    let berlin = timetable("Europe/Berlin", &WORKDAYS, &["08:00-18:00"], &["2013-03-29", "2013-04-01"]);
    for (from, minutes, told) in [
        ("2013-03-21T09:30:00Z", 60, "2013-03-21T10:30:00Z"),
        ("2013-03-21T16:00:00Z", 60, "2013-03-21T17:00:00Z"),
        ("2013-03-21T16:00:00Z", 61, "2013-03-22T07:01:00Z"),
        // Friday's close before Easter, then Tuesday, by when clocks have gone forward.
        ("2013-03-28T16:00:00Z", 120, "2013-04-02T07:00:00Z"),
        ("2013-03-28T17:00:00Z", 600, "2013-04-02T16:00:00Z"),
    ] {
        assert_eq!(berlin.after_worked(at(from), minutes * MINUTE), Some(at(told)), "{from} {minutes}");
    }
}

#[test]
fn a_desk_opens_and_closes() {
    let desk = timetable("Europe/Berlin", &WORKDAYS, &["08:00-12:00", "12:00-13:00", "14:00-24:00"], &["2026-01-01"]);
    let told = |from: &str| (desk.opens(at(from)).expect("soon"), desk.closes(at(from)).expect("soon"));
    // Open: it is now that it opens. Hours that touch are one.
    assert_eq!(told("2026-03-02T07:00:00Z"), (at("2026-03-02T07:00:00Z"), at("2026-03-02T12:00:00Z")));
    // Closed: it is now that it closes.
    assert_eq!(told("2026-03-02T12:00:00Z"), (at("2026-03-02T13:00:00Z"), at("2026-03-02T12:00:00Z")));
    assert_eq!(desk.opens(at("2025-12-31T23:00:00Z")), Some(at("2026-01-02T07:00:00Z")));
    assert!(desk.is_open(at("2025-12-31T22:59:59.999999Z")) && !desk.is_open(at("2025-12-31T23:00:00Z")));
    assert_eq!(desk.holiday(at("2026-01-01T09:00:00Z")).map(|h| h.name.as_str()), Some("holiday of 2026-01-01"));
    assert_eq!(desk.holiday(at("2026-01-01T12:30:00Z")), None, "nobody works at that hour anyway");

    let always = timetable("Asia/Kolkata", &[1, 2, 3, 4, 5, 6, 7], &["00:00-24:00"], &["2026-06-01"]);
    assert_eq!(always.closes(at("2024-05-31T12:00:00Z")), Some(at("2026-05-31T18:30:00Z")));
}

#[test]
fn there_is_no_working_time_before_1900_and_after_2200() {
    let desk = timetable("Pacific/Kiritimati", &WORKDAYS, &["08:00-18:00"], &[]);
    let (first, last) = (at("0001-01-01T00:00:00Z"), at("9999-12-30T00:00:00Z"));
    assert_eq!(desk.opens(first).map(|at| at.to_string()).as_deref(), Some("1900-01-01T18:29:20Z"));
    assert_eq!(desk.opens(at("2200-12-31T04:00:00Z")), None);
    assert_eq!(desk.closes(last), Some(last));
    let whole = desk.worked(first, last);
    assert_eq!(whole, 78_528 * 600 * MINUTE, "the working days of 301 years");
    assert_eq!(desk.after_worked(first, whole), Some(at("2200-12-31T04:00:00Z")));
    assert_eq!(desk.after_worked(first, whole + 1), None);
    assert_eq!(desk.worked(last, first), 0);
}

#[test]
fn working_days_are_counted_when_they_close() {
    let desk = timetable("Europe/Berlin", &WORKDAYS, &["08:00-12:00", "13:00-18:00"], &["2026-04-03", "2026-04-06"]);
    let thursday = at("2026-04-02T10:00:00Z");
    let day = desk.day(thursday);
    assert_eq!(desk.after_working_days(thursday, day, 1), Some(at("2026-04-07T16:00:00Z")));
    assert_eq!(desk.after_working_days(thursday, day, 300), Some(at("2027-05-31T16:00:00Z")));
    assert_eq!(desk.working_days(thursday, at("2026-04-07T15:59:59Z"), day), (0, None));
    assert_eq!(desk.working_days(thursday, at("2026-04-07T16:00:00Z"), day), (1, Some(day + 5)));
    assert_eq!(desk.holiday_of(day + 1).map(|h| h.date.to_string()).as_deref(), Some("2026-04-03"));
    assert_eq!(desk.holiday_of(day + 2), None, "a Saturday");
}

/// Zones whose clocks are put forward and back at odd times and by odd amounts, or never.
pub(crate) const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Tehran",
    "Pacific/Chatham",
    "Europe/Dublin",
];

/// Starts of windows of five days: shortly before clocks are put forward or back somewhere, and any others.
pub(crate) fn window() -> impl Strategy<Value = Micros> {
    let known = [
        "2024-03-09",
        "2024-03-30",
        "2024-10-26",
        "2024-11-02",
        "2018-11-03",
        "2018-02-17",
        "2010-11-06",
        "2011-12-29",
        "2024-04-05",
        "2024-10-04",
        "2022-03-21",
        "2023-03-18",
        "2199-03-30",
        "1999-12-30",
    ];
    let known = prop::sample::select(known.map(|day| at(&format!("{day}T00:00:00Z")).0).to_vec());
    let any = (at("1973-01-01T00:00:00Z").0 / MINUTE..at("2199-01-01T00:00:00Z").0 / MINUTE).prop_map(|m| m * MINUTE);
    prop_oneof![known, any].prop_map(Micros)
}

/// Any calendar, with holidays in the days from `start`.
pub(crate) fn any_calendar(start: Micros) -> impl Strategy<Value = Calendar> {
    let hours = (0u16..1_440, 1u16..700).prop_map(|(start, length)| Hours { start, end: (start + length).min(1_440) });
    let week = prop::collection::vec((1u8..=7, hours.clone()), 1..14);
    let whole = prop_oneof![Just(Hours::DAY), hours];
    let holidays = prop::collection::vec((0..6, whole), 0..4);
    (prop::sample::select(ZONES.to_vec()), week, holidays).prop_map(move |(zone, week, holidays)| {
        let mut times: Vec<WorkingTime> = Vec::new();
        for (weekday, hours) in week {
            if !times.iter().any(|other| other.weekday == weekday && other.hours.overlaps(hours)) {
                times.push(WorkingTime { weekday, hours });
            }
        }
        let first = super::date_of(i32::try_from(start.0.div_euclid(Micros::DAY)).expect("a day"));
        let holiday = |(day, hours): (i32, Hours)| Holiday {
            date: first.saturating_add(jiff::SignedDuration::from_hours(i64::from(day) * 24)),
            hours,
            name: format!("holiday {day}"),
        };
        let holidays = holidays.into_iter().map(holiday).collect();
        Door::open(|door| Calendar::parse(door, zone.to_owned(), times, holidays)).expect("a good calendar")
    })
}

proptest! {
    /// Each minute, and so all that is made of minutes, is as the twin has it.
    #[test]
    fn a_timetable_is_as_its_twin(
        (start, calendar) in window().prop_flat_map(|start| (Just(start), any_calendar(start))),
        spans in prop::collection::vec((0i64..7_200, 0i64..7_200), 8),
    ) {
        let (table, twin) = (Timetable::new(&calendar).expect("a zone"), Twin::new(&calendar, start));
        let minute = |minute: i64| Micros(start.0 + minute * MINUTE);
        for (one, other) in spans {
            let (from, until) = (one.min(other), one.max(other));
            prop_assert_eq!(table.worked(minute(from), minute(until)), twin.worked(from, until) * MINUTE);
            prop_assert_eq!(table.is_open(minute(from)), twin.is_open(from));
            prop_assert_eq!(table.date(minute(from)), twin.date(from));
            let stretches: i64 = table.stretches(minute(from), minute(until)).map(|(start, end)| end.0 - start.0).sum();
            prop_assert_eq!(stretches, twin.worked(from, until) * MINUTE);
            if let Some(due) = twin.after_worked(from, until - from) {
                prop_assert_eq!(table.after_worked(minute(from), (until - from) * MINUTE), Some(minute(due)));
            }
            if let Some(opens) = (from..twin.minutes()).find(|minute| twin.is_open(*minute)) {
                prop_assert_eq!(table.opens(minute(from)), Some(minute(opens)));
            }
            if let Some(closes) = (from..twin.minutes()).find(|minute| !twin.is_open(*minute)) {
                prop_assert_eq!(table.closes(minute(from)), Some(minute(closes)));
            }
            let day = table.day(minute(from));
            let closings: Vec<i64> = (from + 1..=until).filter(|m| twin.closing(*m).is_some_and(|of| of > day)).collect();
            let (count, _) = table.working_days(minute(from), minute(until), day);
            prop_assert_eq!(count, i64::try_from(closings.len()).expect("few"));
            if let Some(second) = closings.get(1) {
                prop_assert_eq!(table.after_working_days(minute(from), day, 2), Some(minute(*second)));
            }
        }
    }

    #[test]
    fn two_stretches_add_up_to_the_whole_and_due_is_where_the_target_is_used(
        (start, calendar) in window().prop_flat_map(|start| (Just(start), any_calendar(start))),
        mut instants in prop::array::uniform3(0i64..3 * 366 * Micros::DAY),
        target in 1i64..300 * 60 * MINUTE,
    ) {
        instants.sort_unstable();
        let [a, b, c] = instants.map(|after| Micros(start.0 + after));
        let table = Timetable::new(&calendar).expect("a zone");
        prop_assert_eq!(table.worked(a, b) + table.worked(b, c), table.worked(a, c));
        let Some(due) = table.after_worked(a, target) else {
            prop_assert!(table.worked(a, table.ends()) < target, "a calendar with a minute a week may end before");
            return Ok(());
        };
        prop_assert_eq!(table.worked(a, due), target);
        prop_assert!(table.worked(a, Micros(due.0 - 1)) < target, "no instant before it is due");
    }
}
