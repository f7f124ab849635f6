//! The Net Promoter Score of a sample, with its confidence intervals.

use crate::{Interval, Level, comparison::effective_size};

/// How the interval of a Net Promoter Score is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ScoreMethod {
    /// The score interval, [`NpsCounts::score_interval`].
    #[default]
    Score,
    /// The adjusted Wald interval AW(3,T), [`NpsCounts::adjusted_wald_interval`].
    AdjustedWald,
}

/// Effective numbers of promoters, passives and detractors, not all 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NpsCounts {
    promoters: f64,
    passives: f64,
    detractors: f64,
}

impl NpsCounts {
    /// Of so many answers, each counting as itself. `None` without any.
    pub fn new(promoters: u64, passives: u64, detractors: u64) -> Option<Self> {
        let [promoters, passives, detractors] = [promoters, passives, detractors].map(|count| count as f64);
        let counts = Self { promoters, passives, detractors };
        (counts.size() > 0.0).then_some(counts)
    }

    /// Of weighted answers: the sums of the weights of promoters, passives and detractors, and the sum of the squares
    /// of all weights. `None` when no weights above 0 have such sums.
    pub fn weighted([promoters, passives, detractors]: [f64; 3], sum_of_squares: f64) -> Option<Self> {
        let sum = promoters + passives + detractors;
        let scale = effective_size(sum, sum_of_squares)? / sum;
        let counts = Self { promoters: promoters * scale, passives: passives * scale, detractors: detractors * scale };
        ([promoters, passives, detractors].iter().all(|sum| *sum >= 0.0) && counts.size().is_finite()).then_some(counts)
    }

    /// Of effective numbers as they are. `None` unless all are finite, none is below 0 and their sum above it.
    pub fn effective(promoters: f64, passives: f64, detractors: f64) -> Option<Self> {
        let counts = Self { promoters, passives, detractors };
        let usable = [promoters, passives, detractors].iter().all(|count| count.is_finite() && *count >= 0.0);
        (usable && counts.size() > 0.0 && counts.size().is_finite()).then_some(counts)
    }

    /// n, or n_eff: at least 1.
    pub fn size(self) -> f64 {
        self.promoters + self.passives + self.detractors
    }

    /// NPS = 100·(P − D)/n, −100 to 100.
    pub fn score(self) -> f64 {
        100.0 * self.promoters / self.size() - 100.0 * self.detractors / self.size()
    }

    /// SE = √(σ²/n) of the score in points, where σ² is the variance of one answer counted as 100, 0 or −100.
    pub fn standard_error(self) -> f64 {
        (self.variance() / self.size()).sqrt()
    }

    /// σ² = 10⁴·((P + D)/n − ((P − D)/n)²), in squared points. Written as a sum of products, of which none is below 0:
    /// (P·A + A·D + 4·P·D)/n² is the same, and exactly 0 when all answers are of one kind.
    pub(crate) fn variance(self) -> f64 {
        let [p, a, d] = [self.promoters, self.passives, self.detractors].map(|count| count / self.size());
        1e4 * (p * a + a * d + 4.0 * p * d)
    }

    /// The counts of AW(3,T).
    pub(crate) fn adjusted(self) -> Self {
        Self { promoters: self.promoters + 0.75, passives: self.passives + 1.5, detractors: self.detractors + 0.75 }
    }

    /// The interval of the score, −100 to 100, by `method`.
    pub fn interval(self, method: ScoreMethod, level: Level) -> Interval {
        match method {
            ScoreMethod::Score => self.score_interval(level),
            ScoreMethod::AdjustedWald => self.adjusted_wald_interval(level),
        }
    }

    /// The score interval, −100 to 100. With θ = (P − D)/n it holds all δ with |P − D − nδ| / √(n(2q + δ(1 − δ))) ≤ z, where q
    /// is the likeliest share of detractors if θ were δ. It stays on the scale and holds its level in small and one-sided
    /// samples, where the plain Wald interval collapses.
    ///
    /// Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
    /// paired-sample design", Statistics in Medicine 17 (1998), 891–908; the score is the difference of the shares of
    /// promoters and detractors, which exclude one another as discordant pairs do.
    pub fn score_interval(self, level: Level) -> Interval {
        let z = level.z();
        // Promoters and detractors swapped, θ changes its sign, and the limits their sides.
        Interval { lower: self.lower_score_limit(z), upper: -self.swapped().lower_score_limit(z) }.times(100.0)
    }

