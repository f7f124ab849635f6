//! Random numbers that follow from a seed and from nothing else.

use statrs::{
    distribution::{ContinuousCDF, Normal},
    function::gamma::ln_gamma,
};

use crate::number::floor;

/// SplitMix64: the i-th number is mix(seed + i·0x9E3779B97F4A7C15).
///
/// Source: G. L. Steele, D. Lea, C. H. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, 453–472.
pub(crate) struct Chance {
    state: u64,
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Between 0 and 1, neither included.
    pub(crate) fn uniform(&mut self) -> f64 {
        // Of 53 bits the largest, and a half, would round to 1.
        ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// From the standard normal distribution, by the inverse of its distribution function.
    pub(crate) fn normal(&mut self) -> f64 {
        Normal::standard().inverse_cdf(self.uniform())
    }

    /// How many of `n` hit, each with probability `p`: by inversion of one uniform number. `n` up to 10⁹, beyond which
    /// the chance of the likeliest number loses its digits.
    ///
    /// Source: L. Devroye, "Non-Uniform Random Variate Generation" (1986), section X.4.
    pub(crate) fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if n == 0 || p <= 0.0 {
            0
        } else if p >= 1.0 {
            n
        } else if p > 0.5 {
            n - self.binomial(n, 1.0 - p)
        } else if n as f64 * p < 10.0 {
            self.count_up(n, p)
        } else {
            self.spread_out(n, p)
        }
    }

    fn count_up(&mut self, n: u64, p: f64) -> u64 {
        let odds = p / (1.0 - p);
        let mut left = self.uniform();
        let mut chance = (n as f64 * (-p).ln_1p()).exp();
        let mut hits = 0;
        while left > chance && hits < n {
            left -= chance;
            chance *= odds * ((n - hits) as f64 / (hits + 1) as f64);
            hits += 1;
        }
        hits
    }

    fn spread_out(&mut self, n: u64, p: f64) -> u64 {
        let odds = p / (1.0 - p);
        let size = n as f64;
        let likeliest = floor((size + 1.0) * p).min(n);
        let (hits, misses) = (likeliest as f64, (n - likeliest) as f64);
        let ways = ln_gamma(size + 1.0) - ln_gamma(hits + 1.0) - ln_gamma(misses + 1.0);
        let chance = (ways + hits * p.ln() + misses * (-p).ln_1p()).exp();
        let mut left = self.uniform() - chance;
        let (mut below, mut above) = ((likeliest, chance), (likeliest, chance));
        // What rounding leaves over falls to the likeliest.
        while left > 0.0 && (below.1 > 0.0 || above.1 > 0.0) {
            let (hits, chance) = above;
            above = (hits.saturating_add(1), chance * odds * (n.saturating_sub(hits) as f64 / (hits + 1) as f64));
            left -= above.1;
            if left <= 0.0 {
                return above.0;
            }
            let (hits, chance) = below;
            below = (hits.saturating_sub(1), chance * (hits as f64 / (n - hits + 1) as f64) / odds);
            left -= below.1;
            if left <= 0.0 {
                return below.0;
            }
        }
        likeliest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variance(values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0)
    }

    /// The first numbers for the seed 1234567, as the authors' reference program gives them.
    #[test]
    fn published_random_numbers() {
        let mut chance = Chance::new(1_234_567);
        assert_eq!(
            [chance.next(), chance.next(), chance.next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn binomial_numbers_have_their_mean_and_variance() {
        let mut chance = Chance::new(1);
        for (n, p) in [(1, 0.5), (20, 0.3), (20, 0.9), (1_000, 0.004), (1_000, 0.4), (10_000_000, 0.7)] {
            let draws: Vec<_> = (0..20_000).map(|_| chance.binomial(n, p) as f64).collect();
            let (mean, spread) = (n as f64 * p, n as f64 * p * (1.0 - p));
            let found = draws.iter().sum::<f64>() / 20_000.0;
            assert!((found - mean).abs() < 5.0 * (spread / 20_000.0).sqrt(), "{n} {p}: mean {found}");
            assert!((variance(&draws) / spread - 1.0).abs() < 0.06, "{n} {p}: variance");
        }
        assert_eq!((chance.binomial(0, 0.5), chance.binomial(9, 0.0), chance.binomial(9, 1.0)), (0, 0, 9));
    }

    #[test]
    fn binomial_numbers_have_their_distribution() {
        let mut chance = Chance::new(2);
        // Both ways of drawing, each against the chances of 40 numbers: χ² with 39 degrees of freedom, 85 at 1e-5 or
        // so.
        for (n, p) in [(40_u64, 0.2_f64), (40, 0.45)] {
            let mut counts = [0_u32; 41];
            (0..50_000).for_each(|_| counts[usize::try_from(chance.binomial(n, p)).unwrap()] += 1);
            let mut expected = 50_000.0 * (1.0 - p).powi(40);
            let mut statistic = 0.0;
            for (hits, count) in counts.iter().enumerate() {
                if expected > 1.0 {
                    statistic += (f64::from(*count) - expected).powi(2) / expected;
                }
                expected *= p / (1.0 - p) * (40 - hits) as f64 / (hits + 1) as f64;
            }
            assert!(statistic < 85.0, "{p}: {statistic}");
        }
    }

    #[test]
    fn normal_numbers_have_their_distribution() {
        let mut chance = Chance::new(3);
        let draws: Vec<_> = (0..40_000).map(|_| chance.normal()).collect();
        assert!(draws.iter().sum::<f64>().abs() / 40_000.0 < 0.025);
        assert!((variance(&draws) - 1.0).abs() < 0.04);
        let beyond = draws.iter().filter(|draw| draw.abs() > 1.96).count();
        assert!((1_800..2_200).contains(&beyond), "{beyond}");
    }
}
