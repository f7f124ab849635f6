//! How durations are spread: their mean, their percentiles, and the interval of the mean.
//!
//! Percentiles are exact up to [`MAX_EXACT`] durations, and beyond that within [`RELATIVE_ERROR`] of themselves.
//!
//! [`MAX_EXACT`]: barometer_statistics::percentile::MAX_EXACT

use barometer_statistics::number::{ratio, real};
use barometer_statistics::{
    Interval, Level,
    comparison::Sample,
    interval::student,
    percentile::{Percentiles, RELATIVE_ERROR},
};

const MICROS: u128 = 1_000_000;
/// Of fewer durations there is no interval of the mean.
const FEWEST: usize = 200;

/// What is told of durations in one figure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Statistic {
    /// The arithmetic mean.
    #[default]
    Mean,
    /// A percentile; the maximum is the last of them.
    Percentile(Percent),
}

/// Which percentile, 0 to 100, in thousandths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent(u32);

impl Percent {
    /// The greatest value.
    pub const MAX: Self = Self(Self::WHOLE);
    /// The value in the middle.
    pub const MEDIAN: Self = Self(Self::WHOLE / 2);
    const WHOLE: u32 = 100_000;

    /// As a share, 0 to 1.
    fn share(self) -> f64 {
        f64::from(self.0) / f64::from(Self::WHOLE)
    }

    /// From decimal digits such as `99` or `99.9`, with at most three decimals.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || whole.len() > 3 || decimals.len() > 3 {
            return None;
        }
        let thousandths = format!("{whole}{decimals:0<3}").parse().ok()?;
        (thousandths <= Self::WHOLE).then_some(Self(thousandths))
    }
}

/// What is told of every spread, by the names that it has in figures.
pub const TOLD: [(&str, Statistic); 7] = [
    ("mean", Statistic::Mean),
    ("p50", Statistic::Percentile(Percent::MEDIAN)),
    ("p75", Statistic::Percentile(Percent(75_000))),
    ("p90", Statistic::Percentile(Percent(90_000))),
    ("p95", Statistic::Percentile(Percent(95_000))),
    ("p99", Statistic::Percentile(Percent(99_000))),
    ("max", Statistic::Percentile(Percent::MAX)),
];

/// Durations in microseconds, in ascending order, so that the order of their arrival leaves no trace. Figures of them are
/// seconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spread {
    sorted: Vec<i64>,
}

impl Spread {
    /// Of these durations, in any order.
    pub fn of(mut durations: Vec<i64>) -> Self {
        durations.sort_unstable();
        Self { sorted: durations }
    }

    /// How many there are.
    pub fn size(&self) -> usize {
        self.sorted.len()
    }

    /// A statistic, in seconds. `None` over nothing.
    pub fn statistic(&self, statistic: Statistic) -> Option<f64> {
        match statistic {
            Statistic::Mean => self.mean(),
            Statistic::Percentile(percent) => self.percentile(percent),
        }
    }

    /// The mean in seconds, from an exact sum. `None` over nothing.
    pub fn mean(&self) -> Option<f64> {
        let sum = self.sorted.iter().map(|duration| i128::from(*duration)).sum();
        ratio(sum, self.sorted.len() as u128 * MICROS)
    }

    /// A percentile in seconds: of n values x₀ ≤ … the one at (n − 1)·p, and between two of them in proportion (type 7 of
    /// Hyndman and Fan, the default of R and numpy). Exact integers up to the last division. `None` over nothing.
    ///
    /// Source: R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996),
    /// 361–365.
    pub fn percentile(&self, percent: Percent) -> Option<f64> {
        let whole = Percent::WHOLE as usize;
        let place = self.sorted.len().checked_sub(1)? * percent.0 as usize;
        let (index, rest) = (place / whole, place % whole);
        let below = i128::from(*self.sorted.get(index)?);
        let above = self.sorted.get(index + 1).map_or(below, |above| i128::from(*above));
        let scaled = below * whole as i128 + (above - below) * rest as i128;
        ratio(scaled, whole as u128 * MICROS)
    }

