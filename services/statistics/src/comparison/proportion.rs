//! Two shares: CSAT, on-time, positive sentiment, conversion.

use super::effective_size;
use crate::{Interval, Level, interval::wilson, tail};

/// How many of how many have a property; in effective numbers, of at least one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    share: f64,
    size: f64,
}

impl Proportion {
    /// So many hits among so many. `None` over nothing, and with more hits than there are.
    pub fn new(hits: u64, size: u64) -> Option<Self> {
        let (share, size) = (hits as f64 / size as f64, size as f64);
        (share <= 1.0).then_some(Self { share, size })
    }

    /// Of weighted answers: the sum of the weights of the hits, of all, and of the squares of all weights. `None` when
    /// no weights above 0 have such sums.
    pub fn weighted(hits: f64, sum: f64, sum_of_squares: f64) -> Option<Self> {
        let share = hits / sum;
        let size = effective_size(sum, sum_of_squares)?;
        (0.0..=1.0).contains(&share).then_some(Self { share, size })
    }

    /// n, or n_eff: at least 1.
    pub fn size(self) -> f64 {
        self.size
    }

    /// The share, 0 to 100 %.
    pub fn percent(self) -> f64 {
        100.0 * self.share
    }

    /// Of a share of 0 to 1 and an effective size, which need not be whole. `None` unless the size is finite and above 0.
    pub fn effective(share: f64, size: f64) -> Option<Self> {
        ((0.0..=1.0).contains(&share) && size > 0.0 && size.is_finite()).then_some(Self { share, size })
    }

    /// The score interval of the share, 0 to 100 %: see [`wilson`].
    pub fn interval(self, level: Level) -> Interval {
        self.wilson(level).times(100.0)
    }

    fn wilson(self, level: Level) -> Interval {
        let Self { share, size } = self;
        // There is no proportion of no size, which alone has no interval.
        wilson(share * size, size, level).unwrap_or(Interval { lower: 0.0, upper: 1.0 })
    }
}

/// The difference between two shares of answers that have nothing to do with one another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ProportionDifference {
    /// The second share minus the first, −100 to 100 percentage points.
    pub difference: f64,
    /// Newcombe's hybrid score interval of the true difference, −100 to 100: the Wilson limits of each share, their
    /// distances squared and added. Holds its level from a handful of answers on and never leaves the scale.
    ///
    /// Source: R. G. Newcombe, "Interval Estimation for the Difference between Independent Proportions", Statistics in
    /// Medicine 17 (1998), 873–890, method 10.
    pub interval: Interval,
    /// z = (p₂ − p₁)/√(p(1 − p)(1/n₁ + 1/n₂)) with p the share of both together: the score test, whose square is
    /// Pearson's χ² of the 2 × 2 table. 0 when all answers are alike. At the edge of significance it and the interval
    /// can disagree, for they estimate chance differently.
    pub z: f64,
    /// The chance of a |z| at least as large if there were no difference, 0 to 1. Approximate: with fewer than five
    /// hits or misses expected on a side it is only a hint.
    pub p_value: f64,
}

impl ProportionDifference {
    /// How many would be expected with the property, or without it, were there no difference: the fewest of the four
    /// numbers of both sides. 0 when all answers are alike.
    pub fn fewest_expected(before: Proportion, after: Proportion) -> f64 {
        let together = Self::together(before, after);
        together.min(1.0 - together).max(0.0) * before.size.min(after.size)
    }

    /// The share of both together.
    fn together(before: Proportion, after: Proportion) -> f64 {
        // What rounding would miss.
        if before.share == after.share {
            return before.share;
        }
        let size = before.size + after.size;
        before.share * (before.size / size) + after.share * (after.size / size)
    }

