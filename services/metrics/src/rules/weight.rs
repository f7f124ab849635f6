//! How answers are weighed and counted: exactly, so that what was added can be taken out again.

use barometer_statistics::number::{ratio, real};

/// Trillionths (1e-12) in a weight of 1.
const ONE: u64 = 1_000_000_000_000;

/// The weight of one answer in weighted figures: above 0, at most 1,000,000, with 12 decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Weight(u64);

impl Weight {
    /// An answer that counts as itself. Unweighted figures use nothing else.
    pub const ONE: Self = Self(ONE);
    /// The heaviest an answer can be, 1,000,000.
    pub const MAX: Self = Self(1_000_000 * ONE);

    /// A weight in trillionths (1e-12), or `None` outside 1 to 1e18.
    pub fn from_trillionths(trillionths: i64) -> Option<Self> {
        let weight = Self(u64::try_from(trillionths).ok()?);
        (weight.0 > 0 && weight <= Self::MAX).then_some(weight)
    }

    /// The weight in trillionths (1e-12).
    pub fn trillionths(self) -> u64 {
        self.0
    }

    /// The squared weight in 1e-24; at most 1e36.
    fn squared(self) -> u128 {
        u128::from(self.0) * u128::from(self.0)
    }
}

impl Default for Weight {
    fn default() -> Self {
        Self::ONE
    }
}

/// A pile of answers: how many there are, and what they weigh together.
///
/// Exact for up to 1e19 answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Pile {
    answers: u64,
    trillionths: u128,
}

impl Pile {
    /// So many answers that each count as themselves.
    pub fn unweighted(answers: u64) -> Self {
        Self { answers, trillionths: u128::from(answers) * u128::from(ONE) }
    }

    /// How many answers there are.
    pub fn answers(self) -> u64 {
        self.answers
    }

    /// What they weigh together, in trillionths (1e-12); unweighted answers weigh 1e12 each.
    pub fn trillionths(self) -> u128 {
        self.trillionths
    }

    /// What they weigh together; unweighted, the number of answers.
    pub fn weight(self) -> f64 {
        ratio(signed(self.trillionths), u128::from(ONE)).unwrap_or_default()
    }

    /// The weight as a signed number of trillionths, for differences.
    pub(super) fn signed(self) -> i128 {
        signed(self.trillionths)
    }

    /// Puts an answer on the pile.
    pub fn add(&mut self, weight: Weight) {
        self.answers += 1;
        self.trillionths += u128::from(weight.0);
    }

    /// Takes an answer off that was added with this weight.
    pub fn remove(&mut self, weight: Weight) {
        self.answers -= 1;
        self.trillionths -= u128::from(weight.0);
    }

    /// Adds another pile.
    pub fn merge(&mut self, other: Self) {
        self.answers += other.answers;
        self.trillionths += other.trillionths;
    }

    /// Both piles together.
    pub fn plus(mut self, other: Self) -> Self {
        self.merge(other);
        self
    }
}

/// Σw², the sum of the squared weights in 1e-24, by which the effective sample size is known.
///
/// A weight of 1,000,000 squares to 1e36 in these units, and 340 of those overflow 128 bits; so the sum is kept in 256,
/// which makes it exact, and so independent of order, for any number of answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Squares {
    high: u128,
    low: u128,
}

impl Squares {
    /// The squares of answers that each count as themselves; exact for up to 3e14 of them.
    pub(super) fn unweighted(answers: Pile) -> Self {
        Self { high: 0, low: answers.trillionths.saturating_mul(u128::from(ONE)) }
    }

    pub(super) fn add(&mut self, weight: Weight) {
        self.merge(Self { high: 0, low: weight.squared() });
    }

    pub(super) fn remove(&mut self, weight: Weight) {
        let (low, borrow) = self.low.overflowing_sub(weight.squared());
        self.low = low;
        self.high -= u128::from(borrow);
    }

    pub(super) fn merge(&mut self, other: Self) {
        let (low, carry) = self.low.overflowing_add(other.low);
        self.low = low;
        self.high += other.high + u128::from(carry);
    }

