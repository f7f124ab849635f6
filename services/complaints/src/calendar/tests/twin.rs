//! What a timetable must come to, by looking at the clock on the wall once a minute: slow, and without any of its means.

use barometer_chassis::clock::Micros;
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use super::MINUTE;
use crate::calendar::Calendar;

/// What the wall shows in each minute from two days before a start on, and whether somebody works then.
pub(crate) struct Twin {
    wall: Vec<DateTime>,
    open: Vec<bool>,
    /// Of each minute with whose start the work of a day is over: the day.
    closings: Vec<Option<i32>>,
}

/// Minutes before the start, in which the wall's clock comes to show what it must.
const BEFORE: i64 = 1_440;
/// Minutes from the start on that are looked at: five days, and one in which the last of them ends.
const AFTER: i64 = 6 * 1_440;

impl Twin {
    pub(crate) fn new(calendar: &Calendar, start: Micros) -> Twin {
        let zone = TimeZone::get(calendar.time_zone()).expect("a zone");
        let mut wall: Vec<DateTime> = Vec::new();
        for minute in -BEFORE..AFTER {
            let shown = zone.to_datetime(Timestamp::from_microsecond(start.0 + minute * MINUTE).expect("in range"));
            // It stands still while clocks are put back.
            wall.push(wall.last().map_or(shown, |last| shown.max(*last)));
        }
        let open: Vec<bool> = wall.iter().map(|shown| works(calendar, *shown)).collect();
        let (mut closings, mut over) = (vec![None; open.len() + 1], None);
        for minute in (0..open.len()).rev() {
            let day = crate::calendar::day_of(wall[minute].date());
            if open[minute] && over.replace(day) != Some(day) {
                closings[minute + 1] = Some(day);
            }
        }
        Twin { wall, open, closings }
    }

    pub(crate) fn minutes(&self) -> i64 {
        AFTER
    }

    pub(crate) fn is_open(&self, minute: i64) -> bool {
        self.open[index(minute)]
    }

    pub(crate) fn date(&self, minute: i64) -> Date {
        self.wall[index(minute)].date()
    }

    pub(crate) fn worked(&self, from: i64, until: i64) -> i64 {
        (from..until).map(|minute| i64::from(self.is_open(minute))).sum()
    }

    /// The first minute before which so many were worked from another on.
    pub(crate) fn after_worked(&self, from: i64, mut left: i64) -> Option<i64> {
        let mut minute = from;
        while left > 0 && minute < AFTER {
            left -= i64::from(self.is_open(minute));
            minute += 1;
        }
        (left == 0).then_some(minute)
    }

    /// The day whose last work ends with the start of this minute.
    pub(crate) fn closing(&self, minute: i64) -> Option<i32> {
        self.closings[index(minute)]
    }

    /// The days that end with the start of this minute: several when one is skipped whole.
    pub(crate) fn endings(&self, minute: i64) -> std::ops::Range<i32> {
        crate::calendar::day_of(self.date(minute - 1))..crate::calendar::day_of(self.date(minute))
    }
}

fn index(minute: i64) -> usize {
    usize::try_from(minute + BEFORE).expect("looked at")
}

fn works(calendar: &Calendar, shown: DateTime) -> bool {
    let minute = i64::from(shown.hour()) * 60 + i64::from(shown.minute());
    let during = |hours: crate::calendar::Hours| (i64::from(hours.start)..i64::from(hours.end)).contains(&minute);
    let weekday = u8::try_from(shown.weekday().to_monday_one_offset()).expect("1 to 7");
    calendar.working_times().iter().any(|time| time.weekday == weekday && during(time.hours))
        && !calendar.holidays().iter().any(|holiday| holiday.date == shown.date() && during(holiday.hours))
}
