//! Confidence intervals of shares and means, from sample sizes that need not be whole.
//!
//! Every function takes *effective* counts. Unweighted these are the counts; weighted, the weights are first scaled by
//! n_eff/Σw, so that they add up to the effective sample size n_eff = (Σw)²/Σw².

use super::level::Level;

/// The limits of a confidence interval, in the unit of the figure that they enclose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl Interval {
    /// An interval of shares in percent.
    #[must_use]
    pub fn percent(self) -> Self {
        Self { lower: 100.0 * self.lower, upper: 100.0 * self.upper }
    }

    pub(super) fn within(self, lowest: f64, highest: f64) -> Self {
        Self { lower: self.lower.max(lowest), upper: self.upper.min(highest) }
    }
}

/// The Wilson score interval of the share `hits/size`, 0 to 1. `None` over nothing.
///
/// Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
/// American Statistical Association 22 (1927), 209–212.
pub fn wilson(hits: f64, size: f64, level: Level) -> Option<Interval> {
    if size <= 0.0 {
        return None;
    }
    let (share, z2) = (hits / size, level.z().powi(2));
    let centre = (share + z2 / (2.0 * size)) / (1.0 + z2 / size);
    let spread = (share * (1.0 - share) / size + z2 / (4.0 * size * size)).max(0.0);
    let reach = level.z() * spread.sqrt() / (1.0 + z2 / size);
    // At a share of 0 or 1 the limit on that side is the share itself, which rounding would miss.
    let lower = if share <= 0.0 { 0.0 } else { centre - reach };
    let upper = if share >= 1.0 { 1.0 } else { centre + reach };
    Some(Interval { lower, upper }.within(0.0, 1.0))
}

/// Student's interval of a mean, mean ± t·√(s²/size) with size − 1 degrees of freedom, where s² is the sample variance
/// (with the divisor size − 1). Not cut to the scale. `None` when `size` is below 1.1: one answer says nothing of the
/// spread.
///
/// Source: Student, "The Probable Error of a Mean", Biometrika 6 (1908), 1–25.
pub fn student(mean: f64, sample_variance: f64, size: f64, level: Level) -> Option<Interval> {
    let reach = level.t(size - 1.0)? * (sample_variance / size).sqrt();
    Some(Interval { lower: mean - reach, upper: mean + reach })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_limits(found: Option<Interval>, lower: f64, upper: f64, tolerance: f64) {
        let Interval { lower: low, upper: high } = found.expect("an interval").percent();
        assert!(
            (low - lower).abs() <= tolerance && (high - upper).abs() <= tolerance,
            "{low}..{high}, not {lower}..{upper}"
        );
    }

    #[test]
    fn wilson_limits() {
        for (hits, size, lower, upper) in [
            (0.0, 1.0, 0.0, 79.345_068_562_276),
            (1.0, 1.0, 20.654_931_437_723, 100.0),
            (0.0, 10.0, 0.0, 27.753_279_986_288),
            (3.0, 10.0, 10.779_126_740_630, 60.322_185_253_885),
            (1139.0, 2357.0, 46.311_097_635_607, 50.342_637_849_050),
        ] {
            assert_limits(wilson(hits, size, Level::P95), lower, upper, 1e-9);
        }
        assert_eq!(wilson(0.0, 0.0, Level::P95), None);
    }

    #[test]
    fn one_answer_has_no_interval_of_its_mean() {
        assert_eq!(student(4.0, 0.0, 0.0, Level::P95), None);
        assert_eq!(student(4.0, 0.0, 1.0, Level::P95), None);
        assert_eq!(student(4.0, 0.0, 2.0, Level::P95), Some(Interval { lower: 4.0, upper: 4.0 }));
    }
}
