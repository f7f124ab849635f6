//! How far the scores of several channels lie apart, beyond what chance alone would spread.

use statrs::function::gamma::{gamma_lr, ln_gamma};

use crate::{Interval, Level};

/// Answers of one channel: how many, their sum and the sum of their squares.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Channel {
    /// How many answers there are, more than 0.
    pub answers: f64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
}

impl Channel {
    /// Promoters, passives and detractors as answers of 1, 0 and −1.
    pub fn of_nps([promoters, passives, detractors]: [f64; 3]) -> Self {
        Self {
            answers: promoters + passives + detractors,
            sum: promoters - detractors,
            squares: promoters + detractors,
        }
    }
}

/// The spread of the channels' true means about the mean of all, each weighted by its answers: ω = √(Σ n(μ − μ̄)²/N).
///
/// The means found spread by more: with SSB = Σ n(m − m̄)², of k channels whose answers all have the variance σ²,
/// E[SSB] = Nω² + (k − 1)σ². So ω² is estimated by (SSB − (k − 1)·MSW)/N, and by 0 where that is negative, MSW being the
/// variance within channels, SSW/(N − k).
///
/// SSB/σ² follows the noncentral χ² distribution with k − 1 degrees of freedom and λ = Nω²/σ², closely where answers are
/// many; the limits of ω are those of the λ at which what was found would be at the limit of what chance does. Should the
/// means lie closer together than chance would have them, the upper limit is taken as if they lay as chance has them.
///
/// Source: J. H. Steiger, "Beyond the F Test: Effect Size Confidence Intervals and Tests of Close Fit in the Analysis of
/// Variance and Contrast Analysis", Psychological Methods 9 (2004), 164–182.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consistency {
    /// N, the answers of all channels.
    answers: f64,
    /// k − 1, at least 1.
    degrees: f64,
    /// SSB.
    between: f64,
    /// MSW.
    within: f64,
}

/// Above this, √X is taken as normal with mean √(λ + k − 1) and variance 1: the limits of λ differ by less than k/λ of
/// themselves.
const LARGE: f64 = 1e5;

impl Consistency {
    /// Of these channels. `None` unless there are at least two, and more answers than channels.
    pub fn of(channels: &[Channel]) -> Option<Self> {
        let answers: f64 = channels.iter().map(|of| of.answers).sum();
        let (count, sum) = (channels.len() as f64, channels.iter().map(|of| of.sum).sum::<f64>());
        if channels.len() < 2 || answers <= count || channels.iter().any(|of| of.answers <= 0.0) {
            return None;
        }
        let mean = sum / answers;
        let between = channels.iter().map(|of| of.answers * (of.sum / of.answers - mean).powi(2)).sum();
        let within: f64 = channels.iter().map(|of| (of.squares - of.sum * of.sum / of.answers).max(0.0)).sum();
        Some(Self { answers, degrees: count - 1.0, between, within: within / (answers - count) })
    }

    /// ω, in the unit of the answers.
    pub fn spread(&self) -> f64 {
        ((self.between - self.degrees * self.within).max(0.0) / self.answers).sqrt()
    }

    /// The spread of the means found, √(SSB/N): what chance adds is in it.
    pub fn found(&self) -> f64 {
        (self.between / self.answers).sqrt()
    }

    /// The limits of ω. `None` where the answers of each channel are all alike.
    pub fn interval(&self, level: Level) -> Option<Interval> {
        let found = self.between / self.within;
        if self.within <= 0.0 || !found.is_finite() {
            return None;
        }
        let tail = (1.0 - level.share()) / 2.0;
        let limit = |found: f64, share: f64, z: f64| {
            let lambda = if found > LARGE {
                ((found - self.degrees).sqrt() + z).powi(2)
            } else {
                noncentrality(found, self.degrees, share)
            };
            (lambda * self.within / self.answers).sqrt()
        };
        let lower = limit(found, 1.0 - tail, -level.z());
        Some(Interval { lower, upper: limit(found.max(self.degrees), tail, level.z()) })
    }
}