    /// From `before` to `after`.
    pub fn between(before: Proportion, after: Proportion, level: Level) -> Self {
        let together = Self::together(before, after);
        let error = (together * (1.0 - together) * (1.0 / before.size + 1.0 / after.size)).max(0.0).sqrt();
        let shift = after.share - before.share;
        let z = if shift == 0.0 || error == 0.0 { 0.0 } else { shift / error };
        Self {
            difference: 100.0 * shift,
            interval: Interval::of_difference((before.share, before.wilson(level)), (after.share, after.wilson(level)))
                .within(-1.0, 1.0)
                .times(100.0),
            z,
            p_value: tail::normal(z),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(before: (u64, u64), after: (u64, u64)) -> ProportionDifference {
        let [before, after] = [before, after].map(|(hits, size)| Proportion::new(hits, size).unwrap());
        ProportionDifference::between(before, after, Level::P95)
    }

    /// Newcombe's table II gives, for method 10, the differences of the first share minus the second.
    #[test]
    fn published_limits() {
        for (first, second, lower, upper) in [
            ((56, 70), (48, 80), 5.24, 33.39),
            ((9, 10), (3, 10), 17.05, 80.90),
            ((6, 7), (2, 7), 5.82, 80.62),
            ((5, 56), (0, 29), -3.81, 19.26),
            ((0, 10), (0, 20), -16.11, 27.75),
            ((0, 10), (0, 10), -27.75, 27.75),
            ((10, 10), (0, 20), 67.91, 100.0),
            ((10, 10), (0, 10), 60.75, 100.0),
        ] {
            let Interval { lower: low, upper: high } = between(second, first).interval;
            assert!((low - lower).abs() < 0.005 && (high - upper).abs() < 0.005, "{first:?} {second:?}: {low}..{high}");
        }
    }

    #[test]
    fn the_test_is_pearsons() {
        let change = between((48, 80), (56, 70));
        assert!((change.z.powi(2) - 7.023_411_371).abs() < 1e-8, "{}", change.z.powi(2));
        assert!((change.p_value - 0.008_045_0).abs() < 1e-6, "{}", change.p_value);
    }

    #[test]
    fn the_fewest_are_expected_on_the_smaller_side() {
        let expected = |before: (u64, u64), after: (u64, u64)| {
            let [before, after] = [before, after].map(|(hits, size)| Proportion::new(hits, size).unwrap());
            ProportionDifference::fewest_expected(before, after)
        };
        // 24 of 120 have it: a fifth, of 40 and of 80.
        assert!((expected((4, 40), (20, 80)) - 8.0).abs() < 1e-12);
        assert!((expected((36, 40), (60, 80)) - 8.0).abs() < 1e-12);
        assert_eq!((expected((0, 40), (0, 80)), expected((40, 40), (80, 80))), (0.0, 0.0));
    }

    /// Over all outcomes of ten and of fifteen answers, by their chances.
    #[test]
    fn a_handful_of_answers_holds_the_level() {
        let chance = |hits: u64, size: u64, share: f64| {
            let ways = (0..hits).fold(1.0, |ways, index| ways * (size - index) as f64 / (index + 1) as f64);
            let (hits, misses) = (f64::from(u32::try_from(hits).unwrap()), (size - hits) as f64);
            ways * share.powf(hits) * (1.0 - share).powf(misses)
        };
        for (before, after) in [(0.5, 0.5), (0.9, 0.9), (0.2, 0.7), (0.95, 0.6)] {
            let mut coverage = 0.0;
            for (first, second) in (0..=10).flat_map(|first| (0..=15).map(move |second| (first, second))) {
                if between((first, 10), (second, 15)).interval.contains(100.0 * (after - before)) {
                    coverage += chance(first, 10, before) * chance(second, 15, after);
                }
            }
            assert!(coverage > 0.93, "{before} {after}: {coverage}");
        }
    }

    #[test]
    fn all_alike_is_no_difference() {
        for (hits, others) in [(0, 0), (3, 7)] {
            let change = between((hits, 3), (others, 7));
            assert_eq!((change.difference, change.z, change.p_value), (0.0, 0.0, 1.0));
        }
        assert_eq!(Proportion::new(0, 0), None);
        assert_eq!(Proportion::new(2, 1), None);
        assert_eq!(Proportion::weighted(1.0, 0.0, 0.0), None);
        assert_eq!(Proportion::weighted(f64::NAN, 1.0, 1.0), None);
        assert_eq!(Proportion::weighted(2.0, 1.0, 1.0), None);
    }

    #[test]
    fn one_answer() {
        let one = Proportion::new(1, 1).unwrap();
        let Interval { lower, upper } = one.interval(Level::P95);
        assert!((lower - 20.654_931_437_723).abs() < 1e-9 && upper == 100.0, "{lower}..{upper}");
        assert_eq!(Proportion::weighted(2.0, 2.0, 4.0), Some(one));
    }

    fn some() -> impl Strategy<Value = (u64, u64)> {
        (1_u64..3_000).prop_flat_map(|size| (0..=size, Just(size)))
    }

    proptest! {
        #[test]
        fn limits_enclose_and_stay_on_the_scale(before in some(), after in some()) {
            let change = between(before, after);
            prop_assert!(change.interval.contains(change.difference), "{change:?}");
            prop_assert!(change.interval.lower >= -100.0 && change.interval.upper <= 100.0);
            prop_assert!((0.0..=1.0).contains(&change.p_value) && change.z.is_finite());
            let back = between(after, before);
            prop_assert_eq!((change.difference, change.z), (-back.difference, -back.z));
        }

        #[test]
        fn hits_and_misses_swapped_swap_the_sign(before in some(), after in some()) {
            let missed = |(hits, size): (u64, u64)| (size - hits, size);
            let (hits, misses) = (between(before, after), between(missed(before), missed(after)));
            prop_assert!((hits.z + misses.z).abs() < 1e-9 * (1.0 + hits.z.abs()));
            prop_assert!((hits.interval.lower + misses.interval.upper).abs() < 1e-9);
        }

        #[test]
        fn wilson_limits_solve_their_equation(counts in some()) {
            let of = Proportion::new(counts.0, counts.1).unwrap();
            let Interval { lower, upper } = of.wilson(Level::P95);
            for limit in [lower, upper] {
                if limit > 0.0 && limit < 1.0 {
                    let z = (of.share - limit).abs() / (limit * (1.0 - limit) / of.size).sqrt();
                    prop_assert!((z - Level::P95.z()).abs() < 1e-6, "{z}");
                }
            }
        }
    }
}
