//! How durations are spread: their mean, their percentiles, and the interval of the mean.

use super::interval::{Interval, student};
use super::level::Level;
use super::number::{ratio, real};

const MICROS: u128 = 1_000_000;

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
        const FEWEST: usize = 200;
        if self.sorted.len() < FEWEST {
            return None;
        }
        let (mean, size) = (self.mean()?, real(self.sorted.len() as u128));
        // In ascending order they come to the same digits, however the facts arrived.
        let squares: f64 = self.sorted.iter().map(|duration| (seconds(*duration) - mean).powi(2)).sum();
        student(mean, squares / (size - 1.0), size, level)
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
}
