//! Sums of values and of their products: exact, so that the order in which they come does not matter.

use barometer_statistics::number::{ratio, real};

/// The sums of some variables.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    count: u64,
    of_one: Vec<i128>,
    /// Of two: the lower triangle, row by row.
    of_two: Vec<i128>,
    /// Whether some sum went beyond what can be held.
    overflows: bool,
}

impl Sums {
    /// Of so many variables.
    pub(super) fn new(variables: usize) -> Self {
        let triangle = variables * (variables + 1) / 2;
        Sums { count: 0, of_one: vec![0; variables], of_two: vec![0; triangle], overflows: false }
    }

    /// Adds an observation: a value of each variable.
    pub(super) fn add(&mut self, values: &[i64]) {
        let values = || values.iter().map(|value| i128::from(*value));
        self.count += 1;
        self.of_one.iter_mut().zip(values()).for_each(|(sum, value)| *sum += value);
        let mut sums = self.of_two.iter_mut();
        for (row, value) in values().enumerate() {
            // In this order, so that no sum is taken and left.
            for (other, sum) in values().take(row + 1).zip(sums.by_ref()) {
                let added = sum.checked_add(value * other);
                self.overflows |= added.is_none();
                *sum = added.unwrap_or_default();
            }
        }
    }

    /// How many observations there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The mean of a variable; `None` over nothing.
    pub(super) fn mean(&self, variable: usize) -> Option<f64> {
        ratio(self.of_one[variable], self.count.into())
    }

    /// The correlations of all variables, those that do not vary with 0 everywhere; `None` when a sum went beyond what can be held.
    pub(super) fn correlations(&self) -> Option<Vec<Vec<f64>>> {
        let size = self.of_one.len();
        let count = i128::from(self.count);
        if self.overflows {
            return None;
        }
        let mut correlations = vec![vec![0.0; size]; size];
        if count == 0 {
            return Some(correlations);
        }
        // About whole numbers next to the means everything but the last step is exact, and little is lost in that.
        let middles: Vec<i128> = self.of_one.iter().map(|sum| sum.div_euclid(count)).collect();
        let rests: Vec<i128> = self.of_one.iter().map(|sum| sum.rem_euclid(count)).collect();
        let about = |row: usize, column: usize| -> Option<i128> {
            let (one, other) = (middles[row], middles[column]);
            let sum = self.of_two[row * (row + 1) / 2 + column];
            let sum = sum.checked_sub(one.checked_mul(self.of_one[column])?)?;
            let sum = sum.checked_sub(other.checked_mul(self.of_one[row])?)?;
            sum.checked_add(count.checked_mul(one)?.checked_mul(other)?)
        };
        let covariance = |row: usize, column: usize| -> Option<f64> {
            Some(signed(about(row, column)?) - signed(rests[row] * rests[column]) / signed(count))
        };
        let variances =
            (0..size).map(|index| if about(index, index)? == 0 { Some(0.0) } else { covariance(index, index) });
        let variances: Vec<f64> = variances.collect::<Option<_>>()?;
        for row in (0..size).filter(|row| variances[*row] > 0.0) {
            for column in (0..row).filter(|column| variances[*column] > 0.0) {
                let correlation = covariance(row, column)? / variances[row].sqrt() / variances[column].sqrt();
                correlations[row][column] = correlation.clamp(-1.0, 1.0);
                correlations[column][row] = correlations[row][column];
            }
            correlations[row][row] = 1.0;
        }
        Some(correlations)
    }
}

fn signed(sum: i128) -> f64 {
    let magnitude = real(sum.unsigned_abs());
    if sum < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(rows: &[[i64; 3]]) -> Sums {
        let mut sums = Sums::new(3);
        rows.iter().for_each(|row| sums.add(row));
        sums
    }

    #[test]
    fn what_does_not_vary_goes_with_nothing() {
        let correlations = of(&[[7, 1, 1], [7, 2, -1], [7, 3, 4]]).correlations().expect("small");
        assert_eq!((correlations[0].as_slice(), correlations[1][1]), (&[0.0; 3][..], 1.0));
        assert_eq!(of(&[]).correlations(), Some(vec![vec![0.0; 3]; 3]));
    }

    #[test]
    fn what_cannot_be_held_is_told() {
        let rows = [[i64::MAX, 0, 1]; 3];
        assert!(of(&rows).correlations().is_none());
    }

    proptest! {
        #[test]
        fn correlations_are_those_of_distances_from_the_mean(
            rows in prop::collection::vec([0_i64..9, -1_000_000..1_000_000, 4_000_000_000_000_000..4_000_000_000_900_000], 3..60),
        ) {
            let found = of(&rows).correlations().expect("small");
            // Moved, which changes no correlation, so that doubles hold the distances.
            let column = |index: usize| rows.iter().map(|row| (row[index] - [0, 0, 4_000_000_000_000_000][index]) as f64).collect::<Vec<_>>();
            let distances: Vec<Vec<f64>> = (0..3).map(|index| {
                let values = column(index);
                let mean = values.iter().sum::<f64>() / values.len() as f64;
                values.iter().map(|value| value - mean).collect()
            }).collect();
            let product = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
            for row in 0..3 {
                for column in 0..3 {
                    let (one, other) = (&distances[row], &distances[column]);
                    let plain = product(one, other) / (product(one, one) * product(other, other)).sqrt();
                    let is_near = (found[row][column] - plain).abs() < 1e-9;
                    prop_assert!(is_near || plain.is_nan() && found[row][column] == 0.0, "{} {}", found[row][column], plain);
                }
            }
            let mut backwards = rows.clone();
            backwards.reverse();
            prop_assert_eq!(of(&backwards).correlations(), Some(found), "to the digit");
        }
    }
}
