//! Yearly recurrence: RRULE as holiday files use it.

use std::ops::RangeInclusive;

use jiff::{
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};

use super::{Problem, line::Line};
use crate::calendar::Calendar;

/// The most values of a part of a rule: a year has not more days.
const MAX_VALUES: usize = 366;

/// A rule of FREQ=YEARLY.
#[derive(Debug, Default)]
pub(super) struct Recurrence {
    line: usize,
    interval: i16,
    count: Option<usize>,
    until: Option<Until>,
    months: Vec<i8>,
    days: Vec<i8>,
    weekdays: Vec<(i8, Weekday)>,
}

/// The last instant of a rule, itself included.
#[derive(Clone, Copy, Debug)]
enum Until {
    Date(Date),
    Local(DateTime),
    Utc(DateTime),
}

impl Recurrence {
    pub(super) fn parse(line: &Line) -> Result<Recurrence, Problem> {
        let refused = |what: String| Problem::new(line.number, "RRULE", what);
        let mut rule = Recurrence { line: line.number, interval: 1, ..Recurrence::default() };
        let mut yearly = false;
        for part in line.value.split(';').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (name.to_ascii_uppercase(), value.to_ascii_uppercase());
            let shown: String = part.chars().filter(|c| !c.is_control()).take(64).collect();
            let bad = || refused(format!("says {shown}, which is out of its range"));
            let number = |most: u32| value.parse::<u32>().ok().filter(|n| (1..=most).contains(n)).ok_or_else(bad);
            match name.as_str() {
                "FREQ" if value == "YEARLY" => yearly = true,
                "INTERVAL" => rule.interval = i16::try_from(number(400)?).map_err(|_| bad())?,
                "COUNT" => rule.count = Some(usize::try_from(number(10_000)?).map_err(|_| bad())?),
                "UNTIL" => rule.until = Some(until(&value).ok_or_else(bad)?),
                "BYMONTH" => rule.months = numbers(&value, 1..=12).ok_or_else(bad)?,
                "BYMONTHDAY" => rule.days = numbers(&value, -31..=31).ok_or_else(bad)?,
                "BYDAY" => rule.weekdays = values(&value, weekday).ok_or_else(bad)?,
                // The start of the week says nothing where weeks are not numbered.
                "WKST" => {}
                _ => return Err(refused(format!("says {shown}, which is not understood"))),
            }
        }
        if !yearly {
            return Err(refused("has no FREQ=YEARLY".to_owned()));
        }
        if rule.count.is_some() && rule.until.is_some() {
            return Err(refused("has both COUNT and UNTIL".to_owned()));
        }
        Ok(rule)
    }

    /// The dates on which it begins again, its start the first of them. Of an endless rule those within `endless`.
    pub(super) fn dates(
        &self,
        start: DateTime,
        zone: Option<&TimeZone>,
        endless: &RangeInclusive<Date>,
    ) -> Result<Vec<Date>, Problem> {
        let first = start.date();
        let is_endless = self.count.is_none() && self.until.is_none();
        let last_year = match self.until {
            _ if is_endless => endless.end().year(),
            None => Calendar::YEARS.1,
            // In its zone it may be the next day already.
            Some(Until::Date(last)) => last.year().saturating_add(1),
            Some(Until::Local(last) | Until::Utc(last)) => last.year().saturating_add(1),
        };
        let mut dates = Vec::new();
        let mut year = first.year();
        // Some years may have none: 29 February, or a fifth Sunday of it.
        while year <= last_year.min(Calendar::YEARS.1) && self.count.is_none_or(|count| dates.len() < count) {
            // Years that nobody asks for need not be looked at.
            if is_endless && year != first.year() && year < endless.start().year() {
                year += self.interval;
                continue;
            }
            let mut of_year = self.of_year(year, first);
            of_year.retain(|date| *date >= first && self.lasts_until(date.to_datetime(start.time()), zone));
            if year == first.year() && of_year.first() != Some(&first) {
                let what = "does not begin with DTSTART: what that means is undefined";
                return Err(Problem::new(self.line, "RRULE", what));
            }
            dates.extend(of_year);
            year += self.interval;
        }
        dates.truncate(self.count.unwrap_or(usize::MAX));
        if is_endless {
            dates.retain(|date| endless.contains(date));
        }
        Ok(dates)
    }

    fn lasts_until(&self, begin: DateTime, zone: Option<&TimeZone>) -> bool {
        match (self.until, zone) {
            (None, _) => true,
            (Some(Until::Date(last)), _) => begin.date() <= last,
            (Some(Until::Utc(last)), Some(zone)) => {
                zone.to_timestamp(begin).is_ok_and(|at| TimeZone::UTC.to_datetime(at) <= last)
            }
            (Some(Until::Local(last) | Until::Utc(last)), _) => begin <= last,
        }
    }

    /// The dates of a year, in order.
    fn of_year(&self, year: i16, first: Date) -> Vec<Date> {
        let all_year =
            self.months.is_empty() && !self.days.is_empty() || (self.months.is_empty() && !self.weekdays.is_empty());
        let months: Vec<i8> = match &self.months {
            none if none.is_empty() && all_year => (1..=12).collect(),
            none if none.is_empty() => vec![first.month()],
            months => months.clone(),
        };
        let mut dates = Vec::new();
        for month in months {
            let Ok(begin) = Date::new(year, month, 1) else { continue };
            let length = begin.days_in_month();
            let of_month = (1..=length).filter_map(|day| Date::new(year, month, day).ok());
            dates.extend(of_month.filter(|date| self.is_on(*date, first)));
        }
        dates.sort_unstable();
        dates.dedup();
        dates
    }

    /// Whether a date of one of its months is one of its days.
    fn is_on(&self, date: Date, first: Date) -> bool {
        if self.days.is_empty() && self.weekdays.is_empty() {
            return date.day() == first.day();
        }
        let of_month = date.days_in_month();
        let is_day = |day: &i8| if *day > 0 { *day == date.day() } else { of_month + 1 + *day == date.day() };
        // Ordinals count within the month; within the year when no month is named.
        let (index, length) = if self.months.is_empty() {
            (date.day_of_year(), date.days_in_year())
        } else {
            (i16::from(date.day()), i16::from(of_month))
        };
        let is_weekday = |(ordinal, weekday): &(i8, Weekday)| {
            let nth = match ordinal {
                0 => true,
                1.. => (index + 6) / 7 == i16::from(*ordinal),
                _ => (length - index) / 7 + 1 == -i16::from(*ordinal),
            };
            nth && *weekday == date.weekday()
        };
        (self.days.is_empty() || self.days.iter().any(is_day))
            && (self.weekdays.is_empty() || self.weekdays.iter().any(is_weekday))
    }
}

