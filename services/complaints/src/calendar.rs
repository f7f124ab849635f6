//! The calendar: when a desk works, as people write it down. What instants that makes is the [`Timetable`]'s to say.

mod check;
pub mod icalendar;
mod local;
#[cfg(test)]
pub(crate) mod tests;
mod timetable;
mod year;

use jiff::civil::Date;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

pub(crate) use self::local::{date_of, day_of};
pub use self::timetable::Timetable;

/// Minutes of a day by the local clock.
const DAY_MINUTES: u16 = 1_440;

/// When a desk works: the hours of its week in its time zone, less its holidays. Kept as JSON in the row of its version.
///
/// There is always some working time: a week without any is refused, and holidays are single days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Calendar {
    time_zone: String,
    working_times: Vec<WorkingTime>,
    holidays: Vec<Holiday>,
}

/// One stretch of work of every week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WorkingTime {
    /// Day of the week, from 1 for Monday to 7 for Sunday.
    pub weekday: u8,
    /// When by the local clock.
    #[serde(flatten)]
    pub hours: Hours,
}

/// A day on which nobody works, or does not for a part of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holiday {
    /// The local date, within the years 1900 to 2200.
    pub date: Date,
    /// When by the local clock: all of it for a whole day.
    #[serde(flatten)]
    pub hours: Hours,
    /// What it is; empty when nobody said.
    pub name: String,
}

/// A part of a day by the local clock: from `start` up to but not including `end`, in minutes after midnight.
///
/// 0 ≤ `start` < `end` ≤ 1,440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hours {
    /// First minute.
    pub start: u16,
    /// The minute after the last.
    pub end: u16,
}

impl Hours {
    /// A whole day.
    pub const DAY: Hours = Hours { start: 0, end: DAY_MINUTES };

    /// Whether both have a minute in common.
    pub fn overlaps(self, other: Hours) -> bool {
        self.start < other.end && other.start < self.end
    }
}

impl Calendar {
    /// The IANA time zone in which its hours are local.
    pub fn time_zone(&self) -> &str {
        &self.time_zone
    }

    /// The hours of its week, in their order.
    pub fn working_times(&self) -> &[WorkingTime] {
        &self.working_times
    }

    /// The days and parts of days on which nobody works, in their order.
    pub fn holidays(&self) -> &[Holiday] {
        &self.holidays
    }
}
