//! Moves between categories: detractors who became promoters, and the other way round.
//!
//! ```
//! use barometer_statistics::transition::TransitionMatrix;
//!
//! const DETRACTOR: usize = 0;
//! const PASSIVE: usize = 1;
//! const PROMOTER: usize = 2;
//! let mut moves = TransitionMatrix::new(3).expect("categories");
//! for (from, to) in [(DETRACTOR, PROMOTER), (DETRACTOR, DETRACTOR), (PASSIVE, PROMOTER), (PROMOTER, PROMOTER)] {
//!     assert!(moves.add(from, to));
//! }
//! assert_eq!(moves.share(DETRACTOR, PROMOTER), Some(50.0));
//! assert_eq!((moves.raised(), moves.lowered()), (2, 0));
//! ```

use crate::{matrix::Symmetric, number::percent, tail};

/// The most categories.
pub const MAX_CATEGORIES: usize = 50;

/// How many customers went from which category in one period to which in another. Only those who are known in both are
/// counted; where absence is to be seen too, it is a category. Categories are numbered from the lowest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransitionMatrix {
    categories: usize,
    /// By category before, then by category after.
    counts: Vec<u64>,
}

/// A test of paired categories.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedTest {
    /// χ², at least 0.
    pub statistic: f64,
    /// Its degrees of freedom, at least 1.
    pub degrees_of_freedom: usize,
    /// The chance of a χ² at least as large if chance alone decided who moves which way, 0 to 1. Approximate; good when
    /// some ten or more have moved.
    pub p_value: f64,
}

impl TransitionMatrix {
    /// Between so many categories, of which nobody has moved yet. `None` unless they are 1 to [`MAX_CATEGORIES`].
    pub fn new(categories: usize) -> Option<Self> {
        (1..=MAX_CATEGORIES)
            .contains(&categories)
            .then(|| Self { categories, counts: vec![0; categories * categories] })
    }

    /// Counts a customer; false, and nothing done, when there is no such category.
    #[must_use]
    pub fn add(&mut self, from: usize, to: usize) -> bool {
        self.add_many(from, to, 1)
    }

    /// Counts so many customers; false, and nothing done, when there is no such category.
    #[must_use]
    pub fn add_many(&mut self, from: usize, to: usize, customers: u64) -> bool {
        self.cell(from, to).map(|count| *count += customers).is_some()
    }

    /// Takes out a customer who was counted so; false when there is none.
    #[must_use]
    pub fn remove(&mut self, from: usize, to: usize) -> bool {
        self.cell(from, to).filter(|count| **count > 0).map(|count| *count -= 1).is_some()
    }

