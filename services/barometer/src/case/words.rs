//! What the contract's values are called here.

use std::fmt;

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{ClockAmount, ClockDuration, ClockKind, DurationUnit, clock_amount::Amount};
use jiff::{Timestamp, tz::TimeZone};

use crate::decimal::grouped;

/// The name of a value of an enum without what all of them begin with: `CASE_KIND_SURVEY_FOLLOW_UP` is `survey follow up`.
pub(super) fn plain(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase().replace('_', " ")
}

/// What tells an id from others of the same day, for people.
pub(super) fn tail(id: &str) -> &str {
    id.char_indices().rev().nth(7).map_or(id, |(at, _)| &id[at..])
}

/// A clock's name, with the how-manieth it is where there can be several.
pub(super) fn clock(kind: ClockKind, instance: i32) -> String {
    match kind {
        ClockKind::NextResponse => format!("next response {instance}"),
        ClockKind::PeriodicUpdate => format!("update {instance}"),
        _ => plain(kind.as_str_name(), "CLOCK_KIND_"),
    }
}

/// `Mon 2026-03-02`.
pub(super) fn date(at: Micros, zone: &TimeZone) -> String {
    local(at, zone, "%a %Y-%m-%d")
}

/// `09:12`; with seconds where there are.
pub(super) fn time(at: Micros, zone: &TimeZone) -> String {
    local(at, zone, if at.0.rem_euclid(60 * Micros::SECOND) < Micros::SECOND { "%H:%M" } else { "%H:%M:%S" })
}

/// `2026-03-02 09:12`.
pub(super) fn minute(at: Micros, zone: &TimeZone) -> String {
    local(at, zone, "%Y-%m-%d %H:%M")
}

/// `02 Mar 09:12`.
pub(super) fn short(at: Micros, zone: &TimeZone) -> String {
    local(at, zone, "%d %b %H:%M")
}

fn local(at: Micros, zone: &TimeZone, format: &str) -> String {
    let instant = Timestamp::from_microsecond(at.0);
    instant.map_or_else(|_| at.to_string(), |instant| instant.to_zoned(zone.clone()).strftime(format).to_string())
}

/// A part of a target with its unit, for people: `42 s`, `0:28 h`, `3 d 4:00 h`, `120:00 working h`, `3 working days`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    number: String,
    unit: &'static str,
}

/// Minutes of a day, and how many days are so many that minutes do not matter.
const DAY: u64 = 24 * 60;
const MANY_DAYS: u64 = 1_000;

/// How much that is, without its sign. Hours round the clock make days; a day of working time has no certain length.
pub(super) fn span(amount: Option<&ClockAmount>, unit: DurationUnit) -> Span {
    let (number, unit) = match amount.and_then(|amount| amount.amount.as_ref()) {
        Some(Amount::Time(time)) => {
            // What has begun counts, so that something that is left is never nothing.
            let seconds = time.seconds.unsigned_abs() + u64::from(time.nanos != 0);
            of_time(seconds, unit == DurationUnit::WorkingMinutes)
        }
        Some(Amount::Days(days)) => of_days(days.unsigned_abs(), unit),
        None if is_of_days(unit) => of_days(0, unit),
        None => of_time(0, unit == DurationUnit::WorkingMinutes),
    };
    Span { number, unit }
}

fn of_time(seconds: u64, working: bool) -> (String, &'static str) {
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let (days, rest) = (seconds / 60 / DAY, seconds / 60 % DAY);
    match (days, rest) {
        _ if (1..60).contains(&seconds) => (seconds.to_string(), "s"),
        _ if working => (format!("{}:{minutes:02}", grouped(hours)), "working h"),
        (0, _) => (format!("{hours}:{minutes:02}"), "h"),
        (_, 0) | (MANY_DAYS.., _) => (grouped(days), "d"),
        _ => (format!("{days} d {}:{minutes:02}", hours % 24), "h"),
    }
}

fn of_days(days: u64, unit: DurationUnit) -> (String, &'static str) {
    let unit = match (unit, days) {
        (DurationUnit::WorkingDays, 1) => "working day",
        (DurationUnit::WorkingDays, _) => "working days",
        (_, 1) => "day",
        _ => "days",
    };
    (grouped(days), unit)
}

fn is_of_days(unit: DurationUnit) -> bool {
    use DurationUnit::{CalendarDays, Months, Weeks, WorkingDays};
    matches!(unit, WorkingDays | CalendarDays | Weeks | Months)
}

