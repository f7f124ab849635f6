//! Two means: CES, handling time, spend.

use super::{Incomparable, effective_size};
use crate::{Interval, Level, tail};

/// A sample told by its mean, its variance and its effective size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    mean: f64,
    variance: f64,
    size: f64,
}

impl Sample {
    /// The smallest effective size of which a spread is told: below, one value outweighs all others.
    pub const SMALLEST: f64 = 1.5;

    /// Of these values, each counting as itself. `None` over nothing, and when a value or a sum of squares is not
    /// finite.
    pub fn of(values: &[f64]) -> Option<Self> {
        let size = values.len() as f64;
        // From the first value on, so that equal values have no spread, not even one of rounding.
        let first = *values.first()?;
        let mean = first + values.iter().map(|value| (value - first) / size).sum::<f64>();
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self::new(mean, if values.len() < 2 { 0.0 } else { squares / (size - 1.0) }, size)
    }

    /// With this mean, the sample variance s² (of divisor n − 1, in the squared unit) and the effective size, which
    /// need not be whole. `None` unless all are finite, s² is at least 0 and the size at least 1.
    pub fn new(mean: f64, variance: f64, size: f64) -> Option<Self> {
        let finite = mean.is_finite() && variance.is_finite() && size.is_finite();
        (finite && variance >= 0.0 && size >= 1.0).then_some(Self { mean, variance, size })
    }

    /// Of weighted values: Σw, Σw², and the weighted mean and mean squared distance from it, Σw(x − mean)²/Σw, which is
    /// scaled by n_eff/(n_eff − 1). `None` when no weights above 0 have such sums.
    pub fn weighted(sum: f64, sum_of_squares: f64, mean: f64, mean_square: f64) -> Option<Self> {
        let size = effective_size(sum, sum_of_squares)?;
        let scale = if size >= Self::SMALLEST { size / (size - 1.0) } else { 1.0 };
        Self::new(mean, mean_square * scale, size)
    }

    /// The mean, in the unit of the values.
    pub fn mean(self) -> f64 {
        self.mean
    }

    /// n, or n_eff: at least 1.
    pub fn size(self) -> f64 {
        self.size
    }

    /// s²/n, of samples that tell a spread.
    fn squared_error(self) -> Result<f64, Incomparable> {
        if self.size < Self::SMALLEST { Err(Incomparable::TooFew { needed: 2 }) } else { Ok(self.variance / self.size) }
    }
}

/// The difference between two means of values that have nothing to do with one another, whose spreads may differ.
///
/// Source: B. L. Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances are
/// Involved", Biometrika 34 (1947), 28–35.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanDifference {
    /// The second mean minus the first, in the unit of the values.
    pub difference: f64,
    /// The limits of the true difference: Δ ± t·√(s₁²/n₁ + s₂²/n₂). Leaves out 0 exactly when `p_value` < 1 − level.
    pub interval: Interval,
    /// t = Δ/√(s₁²/n₁ + s₂²/n₂).
    pub t: f64,
    /// ν = (e₁ + e₂)²/(e₁²/(n₁ − 1) + e₂²/(n₂ − 1)), where e = s²/n; at least the smaller n − 1.
    pub degrees_of_freedom: f64,
    /// The chance of a |t| at least as large if there were no difference, 0 to 1. Of few values with a long tail, such
    /// as durations, it promises more than it keeps.
    pub p_value: f64,
}

