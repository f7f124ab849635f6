//! The limits of a confidence interval, and those of shares and means.
//!
//! Sizes are effective ones and need not be whole.

use crate::Level;

/// The limits of a confidence interval, in the unit of the figure that they enclose. Both are finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower limit.
    pub lower: f64,
    /// Upper limit.
    pub upper: f64,
}

impl Interval {
    /// `centre` ± `reach`.
    pub(crate) fn around(centre: f64, reach: f64) -> Self {
        Self { lower: centre - reach, upper: centre + reach }
    }

    /// Cut to a scale from `lowest` to `highest`.
    #[must_use]
    pub fn within(self, lowest: f64, highest: f64) -> Self {
        Self { lower: self.lower.clamp(lowest, highest), upper: self.upper.clamp(lowest, highest) }
    }

    /// In another unit, of which one is `factor` of this, above 0.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { lower: factor * self.lower, upper: factor * self.upper }
    }

    /// Whether the value lies in it, limits included.
    pub fn contains(&self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }

    /// The interval of the difference `after` − `before` of two independent figures, from the figure and interval of
    /// each: the distances from each to its own limits, squared and added. For figures whose own intervals are good,
    /// such as the score intervals of shares and of scores.
    ///
    /// With d = after − before, the limits are d − √((after − lower₂)² + (upper₁ − before)²) and
    /// d + √((upper₂ − after)² + (before − lower₁)²). Unlike d ± z·SE it keeps what is asymmetric in the two intervals.
    ///
    /// Source: G. Y. Zou, A. Donner, "Construction of Confidence Limits about Effect Measures: A General Approach",
    /// Statistics in Medicine 27 (2008), 1693–1702 (called MOVER).
    pub fn of_difference(before: (f64, Self), after: (f64, Self)) -> Self {
        let ((first, of_first), (second, of_second)) = (before, after);
        Self {
            lower: second - first - (second - of_second.lower).hypot(of_first.upper - first),
            upper: second - first + (of_second.upper - second).hypot(first - of_first.lower),
        }
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
/// (with the divisor size − 1). Not cut to the scale. `None` when `size` is below 1.5: one answer says nothing of the
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
        let Interval { lower: low, upper: high } = found.unwrap().times(100.0);
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
