//! Two Net Promoter Scores.

use super::{Incomparable, NpsCounts};
use crate::{Interval, Level, tail};

/// Which counts a comparison of two scores rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum NpsMethod {
    /// AW(3,T): ¾ of a promoter, 1½ passives and ¾ of a detractor more on each side. For any number of answers.
    ///
    /// Source: B. Rocks, "Interval Estimation for the 'Net Promoter Score'", The American Statistician 70 (2016),
    /// 365–372.
    #[default]
    AdjustedWald,
    /// The counts as they are, from [`NpsMethod::FEWEST_FOR_WALD`] answers on each side: below, an interval of 95 %
    /// covers the truth in as few as 40 % of all samples.
    Wald,
}

impl NpsMethod {
    /// The fewest answers on each side that the plain Wald method takes.
    pub const FEWEST_FOR_WALD: u32 = 50;
}

impl NpsCounts {
    fn by(self, method: NpsMethod) -> Result<Self, Incomparable> {
        match method {
            NpsMethod::AdjustedWald => Ok(self.adjusted()),
            NpsMethod::Wald if self.size() >= f64::from(NpsMethod::FEWEST_FOR_WALD) => Ok(self),
            NpsMethod::Wald => Err(Incomparable::TooFew { needed: NpsMethod::FEWEST_FOR_WALD }),
        }
    }
}

/// The difference between two scores of answers that have nothing to do with one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NpsDifference {
    /// The second score minus the first as they are, −200 to 200 points.
    pub difference: f64,
    /// The limits of the true difference, within −200 to 200. Around the difference of the counts that the method rests
    /// on, so that it leaves out 0 exactly when `p_value` is below 1 − level; adjusted counts of one or two answers can
    /// leave out `difference` itself.
    pub interval: Interval,
    /// z = Δ/√(σ₁²/n₁ + σ₂²/n₂), of the counts that the method rests on.
    pub z: f64,
    /// The chance of a |z| at least as large if there were no difference, 0 to 1.
    pub p_value: f64,
}

