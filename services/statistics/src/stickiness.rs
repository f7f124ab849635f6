//! How often those come who come at all.

use crate::number::percent;

/// Customers by the number of units (days, weeks) of a period in which they were active.
///
/// ```
/// use barometer_statistics::stickiness::Stickiness;
///
/// let mut week = Stickiness::new(7).expect("some days");
/// for days in [7, 3, 1, 0] {
///     assert!(week.add(days));
/// }
/// assert_eq!(week.active(), 3);
/// assert_eq!(week.ratio(), Some(100.0 * 11.0 / 21.0));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stickiness {
    /// By the number of units, from 1.
    customers: Vec<u64>,
}

impl Stickiness {
    /// Of a period of so many units. `None` for 0.
    pub fn new(units: usize) -> Option<Self> {
        (units > 0).then(|| Self { customers: vec![0; units] })
    }

    /// Counts a customer who was active in so many units; in none is nobody. False, and nothing done, when the period
    /// does not have so many.
    #[must_use]
    pub fn add(&mut self, units: usize) -> bool {
        self.count(units, |count| *count += 1)
    }

    /// Takes out a customer who was counted so; false when there cannot be one.
    #[must_use]
    pub fn remove(&mut self, units: usize) -> bool {
        self.count(units, |count| *count = count.saturating_sub(1))
    }

    /// Adds what was counted of other customers; false, and nothing done, when the period has another number of units.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.customers.len() == other.customers.len();
        if same {
            self.customers.iter_mut().zip(&other.customers).for_each(|(count, other)| *count += other);
        }
        same
    }

    /// How many were active in exactly 1, 2, … units.
    pub fn customers(&self) -> &[u64] {
        &self.customers
    }

    /// How many were active in at least one.
    pub fn active(&self) -> u64 {
        self.customers.iter().sum()
    }

    /// The average number of customers active in a unit, over those active in the period, in percent: daily over
    /// monthly active users, when the units are the days of a month. Between 100/units, where each came once, and 100,
    /// where each came always. `None` over nobody.
    pub fn ratio(&self) -> Option<f64> {
        let visits = (1..).zip(&self.customers).map(|(units, count): (i128, _)| units * i128::from(*count)).sum();
        percent(visits, i128::try_from(self.customers.len()).ok()? * i128::from(self.active()))
    }

    fn count(&mut self, units: usize, change: fn(&mut u64)) -> bool {
        let index = units.checked_sub(1);
        index.is_none_or(|index| self.customers.get_mut(index).map(change).is_some())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nobody_and_no_units() {
        assert_eq!(Stickiness::new(0), None);
        let mut day = Stickiness::new(1).unwrap();
        assert_eq!((day.ratio(), day.active()), (None, 0));
        assert!(!day.add(2) && day.add(0));
        assert_eq!(day.active(), 0);
        assert!(day.add(1));
        assert_eq!(day.ratio(), Some(100.0));
        assert!(day.remove(1) && !day.merge(&Stickiness::new(2).unwrap()));
        assert_eq!(day.ratio(), None);
    }

    proptest! {
        #[test]
        fn the_ratio_is_the_average_day_over_the_period(
            visits in prop::collection::vec(prop::collection::vec(any::<bool>(), 7), 1..60),
        ) {
            let mut week = Stickiness::new(7).unwrap();
            let mut halves = [week.clone(), week.clone()];
            for (index, days) in visits.iter().enumerate() {
                let units = days.iter().filter(|day| **day).count();
                prop_assert!(week.add(units) && halves[index % 2].add(units));
            }
            let [mut left, right] = halves;
            prop_assert!(left.merge(&right));
            prop_assert_eq!(&left, &week);
            let daily = (0..7).map(|day| visits.iter().filter(|days| days[day]).count()).sum::<usize>() as f64 / 7.0;
            let monthly = visits.iter().filter(|days| days.contains(&true)).count() as f64;
            match week.ratio() {
                Some(ratio) => prop_assert!((ratio - 100.0 * daily / monthly).abs() < 1e-9),
                None => prop_assert_eq!(monthly, 0.0),
            }
        }
    }
}
