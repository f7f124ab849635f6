//! Parameters of metrics: what is allowed, and what was chosen.

use barometer_chassis::clock::Micros;

use crate::rules::{
    activity::{Basis, Window},
    level::Level,
    split::Method,
    spread::{Percent, Statistic},
};

/// A parameter.
#[derive(Debug)]
pub(crate) struct Parameter {
    /// Its name in queries.
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) default: &'static str,
    pub(crate) allowed: Allowed,
}

/// The values that a parameter may have.
#[derive(Debug)]
pub(crate) enum Allowed {
    /// One of these words.
    Words(&'static [&'static str]),
    /// A whole number of days.
    Days,
    /// A level.
    Level,
    /// A statistic of durations.
    Statistic,
    /// A duration.
    Duration,
}

impl Allowed {
    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Allowed::Words(words) => words.join(", "),
            Allowed::Days => "1 to 3650".to_owned(),
            Allowed::Level => "0.5 to 0.999".to_owned(),
            Allowed::Statistic => "mean, median, max, or a percentile from p0 to p100 such as p90 or p99.9".to_owned(),
            Allowed::Duration => "a whole number with its unit s, m, h or d such as 90m or 3d, 1s to 3650d".to_owned(),
        }
    }
}

pub(super) static WEIGHTED: Parameter = Parameter {
    name: "weighted",
    description: "Counts each answer by its weight.",
    default: "false",
    allowed: Allowed::Words(&["true", "false"]),
};
pub(super) static LATEST_PER_CUSTOMER: Parameter = Parameter {
    name: "latest_per_customer",
    description: "Counts only the last answer of each customer in each row; anonymous answers count all.",
    default: "false",
    allowed: Allowed::Words(&["true", "false"]),
};
pub(super) static INTERVAL: Parameter = Parameter {
    name: "interval",
    description: "How the confidence interval is found.",
    default: "score",
    allowed: Allowed::Words(&["score", "adjusted_wald"]),
};
pub(super) static LEVEL: Parameter = Parameter {
    name: "level",
    description: "Level of the confidence interval.",
    default: "0.95",
    allowed: Allowed::Level,
};
pub(super) static INACTIVITY_DAYS: Parameter = Parameter {
    name: "inactivity_days",
    description: "Days of 24 hours after a sale for which a customer stays active.",
    default: "90",
    allowed: Allowed::Days,
};
pub(super) static BASIS: Parameter = Parameter {
    name: "basis",
    description: "What makes a second sale a repeat purchase: another day of the time zone, or another order.",
    default: "days",
    allowed: Allowed::Words(&["days", "orders"]),
};

pub(super) static STATISTIC: Parameter = Parameter {
    name: "statistic",
    description: "Which statistic of the durations is the value.",
    default: "mean",
    allowed: Allowed::Statistic,
};
pub(super) static CLOCK: Parameter = Parameter {
    name: "clock",
    description: "What must be done within the limit: the first answer, or the first resolution.",
    default: "first_response",
    allowed: Allowed::Words(&["first_response", "resolution"]),
};
pub(super) static LIMIT: Parameter = Parameter {
    name: "limit",
    description: "How long it may take: elapsed time, a day being 24 hours.",
    default: "24h",
    allowed: Allowed::Duration,
};

pub(super) static TIME: Parameter = Parameter {
    name: "time",
    description: "Which time is told: what passed in the working time of the clock's calendar, or round the clock; in \
                  either without the stretches for which the clock stood.",
    default: "working",
    allowed: Allowed::Words(&["working", "elapsed"]),
};

/// Which time of a clock is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Span {
    /// In the working time of its calendar.
    #[default]
    Working,
    /// Round the clock.
    Elapsed,
}

/// What a limit is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The first answer to the customer.
    #[default]
    FirstResponse,
    /// The first resolution.
    Resolution,
}

const DEFAULT_DAYS: u32 = 90;
const MAX_DAYS: u32 = 3_650;

/// What a query chose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parameters {
    pub(crate) weighted: bool,
    pub(crate) latest_per_customer: bool,
    pub(crate) method: Method,
    pub(crate) level: Level,
    /// Never 0.
    pub(crate) inactivity_days: u32,
    pub(crate) basis: Basis,
    pub(crate) statistic: Statistic,
    pub(crate) clock: Clock,
    pub(crate) span: Span,
    /// Microseconds.
    pub(crate) limit: i64,
}

impl Default for Parameters {
    fn default() -> Self {
        Parameters {
            weighted: false,
            latest_per_customer: false,
            method: Method::Score,
            level: Level::P95,
            inactivity_days: DEFAULT_DAYS,
            basis: Basis::DistinctDays,
            statistic: Statistic::Mean,
            clock: Clock::FirstResponse,
            span: Span::Working,
            limit: Micros::DAY,
        }
    }
}

