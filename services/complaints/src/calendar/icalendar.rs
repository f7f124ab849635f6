//! Holidays from iCalendar files (RFC 5545), as public authorities and calendar programs publish them.
//!
//! Each event becomes holidays of its summary: a whole day for each date, or a part of a day. Understood are DTSTART with
//! DTEND or DURATION as dates or times (UTC, in an IANA zone, or floating: in the calendar's), several days, EXDATE, events
//! that are cancelled (which are none), and RRULE with FREQ=YEARLY, INTERVAL, COUNT, UNTIL, BYMONTH, BYMONTHDAY and BYDAY.
//! What says nothing of when a holiday is (UID, DESCRIPTION, alarms, …) is passed over. Everything else is refused by its
//! name and line; nothing is left out in silence.

mod event;
mod line;
mod recurrence;

use std::ops::RangeInclusive;

use barometer_chassis::door::Door;
use jiff::{civil::Date, tz::TimeZone};

use self::{event::Event, line::Lines};
use super::{Calendar, Holiday};

/// The longest file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most problems that are told.
const MAX_TOLD: usize = 20;

/// Something that a file says and that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; of a folded one the first.
    pub line: usize,
    /// The name of the property or component.
    pub name: String,
    /// What is wrong with it.
    pub what: String,
}

impl Problem {
    fn new(line: usize, name: &str, what: impl Into<String>) -> Problem {
        let name = name.chars().filter(|c| !c.is_control()).take(64).collect();
        Problem { line, name, what: what.into() }
    }
}

impl Holiday {
    /// The holidays of a file, in order, for a calendar in `zone`. What recurs without end is listed for the dates of
    /// `endless` only. Each problem is noted for `field`, with its line.
    pub fn parse_icalendar(
        door: &mut Door,
        field: &str,
        file: &[u8],
        zone: &str,
        endless: RangeInclusive<Date>,
    ) -> Vec<Holiday> {
        if file.len() > MAX_BYTES {
            door.refuse(field, "TOO_LONG", format!("at most {MAX_BYTES} bytes; it has {}", file.len()));
            return Vec::new();
        }
        // The calendar's zone is told of by the calendar.
        let Ok(zone) = TimeZone::get(zone) else { return Vec::new() };
        match read(file, &zone, &endless) {
            Ok(holidays) => holidays,
            Err(problems) => {
                for Problem { line, name, what } in problems.iter().take(MAX_TOLD) {
                    door.refuse(field, "NOT_UNDERSTOOD", format!("line {line}: {name} {what}"));
                }
                if let Some(more) = problems.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
                    door.refuse(field, "NOT_UNDERSTOOD", format!("and {more} more lines"));
                }
                Vec::new()
            }
        }
    }
}

/// The holidays of a file, or everything in it that is not understood.
fn read(file: &[u8], zone: &TimeZone, endless: &RangeInclusive<Date>) -> Result<Vec<Holiday>, Vec<Problem>> {
    let text = std::str::from_utf8(file).map_err(|error| {
        let before = &file[..error.valid_up_to()];
        vec![Problem::new(1 + before.iter().filter(|b| **b == b'\n').count(), "the text", "is not UTF-8")]
    })?;
    let mut problems = Vec::new();
    let mut holidays = Vec::new();
    for event in events(text, zone, &mut problems) {
        match event.holidays(zone, endless) {
            Ok(found) => holidays.extend(found),
            Err(problem) => problems.push(problem),
        }
        if holidays.len() > Calendar::MAX_HOLIDAYS {
            let most = Calendar::MAX_HOLIDAYS;
            problems.push(Problem::new(event.line, "VEVENT", format!("brings more than {most} holidays together")));
            break;
        }
    }
    holidays.sort_unstable();
    holidays.dedup();
    if problems.is_empty() { Ok(holidays) } else { Err(problems) }
}

/// Components whose content says nothing of when a holiday is. Zones are meant by their IANA names.
const PASSED_OVER: [&str; 2] = ["VTIMEZONE", "VALARM"];
/// Properties of a calendar that say nothing of its events.
const OF_CALENDARS: [&str; 14] = [
    "CATEGORIES",
    "COLOR",
    "DESCRIPTION",
    "IMAGE",
    "LAST-MODIFIED",
    "METHOD",
    "NAME",
    "PRODID",
    "REFRESH-INTERVAL",
    "SOURCE",
    "UID",
    "URL",
    "VERSION",
    "CALSCALE",
];

/// The events that take place.
fn events(text: &str, zone: &TimeZone, problems: &mut Vec<Problem>) -> Vec<Event> {
    let mut events = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut event: Option<Event> = None;
    let mut last = 1;
    for line in Lines::of(text) {
        let line = match line {
            Ok(line) => line,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        last = line.number;
        let passed_over = open.last().is_some_and(|name| PASSED_OVER.contains(&name.as_str()) || open.len() > 2);
        let refuse = |what: &str| Problem::new(line.number, &line.name, what);
        match line.name.as_str() {
            "BEGIN" => {
                let name = line.value.to_ascii_uppercase();
                let fits = match (open.len(), name.as_str()) {
                    (0, "VCALENDAR") | (1, "VEVENT" | "VTIMEZONE") | (2, "VALARM") => true,
                    (depth, _) => passed_over && depth < 8,
                };
                if !fits {
                    problems.push(refuse(&format!("of {name} is not expected here")));
                }
                if name == "VEVENT" && open.len() == 1 {
                    event = Some(Event::at(line.number));
                }
                open.push(name);
            }
            "END" => {
                if open.pop().is_none_or(|name| !name.eq_ignore_ascii_case(&line.value)) {
                    problems.push(refuse("ends what did not begin"));
                    return events;
                }
                if open.len() == 1 {
                    events.extend(event.take().filter(|event| !event.cancelled && !event.misunderstood));
                }
            }
            _ if passed_over => {}
            _ if line.name.starts_with("X-") => {}
            name => match (&mut event, open.len()) {
                (Some(event), _) => {
                    let problem = event.take(&line, zone).err();
                    event.misunderstood |= problem.is_some();
                    problems.extend(problem);
                }
                (None, 1) if name == "CALSCALE" && !line.value.eq_ignore_ascii_case("GREGORIAN") => {
                    problems.push(refuse("is not GREGORIAN"));
                }
                (None, 1) if name == "METHOD" && !line.value.eq_ignore_ascii_case("PUBLISH") => {
                    problems.push(refuse("is not PUBLISH"));
                }
                (None, 1) if OF_CALENDARS.contains(&name) => {}
                _ => problems.push(refuse("is not understood here")),
            },
        }
    }
    if let Some(name) = open.pop() {
        problems.push(Problem::new(last, &name, "does not end"));
    } else if events.is_empty() && problems.is_empty() {
        problems.push(Problem::new(last, "VCALENDAR", "has no events"));
    }
    events
}

#[cfg(test)]
mod tests;
