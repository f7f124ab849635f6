//! Net Promoter Score.

use super::scale::NpsGroup;
use super::weight::{Pile, Squares, Weight};
use barometer_statistics::number::ratio;
use barometer_statistics::{
    Interval, Level,
    score::{NpsCounts, ScoreMethod},
};

/// The answers to the recommend question, counted. Answers without a score are in no count.
///
/// Tallies of parts add up to the tally of the whole; scores of parts never do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NpsTally {
    promoters: Pile,
    passives: Pile,
    detractors: Pile,
    squares: Squares,
}

impl NpsTally {
    /// Counts an answer. Give [`Weight::ONE`] for unweighted figures.
    pub fn add(&mut self, group: NpsGroup, weight: Weight) {
        self.pile(group).add(weight);
        self.squares.add(weight);
    }

    /// Counts so many answers that each count as themselves.
    pub fn add_many(&mut self, group: NpsGroup, answers: u64) {
        let pile = Pile::unweighted(answers);
        self.pile(group).merge(pile);
        self.squares.merge(Squares::unweighted(pile));
    }

    /// Takes out an answer that was counted so.
    pub fn remove(&mut self, group: NpsGroup, weight: Weight) {
        self.pile(group).remove(weight);
        self.squares.remove(weight);
    }

    /// Adds what another tally counted.
    pub fn merge(&mut self, other: &Self) {
        let Self { promoters, passives, detractors, squares } = *other;
        self.promoters.merge(promoters);
        self.passives.merge(passives);
        self.detractors.merge(detractors);
        self.squares.merge(squares);
    }

    /// Answers of 9 and 10.
    pub fn promoters(&self) -> Pile {
        self.promoters
    }

    /// Answers of 7 and 8.
    pub fn passives(&self) -> Pile {
        self.passives
    }

    /// Answers of 0 to 6.
    pub fn detractors(&self) -> Pile {
        self.detractors
    }

    /// All answers with a score.
    pub fn total(&self) -> Pile {
        self.promoters.plus(self.passives).plus(self.detractors)
    }

    /// NPS = 100·(P − D)/n, −100 to 100, where P, D and n are counts or sums of weights. `None` over nothing.
    ///
    /// Source: F. Reichheld, "The One Number You Need to Grow", Harvard Business Review, December 2003.
    pub fn nps(&self) -> Option<f64> {
        let net = self.promoters.signed() - self.detractors.signed();
        ratio(100 * net, self.total().trillionths())
    }

    /// The confidence interval of the score, −100 to 100. `None` over nothing.
    pub fn interval(&self, method: ScoreMethod, level: Level) -> Option<Interval> {
        Some(self.effective()?.interval(method, level))
    }

    /// n_eff = (Σw)²/Σw²; unweighted, the number of answers.
    pub fn effective_size(&self) -> f64 {
        self.squares.effective_size(self.total())
    }

    /// The effective counts (P, A, D)·n_eff/Σw that intervals and comparisons are computed from. `None` over nothing.
    pub fn effective(&self) -> Option<NpsCounts> {
        let (size, total) = (self.effective_size(), self.total().trillionths());
        let scaled = |pile: Pile| Some(ratio(pile.signed(), total)? * size);
        NpsCounts::effective(scaled(self.promoters)?, scaled(self.passives)?, scaled(self.detractors)?)
    }

