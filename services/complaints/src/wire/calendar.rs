//! Calendars: message ⇄ row.

use barometer_chassis::door::Door;
use barometer_proto::complaints::v1 as wire;

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

/// A version for callers.
pub(crate) fn render_calendar(row: Model) -> wire::Calendar {
    let Model { id, version, latest: _, name, calendar, actor: _, create_time, update_time } = row;
    let working_time = |time: &WorkingTime| wire::WorkingTime {
        weekday: i32::from(time.weekday),
        start_minute: i32::from(time.hours.start),
        end_minute: i32::from(time.hours.end),
    };
    let holiday = |holiday: &Holiday| wire::Holiday {
        date: holiday.date.to_string(),
        start_minute: i32::from(holiday.hours.start),
        end_minute: i32::from(holiday.hours.end),
        name: holiday.name.clone(),
    };
    wire::Calendar {
        calendar_id: id.to_string(),
        name,
        time_zone: calendar.time_zone().to_owned(),
        working_times: calendar.working_times().iter().map(working_time).collect(),
        holidays: calendar.holidays().iter().map(holiday).collect(),
        version,
        etag: version.to_string(),
        create_time: Some(create_time.to_wire()),
        update_time: Some(update_time.to_wire()),
    }
}

/// The version of a calendar or of the policies that is asked for; 0 for the latest.
pub(crate) fn parse_version(door: &mut Door, version: i64) -> i64 {
    if version < 0 {
        door.refuse("version", "OUT_OF_RANGE", "is negative");
    }
    version
}
