//! When a series of scores turned, each score as sure as its answers make it.

use super::{Point, TrendError};
use crate::{chance::Chance, tail};

/// The change of level that explains a series of scores best, and whether it is more than chance.
///
/// For each way to cut the series in two, z is the difference of the two weighted means over √(1/W₁ + 1/W₂), with the
/// weights w = 1/variance and W their sums. The largest |z| is found. Being the largest of many it exceeds 1.96 far
/// more often than one in twenty times: its chance is that of the largest |z| in series of the same variances that
/// stand still. So a dip of a month with few answers is no turn, and one of a month with thousands is.
///
/// Source: D. M. Hawkins, "Testing a Sequence of Observations for a Shift in Location", Journal of the American
/// Statistical Association 72 (1977), 180–186.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightedChange {
    /// How many points lie before the change.
    pub before: usize,
    /// The weighted mean after it minus the one before, in the unit of the values.
    pub difference: f64,
    /// The z of largest size, with the sign of the difference.
    pub z: f64,
    /// The chance of a |z| at least as large anywhere in the series if it stood still, 0 to 1. From 10,000 simulated
    /// series, always the same ones; where fewer than ten of them could reach so far, the sum of the chances of all
    /// cuts, which is never too small.
    pub p_value: f64,
}

/// Series simulated.
const SERIES: u32 = 10_000;

impl WeightedChange {
    /// Of points in the order of time.
    ///
    /// # Errors
    /// [`TrendError::TooFew`] below two points, [`TrendError::NoSpread`] when all values are the same, and
    /// [`TrendError::OutOfRange`].
    pub fn of(points: &[Point]) -> Result<Self, TrendError> {
        if points.len() < 2 {
            return Err(TrendError::TooFew { needed: 2 });
        }
        if points.iter().all(|point| point.value == points[0].value) {
            return Err(TrendError::NoSpread);
        }
        // Relative to the smallest variance, so that no weight leaves the range of numbers.
        let smallest = points.iter().map(|point| point.variance).fold(f64::MAX, f64::min);
        let weights: Vec<_> = points.iter().map(|point| smallest / point.variance).collect();
        // From the weighted mean, which every cut leaves out of the difference.
        let total: f64 = weights.iter().sum();
        let middle = points.iter().zip(&weights).map(|(point, weight)| weight / total * point.value).sum::<f64>();
        let values: Vec<_> = points.iter().map(|point| (point.value - middle) / smallest.sqrt()).collect();
        let (before, z) = largest(&weights, &after(&weights), &values);
        let mean = |range: std::ops::Range<usize>| {
            let sum: f64 = weights[range.clone()].iter().sum();
            range.map(|index| weights[index] / sum * points[index].value).sum::<f64>()
        };
        let difference = mean(before..points.len()) - mean(0..before);
        if !(z.is_finite() && difference.is_finite()) {
            return Err(TrendError::OutOfRange);
        }
        Ok(Self { before, difference, z, p_value: chance_of(z.abs(), &weights) })
    }
}

/// The weight after each point; the last has none. Added up from the end, for a difference of sums would lose small
/// weights.
fn after(weights: &[f64]) -> Vec<f64> {
    let mut after = vec![0.0; weights.len()];
    for index in (1..weights.len()).rev() {
        after[index - 1] = after[index] + weights[index];
    }
    after
}

/// The cut with the largest |z|, of values whose variances are 1/weight.
fn largest(weights: &[f64], after: &[f64], values: &[f64]) -> (usize, f64) {
    let whole: f64 = weights.iter().zip(values).map(|(weight, value)| weight * value).sum();
    let (mut weight, mut sum, mut best) = (0.0, 0.0, (1, 0.0_f64));
    for (index, ((own, rest), value)) in weights.iter().zip(after).zip(values).enumerate().take(weights.len() - 1) {
        weight += own;
        sum += own * value;
        // (whole − sum)/rest − sum/weight over √(1/weight + 1/rest).
        let z = (weight * (whole - sum) - rest * sum) / (weight * rest * (weight + rest)).sqrt();
        if z.abs() > best.1.abs() || z.is_nan() {
            best = (index + 1, z);
        }
    }
    best
}

