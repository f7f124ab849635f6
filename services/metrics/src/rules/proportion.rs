//! Shares of a whole: how many of those asked about have a property.
//!
//! CSAT is the share of the top two scores of five. Churn, retention, inactivity, repeat purchase and the cells of a
//! cohort are shares of customers.

use super::weight::{Pile, Squares, Weight};
use barometer_statistics::number::ratio;
use barometer_statistics::{Interval, Level, comparison::Proportion};

/// Those with a property and those without, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ProportionTally {
    hits: Pile,
    misses: Pile,
    squares: Squares,
}

impl ProportionTally {
    /// So many with the property and so many without, none weighted.
    pub fn of_counts(hits: u64, misses: u64) -> Self {
        let (hits, misses) = (Pile::unweighted(hits), Pile::unweighted(misses));
        Self { hits, misses, squares: Squares::unweighted(hits.plus(misses)) }
    }

    /// Counts one that has the property (`hit`) or lacks it. Give [`Weight::ONE`] for unweighted figures.
    pub fn add(&mut self, hit: bool, weight: Weight) {
        self.pile(hit).add(weight);
        self.squares.add(weight);
    }

    /// Takes out one that was counted so.
    pub fn remove(&mut self, hit: bool, weight: Weight) {
        self.pile(hit).remove(weight);
        self.squares.remove(weight);
    }

    /// Adds what another tally counted.
    pub fn merge(&mut self, other: &Self) {
        let Self { hits, misses, squares } = *other;
        self.hits.merge(hits);
        self.misses.merge(misses);
        self.squares.merge(squares);
    }

    /// Those with the property.
    pub fn hits(&self) -> Pile {
        self.hits
    }

    /// All that were counted.
    pub fn total(&self) -> Pile {
        self.hits.plus(self.misses)
    }

    /// The share of those with the property, 0 to 100 %. `None` over nothing.
    pub fn rate(&self) -> Option<f64> {
        ratio(100 * self.hits.signed(), self.total().trillionths())
    }

    /// The Wilson interval of the rate, 0 to 100 %; weighted, with n_eff in place of n. `None` over nothing.
    pub fn interval(&self, level: Level) -> Option<Interval> {
        Some(self.proportion()?.interval(level))
    }

    /// What intervals and comparisons are made of. `None` over nothing.
    pub fn proportion(&self) -> Option<Proportion> {
        Proportion::effective(ratio(self.hits.signed(), self.total().trillionths())?, self.effective_size())
    }

    /// n_eff = (Σw)²/Σw²; unweighted, the number counted.
    pub fn effective_size(&self) -> f64 {
        self.squares.effective_size(self.total())
    }

    /// The opposite property: retention, from churn.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self { hits: self.misses, misses: self.hits, squares: self.squares }
    }

    fn pile(&mut self, hit: bool) -> &mut Pile {
        if hit { &mut self.hits } else { &mut self.misses }
    }
}

impl Extend<bool> for ProportionTally {
    /// Counts many without weights. A rule's `Option<bool>` for one customer fits: `None` is not asked about.
    fn extend<I: IntoIterator<Item = bool>>(&mut self, hits: I) {
        for hit in hits {
            self.add(hit, Weight::ONE);
        }
    }
}

impl FromIterator<bool> for ProportionTally {
    fn from_iter<I: IntoIterator<Item = bool>>(hits: I) -> Self {
        let mut tally = Self::default();
        tally.extend(hits);
        tally
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::scale::Scale;

    fn assert_limits(found: Option<Interval>, lower: f64, upper: f64) {
        let found = found.expect("an interval");
        assert!((found.lower - lower).abs() < 1e-9 && (found.upper - upper).abs() < 1e-9, "{found:?}");
    }

    fn weight(trillionths: i64) -> Weight {
        Weight::from_trillionths(trillionths).expect("a weight")
    }

    fn tally(answers: &[(bool, i64)]) -> ProportionTally {
        let mut tally = ProportionTally::default();
        answers.iter().for_each(|(hit, trillionths)| tally.add(*hit, weight(*trillionths)));
        tally
    }

    #[test]
    fn rates_and_wilson_limits() {
        let nothing = ProportionTally::default();
        assert_eq!((nothing.rate(), nothing.interval(Level::P95)), (None, None));

        let some = ProportionTally::of_counts(3, 7);
        assert_eq!((some.rate(), some.complement().rate()), (Some(30.0), Some(70.0)));
        assert_limits(some.interval(Level::P95), 10.779_126_740_630, 60.322_185_253_885);

        let none = ProportionTally::of_counts(0, 1);
        assert_eq!(none.rate(), Some(0.0));
        assert_limits(none.interval(Level::P95), 0.0, 79.345_068_562_276);
        assert_limits(none.complement().interval(Level::P95), 20.654_931_437_723, 100.0);
    }

    #[test]
    fn csat_is_the_share_of_the_top_two() {
        let mut csat = ProportionTally::default();
        let answers = [
            (5, 1_500_000_000_000),
            (4, 250_000_000_000),
            (3, 2_750_000_000_000),
            (1, 1_000_000_000_000),
            (4, 333_333_333_333),
        ];
        for (value, trillionths) in answers {
            let top_two = Scale::Csat.score(value).and_then(|score| score.is_top_two()).expect("a score");
            csat.add(top_two, weight(trillionths));
        }
        assert!((csat.rate().expect("a rate") - 35.714_285_714_282).abs() < 1e-11);
        assert_limits(csat.interval(Level::P95), 7.104_435_881_345, 80.141_842_322_347);
        assert_eq!((csat.hits().answers(), csat.total().answers()), (3, 5));
    }

    proptest! {
        #[test]
        fn tallies_add_up_and_forget(
            mut answers in prop::collection::vec((any::<bool>(), 1_i64..=1_000_000_000_000_000_000), 0..400),
            cut in 0_usize..400,
        ) {
            let whole = tally(&answers);
            let (left, right) = answers.split_at(cut.min(answers.len()));
            let mut merged = tally(right);
            merged.merge(&tally(left));
            prop_assert_eq!(merged, whole);
            left.iter().for_each(|(hit, trillionths)| merged.remove(*hit, weight(*trillionths)));
            prop_assert_eq!(merged, tally(right));
            answers.reverse();
            prop_assert_eq!(tally(&answers), whole);
        }

        #[test]
        fn unweighted_paths_agree(hits in prop::collection::vec(any::<bool>(), 0..200)) {
            let counted = hits.iter().filter(|hit| **hit).count() as u64;
            let collected: ProportionTally = hits.iter().copied().collect();
            prop_assert_eq!(collected, ProportionTally::of_counts(counted, hits.len() as u64 - counted));
            let twin = (!hits.is_empty()).then(|| 100.0 * counted as f64 / hits.len() as f64);
            prop_assert_eq!(collected.rate(), twin);
        }
    }
}