    /// Adds what was counted of other customers; false, and nothing done, when the categories are not as many.
    #[must_use]
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = self.categories == other.categories;
        if same {
            self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        }
        same
    }

    /// Who went from one category to another; nobody where there is no such category.
    pub fn count(&self, from: usize, to: usize) -> u64 {
        if from.max(to) < self.categories { self.counts[from * self.categories + to] } else { 0 }
    }

    /// Who was in a category before.
    pub fn before(&self, from: usize) -> u64 {
        (0..self.categories).map(|to| self.count(from, to)).sum()
    }

    /// Who is in a category after.
    pub fn after(&self, to: usize) -> u64 {
        (0..self.categories).map(|from| self.count(from, to)).sum()
    }

    /// All who were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Of those in a category before, those in another after: the chance of this move, in percent. `None` over nobody.
    pub fn share(&self, from: usize, to: usize) -> Option<f64> {
        percent(self.count(from, to).into(), self.before(from).into())
    }

    /// Who is where they were.
    pub fn stayed(&self) -> u64 {
        self.sum(|from, to| from == to)
    }

    /// Who is in a higher category than before.
    pub fn raised(&self) -> u64 {
        self.sum(|from, to| from < to)
    }

    /// Who is in a lower category than before.
    pub fn lowered(&self) -> u64 {
        self.sum(|from, to| from > to)
    }

    /// Bowker's test of symmetry: whether as many go from i to j as from j to i, for every pair. The sum of
    /// (nᵢⱼ − nⱼᵢ)²/(nᵢⱼ + nⱼᵢ) over the pairs between which somebody moved; of two categories it is McNemar's. `None`
    /// when nobody moved.
    ///
    /// Source: A. H. Bowker, "A Test for Symmetry in Contingency Tables", Journal of the American Statistical
    /// Association 43 (1948), 572–574.
    pub fn symmetry(&self) -> Option<PairedTest> {
        let (mut statistic, mut pairs) = (0.0, 0);
        for (from, to) in (0..self.categories).flat_map(|to| (0..to).map(move |from| (from, to))) {
            let (up, down) = (self.count(from, to), self.count(to, from));
            if up + down > 0 {
                statistic += (up.abs_diff(down) as f64).powi(2) / (up + down) as f64;
                pairs += 1;
            }
        }
        PairedTest::of(statistic, pairs)
    }

    /// The test of Stuart and Maxwell: whether each category holds as many after as before. What two samples of the
    /// same customers need in place of a comparison of independent ones. χ² = dᵀ S⁺ d with dᵢ = nᵢ. − n.ᵢ, Sᵢᵢ = nᵢ. +
    /// n.ᵢ − 2nᵢᵢ and Sᵢⱼ = −(nᵢⱼ + nⱼᵢ). `None` when nobody moved.
    ///
    /// Sources: A. Stuart, "A Test for Homogeneity of the Marginal Distributions in a Two-Way Classification",
    /// Biometrika 42 (1955), 412–416; A. E. Maxwell, "Comparing the Classification of Subjects by Two Independent
    /// Judges", British Journal of Psychiatry 116 (1970), 651–655.
    pub fn homogeneity(&self) -> Option<PairedTest> {
        let mut covariance = Symmetric::zero(self.categories);
        for (one, other) in (0..self.categories).flat_map(|other| (0..other).map(move |one| (one, other))) {
            let moved = (self.count(one, other) + self.count(other, one)) as f64;
            covariance.set(one, other, -moved);
            covariance.add(one, one, moved);
            covariance.add(other, other, moved);
        }
        let difference = |category| self.before(category) as f64 - self.after(category) as f64;
        let (statistic, rank) = covariance.squared_distance(&(0..self.categories).map(difference).collect::<Vec<_>>());
        PairedTest::of(statistic, rank)
    }

    fn sum(&self, counted: fn(usize, usize) -> bool) -> u64 {
        let cells = self.counts.iter().enumerate();
        cells.filter(|(cell, _)| counted(cell / self.categories, cell % self.categories)).map(|(_, count)| count).sum()
    }

    fn cell(&mut self, from: usize, to: usize) -> Option<&mut u64> {
        let known = from.max(to) < self.categories;
        known.then(|| &mut self.counts[from * self.categories + to])
    }
}