impl MeanDifference {
    /// From `before` to `after`.
    ///
    /// # Errors
    /// [`Incomparable::TooFew`] when a side has fewer than two values, [`Incomparable::NoSpread`] when neither varies,
    /// [`Incomparable::OutOfRange`] when the limits are not finite.
    pub fn between(before: Sample, after: Sample, level: Level) -> Result<Self, Incomparable> {
        let (first, second) = (before.squared_error()?, after.squared_error()?);
        let squared_error = first + second;
        if squared_error == 0.0 {
            return Err(Incomparable::NoSpread);
        }
        let (part, rest) = (first / squared_error, second / squared_error);
        let degrees_of_freedom = 1.0 / (part * part / (before.size - 1.0) + rest * rest / (after.size - 1.0));
        let (difference, error) = (after.mean - before.mean, squared_error.sqrt());
        let t = difference / error;
        let reach = error * level.t(degrees_of_freedom).ok_or(Incomparable::OutOfRange)?;
        let interval = Interval::around(difference, reach);
        if !(t.is_finite() && interval.lower.is_finite() && interval.upper.is_finite()) {
            return Err(Incomparable::OutOfRange);
        }
        Ok(Self { difference, interval, t, degrees_of_freedom, p_value: tail::student(t, degrees_of_freedom) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(before: &[f64], after: &[f64]) -> Result<MeanDifference, Incomparable> {
        MeanDifference::between(Sample::of(before).unwrap(), Sample::of(after).unwrap(), Level::P95)
    }

    /// Student's sleep data, as R's `t.test(extra ~ group)` has them.
    #[test]
    fn published_sleep() {
        let first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
        let second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
        let sleep = between(&second, &first).unwrap();
        assert!((sleep.t + 1.8608).abs() < 5e-5, "{sleep:?}");
        assert!((sleep.degrees_of_freedom - 17.776).abs() < 5e-4, "{sleep:?}");
        assert!((sleep.p_value - 0.07939).abs() < 5e-6, "{sleep:?}");
        assert!((sleep.interval.lower + 3.365_483_2).abs() < 5e-7, "{sleep:?}");
        assert!((sleep.interval.upper - 0.205_483_2).abs() < 5e-7, "{sleep:?}");
    }

    #[test]
    fn too_few_and_no_spread() {
        assert_eq!(Sample::of(&[]), None);
        for value in [0.1, 1.0 / 3.0, 2.0, -7.3e9] {
            assert_eq!(Sample::of(&[value; 38]), Sample::new(value, 0.0, 38.0), "no spread");
        }
        assert_eq!(Sample::of(&[1.0, f64::NAN]), None);
        assert_eq!(Sample::of(&[1e200, -1e200]), None, "the variance is beyond all numbers");
        assert_eq!(Sample::new(0.0, -1.0, 5.0), None);
        assert_eq!(between(&[1.0], &[1.0, 2.0]), Err(Incomparable::TooFew { needed: 2 }));
        assert_eq!(between(&[1.0, 1.0], &[2.0, 2.0]), Err(Incomparable::NoSpread));
        let steady = between(&[1.0, 1.0], &[2.0, 3.0, 4.0]).unwrap();
        assert_eq!((steady.difference, steady.degrees_of_freedom), (2.0, 2.0));
        let far = Sample::new(1e308, 1e-300, 9.0).unwrap();
        let near = Sample::new(-1e308, 0.0, 9.0).unwrap();
        assert_eq!(MeanDifference::between(near, far, Level::P95), Err(Incomparable::OutOfRange));
    }

    #[test]
    fn weights_of_one_are_values() {
        let plain = Sample::of(&[1.0, 2.0, 6.0]).unwrap();
        let weighted = Sample::weighted(3.0, 3.0, 3.0, 14.0 / 3.0).unwrap();
        assert!((plain.variance - weighted.variance).abs() < 1e-12 && plain.size == weighted.size);
        let heavy = Sample::weighted(1_000_001.0, 1e12 + 1.0, 3.0, 0.1).unwrap();
        assert_eq!(MeanDifference::between(plain, heavy, Level::P95), Err(Incomparable::TooFew { needed: 2 }));
    }

    proptest! {
        #[test]
        fn the_interval_and_the_test_say_the_same(
            before in prop::collection::vec(-1e3..1e3, 2..60), after in prop::collection::vec(-1e3..1e3, 2..60),
        ) {
            let change = between(&before, &after).unwrap();
            let smallest = before.len().min(after.len()) as f64 - 1.0;
            let most = (before.len() + after.len()) as f64 - 2.0;
            prop_assert!((smallest - 1e-9..=most + 1e-9).contains(&change.degrees_of_freedom), "{change:?}");
            if (change.p_value - 0.05).abs() > 1e-6 {
                prop_assert_eq!(change.interval.contains(0.0), change.p_value > 0.05, "{:?}", change);
            }
            let back = between(&after, &before).unwrap();
            prop_assert_eq!((change.difference, change.t, change.p_value), (-back.difference, -back.t, back.p_value));
        }

        #[test]
        fn another_unit_changes_no_p_value(
            before in prop::collection::vec(-1e3..1e3, 2..20), after in prop::collection::vec(-1e3..1e3, 2..20),
        ) {
            let seconds = between(&before, &after).unwrap();
            let minutes = |values: &[f64]| values.iter().map(|value| value / 60.0).collect::<Vec<_>>();
            let change = between(&minutes(&before), &minutes(&after)).unwrap();
            prop_assert!((change.p_value - seconds.p_value).abs() < 1e-9);
            prop_assert!((60.0 * change.difference - seconds.difference).abs() < 1e-9);
        }
    }
}
