//! Local days and months of instants in a reporting time zone.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// Microseconds in 24 hours.
pub(super) const DAY: i64 = 86_400_000_000;
const EPOCH: Date = date(1970, 1, 1);
/// 2500-01-01, where tables end: from 2100 on all zones follow rules that repeat with the calendar.
const TABLE_END: i32 = 193_579;
/// Days in 400 years, after which the Gregorian calendar repeats, weekdays included.
const CYCLE: i32 = 146_097;

/// The local days of a time zone: a table of all its offsets from UTC, made once and asked often.
///
/// A day is numbered from 1970-01-01, which is 0. It runs from the first instant that the zone's clocks show its date
/// to the first instant that they show a later one. So days follow one another without gap or overlap also where clocks
/// skip midnight, skip a whole day (which then has no instant), or fall back over midnight into the day before.
#[derive(Debug, Clone)]
pub struct LocalDays {
    spans: Vec<Span>,
}

/// A stretch of time with one offset, up to the start of the next.
#[derive(Debug, Clone, Copy)]
struct Span {
    /// First instant, in microseconds since the epoch.
    start: i64,
    /// Local time minus UTC, in microseconds.
    offset: i64,
    /// The day that had been reached when the span started: clocks that are put back do not go back in days.
    reached: i32,
}

impl Span {
    fn day(&self, instant: i64) -> i32 {
        day_number(instant.saturating_add(self.offset)).max(self.reached)
    }
}

impl LocalDays {
    /// The days of `zone`.
    pub fn new(zone: &TimeZone) -> Self {
        let offset = |seconds: i32| i64::from(seconds) * 1_000_000;
        let mut last =
            Span { start: i64::MIN, offset: offset(zone.to_offset(Timestamp::MIN).seconds()), reached: i32::MIN };
        let mut spans = vec![last];
        let transitions =
            zone.following(Timestamp::MIN).take_while(|next| day_number(next.timestamp().as_microsecond()) < TABLE_END);
        for transition in transitions {
            let start = transition.timestamp().as_microsecond();
            last = Span { start, offset: offset(transition.offset().seconds()), reached: last.day(start - 1) };
            spans.push(last);
        }
        Self { spans }
    }

    /// The day of an instant.
    pub fn day(&self, instant: i64) -> i32 {
        let beyond = days_beyond_table(day_number(instant));
        let instant = instant - i64::from(beyond) * DAY;
        let following = self.spans.partition_point(|span| span.start <= instant);
        self.spans[following - 1].day(instant) + beyond
    }

    /// The month of an instant, as 12·year + (month − 1): differences count calendar months.
    pub fn month(&self, instant: i64) -> i32 {
        let date = date_of(self.day(instant));
        12 * i32::from(date.year()) + i32::from(date.month()) - 1
    }

    /// The first instant of a day; of a day that the zone skips, the first instant after it.
    pub fn start_of(&self, day: i32) -> i64 {
        let beyond = days_beyond_table(day);
        let day = day - beyond;
        // The first span that ends on this day or later: the next one has reached it.
        let index = self.spans[1..].partition_point(|next| next.reached < day);
        let Span { start, offset, .. } = self.spans[index];
        let midnight = i64::from(day).saturating_mul(DAY).saturating_sub(offset);
        midnight.max(start).saturating_add(i64::from(beyond).saturating_mul(DAY))
    }
}

/// Whole cycles of days to go back from `day` to a day of the table with the same rules.
fn days_beyond_table(day: i32) -> i32 {
    if day < TABLE_END { 0 } else { ((day - TABLE_END) / CYCLE + 1) * CYCLE }
}

/// The date of a day, within the years −9999 to 9999.
pub fn date_of(day: i32) -> Date {
    EPOCH.saturating_add(SignedDuration::from_hours(24 * i64::from(day)))
}

/// The day of a date.
pub fn day_of(date: Date) -> i32 {
    day_number(date.duration_since(EPOCH).as_secs() * 1_000_000)
}

