//! When a series turned from one level to another.

use super::{TrendError, finite};

/// Pettitt's test for one change of level at an unknown time.
///
/// Source: A. N. Pettitt, "A Non-Parametric Approach to the Change-Point Problem", Applied Statistics 28 (1979),
/// 126–135.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pettitt {
    /// K = max |U_k|, where U_k = 2·(r₁ + … + r_k) − k(n + 1) with the ranks r of the values, equal ones sharing
    /// theirs.
    pub k: f64,
    /// How many values lie before the change: the first k at which |U_k| = K.
    pub before: usize,
    /// Whether the values before it tend to be the larger ones.
    pub fell: bool,
    /// The chance of a K at least as large without a change: 2·exp(−6K²/(n³ + n²)), at most 1. Approximate; good to two
    /// digits when it is below ½.
    pub p_value: f64,
}

impl Pettitt {
    /// The fewest values.
    pub const FEWEST: usize = 4;

    /// Of a series in the order of time.
    ///
    /// # Errors
    /// [`TrendError::TooFew`] below [`Pettitt::FEWEST`], [`TrendError::NoSpread`] of equal values, and
    /// [`TrendError::OutOfRange`].
    pub fn of(values: &[f64]) -> Result<Self, TrendError> {
        if values.len() < Self::FEWEST {
            return Err(TrendError::TooFew { needed: Self::FEWEST });
        }
        finite(values)?;
        let size = values.len() as f64;
        let (mut sum, mut furthest, mut before) = (0.0_f64, 0.0_f64, 0);
        for (index, rank) in ranks(values).into_iter().enumerate() {
            // Multiples of ½ well below 2⁵³: exact.
            sum += 2.0 * rank - (size + 1.0);
            if sum.abs() > furthest.abs() {
                (furthest, before) = (sum, index + 1);
            }
        }
        let k = furthest.abs();
        if k == 0.0 {
            return Err(TrendError::NoSpread);
        }
        let p_value = (2.0 * (-6.0 * k * k / (size * size * (size + 1.0))).exp()).min(1.0);
        Ok(Self { k, before, fell: furthest > 0.0, p_value })
    }
}

/// The rank of each value, from 1; equal values have the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let (mut ranks, mut below) = (vec![0.0; values.len()], 0.0);
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let size = equal.len() as f64;
        equal.iter().for_each(|index| ranks[*index] = below + (size + 1.0) / 2.0);
        below += size;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::trend::samples::NILE;

    #[test]
    fn published_nile() {
        let nile = Pettitt::of(&NILE).unwrap();
        assert_eq!((nile.k, nile.before, nile.fell), (1617.0, 28, true));
        assert!((nile.p_value - 3.591e-7).abs() < 5e-11, "{nile:?}");
    }

    #[test]
    fn too_few_equal_and_unusable_values() {
        assert_eq!(Pettitt::of(&[1.0, 2.0, 3.0]), Err(TrendError::TooFew { needed: 4 }));
        assert_eq!(Pettitt::of(&[2.0; 9]), Err(TrendError::NoSpread));
        assert_eq!(Pettitt::of(&[1.0, 2.0, 3.0, f64::NAN]), Err(TrendError::OutOfRange));
        assert_eq!(ranks(&[5.0, -0.0, 5.0, 0.0, 9.0]), [3.5, 1.5, 3.5, 1.5, 5.0]);
    }

    proptest! {
        #[test]
        fn k_is_that_of_all_pairs(values in prop::collection::vec((-9_i32..9).prop_map(f64::from), 4..40)) {
            let sign = |a: f64, b: f64| f64::from(i8::from(a > b) - i8::from(a < b));
            let u = |k: usize| values[..k].iter().flat_map(|a| values[k..].iter().map(|b| sign(*a, *b))).sum::<f64>();
            let largest = (1..values.len()).map(|k| u(k).abs()).fold(0.0, f64::max);
            match Pettitt::of(&values) {
                Ok(change) => {
                    prop_assert_eq!((change.k, u(change.before).abs()), (largest, largest));
                    prop_assert_eq!(change.fell, u(change.before) > 0.0);
                    prop_assert!((0.0..=1.0).contains(&change.p_value) && change.before < values.len());
                }
                Err(error) => prop_assert_eq!((error, largest), (TrendError::NoSpread, 0.0)),
            }
        }
    }
}