    /// Student's interval of the mean, in seconds; `None` below 200 durations. These have a long tail, and the mean of few
    /// of them says less than the interval would promise: of 10 from an exponential distribution it covers the truth in
    /// 90 % of all samples instead of 95 %, from a log-normal one (σ = 1) in 84 %; of 200 it does in 95 and 93 %.
    ///
    /// The size alone decides. To ask the skewness of the sample itself would let pass just those that missed the tail.
    pub fn interval(&self, level: Level) -> Option<Interval> {
        if self.sorted.len() < FEWEST {
            return None;
        }
        let (mean, size) = (self.mean()?, real(self.sorted.len() as u128));
        // In ascending order they come to the same digits, however the facts arrived.
        let squares: f64 = self.sorted.iter().map(|duration| (seconds(*duration) - mean).powi(2)).sum();
        student(mean, squares / (size - 1.0), size, level)
    }
}

/// Durations in microseconds as they come in, in at most 0.8 MB: up to 100,000 are kept one by one, more are counted by
/// buckets. What is told depends on them alone, not on the order in which they came.
#[derive(Debug, Clone, Default)]
pub struct Durations {
    values: Percentiles,
    moments: Moments,
}

/// How many durations there are, and their sums: exact, so that those of parts add up to those of the whole. Amounts in
/// micro-units are counted alike, and told in whole units then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moments {
    size: u64,
    /// Microseconds.
    sum: i128,
    /// Squared microseconds.
    squares: u128,
}

/// Durations that have all come in.
#[derive(Debug, Clone)]
pub enum Told {
    /// Every one of them is known.
    Exact(Spread),
    /// Percentiles are known to within [`RELATIVE_ERROR`], everything else exactly.
    Sketched(Durations),
}

impl Durations {
    /// Adds one.
    pub fn add(&mut self, duration: i64) {
        self.values.add(duration);
        self.moments.add(duration);
    }

    /// How many there are.
    pub fn size(&self) -> u64 {
        self.values.size()
    }

    /// What comparisons are made of.
    pub fn moments(&self) -> Moments {
        self.moments
    }

    /// What is to be told of them.
    pub fn told(&self) -> Told {
        match self.values.sorted() {
            Some(sorted) => Told::Exact(Spread { sorted }),
            None => Told::Sketched(self.clone()),
        }
    }
}

impl Moments {
    /// Adds a duration in microseconds.
    pub fn add(&mut self, duration: i64) {
        self.size += 1;
        self.sum += i128::from(duration);
        self.squares = self.squares.saturating_add(u128::from(duration.unsigned_abs()).pow(2));
    }

    /// Adds what others came to.
    pub fn merge(&mut self, other: &Self) {
        let Self { size, sum, squares } = *other;
        self.size += size;
        self.sum += sum;
        self.squares = self.squares.saturating_add(squares);
    }

    /// The sum, in microseconds.
    pub fn sum(&self) -> i128 {
        self.sum
    }

    /// The mean in seconds, from an exact sum. `None` over nothing.
    pub fn mean(&self) -> Option<f64> {
        ratio(self.sum, u128::from(self.size) * MICROS)
    }

    /// What comparisons are made of, in seconds. `None` below 200 durations, as [`Spread::interval`].
    pub fn sample(&self) -> Option<Sample> {
        if u128::from(self.size) < FEWEST as u128 {
            return None;
        }
        Sample::new(self.mean()?, self.variance(), real(u128::from(self.size)))
    }

    /// The sample variance over the number of durations, in squared seconds: how far the mean may be off. `None` below 200.
    pub fn squared_error(&self) -> Option<f64> {
        self.sample().map(|sample| self.variance() / sample.size())
    }

