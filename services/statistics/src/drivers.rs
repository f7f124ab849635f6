//! Key drivers: how much of an outcome each of several things goes with.
//!
//! Drivers of a score (the wait, the hand-offs, the price) go together with one another, so that neither their
//! correlations with the score nor the coefficients of a regression tell how much each of them matters. Both measures
//! here divide R², the part of the variance of the outcome that all drivers explain together, into shares of at least 0
//! that add up to it: [`Drivers::relative_weights`] at once for up to [`MAX_DRIVERS`], [`Drivers::shapley`] by trying
//! all subsets, for up to [`MAX_SHAPLEY`]. They mostly agree; neither tells cause from effect.
//!
//! ```
//! use barometer_statistics::drivers::Drivers;
//!
//! let wait = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let hand_offs = vec![0.0, 2.0, 0.0, 1.0, 3.0, 1.0];
//! let score = [9.0, 7.0, 8.0, 6.0, 3.0, 4.0];
//! let drivers = Drivers::of(&score, &[wait, hand_offs])?;
//! let shares = drivers.shapley()?;
//! assert!(shares[0] > shares[1]);
//! assert!((shares.iter().sum::<f64>() - drivers.r_squared()).abs() < 1e-12);
//! # Ok::<(), barometer_statistics::drivers::DriversError>(())
//! ```

mod relative_weights;
mod shapley;

use crate::matrix::{Eigen, Symmetric, dot};

/// The most drivers.
pub const MAX_DRIVERS: usize = 100;

/// The most drivers of which all subsets, 2¹⁵ of them, are tried.
pub const MAX_SHAPLEY: usize = 15;

/// An outcome and its drivers, told by their correlations.
#[derive(Debug, Clone, PartialEq)]
pub struct Drivers {
    /// Of the drivers with one another; all 0, itself included, for one that does not vary.
    among: Symmetric,
    /// Of each driver with the outcome.
    with_outcome: Vec<f64>,
    eigen: Eigen,
}

/// Why drivers tell nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DriversError {
    /// There is none.
    #[error("there are no drivers")]
    None,
    /// More than the method takes.
    #[error("at most {most} drivers are taken at once")]
    TooMany {
        /// The largest number of drivers that the method takes.
        most: usize,
    },
    /// A driver is not known for each outcome, or for more.
    #[error("each driver needs one value for each outcome")]
    Ragged,
    /// With so few outcomes any drivers explain them all.
    #[error("at least {needed} outcomes are needed")]
    TooFew {
        /// The smallest number of outcomes: two more than drivers.
        needed: usize,
    },
    /// All outcomes are the same, so there is nothing to explain.
    #[error("all outcomes are the same")]
    NoSpread,
    /// A value is not finite or too large to be squared.
    #[error("the values are not finite or too large")]
    OutOfRange,
}

impl Drivers {
    /// Of outcomes, and for each driver its values in the same order.
    ///
    /// # Errors
    /// All of [`DriversError`]; [`DriversError::TooMany`] above [`MAX_DRIVERS`].
    pub fn of(outcome: &[f64], drivers: &[Vec<f64>]) -> Result<Self, DriversError> {
        match drivers.len() {
            0 => return Err(DriversError::None),
            1..=MAX_DRIVERS => {}
            _ => return Err(DriversError::TooMany { most: MAX_DRIVERS }),
        }
        if drivers.iter().any(|driver| driver.len() != outcome.len()) {
            return Err(DriversError::Ragged);
        }
        let needed = drivers.len() + 2;
        if outcome.len() < needed {
            return Err(DriversError::TooFew { needed });
        }
        let outcome = standardised(outcome)?.ok_or(DriversError::NoSpread)?;
        let drivers: Vec<Option<Vec<f64>>> =
            drivers.iter().map(|driver| standardised(driver)).collect::<Result<_, _>>()?;
        let correlation =
            |one: &Option<Vec<f64>>, other: &[f64]| one.as_ref().map_or(0.0, |one| dot(one, other).clamp(-1.0, 1.0));
        let mut among = Symmetric::zero(drivers.len());
        for (row, driver) in drivers.iter().enumerate().filter_map(|(row, driver)| Some((row, driver.as_ref()?))) {
            among.set(row, row, 1.0);
            (0..row).for_each(|column| among.set(row, column, correlation(&drivers[column], driver)));
        }
        Ok(Self::new(among, drivers.iter().map(|driver| correlation(driver, &outcome)).collect()))
    }

