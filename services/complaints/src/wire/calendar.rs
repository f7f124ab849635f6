//! Calendars: message ⇄ row.

use barometer_chassis::door::Door;
use barometer_proto::complaints::v1 as wire;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::{
    calendar::{Calendar, Holiday, WorkingTime},
    calendar_version::Model,
};

/// The fields of a calendar that an update may set.
pub(crate) const CALENDAR_CHANGEABLE: [&str; 4] = ["name", "time_zone", "working_times", "holidays"];

/// A calendar and its name.
pub fn parse_calendar(door: &mut Door, message: wire::Calendar) -> (String, Calendar) {
    let wire::Calendar {
        name,
        time_zone,
        working_times,
        holidays,
        calendar_id: _,
        version: _,
        etag: _,
        create_time: _,
        update_time: _,
    } = message;
    let name = door.required_text("name", name, 128);
    // How many there may be is checked with the whole.
    let working_times = door.each("working_times", working_times, usize::MAX, |door, message| {
        let wire::WorkingTime { weekday, start_minute, end_minute } = message;
        WorkingTime::parse(door, weekday, start_minute, end_minute)
    });
    let holidays = door.each("holidays", holidays, usize::MAX, |door, message| {
        let wire::Holiday { date, start_minute, end_minute, name } = message;
        Holiday::parse(door, &date, start_minute, end_minute, name)
    });
    (name, Calendar::parse(door, time_zone, working_times, holidays))
}

/// The years before and after the present one for which holidays that recur without end are listed.
const LISTED: (i16, i16) = (5, 10);

/// The holidays of an iCalendar file for a calendar in a time zone; `field` is the file.
pub fn parse_holidays(door: &mut Door, field: &str, file: &[u8], zone: &str) -> Vec<Holiday> {
    let year = Timestamp::from_microsecond(door.now().0).unwrap_or_default().to_zoned(TimeZone::UTC).year();
    let (first, last) = (Date::new(year - LISTED.0, 1, 1), Date::new(year + LISTED.1, 12, 31));
    let listed = first.unwrap_or(Date::MIN)..=last.unwrap_or(Date::MAX);
    Holiday::parse_icalendar(door, field, file, zone, listed)
}

/// A version for callers.
pub(crate) fn render_calendar(row: Model) -> wire::Calendar {
    let Model { id, version, latest: _, name, calendar, actor: _, create_time, update_time } = row;
    wire::Calendar {
        calendar_id: id.to_string(),
        version,
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
        ..render_plain_calendar(name, &calendar)
    }
}

/// A calendar as callers write it.
pub fn render_plain_calendar(name: String, calendar: &Calendar) -> wire::Calendar {
    let working_time = |time: &WorkingTime| wire::WorkingTime {
        weekday: i32::from(time.weekday),
        start_minute: i32::from(time.hours.start),
        end_minute: i32::from(time.hours.end),
    };
    wire::Calendar {
        name,
        time_zone: calendar.time_zone().to_owned(),
        working_times: calendar.working_times().iter().map(working_time).collect(),
        holidays: calendar.holidays().iter().map(render_holiday).collect(),
        ..wire::Calendar::default()
    }
}

/// A holiday for callers.
pub fn render_holiday(holiday: &Holiday) -> wire::Holiday {
    let Holiday { date, hours, name } = holiday;
    wire::Holiday {
        date: date.to_string(),
        start_minute: i32::from(hours.start),
        end_minute: i32::from(hours.end),
        name: name.clone(),
    }
}

/// The version of a calendar or of the policies that is asked for; 0 for the latest.
pub(crate) fn parse_version(door: &mut Door, version: i64) -> i64 {
    if version < 0 {
        door.refuse("version", "OUT_OF_RANGE", "is negative");
    }
    version
}
