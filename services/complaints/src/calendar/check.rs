//! What makes a calendar: everything that is wrong with one is told in one answer.

use barometer_chassis::door::Door;
use jiff::{civil::Date, tz::TimeZone};

use super::{Calendar, DAY_MINUTES, Holiday, Hours, WorkingTime};

impl Calendar {
    /// The most stretches of work on one day of the week.
    pub const MAX_WORKING_TIMES_A_DAY: usize = 20;
    /// The most stretches of work in a week.
    pub const MAX_WORKING_TIMES: usize = 7 * Self::MAX_WORKING_TIMES_A_DAY;
    /// The most holidays.
    pub const MAX_HOLIDAYS: usize = 2_000;
    /// The first and the last year in which there is working time.
    pub const YEARS: (i16, i16) = (1900, 2200);

    /// A calendar of checked parts, brought into order. Wrong parts are noted under the fields `time_zone`,
    /// `working_times[…]` and `holidays[…]` of where the door stands.
    pub fn parse(
        door: &mut Door,
        time_zone: String,
        working_times: Vec<WorkingTime>,
        holidays: Vec<Holiday>,
    ) -> Calendar {
        parse_zone(door, &time_zone);
        let mut calendar = Calendar { time_zone, working_times, holidays };
        check_week(door, &calendar.working_times);
        if calendar.holidays.len() > Self::MAX_HOLIDAYS {
            too_many(door, "holidays", Self::MAX_HOLIDAYS, calendar.holidays.len());
        }
        calendar.working_times.sort_unstable();
        calendar.holidays.sort_unstable();
        calendar.holidays.dedup();
        calendar
    }
}

impl WorkingTime {
    /// From the fields `weekday` (1 for Monday to 7 for Sunday), `start_minute` and `end_minute` of where the door stands.
    pub fn parse(door: &mut Door, weekday: i32, start_minute: i32, end_minute: i32) -> WorkingTime {
        let known = u8::try_from(weekday).ok().filter(|weekday| (1..=7).contains(weekday));
        match (known, weekday) {
            (Some(_), _) => {}
            (None, 0) => door.missing("weekday"),
            (None, _) => door.refuse("weekday", "UNKNOWN_VALUE", "is no day from 1 (Monday) to 7 (Sunday)"),
        }
        let hours = Hours::parse(door, start_minute, end_minute);
        // What is wrong in itself is on no day, so that it overlaps nothing as well.
        let weekday = known.filter(|_| hours.is_some()).unwrap_or_default();
        WorkingTime { weekday, hours: hours.unwrap_or(Hours::DAY) }
    }
}

impl Holiday {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 128;

    /// From the fields `date` (as in ISO 8601: `2026-12-25`), `start_minute`, `end_minute` (0 for the end of the day) and
    /// `name` of where the door stands.
    pub fn parse(door: &mut Door, date: &str, start_minute: i32, end_minute: i32, name: String) -> Holiday {
        let end_minute = if end_minute == 0 { i32::from(DAY_MINUTES) } else { end_minute };
        Holiday {
            date: parse_date(door, date),
            hours: Hours::parse(door, start_minute, end_minute).unwrap_or(Hours::DAY),
            name: door.text("name", name, Self::MAX_NAME),
        }
    }
}

impl Hours {
    fn parse(door: &mut Door, start_minute: i32, end_minute: i32) -> Option<Hours> {
        let minute = |minute: i32| u16::try_from(minute).ok().filter(|minute| *minute <= DAY_MINUTES);
        let (start, end) = (minute(start_minute).filter(|start| *start < DAY_MINUTES), minute(end_minute));
        if start.is_none() {
            door.refuse("start_minute", "OUT_OF_RANGE", "is not within 0 and 1,439");
        }
        if end.is_none() {
            door.refuse("end_minute", "OUT_OF_RANGE", "is not within 0 and 1,440");
        }
        let hours = Hours { start: start?, end: end? };
        if hours.start >= hours.end {
            door.refuse("end_minute", "EMPTY", "is not after `start_minute`: work past midnight is two stretches");
            return None;
        }
        Some(hours)
    }
}

/// Refuses what is no zone of the IANA's database. `Local` and other names for the machine's own zone are none.
fn parse_zone(door: &mut Door, name: &str) {
    if name.is_empty() {
        door.missing("time_zone");
    } else if name.len() > 64 || TimeZone::get(name).is_err() {
        door.refuse("time_zone", "NOT_A_TIME_ZONE", "is no time zone of the IANA's database such as `Europe/Berlin`");
    }
}

fn parse_date(door: &mut Door, text: &str) -> Date {
    if text.is_empty() {
        door.missing("date");
        return Date::default();
    }
    // Only this one form: a library that reads more of them would also take times and weeks.
    let date = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    match date {
        None => door.refuse("date", "NOT_A_DATE", "is not a date such as 2026-12-25"),
        Some(date) if !(Calendar::YEARS.0..=Calendar::YEARS.1).contains(&date.year()) => {
            door.refuse("date", "OUT_OF_RANGE", "is not within the years 1900 to 2200");
        }
        Some(_) => {}
    }
    date.unwrap_or_default()
}

