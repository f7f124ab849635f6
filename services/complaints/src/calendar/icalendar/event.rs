//! Events, and the holidays that they are.

use std::{collections::BTreeSet, ops::RangeInclusive};

use jiff::{
    SignedDuration, Span, Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::{
    Problem,
    line::{Line, unescaped},
    recurrence::Recurrence,
};
use crate::calendar::{Calendar, Holiday, Hours};

/// The longest event, in days.
const MAX_DAYS: i64 = 366;
/// Properties that say nothing of when an event is, or of its name.
const PASSED_OVER: [&str; 22] = [
    "ATTACH",
    "CATEGORIES",
    "CLASS",
    "COLOR",
    "COMMENT",
    "CONFERENCE",
    "CONTACT",
    "CREATED",
    "DESCRIPTION",
    "DTSTAMP",
    "GEO",
    "IMAGE",
    "LAST-MODIFIED",
    "LOCATION",
    "ORGANIZER",
    "PRIORITY",
    "RELATED-TO",
    "RESOURCES",
    "SEQUENCE",
    "TRANSP",
    "UID",
    "URL",
];

/// An event as its file says it.
#[derive(Debug)]
pub(super) struct Event {
    /// Where it begins in the file.
    pub(super) line: usize,
    pub(super) cancelled: bool,
    /// Something of it was refused: no more is to be said of it.
    pub(super) misunderstood: bool,
    summary: String,
    start: Option<Moment>,
    end: Option<(usize, End)>,
    rule: Option<Recurrence>,
    except: Vec<Moment>,
}

/// A date, or a local time in a zone.
#[derive(Clone, Debug)]
struct Moment {
    line: usize,
    local: DateTime,
    /// Nothing of a date.
    zone: Option<TimeZone>,
}

#[derive(Clone, Debug)]
enum End {
    At(Moment),
    After(Span),
}

/// How long an event is: so long by the local clock, and then exactly so long.
#[derive(Clone, Copy, Debug)]
struct Length {
    by_clock: SignedDuration,
    exact: SignedDuration,
}

/// What an event is not on.
#[derive(Debug, Default)]
struct Except {
    /// What begins at these local times of its zone.
    begins: BTreeSet<DateTime>,
    /// All that begins on these dates.
    dates: BTreeSet<Date>,
}

impl Event {
    pub(super) fn at(line: usize) -> Event {
        Event {
            line,
            cancelled: false,
            misunderstood: false,
            summary: String::new(),
            start: None,
            end: None,
            rule: None,
            except: Vec::new(),
        }
    }

    /// Takes in a property. `zone` is the one of floating times.
    pub(super) fn take(&mut self, line: &Line, zone: &TimeZone) -> Result<(), Problem> {
        let twice = |there: bool| if there { Err(refused(line, "stands twice in an event")) } else { Ok(()) };
        match line.name.as_str() {
            "DTSTART" => {
                twice(self.start.is_some())?;
                self.start = Some(moment(line, &line.value, zone)?);
            }
            "DTEND" => {
                twice(self.end.is_some())?;
                self.end = Some((line.number, End::At(moment(line, &line.value, zone)?)));
            }
            "DURATION" => {
                twice(self.end.is_some())?;
                self.end = Some((line.number, End::After(duration(line)?)));
            }
            "RRULE" => {
                twice(self.rule.is_some())?;
                self.rule = Some(Recurrence::parse(line)?);
            }
            "EXDATE" => {
                for value in line.value.split(',') {
                    self.except.push(moment(line, value, zone)?);
                }
            }
            "SUMMARY" => {
                self.summary = unescaped(&line.value);
                let length = self.summary.chars().count();
                if length > Holiday::MAX_NAME {
                    return Err(refused(line, format!("has {length} characters; at most {}", Holiday::MAX_NAME)));
                }
            }
            "STATUS" => match line.value.to_ascii_uppercase().as_str() {
                "CANCELLED" => self.cancelled = true,
                "CONFIRMED" | "TENTATIVE" => {}
                _ => return Err(refused(line, "is no status of an event")),
            },
            name if PASSED_OVER.contains(&name) => {}
            _ => return Err(refused(line, "is not understood in an event")),
        }
        Ok(())
    }

    /// The holidays of it and of its recurrences; of endless ones those that begin within `endless`. When they are more than
    /// a calendar may have, not all of them.
    pub(super) fn holidays(&self, zone: &TimeZone, endless: &RangeInclusive<Date>) -> Result<Vec<Holiday>, Problem> {
        let Some(start) = &self.start else { return Err(Problem::new(self.line, "VEVENT", "has no DTSTART")) };
        let length = self.length(start)?;
        let days = match &self.rule {
            None => vec![start.local.date()],
            Some(rule) => rule.dates(start.local, start.zone.as_ref(), endless)?,
        };
        let except = self.except(start.zone.as_ref());
        let mut holidays = Vec::new();
        for day in days {
            let begin = day.to_datetime(start.local.time());
            if !except.begins.contains(&begin) && !except.dates.contains(&day) {
                self.add(begin, length, start.zone.as_ref(), zone, &mut holidays)?;
            }
            if holidays.len() > Calendar::MAX_HOLIDAYS {
                break;
            }
        }
        Ok(holidays)
    }

    /// What it is not on, by the clock of its zone.
    fn except(&self, zone: Option<&TimeZone>) -> Except {
        let mut except = Except::default();
        for moment in &self.except {
            match (&moment.zone, zone) {
                (Some(own), Some(zone)) => except.begins.extend(shown_in(moment.local, own, zone)),
                // A date stands for all that begins on it.
                _ => {
                    except.dates.insert(moment.local.date());
                }
            }
        }
        except
    }

    /// How long it is. Days of a DURATION are days of the local clock, hours are hours; an end is what the local clock shows.
    fn length(&self, start: &Moment) -> Result<Length, Problem> {
        let day = SignedDuration::from_hours(24);
        let mut exact = SignedDuration::ZERO;
        let by_clock = match &self.end {
            None if start.zone.is_none() => Ok(day),
            None => Err(Problem::new(start.line, "DTSTART", "is a time without an end: it takes no time")),
            Some((line, End::At(end))) => match (&start.zone, &end.zone) {
                (None, None) => Ok(end.local.duration_since(start.local)),
                (Some(zone), Some(other)) => shown_in(end.local, other, zone)
                    .map(|end| end.duration_since(start.local))
                    .ok_or_else(|| Problem::new(*line, "DTEND", "is out of range")),
                _ => Err(Problem::new(*line, "DTEND", "is a date and DTSTART a time, or the other way round")),
            },
            Some((_, End::After(span))) if start.zone.is_some() => {
                let hours = i64::from(span.get_hours()) * 60;
                exact = SignedDuration::from_secs((hours + span.get_minutes()) * 60 + span.get_seconds());
                Ok(day * (span.get_weeks() * 7 + span.get_days()))
            }
            Some((line, End::After(span))) => {
                let end = start.local.checked_add(*span);
                let whole = |end: &DateTime| end.time() == Time::midnight();
                let end = end.ok().filter(whole).ok_or_else(|| Problem::new(*line, "DURATION", "is not of whole days"));
                end.map(|end| end.duration_since(start.local))
            }
        }?;
        let length = by_clock.saturating_add(exact);
        let line = self.end.as_ref().map_or(start.line, |(line, _)| *line);
        if length <= SignedDuration::ZERO {
            return Err(Problem::new(line, "VEVENT", "ends before it begins, or at once"));
        }
        if length > day * i32::try_from(MAX_DAYS).unwrap_or(i32::MAX) {
            return Err(Problem::new(line, "VEVENT", format!("is longer than {MAX_DAYS} days")));
        }
        Ok(Length { by_clock, exact })
    }

    /// Adds the days of one occurrence, as the clocks of the calendar's zone show them.
    fn add(
        &self,
        begin: DateTime,
        length: Length,
        from: Option<&TimeZone>,
        zone: &TimeZone,
        holidays: &mut Vec<Holiday>,
    ) -> Result<(), Problem> {
        let out = || Problem::new(self.line, "VEVENT", "lies outside the years 1900 to 2200");
        let end = begin.checked_add(length.by_clock).map_err(|_| out())?;
        let shown = |local: DateTime, later: SignedDuration| match from {
            None => Some(local),
            Some(from) => Some(zone.to_datetime(from.to_timestamp(local).ok()?.checked_add(later).ok()?)),
        };
        let (begin, end) = (shown(begin, SignedDuration::ZERO), shown(end, length.exact));
        let (Some(begin), Some(end)) = (begin, end) else { return Err(out()) };
        let mut day = begin.date();
        while day.to_datetime(Time::midnight()) < end {
            if !(Calendar::YEARS.0..=Calendar::YEARS.1).contains(&day.year()) {
                return Err(out());
            }
            let start = if day == begin.date() { minute(begin.time(), false) } else { 0 };
            let until = if day == end.date() { minute(end.time(), true) } else { Hours::DAY.end };
            if start < until {
                let hours = Hours { start, end: until };
                holidays.push(Holiday { date: day, hours, name: self.summary.clone() });
            }
            day = day.tomorrow().map_err(|_| out())?;
        }
        Ok(())
    }
}

/// A local time of one zone, in another.
fn shown_in(local: DateTime, zone: &TimeZone, other: &TimeZone) -> Option<DateTime> {
    let at: Timestamp = zone.to_timestamp(local).ok()?;
    Some(other.to_datetime(at))
}

/// The minute of a time: the one that it is in, or that it is the end of.
fn minute(time: Time, end: bool) -> u16 {
    let minutes = u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).unwrap_or(0);
    if end && (time.second(), time.subsec_nanosecond()) != (0, 0) { minutes + 1 } else { minutes }
}