    /// Of correlations that are known already, over so many outcomes that vary: `among` those of the drivers with one
    /// another, row by row, and `with_outcome` those with the outcome. A driver that does not vary has 0 in all of them,
    /// its own with itself too.
    ///
    /// # Errors
    /// All of [`DriversError`] but [`DriversError::NoSpread`]: [`DriversError::OutOfRange`] when a correlation is none, or
    /// not the same both ways.
    pub fn of_correlations(outcomes: u64, among: &[Vec<f64>], with_outcome: &[f64]) -> Result<Self, DriversError> {
        let size = with_outcome.len();
        match size {
            0 => return Err(DriversError::None),
            1..=MAX_DRIVERS => {}
            _ => return Err(DriversError::TooMany { most: MAX_DRIVERS }),
        }
        if among.len() != size || among.iter().any(|row| row.len() != size) {
            return Err(DriversError::Ragged);
        }
        if outcomes < size as u64 + 2 {
            return Err(DriversError::TooFew { needed: size + 2 });
        }
        let mut matrix = Symmetric::zero(size);
        for (row, column) in (0..size).flat_map(|row| (0..=row).map(move |column| (row, column))) {
            let value = among[row][column];
            if !(-1.0..=1.0).contains(&value) || value != among[column][row] {
                return Err(DriversError::OutOfRange);
            }
            matrix.set(row, column, value);
        }
        if !with_outcome.iter().all(|value| (-1.0..=1.0).contains(value)) {
            return Err(DriversError::OutOfRange);
        }
        Ok(Self::new(matrix, with_outcome.to_vec()))
    }

    fn new(among: Symmetric, with_outcome: Vec<f64>) -> Self {
        let eigen = among.clone().eigen();
        Self { among, with_outcome, eigen }
    }

    /// R², the part of the variance of the outcome that a linear function of all drivers explains, 0 to 1.
    pub fn r_squared(&self) -> f64 {
        self.components().map(|(value, vector)| dot(vector, &self.with_outcome).powi(2) / value).sum::<f64>().min(1.0)
    }

    /// How many drivers say something that the others do not. Less than there are when some do not vary, or can be
    /// computed from others: the shares are divided among these all the same, equally among such as are equal, but
    /// which of them matters cannot be told.
    pub fn rank(&self) -> usize {
        self.eigen.rank()
    }

    /// Whether a driver says nothing that the others do not: it does not vary, or can be computed from them. False when there is
    /// no such driver.
    pub fn is_redundant(&self, driver: usize) -> bool {
        let size = self.with_outcome.len();
        let others: Vec<usize> = (0..size).filter(|other| *other != driver).collect();
        let mut among = Symmetric::zero(others.len());
        for (row, other) in others.iter().enumerate() {
            (0..=row).for_each(|column| among.set(row, column, self.among.at(*other, others[column])));
        }
        driver < size && among.eigen().rank() == self.rank()
    }

    /// The correlation of each driver with the outcome, −1 to 1; 0 for one that does not vary.
    pub fn correlations(&self) -> &[f64] {
        &self.with_outcome
    }

    /// The eigenvalues of the correlations above 0, with their vectors.
    fn components(&self) -> impl Iterator<Item = (f64, &Vec<f64>)> {
        self.eigen.values.iter().copied().zip(&self.eigen.vectors).take(self.rank())
    }
}