impl Parameters {
    /// Sets a parameter by its text; `false` when that is not allowed.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        match (name, value) {
            ("weighted", "true" | "false") => self.weighted = value == "true",
            ("latest_per_customer", "true" | "false") => self.latest_per_customer = value == "true",
            ("interval", "score") => self.method = Method::Score,
            ("interval", "adjusted_wald") => self.method = Method::AdjustedWald,
            ("basis", "days") => self.basis = Basis::DistinctDays,
            ("basis", "orders") => self.basis = Basis::Orders,
            ("clock", "first_response") => self.clock = Clock::FirstResponse,
            ("clock", "resolution") => self.clock = Clock::Resolution,
            ("time", "working") => self.span = Span::Working,
            ("time", "elapsed") => self.span = Span::Elapsed,
            ("statistic", _) => {
                let Some(statistic) = statistic(value) else { return false };
                self.statistic = statistic;
            }
            ("limit", _) => {
                let Some(limit) = duration(value) else { return false };
                self.limit = limit;
            }
            ("level", _) => {
                let share = value.parse().ok().filter(|share| (0.5..=0.999).contains(share));
                let Some(level) = share.and_then(Level::new) else { return false };
                self.level = level;
            }
            ("inactivity_days", _) => {
                let days = value.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days));
                let Some(days) = days else { return false };
                self.inactivity_days = days;
            }
            _ => return false,
        }
        true
    }

    /// How long after a sale a customer stays active.
    pub(crate) fn window(&self) -> Option<Window> {
        Window::days(self.inactivity_days)
    }
}

fn statistic(text: &str) -> Option<Statistic> {
    match text {
        "mean" => Some(Statistic::Mean),
        "median" => Some(Statistic::Percentile(Percent::MEDIAN)),
        "max" => Some(Statistic::Percentile(Percent::MAX)),
        _ => Some(Statistic::Percentile(Percent::parse(text.strip_prefix('p')?)?)),
    }
}

/// A duration in microseconds: digits and a unit.
fn duration(text: &str) -> Option<i64> {
    let unit = match text.chars().next_back()? {
        's' => Micros::SECOND,
        'm' => 60 * Micros::SECOND,
        'h' => 3_600 * Micros::SECOND,
        'd' => Micros::DAY,
        _ => return None,
    };
    // Every unit is one byte.
    let digits = &text[..text.len() - 1];
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i64>().ok())??;
    number.checked_mul(unit).filter(|limit| (Micros::SECOND..=i64::from(MAX_DAYS) * Micros::DAY).contains(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_what_it_says_and_is_allowed() {
        let of_cases = [&STATISTIC, &CLOCK, &LIMIT, &TIME];
        let others = [&WEIGHTED, &LATEST_PER_CUSTOMER, &INTERVAL, &LEVEL, &INACTIVITY_DAYS, &BASIS];
        for parameter in others.into_iter().chain(of_cases) {
            let mut parameters = Parameters::default();
            assert!(parameters.set(parameter.name, parameter.default), "{}", parameter.name);
            assert_eq!(parameters, Parameters::default(), "{}", parameter.name);
            assert!(!parameters.set(parameter.name, "nonsense"), "{}", parameter.name);
        }
    }

    #[test]
    fn numbers_are_bounded() {
        let mut parameters = Parameters::default();
        for (name, value, allowed) in [
            ("level", "0.5", true),
            ("level", "0.4999", false),
            ("level", "0.9991", false),
            ("level", "NaN", false),
            ("inactivity_days", "3650", true),
            ("inactivity_days", "0", false),
            ("inactivity_days", "-1", false),
            ("inactivity_days", "4000000000", false),
            ("statistic", "p99.9", true),
            ("statistic", "p101", false),
            ("statistic", "90", false),
            ("limit", "1s", true),
            ("limit", "0s", false),
            ("limit", "3650d", true),
            ("limit", "3651d", false),
            ("limit", "24", false),
            ("limit", "-1h", false),
            ("limit", "1.5h", false),
            ("limit", "99999999999999999999h", false),
            ("limit", "5ч", false),
            ("limit", "", false),
        ] {
            assert_eq!(parameters.set(name, value), allowed, "{name} {value}");
        }
    }
    #[test]
    fn durations_and_statistics_by_any_name() {
        let minutes = |text| duration(text).map(|limit| limit / 60 / Micros::SECOND);
        assert_eq!(["3600s", "90m", "24h", "3d"].map(minutes), [60, 90, 1_440, 4_320].map(Some));
        assert_eq!(duration("24h"), Some(Parameters::default().limit));
        assert_eq!((statistic("p50"), statistic("p100")), (statistic("median"), statistic("max")));
    }
}