    fn pile(&mut self, group: NpsGroup) -> &mut Pile {
        match group {
            NpsGroup::Promoter => &mut self.promoters,
            NpsGroup::Passive => &mut self.passives,
            NpsGroup::Detractor => &mut self.detractors,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::scale::Scale;

    fn weight(trillionths: i64) -> Weight {
        Weight::from_trillionths(trillionths).expect("a weight")
    }

    fn group(value: i64) -> NpsGroup {
        Scale::Nps.score(value).and_then(|score| score.nps_group()).expect("a score")
    }

    fn tally(answers: &[(i64, i64)]) -> NpsTally {
        let mut tally = NpsTally::default();
        answers.iter().for_each(|(value, trillionths)| tally.add(group(*value), weight(*trillionths)));
        tally
    }

    fn counts(promoters: usize, passives: usize, detractors: usize) -> NpsTally {
        let mut tally = NpsTally::default();
        for (group, count) in
            [(NpsGroup::Promoter, promoters), (NpsGroup::Passive, passives), (NpsGroup::Detractor, detractors)]
        {
            (0..count).for_each(|_| tally.add(group, Weight::ONE));
        }
        tally
    }

    fn assert_close(found: f64, expected: f64, tolerance: f64) {
        assert!((found - expected).abs() <= tolerance, "{found}, not {expected}");
    }

    fn assert_limits(found: Option<Interval>, lower: f64, upper: f64, tolerance: f64) {
        let found = found.expect("an interval");
        assert_close(found.lower, lower, tolerance);
        assert_close(found.upper, upper, tolerance);
    }

    #[test]
    fn published_limits() {
        let (hundred, ten) = (counts(50, 30, 20), counts(5, 3, 2));
        assert_eq!((hundred.nps(), ten.nps()), (Some(30.0), Some(30.0)));
        assert_limits(hundred.interval(ScoreMethod::Score, Level::P95), 13.9551, 44.3393, 5e-5);
        assert_limits(ten.interval(ScoreMethod::Score, Level::P95), -21.6592, 67.5278, 5e-5);
        assert_limits(hundred.interval(ScoreMethod::AdjustedWald, Level::P95), 14.0511, 44.2013, 5e-5);
        assert_limits(ten.interval(ScoreMethod::AdjustedWald, Level::P95), -19.0506, 65.2045, 5e-5);
    }

    #[test]
    fn nothing_has_no_score() {
        let nothing = NpsTally::default();
        assert_eq!(nothing.nps(), None);
        assert_eq!(nothing.interval(ScoreMethod::Score, Level::P95), None);
        assert_eq!(nothing.interval(ScoreMethod::AdjustedWald, Level::P95), None);
        assert_eq!(nothing.effective(), None);
    }

    #[test]
    fn one_answer_and_equal_answers() {
        assert_eq!(counts(1, 0, 0).nps(), Some(100.0));
        assert_eq!(counts(0, 1, 0).nps(), Some(0.0));
        assert_eq!(counts(0, 0, 1).nps(), Some(-100.0));
        assert_limits(counts(10, 0, 0).interval(ScoreMethod::Score, Level::P95), 44.493_440_027_422, 100.0, 1e-9);
        assert_limits(counts(0, 0, 10).interval(ScoreMethod::Score, Level::P95), -100.0, -44.493_440_027_422, 1e-9);
        assert_limits(counts(1, 0, 0).interval(ScoreMethod::Score, Level::P95), -58.690_137_124_552, 100.0, 1e-9);
    }

    #[test]
    fn unweighted_figures_are_those_of_the_plain_counts() {
        let tally = counts(1_436, 968, 342);
        assert_eq!(tally.nps().map(f64::to_bits), Some((109_400.0_f64 / 2_746.0).to_bits()));
        assert_close(tally.effective_size(), 2_746.0, 1e-9);
        assert_eq!((tally.total().answers(), tally.promoters().answers()), (2_746, 1_436));
    }

    #[test]
    fn weights_take_the_place_of_counts() {
        let tally = tally(&[
            (10, 1_500_000_000_000),
            (9, 250_000_000_000),
            (9, 2_750_000_000_000),
            (8, 1_000_000_000_000),
            (7, 333_333_333_333),
            (3, 800_000_000_000),
            (0, 1_200_000_000_000),
        ]);
        assert_close(tally.nps().expect("a score"), 31.914_893_617_022, 1e-11);
        assert_close(tally.effective_size(), 4.696_203_069_858, 1e-11);
        let score = tally.interval(ScoreMethod::Score, Level::P95);
        assert_limits(score, -43.493_998_759_713, 80.186_156_065_909, 1e-9);
        let wald = tally.interval(ScoreMethod::AdjustedWald, Level::P95);
        assert_limits(wald, -38.065_388_990_870, 77.014_158_927_945, 1e-9);
    }

    fn answers() -> impl Strategy<Value = Vec<(i64, i64)>> {
        prop::collection::vec((0_i64..=10, 1_i64..=1_000_000_000_000_000_000), 0..400)
    }

    proptest! {
        #[test]
        fn tallies_add_up_and_forget(mut answers in answers(), cuts in (0_usize..400, 0_usize..400)) {
            let whole = tally(&answers);
            let (first, second) = (cuts.0.min(cuts.1).min(answers.len()), cuts.0.max(cuts.1).min(answers.len()));
            let (a, b, c) = (tally(&answers[..first]), tally(&answers[first..second]), tally(&answers[second..]));
            let merged = |mut left: NpsTally, right: &NpsTally| { left.merge(right); left };
            prop_assert_eq!(merged(merged(a, &b), &c), whole);
            prop_assert_eq!(merged(a, &merged(b, &c)), whole);
            prop_assert_eq!(merged(c, &merged(b, &a)), whole);

            let mut rest = whole;
            answers[..first].iter().for_each(|(value, trillionths)| rest.remove(group(*value), weight(*trillionths)));
            prop_assert_eq!(rest, merged(b, &c));

            answers.reverse();
            let again = tally(&answers);
            prop_assert_eq!(again, whole);
            prop_assert_eq!(again.nps().map(f64::to_bits), whole.nps().map(f64::to_bits));
            let digits = |tally: &NpsTally| {
                tally.interval(ScoreMethod::Score, Level::P95).map(|limits| (limits.lower.to_bits(), limits.upper.to_bits()))
            };
            prop_assert_eq!(digits(&again), digits(&whole));
        }

        #[test]
        fn the_score_is_that_of_the_definition(answers in answers()) {
            let weigh = |range: std::ops::RangeInclusive<i64>| -> f64 {
                answers.iter().filter(|(value, _)| range.contains(value)).map(|(_, weight)| *weight as f64).sum()
            };
            let twin = 100.0 * (weigh(9..=10) - weigh(0..=6)) / weigh(0..=10);
            match tally(&answers).nps() {
                Some(score) => prop_assert!((score - twin).abs() < 1e-9 && (-100.0..=100.0).contains(&score)),
                None => prop_assert!(answers.is_empty()),
            }
        }

        #[test]
        fn a_common_factor_of_the_weights_changes_nothing(
            answers in prop::collection::vec((0_i64..=10, 1_i64..=1_000_000_000_000), 1..50),
            factor in 1_i64..1_000_000,
        ) {
            let scaled: Vec<_> = answers.iter().map(|(value, trillionths)| (*value, trillionths * factor)).collect();
            let (tally, scaled) = (tally(&answers), tally(&scaled));
            prop_assert_eq!(tally.nps(), scaled.nps());
            prop_assert!((tally.effective_size() - scaled.effective_size()).abs() < 1e-9);
        }
    }
}