/// There must be some, not too many a day, and none that overlap.
fn check_week(door: &mut Door, times: &[WorkingTime]) {
    if times.is_empty() {
        door.refuse("working_times", "NO_WORKING_TIME", "is empty: nothing would ever be due");
    }
    if times.len() > Calendar::MAX_WORKING_TIMES {
        return too_many(door, "working_times", Calendar::MAX_WORKING_TIMES, times.len());
    }
    for (index, time) in times.iter().enumerate() {
        let same_day = |other: &&WorkingTime| other.weekday == time.weekday;
        let field = format!("working_times[{index}]");
        if times[..index].iter().filter(same_day).count() == Calendar::MAX_WORKING_TIMES_A_DAY {
            too_many(door, &field, Calendar::MAX_WORKING_TIMES_A_DAY, times.iter().filter(same_day).count());
        }
        let overlaps = |other: &WorkingTime| same_day(&other) && other.hours.overlaps(time.hours);
        if let Some(other) = times[..index].iter().position(overlaps).filter(|_| time.weekday != 0) {
            door.refuse(&field, "OVERLAPS", format!("has minutes in common with working_times[{other}]"));
        }
    }
}

fn too_many(door: &mut Door, field: &str, most: usize, there: usize) {
    door.refuse(field, "TOO_MANY", format!("at most {most}; there are {there}"));
}

#[cfg(test)]
mod tests {
    use barometer_chassis::error::Error;
    use proptest::prelude::*;

    use super::*;

    type Week<'w> = &'w [(i32, i32, i32)];

    fn made(zone: &str, week: Week, holidays: &[(&str, i32, i32)]) -> Result<Calendar, Vec<String>> {
        let parsed = Door::open(|door| {
            let week = door.each("working_times", week.to_vec(), 1_000, |door, (weekday, start, end)| {
                WorkingTime::parse(door, weekday, start, end)
            });
            let holidays = door.each("holidays", holidays.to_vec(), 5_000, |door, (date, start, end)| {
                Holiday::parse(door, date, start, end, "a day off".to_owned())
            });
            Calendar::parse(door, zone.to_owned(), week, holidays)
        });
        parsed.map_err(|error| match error {
            Error::Invalid(violations) => violations.iter().map(|v| format!("{} {}", v.field, v.reason)).collect(),
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_calendar_comes_back_from_its_row_as_it_was() {
        let calendar = made("Europe/Berlin", &[(2, 0, 60), (1, 480, 1_080)], &[("2026-12-25", 0, 0)]).expect("good");
        let json = serde_json::to_value(&calendar).expect("JSON");
        let monday_first =
            serde_json::json!([{"weekday": 1, "start": 480, "end": 1080}, {"weekday": 2, "start": 0, "end": 60}]);
        assert_eq!(json["working_times"], monday_first);
        let christmas = serde_json::json!([{"date": "2026-12-25", "start": 0, "end": 1440, "name": "a day off"}]);
        assert_eq!(json["holidays"], christmas);
        assert_eq!(serde_json::from_value::<Calendar>(json).expect("the same"), calendar);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let wrong = made(
            "Mars/Olympus",
            &[(0, 0, 60), (8, 0, 60), (1, -1, 1_441), (1, 600, 600), (2, 500, 700), (2, 600, 800), (3, 0, 1_440)],
            &[("2026-02-29", 0, 0), ("", 0, 0), ("1899-12-31", 0, 0), ("2026-12-24", 1_000, 900), ("20261224", 0, 0)],
        );
        let told = [
            "working_times[0].weekday REQUIRED",
            "working_times[1].weekday UNKNOWN_VALUE",
            "working_times[2].start_minute OUT_OF_RANGE",
            "working_times[2].end_minute OUT_OF_RANGE",
            "working_times[3].end_minute EMPTY",
            "holidays[0].date NOT_A_DATE",
            "holidays[1].date REQUIRED",
            "holidays[2].date OUT_OF_RANGE",
            "holidays[3].end_minute EMPTY",
            "holidays[4].date NOT_A_DATE",
            "time_zone NOT_A_TIME_ZONE",
            "working_times[5] OVERLAPS",
        ];
        assert_eq!(wrong.expect_err("all wrong"), told);
    }

    #[test]
    fn a_week_needs_working_time_and_has_limits() {
        assert_eq!(made("UTC", &[], &[]), Err(vec!["working_times NO_WORKING_TIME".to_owned()]));
        assert_eq!(made("", &[(1, 0, 1)], &[]), Err(vec!["time_zone REQUIRED".to_owned()]));
        let busy: Vec<_> = (0..21).map(|n| (1, n * 10, n * 10 + 10)).collect();
        assert!(made("UTC", &busy[..20], &[]).is_ok(), "stretches may touch");
        assert_eq!(made("UTC", &busy, &[]), Err(vec!["working_times[20] TOO_MANY".to_owned()]));
        let days: Vec<_> = (0..2_001).map(|_| ("2026-12-25", 0, 0)).collect();
        assert_eq!(made("UTC", &[(1, 0, 1)], &days), Err(vec!["holidays TOO_MANY".to_owned()]));
        assert_eq!(made("UTC", &[(1, 0, 1)], &days[..2_000]).expect("good").holidays().len(), 1, "the same is one");
    }

    proptest! {
        #[test]
        fn hours_overlap_when_a_minute_is_in_both(a in 0u16..50, b in 1u16..20, c in 0u16..50, d in 1u16..20) {
            let (one, other) = (Hours { start: a, end: a + b }, Hours { start: c, end: c + d });
            let shared = (0..100).any(|m| (one.start..one.end).contains(&m) && (other.start..other.end).contains(&m));
            prop_assert_eq!(one.overlaps(other), shared);
        }
    }
}
