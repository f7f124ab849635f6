//! Recurring revenue: what moved between two instants, and what was lost and kept of it.
//!
//! Monthly recurring revenue (MRR) is given for each customer at both instants, in any whole unit of one currency;
//! amounts of different currencies never meet in one tally.
//!
//! ```
//! use barometer_statistics::revenue::{Movement, RevenueTally};
//!
//! let mut revenue = RevenueTally::default();
//! for (previous, now) in [(10, 0), (30, 20), (20, 30), (40, 40)] {
//!     revenue.add(previous, now, true);
//! }
//! assert_eq!((revenue.gross_churn(), revenue.net_churn()), (Some(20.0), Some(10.0)));
//! assert_eq!(Movement::of(0, 5, true), Some(Movement::Reactivation));
//! ```

use crate::number::{percent, ratio};

/// What happened to a customer's recurring revenue. Decided in the order in which they are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Movement {
    /// Pays for the first time ever.
    New,
    /// Pays nothing any more.
    Churn,
    /// Pays again after having paid nothing.
    Reactivation,
    /// Pays more.
    Expansion,
    /// Pays less, but not nothing.
    Contraction,
}

impl Movement {
    /// From `previous` to `now`, for a customer who `had_paid` something at any time up to the first instant. `None`
    /// when nothing moved.
    pub fn of(previous: u64, now: u64, had_paid: bool) -> Option<Self> {
        match (previous, now) {
            (0, 0) => None,
            (0, _) if !had_paid => Some(Self::New),
            (_, 0) => Some(Self::Churn),
            (0, _) => Some(Self::Reactivation),
            (previous, now) if now > previous => Some(Self::Expansion),
            (previous, now) if now < previous => Some(Self::Contraction),
            _ => None,
        }
    }
}

/// Sums of movements. Exact, so that they add up and can be taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct RevenueTally {
    start: i128,
    kept: i128,
    new: i128,
    churned: i128,
    reactivated: i128,
    expansion: i128,
    contraction: i128,
}

impl RevenueTally {
    /// Counts a customer, from `previous` to `now`; for `had_paid` see [`Movement::of`].
    pub fn add(&mut self, previous: u64, now: u64, had_paid: bool) {
        self.merge(&Self::one(previous, now, had_paid));
    }

    /// Counts customers of whom nothing moved, by what they pay together, at least 0.
    pub fn stay(&mut self, amount: i128) {
        self.start += amount;
        self.kept += amount;
    }

    /// Takes out a customer who was counted just so.
    pub fn remove(&mut self, previous: u64, now: u64, had_paid: bool) {
        let Self { start, kept, new, churned, reactivated, expansion, contraction } =
            Self::one(previous, now, had_paid);
        self.start -= start;
        self.kept -= kept;
        self.new -= new;
        self.churned -= churned;
        self.reactivated -= reactivated;
        self.expansion -= expansion;
        self.contraction -= contraction;
    }

    /// Adds what another tally counted.
    pub fn merge(&mut self, other: &Self) {
        let Self { start, kept, new, churned, reactivated, expansion, contraction } = *other;
        self.start += start;
        self.kept += kept;
        self.new += new;
        self.churned += churned;
        self.reactivated += reactivated;
        self.expansion += expansion;
        self.contraction += contraction;
    }

    /// MRR₀, at the first instant.
    pub fn start(&self) -> i128 {
        self.start
    }

    /// MRR at the second: MRR₀ and all movements.
    pub fn end(&self) -> i128 {
        self.start + self.new + self.reactivated + self.expansion - self.churned - self.contraction
    }

    /// By how much all customers of a movement moved, at least 0.
    pub fn moved(&self, movement: Movement) -> i128 {
        match movement {
            Movement::New => self.new,
            Movement::Churn => self.churned,
            Movement::Reactivation => self.reactivated,
            Movement::Expansion => self.expansion,
            Movement::Contraction => self.contraction,
        }
    }

    /// Gross churn of revenue: (churned + contraction)/MRR₀, 0 to 100 %. `None` over nothing.
    pub fn gross_churn(&self) -> Option<f64> {
        percent(self.churned + self.contraction, self.start)
    }

    /// Net churn of revenue: (churned + contraction − expansion − reactivation)/MRR₀, in percent; below 0 when more was
    /// won back than lost. `None` over nothing.
    pub fn net_churn(&self) -> Option<f64> {
        percent(self.churned + self.contraction - self.expansion - self.reactivated, self.start)
    }

    /// Gross revenue retention: Σ min(now, previous)/Σ previous, 0 to 100 %; 100 − gross churn. `None` over nothing.
    pub fn gross_retention(&self) -> Option<f64> {
        percent(self.kept, self.start)
    }

    /// Net revenue retention: what those who paid at the first instant pay at the second, over what they paid, in
    /// percent. New and reactivated customers did not pay then, so it is 100 − net churn less the part that
    /// reactivation has in that. `None` over nothing.
    pub fn net_retention(&self) -> Option<f64> {
        percent(self.kept + self.expansion, self.start)
    }

