//! How steeply a series rises or falls.

use super::{TrendError, finite, mann_kendall::variance, ties};
use crate::{Interval, Level, number::floor};

/// The most values of a series that is looked at in all its pairs.
pub const MAX_PAIRED: usize = 2_000;

/// Sen's slope: the median of the slopes of all pairs of points. Almost a third of the values may be outliers.
///
/// Source: P. K. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", Journal of the American
/// Statistical Association 63 (1968), 1379–1389.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SenSlope {
    /// By how much the values rise in a unit of time; below 0 they fall.
    pub slope: f64,
    /// Its limits: of the N sorted slopes the one at (N − C)/2 and the one after (N + C)/2, where C is z times the
    /// standard deviation of Kendall's S.
    pub interval: Interval,
    /// Where the line stands at time 0: the median of value − slope·time.
    pub intercept: f64,
}

impl SenSlope {
    /// Of points (time, value), in any order; pairs at the same time are left out.
    ///
    /// # Errors
    /// [`TrendError::TooFew`] below two, [`TrendError::TooMany`] above [`MAX_PAIRED`], [`TrendError::NoSpread`] when
    /// all times are the same, and [`TrendError::OutOfRange`].
    pub fn of(points: &[(f64, f64)], level: Level) -> Result<Self, TrendError> {
        if points.len() < 2 {
            return Err(TrendError::TooFew { needed: 2 });
        }
        if points.len() > MAX_PAIRED {
            return Err(TrendError::TooMany { most: MAX_PAIRED });
        }
        let mut slopes = Vec::with_capacity(points.len() * (points.len() - 1) / 2);
        for (index, (time, value)) in points.iter().enumerate() {
            let others = points[index + 1..].iter().filter(|(other, _)| other != time);
            slopes.extend(others.map(|(other, later)| (later - value) / (other - time)));
        }
        finite(&slopes)?;
        if slopes.is_empty() {
            return Err(TrendError::NoSpread);
        }
        let slope = median(&mut slopes);
        let mut rests: Vec<_> = points.iter().map(|(time, value)| value - slope * time).collect();
        finite(&rests)?;
        let (times, values): (Vec<_>, Vec<_>) = points.iter().copied().unzip();
        let reach = level.z() * variance(values.len(), &ties(&times), &ties(&values)).sqrt();
        let middle = slopes.len() as f64;
        let last = slopes.len() - 1;
        let at = |place: f64| usize::try_from(floor(place.round_ties_even().max(0.0))).map_or(last, |at| at.min(last));
        let (lower, upper) = (at((middle - reach) / 2.0 - 1.0), at((middle + reach) / 2.0));
        // `median` has sorted them.
        let interval = Interval { lower: slopes[lower], upper: slopes[upper] };
        Ok(Self { slope, interval, intercept: median(&mut rests) })
    }
}

/// The middle value, or the mean of the two middle ones; leaves the values sorted.
fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { f64::midpoint(values[half - 1], values[half]) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trend::samples::NILE;

    fn of(points: &[(f64, f64)]) -> Result<SenSlope, TrendError> {
        SenSlope::of(points, Level::P95)
    }

    #[test]
    fn published_nile() {
        let years: Vec<_> = (1871_i16..).map(f64::from).zip(NILE).collect();
        let nile = of(&years).unwrap();
        assert!((nile.slope + 2.6).abs() < 1e-12, "{nile:?}");
        assert!(nile.interval.upper < 0.0);
    }

    #[test]
    fn of_an_even_number_of_slopes_the_median_lies_between_two() {
        // Slopes 1, 1, 2, 2½, 2½, 4.
        let four = of(&[(0.0, 0.0), (1.0, 1.0), (2.0, 5.0), (3.0, 6.0)]).unwrap();
        assert_eq!((four.slope, four.intercept), (2.25, -0.375));
    }

    #[test]
    fn too_few_too_many_and_no_time() {
        assert_eq!(of(&[(0.0, 1.0)]), Err(TrendError::TooFew { needed: 2 }));
        assert_eq!(of(&[(0.0, 1.0), (0.0, 2.0)]), Err(TrendError::NoSpread));
        assert_eq!(of(&vec![(0.0, 1.0); 2_001]), Err(TrendError::TooMany { most: 2_000 }));
        assert_eq!(of(&[(0.0, 1.0), (1.0, f64::INFINITY)]), Err(TrendError::OutOfRange));
        assert_eq!(of(&[(0.0, -f64::MAX), (1.0, f64::MAX)]), Err(TrendError::OutOfRange));
        let two = of(&[(0.0, 1.0), (2.0, 2.0)]).unwrap();
        assert_eq!((two.slope, two.intercept, two.interval), (0.5, 1.0, Interval { lower: 0.5, upper: 0.5 }));
        let flat = of(&[(0.0, 1.0), (1.0, 1.0), (2.0, 1.0)]).unwrap();
        assert_eq!((flat.slope, flat.interval), (0.0, Interval { lower: 0.0, upper: 0.0 }));
    }

    proptest! {
        #[test]
        fn an_added_trend_is_an_added_slope(
            values in prop::collection::vec(-100.0..100.0, 3..40), rise in -5.0_f64..5.0,
        ) {
            let points: Vec<(f64, f64)> = (0_i16..).map(f64::from).zip(values).collect();
            let risen: Vec<_> = points.iter().map(|(time, value)| (*time, value + rise * time)).collect();
            let (one, other) = (of(&points).unwrap(), of(&risen).unwrap());
            prop_assert!((other.slope - one.slope - rise).abs() < 1e-9);
            prop_assert!((other.intercept - one.intercept).abs() < 1e-7);
            prop_assert!(one.interval.contains(one.slope));
        }

        #[test]
        fn points_come_in_any_order(mut values in prop::collection::vec(-100.0..100.0, 3..20), key in any::<u64>()) {
            values.dedup();
            let points: Vec<_> = (0_i16..).map(f64::from).zip(values).collect();
            let mut mixed = points.clone();
            mixed.sort_by_key(|(time, _)| time.to_bits().wrapping_mul(key | 1));
            prop_assert_eq!(of(&points), of(&mixed));
        }
    }
}
