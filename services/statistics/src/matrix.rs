//! Symmetric matrices, small ones: correlations of drivers, covariances of groups.

/// A symmetric matrix.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Symmetric {
    size: usize,
    /// Row by row, both triangles.
    cells: Vec<f64>,
}

/// λ₁ ≥ λ₂ ≥ … with their orthonormal vectors: A = Σ λᵢ·vᵢvᵢᵀ.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Eigen {
    pub(crate) values: Vec<f64>,
    /// One for each value.
    pub(crate) vectors: Vec<Vec<f64>>,
}

impl Symmetric {
    pub(crate) fn zero(size: usize) -> Self {
        Self { size, cells: vec![0.0; size * size] }
    }

    pub(crate) fn at(&self, row: usize, column: usize) -> f64 {
        self.cells[row * self.size + column]
    }

    /// Writes a cell and the one opposite.
    pub(crate) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.cells[row * self.size + column] = value;
        self.cells[column * self.size + row] = value;
    }

    /// Adds to a cell and to the one opposite.
    pub(crate) fn add(&mut self, row: usize, column: usize, value: f64) {
        self.set(row, column, self.at(row, column) + value);
    }

    /// xᵀ A⁺ x and the rank of A, for a covariance matrix A and an x that can vary so: a χ² with as many degrees of
    /// freedom.
    ///
    /// Computed in units of the standard deviations, so that what varies little is not lost beside what varies much.
    pub(crate) fn squared_distance(&self, x: &[f64]) -> (f64, usize) {
        let in_units = |value: f64, row: usize| {
            let variance = self.at(row, row);
            if variance > 0.0 { value / variance.sqrt() } else { 0.0 }
        };
        let mut correlation = Self::zero(self.size);
        for row in 0..self.size {
            (0..=row)
                .for_each(|column| correlation.set(row, column, in_units(in_units(self.at(row, column), row), column)));
        }
        let x: Vec<_> = x.iter().enumerate().map(|(row, value)| in_units(*value, row)).collect();
        let eigen = correlation.eigen();
        let rank = eigen.rank();
        let parts = eigen.values.iter().zip(&eigen.vectors).take(rank);
        (parts.map(|(value, vector)| dot(vector, &x).powi(2) / value).sum(), rank)
    }

    /// By Jacobi's rotations, each of which makes one cell beside the diagonal 0. They converge for every symmetric
    /// matrix of finite numbers, and to small values as exactly as to large ones.
    ///
    /// Source: G. H. Golub, C. F. Van Loan, "Matrix Computations" (4th edition, 2013), section 8.5.
    pub(crate) fn eigen(mut self) -> Eigen {
        /// Six or seven do for matrices of this size.
        const SWEEPS: usize = 50;
        let size = self.size;
        let mut vectors: Vec<Vec<f64>> =
            (0..size).map(|i| (0..size).map(|j| if i == j { 1.0 } else { 0.0 }).collect()).collect();
        for _ in 0..SWEEPS {
            let mut turned = false;
            for p in 0..size {
                for q in p + 1..size {
                    turned |= self.rotate(p, q, &mut vectors);
                }
            }
            if !turned {
                break;
            }
        }
        let mut order: Vec<usize> = (0..size).collect();
        order.sort_by(|a, b| self.at(*b, *b).total_cmp(&self.at(*a, *a)));
        Eigen {
            values: order.iter().map(|i| self.at(*i, *i)).collect(),
            vectors: order.iter().map(|i| std::mem::take(&mut vectors[*i])).collect(),
        }
    }

    /// Turns the plane of p and q so that their cell becomes 0; false where it is already, to the precision of the
    /// rest.
    fn rotate(&mut self, p: usize, q: usize, vectors: &mut [Vec<f64>]) -> bool {
        let (cell, of_p, of_q) = (self.at(p, q), self.at(p, p), self.at(q, q));
        if cell.abs() <= f64::EPSILON * 0.01 * (of_p.abs().min(of_q.abs())) || cell.abs() < f64::MIN_POSITIVE {
            self.set(p, q, 0.0);
            return false;
        }
        let half = (of_q - of_p) / (2.0 * cell);
        let tangent = half.signum() / (half.abs() + half.hypot(1.0));
        let cosine = 1.0 / tangent.hypot(1.0);
        let sine = tangent * cosine;
        for other in (0..self.size).filter(|other| *other != p && *other != q) {
            let (a, b) = (self.at(other, p), self.at(other, q));
            self.set(other, p, cosine * a - sine * b);
            self.set(other, q, sine * a + cosine * b);
        }
        self.set(p, p, of_p - tangent * cell);
        self.set(q, q, of_q + tangent * cell);
        self.set(p, q, 0.0);
        let (before, from_q) = vectors.split_at_mut(q);
        for (a, b) in before[p].iter_mut().zip(&mut from_q[0]) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
        true
    }
}

impl Eigen {
    /// How many values are above 0, to the precision of their sum: the rank of a matrix that has none below.
    pub(crate) fn rank(&self) -> usize {
        const SMALLEST_PART: f64 = 1e-10;
        let largest = self.values.first().copied().unwrap_or(0.0);
        self.values.iter().filter(|value| **value > largest * SMALLEST_PART).count()
    }
}

/// Σ aᵢbᵢ.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matrix(size: usize, cells: &[f64]) -> Symmetric {
        let mut matrix = Symmetric::zero(size);
        for row in 0..size {
            (0..=row).for_each(|column| matrix.set(row, column, cells[row * size + column]));
        }
        matrix
    }

    #[test]
    fn known_values() {
        let eigen = matrix(2, &[2.0, 1.0, 1.0, 2.0]).eigen();
        assert!((eigen.values[0] - 3.0).abs() < 1e-15 && (eigen.values[1] - 1.0).abs() < 1e-15, "{eigen:?}");
        assert_eq!(Symmetric::zero(3).eigen().rank(), 0);
        assert_eq!(matrix(2, &[1.0, 1.0, 1.0, 1.0]).eigen().rank(), 1);
        assert_eq!(Symmetric::zero(0).eigen().values, Vec::<f64>::new());
    }

    #[test]
    fn what_varies_little_is_not_lost() {
        let (distance, rank) = matrix(2, &[1e6, 0.0, 0.0, 1e-8]).squared_distance(&[1e3, 2e-4]);
        assert!((distance - 5.0).abs() < 1e-12 && rank == 2, "{distance} {rank}");
        // The two ends of a stick, one of which goes up when the other goes down.
        let (distance, rank) = matrix(2, &[4.0, -4.0, -4.0, 4.0]).squared_distance(&[2.0, -2.0]);
        assert!((distance - 1.0).abs() < 1e-12 && rank == 1, "{distance} {rank}");
    }

    proptest! {
        #[test]
        fn values_and_vectors_make_up_the_matrix(
            size in 1_usize..12, cells in prop::collection::vec(-10.0..10.0, 144),
        ) {
            let whole = matrix(size, &cells);
            let Eigen { values, vectors } = whole.clone().eigen();
            for row in 0..size {
                for column in 0..size {
                    let again: f64 = (0..size).map(|i| values[i] * vectors[i][row] * vectors[i][column]).sum();
                    prop_assert!((again - whole.at(row, column)).abs() < 1e-11);
                    let unit = if row == column { 1.0 } else { 0.0 };
                    prop_assert!((dot(&vectors[row], &vectors[column]) - unit).abs() < 1e-12);
                }
            }
            prop_assert!(values.is_sorted_by(|a, b| a >= b));
        }
    }
}
