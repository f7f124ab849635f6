//! The net share of promoters, and its confidence intervals.

use super::interval::Interval;
use super::level::Level;

/// How the interval of a Net Promoter Score is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Method {
    /// The score interval, [`Split::score_interval`].
    #[default]
    Score,
    /// The adjusted Wald interval AW(3,T), [`Split::adjusted_wald_interval`].
    AdjustedWald,
}

/// Effective numbers of promoters, passives and detractors; θ = (P − D)/n is their net share, −1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// P.
    pub promoters: f64,
    /// A.
    pub passives: f64,
    /// D.
    pub detractors: f64,
}

impl Split {
    /// The interval of θ, −1 to 1, by `method`. `None` over nothing.
    pub fn interval(self, method: Method, level: Level) -> Option<Interval> {
        match method {
            Method::Score => self.score_interval(level),
            Method::AdjustedWald => self.adjusted_wald_interval(level),
        }
    }

    /// The score interval of θ: all δ with |P − D − nδ| / √(n(2q + δ(1 − δ))) ≤ z, where q is the likeliest share of
    /// detractors if θ were δ. It stays within −1 to 1 and holds its level in small and one-sided samples, where the
    /// plain Wald interval collapses. `None` over nothing.
    ///
    /// Source: T. Tango, "Equivalence test and confidence interval for the difference in proportions for the
    /// paired-sample design", Statistics in Medicine 17 (1998), 891–908; the score is the difference of the shares of
    /// promoters and detractors, which exclude one another as discordant pairs do.
    pub fn score_interval(self, level: Level) -> Option<Interval> {
        let z = level.z();
        // Promoters and detractors swapped, θ changes its sign, and the limits their sides.
        (self.size() > 0.0)
            .then(|| Interval { lower: self.lower_score_limit(z), upper: -self.swapped().lower_score_limit(z) })
    }

    /// The adjusted Wald interval AW(3,T) of θ: the Wald interval θ ± z√(σ²/n) after adding ¾ of a promoter, 1½
    /// passives and ¾ of a detractor, cut to −1 to 1. `None` over nothing.
    ///
    /// Source: B. Rocks, "Interval Estimation for the 'Net Promoter Score'", The American Statistician 70 (2016),
    /// 365–372.
    pub fn adjusted_wald_interval(self, level: Level) -> Option<Interval> {
        let adjusted = (self.size() > 0.0).then(|| self.adjusted())?;
        let (theta, reach) = (adjusted.theta(), level.z() * adjusted.standard_error());
        Some(Interval { lower: theta - reach, upper: theta + reach }.within(-1.0, 1.0))
    }

    /// n = P + A + D.
    pub fn size(self) -> f64 {
        self.promoters + self.passives + self.detractors
    }

    /// θ = (P − D)/n, −1 to 1; not a number over nothing.
    pub fn theta(self) -> f64 {
        (self.promoters - self.detractors) / self.size()
    }

    /// SE = √(σ²/n), where σ² = (P + D)/n − θ² is the variance of one answer counted as 1, 0 or −1.
    pub fn standard_error(self) -> f64 {
        let variance = (self.promoters + self.detractors) / self.size() - self.theta().powi(2);
        (variance.max(0.0) / self.size()).sqrt()
    }

    /// The counts of the adjusted Wald interval: ¾, 1½ and ¾ of an answer more.
    #[must_use]
    pub fn adjusted(self) -> Self {
        Self { promoters: self.promoters + 0.75, passives: self.passives + 1.5, detractors: self.detractors + 0.75 }
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

    fn split(promoters: f64, passives: f64, detractors: f64) -> Split {
        Split { promoters, passives, detractors }
    }

    fn assert_limits(found: Option<Interval>, lower: f64, upper: f64, tolerance: f64) {
        let Interval { lower: low, upper: high } = found.expect("an interval").percent();
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
            assert_limits(split(p, a, d).score_interval(Level::P95), lower, upper, 1e-9);
        }
    }

    #[test]
    fn score_limits_of_one_sided_samples() {
        assert_limits(split(1.0, 0.0, 0.0).score_interval(Level::P95), -58.690_137_124_552, 100.0, 1e-9);
        assert_limits(split(10.0, 0.0, 0.0).score_interval(Level::P95), 44.493_440_027_422, 100.0, 1e-9);
        assert_limits(split(0.0, 0.0, 10.0).score_interval(Level::P95), -100.0, -44.493_440_027_422, 1e-9);
        // All passive: q = 0, and the limits are ±z²/(n + z²).
        let z2 = Level::P95.z().powi(2);
        let limit = 100.0 * z2 / (10.0 + z2);
        assert_limits(split(0.0, 10.0, 0.0).score_interval(Level::P95), -limit, limit, 1e-9);
        assert_limits(split(1.0, 0.0, 1.0).score_interval(Level::P95), -81.093_758_853_153, 81.093_758_853_153, 1e-9);
        assert_eq!(split(0.0, 0.0, 0.0).score_interval(Level::P95), None);
    }

    #[test]
    fn adjusted_wald_limits_as_published() {
        let aw = |p, a, d| split(p, a, d).adjusted_wald_interval(Level::P95);
        assert_limits(aw(50.0, 30.0, 20.0), 14.051_130_178_761, 44.201_297_005_704, 1e-9);
        assert_limits(aw(5.0, 3.0, 2.0), -19.050_615_376_363, 65.204_461_530_209, 1e-9);
        assert_limits(aw(10.0, 0.0, 0.0), 47.503_551_544_790, 100.0, 1e-9);
        assert_eq!(aw(0.0, 0.0, 0.0), None);
    }

    proptest! {
        #[test]
        fn an_interval_holds_its_figure_and_widens_with_its_level(
            p in 0_u32..2_000, a in 0_u32..2_000, d in 0_u32..2_000, share in 0.01..0.99,
        ) {
            prop_assume!(p + a + d > 0);
            let split = split(f64::from(p), f64::from(a), f64::from(d));
            let (narrow, wide) = (Level::new(share).expect("a level"), Level::new(0.999).expect("a level"));
            let inner = split.score_interval(narrow).expect("an interval");
            let outer = split.score_interval(wide).expect("an interval");
            prop_assert!(-1.0 <= outer.lower && outer.lower <= inner.lower && inner.lower <= split.theta() + 1e-12);
            prop_assert!(split.theta() - 1e-12 <= inner.upper && inner.upper <= outer.upper && outer.upper <= 1.0);
        }

        #[test]
        fn at_its_limits_the_score_statistic_is_z(p in 1_u32..500, a in 1_u32..500, d in 1_u32..500) {
            let split = split(f64::from(p), f64::from(a), f64::from(d));
            let Interval { lower, upper } = split.score_interval(Level::P95).expect("an interval");
            for delta in [lower, upper] {
                let distance = (split.promoters - split.detractors - split.size() * delta).abs();
                let statistic = distance / (split.size() * split.variance_at(delta)).sqrt();
                prop_assert!((statistic / Level::P95.z() - 1.0).abs() < 1e-9, "{statistic}");
            }
        }
    }
}