    /// Student's interval of the mean, in seconds: see [`Spread::interval`].
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let sample = self.sample()?;
        student(sample.mean(), self.variance(), sample.size(), level)
    }

    /// The sample variance in squared seconds, of two or more.
    fn variance(&self) -> f64 {
        let size = u128::from(self.size);
        // n·Σx² − (Σx)², exact where it is less than 2¹²⁷: of a million durations up to half a year.
        let exact = self.squares.checked_mul(size).and_then(|squares| i128::try_from(squares).ok());
        let of_sum = self.sum.checked_mul(self.sum);
        let scaled = match exact.zip(of_sum) {
            Some((squares, of_sum)) => real((squares - of_sum).unsigned_abs()) / real(size),
            None => (real(self.squares) - real(self.sum.unsigned_abs()).powi(2) / real(size)).max(0.0),
        };
        scaled / real(size - 1) / real(MICROS).powi(2)
    }
}

impl Told {
    /// A statistic, in seconds. `None` over nothing.
    pub fn statistic(&self, statistic: Statistic) -> Option<f64> {
        match (self, statistic) {
            (Told::Exact(spread), _) => spread.statistic(statistic),
            (Told::Sketched(durations), Statistic::Mean) => durations.moments.mean(),
            (Told::Sketched(durations), Statistic::Percentile(percent)) => {
                Some(durations.values.at(&[percent.share()])?.first()?.value / real(MICROS))
            }
        }
    }

    /// Student's interval of the mean, in seconds: see [`Spread::interval`].
    pub fn interval(&self, level: Level) -> Option<Interval> {
        match self {
            Told::Exact(spread) => spread.interval(level),
            Told::Sketched(durations) => durations.moments.interval(level),
        }
    }

    /// By what part of itself a percentile may be off.
    pub fn error(&self) -> f64 {
        match self {
            Told::Exact(_) => 0.0,
            Told::Sketched(_) => RELATIVE_ERROR,
        }
    }
}

