//! What the contract's values are called here.

use barometer_chassis::clock::Micros;
use barometer_proto::complaints::v1::{ClockAmount, ClockKind, DurationUnit, clock_amount::Amount};
use jiff::{Timestamp, tz::TimeZone};

/// The name of a value of an enum without what all of them begin with: `CASE_KIND_SURVEY_FOLLOW_UP` is `survey follow up`.
pub(super) fn plain(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase().replace('_', " ")
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

/// A part of a target: `0:28` of time, `3` of days.
pub(super) fn amount(amount: Option<&ClockAmount>) -> String {
    match amount.and_then(|amount| amount.amount.as_ref()) {
        Some(Amount::Time(time)) => {
            let minutes = time.seconds.abs() / 60;
            format!("{}:{:02}", minutes / 60, minutes % 60)
        }
        Some(Amount::Days(days)) => days.abs().to_string(),
        None => "0".to_owned(),
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

/// What a target is counted in.
pub(super) fn unit(unit: DurationUnit) -> &'static str {
    match unit {
        DurationUnit::Unspecified => "",
        DurationUnit::ElapsedMinutes => "h",
        DurationUnit::WorkingMinutes => "working h",
        DurationUnit::WorkingDays => "working days",
        DurationUnit::CalendarDays | DurationUnit::Weeks | DurationUnit::Months => "days",
    }
}