/// Distances from the mean, in units in which their squares add up to 1; `None` when all values are the same.
fn standardised(values: &[f64]) -> Result<Option<Vec<f64>>, DriversError> {
    if !values.iter().all(|value| value.is_finite()) {
        return Err(DriversError::OutOfRange);
    }
    if values.iter().all(|value| *value == values[0]) {
        return Ok(None);
    }
    let size = values.len() as f64;
    let mean = values.iter().map(|value| value / size).sum::<f64>();
    let distances: Vec<_> = values.iter().map(|value| value - mean).collect();
    let squares = dot(&distances, &distances);
    if !squares.is_normal() {
        return Err(DriversError::OutOfRange);
    }
    Ok(Some(distances.into_iter().map(|distance| distance / squares.sqrt()).collect()))
}

#[cfg(test)]
mod samples {
    /// Fertility, agriculture, examination, education, Catholics and infant mortality in 47 provinces of Switzerland
    /// about 1888; in percent, but for the first, which is an index.
    ///
    /// Source: F. Mosteller, J. W. Tukey, "Data Analysis and Regression" (1977), 549–551.
    const SWISS: [[f64; 6]; 47] = [
        [80.2, 17.0, 15.0, 12.0, 9.96, 22.2],
        [83.1, 45.1, 6.0, 9.0, 84.84, 22.2],
        [92.5, 39.7, 5.0, 5.0, 93.4, 20.2],
        [85.8, 36.5, 12.0, 7.0, 33.77, 20.3],
        [76.9, 43.5, 17.0, 15.0, 5.16, 20.6],
        [76.1, 35.3, 9.0, 7.0, 90.57, 26.6],
        [83.8, 70.2, 16.0, 7.0, 92.85, 23.6],
        [92.4, 67.8, 14.0, 8.0, 97.16, 24.9],
        [82.4, 53.3, 12.0, 7.0, 97.67, 21.0],
        [82.9, 45.2, 16.0, 13.0, 91.38, 24.4],
        [87.1, 64.5, 14.0, 6.0, 98.61, 24.5],
        [64.1, 62.0, 21.0, 12.0, 8.52, 16.5],
        [66.9, 67.5, 14.0, 7.0, 2.27, 19.1],
        [68.9, 60.7, 19.0, 12.0, 4.43, 22.7],
        [61.7, 69.3, 22.0, 5.0, 2.82, 18.7],
        [68.3, 72.6, 18.0, 2.0, 24.2, 21.2],
        [71.7, 34.0, 17.0, 8.0, 3.3, 20.0],
        [55.7, 19.4, 26.0, 28.0, 12.11, 20.2],
        [54.3, 15.2, 31.0, 20.0, 2.15, 10.8],
        [65.1, 73.0, 19.0, 9.0, 2.84, 20.0],
        [65.5, 59.8, 22.0, 10.0, 5.23, 18.0],
        [65.0, 55.1, 14.0, 3.0, 4.52, 22.4],
        [56.6, 50.9, 22.0, 12.0, 15.14, 16.7],
        [57.4, 54.1, 20.0, 6.0, 4.2, 15.3],
        [72.5, 71.2, 12.0, 1.0, 2.4, 21.0],
        [74.2, 58.1, 14.0, 8.0, 5.23, 23.8],
        [72.0, 63.5, 6.0, 3.0, 2.56, 18.0],
        [60.5, 60.8, 16.0, 10.0, 7.72, 16.3],
        [58.3, 26.8, 25.0, 19.0, 18.46, 20.9],
        [65.4, 49.5, 15.0, 8.0, 6.1, 22.5],
        [75.5, 85.9, 3.0, 2.0, 99.71, 15.1],
        [69.3, 84.9, 7.0, 6.0, 99.68, 19.8],
        [77.3, 89.7, 5.0, 2.0, 100.0, 18.3],
        [70.5, 78.2, 12.0, 6.0, 98.96, 19.4],
        [79.4, 64.9, 7.0, 3.0, 98.22, 20.2],
        [65.0, 75.9, 9.0, 9.0, 99.06, 17.8],
        [92.2, 84.6, 3.0, 3.0, 99.46, 16.3],
        [79.3, 63.1, 13.0, 13.0, 96.83, 18.1],
        [70.4, 38.4, 26.0, 12.0, 5.62, 20.3],
        [65.7, 7.7, 29.0, 11.0, 13.79, 20.5],
        [72.7, 16.7, 22.0, 13.0, 11.22, 18.9],
        [64.4, 17.6, 35.0, 32.0, 16.92, 23.0],
        [77.6, 37.6, 15.0, 7.0, 4.97, 20.0],
        [67.6, 18.7, 25.0, 7.0, 8.65, 19.5],
        [35.0, 1.2, 37.0, 53.0, 42.34, 18.0],
        [44.7, 46.6, 16.0, 29.0, 50.43, 18.2],
        [42.8, 27.7, 22.0, 29.0, 58.33, 19.3],
    ];

