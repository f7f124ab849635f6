//! How sure a confidence interval is.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// The share of samples whose interval covers the truth: above 0, at most 0.999999.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// 95 %.
    pub const P95: Self = Self(0.95);

    /// A level as a share; `None` outside the range.
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 0.999_999).then_some(Self(share))
    }

    /// The level as a share, e.g. 0.95.
    pub fn share(self) -> f64 {
        self.0
    }

    /// The two-sided quantile of the standard normal distribution: 1.96 at 95 %.
    pub fn z(self) -> f64 {
        Normal::standard().inverse_cdf(self.upper())
    }

    /// The two-sided quantile of Student's distribution with `nu` degrees of freedom, which need not be whole. `None`
    /// below 0.5, where the distribution is too wide to be of use.
    ///
    /// From 1,000 on by the expansion about z, where the inverse of the library loses digits. Source: M. Abramowitz,
    /// I. A. Stegun, "Handbook of Mathematical Functions" (1964), 26.7.5.
    pub(crate) fn t(self, nu: f64) -> Option<f64> {
        if nu.is_nan() || nu < 0.5 {
            return None;
        }
        if nu < 1_000.0 {
            return Some(StudentsT::new(0.0, 1.0, nu).ok()?.inverse_cdf(self.upper()));
        }
        let z = self.z();
        let z2 = z * z;
        let terms = [
            (z2 + 1.0) / 4.0,
            ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0,
            (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0,
        ];
        Some(z * (1.0 + terms.iter().rev().fold(0.0, |sum, term| (sum + term) / nu)))
    }

    /// Where the upper tail starts, as a share.
    pub(crate) fn upper(self) -> f64 {
        0.5 + self.0 / 2.0
    }
}

impl Default for Level {
    fn default() -> Self {
        Self::P95
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_a_share_that_leaves_room() {
        assert_eq!(Level::new(0.95), Some(Level::P95));
        for share in [0.0, -0.5, 1.0, 0.999_999_9, f64::NAN, f64::INFINITY] {
            assert_eq!(Level::new(share), None, "{share}");
        }
    }

    #[test]
    fn quantiles() {
        for (share, z, t_1_5, t_999, t_1000, t_1e6) in [
            (0.8, 1.281_551_565_544_6, 2.196_398_417_566, 1.282_399_570_037, 1.282_398_721_461, 1.281_552_412_130),
            (0.95, 1.959_963_984_540_0, 6.016_663_104_428, 1.962_341_461_133, 1.962_339_080_826, 1.959_966_356_814),
            (0.99, 2.575_829_303_548_9, 17.820_310_514_463, 2.580_759_637_268, 2.580_754_698_066, 2.575_834_220_105),
        ] {
            let level = Level::new(share).unwrap();
            for (found, expected) in [
                (level.z(), z),
                (level.t(1.5).unwrap(), t_1_5),
                (level.t(999.0).unwrap(), t_999),
                (level.t(1_000.0).unwrap(), t_1000),
                (level.t(1e6).unwrap(), t_1e6),
            ] {
                assert!((found / expected - 1.0).abs() < 1e-9, "{share}: {found}, not {expected}");
            }
        }
        assert_eq!((Level::P95.t(0.499), Level::P95.t(f64::NAN)), (None, None));
        assert!(Level::P95.t(0.5).is_some());
    }
}
