//! How long periods are.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// How long the periods of an answer are, by the calendar of the reporting time zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Granularity {
    /// One period, the whole range.
    #[default]
    All,
    /// Local days.
    Day,
    /// Weeks as in ISO 8601: from Monday.
    Week,
    /// Months.
    Month,
    /// Quarters, from January, April, July and October.
    Quarter,
    /// Years.
    Year,
}

impl Granularity {
    /// The first date of the period that holds `date`; `None` for [`Granularity::All`] and outside the calendar.
    pub(super) fn first_date(self, date: Date) -> Option<Date> {
        match self {
            Self::All => None,
            Self::Day => Some(date),
            Self::Week => date.checked_sub(i32::from(date.weekday().since(Weekday::Monday)).days()).ok(),
            Self::Month => Some(date.first_of_month()),
            Self::Quarter => {
                let into_the_quarter = (date.month() - 1) % 3;
                date.first_of_month().checked_sub(i32::from(into_the_quarter).months()).ok()
            }
            Self::Year => Some(date.first_of_year()),
        }
    }

    /// The first date of the period after the one that starts on `first`.
    pub(super) fn next(self, first: Date) -> Option<Date> {
        let length = match self {
            Self::All => return None,
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        };
        first.checked_add(length).ok()
    }

    /// What the period that starts on `first` is called.
    pub(super) fn label(self, first: Date) -> String {
        let year = first.year();
        match self {
            Self::All => "all".to_owned(),
            Self::Day => first.to_string(),
            Self::Week => {
                let week = first.iso_week_date();
                format!("{:04}-W{:02}", week.year(), week.week())
            }
            Self::Month => format!("{year:04}-{:02}", first.month()),
            Self::Quarter => format!("{year:04}-Q{}", (first.month() + 2) / 3),
            Self::Year => format!("{year:04}"),
        }
    }
}
