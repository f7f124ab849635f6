//! Local time: from what the clocks of a time zone show to the instants at which they do.

use barometer_chassis::clock::Micros;
use jiff::{Timestamp, civil::Date, tz::TimeZone};

/// 1970-01-01, the day 0.
const EPOCH: Date = Date::constant(1970, 1, 1);
/// Days around the years of calendars, so that no offset from UTC leads out of the table.
const MARGIN: i64 = 3 * Micros::DAY;

/// The offsets of a time zone in the years of calendars.
#[derive(Debug)]
pub(super) struct Local {
    spans: Vec<Span>,
}

/// A stretch of time with one offset, up to the start of the next.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// First instant, in microseconds since the epoch.
    start: i64,
    /// Local time minus UTC, in microseconds.
    offset: i64,
    /// The first local time that the clocks have not shown when the span ends.
    reached: i64,
}

impl Local {
    /// The offsets of `zone` from the first to the last of the days given.
    pub(super) fn new(zone: &TimeZone, first: i32, last: i32) -> Self {
        let first = i64::from(first) * Micros::DAY - MARGIN;
        let last = i64::from(last) * Micros::DAY + MARGIN;
        // Calendars end long before what a timestamp can hold.
        let begin = Timestamp::from_microsecond(first).unwrap_or(Timestamp::MIN);
        let offset = |seconds: i32| i64::from(seconds) * Micros::SECOND;
        let mut spans =
            vec![Span { start: i64::MIN, offset: offset(zone.to_offset(begin).seconds()), reached: i64::MIN }];
        let transitions =
            zone.following(begin).map(|next| (next.timestamp().as_microsecond(), next.offset().seconds()));
        for (start, seconds) in transitions.take_while(|(start, _)| *start < last) {
            let before = spans.len() - 1;
            let reached = if before == 0 { i64::MIN } else { spans[before - 1].reached };
            spans[before].reached = reached.max(start + spans[before].offset);
            spans.push(Span { start, offset: offset(seconds), reached: i64::MAX });
        }
        if let [only] = spans.as_mut_slice() {
            only.reached = i64::MAX;
        }
        Self { spans }
    }

    /// The first instant at which the clocks show this local time or a later one: of a time that comes twice the first, and
    /// of one that is skipped the instant at which they skip it. The local time is in microseconds since the local epoch.
    pub(super) fn instant(&self, local: i64) -> i64 {
        let index = self.spans.partition_point(|span| span.reached <= local);
        // The last span has no end.
        let Span { start, offset, .. } = self.spans[index.min(self.spans.len() - 1)];
        start.max(local - offset)
    }
}

/// The day of a date: 1970-01-01 is 0.
pub(crate) fn day_of(date: Date) -> i32 {
    i32::try_from(date.duration_since(EPOCH).as_hours() / 24).unwrap_or(i32::MAX)
}

/// The date of a day, within the years that dates have.
pub(crate) fn date_of(day: i32) -> Date {
    EPOCH.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(day)))
}

/// The weekday of a day, from 0 for Monday.
pub(crate) fn weekday_of(day: i32) -> usize {
    // 1970-01-01 was a Thursday.
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{DateTime, date};
    use proptest::prelude::*;

    use super::*;

    fn local(zone: &str) -> Local {
        let zone = TimeZone::get(zone).expect("a zone");
        Local::new(&zone, day_of(date(1900, 1, 1)), day_of(date(2201, 1, 1)))
    }

    fn instant(zone: &str, text: &str) -> String {
        let time: DateTime = text.parse().expect("a local time");
        let micros = TimeZone::UTC.to_timestamp(time).expect("in range").as_microsecond();
        Micros(local(zone).instant(micros)).to_string()
    }

    #[test]
    fn skipped_times_move_forward_and_times_that_come_twice_are_the_first() {
        for (zone, time, told) in [
            ("America/New_York", "2024-03-10T01:59", "2024-03-10T06:59:00Z"),
            ("America/New_York", "2024-03-10T02:00", "2024-03-10T07:00:00Z"),
            ("America/New_York", "2024-03-10T02:30", "2024-03-10T07:00:00Z"),
            ("America/New_York", "2024-03-10T03:00", "2024-03-10T07:00:00Z"),
            ("America/New_York", "2024-11-03T01:30", "2024-11-03T05:30:00Z"),
            ("America/New_York", "2024-11-03T02:00", "2024-11-03T07:00:00Z"),
            // Midnight skipped, a whole day skipped, and midnight twice.
            ("America/Sao_Paulo", "2018-11-04T00:00", "2018-11-04T03:00:00Z"),
            ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00:00Z"),
            ("America/St_Johns", "2010-11-07T00:00", "2010-11-07T02:30:00Z"),
            ("UTC", "2199-12-31T23:59", "2199-12-31T23:59:00Z"),
            ("Australia/Lord_Howe", "2150-04-05T01:45", "2150-04-04T14:45:00Z"),
        ] {
            assert_eq!(instant(zone, time), told, "{zone} {time}");
        }
    }

    #[test]
    fn days_and_dates_go_there_and_back() {
        for (day, text) in [(-25_567, "1900-01-01"), (-1, "1969-12-31"), (0, "1970-01-01"), (84_371, "2201-01-01")] {
            assert_eq!((date_of(day).to_string().as_str(), day_of(date_of(day))), (text, day));
        }
    }

    proptest! {
        /// Where a local time is shown exactly once, the zone itself says when.
        #[test]
        fn as_the_zone_says(minute in -36_000_000i64..110_000_000, zone in prop::sample::select(vec![
            "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Africa/Casablanca",
        ])) {
            let micros = minute * 60 * Micros::SECOND;
            let shown = TimeZone::UTC.to_datetime(Timestamp::from_microsecond(micros).expect("in range"));
            let ambiguous = TimeZone::get(zone).expect("a zone").to_ambiguous_timestamp(shown);
            prop_assume!(!ambiguous.is_ambiguous());
            let told = ambiguous.unambiguous().expect("shown once").as_microsecond();
            prop_assert_eq!(local(zone).instant(micros), told);
        }
    }
}
