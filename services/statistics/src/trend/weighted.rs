//! The trend of scores, each as sure as its answers make it.

use super::{Point, TrendError};
use crate::{Interval, Level, tail};

/// The line through scores of known variances: least squares with the weights w = 1/variance.
///
/// Source: A. C. Aitken, "On Least Squares and Linear Combination of Observations", Proceedings of the Royal Society of
/// Edinburgh 55 (1936), 42–48.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedTrend {
    /// By how much the score rises in a unit of time: Σw(t − t̄)(y − ȳ)/Σw(t − t̄)², with t̄ and ȳ weighted means.
    pub slope: f64,
    /// Its limits: slope ± z·standard error.
    pub interval: Interval,
    /// 1/√Σw(t − t̄)²: what the answers let the slope vary.
    pub standard_error: f64,
    /// z = slope/standard error.
    pub z: f64,
    /// The chance of a |z| at least as large if the true score stood still, 0 to 1.
    pub p_value: f64,
    /// Where the line stands at time 0.
    pub intercept: f64,
    /// Q = Σw(y − line)², which has mean k − 2 for k points that differ from the line by nothing but who happened to
    /// answer.
    pub residual: f64,
    /// The chance of a Q at least as large, 0 to 1. When it is small the true score moves beside the line, and neither
    /// the interval nor `p_value` allow for that. `None` of two points.
    pub fit: Option<f64>,
}

impl WeightedTrend {
    /// Of points in any order.
    ///
    /// # Errors
    /// [`TrendError::TooFew`] below two, [`TrendError::NoSpread`] when all times are the same, and
    /// [`TrendError::OutOfRange`].
    pub fn of(points: &[Point], level: Level) -> Result<Self, TrendError> {
        if points.len() < 2 {
            return Err(TrendError::TooFew { needed: 2 });
        }
        if points.iter().all(|point| point.time == points[0].time) {
            return Err(TrendError::NoSpread);
        }
        // Relative to the smallest variance, so that no weight leaves the range of numbers.
        let smallest = points.iter().map(|point| point.variance).fold(f64::MAX, f64::min);
        let weight = |point: &Point| smallest / point.variance;
        let sum = |of: &dyn Fn(&Point) -> f64| points.iter().map(|point| weight(point) * of(point)).sum::<f64>();
        let total = sum(&|_| 1.0);
        let (time, value) = (sum(&|point| point.time) / total, sum(&|point| point.value) / total);
        let squares = sum(&|point| (point.time - time).powi(2));
        let slope = sum(&|point| (point.time - time) * (point.value - value)) / squares;
        let standard_error = (smallest / squares).sqrt();
        let z = slope / standard_error;
        let intercept = value - slope * time;
        let residual = sum(&|point| (point.value - value - slope * (point.time - time)).powi(2)) / smallest;
        let interval = Interval::around(slope, level.z() * standard_error);
        if ![z, intercept, residual, interval.lower, interval.upper].iter().all(|figure| figure.is_finite()) {
            return Err(TrendError::OutOfRange);
        }
        let fit = points.len().checked_sub(2).filter(|degrees| *degrees > 0);
        Ok(Self {
            slope,
            interval,
            standard_error,
            z,
            p_value: tail::normal(z),
            intercept,
            residual,
            fit: fit.map(|degrees| tail::chi_squared(residual, degrees)),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::comparison::NpsCounts;

    fn of(points: &[(f64, f64, f64)]) -> Result<WeightedTrend, TrendError> {
        let points: Vec<_> = points.iter().map(|(t, y, v)| Point::new(*t, *y, *v).unwrap()).collect();
        WeightedTrend::of(&points, Level::P95)
    }

    #[test]
    fn two_points_are_their_difference() {
        let (before, after) = (NpsCounts::new(50, 30, 20).unwrap(), NpsCounts::new(40, 35, 25).unwrap());
        let points = [Point::of_nps(0.0, before).unwrap(), Point::of_nps(3.0, after).unwrap()];
        let trend = WeightedTrend::of(&points, Level::P95).unwrap();
        assert!((trend.slope + 5.0).abs() < 1e-12 && (trend.intercept - 30.0).abs() < 1e-12, "{trend:?}");
        let error = before.adjusted().standard_error().hypot(after.adjusted().standard_error());
        assert!((trend.standard_error - error / 3.0).abs() < 1e-12, "{trend:?}");
        assert!(trend.fit.is_none() && trend.residual < 1e-20);
    }

    #[test]
    fn an_unsure_point_hardly_counts() {
        let sure = of(&[(0.0, 10.0, 1.0), (1.0, 11.0, 1.0), (2.0, 12.0, 1.0)]).unwrap();
        let with_noise = of(&[(0.0, 10.0, 1.0), (1.0, 11.0, 1.0), (2.0, 12.0, 1.0), (3.0, -90.0, 1e6)]).unwrap();
        assert!((sure.slope - 1.0).abs() < 1e-12 && (with_noise.slope - 1.0).abs() < 1e-3, "{with_noise:?}");
    }

    #[test]
    fn too_few_no_time_and_unusable_points() {
        assert_eq!(of(&[(0.0, 1.0, 1.0)]), Err(TrendError::TooFew { needed: 2 }));
        assert_eq!(of(&[(1.0, 1.0, 1.0), (1.0, 2.0, 1.0)]), Err(TrendError::NoSpread));
        assert_eq!(of(&[(-1e308, -1e308, 1.0), (1e308, 1e308, 1.0)]), Err(TrendError::OutOfRange));
        assert_eq!(of(&[(0.0, 1.0, 1e-300), (1e-200, 2.0, 1e-300)]), Err(TrendError::OutOfRange));
        for (time, value, variance) in
            [(0.0, 0.0, 0.0), (0.0, 0.0, -1.0), (f64::NAN, 0.0, 1.0), (0.0, f64::INFINITY, 1.0)]
        {
            assert_eq!(Point::new(time, value, variance), None);
        }
        let flat = of(&[(0.0, 5.0, 1.0), (1.0, 5.0, 2.0), (2.0, 5.0, 3.0)]).unwrap();
        assert_eq!((flat.slope, flat.z, flat.p_value, flat.residual, flat.fit), (0.0, 0.0, 1.0, 0.0, Some(1.0)));
        assert!(Point::of_nps(0.0, NpsCounts::new(7, 0, 0).unwrap()).is_some(), "all alike");
    }

    proptest! {
        #[test]
        fn a_point_cut_in_two_is_the_same(
            values in prop::collection::vec((-100.0..100.0, 0.1..50.0), 3..30), which in 0_usize..30, share in 0.1..0.9,
        ) {
            let mut points: Vec<(f64, f64, f64)> =
                (0_i16..).zip(values).map(|(time, (value, variance))| (f64::from(time), value, variance)).collect();
            let whole = of(&points).unwrap();
            let index = which % points.len();
            let (time, value, variance) = points[index];
            points[index].2 = variance / share;
            points.push((time, value, variance / (1.0 - share)));
            let cut = of(&points).unwrap();
            prop_assert!((whole.slope - cut.slope).abs() < 1e-9);
            prop_assert!((whole.standard_error / cut.standard_error - 1.0).abs() < 1e-9);
            prop_assert!((whole.residual - cut.residual).abs() < 1e-7 * (1.0 + whole.residual));
            prop_assert_eq!(whole.interval.contains(0.0), whole.p_value > 0.05 - 1e-12);
        }
    }
}