/// The day of a local time in microseconds; 64 bits of them are less than 1.1e8 days either way.
fn day_number(local: i64) -> i32 {
    i32::try_from(local.div_euclid(DAY)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;
    use proptest::prelude::*;

    use super::*;

    const ZONES: [&str; 13] = [
        "Africa/Casablanca",
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "America/Sao_Paulo",
        "America/Havana",
        "America/St_Johns",
        "America/Toronto",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Pacific/Kwajalein",
        "Australia/Lord_Howe",
    ];

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).expect("a zone")
    }

    fn instant(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("an instant").as_microsecond()
    }

    fn hours_of(days: &LocalDays, date: Date) -> i64 {
        let day = day_of(date);
        (days.start_of(day + 1) - days.start_of(day)) / 3_600_000_000
    }

    #[test]
    fn days_are_numbered_from_the_epoch() {
        let days = LocalDays::new(&TimeZone::UTC);
        assert_eq!((days.day(0), days.day(-1), days.day(DAY)), (0, -1, 1));
        assert_eq!(day_of(date(2000, 3, 1)) - day_of(date(2000, 2, 28)), 2);
        assert_eq!(date_of(day_of(date(2024, 2, 29))), date(2024, 2, 29));
        assert_eq!(date_of(TABLE_END), date(2500, 1, 1));
        assert_eq!(date_of(TABLE_END + CYCLE), date(2900, 1, 1));
        assert_eq!(days.month(instant("2024-02-29T23:59:59.999999Z")), 12 * 2024 + 1);
        assert_eq!(days.month(instant("1970-01-01T00:00Z")), 12 * 1970);
    }

    #[test]
    fn days_of_23_and_25_hours() {
        let days = LocalDays::new(&zone("Europe/Berlin"));
        assert_eq!(hours_of(&days, date(2013, 3, 31)), 23);
        assert_eq!(hours_of(&days, date(2013, 10, 27)), 25);
        assert_eq!(hours_of(&days, date(2013, 10, 28)), 24);
    }

    #[test]
    fn a_day_without_midnight_starts_when_clocks_first_show_it() {
        let days = LocalDays::new(&zone("America/Sao_Paulo"));
        assert_eq!(days.start_of(day_of(date(2017, 10, 15))), instant("2017-10-15T01:00-02:00"));
        assert_eq!(hours_of(&days, date(2017, 10, 15)), 23);
        // Clocks went from 23:30 to 00:30: midnight lies inside the gap.
        let days = LocalDays::new(&zone("America/Toronto"));
        assert_eq!(days.start_of(day_of(date(1919, 3, 31))), instant("1919-03-31T00:30-04:00"));
    }

    #[test]
    fn clocks_put_back_over_midnight_do_not_bring_back_the_day_before() {
        // Until 2011 clocks went back at 00:01, to 23:01 of the day before.
        let days = LocalDays::new(&zone("America/St_Johns"));
        let sunday = day_of(date(2010, 11, 7));
        assert_eq!(days.start_of(sunday), instant("2010-11-07T00:00-02:30"));
        assert_eq!(days.day(instant("2010-11-07T00:00:30-02:30")), sunday);
        assert_eq!(days.day(instant("2010-11-06T23:30-03:30")), sunday);
        assert_eq!(hours_of(&days, date(2010, 11, 7)), 25);
    }

    #[test]
    fn a_skipped_day_has_no_instant() {
        let days = LocalDays::new(&zone("Pacific/Apia"));
        assert_eq!(hours_of(&days, date(2011, 12, 29)), 24);
        assert_eq!(hours_of(&days, date(2011, 12, 30)), 0);
        assert_eq!(hours_of(&days, date(2011, 12, 31)), 24);
    }

    #[test]
    fn every_instant_has_a_day() {
        let days = LocalDays::new(&zone("Europe/Berlin"));
        assert!(days.day(i64::MIN) < day_of(Date::MIN) && days.day(i64::MAX) > day_of(Date::MAX));
        assert_eq!((days.start_of(i32::MIN), days.start_of(i32::MAX)), (i64::MIN, i64::MAX));
        assert_eq!(days.start_of(day_of(date(3013, 7, 1))), instant("3013-06-30T22:00Z"));
    }

    proptest! {
        #[test]
        fn the_day_is_the_date_that_clocks_show_or_have_shown(
            name in prop::sample::select(&ZONES), seconds in -4_000_000_000_i64..80_000_000_000,
        ) {
            let zone = zone(name);
            let (days, at) = (LocalDays::new(&zone), Timestamp::from_second(seconds).expect("in range"));
            let shown = day_of(zone.to_datetime(at).date());
            let day = days.day(at.as_microsecond());
            // In the hour after clocks fell back over midnight the day is ahead of the clocks by one.
            prop_assert!(day == shown || (day == shown + 1 && days.start_of(day) + DAY / 24 > at.as_microsecond()));
        }

        #[test]
        fn a_day_starts_where_it_says(
            name in prop::sample::select(&ZONES), day in -40_000..800_000,
        ) {
            let zone = zone(name);
            let days = LocalDays::new(&zone);
            let start = days.start_of(day);
            prop_assert!(days.day(start) >= day && days.day(start - 1) < day);
            let noon: DateTime = date_of(day).at(12, 0, 0, 0);
            let twin = noon.to_zoned(zone).and_then(|noon| noon.start_of_day()).expect("in range");
            if twin.date() == date_of(day) {
                prop_assert_eq!(start, twin.timestamp().as_microsecond());
            }
        }
    }
}
