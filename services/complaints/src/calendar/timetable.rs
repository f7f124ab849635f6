//! The timetable: which instants of a calendar are working time, and how much of it lies between two of them.

use std::sync::OnceLock;

use barometer_chassis::{clock::Micros, error::Error};
use jiff::{civil::Date, tz::TimeZone};

use super::{
    Calendar, Holiday, Hours,
    local::{Local, date_of, day_of, weekday_of},
    year::{Stretch, Year, week_of},
};

/// Microseconds of a mean year.
const MEAN_YEAR: i64 = 31_556_952 * Micros::SECOND;

/// A calendar, compiled: to be made once and shared by all who count by it.
///
/// Working time runs by a clock on the desk's wall that stands still while the zone's clocks are put back and jumps when
/// they are put forward: an hour that comes twice belongs to what was the case when it came first. There is none outside the
/// local years 1900 to 2200. A year is compiled when it is first asked for; it takes 24 bytes for each stretch of work, and
/// 24 for each day, so about 15 KB of a plain week and at most 200 KB of the fullest, for each of the 301 years.
#[derive(Debug)]
pub struct Timetable {
    pub(super) local: Local,
    pub(super) week: [Vec<Hours>; 7],
    pub(super) holidays: Vec<Holiday>,
    /// When each year begins, and last, when the last one ends.
    begins: Vec<i64>,
    years: Vec<OnceLock<Year>>,
}

impl Timetable {
    /// Of a checked calendar. Fails when its time zone is not known any more.
    pub fn new(calendar: &Calendar) -> Result<Self, Error> {
        let unknown = |error: jiff::Error| Error::Internal(format!("time zone {}: {error}", calendar.time_zone));
        let zone = TimeZone::get(&calendar.time_zone).map_err(unknown)?;
        let jan_1 = |year: i16| day_of(Date::constant(year, 1, 1));
        let (first, last) = Calendar::YEARS;
        let local = Local::new(&zone, jan_1(first), jan_1(last + 1));
        let begins = (first..=last + 1).map(|year| local.instant(i64::from(jan_1(year)) * Micros::DAY)).collect();
        Ok(Timetable {
            local,
            week: week_of(calendar),
            holidays: calendar.holidays.clone(),
            begins,
            years: (first..=last).map(|_| OnceLock::new()).collect(),
        })
    }

    /// Whether an instant is working time.
    pub fn is_open(&self, at: Micros) -> bool {
        self.opens(at) == Some(at)
    }

    /// The first instant from this one on that is working time: itself when it is.
    pub fn opens(&self, from: Micros) -> Option<Micros> {
        self.stretches(from, Micros(i64::MAX)).next().map(|(start, _)| start)
    }

    /// The first instant from this one on that is not working time: itself when it is not.
    pub fn closes(&self, from: Micros) -> Option<Micros> {
        let mut until = from;
        // Working time around the clock goes on over the end of a year.
        for (start, end) in self.stretches(from, Micros(i64::MAX)) {
            if start > until {
                break;
            }
            until = end;
        }
        Some(until)
    }

    /// The working time between two instants, in microseconds; 0 when the second is not after the first.
    pub fn worked(&self, from: Micros, until: Micros) -> i64 {
        if until <= from {
            return 0;
        }
        let (first, last) = (self.index(from.0), self.index(until.0));
        let begun = self.year(first).worked_until(from.0);
        if first == last {
            return self.year(first).worked_until(until.0) - begun;
        }
        let whole: i64 = (first..last).map(|index| self.year(index).worked).sum();
        whole - begun + self.year(last).worked_until(until.0)
    }

    /// The instant at which so much working time, in microseconds, has passed since another: closing time when it is just
    /// reached then, and the other instant itself of nothing. None when the calendar ends before.
    pub fn after_worked(&self, from: Micros, worked: i64) -> Option<Micros> {
        if worked <= 0 {
            return Some(from);
        }
        let first = self.index(from.0);
        let mut left = worked + self.year(first).worked_until(from.0);
        for index in first..self.years.len() {
            let year = self.year(index);
            if left <= year.worked {
                return year.instant_of(left).map(Micros);
            }
            left -= year.worked;
        }
        None
    }