impl NpsDifference {
    /// From `before` to `after`.
    ///
    /// # Errors
    /// [`Incomparable::TooFew`] and [`Incomparable::NoSpread`], both for [`NpsMethod::Wald`] only.
    pub fn between(before: NpsCounts, after: NpsCounts, method: NpsMethod, level: Level) -> Result<Self, Incomparable> {
        let (first, second) = (before.by(method)?, after.by(method)?);
        let (shift, error) = (second.score() - first.score(), second.standard_error().hypot(first.standard_error()));
        if error == 0.0 {
            return Err(Incomparable::NoSpread);
        }
        let z = shift / error;
        Ok(Self {
            difference: after.score() - before.score(),
            interval: Interval::around(shift, level.z() * error).within(-200.0, 200.0),
            z,
            p_value: tail::normal(z),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(promoters: u64, passives: u64, detractors: u64) -> NpsCounts {
        NpsCounts::new(promoters, passives, detractors).unwrap()
    }

    fn between(before: NpsCounts, after: NpsCounts, method: NpsMethod) -> Result<NpsDifference, Incomparable> {
        NpsDifference::between(before, after, method, Level::P95)
    }

    #[test]
    fn published_p_value() {
        let change = between(counts(50, 30, 20), counts(40, 35, 25), NpsMethod::AdjustedWald).unwrap();
        assert_eq!(change.difference, -15.0);
        assert!((change.p_value - 0.183_311).abs() < 5e-7, "{change:?}");
        assert!((change.z + 1.330_627_937_564).abs() < 1e-11, "{change:?}");
    }

    #[test]
    fn plain_wald_wants_fifty_answers_and_some_spread() {
        let (hundred, other, few) = (counts(50, 30, 20), counts(40, 35, 25), counts(49, 0, 0));
        let change = between(hundred, other, NpsMethod::Wald).unwrap();
        // σ² = .61 and .6275, both of 100: −15 / 11.124298.
        assert!((change.z + 15.0 / 123.75_f64.sqrt()).abs() < 1e-12, "{change:?}");
        assert_eq!(between(hundred, few, NpsMethod::Wald), Err(Incomparable::TooFew { needed: 50 }));
        assert_eq!(between(few, hundred, NpsMethod::Wald), Err(Incomparable::TooFew { needed: 50 }));
        let (all, none) = (counts(60, 0, 0), counts(0, 0, 60));
        assert_eq!(between(all, none, NpsMethod::Wald), Err(Incomparable::NoSpread));
        assert!(between(all, none, NpsMethod::AdjustedWald).unwrap().p_value < 1e-100);
    }

    #[test]
    fn nothing_has_no_counts() {
        assert_eq!(NpsCounts::new(0, 0, 0), None);
        for (sums, squares) in [
            ([0.0; 3], 0.0),
            ([1.0, 0.0, 0.0], 0.0),
            ([2.0, 0.0, -1.0], 1.0),
            ([f64::NAN, 1.0, 1.0], 1.0),
            ([f64::INFINITY, 1.0, 1.0], 1.0),
            ([1.0, 1.0, 1.0], f64::NAN),
            ([1.0, 1.0, 1.0], 9.1),
            ([1.0, 1.0, 1.0], 1e-320),
        ] {
            assert_eq!(NpsCounts::weighted(sums, squares), None, "{sums:?} {squares}");
        }
    }

    /// Over all outcomes of twice ten answers, by their chances.
    #[test]
    fn ten_answers_each_are_enough_for_adjusted_counts() {
        let outcomes = |[promoters, passives, detractors]: [f64; 3]| {
            let splits = (0..=10_u64).flat_map(|p| (0..=10 - p).map(move |a| [p, a, 10 - p - a]));
            let factorial = |count: u64| (1..=count).map(|factor| factor as f64).product::<f64>();
            let power = |share: f64, count: u64| (0..count).fold(1.0 / factorial(count), |power, _| power * share);
            let chance = move |[p, a, d]: [u64; 3]| {
                factorial(10) * power(promoters, p) * power(passives, a) * power(detractors, d)
            };
            splits.map(move |split| (split, chance(split))).collect::<Vec<_>>()
        };
        for (before, after) in [
            ([0.5, 0.3, 0.2], [0.5, 0.3, 0.2]),
            ([0.8, 0.1, 0.1], [0.4, 0.3, 0.3]),
            ([0.9, 0.08, 0.02], [0.9, 0.08, 0.02]),
            ([0.1, 0.1, 0.8], [0.34, 0.33, 0.33]),
        ] {
            let net = |shares: [f64; 3]| 100.0 * (shares[0] - shares[2]);
            let (mut coverage, mut total) = (0.0, 0.0);
            for ([p, a, d], chance) in outcomes(before) {
                for ([q, b, e], other) in outcomes(after) {
                    let change = between(counts(p, a, d), counts(q, b, e), NpsMethod::AdjustedWald).unwrap();
                    let covers = change.interval.contains(net(after) - net(before));
                    coverage += if covers { chance * other } else { 0.0 };
                    total += chance * other;
                }
            }
            assert!((total - 1.0).abs() < 1e-12);
            assert!(coverage > 0.94, "{before:?} {after:?}: {coverage}");
        }
    }

    #[test]
    fn one_answer_each() {
        let change = between(counts(0, 0, 1), counts(1, 0, 0), NpsMethod::AdjustedWald).unwrap();
        assert_eq!(change.difference, 200.0);
        assert!(change.interval.contains(0.0) && change.p_value > 0.3, "{change:?}");
    }

    #[test]
    fn weights_of_one_are_counts_and_uneven_weights_count_for_less() {
        assert_eq!(NpsCounts::weighted([5.0, 3.0, 2.0], 10.0), Some(counts(5, 3, 2)));
        assert_eq!(NpsCounts::weighted([50.0, 30.0, 20.0], 1_000.0), Some(counts(5, 3, 2)));
        let uneven = NpsCounts::weighted([5.0, 3.0, 2.0], 20.0).unwrap();
        assert_eq!((uneven.size(), uneven.score()), (5.0, 30.0));
    }

    fn some() -> impl Strategy<Value = NpsCounts> {
        (0_u64..2_000, 0_u64..2_000, 0_u64..2_000).prop_filter_map("none", |(p, a, d)| NpsCounts::new(p, a, d))
    }

    proptest! {
        #[test]
        fn the_interval_and_the_test_say_the_same(before in some(), after in some(), share in 0.5..0.999) {
            let level = Level::new(share).unwrap();
            let change = NpsDifference::between(before, after, NpsMethod::AdjustedWald, level).unwrap();
            prop_assert!((0.0..=1.0).contains(&change.p_value));
            prop_assert!(change.interval.lower <= change.interval.upper);
            if (change.p_value - (1.0 - share)).abs() > 1e-9 {
                prop_assert_eq!(change.interval.contains(0.0), change.p_value > 1.0 - share);
            }
        }

        #[test]
        fn the_sides_swapped_change_the_sign_alone(before in some(), after in some()) {
            let there = between(before, after, NpsMethod::AdjustedWald).unwrap();
            let back = between(after, before, NpsMethod::AdjustedWald).unwrap();
            prop_assert_eq!((there.difference, there.z, there.p_value), (-back.difference, -back.z, back.p_value));
            prop_assert_eq!((there.interval.lower, there.interval.upper), (-back.interval.upper, -back.interval.lower));
        }
    }
}