impl Span {
    /// Two of them, with the unit once if it is the same: `0:32 left of 1:00 working h`.
    pub(super) fn beside(&self, joint: &str, other: &Span) -> String {
        let Span { number, unit } = self;
        let same = unit.trim_end_matches('s') == other.unit.trim_end_matches('s');
        if same { format!("{number} {joint} {other}") } else { format!("{number} {unit} {joint} {other}") }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.number, self.unit)
    }
}

/// How long something may take: `4:00 working h`, `1 working day`, `8 weeks`.
pub(super) fn duration(duration: &ClockDuration) -> String {
    let (amount, unit) = (duration.amount, duration.unit());
    let one = amount == 1;
    match unit {
        DurationUnit::Unspecified => amount.to_string(),
        DurationUnit::ElapsedMinutes | DurationUnit::WorkingMinutes => {
            let time = prost_types::Duration { seconds: i64::from(amount) * 60, nanos: 0 };
            span(Some(&ClockAmount { amount: Some(Amount::Time(time)) }), unit).to_string()
        }
        DurationUnit::WorkingDays | DurationUnit::CalendarDays => {
            span(Some(&ClockAmount { amount: Some(Amount::Days(amount.into())) }), unit).to_string()
        }
        DurationUnit::Weeks => format!("{amount} {}", if one { "week" } else { "weeks" }),
        DurationUnit::Months => format!("{amount} {}", if one { "month" } else { "months" }),
    }
}

/// Whether less than nothing is left.
pub(super) fn is_over(amount: Option<&ClockAmount>) -> bool {
    match amount.and_then(|amount| amount.amount.as_ref()) {
        Some(Amount::Time(time)) => time.seconds < 0 || time.nanos < 0,
        Some(Amount::Days(days)) => *days < 0,
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(seconds: i64, nanos: i32) -> Option<ClockAmount> {
        Some(ClockAmount { amount: Some(Amount::Time(prost_types::Duration { seconds, nanos })) })
    }

    #[test]
    fn short_and_long_spans_read_well() {
        let elapsed = |seconds| span(time(seconds, 0).as_ref(), DurationUnit::ElapsedMinutes).to_string();
        let (hour, day) = (3_600, 24 * 3_600);
        let told = [0, 1, 59, 60, hour, day - 60, day, -day - 5 * hour - 90, 41 * day + 60, 2_000 * day + hour];
        let expected =
            ["0:00 h", "1 s", "59 s", "0:01 h", "1:00 h", "23:59 h", "1 d", "1 d 5:01 h", "41 d 0:01 h", "2,000 d"];
        assert_eq!(told.map(elapsed), expected);
        let working = |seconds| span(time(seconds, 0).as_ref(), DurationUnit::WorkingMinutes).to_string();
        assert_eq!([30, 30 * hour, 1_666 * hour].map(working), ["30 s", "30:00 working h", "1,666:00 working h"]);
        let begun = span(time(0, -1_000).as_ref(), DurationUnit::WorkingMinutes);
        assert_eq!(begun.to_string(), "1 s", "late by less than a second is late");
        let days = |days, unit| span(Some(&ClockAmount { amount: Some(Amount::Days(days)) }), unit).to_string();
        assert_eq!(days(1, DurationUnit::WorkingDays), "1 working day");
        assert_eq!(days(-3, DurationUnit::Weeks), "3 days");
        assert_eq!(span(None, DurationUnit::Months).to_string(), "0 days");
    }

    #[test]
    fn a_unit_that_is_the_same_is_told_once() {
        let of = |seconds| span(time(seconds, 0).as_ref(), DurationUnit::ElapsedMinutes);
        assert_eq!(of(1_920).beside("left of", &of(3_600)), "0:32 left of 1:00 h");
        assert_eq!(of(12).beside("left of", &of(3_600)), "12 s left of 1:00 h");
        assert_eq!(of(86_400).beside("over", &of(3_600)), "1 d over 1:00 h");
        let days = |days| span(Some(&ClockAmount { amount: Some(Amount::Days(days)) }), DurationUnit::WorkingDays);
        assert_eq!(days(0).beside("of", &days(1)), "0 of 1 working day");
    }

    #[test]
    fn amounts_of_ladders_are_told_in_their_units() {
        let told = |amount, unit: DurationUnit| duration(&ClockDuration { amount, unit: unit.into() });
        assert_eq!(told(240, DurationUnit::WorkingMinutes), "4:00 working h");
        assert_eq!(told(2_880, DurationUnit::ElapsedMinutes), "2 d");
        assert_eq!(
            (told(1, DurationUnit::WorkingDays), told(8, DurationUnit::Weeks)),
            ("1 working day".into(), "8 weeks".into())
        );
    }
}
