//! Two years by calendar months, and how good the service was in them.

use std::ops::Range;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

use crate::Micros;

/// How many calendar months there are, the last of which may be cut.
pub const MONTHS: usize = 24;
/// The months in which the service is bad, by their ordinals.
pub const DIP: Range<usize> = 12..15;
/// One hour.
pub const HOUR: Micros = 3_600_000_000;
/// One day of 24 hours.
pub const DAY: Micros = 24 * HOUR;

/// Quality of the service at the beginning of each month, in thousandths of the best, and at the end of the last.
const QUALITY: [i64; MONTHS + 1] = [
    1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 600, 250, 250, 600, 900, 1_000,
    1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000,
];

/// Two years.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The beginnings of the months, and the end of the last.
    bounds: Vec<Micros>,
    until: Micros,
}

impl Timeline {
    /// The calendar months that end with the one of the last moment before `until`.
    pub(crate) fn new(until: Micros) -> Option<Self> {
        let last = Timestamp::from_microsecond(until.checked_sub(1)?).ok()?;
        let last = last.to_zoned(TimeZone::UTC).date().first_of_month();
        let bound = |ordinal: usize| {
            let months = i32::try_from(ordinal).ok()? + 1 - i32::try_from(MONTHS).ok()?;
            beginning(last.checked_add(months.months()).ok()?)
        };
        let bounds = (0..=MONTHS).map(bound).collect::<Option<Vec<_>>>()?;
        Some(Self { bounds, until })
    }

    /// Where it begins.
    pub fn start(&self) -> Micros {
        self.bounds[0]
    }

    /// Where it ends, itself excluded: nothing happens at or after it.
    pub fn until(&self) -> Micros {
        self.until
    }

    /// The month of an instant, by its ordinal.
    pub fn month(&self, at: Micros) -> Option<usize> {
        let ordinal = self.bounds.partition_point(|bound| *bound <= at).checked_sub(1)?;
        (at < self.until).then_some(ordinal)
    }

    /// Beginning and end of a month; the last ends with the timeline.
    pub fn bounds(&self, month: usize) -> Range<Micros> {
        self.bounds[month]..self.bounds[month + 1].min(self.until)
    }

    /// A month by its name, as in `2024-05`.
    pub fn label(&self, month: usize) -> String {
        Timestamp::from_microsecond(self.bounds[month]).map(|at| at.strftime("%Y-%m").to_string()).unwrap_or_default()
    }

    /// How many days there are, the last of which may be cut.
    pub(crate) fn days(&self) -> i64 {
        (self.until - self.start() + DAY - 1) / DAY
    }

    /// Where a day begins.
    pub(crate) fn day(&self, day: i64) -> Micros {
        self.start() + day * DAY
    }

    /// What service lacked to be at its best at an instant, in thousandths; it goes evenly from month to month.
    pub(crate) fn trouble(&self, at: Micros) -> i64 {
        let Some(month) = self.month(at) else { return 0 };
        let (begin, end) = (self.bounds[month], self.bounds[month + 1]);
        let rise = QUALITY[month + 1] - QUALITY[month];
        1_000 - (QUALITY[month] + rise * (at - begin) / (end - begin))
    }
}

fn beginning(date: Date) -> Option<Micros> {
    Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        text.parse::<Timestamp>().expect("an instant").as_microsecond()
    }

    #[test]
    fn two_years_end_with_the_month_of_the_end() {
        let timeline = Timeline::new(at("2026-03-15T12:00:00Z")).expect("an instant");
        assert_eq!((timeline.label(0), timeline.label(23)), ("2024-04".to_owned(), "2026-03".to_owned()));
        assert_eq!(timeline.bounds(23), at("2026-03-01T00:00:00Z")..at("2026-03-15T12:00:00Z"));
        assert_eq!(timeline.bounds(22), at("2026-02-01T00:00:00Z")..at("2026-03-01T00:00:00Z"));
        assert_eq!((timeline.month(at("2024-03-31T23:59:59Z")), timeline.month(timeline.until())), (None, None));
        assert_eq!((timeline.month(timeline.start()), timeline.month(timeline.until() - 1)), (Some(0), Some(23)));
        // An end between two months belongs to the one before.
        assert_eq!(Timeline::new(at("2026-03-01T00:00:00Z")).expect("an instant").label(23), "2026-02");
        assert_eq!(Timeline::new(i64::MIN).map(|timeline| timeline.until), None);
    }

    #[test]
    fn service_is_bad_in_the_dip_only() {
        let timeline = Timeline::new(at("2026-03-15T12:00:00Z")).expect("an instant");
        for month in 0..MONTHS {
            let (begin, end) = (timeline.bounds(month).start, timeline.bounds(month).end - 1);
            let least = timeline.trouble(begin).min(timeline.trouble(end));
            assert_eq!(least >= 400, DIP.contains(&month), "month {month}: {least}");
            assert!((0..=1_000).contains(&timeline.trouble(begin)));
        }
    }
}
