//! Shares of R² by way of drivers that do not go together.

use super::Drivers;
use crate::matrix::dot;

impl Drivers {
    /// The relative weight of each driver: its share of R², at least 0.
    ///
    /// With R = VDVᵀ the correlations of the drivers and r those with the outcome, Λ = V√D Vᵀ holds the correlations of
    /// the drivers with uncorrelated variables as close to them as can be, and β = Λ⁺r those of the outcome with these.
    /// The weight of driver j is Σ_k λ²_jk·β²_k. Of drivers that depend on one another Λ has no inverse; its
    /// pseudo-inverse keeps the sum at R².
    ///
    /// Source: J. W. Johnson, "A Heuristic Method for Estimating the Relative Weight of Predictor Variables in Multiple
    /// Regression", Multivariate Behavioral Research 35 (2000), 1–19.
    pub fn relative_weights(&self) -> Vec<f64> {
        let size = self.with_outcome.len();
        // Row by row, each a sum over the eigenvalues above 0.
        let mut lambda = vec![vec![0.0; size]; size];
        let mut beta = vec![0.0; size];
        for (value, vector) in self.components() {
            let root = value.sqrt();
            let part = dot(vector, &self.with_outcome) / root;
            for row in 0..size {
                beta[row] += vector[row] * part;
                (0..size).for_each(|column| lambda[row][column] += root * vector[row] * vector[column]);
            }
        }
        lambda.iter().map(|row| row.iter().zip(&beta).map(|(lambda, beta)| (lambda * beta).powi(2)).sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::samples::swiss;

    /// The formula again, by another program's matrices.
    #[test]
    fn known_weights() {
        let (fertility, drivers) = swiss();
        let weights = Drivers::of(&fertility, &drivers).unwrap().relative_weights();
        for (found, expected) in
            weights.iter().zip([0.048_416_90, 0.154_708_25, 0.271_964_10, 0.114_680_03, 0.116_965_72])
        {
            assert!((found - expected).abs() < 5e-9, "{weights:?}");
        }
    }

    #[test]
    fn drivers_that_do_not_go_together_have_their_squared_correlations() {
        let (one, other) = (vec![1.0, 1.0, -1.0, -1.0], vec![1.0, -1.0, 1.0, -1.0]);
        let drivers = Drivers::of(&[4.0, 1.0, 0.0, -2.0], &[one, other]).unwrap();
        for (weight, correlation) in drivers.relative_weights().iter().zip(drivers.correlations()) {
            assert!((weight - correlation.powi(2)).abs() < 1e-15);
        }
    }

    #[test]
    fn a_hundred_equal_drivers_share_equally() {
        let outcome: Vec<_> = (0_i16..150).map(|i| f64::from(i * i % 37)).collect();
        let driver: Vec<_> = (0_i16..150).map(|i| f64::from(i * i % 31)).collect();
        let drivers = Drivers::of(&outcome, &vec![driver; 100]).unwrap();
        let weights = drivers.relative_weights();
        assert_eq!(drivers.rank(), 1);
        assert!(weights.iter().all(|weight| (weight - drivers.r_squared() / 100.0).abs() < 1e-12));
    }
}