    /// The adjusted Wald interval AW(3,T), −100 to 100: θ ± z√(σ²/n) after adding ¾ of a promoter, 1½ passives and ¾ of a
    /// detractor, cut to the scale.
    ///
    /// Source: B. Rocks, "Interval Estimation for the 'Net Promoter Score'", The American Statistician 70 (2016),
    /// 365–372.
    pub fn adjusted_wald_interval(self, level: Level) -> Interval {
        let adjusted = self.adjusted();
        let theta = adjusted.theta();
        let variance = (adjusted.promoters + adjusted.detractors) / adjusted.size() - theta.powi(2);
        let reach = level.z() * (variance.max(0.0) / adjusted.size()).sqrt();
        Interval { lower: theta - reach, upper: theta + reach }.within(-1.0, 1.0).times(100.0)
    }

    /// θ = (P − D)/n, −1 to 1.
    fn theta(self) -> f64 {
        (self.promoters - self.detractors) / self.size()
    }

    fn swapped(self) -> Self {
        Self { promoters: self.detractors, detractors: self.promoters, ..self }
    }

    /// The δ in [−1, θ] at which (P − D − nδ) / √(n·variance(δ)) falls to z. That quotient falls all the way, from
    /// above z at −1 to 0 at θ, so halving finds the one crossing; 64 halvings of at most 2 leave less than 2e-19.
    fn lower_score_limit(self, z: f64) -> f64 {
        let n = self.size();
        let too_low =
            |delta: f64| self.promoters - self.detractors - n * delta > z * (n * self.variance_at(delta)).sqrt();
        let (mut below, mut above) = (-1.0, self.theta().clamp(-1.0, 1.0));
        for _ in 0..64 {
            let middle = f64::midpoint(below, above);
            if too_low(middle) {
                below = middle;
            } else {
                above = middle;
            }
        }
        f64::midpoint(below, above)
    }

