//! Calendar periods of a range of time.

use std::fmt;
use std::ops::Range;

use jiff::Timestamp;

use super::granularity::Granularity;
use super::zone::{LocalDays, date_of, day_of};

/// The most periods that a query may ask for: some eleven years of days.
pub const MAX_PERIODS: usize = 4_000;

/// A period of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Period {
    /// First instant.
    pub start: i64,
    /// First instant after it.
    pub end: i64,
    /// `2017`, `2017-Q2`, `2017-05`, `2017-W21` (with the year of the ISO week), `2017-05-13`, or `all`.
    pub label: String,
    /// Whether the range that was asked for holds only a part of it. Never so for `all`.
    pub partial: bool,
}

/// The periods of a range, in order and without gaps: each is a whole period of the calendar, but for the first and the
/// last, which end where the range does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Periods {
    periods: Vec<Period>,
    /// The starts of the periods again, side by side for the search, and the end of the last.
    boundaries: Vec<i64>,
}

impl Periods {
    /// The periods of the half-open `range` by the calendar of a time zone.
    ///
    /// # Errors
    /// See [`PeriodError`].
    pub fn new(days: &LocalDays, granularity: Granularity, range: Range<i64>) -> Result<Self, PeriodError> {
        if range.is_empty() {
            return Err(PeriodError::Empty);
        }
        let periods = match granularity {
            Granularity::All => {
                let Range { start, end } = range;
                vec![Period { start, end, label: "all".to_owned(), partial: false }]
            }
            _ => calendar_periods(days, granularity, range)?,
        };
        let ends = periods.last().map(|last| last.end);
        let boundaries = periods.iter().map(|period| period.start).chain(ends).collect();
        Ok(Self { periods, boundaries })
    }

    /// The first instant of the whole period of the calendar that holds `instant`; `None` for [`Granularity::All`] and
    /// off the calendar.
    pub fn start_of(days: &LocalDays, granularity: Granularity, instant: i64) -> Option<i64> {
        Timestamp::from_microsecond(instant).ok()?;
        let first = granularity.first_date(date_of(days.day(instant)))?;
        Some(days.start_of(day_of(first)))
    }

    /// The instant at which the whole period of the calendar that holds `instant` is over; `None` as for
    /// [`Periods::start_of`].
    pub fn end_of(days: &LocalDays, granularity: Granularity, instant: i64) -> Option<i64> {
        Timestamp::from_microsecond(instant).ok()?;
        let first = granularity.first_date(date_of(days.day(instant)))?;
        Some(days.start_of(day_of(granularity.next(first)?)))
    }

    /// The periods in order.
    pub fn as_slice(&self) -> &[Period] {
        &self.periods
    }

    /// How many there are: at least one, at most [`MAX_PERIODS`].
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(&self) -> usize {
        self.periods.len()
    }

    /// The start of each period and the end of the last, ascending.
    pub fn boundaries(&self) -> &[i64] {
        &self.boundaries
    }

    /// Which period an instant falls into; `None` outside the range.
    pub fn index_of(&self, instant: i64) -> Option<usize> {
        let started = self.boundaries.partition_point(|boundary| *boundary <= instant);
        started.checked_sub(1).filter(|index| *index < self.periods.len())
    }
}

fn calendar_periods(days: &LocalDays, granularity: Granularity, range: Range<i64>) -> Result<Vec<Period>, PeriodError> {
    let on_the_calendar = |instant: i64| Timestamp::from_microsecond(instant).is_ok();
    if !on_the_calendar(range.start) || !on_the_calendar(range.end) {
        return Err(PeriodError::OffTheCalendar);
    }
    let mut periods = Vec::new();
    let first_day = date_of(days.day(range.start));
    let mut date = granularity.first_date(first_day).ok_or(PeriodError::OffTheCalendar)?;
    let mut begins = days.start_of(day_of(date));
    while begins < range.end {
        let following = granularity.next(date).ok_or(PeriodError::OffTheCalendar)?;
        let ends = days.start_of(day_of(following));
        let (start, end) = (begins.max(range.start), ends.min(range.end));
        // A day that the zone skipped is no period.
        if start < end {
            if periods.len() == MAX_PERIODS {
                return Err(PeriodError::TooMany { limit: MAX_PERIODS });
            }
            let partial = (start, end) != (begins, ends);
            periods.push(Period { start, end, label: granularity.label(date), partial });
        }
        (date, begins) = (following, ends);
    }
    Ok(periods)
}

