//! Shares of R² by what each driver adds to the others.

use super::{Drivers, DriversError, MAX_SHAPLEY};

/// The part of its variance below which a driver says nothing that those before it did not.
const NOTHING_NEW: f64 = 1e-9;

impl Drivers {
    /// The share of each driver in R², at least 0: what it adds to R² when it joins the others one by one, on the
    /// average of all orders in which they can come. Known as LMG; the Shapley value of the game in which drivers earn
    /// R².
    ///
    /// Each share is Σ_S |S|!(k − 1 − |S|)!/k!·(R²(S ∪ j) − R²(S)) over the subsets S of the k − 1 others; the R² of
    /// every subset comes from that of a smaller one by partialling one driver out of all that is left.
    ///
    /// Sources: R. H. Lindeman, P. F. Merenda, R. Z. Gold, "Introduction to Bivariate and Multivariate Analysis"
    /// (1980), 119–127; U. Grömping, "Relative Importance for Linear Regression in R: The Package relaimpo", Journal of
    /// Statistical Software 17 (2006), 1.
    ///
    /// # Errors
    /// [`DriversError::TooMany`] above [`MAX_SHAPLEY`].
    pub fn shapley(&self) -> Result<Vec<f64>, DriversError> {
        let size = self.with_outcome.len();
        if size > MAX_SHAPLEY {
            return Err(DriversError::TooMany { most: MAX_SHAPLEY });
        }
        let mut left: Vec<Vec<f64>> = (0..size).map(|row| (0..size).map(|j| self.among.at(row, j)).collect()).collect();
        left.iter_mut().zip(&self.with_outcome).for_each(|(row, correlation)| row.push(*correlation));
        left.push(self.with_outcome.iter().copied().chain([1.0]).collect());
        let mut explained = vec![0.0; 1 << size];
        explain(&left, 0, 0, &mut explained);

        let mut shares = vec![0.0; size];
        for (subset, without) in explained.iter().enumerate() {
            for (driver, share) in shares.iter_mut().enumerate().filter(|(driver, _)| subset >> driver & 1 == 0) {
                let gain = explained[subset | 1 << driver] - without;
                *share += gain.max(0.0) * weight(subset.count_ones(), size);
            }
        }
        Ok(shares)
    }
}

/// R² of each subset that consists of `subset` and drivers from `next` on. `left` is what the subset leaves of the
/// covariances of all drivers and, last, of the outcome.
fn explain(left: &[Vec<f64>], subset: usize, next: usize, explained: &mut [f64]) {
    let outcome = left.len() - 1;
    explained[subset] = (1.0 - left[outcome][outcome]).clamp(0.0, 1.0);
    for driver in next..outcome {
        explain(&without(left, driver), subset | 1 << driver, driver + 1, explained);
    }
}

/// What is left when a driver is partialled out; all, when it has nothing left itself.
fn without(left: &[Vec<f64>], driver: usize) -> Vec<Vec<f64>> {
    let own = &left[driver];
    if own[driver] < NOTHING_NEW {
        return left.to_vec();
    }
    let partial = |row: &Vec<f64>| {
        let factor = row[driver] / own[driver];
        row.iter().zip(own).map(|(cell, own)| cell - factor * own).collect()
    };
    left.iter().map(partial).collect()
}

/// |S|!(k − 1 − |S|)!/k! = 1/(k·C(k − 1, |S|)).
fn weight(subset: u32, drivers: usize) -> f64 {
    let others = drivers as f64 - 1.0;
    let ways = (0..subset).map(f64::from).fold(1.0, |ways, index| ways * (others - index) / (index + 1.0));
    1.0 / (drivers as f64 * ways)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::samples::swiss;

    /// As R's relaimpo has them.
    #[test]
    fn published_shares() {
        let (fertility, drivers) = swiss();
        let shares = Drivers::of(&fertility, &drivers).unwrap().shapley().unwrap();
        for (found, expected) in
            shares.iter().zip([0.057_091_22, 0.171_173_03, 0.260_134_68, 0.105_570_15, 0.112_765_92])
        {
            assert!((found - expected).abs() < 5e-9, "{shares:?}");
        }
    }

    #[test]
    fn weights_of_all_subsets_add_up_to_one() {
        for drivers in 1..=15_usize {
            let others = drivers - 1;
            let all: f64 = (0..1_usize << others).map(|subset| weight(subset.count_ones(), drivers)).sum();
            assert!((all - 1.0).abs() < 1e-12, "{drivers}: {all}");
        }
    }

    #[test]
    fn fifteen_drivers_and_no_more() {
        let column = |seed: i32| (0_i32..40).map(|i| f64::from((i * i * seed + 7 * i) % 41)).collect::<Vec<_>>();
        let columns: Vec<_> = (1..=16).map(column).collect();
        let drivers = Drivers::of(&column(23), &columns[..15]).unwrap();
        let shares = drivers.shapley().unwrap();
        assert!((shares.iter().sum::<f64>() - drivers.r_squared()).abs() < 1e-9);
        let more = Drivers::of(&column(23), &columns).unwrap();
        assert_eq!(more.shapley(), Err(DriversError::TooMany { most: 15 }));
        assert!((more.relative_weights().iter().sum::<f64>() - more.r_squared()).abs() < 1e-12);
    }
}