/// Microseconds as seconds.
fn seconds(micros: i64) -> f64 {
    let magnitude = real(u128::from(micros.unsigned_abs())) / real(MICROS);
    if micros < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000;

    fn percent(text: &str) -> Percent {
        Percent::parse(text).expect("a percentile")
    }

    fn of_seconds(seconds: impl IntoIterator<Item = i64>) -> Spread {
        Spread::of(seconds.into_iter().map(|seconds| seconds * SECOND).collect())
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        let few = of_seconds([50, 15, 40, 20, 35]);
        let found =
            ["0", "5", "30", "40", "50", "75", "90", "95", "99", "99.9", "100"].map(|p| few.percentile(percent(p)));
        assert_eq!(found, [15.0, 16.0, 23.0, 29.0, 35.0, 40.0, 46.0, 48.0, 49.6, 49.96, 50.0].map(Some));
        let many = of_seconds((1..=60).map(|i| i * i * i % 977));
        let found = ["25", "50", "75", "90", "95", "99", "99.9"].map(|p| many.percentile(percent(p)));
        assert_eq!(found, [187.25, 443.5, 734.0, 879.9, 941.3, 968.23, 969.823].map(Some));
        assert_eq!(many.mean(), Some(451.666_666_666_666_7));
    }

    #[test]
    fn nothing_and_one() {
        let figures = |of: &Spread| (of.mean(), of.percentile(Percent::MEDIAN), of.percentile(Percent::MAX));
        assert_eq!(figures(&Spread::default()), (None, None, None));
        assert_eq!(figures(&Spread::of(vec![1_500_000])), (Some(1.5), Some(1.5), Some(1.5)));
        assert_eq!(figures(&Spread::of(vec![i64::MAX; 3])).1, Some(9_223_372_036_854.775));
    }

    #[test]
    fn a_mean_has_an_interval_when_it_is_of_many() {
        let values = |size: i64| of_seconds((1..=size).map(|i| i * i * i % 977));
        assert_eq!(values(199).interval(Level::P95), None);
        let Interval { lower, upper } = values(200).interval(Level::P95).expect("an interval");
        assert!(
            (lower - 405.248_717_188_826_4).abs() < 1e-9 && (upper - 483.651_282_811_173_6).abs() < 1e-9,
            "{lower} {upper}"
        );
    }

    #[test]
    fn percents_are_digits_up_to_a_hundred() {
        for text in ["0", "5", "99.9", "99.999", "100", "100.0", "007"] {
            assert!(Percent::parse(text).is_some(), "{text}");
        }
        for text in ["", ".", "-1", "+5", "1e1", "100.001", "101", "5.", ".5", "1.2345", "5 ", "٣", "0050"] {
            assert_eq!(Percent::parse(text), None, "{text}");
        }
        assert_eq!((percent("50"), percent("100.000")), (Percent::MEDIAN, Percent::MAX));
    }

    proptest! {
        #[test]
        fn percentiles_lie_between_the_ends_and_rise(
            durations in prop::collection::vec(0_i64..4_000_000_000_000_000, 1..60), p in 0_u32..=100_000, q in 0_u32..=100_000,
        ) {
            let spread = Spread::of(durations.clone());
            let at = |thousandths: u32| spread.percentile(Percent(thousandths)).expect("one");
            let ends = (durations.iter().min().copied(), durations.iter().max().copied());
            prop_assert_eq!((Some(at(0)), Some(at(100_000))), (ends.0.map(seconds), ends.1.map(seconds)));
            prop_assert!(at(0) <= at(p) && at(p) <= at(100_000));
            prop_assert!(p > q || at(p) <= at(q));
            let mean = spread.mean().expect("a mean");
            prop_assert!(at(0) <= mean && mean <= at(100_000));
        }

        #[test]
        fn the_order_of_arrival_leaves_no_trace(
            durations in prop::collection::vec(0_i64..1_000_000_000_000, 200..260).prop_shuffle(),
        ) {
            let (spread, reversed) = (Spread::of(durations.clone()), Spread::of(durations.into_iter().rev().collect()));
            prop_assert_eq!(spread.interval(Level::P95), reversed.interval(Level::P95));
            prop_assert_eq!(spread, reversed);
        }
    }

    /// A long tail, in no order.
    fn many(size: u64) -> Vec<i64> {
        let value = |index: u64| i64::try_from((index * 48_271 % 2_147_483_647).pow(2) >> 20).expect("small");
        (1..=size).map(value).collect()
    }

    #[test]
    fn beyond_a_hundred_thousand_percentiles_are_told_with_their_error() {
        for (size, error) in [(100_000, 0.0), (100_001, RELATIVE_ERROR), (250_000, RELATIVE_ERROR)] {
            let values = many(size);
            let mut durations = Durations::default();
            values.iter().for_each(|value| durations.add(*value));
            let (told, exact) = (durations.told(), Spread::of(values));
            assert_eq!((told.error(), durations.size()), (error, size));
            for (name, statistic) in TOLD {
                let (found, expected) =
                    (told.statistic(statistic).expect(name), exact.statistic(statistic).expect(name));
                let allowed = if name == "mean" || name == "max" { 1e-15 } else { error };
                assert!((found - expected).abs() <= allowed * expected, "{size} {name}: {found}, not {expected}");
            }
            let (found, expected) = (told.interval(Level::P95), exact.interval(Level::P95));
            let (found, expected) = (found.expect("an interval"), expected.expect("an interval"));
            assert!((found.lower / expected.lower - 1.0).abs() < 1e-9, "{found:?}, not {expected:?}");
            assert!((found.upper / expected.upper - 1.0).abs() < 1e-9, "{found:?}, not {expected:?}");
        }
    }

    #[test]
    fn durations_too_long_for_exact_squares_still_have_a_variance() {
        let (mut durations, long) = (Durations::default(), 300 * 365 * 86_400 * SECOND);
        for index in 0..100_001 {
            durations.add(if index % 2 == 0 { long } else { long / 2 });
        }
        let Interval { lower, upper } = durations.told().interval(Level::P95).expect("an interval");
        let (mean, reach) =
            (durations.moments().mean().expect("a mean"), 1.96 * seconds(long) / 4.0 / 100_001_f64.sqrt());
        assert!(((upper - lower) / 2.0 / reach - 1.0).abs() < 1e-3 && lower < mean && mean < upper);
        let equal: Told = {
            let mut durations = Durations::default();
            (0..100_001).for_each(|_| durations.add(77 * SECOND));
            durations.told()
        };
        assert_eq!(equal.interval(Level::P95), Some(Interval { lower: 77.0, upper: 77.0 }));
    }
}
