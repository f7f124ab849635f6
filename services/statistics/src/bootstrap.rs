//! Confidence intervals by resampling: of a score, of a mean, weighted or not.
//!
//! A sample is resampled: as many answers as there are, drawn from them with replacement; the figure of many such
//! resamples tells how it would vary. The limits are those of the BCa method, not plain percentiles: they shift for
//! bias and stretch for skewness, both read off the sample, so that their error of coverage falls with 1/n instead of
//! 1/√n. That is what resampling is wanted for here: spend, durations and one-sided scores are skewed.
//!
//! The same sample, seed and number of resamples give the same digits, on machines whose exp and ln do. A resample
//! draws, one after the other, how often each kind of answer occurs: of the m answers still to be drawn, binomially
//! with the share that the kind has among the kinds still to come; by inversion, from 0 upwards when m·share < 10,
//! otherwise from the likeliest number outwards. So ten million answers on a scale cost as much as the square root of
//! that. The random numbers are those of SplitMix64: the i-th is mix(seed + i·0x9E3779B97F4A7C15), of which the upper
//! 52 bits make a number between 0 and 1.
//!
//! Sources: B. Efron, "Better Bootstrap Confidence Intervals", Journal of the American Statistical Association 82
//! (1987), 171–185; L. Devroye, "Non-Uniform Random Variate Generation" (1986), section X.4.
//!
//! ```
//! use barometer_statistics::{Level, bootstrap::{Bootstrap, Resampling}};
//!
//! let nps = Bootstrap::of_nps(50, 30, 20, Resampling::default(), Level::P95)?;
//! assert_eq!(nps.estimate, 30.0);
//! assert!((nps.interval.lower - 14.0).abs() < 2.0 && (nps.interval.upper - 44.0).abs() < 2.0);
//! # Ok::<(), barometer_statistics::bootstrap::BootstrapError>(())
//! ```

use statrs::distribution::{ContinuousCDF, Normal};

use crate::{Interval, Level, chance::Chance, number::floor};

/// Answers that are the same: of one value and one weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kind {
    /// What was answered.
    pub value: f64,
    /// What each of these answers weighs, above 0; 1 in unweighted figures.
    pub weight: f64,
    /// How many answered so.
    pub answers: u64,
}

/// The most answers of one sample. Of more, the chances of binomial numbers lose their digits; and an interval of so
/// many needs no resampling.
pub const MAX_ANSWERS: u64 = 1_000_000_000;

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resampling {
    /// Chooses the random numbers.
    pub seed: u64,
    /// How many resamples, from [`Resampling::FEWEST`] to [`Resampling::MOST`]; others are taken as the nearest of
    /// these.
    pub resamples: usize,
}

impl Resampling {
    /// With these, limits move with the seed by about 7 % of their distance from the figure.
    /// With fewer they would say little.
    pub const FEWEST: usize = 1_000;
    /// With these, limits move with the seed by less than 1 % of their distance from the figure.
    pub const MOST: usize = 100_000;
}

impl Default for Resampling {
    /// 10,000 resamples, of seed 0: limits move with the seed by about 2 % of their distance from the figure.
    fn default() -> Self {
        Self { seed: 0, resamples: 10_000 }
    }
}

/// A figure with its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// The figure of the sample itself.
    pub estimate: f64,
    /// Its BCa interval; never beyond the smallest and largest value.
    pub interval: Interval,
    /// The standard deviation of the figure over the resamples.
    pub standard_error: f64,
}

/// Why a sample tells nothing by resampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BootstrapError {
    /// There is no answer.
    #[error("there are no answers")]
    NoData,
    /// All answers are the same, be it that there is only one: so are all resamples, which is not to be mistaken for
    /// certainty.
    #[error("all answers are the same")]
    NoSpread,
    /// There are more answers than [`MAX_ANSWERS`].
    #[error("at most {MAX_ANSWERS} answers are resampled")]
    TooMany,
    /// A value or a weight is not a usable number.
    #[error("values must be finite, and weights finite and above 0")]
    OutOfRange,
}

impl Bootstrap {
    /// Of the Net Promoter Score of so many promoters, passives and detractors.
    ///
    /// # Errors
    /// [`BootstrapError::NoData`], [`BootstrapError::NoSpread`] and [`BootstrapError::TooMany`].
    pub fn of_nps(
        promoters: u64,
        passives: u64,
        detractors: u64,
        resampling: Resampling,
        level: Level,
    ) -> Result<Self, BootstrapError> {
        let kinds = [(100.0, promoters), (0.0, passives), (-100.0, detractors)];
        Self::of_mean(&kinds.map(|(value, answers)| Kind { value, weight: 1.0, answers }), resampling, level)
    }