/// The λ at which the noncentral χ² distribution has this share up to x; 0 where it has less even at 0.
fn noncentrality(x: f64, degrees: f64, share: f64) -> f64 {
    if noncentral(x, degrees, 0.0) <= share {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, x + 10.0);
    while noncentral(x, degrees, high) > share {
        high *= 2.0;
    }
    // The share falls with λ: halved until nothing lies between.
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if noncentral(x, degrees, middle) > share {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// P(X ≤ x) of the noncentral χ² distribution: central ones with k + 2j degrees of freedom, weighted by the Poisson
/// distribution of j with mean λ/2, from its middle outwards.
///
/// Source: C. G. Ding, "Algorithm AS 275: Computing the Non-Central χ² Distribution Function", Applied Statistics 41 (1992),
/// 478–482; the recurrence is that of the incomplete gamma function, P(a + 1, y) = P(a, y) − yᵃe⁻ʸ/Γ(a + 1).
fn noncentral(x: f64, degrees: f64, lambda: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let (half, y) = (lambda / 2.0, x / 2.0);
    let middle = half.floor();
    let shape = degrees / 2.0 + middle;
    let share = gamma_lr(shape, y);
    // What P falls by from this shape to the next.
    let step = (shape * y.ln() - y - ln_gamma(shape + 1.0)).exp();
    let weight = if half > 0.0 { (middle * half.ln() - half - ln_gamma(middle + 1.0)).exp() } else { 1.0 };
    let mut total = weight * share;
    let (mut w, mut p, mut g, mut j) = (weight, share, step, middle);
    while w > NOTHING && p > 0.0 && half > 0.0 {
        p -= g;
        j += 1.0;
        g *= y / (degrees / 2.0 + j);
        w *= half / j;
        total += w * p.max(0.0);
    }
    let (mut w, mut p, mut g, mut j) = (weight, share, step, middle);
    while w > NOTHING && j > 0.0 {
        g *= (degrees / 2.0 + j) / y;
        p += g;
        w *= j / half;
        j -= 1.0;
        total += w * p.min(1.0);
    }
    total.clamp(0.0, 1.0)
}

/// Weights that add nothing any more.
const NOTHING: f64 = 1e-18;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chance::Chance;

    fn nps(counts: &[[f64; 3]]) -> Option<Consistency> {
        Consistency::of(&counts.iter().map(|counts| Channel::of_nps(*counts)).collect::<Vec<_>>())
    }

    #[test]
    fn the_noncentral_distribution() {
        // By scipy 1.17, stats.ncx2.cdf; at 0 stats.chi2.cdf.
        for (x, degrees, lambda, share) in [
            (3.0, 2.0, 0.0, 0.776_869_839_851_570_2),
            (3.0, 2.0, 1.5, 0.551_314_141_393_785),
            (10.0, 4.0, 20.0, 0.043_444_850_665_900_65),
            (900.0, 3.0, 1_000.0, 0.048_937_362_749_565_78),
        ] {
            assert!((noncentral(x, degrees, lambda) - share).abs() < 1e-9, "{x} {degrees} {lambda}");
        }
        assert_eq!(noncentral(0.0, 3.0, 5.0), 0.0);
    }

    #[test]
    fn two_channels_by_hand() {
        // Scores of 50 and 0 of 20 answers each: SSB = 2.5, SSW = 10 − 5 + 10 = 15, of 38 degrees of freedom.
        let two = nps(&[[10.0, 10.0, 0.0], [5.0, 10.0, 5.0]]).unwrap();
        assert!((two.between - 2.5).abs() < 1e-12 && (two.within - 15.0 / 38.0).abs() < 1e-12, "{two:?}");
        assert!((two.spread() - ((2.5 - 15.0 / 38.0) / 40.0_f64).sqrt()).abs() < 1e-12);
        assert!((two.found() - 0.25).abs() < 1e-12, "half of the distance");
        let limits = two.interval(Level::P95).unwrap();
        assert!(limits.lower > 0.0 && limits.contains(two.spread()), "{limits:?}");
    }

    #[test]
    fn nothing_one_channel_and_all_alike() {
        assert_eq!(nps(&[]), None);
        assert_eq!(nps(&[[10.0, 10.0, 0.0]]), None);
        assert_eq!(nps(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), None, "as many answers as channels");
        let alike = nps(&[[5.0, 0.0, 0.0], [7.0, 0.0, 0.0]]).unwrap();
        assert_eq!((alike.spread(), alike.interval(Level::P95)), (0.0, None));
        let apart = nps(&[[5.0, 0.0, 0.0], [0.0, 0.0, 5.0]]).unwrap();
        assert_eq!((apart.spread(), apart.interval(Level::P95)), (1.0, None));
        let same = nps(&[[5.0, 5.0, 5.0], [50.0, 50.0, 50.0]]).unwrap();
        assert_eq!((same.spread(), same.interval(Level::P95).unwrap().lower), (0.0, 0.0));
        assert!(same.interval(Level::P95).unwrap().upper > 0.05, "closer than by chance is not surely the same");
    }

    #[test]
    fn large_samples_go_over_smoothly() {
        for found in [0.9, 0.99, 1.01, 1.1].map(|factor| factor * LARGE) {
            let of = Consistency { answers: 1e6, degrees: 4.0, between: found, within: 1.0 };
            let limits = of.interval(Level::P95).unwrap();
            let expected = |z: f64| (((found - 4.0).sqrt() + z).powi(2) / 1e6).sqrt();
            assert!((limits.lower / expected(-Level::P95.z()) - 1.0).abs() < 1e-4, "{found}");
            assert!((limits.upper / expected(Level::P95.z()) - 1.0).abs() < 1e-4, "{found}");
        }
    }

    /// Of answers drawn from channels with known scores, the interval of 95 % holds the true spread about as often.
    #[test]
    fn the_interval_covers_the_truth() {
        let mut chance = Chance::new(7);
        for (shares, sizes) in [
            ([[0.5, 0.3, 0.2]; 4], [40, 80, 120, 400]),
            ([[0.5, 0.3, 0.2], [0.6, 0.25, 0.15], [0.4, 0.3, 0.3], [0.5, 0.2, 0.3]], [60, 60, 100, 300]),
            ([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.5, 0.3, 0.2], [0.45, 0.35, 0.2]], [200, 200, 50, 100]),
        ] {
            let total = f64::from(sizes.iter().sum::<u32>());
            let score = |of: &[f64; 3]| of[0] - of[2];
            let mean = shares.iter().zip(sizes).map(|(of, size)| f64::from(size) * score(of)).sum::<f64>() / total;
            let away = |(of, size): (&[f64; 3], u32)| f64::from(size) * (score(of) - mean).powi(2);
            let truth = (shares.iter().zip(sizes).map(away).sum::<f64>() / total).sqrt();
            let mut covered = 0;
            for _ in 0..1_000 {
                let counts: Vec<_> = shares
                    .iter()
                    .zip(sizes)
                    .map(|(of, size)| {
                        let mut counts = [0.0; 3];
                        for _ in 0..size {
                            let drawn = chance.uniform();
                            counts[usize::from(drawn > of[0]) + usize::from(drawn > of[0] + of[1])] += 1.0;
                        }
                        counts
                    })
                    .collect();
                let limits = nps(&counts).unwrap().interval(Level::P95).unwrap();
                covered += i32::from(limits.contains(truth));
            }
            assert!((930..=1_000).contains(&covered), "{covered} of 1,000 hold {truth}");
        }
    }

    proptest! {
        #[test]
        fn the_limits_enclose_the_spread_and_order_changes_nothing(
            counts in prop::collection::vec((0_u32..50, 0_u32..50, 0_u32..50), 2..8),
        ) {
            let mut counts: Vec<_> = counts.iter().map(|(p, a, d)| [*p, *a, *d].map(f64::from)).collect();
            counts.retain(|counts| counts.iter().sum::<f64>() > 0.0);
            let one = nps(&counts);
            counts.reverse();
            match (one, nps(&counts)) {
                (Some(one), Some(other)) => {
                    prop_assert!((one.spread() - other.spread()).abs() < 1e-9);
                    prop_assert!((0.0..=1.0).contains(&one.spread()) && one.spread() <= one.found() + 1e-12);
                    if let Some(limits) = one.interval(Level::P95) {
                        prop_assert!(limits.lower <= one.spread() + 1e-9 && one.spread() <= limits.upper + 1e-9, "{:?}", limits);
                    }
                }
                (one, other) => prop_assert_eq!(one, other),
            }
        }
    }
}