fn until(value: &str) -> Option<Until> {
    if value.len() == 8 {
        let midnight = DateTime::strptime("%Y%m%dT%H%M%S", format!("{value}T000000")).ok()?;
        return Some(Until::Date(midnight.date()));
    }
    let (text, utc) = value.strip_suffix('Z').map_or((value, false), |text| (text, true));
    let local = DateTime::strptime("%Y%m%dT%H%M%S", text).ok()?;
    Some(if utc { Until::Utc(local) } else { Until::Local(local) })
}

fn numbers(value: &str, range: RangeInclusive<i8>) -> Option<Vec<i8>> {
    let number = |text: &str| text.parse::<i8>().ok().filter(|n| *n != 0 && range.contains(n));
    values(value, number)
}

/// The values of a part, set apart by commas, if they are not too many.
fn values<T>(value: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let values = value.split(',');
    if values.clone().nth(MAX_VALUES).is_some() { None } else { values.map(parse).collect() }
}

/// A weekday with its ordinal, 0 without: `TH`, `4TH`, `-1MO`.
fn weekday(text: &str) -> Option<(i8, Weekday)> {
    let (ordinal, day) = text.split_at_checked(text.len().checked_sub(2)?)?;
    let ordinal = match ordinal {
        "" => 0,
        text => text.parse::<i8>().ok().filter(|n| *n != 0 && (-53..=53).contains(n))?,
    };
    let day = match day {
        "MO" => Weekday::Monday,
        "TU" => Weekday::Tuesday,
        "WE" => Weekday::Wednesday,
        "TH" => Weekday::Thursday,
        "FR" => Weekday::Friday,
        "SA" => Weekday::Saturday,
        "SU" => Weekday::Sunday,
        _ => return None,
    };
    Some((ordinal, day))
}
