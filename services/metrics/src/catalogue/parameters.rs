//! Parameters of metrics: what is allowed, and what was chosen.

mod listed;

use barometer_chassis::clock::Micros;
use barometer_statistics::{
    Level, bootstrap::Resampling, churn::ChurnDefinition, disposition::ResponseRate, score::ScoreMethod,
};

use crate::rules::{
    activity::{Basis, Window},
    money::Currency,
    spread::{Percent, Statistic},
};

pub(crate) use self::listed::*;

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
    /// A whole number between limits.
    Whole(u64, u64),
    /// A level.
    Level,
    /// A statistic of durations.
    Statistic,
    /// A duration.
    Duration,
    /// An amount of a currency, or none.
    Money,
}

impl Allowed {
    /// In words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Allowed::Words(words) => format!("one of {}", words.join(", ")),
            Allowed::Days => "a whole number of days from 1 to 3650".to_owned(),
            Allowed::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Allowed::Level => "a number from 0.5 to 0.999".to_owned(),
            Allowed::Statistic => "mean, median, max, or a percentile from p0 to p100 such as p90 or p99.9".to_owned(),
            Allowed::Duration => "a whole number with its unit s, m, h or d such as 90m or 3d, 1s to 3650d".to_owned(),
            Allowed::Money => "none, or an amount with its currency such as 42.50EUR, at most 1000000".to_owned(),
        }
    }
}

/// How the interval of a score is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limits {
    /// By a formula.
    By(ScoreMethod),
    /// By resampling.
    Bootstrap,
}

/// Which time of a clock is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Span {
    /// In the working time of its calendar.
    #[default]
    Working,
    /// Round the clock.
    Elapsed,
}

/// What visits of a customer are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Visits {
    /// Days of the time zone.
    #[default]
    Days,
    /// Weeks from Monday.
    Weeks,
}

/// What customers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Actions {
    /// They buy.
    #[default]
    Sales,
    /// They turn to the company.
    Contacts,
    /// They come by.
    Visits,
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
const YEAR: u32 = 365;
const MONTH: u32 = 30;
const MAX_DAYS: u32 = 3_650;
/// Micro-units of any currency.
const MOST_AN_HOUR: i64 = 1_000_000_000_000;

/// What a query chose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Parameters {
    pub(crate) weighted: bool,
    pub(crate) latest_per_customer: bool,
    pub(crate) limits: Limits,
    pub(crate) resampling: Resampling,
    pub(crate) level: Level,
    /// Never 0.
    pub(crate) inactivity_days: u32,
    /// Never 0.
    pub(crate) member_days: u32,
    /// Never 0.
    pub(crate) referral_days: u32,
    pub(crate) basis: Basis,
    pub(crate) definition: ChurnDefinition,
    /// Never 0.
    pub(crate) within_days: u32,
    pub(crate) visits: Visits,
    /// Never 0.
    pub(crate) after_days: u32,
    /// Never 0.
    pub(crate) around_days: u32,
    pub(crate) actions: Actions,
    /// Micro-units (1e-6) of the currency.
    pub(crate) hourly_rate: Option<(Currency, i64)>,
    pub(crate) statistic: Statistic,
    pub(crate) clock: Clock,
    pub(crate) span: Span,
    /// Microseconds.
    pub(crate) limit: i64,
    pub(crate) response_rate: ResponseRate,
}

impl Default for Parameters {
    fn default() -> Self {
        Parameters {
            weighted: false,
            latest_per_customer: false,
            limits: Limits::By(ScoreMethod::Score),
            resampling: Resampling::default(),
            level: Level::P95,
            inactivity_days: DEFAULT_DAYS,
            member_days: DEFAULT_DAYS,
            referral_days: YEAR,
            basis: Basis::DistinctDays,
            definition: ChurnDefinition::Standard,
            within_days: DEFAULT_DAYS,
            visits: Visits::Days,
            after_days: DEFAULT_DAYS,
            around_days: MONTH,
            actions: Actions::Sales,
            hourly_rate: None,
            statistic: Statistic::Mean,
            clock: Clock::FirstResponse,
            span: Span::Working,
            limit: Micros::DAY,
            response_rate: ResponseRate::Rr1,
        }
    }
}

