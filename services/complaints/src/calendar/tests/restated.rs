//! Facts that public test suites state, in our own words: those of the Ruby library biz (its calculations, periods and times)
//! and of Chatwoot (its deadlines in business hours).
//!
//! Where ours differ:
//! - biz holds a schedule to be active at the instant at which an interval ends; here hours are half-open, and a desk that
//!   closes at 17:00 is closed at 17:00.
//! - biz moves a local time that clocks skip forward by as much as they skip (2:30 becomes 3:30), which makes hours from 2:30
//!   to 3:15 empty; here it is the instant at which they skip it (3:00), so that hours begin no later than the wall's clock
//!   says and no hours come out backwards.
//! - Chatwoot counts round the clock when all days are closed; here such a calendar is refused.
//! - Chatwoot is late at the instant at which something is due; here that instant is in time.

use super::*;

/// biz's own example week: six days of different hours, 39½ of them.
fn biz(holidays: &[&str]) -> Timetable {
    let days: [(i32, &str); 6] = [
        (1, "09:00-17:00"),
        (2, "10:00-16:00"),
        (3, "09:00-17:00"),
        (4, "10:00-16:00"),
        (5, "09:00-17:00"),
        (6, "11:00-14:30"),
    ];
    let times = days.iter().flat_map(|(day, hours)| calendar("UTC", &[*day], &[hours], &[]).working_times().to_vec());
    let off = calendar("UTC", &[1], &["00:00-00:01"], holidays).holidays().to_vec();
    let week = Door::open(|door| Calendar::parse(door, "Etc/UTC".to_owned(), times.collect(), off)).expect("good");
    Timetable::new(&week).expect("a zone")
}

#[test]
fn what_biz_says_of_durations() {
    let (week, hour) = (biz(&[]), 60 * MINUTE);
    let [sunday, next] = ["2006-01-01T00:00:00Z", "2006-01-08T00:00:00Z"].map(at);
    assert_eq!(week.worked(sunday, next), 39 * hour + hour / 2);
    assert_eq!((week.worked(next, sunday), week.worked(sunday, sunday)), (0, 0));
    let [monday, wednesday] = ["2006-01-02T11:00:00Z", "2006-01-04T16:00:00Z"].map(at);
    assert_eq!(week.after_worked(monday, 19 * hour), Some(wednesday));

    let sundays = timetable("Africa/Abidjan", &[7], &["11:00-12:00"], &["2015-12-25"]);
    assert_eq!(sundays.after_worked(sunday, 2 * hour), Some(at("2006-01-08T12:00:00Z")));
    assert_eq!(sundays.worked(at("2006-01-01T11:30:00Z"), at("2006-01-08T11:30:00Z")), hour);
}

#[test]
fn what_biz_says_of_periods() {
    let told = |table: &Timetable, from: &str, count: usize| -> Vec<String> {
        let stretches = table.stretches(at(from), Micros(i64::MAX)).take(count);
        stretches.map(|(start, end)| format!("{start} {end}")).collect()
    };
    let week = biz(&["2006-01-16", "2006-01-18"]);
    let first = ["2006-01-02T12:00:00Z 2006-01-02T17:00:00Z", "2006-01-03T10:00:00Z 2006-01-03T16:00:00Z"];
    assert_eq!(told(&week, "2006-01-02T12:00:00Z", 2), first);
    let around_holidays = [
        "2006-01-14T11:00:00Z 2006-01-14T14:30:00Z",
        "2006-01-17T10:00:00Z 2006-01-17T16:00:00Z",
        "2006-01-19T10:00:00Z 2006-01-19T16:00:00Z",
    ];
    assert_eq!(told(&week, "2006-01-14T00:00:00Z", 3), around_holidays);
    let saturdays = timetable("America/Los_Angeles", &[6], &["06:00-18:00"], &[]);
    assert_eq!(told(&saturdays, "2006-01-08T01:00:00Z", 1), ["2006-01-08T01:00:00Z 2006-01-08T02:00:00Z"]);
}