/// A date or a time, as its form says; a VALUE that says otherwise is refused.
fn moment(line: &Line, value: &str, floating: &TimeZone) -> Result<Moment, Problem> {
    let mut zone = None;
    let mut kind = None;
    for (name, value) in &line.parameters {
        match name.as_str() {
            "VALUE" => kind = Some(value.to_ascii_uppercase()),
            "TZID" => zone = Some(named_zone(line, value)?),
            name if name.starts_with("X-") => {}
            other => return Err(refused(line, format!("has the parameter {other}, which is not understood"))),
        }
    }
    let bad = || refused(line, "is neither a date as 20261225 nor a time as 20261225T120000");
    let number = line.number;
    match (value.len(), kind.as_deref()) {
        (8, None | Some("DATE")) => {
            let local = DateTime::strptime("%Y%m%dT%H%M%S", format!("{value}T000000")).map_err(|_| bad())?;
            Ok(Moment { line: number, local, zone: None })
        }
        (15 | 16, None | Some("DATE-TIME")) => {
            let (text, zone) = match (value.strip_suffix(['Z', 'z']), zone) {
                (Some(text), _) => (text, TimeZone::UTC),
                (None, Some(zone)) => (value, zone),
                (None, None) => (value, floating.clone()),
            };
            let local = DateTime::strptime("%Y%m%dT%H%M%S", text).map_err(|_| bad())?;
            Ok(Moment { line: number, local, zone: Some(zone) })
        }
        _ => Err(bad()),
    }
}

fn named_zone(line: &Line, name: &str) -> Result<TimeZone, Problem> {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    TimeZone::get(name)
        .map_err(|_| refused(line, format!("names the zone `{shown}`, which the IANA's database has not")))
}

/// A duration such as `P1W`, `P1DT12H` or `PT90M`.
fn duration(line: &Line) -> Result<Span, Problem> {
    let bad = || refused(line, "is no duration as P1D or PT4H");
    let text = line.value.strip_prefix('+').unwrap_or(&line.value);
    if text.len() > 32 || !text.starts_with('P') || text.contains(['Y', '.', ',']) {
        return Err(bad());
    }
    // RFC 5545 has no months: an M is minutes, and stands after the T.
    if text.split('T').next().is_some_and(|days| days.contains('M')) {
        return Err(bad());
    }
    text.parse::<Span>().map_err(|_| bad())
}

fn refused(line: &Line, what: impl Into<String>) -> Problem {
    Problem::new(line.number, &line.name, what)
}