    /// 2q + δ(1 − δ), the variance of one answer if θ were δ, with q the root of A·q² + B·q + C = 0 that is a share:
    /// A = 2n, B = −P − D + (2n − P + D)δ, C = −Dδ(1 − δ).
    fn variance_at(self, delta: f64) -> f64 {
        // The same value with promoters and detractors swapped. From 0 on C ≤ 0, which leaves nothing to cancel.
        if delta < 0.0 {
            return self.swapped().variance_at(-delta);
        }
        let n = self.size();
        let a = 2.0 * n;
        let b = -self.promoters - self.detractors + (2.0 * n - self.promoters + self.detractors) * delta;
        let c = -self.detractors * delta * (1.0 - delta);
        let root = (b * b - 4.0 * a * c).sqrt();
        // Two forms of the same root, each where it adds.
        let q = if b > 0.0 { -2.0 * c / (root + b) } else { (root - b) / (2.0 * a) };
        2.0 * q + delta * (1.0 - delta)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(promoters: f64, passives: f64, detractors: f64) -> NpsCounts {
        NpsCounts::effective(promoters, passives, detractors).unwrap()
    }

    fn assert_limits(found: Interval, lower: f64, upper: f64, tolerance: f64) {
        let Interval { lower: low, upper: high } = found;
        assert!(
            (low - lower).abs() <= tolerance && (high - upper).abs() <= tolerance,
            "{low}..{high}, not {lower}..{upper}"
        );
    }

    #[test]
    fn score_limits_as_published() {
        for ((p, a, d), lower, upper) in [
            ((50.0, 30.0, 20.0), 13.955_141_614_195, 44.339_306_633_585),
            ((5.0, 3.0, 2.0), -21.659_219_749_038, 67.527_788_798_825),
            ((1436.0, 968.0, 342.0), 37.189_417_105_495, 42.418_841_416_838),
            ((1e6, 1.0, 0.0), 99.999_131_712_439, 99.999_982_347_559),
            ((0.0, 5.0, 1.0), -56.350_282_218_647, 28.872_333_588_585),
            ((3.0, 5.0, 0.0), -7.106_040_171_533, 69.425_760_539_737),
            ((123_456.0, 654_321.0, 99_999.0), 2.566_924_762_650, 2.777_729_924_365),
        ] {
            assert_limits(counts(p, a, d).score_interval(Level::P95), lower, upper, 1e-9);
        }
    }

    #[test]
    fn score_limits_of_one_sided_samples() {
        assert_limits(counts(1.0, 0.0, 0.0).score_interval(Level::P95), -58.690_137_124_552, 100.0, 1e-9);
        assert_limits(counts(10.0, 0.0, 0.0).score_interval(Level::P95), 44.493_440_027_422, 100.0, 1e-9);
        assert_limits(counts(0.0, 0.0, 10.0).score_interval(Level::P95), -100.0, -44.493_440_027_422, 1e-9);
        // All passive: q = 0, and the limits are ±z²/(n + z²).
        let z2 = Level::P95.z().powi(2);
        let limit = 100.0 * z2 / (10.0 + z2);
        assert_limits(counts(0.0, 10.0, 0.0).score_interval(Level::P95), -limit, limit, 1e-9);
        assert_limits(counts(1.0, 0.0, 1.0).score_interval(Level::P95), -81.093_758_853_153, 81.093_758_853_153, 1e-9);
    }

    #[test]
    fn adjusted_wald_limits_as_published() {
        let aw = |p, a, d| counts(p, a, d).adjusted_wald_interval(Level::P95);
        assert_limits(aw(50.0, 30.0, 20.0), 14.051_130_178_761, 44.201_297_005_704, 1e-9);
        assert_limits(aw(5.0, 3.0, 2.0), -19.050_615_376_363, 65.204_461_530_209, 1e-9);
        assert_limits(aw(10.0, 0.0, 0.0), 47.503_551_544_790, 100.0, 1e-9);
    }

    #[test]
    fn nothing_and_what_is_no_count_is_no_sample() {
        for [p, a, d] in [[0.0; 3], [1.0, -0.5, 0.0], [f64::NAN, 1.0, 1.0], [f64::INFINITY, 1.0, 1.0]] {
            assert_eq!(NpsCounts::effective(p, a, d), None);
        }
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_figure_and_widens_with_its_level(
            p in 0_u32..2_000, a in 0_u32..2_000, d in 0_u32..2_000, share in 0.01..0.99,
        ) {
            prop_assume!(p + a + d > 0);
            let sample = counts(f64::from(p), f64::from(a), f64::from(d));
            let (narrow, wide) = (Level::new(share).unwrap(), Level::new(0.999).unwrap());
            let inner = sample.score_interval(narrow);
            let outer = sample.score_interval(wide);
            prop_assert!(-100.0 <= outer.lower && outer.lower <= inner.lower && inner.lower <= sample.score() + 1e-10);
            prop_assert!(sample.score() - 1e-10 <= inner.upper && inner.upper <= outer.upper && outer.upper <= 100.0);
        }

        #[test]
        fn the_variance_is_that_of_the_definition(p in 0_u32..2_000, a in 0_u32..2_000, d in 0_u32..2_000) {
            prop_assume!(p + a + d > 0);
            let sample = counts(f64::from(p), f64::from(a), f64::from(d));
            let net = sample.score() / 100.0;
            let definition = 1e4 * ((sample.promoters + sample.detractors) / sample.size() - net * net);
            prop_assert!((sample.variance() - definition).abs() < 1e-8);
        }

        #[test]
        fn at_its_limits_the_score_statistic_is_z(p in 1_u32..500, a in 1_u32..500, d in 1_u32..500) {
            let sample = counts(f64::from(p), f64::from(a), f64::from(d));
            let Interval { lower, upper } = sample.score_interval(Level::P95);
            for delta in [lower / 100.0, upper / 100.0] {
                let distance = (sample.promoters - sample.detractors - sample.size() * delta).abs();
                let statistic = distance / (sample.size() * sample.variance_at(delta)).sqrt();
                prop_assert!((statistic / Level::P95.z() - 1.0).abs() < 1e-8, "{statistic}");
            }
        }
    }
}