impl Parameters {
    /// What is chosen and can not be together.
    pub(crate) fn contradiction(&self) -> Option<&'static str> {
        let told = "`bootstrap` is of answers that each count as themselves, not of weighted ones";
        (self.weighted && self.limits == Limits::Bootstrap).then_some(told)
    }

    /// Sets a parameter by its text; `false` when that is not allowed.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> bool {
        match (name, value) {
            ("weighted", "true" | "false") => self.weighted = value == "true",
            ("latest_per_customer", "true" | "false") => self.latest_per_customer = value == "true",
            ("interval", "score") => self.limits = Limits::By(ScoreMethod::Score),
            ("interval", "adjusted_wald") => self.limits = Limits::By(ScoreMethod::AdjustedWald),
            ("interval", "bootstrap") => self.limits = Limits::Bootstrap,
            ("seed", _) => {
                let Some(seed) = value.parse().ok() else { return false };
                self.resampling.seed = seed;
            }
            ("resamples", _) => {
                let resamples = value.parse().ok().filter(|of| (Resampling::FEWEST..=Resampling::MOST).contains(of));
                let Some(resamples) = resamples else { return false };
                self.resampling.resamples = resamples;
            }
            ("basis", "days") => self.basis = Basis::DistinctDays,
            ("basis", "orders") => self.basis = Basis::Orders,
            ("clock", "first_response") => self.clock = Clock::FirstResponse,
            ("clock", "resolution") => self.clock = Clock::Resolution,
            ("time", "working") => self.span = Span::Working,
            ("time", "elapsed") => self.span = Span::Elapsed,
            ("rate", "rr1") => self.response_rate = ResponseRate::Rr1,
            ("rate", "rr2") => self.response_rate = ResponseRate::Rr2,
            ("rate", "rr5") => self.response_rate = ResponseRate::Rr5,
            ("rate", "rr6") => self.response_rate = ResponseRate::Rr6,
            ("definition", _) => {
                let Some(definition) = ChurnDefinition::parse(value) else { return false };
                self.definition = definition;
            }
            ("unit", "day") => self.visits = Visits::Days,
            ("unit", "week") => self.visits = Visits::Weeks,
            ("action", "sales") => self.actions = Actions::Sales,
            ("action", "contacts") => self.actions = Actions::Contacts,
            ("action", "visits") => self.actions = Actions::Visits,
            ("hourly_rate", "none") => self.hourly_rate = None,
            ("hourly_rate", _) => {
                let Some(rate) = money(value) else { return false };
                self.hourly_rate = Some(rate);
            }
            ("within_days" | "after_days" | "around_days", _) => {
                let Some(days) = days(value) else { return false };
                match name {
                    "after_days" => self.after_days = days,
                    "around_days" => self.around_days = days,
                    _ => self.within_days = days,
                }
            }
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
            ("inactivity_days" | "member_days" | "referral_days", _) => {
                let Some(days) = days(value) else { return false };
                match name {
                    "member_days" => self.member_days = days,
                    "referral_days" => self.referral_days = days,
                    _ => self.inactivity_days = days,
                }
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

fn days(text: &str) -> Option<u32> {
    text.parse().ok().filter(|days| (1..=MAX_DAYS).contains(days))
}

/// An amount and its currency, `42.50EUR`: micro-units, not negative.
fn money(text: &str) -> Option<(Currency, i64)> {
    let digits = text.find(|character: char| !character.is_ascii_digit() && character != '.')?;
    let (amount, currency) = text.split_at(digits);
    let (whole, decimals) = amount.split_once('.').unwrap_or((amount, "0"));
    if whole.is_empty() || decimals.is_empty() || decimals.len() > 6 || decimals.contains('.') {
        return None;
    }
    let micros =
        whole.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(format!("{decimals:0<6}").parse().ok()?)?;
    Some((Currency::parse(currency)?, micros)).filter(|_| micros <= MOST_AN_HOUR)
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
        let of_cases = [&STATISTIC, &CLOCK, &LIMIT, &TIME, &RESPONSE_RATE];
        let others = [
            &WEIGHTED,
            &LATEST_PER_CUSTOMER,
            &INTERVAL,
            &SEED,
            &RESAMPLES,
            &LEVEL,
            &INACTIVITY_DAYS,
            &MEMBER_DAYS,
            &REFERRAL_DAYS,
            &BASIS,
            &DEFINITION,
            &WITHIN_DAYS,
            &VISITS,
            &AFTER_DAYS,
            &AROUND_DAYS,
            &ACTION,
            &HOURLY_RATE,
        ];
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
            ("within_days", "3650", true),
            ("within_days", "0", false),
            ("inactivity_days", "-1", false),
            ("after_days", "0", false),
            ("around_days", "3651", false),
            ("hourly_rate", "42.50EUR", true),
            ("hourly_rate", "0EUR", true),
            ("hourly_rate", "1000000JPY", true),
            ("hourly_rate", "1000000.000001JPY", false),
            ("hourly_rate", "1.0000001EUR", false),
            ("hourly_rate", "1.2.3EUR", false),
            ("hourly_rate", "-1EUR", false),
            ("hourly_rate", "30", false),
            ("hourly_rate", "30eur", false),
            ("hourly_rate", "EUR", false),
            ("hourly_rate", "99999999999999999999EUR", false),
            ("inactivity_days", "4000000000", false),
            ("resamples", "1000", true),
            ("resamples", "999", false),
            ("resamples", "100001", false),
            ("seed", "18446744073709551615", true),
            ("seed", "-1", false),
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