/// Why a range has no periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PeriodError {
    /// The range does not end after it starts.
    Empty,
    /// The range has more periods than the limit.
    TooMany {
        /// How many there may be.
        limit: usize,
    },
    /// The range leaves the years −9999 to 9999.
    OffTheCalendar,
}

impl fmt::Display for PeriodError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("the range must end after it starts"),
            Self::TooMany { limit } => write!(formatter, "the range has more than {limit} periods of this granularity"),
            Self::OffTheCalendar => formatter.write_str("the range must lie within the years -9999 to 9999"),
        }
    }
}

impl std::error::Error for PeriodError {}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    use super::*;

    const CALENDAR: [Granularity; 5] =
        [Granularity::Day, Granularity::Week, Granularity::Month, Granularity::Quarter, Granularity::Year];

    fn days(zone: &str) -> LocalDays {
        LocalDays::new(&TimeZone::get(zone).expect("a zone"))
    }

    fn instant(text: &str) -> i64 {
        text.parse::<Timestamp>().expect("an instant").as_microsecond()
    }

    fn periods(zone: &str, granularity: Granularity, from: &str, to: &str) -> Vec<Period> {
        let range = instant(from)..instant(to);
        Periods::new(&days(zone), granularity, range).expect("periods").as_slice().to_vec()
    }

    fn labels(periods: &[Period]) -> Vec<&str> {
        periods.iter().map(|period| period.label.as_str()).collect()
    }

    fn period(start: &str, end: &str, label: &str, partial: bool) -> Period {
        Period { start: instant(start), end: instant(end), label: label.to_owned(), partial }
    }

    #[test]
    fn months_are_those_of_the_zone_and_cut_to_the_range() {
        assert_eq!(
            periods("Europe/Berlin", Granularity::Month, "2017-02-15T00:00Z", "2017-04-30T22:00Z"),
            [
                period("2017-02-15T00:00Z", "2017-02-28T23:00Z", "2017-02", true),
                period("2017-02-28T23:00Z", "2017-03-31T22:00Z", "2017-03", false),
                period("2017-03-31T22:00Z", "2017-04-30T22:00Z", "2017-04", false),
            ]
        );
    }

    #[test]
    fn a_range_inside_one_period_is_a_part_of_it() {
        assert_eq!(
            periods("UTC", Granularity::Year, "2017-02-15T00:00Z", "2017-02-15T00:01Z"),
            [period("2017-02-15T00:00Z", "2017-02-15T00:01Z", "2017", true)]
        );
    }

    #[test]
    fn weeks_are_named_by_their_own_year() {
        let weeks = periods("UTC", Granularity::Week, "2020-12-21T00:00Z", "2021-01-11T00:00Z");
        assert_eq!(labels(&weeks), ["2020-W52", "2020-W53", "2021-W01"]);
        assert_eq!(weeks[1], period("2020-12-28T00:00Z", "2021-01-04T00:00Z", "2020-W53", false));
        let weeks = periods("UTC", Granularity::Week, "2018-12-31T00:00Z", "2019-01-07T00:00Z");
        assert_eq!(labels(&weeks), ["2019-W01"]);
    }

    #[test]
    fn labels_by_granularity() {
        let label =
            |granularity| periods("UTC", granularity, "2017-05-24T00:00Z", "2017-05-25T00:00Z")[0].label.clone();
        assert_eq!(label(Granularity::All), "all");
        assert_eq!(label(Granularity::Day), "2017-05-24");
        assert_eq!(label(Granularity::Week), "2017-W21");
        assert_eq!(label(Granularity::Month), "2017-05");
        assert_eq!(label(Granularity::Quarter), "2017-Q2");
        assert_eq!(label(Granularity::Year), "2017");
        let quarters = periods("UTC", Granularity::Quarter, "2016-01-01T00:00Z", "2017-01-01T00:00Z");
        assert_eq!(labels(&quarters), ["2016-Q1", "2016-Q2", "2016-Q3", "2016-Q4"]);
    }

    #[test]
    fn leap_days_are_days() {
        let leap = periods("UTC", Granularity::Day, "2024-02-28T00:00Z", "2024-03-02T00:00Z");
        assert_eq!(labels(&leap), ["2024-02-28", "2024-02-29", "2024-03-01"]);
        assert_eq!(periods("UTC", Granularity::Day, "1900-01-01T00:00Z", "1901-01-01T00:00Z").len(), 365);
        assert_eq!(periods("UTC", Granularity::Day, "2000-01-01T00:00Z", "2001-01-01T00:00Z").len(), 366);
    }

    #[test]
    fn days_without_midnight_and_days_that_never_were() {
        let spring = periods("America/Sao_Paulo", Granularity::Day, "2017-10-14T03:00Z", "2017-10-16T02:00Z");
        assert_eq!(
            spring,
            [
                period("2017-10-14T03:00Z", "2017-10-15T03:00Z", "2017-10-14", false),
                period("2017-10-15T03:00Z", "2017-10-16T02:00Z", "2017-10-15", false),
            ]
        );
        let skipped = periods("Pacific/Apia", Granularity::Day, "2011-12-29T10:00Z", "2011-12-31T10:00Z");
        assert_eq!(labels(&skipped), ["2011-12-29", "2011-12-31"]);
        assert!(skipped.iter().all(|period| !period.partial));
    }

    #[test]
    fn all_takes_any_range() {
        let all = Periods::new(&days("UTC"), Granularity::All, i64::MIN..i64::MAX).expect("one period");
        assert_eq!(all.boundaries(), [i64::MIN, i64::MAX]);
        assert_eq!((all.len(), all.as_slice()[0].partial), (1, false));
        assert_eq!((all.index_of(i64::MIN), all.index_of(0), all.index_of(i64::MAX)), (Some(0), Some(0), None));
    }

    #[test]
    fn ranges_without_periods() {
        let found =
            |granularity, range| Periods::new(&days("Europe/Berlin"), granularity, range).map(|found| found.len());
        assert_eq!(found(Granularity::All, 5..5), Err(PeriodError::Empty));
        let backwards = Range { start: 5, end: 4 };
        assert_eq!(found(Granularity::Day, backwards), Err(PeriodError::Empty));
        assert_eq!(found(Granularity::Day, i64::MIN..i64::MAX), Err(PeriodError::OffTheCalendar));
        let start = instant("2000-01-01T00:00+01:00");
        let end = days("Europe/Berlin").start_of(day_of(jiff::civil::date(2000, 1, 1)) + 4_000);
        assert_eq!(found(Granularity::Day, start..end), Ok(4_000));
        assert_eq!(found(Granularity::Day, start..end + 1), Err(PeriodError::TooMany { limit: 4_000 }));
    }

    proptest! {
        #[test]
        fn periods_cover_the_range_and_find_their_instants(
            zone in prop::sample::select(&["UTC", "Europe/Berlin", "America/Havana", "Pacific/Apia"]),
            granularity in prop::sample::select(&CALENDAR),
            start in -2_000_000_000_i64..4_000_000_000,
            seconds in 1_i64..100_000_000,
            into in 0.0..1.0,
        ) {
            let days = days(zone);
            let range = start * 1_000_000..(start + seconds) * 1_000_000;
            let periods = Periods::new(&days, granularity, range.clone()).expect("periods");
            let list = periods.as_slice();
            prop_assert_eq!((list[0].start, list[list.len() - 1].end), (range.start, range.end));
            prop_assert!(list.windows(2).all(|pair| pair[0].end == pair[1].start && pair[0].label < pair[1].label));
            prop_assert!(list.iter().all(|period| period.start < period.end));
            prop_assert!(list[1..].iter().rev().skip(1).all(|period| !period.partial));

            #[expect(clippy::cast_possible_truncation, reason = "below the range's length")]
            let instant = range.start + (into * 1e6 * seconds as f64) as i64;
            let twin = list.iter().position(|period| (period.start..period.end).contains(&instant));
            prop_assert_eq!(periods.index_of(instant), twin);
            prop_assert_eq!(periods.index_of(range.start - 1), None);
            prop_assert_eq!(periods.index_of(range.end), None);
        }
    }
}