    /// Of the mean Σwx/Σw of the answers. Their order matters to the digits, as the seed does.
    ///
    /// # Errors
    /// See [`BootstrapError`].
    pub fn of_mean(kinds: &[Kind], resampling: Resampling, level: Level) -> Result<Self, BootstrapError> {
        let kinds: Vec<_> = kinds.iter().copied().filter(|kind| kind.answers > 0).collect();
        let first = kinds.first().ok_or(BootstrapError::NoData)?;
        let usable = |kind: &Kind| kind.value.is_finite() && kind.weight.is_finite() && kind.weight > 0.0;
        let answers = kinds.iter().try_fold(0_u64, |sum, kind| sum.checked_add(kind.answers));
        if answers.is_none_or(|answers| answers > MAX_ANSWERS) {
            return Err(BootstrapError::TooMany);
        }
        let estimate = mean(&kinds);
        if !kinds.iter().all(usable) || !estimate.is_finite() {
            return Err(BootstrapError::OutOfRange);
        }
        if kinds.iter().all(|kind| kind.value == first.value) {
            return Err(BootstrapError::NoSpread);
        }
        let mut figures = resampled(&kinds, resampling);
        figures.sort_unstable_by(f64::total_cmp);
        let acceleration = acceleration(&kinds, estimate);
        let bias = bias(&figures, estimate);
        let normal = Normal::standard();
        let limit = |z: f64| {
            let shifted = bias + z;
            let stretch = 1.0 - acceleration * shifted;
            let share = if stretch > 0.0 { normal.cdf(bias + shifted / stretch) } else { f64::from(shifted > 0.0) };
            quantile(&figures, share)
        };
        let interval = Interval { lower: limit(-level.z()), upper: limit(level.z()) };
        let standard_error = deviation(&figures);
        if !(interval.lower.is_finite() && interval.upper.is_finite() && standard_error.is_finite()) {
            return Err(BootstrapError::OutOfRange);
        }
        Ok(Self { estimate, interval, standard_error })
    }
}

/// Σwx/Σw.
fn mean(kinds: &[Kind]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for kind in kinds {
        let weight = kind.weight * kind.answers as f64;
        sum += weight * kind.value;
        weights += weight;
    }
    sum / weights
}

/// The means of the resamples.
fn resampled(kinds: &[Kind], Resampling { seed, resamples }: Resampling) -> Vec<f64> {
    let mut chance = Chance::new(seed);
    let all: u64 = kinds.iter().map(|kind| kind.answers).sum();
    let resample = |_| {
        let (mut to_draw, mut to_come) = (all, all);
        let (mut sum, mut weights) = (0.0, 0.0);
        for kind in kinds {
            let drawn = chance.binomial(to_draw, kind.answers as f64 / to_come as f64);
            to_draw -= drawn;
            to_come -= kind.answers;
            let weight = kind.weight * drawn as f64;
            sum += weight * kind.value;
            weights += weight;
        }
        sum / weights
    };
    (0..resamples.clamp(Resampling::FEWEST, Resampling::MOST)).map(resample).collect()
}

/// z₀ = Φ⁻¹ of the share of resamples below the estimate, where one equal to it counts half.
fn bias(sorted: &[f64], estimate: f64) -> f64 {
    let below = sorted.partition_point(|figure| *figure < estimate);
    let up_to = sorted.partition_point(|figure| *figure <= estimate);
    let size = sorted.len() as f64;
    // With every resample on one side the truth is a share too small to see.
    let share = ((below + up_to) as f64 / (2.0 * size)).clamp(0.5 / size, 1.0 - 0.5 / size);
    Normal::standard().inverse_cdf(share)
}

/// a = Σ dᵢ³/(6·(Σ dᵢ²)^1.5), where dᵢ is how far the mean falls short without answer i on the average of all.
fn acceleration(kinds: &[Kind], estimate: f64) -> f64 {
    let weights: f64 = kinds.iter().map(|kind| kind.weight * kind.answers as f64).sum();
    // Without one answer the mean is estimate − w(x − estimate)/(Σw − w).
    let shortfall = |kind: &Kind| kind.weight * (kind.value - estimate) / (weights - kind.weight);
    let answers: f64 = kinds.iter().map(|kind| kind.answers as f64).sum();
    let average = kinds.iter().map(|kind| kind.answers as f64 * shortfall(kind)).sum::<f64>() / answers;
    let largest = kinds.iter().map(|kind| (shortfall(kind) - average).abs()).fold(0.0, f64::max);
    let (mut squares, mut cubes) = (0.0, 0.0);
    for kind in kinds {
        // In units of the largest, so that no power leaves the range of numbers.
        let distance = (shortfall(kind) - average) / largest;
        squares += kind.answers as f64 * distance.powi(2);
        cubes += kind.answers as f64 * distance.powi(3);
    }
    if largest > 0.0 { cubes / (6.0 * squares.powf(1.5)) } else { 0.0 }
}

/// Type 7 of Hyndman and Fan: the value at (n − 1)·share, and between two of them in proportion.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let index = sorted.len().min(usize::try_from(floor(place)).unwrap_or(usize::MAX));
    let (below, above) = (sorted[index], sorted[(index + 1).min(sorted.len() - 1)]);
    below + (above - below) * (place - index as f64)
}