    /// Quick ratio: (new + expansion)/(churned + contraction). `None` when nothing was lost.
    pub fn quick_ratio(&self) -> Option<f64> {
        ratio(self.new + self.expansion, u128::try_from(self.churned + self.contraction).ok()?)
    }

    fn one(previous: u64, now: u64, had_paid: bool) -> Self {
        let (start, by) = (i128::from(previous), i128::from(now.abs_diff(previous)));
        let mut one = Self { start, kept: previous.min(now).into(), ..Self::default() };
        match Movement::of(previous, now, had_paid) {
            Some(Movement::New) => one.new = by,
            Some(Movement::Churn) => one.churned = by,
            Some(Movement::Reactivation) => one.reactivated = by,
            Some(Movement::Expansion) => one.expansion = by,
            Some(Movement::Contraction) => one.contraction = by,
            None => {}
        }
        one
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(customers: &[(u64, u64, bool)]) -> RevenueTally {
        let mut tally = RevenueTally::default();
        customers.iter().for_each(|(previous, now, had_paid)| tally.add(*previous, *now, *had_paid));
        tally
    }

    #[test]
    fn movements_in_their_order() {
        for (previous, now, had_paid, movement) in [
            (0, 0, false, None),
            (0, 0, true, None),
            (0, 5, false, Some(Movement::New)),
            (5, 0, true, Some(Movement::Churn)),
            (5, 0, false, Some(Movement::Churn)),
            (0, 5, true, Some(Movement::Reactivation)),
            (5, 6, true, Some(Movement::Expansion)),
            (6, 5, true, Some(Movement::Contraction)),
            (5, 5, true, None),
        ] {
            assert_eq!(Movement::of(previous, now, had_paid), movement, "{previous} {now} {had_paid}");
        }
    }

    #[test]
    fn reference_example() {
        let expanded = tally(&[(10, 0, true), (30, 20, true), (20, 30, true), (40, 40, true)]);
        assert_eq!((expanded.gross_churn(), expanded.net_churn()), (Some(20.0), Some(10.0)));
        assert_eq!((expanded.gross_retention(), expanded.net_retention()), (Some(80.0), Some(90.0)));
        assert_eq!(expanded.quick_ratio(), Some(0.5));
        let reactivated = tally(&[(10, 0, true), (30, 20, true), (0, 10, true), (60, 60, true)]);
        assert_eq!((reactivated.gross_churn(), reactivated.net_churn()), (Some(20.0), Some(10.0)));
        assert_eq!((reactivated.gross_retention(), reactivated.net_retention()), (Some(80.0), Some(80.0)));
        assert_eq!((reactivated.start(), reactivated.end(), reactivated.quick_ratio()), (100, 90, Some(0.0)));
    }

    #[test]
    fn over_nothing() {
        let nothing = RevenueTally::default();
        let rates = [nothing.gross_churn(), nothing.net_churn(), nothing.gross_retention(), nothing.net_retention()];
        assert_eq!((rates, nothing.quick_ratio()), ([None; 4], None));
        let grown = tally(&[(0, 7, false), (3, 4, true)]);
        assert_eq!((grown.quick_ratio(), grown.gross_churn()), (None, Some(0.0)), "nothing was lost");
        let gone = tally(&[(7, 0, true)]);
        assert_eq!((gone.gross_churn(), gone.net_retention(), gone.quick_ratio()), (Some(100.0), Some(0.0), Some(0.0)));
    }

    proptest! {
        #[test]
        fn movements_explain_the_end_and_gross_is_the_complement(
            customers in prop::collection::vec((0_u64..9, 0_u64..9, any::<bool>()), 0..60), cut in 0_usize..60,
        ) {
            let whole = tally(&customers);
            let sum = |of: fn(&(u64, u64, bool)) -> u64| i128::from(customers.iter().map(of).sum::<u64>());
            prop_assert_eq!((whole.start(), whole.end()), (sum(|of| of.0), sum(|of| of.1)));
            if let (Some(churn), Some(retention)) = (whole.gross_churn(), whole.gross_retention()) {
                prop_assert!((churn + retention - 100.0).abs() < 1e-12);
                let part = 100.0 * whole.moved(Movement::Reactivation) as f64 / whole.start() as f64;
                prop_assert!((whole.net_churn().unwrap() + whole.net_retention().unwrap() + part - 100.0).abs() < 1e-9);
            }
            let (left, right) = customers.split_at(cut.min(customers.len()));
            let mut merged = tally(left);
            merged.merge(&tally(right));
            prop_assert_eq!(merged, whole);
            left.iter().for_each(|(previous, now, had_paid)| merged.remove(*previous, *now, *had_paid));
            prop_assert_eq!(merged, tally(right));
        }
    }
}