    /// Fertility, and what goes with it.
    pub(super) fn swiss() -> (Vec<f64>, Vec<Vec<f64>>) {
        let column = |index: usize| SWISS.iter().map(|province| province[index]).collect();
        (column(0), (1..6).map(column).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_r_squared() {
        let (fertility, drivers) = samples::swiss();
        let drivers = Drivers::of(&fertility, &drivers).unwrap();
        assert!((drivers.r_squared() - 0.706_735).abs() < 5e-8, "{}", drivers.r_squared());
        assert_eq!(drivers.rank(), 5);
    }

    #[test]
    fn refused() {
        let of = |outcome: &[f64], drivers: &[Vec<f64>]| Drivers::of(outcome, drivers).err();
        let three = vec![1.0, 2.0, 4.0];
        let one = std::slice::from_ref(&three);
        assert_eq!(of(&three, &[]), Some(DriversError::None));
        assert_eq!(of(&[], &[vec![]]), Some(DriversError::TooFew { needed: 3 }));
        assert_eq!(of(&three, &[vec![1.0, 2.0]]), Some(DriversError::Ragged));
        assert_eq!(of(&three, &[three.clone(), three.clone()]), Some(DriversError::TooFew { needed: 4 }));
        assert_eq!(of(&[7.0; 3], one), Some(DriversError::NoSpread));
        assert_eq!(of(&[1.0, 2.0, f64::NAN], one), Some(DriversError::OutOfRange));
        assert_eq!(of(&[1e200, 2.0, 3.0], one), Some(DriversError::OutOfRange));
        assert_eq!(of(&[1e-200, 2e-200, 3e-200], one), Some(DriversError::OutOfRange));
        assert_eq!(of(&[0.0; 200], &vec![vec![0.0; 200]; 101]), Some(DriversError::TooMany { most: 100 }));
    }

    #[test]
    fn what_does_not_vary_explains_nothing() {
        let drivers = Drivers::of(&[1.0, 5.0, 2.0, 3.0], &[vec![0.1; 4]]).unwrap();
        assert_eq!((drivers.r_squared(), drivers.rank(), drivers.correlations()), (0.0, 0, &[0.0][..]));
        assert_eq!((drivers.relative_weights(), drivers.shapley()), (vec![0.0], Ok(vec![0.0])));
    }

    #[test]
    fn one_driver_has_all_of_it() {
        let drivers = Drivers::of(&[2.0, 4.0, 6.0, 8.0], &[vec![4.0, 3.0, 2.0, 1.0]]).unwrap();
        assert!((drivers.correlations()[0] + 1.0).abs() < 1e-15);
        assert!(
            (drivers.relative_weights()[0] - 1.0).abs() < 1e-14 && (drivers.shapley().unwrap()[0] - 1.0).abs() < 1e-14
        );
    }

    #[test]
    fn correlations_that_are_none_are_refused() {
        let of = |among: &[Vec<f64>], with: &[f64]| Drivers::of_correlations(9, among, with).err();
        let identity = [vec![1.0, 0.0], vec![0.0, 1.0]];
        assert_eq!(of(&identity, &[0.5, 0.5]), None);
        assert_eq!(of(&[], &[]), Some(DriversError::None));
        assert_eq!(of(&identity, &[0.5]), Some(DriversError::Ragged));
        assert_eq!(of(&[vec![1.0, 0.1], vec![0.2, 1.0]], &[0.5, 0.5]), Some(DriversError::OutOfRange));
        assert_eq!(of(&[vec![1.0]], &[f64::NAN]), Some(DriversError::OutOfRange));
        assert_eq!(of(&[vec![1.5]], &[0.5]), Some(DriversError::OutOfRange));
        let few = Drivers::of_correlations(2, &[vec![1.0]], &[0.5]).err();
        assert_eq!(few, Some(DriversError::TooFew { needed: 3 }));
    }

    #[test]
    fn what_follows_from_others_is_redundant() {
        let (one, other) = (vec![1.0, 2.0, 4.0, 3.0, 9.0, 1.0], vec![0.0, 5.0, 1.0, 1.0, 2.0, 2.0]);
        let sum = one.iter().zip(&other).map(|(a, b)| a + b).collect();
        let alone = vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let drivers = Drivers::of(
            &[1.0, 2.0, 3.0, 4.0, 5.0, 5.0, 7.0],
            &[one, other, sum, alone].map(|mut values: Vec<f64>| {
                values.push(0.0);
                values
            }),
        )
        .unwrap();
        assert_eq!(
            (drivers.rank(), [0, 1, 2, 3, 4].map(|driver| drivers.is_redundant(driver))),
            (3, [true, true, true, false, false])
        );
    }

    proptest! {
        #[test]
        fn correlations_tell_the_same_as_values(
            rows in prop::collection::vec(prop::collection::vec(-9.0..9.0, 4), 8..30),
        ) {
            let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<f64>>();
            let drivers = Drivers::of(&column(0), &[column(1), column(2), column(3)]).unwrap();
            let among: Vec<Vec<f64>> = (0..3).map(|row| (0..3).map(|other| drivers.among.at(row, other)).collect()).collect();
            prop_assert_eq!(Drivers::of_correlations(rows.len() as u64, &among, drivers.correlations()), Ok(drivers));
        }

        #[test]
        fn shares_add_up_to_r_squared(
            rows in prop::collection::vec(prop::collection::vec(-3_i32..4, 6), 8..40), twin in any::<bool>(),
        ) {
            let column = |index: usize| rows.iter().map(|row| f64::from(row[index])).collect::<Vec<_>>();
            let mut drivers: Vec<_> = (1..6).map(column).collect();
            if twin {
                // Perfectly correlated, and computed from two others.
                drivers[1] = drivers[0].iter().map(|value| 5.0 - 2.0 * value).collect();
                drivers[4] = drivers[2].iter().zip(&drivers[3]).map(|(a, b)| a + 3.0 * b).collect();
            }
            if let Ok(drivers) = Drivers::of(&column(0), &drivers) {
                prop_assert!((0.0..=1.0).contains(&drivers.r_squared()));
                prop_assert!(!twin || drivers.rank() <= 3);
                for shares in [drivers.relative_weights(), drivers.shapley().unwrap()] {
                    prop_assert!((shares.iter().sum::<f64>() - drivers.r_squared()).abs() < 1e-8);
                    prop_assert!(shares.iter().all(|share| *share >= 0.0));
                    prop_assert!(!twin || (shares[0] - shares[1]).abs() < 1e-8, "{shares:?}");
                }
            }
        }

        #[test]
        fn units_and_signs_change_nothing(rows in prop::collection::vec(prop::collection::vec(-9.0..9.0, 4), 8..30)) {
            let column = |index: usize, scale: f64| rows.iter().map(|row| 3.0 + scale * row[index]).collect::<Vec<_>>();
            let one = Drivers::of(&column(0, 1.0), &[column(1, 1.0), column(2, 1.0), column(3, 1.0)]).unwrap();
            let other = Drivers::of(&column(0, -60.0), &[column(1, 1e3), column(2, -1.0), column(3, 0.01)]).unwrap();
            for (one, other) in one.relative_weights().iter().zip(other.relative_weights()) {
                prop_assert!((one - other).abs() < 1e-9);
            }
            for (one, other) in one.shapley().unwrap().iter().zip(other.shapley().unwrap()) {
                prop_assert!((one - other).abs() < 1e-9);
            }
        }
    }
}