fn deviation(values: &[f64]) -> f64 {
    let size = values.len() as f64;
    let mean = values.iter().map(|value| value / size).sum::<f64>();
    (values.iter().map(|value| (value - mean).powi(2) / (size - 1.0)).sum::<f64>()).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(values: &[(f64, u64)]) -> Vec<Kind> {
        values.iter().map(|(value, answers)| Kind { value: *value, weight: 1.0, answers: *answers }).collect()
    }

    fn of(values: &[(f64, u64)]) -> Result<Bootstrap, BootstrapError> {
        Bootstrap::of_mean(&plain(values), Resampling { seed: 7, resamples: 2_000 }, Level::P95)
    }

    #[test]
    fn the_same_seed_gives_the_same_digits() {
        let nps = |seed| Bootstrap::of_nps(50, 30, 20, Resampling { seed, resamples: 1_000 }, Level::P95).unwrap();
        assert_eq!(nps(3), nps(3));
        assert_ne!(nps(3).interval, nps(4).interval);
        let pinned = nps(3);
        assert_eq!((pinned.estimate, pinned.interval.lower, pinned.interval.upper), (30.0, 14.0, 44.0));
    }

    #[test]
    fn nothing_one_and_equal_answers() {
        assert_eq!(of(&[]), Err(BootstrapError::NoData));
        assert_eq!(of(&[(3.0, 0)]), Err(BootstrapError::NoData));
        assert_eq!(of(&[(3.0, 1)]), Err(BootstrapError::NoSpread));
        assert_eq!(of(&[(3.0, 9), (4.0, 0), (3.0, 1)]), Err(BootstrapError::NoSpread));
        assert_eq!(of(&[(3.0, 1_000_000_000), (4.0, 1)]), Err(BootstrapError::TooMany));
        assert_eq!(of(&[(3.0, u64::MAX), (4.0, u64::MAX)]), Err(BootstrapError::TooMany));
        assert_eq!(of(&[(f64::NAN, 9), (4.0, 1)]), Err(BootstrapError::OutOfRange));
        assert_eq!(of(&[(f64::MAX, 9), (-f64::MAX, 1)]), Err(BootstrapError::OutOfRange));
        let weightless = [Kind { value: 1.0, weight: 0.0, answers: 1 }, Kind { value: 2.0, weight: 1.0, answers: 1 }];
        let refused = Bootstrap::of_mean(&weightless, Resampling::default(), Level::P95);
        assert_eq!(refused, Err(BootstrapError::OutOfRange));
        let two = of(&[(0.0, 1), (10.0, 1)]).unwrap();
        assert_eq!((two.estimate, two.interval), (5.0, Interval { lower: 0.0, upper: 10.0 }));
    }

    #[test]
    fn ten_million_answers_have_the_interval_of_the_normal_distribution() {
        let many = Bootstrap::of_nps(5_000_000, 3_000_000, 2_000_000, Resampling::default(), Level::P95).unwrap();
        let error = (6_100.0_f64 / 1e7).sqrt();
        assert!((many.standard_error / error - 1.0).abs() < 0.03, "{many:?}");
        assert!((many.interval.upper - 30.0 - 1.96 * error).abs() < 0.15 * error, "{many:?}");
    }

    #[test]
    fn skewed_samples_have_skewed_intervals() {
        let spend = of(&[(1.0, 30), (2.0, 10), (5.0, 5), (40.0, 2)]).unwrap();
        let (down, up) = (spend.estimate - spend.interval.lower, spend.interval.upper - spend.estimate);
        assert!(up > 1.5 * down, "{spend:?}");
    }

    #[test]
    fn half_the_weights_are_no_weights() {
        let kinds = plain(&[(1.0, 3), (4.0, 9), (6.0, 2)]);
        let halved: Vec<_> = kinds.iter().map(|kind| Kind { weight: 0.5, ..*kind }).collect();
        let of = |kinds: &[Kind]| Bootstrap::of_mean(kinds, Resampling::default(), Level::P95).unwrap();
        assert_eq!(of(&kinds), of(&halved));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn limits_stay_among_the_values(
            values in prop::collection::vec((-50_i32..50, 1_u64..40), 2..12), share in 0.5..0.99, seed in any::<u64>(),
        ) {
            let kinds = plain(&values.iter().map(|(value, answers)| (f64::from(*value), *answers)).collect::<Vec<_>>());
            let level = Level::new(share).unwrap();
            if let Ok(mean) = Bootstrap::of_mean(&kinds, Resampling { seed, resamples: 1_000 }, level) {
                let smallest = kinds.iter().map(|kind| kind.value).fold(f64::MAX, f64::min);
                let largest = kinds.iter().map(|kind| kind.value).fold(f64::MIN, f64::max);
                prop_assert!(smallest <= mean.interval.lower && mean.interval.lower <= mean.interval.upper);
                prop_assert!(mean.interval.upper <= largest && mean.standard_error > 0.0);
                let widened = Interval { lower: mean.interval.lower - 1e-9, upper: mean.interval.upper + 1e-9 };
                prop_assert!(share < 0.8 || widened.contains(mean.estimate), "{mean:?}");
            }
        }
    }
}