impl PairedTest {
    fn of(statistic: f64, degrees_of_freedom: usize) -> Option<Self> {
        let p_value = tail::chi_squared(statistic, degrees_of_freedom.max(1));
        (degrees_of_freedom > 0).then_some(Self { statistic, degrees_of_freedom, p_value })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of<const K: usize>(counts: [[u64; K]; K]) -> TransitionMatrix {
        TransitionMatrix { categories: K, counts: counts.concat() }
    }

    /// Unaided distance vision of the right and the left eye of 7,477 women, in A. Stuart's paper.
    #[test]
    fn published_vision() {
        let vision = of([[1520, 266, 124, 66], [234, 1512, 432, 78], [117, 362, 1772, 205], [36, 82, 179, 492]]);
        let (symmetry, homogeneity) = (vision.symmetry().unwrap(), vision.homogeneity().unwrap());
        assert_eq!((vision.total(), symmetry.degrees_of_freedom, homogeneity.degrees_of_freedom), (7_477, 6, 3));
        assert!((symmetry.statistic - 19.11).abs() < 0.005, "{symmetry:?}");
        assert!((homogeneity.statistic - 11.96).abs() < 0.005, "{homogeneity:?}");
        assert!((homogeneity.p_value - 0.0075).abs() < 5e-5, "{homogeneity:?}");
    }

    #[test]
    fn of_two_categories_both_are_mcnemars() {
        let table = of([[20, 15], [5, 60]]);
        let (symmetry, homogeneity) = (table.symmetry().unwrap(), table.homogeneity().unwrap());
        assert_eq!((symmetry.statistic, symmetry.degrees_of_freedom), (5.0, 1));
        assert!((homogeneity.statistic - 5.0).abs() < 1e-12 && homogeneity.degrees_of_freedom == 1);
    }

    #[test]
    fn nobody_nobody_moved_and_no_such_category() {
        assert_eq!((TransitionMatrix::new(0), TransitionMatrix::new(51)), (None, None));
        let mut moves = TransitionMatrix::new(3).unwrap();
        assert_eq!((moves.share(0, 0), moves.symmetry(), moves.homogeneity()), (None, None, None));
        assert!(moves.add(1, 1) && !moves.add(3, 0) && !moves.remove(0, 1) && moves.count(7, 0) == 0);
        assert_eq!((moves.share(1, 1), moves.symmetry(), moves.homogeneity()), (Some(100.0), None, None));
        assert!(moves.remove(1, 1) && !moves.merge(&TransitionMatrix::new(2).unwrap()));
        assert_eq!(moves.total(), 0);
    }

    #[test]
    fn categories_that_nobody_enters_or_leaves_cost_no_degree_of_freedom() {
        let table = of([[20, 15, 0], [5, 60, 0], [0, 0, 9]]);
        assert_eq!(table.homogeneity().unwrap().degrees_of_freedom, 1);
        assert_eq!(table.symmetry().unwrap().degrees_of_freedom, 1);
    }

    fn moves() -> impl Strategy<Value = Vec<(usize, usize)>> {
        prop::collection::vec((0_usize..4, 0_usize..4), 0..120)
    }

    fn counted(moves: &[(usize, usize)]) -> TransitionMatrix {
        let mut matrix = TransitionMatrix::new(4).unwrap();
        moves.iter().for_each(|(from, to)| assert!(matrix.add(*from, *to)));
        matrix
    }

    proptest! {
        #[test]
        fn rows_columns_and_directions_add_up(moves in moves(), cut in 0_usize..120) {
            let whole = counted(&moves);
            let total = moves.len() as u64;
            prop_assert_eq!((0..4).map(|from| whole.before(from)).sum::<u64>(), total);
            prop_assert_eq!((0..4).map(|to| whole.after(to)).sum::<u64>(), total);
            prop_assert_eq!(whole.stayed() + whole.raised() + whole.lowered(), total);
            for from in (0..4).filter(|from| whole.before(*from) > 0) {
                let shares: f64 = (0..4).filter_map(|to| whole.share(from, to)).sum();
                prop_assert!((shares - 100.0).abs() < 1e-9);
            }
            let (left, right) = moves.split_at(cut.min(moves.len()));
            let mut merged = counted(left);
            prop_assert!(merged.merge(&counted(right)));
            prop_assert_eq!(&merged, &whole);
            left.iter().for_each(|(from, to)| assert!(merged.remove(*from, *to)));
            prop_assert_eq!(merged, counted(right));
        }

        #[test]
        fn back_again_is_the_same_test(moves in moves()) {
            let back: Vec<_> = moves.iter().map(|(from, to)| (*to, *from)).collect();
            let (there, back) = (counted(&moves), counted(&back));
            for (one, other) in [(there.symmetry(), back.symmetry()), (there.homogeneity(), back.homogeneity())] {
                prop_assert_eq!(one.is_some(), other.is_some());
                if let (Some(one), Some(other)) = (one, other) {
                    prop_assert!((one.statistic - other.statistic).abs() < 1e-9);
                    prop_assert!(one.statistic >= 0.0 && (0.0..=1.0).contains(&one.p_value));
                }
            }
        }
    }
}
