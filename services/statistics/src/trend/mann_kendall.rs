//! Whether a series rises or falls at all.

use super::{TrendError, finite, ties};
use crate::tail;

/// The Mann–Kendall test: whether later values tend to be larger than earlier ones. The values must not depend on one
/// another beyond the trend; a yearly season, or errors that last over periods, make it see trends too often.
///
/// Sources: H. B. Mann, "Nonparametric Tests Against Trend", Econometrica 13 (1945), 245–259; M. G. Kendall, "Rank
/// Correlation Methods" (4th edition, 1970), chapter 4.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// S: pairs of which the later value is larger, less those of which it is smaller.
    pub s: i64,
    /// The variance of S without a trend: (n(n − 1)(2n + 5) − Σ t(t − 1)(2t + 5))/18 over groups of t equal values.
    pub variance: f64,
    /// z = (S − 1)/√variance above 0, (S + 1)/√variance below, and 0 at 0.
    pub z: f64,
    /// The chance of a |z| at least as large without a trend, 0 to 1. Approximate; good from ten values on.
    pub p_value: f64,
    /// Kendall's τ_b with time, −1 to 1.
    pub tau: f64,
}

impl MannKendall {
    /// The fewest values.
    pub const FEWEST: usize = 4;

    /// Of a series in the order of time. Takes n²/2 comparisons.
    ///
    /// # Errors
    /// [`TrendError::TooFew`] below [`MannKendall::FEWEST`], [`TrendError::NoSpread`] of equal values, and
    /// [`TrendError::OutOfRange`].
    pub fn of(values: &[f64]) -> Result<Self, TrendError> {
        if values.len() < Self::FEWEST {
            return Err(TrendError::TooFew { needed: Self::FEWEST });
        }
        finite(values)?;
        let later = |(index, value): (usize, &f64)| {
            values[index + 1..].iter().map(|later| i64::from(later > value) - i64::from(later < value)).sum::<i64>()
        };
        let s: i64 = values.iter().enumerate().map(later).sum();
        let ties = ties(values);
        let variance = variance(values.len(), &[], &ties);
        if variance == 0.0 {
            return Err(TrendError::NoSpread);
        }
        // S moves in steps, of which the normal distribution knows nothing: half of one on either side.
        let z = (s - s.signum()) as f64 / variance.sqrt();
        let pairs = pairs_of(values.len());
        let untied = pairs - ties.into_iter().map(pairs_of).sum::<f64>();
        Ok(Self { s, variance, z, p_value: tail::normal(z), tau: s as f64 / (pairs * untied).sqrt() })
    }
}

/// The variance of S of so many points without a trend, given the sizes of the groups of equal times and of equal
/// values; 0 when all are equal.
///
/// Source: M. G. Kendall, as above, chapter 4.
pub(super) fn variance(size: usize, of_times: &[usize], of_values: &[usize]) -> f64 {
    let n = size as f64;
    let each = |ties: &[usize], of: fn(f64) -> f64| ties.iter().map(|size| of(*size as f64)).sum::<f64>();
    let both = |of: fn(f64) -> f64| each(of_times, of) * each(of_values, of);
    let own = |t: f64| t * (t - 1.0) * (2.0 * t + 5.0);
    let pairs = |t: f64| t * (t - 1.0);
    let triples = |t: f64| t * (t - 1.0) * (t - 2.0);
    let untied = (own(n) - each(of_times, own) - each(of_values, own)) / 18.0;
    let tied = both(pairs) / (2.0 * pairs(n)) + if n > 2.0 { both(triples) / (9.0 * triples(n)) } else { 0.0 };
    (untied + tied).max(0.0)
}

fn pairs_of(size: usize) -> f64 {
    size as f64 * (size as f64 - 1.0) / 2.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trend::samples::NILE;

    #[test]
    fn published_nile() {
        let nile = MannKendall::of(&NILE).unwrap();
        assert_eq!(nile.s, -1387);
        assert!((nile.z + 4.128_066_5).abs() < 5e-8, "{nile:?}");
    }

    #[test]
    fn too_few_equal_and_unusable_values() {
        assert_eq!(MannKendall::of(&[1.0, 2.0, 3.0]), Err(TrendError::TooFew { needed: 4 }));
        assert_eq!(MannKendall::of(&[2.0; 9]), Err(TrendError::NoSpread));
        assert_eq!(MannKendall::of(&[1.0, 2.0, 3.0, f64::NAN]), Err(TrendError::OutOfRange));
        let rising = MannKendall::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert_eq!((rising.s, rising.tau), (6, 1.0));
        let flat = MannKendall::of(&[1.0, 2.0, 2.0, 1.0]).unwrap();
        assert_eq!((flat.s, flat.z, flat.p_value), (0, 0.0, 1.0));
    }

    #[test]
    fn equal_times_and_values_lower_the_variance() {
        // All orders of the values of four points, of which two share a time and two a value, are equally likely.
        let (times, values) = ([0_i32, 0, 1, 2], [0_i32, 1, 1, 2]);
        let mut squares = 0;
        let mut orders = 0;
        for code in 0_usize..256 {
            let order = [code & 3, code >> 2 & 3, code >> 4 & 3, code >> 6];
            if (0..4).all(|index| order.contains(&index)) {
                let pairs = (0..4).flat_map(|i| (0..i).map(move |j| (i, j)));
                let sign = |(i, j): (usize, usize)| {
                    (times[i] - times[j]).signum() * (values[order[i]] - values[order[j]]).signum()
                };
                squares += pairs.map(sign).sum::<i32>().pow(2);
                orders += 1;
            }
        }
        assert_eq!(orders, 24);
        let found = variance(4, &[2, 1, 1], &[1, 2, 1]);
        assert!((found - f64::from(squares) / 24.0).abs() < 1e-12, "{found}");
        assert_eq!(variance(3, &[3], &[1, 1, 1]), 0.0);
    }

    proptest! {
        #[test]
        fn backwards_it_is_the_opposite(mut values in prop::collection::vec((-20_i32..20).prop_map(f64::from), 4..60)) {
            let forwards = MannKendall::of(&values);
            values.reverse();
            match (forwards, MannKendall::of(&values)) {
                (Ok(forwards), Ok(back)) => {
                    prop_assert_eq!((forwards.s, forwards.z, forwards.tau), (-back.s, -back.z, -back.tau));
                    prop_assert!(forwards.tau.abs() <= 1.0 + 1e-12 && (0.0..=1.0).contains(&back.p_value));
                }
                (forwards, back) => prop_assert_eq!(forwards, back),
            }
        }

        #[test]
        fn only_the_order_of_values_matters(values in prop::collection::vec(0.1..1e3, 4..40)) {
            let logs: Vec<_> = values.iter().map(|value: &f64| value.ln()).collect();
            prop_assert_eq!(MannKendall::of(&values).map(|of| of.s), MannKendall::of(&logs).map(|of| of.s));
        }
    }
}