    /// The working time between two instants, stretch by stretch, in order. Those that touch are one, but for the end of a
    /// year.
    pub fn stretches(&self, from: Micros, until: Micros) -> impl Iterator<Item = (Micros, Micros)> + '_ {
        let first = self.index(from.0);
        let of_years = (first..self.years.len()).take_while(move |index| self.begins[*index] < until.0);
        let of_year = move |index| {
            let stretches = &self.year(index).stretches;
            stretches[stretches.partition_point(|stretch| stretch.end <= from.0)..].iter()
        };
        let clipped =
            move |&Stretch { start, end, .. }: &Stretch| (Micros(start.max(from.0)), Micros(end.min(until.0)));
        of_years.flat_map(of_year).map(clipped).take_while(|(start, end)| start < end)
    }

    /// The local day of an instant; 1970-01-01 is 0. Days follow one another without gap or overlap: each runs from the first
    /// instant at which the clocks show its date until they first show a later one.
    pub fn day(&self, at: Micros) -> i32 {
        self.year(self.index(at.0)).day(at.0)
    }

    /// The date of an instant.
    pub fn date(&self, at: Micros) -> Date {
        date_of(self.day(at))
    }

    /// When a day begins, which is when the one before ends.
    pub fn start_of(&self, day: i32) -> Micros {
        Micros(self.instant(day, 0))
    }

    /// The days with working time that close after one instant and at the latest at another, and lie after a day: how many,
    /// and the last of them.
    pub fn working_days(&self, after: Micros, until: Micros, after_day: i32) -> (i64, Option<i32>) {
        let (mut count, mut last_day) = (0, None);
        if until <= after {
            return (count, last_day);
        }
        for index in self.index(after.0)..=self.index(until.0) {
            let closings = &self.year(index).closings;
            let from = closings.partition_point(|closing| closing.at <= after.0 || closing.day <= after_day);
            let end = closings.partition_point(|closing| closing.at <= until.0);
            if from < end {
                count += i64::try_from(end - from).unwrap_or(0);
                last_day = Some(closings[end - 1].day);
            }
        }
        (count, last_day)
    }

    /// When the how-manieth day with working time closes, from 1, of those that close after an instant and lie after a day.
    /// None when the calendar ends before.
    pub fn after_working_days(&self, after: Micros, after_day: i32, days: i64) -> Option<Micros> {
        let mut left = usize::try_from(days).ok()?.checked_sub(1)?;
        for index in self.index(after.0)..self.years.len() {
            let closings = &self.year(index).closings;
            let from = closings.partition_point(|closing| closing.at <= after.0 || closing.day <= after_day);
            match closings.get(from + left) {
                Some(closing) => return Some(Micros(closing.at)),
                None => left -= closings.len() - from,
            }
        }
        None
    }

    /// When the last work of a day is over; nothing of a day without.
    pub fn closing(&self, day: i32) -> Option<Micros> {
        let closings = &self.year(self.index(self.start_of(day).0)).closings;
        let index = closings.binary_search_by_key(&day, |closing| closing.day).ok()?;
        Some(Micros(closings[index].at))
    }

    /// When the last year is over: nothing is due later.
    pub fn ends(&self) -> Micros {
        Micros(self.begins[self.begins.len() - 1])
    }

    /// Of an instant that is not working time: the holiday without which it would be.
    pub fn holiday(&self, at: Micros) -> Option<&Holiday> {
        let off = self.days_off(self.day(at));
        off.into_iter().find(|(start, end, _)| *start <= at && at < *end).map(|(.., holiday)| holiday)
    }

    /// The parts of a day that would be working time but for a holiday, with that holiday, in order.
    pub fn days_off(&self, day: i32) -> Vec<(Micros, Micros, &Holiday)> {
        let mut off: Vec<(Micros, Micros, &Holiday)> = Vec::new();
        for holiday in self.holidays_of(day) {
            for hours in &self.week[weekday_of(day)] {
                let (start, end) = (hours.start.max(holiday.hours.start), hours.end.min(holiday.hours.end));
                if start < end {
                    off.push((Micros(self.instant(day, start)), Micros(self.instant(day, end)), holiday));
                }
            }
        }
        off.sort_by_key(|(start, ..)| *start);
        off
    }

    /// The holiday that leaves a day without the working time of its week.
    pub fn holiday_of(&self, day: i32) -> Option<&Holiday> {
        let off = |holiday: &&Holiday| self.week[weekday_of(day)].iter().any(|hours| hours.overlaps(holiday.hours));
        self.holidays_of(day).iter().find(off)
    }

    /// The index of the year of an instant: of the first or the last of those that lie before or after all.
    fn index(&self, at: i64) -> usize {
        let last = self.years.len() - 1;
        let years = at.saturating_sub(self.begins[0]).div_euclid(MEAN_YEAR);
        let mut index = usize::try_from(years).unwrap_or(0).min(last);
        while index > 0 && at < self.begins[index] {
            index -= 1;
        }
        while index < last && at >= self.begins[index + 1] {
            index += 1;
        }
        index
    }

    fn year(&self, index: usize) -> &Year {
        self.years[index].get_or_init(|| {
            let year = Calendar::YEARS.0.saturating_add(i16::try_from(index).unwrap_or(i16::MAX));
            Year::compile(self, year)
        })
    }
}
