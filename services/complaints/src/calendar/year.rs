//! One year of a calendar, compiled.

use barometer_chassis::clock::Micros;
use jiff::civil::Date;

use super::{
    Calendar, DAY_MINUTES, Holiday, Hours, Timetable,
    local::{day_of, weekday_of},
};

const MINUTE: i64 = 60 * Micros::SECOND;

/// The instants of a local year: of its days, and of its working time with running sums.
#[derive(Debug)]
pub(super) struct Year {
    /// 1 January.
    pub(super) first_day: i32,
    /// When each day begins, and last, when the year ends.
    pub(super) days: Vec<i64>,
    /// Working time, in order and never touching.
    pub(super) stretches: Vec<Stretch>,
    /// The days with working time, in order.
    pub(super) closings: Vec<Closing>,
    /// Working time of the whole year, in microseconds.
    pub(super) worked: i64,
}

/// Working time without a break.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// First instant.
    pub(super) start: i64,
    /// The instant after the last.
    pub(super) end: i64,
    /// Working time of the year before it.
    pub(super) before: i64,
}

/// When the working time of a day is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Closing {
    /// The day.
    pub(super) day: i32,
    /// The instant.
    pub(super) at: i64,
}

impl Year {
    pub(super) fn compile(timetable: &Timetable, year: i16) -> Self {
        let first = Date::constant(year, 1, 1);
        let first_day = day_of(first);
        let length: i32 = if first.in_leap_year() { 366 } else { 365 };
        let mut compiled = Year { first_day, days: Vec::new(), stretches: Vec::new(), closings: Vec::new(), worked: 0 };
        let mut hours = Vec::new();
        for day in first_day..first_day + length {
            compiled.days.push(timetable.instant(day, 0));
            timetable.hours_of(day, &mut hours);
            for Hours { start, end } in &hours {
                compiled.add(day, timetable.instant(day, *start), timetable.instant(day, *end));
            }
        }
        compiled.days.push(timetable.instant(first_day + length, 0));
        compiled
    }

    /// Adds working time; there is none where clocks skip all of it.
    fn add(&mut self, day: i32, start: i64, end: i64) {
        if start >= end {
            return;
        }
        match self.stretches.last_mut() {
            Some(last) if last.end == start => last.end = end,
            _ => self.stretches.push(Stretch { start, end, before: self.worked }),
        }
        self.worked += end - start;
        match self.closings.last_mut() {
            Some(last) if last.day == day => last.at = end,
            _ => self.closings.push(Closing { day, at: end }),
        }
    }

    /// Working time of the year up to an instant.
    pub(super) fn worked_until(&self, at: i64) -> i64 {
        let begun = self.stretches.partition_point(|stretch| stretch.start < at);
        let Some(last) = begun.checked_sub(1).map(|last| self.stretches[last]) else { return 0 };
        last.before + at.min(last.end) - last.start
    }

    /// The instant at which the working time of the year reaches an amount of at most `worked` and more than 0.
    pub(super) fn instant_of(&self, worked: i64) -> Option<i64> {
        let begun = self.stretches.partition_point(|stretch| stretch.before < worked);
        let last = self.stretches[begun.checked_sub(1)?];
        Some(last.start + worked - last.before)
    }

    /// The day of an instant of the year.
    pub(super) fn day(&self, at: i64) -> i32 {
        let of_24_hours = (at - self.days[0]).div_euclid(Micros::DAY);
        let last = self.days.len() - 2;
        let mut index = usize::try_from(of_24_hours).unwrap_or(0).min(last);
        while index > 0 && at < self.days[index] {
            index -= 1;
        }
        while index < last && at >= self.days[index + 1] {
            index += 1;
        }
        self.first_day + i32::try_from(index).unwrap_or(0)
    }
}

impl Timetable {
    /// The first instant at which the clocks show this minute of this day, or a later one.
    pub(super) fn instant(&self, day: i32, minute: u16) -> i64 {
        self.local.instant(i64::from(day) * Micros::DAY + i64::from(minute) * MINUTE)
    }

    /// The hours of a day, less its holidays, in order.
    fn hours_of(&self, day: i32, hours: &mut Vec<Hours>) {
        hours.clear();
        hours.extend_from_slice(&self.week[weekday_of(day)]);
        for Holiday { hours: off, .. } in self.holidays_of(day) {
            let rest = hours.iter().flat_map(|hours| without(*hours, *off)).flatten().collect();
            *hours = rest;
        }
    }

    /// The holidays of a day.
    pub(super) fn holidays_of(&self, day: i32) -> &[Holiday] {
        let from = self.holidays.partition_point(|holiday| day_of(holiday.date) < day);
        let until = self.holidays.partition_point(|holiday| day_of(holiday.date) <= day);
        &self.holidays[from..until]
    }
}

/// What is left of `hours` before and after `off`.
fn without(hours: Hours, off: Hours) -> [Option<Hours>; 2] {
    let before = Hours { start: hours.start, end: hours.end.min(off.start) };
    let after = Hours { start: hours.start.max(off.end), end: hours.end };
    [before, after].map(|part| Some(part).filter(|part| part.start < part.end))
}

/// The hours of each day of the week, from Monday.
pub(super) fn week_of(calendar: &Calendar) -> [Vec<Hours>; 7] {
    std::array::from_fn(|weekday| {
        let of_day = calendar.working_times.iter().filter(|time| usize::from(time.weekday) == weekday + 1);
        of_day.map(|time| time.hours).filter(|hours| hours.start < hours.end && hours.end <= DAY_MINUTES).collect()
    })
}
