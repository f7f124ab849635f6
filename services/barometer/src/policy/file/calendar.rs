//! The calendars of a file.

use std::{collections::BTreeMap, fs, path::Path};

use barometer_chassis::door::Door;
use barometer_complaints::{calendar::Calendar, parse_calendar, parse_holidays, render_holiday};
use barometer_proto::complaints::v1 as wire;
use serde::Deserialize;
use toml::Spanned;

use super::place::Places;
use crate::failure::Failure;

/// A calendar as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    name: Option<Spanned<String>>,
    time_zone: Option<Spanned<String>>,
    hours: Option<BTreeMap<String, Vec<Spanned<String>>>>,
    holidays: Option<Vec<Spanned<String>>>,
    icalendar: Option<Spanned<String>>,
}

/// Notes what is wrong with calendars; gives them by name, where they are well.
///
/// # Errors
/// When a file of holidays can not be read.
pub(super) fn check(
    places: &mut Places<'_>,
    texts: Vec<Spanned<Text>>,
    folder: &Path,
) -> Result<BTreeMap<String, Option<Calendar>>, Failure> {
    let mut calendars = BTreeMap::new();
    for (index, text) in texts.into_iter().enumerate() {
        let (path, offset) = (format!("calendars[{index}]"), text.span().start);
        let message = read(places, &path, text, folder)?;
        let name = message.name.clone();
        if calendars.contains_key(&name) {
            places.note(path, offset, format!("calendar `{name}`"));
            places.bad("there is another of this name");
            continue;
        }
        let parsed = Door::open(|door| door.inside(&path, |door| parse_calendar(door, message)));
        let calendar = parsed.map_err(|error| places.refused(error)).ok().map(|(_, calendar)| calendar);
        calendars.insert(name, calendar);
    }
    Ok(calendars)
}

fn read(places: &mut Places<'_>, path: &str, text: Spanned<Text>, folder: &Path) -> Result<wire::Calendar, Failure> {
    let offset = text.span().start;
    let Text { name, time_zone, hours, holidays, icalendar } = text.into_inner();
    let label = match &name {
        Some(name) => format!("calendar `{}`", name.get_ref()),
        None => path.to_owned(),
    };
    let mut field = |field: &str, text: Option<Spanned<String>>| {
        let at = text.as_ref().map_or(offset, |text| text.span().start);
        places.note(format!("{path}.{field}"), at, format!("{label}: {field}"));
        text.map(Spanned::into_inner).unwrap_or_default()
    };
    let (name, time_zone) = (field("name", name), field("time_zone", time_zone));
    places.note(format!("{path}.working_times"), offset, format!("{label}: hours"));
    let mut working_times = Vec::new();
    for (days, stretches) in hours.unwrap_or_default() {
        for stretch in stretches {
            let at = stretch.span().start;
            for weekday in weekdays(&days).unwrap_or_else(|| vec![0]) {
                places.note(format!("{path}.working_times[{}]", working_times.len()), at, format!("{label}: {days}"));
                let (start_minute, end_minute) = minutes(stretch.get_ref()).unwrap_or((0, 0));
                if weekday == 0 {
                    places.bad("is neither a day such as `mon` nor days such as `mon-fri`");
                } else if end_minute == 0 {
                    places.bad(&format!("`{}` is no stretch such as `08:00-12:00`", stretch.get_ref()));
                }
                working_times.push(wire::WorkingTime { weekday, start_minute, end_minute });
            }
        }
    }
    places.note(format!("{path}.holidays"), offset, format!("{label}: holidays"));
    let mut read = |(at, text): (usize, Spanned<String>)| {
        places.note(format!("{path}.holidays[{at}]"), text.span().start, format!("{label}: `{}`", text.get_ref()));
        holiday(text.get_ref())
    };
    let mut holidays: Vec<wire::Holiday> =
        holidays.unwrap_or_default().into_iter().enumerate().map(&mut read).collect();
    if let Some(file) = icalendar {
        let from = folder.join(file.get_ref());
        let bytes =
            fs::read(&from).map_err(|error| Failure::data(format!("can not read {}: {error}", from.display())))?;
        places.note(format!("{path}.icalendar"), file.span().start, format!("{label}: {}", file.get_ref()));
        let found = Door::open(|door| parse_holidays(door, &format!("{path}.icalendar"), &bytes, &time_zone));
        match found {
            Ok(found) => holidays.extend(found.iter().map(render_holiday)),
            Err(error) => places.refused(error),
        }
    }
    Ok(wire::Calendar { name, time_zone, working_times, holidays, ..wire::Calendar::default() })
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `mon`, or `mon-fri`: days of the week from 1 for Monday.
fn weekdays(text: &str) -> Option<Vec<i32>> {
    let day = |name: &str| (1..).zip(DAYS).find(|(_, day)| *day == name.to_lowercase()).map(|(number, _)| number);
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last): (i32, i32) = (day(first)?, day(last)?);
    (first <= last).then(|| (first..=last).collect())
}

/// `08:00-12:00`: minutes after midnight; the end may be 24:00.
fn minutes(text: &str) -> Option<(i32, i32)> {
    let minute = |clock: &str| {
        let (hours, minutes) = clock.split_once(':')?;
        let digits = |text: &str| text.parse::<u8>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
        let (hours, minutes) = (digits(hours)?, digits(minutes)?);
        (minutes < 60 && (hours < 24 || (hours, minutes) == (24, 0)))
            .then_some(i32::from(hours) * 60 + i32::from(minutes))
    };
    let (start, end) = text.split_once('-')?;
    let (start, end) = (minute(start)?, minute(end)?);
    (start < end).then_some((start, end))
}

/// `2026-12-25`, with a part of the day and a name if there are: `2026-12-24 12:00-24:00 Christmas Eve`.
fn holiday(text: &str) -> wire::Holiday {
    let (date, rest) = text.split_once(' ').unwrap_or((text, ""));
    let (part, name) = rest.split_once(' ').unwrap_or((rest, ""));
    let (start_minute, end_minute, name) = match minutes(part) {
        Some((start, end)) => (start, end, name),
        None => (0, 0, rest),
    };
    wire::Holiday { date: date.to_owned(), start_minute, end_minute, name: name.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_stretches_are_read() {
        assert_eq!(weekdays("mon-fri"), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(weekdays("Sun"), Some(vec![7]));
        assert_eq!(weekdays("fri-mon"), None);
        assert_eq!(weekdays("weekend"), None);
        assert_eq!(minutes("08:00-24:00"), Some((480, 1_440)));
        for bad in ["8:00-12:00", "08:00", "12:00-08:00", "08:60-12:00", "24:01-24:02", "08:00-08:00", "+8:00-12:00"] {
            assert_eq!(minutes(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_holiday_may_be_a_part_of_a_day_and_have_a_name() {
        let of = |text| {
            let wire::Holiday { date, start_minute, end_minute, name } = holiday(text);
            (date, start_minute, end_minute, name)
        };
        assert_eq!(of("2026-12-25"), ("2026-12-25".into(), 0, 0, String::new()));
        assert_eq!(of("2026-12-25 Christmas Day"), ("2026-12-25".into(), 0, 0, "Christmas Day".into()));
        assert_eq!(of("2026-12-24 12:00-24:00 Eve"), ("2026-12-24".into(), 720, 1_440, "Eve".into()));
    }
}