    /// The effective sample size n_eff = (Σw)² / Σw² of answers that weigh `total` together: the number of equally
    /// weighted answers that would be as precise. Unweighted, the number of answers. 0 for none.
    ///
    /// Source: L. Kish, "Survey Sampling", Wiley 1965, §11.7.
    pub(super) fn effective_size(self, total: Pile) -> f64 {
        if total.answers == 0 {
            return 0.0;
        }
        // Rounding must not make 2649.9999999999995 of 2,650 answers.
        if self == Self::unweighted(total) && total == Pile::unweighted(total.answers) {
            return real(u128::from(total.answers));
        }
        let sum = real(total.trillionths);
        let squares = real(self.high) * 2_f64.powi(128) + real(self.low);
        // Mathematically 1 ≤ n_eff ≤ n; rounding must not leave that range.
        (sum * sum / squares).clamp(1.0, real(u128::from(total.answers)))
    }
}

/// A weight sum as a signed number. Sums stay far below the limit of `i128`, 1.7e38: at 1e18 an answer, 1e20 answers.
fn signed(trillionths: u128) -> i128 {
    i128::try_from(trillionths).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weight(trillionths: u64) -> Weight {
        Weight::from_trillionths(i64::try_from(trillionths).expect("small")).expect("a weight")
    }

    fn squares(weights: &[u64]) -> Squares {
        let mut squares = Squares::default();
        weights.iter().for_each(|trillionths| squares.add(weight(*trillionths)));
        squares
    }

    fn pile(weights: &[u64]) -> Pile {
        let mut pile = Pile::default();
        weights.iter().for_each(|trillionths| pile.add(weight(*trillionths)));
        pile
    }

    #[test]
    fn weights_have_bounds() {
        assert_eq!(Weight::from_trillionths(0), None);
        assert_eq!(Weight::from_trillionths(-1), None);
        assert_eq!(Weight::from_trillionths(1).map(Weight::trillionths), Some(1));
        assert_eq!(Weight::from_trillionths(1_000_000_000_000), Some(Weight::ONE));
        assert_eq!(Weight::from_trillionths(1_000_000_000_000_000_000), Some(Weight::MAX));
        assert_eq!(Weight::from_trillionths(1_000_000_000_000_000_001), None);
        assert_eq!(Weight::default(), Weight::ONE);
    }

    #[test]
    fn squares_do_not_overflow() {
        let heaviest = Weight::MAX.trillionths();
        let (answers, mut sum) = (vec![heaviest; 1_000], squares(&[]));
        let total = pile(&answers);
        answers.iter().for_each(|_| sum.add(Weight::MAX));
        assert!(sum.high > 0);
        assert!((sum.effective_size(total) - 1_000.0).abs() < 1e-9);
        assert_eq!(total.weight().to_bits(), 1e9_f64.to_bits());
        answers.iter().for_each(|_| sum.remove(Weight::MAX));
        assert_eq!(sum, Squares::default());
    }

    #[test]
    fn the_effective_size_of_known_weights() {
        let (one, two) = (ONE, 2 * ONE);
        for (weights, size) in [(vec![], 0.0), (vec![1], 1.0), (vec![one; 7], 7.0), (vec![one, two], 1.8)] {
            assert!((squares(&weights).effective_size(pile(&weights)) - size).abs() < 1e-12, "{weights:?}");
        }
        let light_and_heavy = [1, Weight::MAX.trillionths()];
        assert!((squares(&light_and_heavy).effective_size(pile(&light_and_heavy)) - 1.0).abs() < 1e-12);
        let unweighted = Pile::unweighted(2_650);
        assert_eq!(Squares::unweighted(unweighted).effective_size(unweighted), 2_650.0);
        assert_eq!(Squares::unweighted(Pile::unweighted(7)), squares(&[one; 7]));
        assert_eq!(Pile::unweighted(7), pile(&[one; 7]));
    }

    proptest! {
        #[test]
        fn order_leaves_no_trace(
            mut weights in prop::collection::vec(1..=Weight::MAX.trillionths(), 0..800), cut in 0_usize..800,
        ) {
            let whole = (squares(&weights), pile(&weights));
            let (left, right) = weights.split_at(cut.min(weights.len()));
            let (mut sum, mut heap) = (squares(right), pile(right));
            sum.merge(squares(left));
            heap.merge(pile(left));
            prop_assert_eq!((sum, heap), whole);
            for trillionths in left {
                sum.remove(weight(*trillionths));
                heap.remove(weight(*trillionths));
            }
            prop_assert_eq!((sum, heap), (squares(right), pile(right)));
            weights.reverse();
            prop_assert_eq!((squares(&weights), pile(&weights)), whole);
        }
    }
}