#[test]
fn what_biz_says_of_an_instant() {
    let week = biz(&[]);
    for (instant, open) in [("2006-01-01T09:00", false), ("2006-01-02T09:00", true), ("2006-01-02T12:00", true)] {
        assert_eq!(week.is_open(at(&format!("{instant}:00Z"))), open, "{instant}");
    }
    assert!(!week.is_open(at("2006-01-02T17:00:00Z")), "biz has it open");
    // Midnight that is skipped, and a time that comes twice: the first, as biz has it.
    let saturdays = timetable("America/Sao_Paulo", &[6], &["20:00-24:00"], &[]);
    assert_eq!(saturdays.closes(at("2015-10-18T00:00:00Z")), Some(at("2015-10-18T03:00:00Z")));
    let sundays = timetable("America/Los_Angeles", &[7], &["01:30-04:00"], &[]);
    assert_eq!(sundays.opens(at("2014-11-02T00:00:00Z")), Some(at("2014-11-02T08:30:00Z")));
    // biz begins at 10:30Z, half an hour after clocks show 3:00, and has hours until 3:15 empty.
    let sundays = timetable("America/Los_Angeles", &[7], &["02:30-03:15"], &[]);
    assert_eq!(sundays.opens(at("2014-03-09T00:00:00Z")), Some(at("2014-03-09T10:00:00Z")));
    assert_eq!(sundays.closes(at("2014-03-09T10:00:00Z")), Some(at("2014-03-09T10:15:00Z")));
}

#[test]
fn what_chatwoot_says_of_deadlines() {
    let nine_to_five = timetable("UTC", &WORKDAYS, &["09:00-17:00"], &[]);
    let eastern = timetable("America/New_York", &WORKDAYS, &["09:00-17:00"], &[]);
    let saturday = Door::open(|door| {
        let mut times = calendar("UTC", &WORKDAYS, &["09:00-17:00"], &[]).working_times().to_vec();
        times.push(WorkingTime { weekday: 6, hours: Hours::DAY });
        Calendar::parse(door, "UTC".to_owned(), times, Vec::new())
    });
    let saturday = Timetable::new(&saturday.expect("good")).expect("a zone");
    let late_tuesday = Door::open(|door| {
        let mut times = calendar("UTC", &[1, 3, 4, 5], &["09:00-17:00"], &[]).working_times().to_vec();
        times.push(WorkingTime { weekday: 2, hours: Hours { start: 540, end: 1_200 } });
        Calendar::parse(door, "UTC".to_owned(), times, Vec::new())
    });
    let late_tuesday = Timetable::new(&late_tuesday.expect("good")).expect("a zone");
    for (table, from, hours, due) in [
        (&*nine_to_five, "2024-01-17T10:00:00Z", 2, "2024-01-17T12:00:00Z"),
        (&nine_to_five, "2024-01-19T16:00:00Z", 2, "2024-01-22T10:00:00Z"),
        (&nine_to_five, "2024-01-17T07:00:00Z", 2, "2024-01-17T11:00:00Z"),
        (&nine_to_five, "2024-01-17T18:00:00Z", 2, "2024-01-18T11:00:00Z"),
        (&nine_to_five, "2024-01-20T10:00:00Z", 2, "2024-01-22T11:00:00Z"),
        (&nine_to_five, "2024-01-15T16:00:00Z", 10, "2024-01-17T10:00:00Z"),
        (&eastern, "2024-01-19T21:00:00Z", 2, "2024-01-22T15:00:00Z"),
        (&saturday, "2024-01-20T10:00:00Z", 2, "2024-01-20T12:00:00Z"),
        (&saturday, "2024-01-20T00:00:00Z", 24, "2024-01-21T00:00:00Z"),
        (&late_tuesday, "2024-01-15T18:00:00Z", 10, "2024-01-16T19:00:00Z"),
        (&late_tuesday, "2024-01-15T16:00:00Z", 12, "2024-01-16T20:00:00Z"),
    ] {
        assert_eq!(table.after_worked(at(from), hours * 60 * MINUTE), Some(at(due)), "{from} {hours}");
    }
}