fn chance_of(z: f64, weights: &[f64]) -> f64 {
    let bound = tail::normal(z) * (weights.len() - 1) as f64;
    if bound < 10.0 / f64::from(SERIES) {
        return bound;
    }
    let mut chance = Chance::new(0);
    let (after, mut values) = (after(weights), vec![0.0; weights.len()]);
    let as_far = (0..SERIES).filter(|_| {
        values.iter_mut().zip(weights).for_each(|(value, weight)| *value = chance.normal() / weight.sqrt());
        largest(weights, &after, &values).1.abs() >= z
    });
    (f64::from(1 + as_far.map(|_| 1).sum::<u32>()) / f64::from(1 + SERIES)).min(bound)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trend::samples::NILE;

    fn of(values: &[(f64, f64)]) -> Result<WeightedChange, TrendError> {
        let points = values.iter().map(|(value, variance)| Point::new(0.0, *value, *variance).unwrap());
        WeightedChange::of(&points.collect::<Vec<_>>())
    }

    /// The level of the Nile fell when the dam at Aswan was begun, after 28 years, from 1,097.75 to 849.97.
    #[test]
    fn published_nile() {
        let nile = of(&NILE.map(|flow| (flow, 125.0 * 125.0))).unwrap();
        assert_eq!(nile.before, 28);
        assert!((nile.difference + 247.78).abs() < 0.005, "{nile:?}");
        assert!(nile.p_value < 1e-15, "{nile:?}");
    }

    #[test]
    fn a_month_of_few_answers_is_no_turn() {
        let year = [30.0, 31.0, 29.0, 30.0, 32.0, 28.0, 30.0, 31.0, 29.0, 30.0, 31.0];
        let ending =
            |last: (f64, f64)| of(&year.map(|score| (score, 1.0)).into_iter().chain([last]).collect::<Vec<_>>());
        let (few, many) = (ending((-20.0, 900.0)).unwrap(), ending((24.0, 1.0)).unwrap());
        assert!(few.p_value > 0.2, "{few:?}");
        assert!(many.p_value < 1e-6 && many.before == 11, "{many:?}");
    }

    #[test]
    fn two_points_have_one_cut() {
        let change = of(&[(10.0, 3.0), (14.0, 1.0)]).unwrap();
        assert_eq!((change.before, change.difference), (1, 4.0));
        assert!((change.z - 2.0).abs() < 1e-12);
        // 0.0455, up to what 10,000 series can tell.
        assert!((change.p_value - 0.0455).abs() < 0.008, "{change:?}");
    }

    #[test]
    fn a_small_weight_is_not_lost_beside_a_large_one() {
        let change = of(&[(0.0, 1.0), (4e9, 1e18)]).unwrap();
        assert!((change.z - 4.0).abs() < 1e-12, "{change:?}");
    }

    #[test]
    fn too_few_equal_and_unusable_points() {
        assert_eq!(of(&[(1.0, 1.0)]), Err(TrendError::TooFew { needed: 2 }));
        assert_eq!(of(&[(1.0, 1.0), (1.0, 2.0)]), Err(TrendError::NoSpread));
        assert_eq!(of(&[(-1e308, 1e-300), (1e308, 1.0)]), Err(TrendError::OutOfRange));
        assert!(of(&[(1.0, 1.0), (2.0, 1e300), (4.0, 1.0)]).is_ok());
    }

    #[test]
    fn the_chance_is_that_of_series_that_stand_still() {
        let variances = [1.0, 4.0, 0.5, 9.0, 2.0, 1.0, 30.0, 1.0];
        let mut chance = Chance::new(99);
        let series = |_| of(&variances.map(|variance: f64| (chance.normal() * variance.sqrt(), variance))).unwrap();
        let changes: Vec<_> = (0..40).map(series).collect();
        let alarms = changes.iter().filter(|change| change.p_value <= 0.1).count();
        assert!((1..10).contains(&alarms), "{alarms} of 40 at 10 %");
        let naive = changes.iter().filter(|change| tail::normal(change.z) <= 0.1).count();
        assert!(naive > 10, "{naive} of 40");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn backwards_it_is_the_opposite(mut values in prop::collection::vec((-50.0..50.0, 0.5..20.0), 2..12)) {
            let there = of(&values).unwrap();
            values.reverse();
            let back = of(&values).unwrap();
            prop_assert_eq!(there.before + back.before, values.len());
            prop_assert!((there.difference + back.difference).abs() < 1e-9 && (there.z + back.z).abs() < 1e-9);
            prop_assert!((there.p_value - back.p_value).abs() < 0.03 && (0.0..=1.0).contains(&there.p_value));
        }
    }
}
