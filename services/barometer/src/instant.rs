//! Instants as people and files write them.

use barometer_chassis::clock::Micros;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::failure::Failure;

/// An instant from an ISO date (its first moment), a local date and time, or an instant with its offset. What is local is
/// in `zone`; a time that comes twice when clocks go back is the first of the two, one that is skipped is moved on.
pub(crate) fn instant(text: &str, zone: &TimeZone) -> Option<Micros> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(Micros(instant.as_microsecond()));
    }
    // A name of a zone in brackets would be passed over.
    let local: DateTime = text.parse().ok().filter(|_| !text.contains('['))?;
    local.to_zoned(zone.clone()).ok().as_ref().map(micros)
}

/// As [`instant`], or the first moment of a year (`2017`) or a month (`2017-05`).
pub(crate) fn boundary(text: &str, zone: &TimeZone) -> Option<Micros> {
    let numbers: Option<Vec<i16>> = text.split('-').map(|part| part.parse().ok()).collect();
    let first = match (numbers.as_deref(), text.len()) {
        (Some([year]), 4) => Date::new(*year, 1, 1).ok(),
        (Some([year, month]), 7) => i8::try_from(*month).ok().and_then(|month| Date::new(*year, month, 1).ok()),
        _ => return instant(text, zone),
    };
    first?.to_zoned(zone.clone()).ok().as_ref().map(micros)
}

/// The flags `--from` and `--to` as instants; what is local is in `zone`, or in UTC.
///
/// # Errors
/// When one is no time.
pub(crate) fn span(
    from: Option<&str>,
    to: Option<&str>,
    zone: Option<&TimeZone>,
) -> Result<(Option<prost_types::Timestamp>, Option<prost_types::Timestamp>), Failure> {
    let time = |flag: &str, text: Option<&str>| {
        let Some(text) = text else { return Ok(None) };
        let at = boundary(text, zone.unwrap_or(&TimeZone::UTC));
        let examples = "2017, 2017-05, 2017-05-13, 2017-05-13T09:00 or 2017-05-13T09:00:00Z";
        at.map(|at| Some(at.to_wire())).ok_or_else(|| format!("{flag}: {text:?} is not a time such as {examples}"))
    };
    match (time("--from", from), time("--to", to)) {
        (Ok(start), Ok(end)) => Ok((start, end)),
        (start, end) => {
            let wrong: Vec<_> = [start.err(), end.err()].into_iter().flatten().collect();
            Err(Failure::usage(wrong.join("; ")))
        }
    }
}

/// Whether a time is said in days, which begin at another instant in every zone.
pub(crate) fn is_local(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.parse::<Timestamp>().is_err())
}

/// A time zone by its IANA name.
///
/// # Errors
/// When there is none, in words for clap.
pub(crate) fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "there is no such time zone; it is an IANA name, as in Europe/Chisinau".to_owned())
}

fn micros(zoned: &Zoned) -> Micros {
    Micros(zoned.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Option<String> {
        let zone = time_zone("Europe/Chisinau").expect("a zone");
        show(instant(text, &zone)?)
    }

    fn show(at: Micros) -> Option<String> {
        Some(Timestamp::from_microsecond(at.0).ok()?.to_string())
    }

    #[test]
    fn dates_and_local_times_are_in_the_zone() {
        for (text, utc) in [
            ("2017-05-13", "2017-05-12T21:00:00Z"),
            ("2009-12-01T07:45:00", "2009-12-01T05:45:00Z"),
            ("2009-12-01 07:45", "2009-12-01T05:45:00Z"),
            ("2009-12-01T07:45:00.25", "2009-12-01T05:45:00.25Z"),
            ("2009-12-01T07:45:00Z", "2009-12-01T07:45:00Z"),
            ("2009-12-01 07:45:00+01:00", "2009-12-01T06:45:00Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
        ] {
            assert_eq!(at(text).as_deref(), Some(utc), "{text}");
        }
        for bad in ["", "yesterday", "13.05.2017", "2017-02-30", "05/13/2017", "2009-12-01T07:45[Asia/Tokyo]", "2017"] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn clock_changes_leave_no_time_out() {
        // 2024-03-31: from 2:00 to 3:00. 2024-10-27: 3:00 again to 2:00.
        assert_eq!(at("2024-03-31T02:30").as_deref(), Some("2024-03-31T00:30:00Z"));
        assert_eq!(at("2024-10-27T02:30").as_deref(), Some("2024-10-26T23:30:00Z"));
    }

    #[test]
    fn boundaries_may_be_years_and_months() {
        let of = |text: &str| boundary(text, &TimeZone::UTC).and_then(show);
        assert_eq!(of("2017").as_deref(), Some("2017-01-01T00:00:00Z"));
        assert_eq!(of("2017-05").as_deref(), Some("2017-05-01T00:00:00Z"));
        assert_eq!(of("2017-05-13").as_deref(), Some("2017-05-13T00:00:00Z"));
        assert_eq!(of("2017-13"), None);
        assert_eq!(of("17"), None);
    }

    proptest! {
        #[test]
        fn an_instant_is_read_as_it_was_written(micros in -62_135_596_800_000_000i64..253_402_207_200_000_000) {
            let text = show(Micros(micros)).expect("in range");
            prop_assert_eq!(instant(&text, &TimeZone::UTC), Some(Micros(micros)));
        }
    }
}
