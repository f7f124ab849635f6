//! How sure a confidence interval is.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

/// How sure an interval is: the share of samples whose interval covers the truth.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// 95 %.
    pub const P95: Self = Self(0.95);

    /// A level as a share, above 0 and at most 0.999999; `None` outside.
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 0.999_999).then_some(Self(share))
    }

    /// The level as a share, e.g. 0.95.
    pub fn share(self) -> f64 {
        self.0
    }

    /// z, the two-sided quantile of the standard normal distribution: 1.96 at 95 %.
    pub fn z(self) -> f64 {
        Normal::standard().inverse_cdf(self.upper_tail_starts())
    }

    /// The two-sided quantile of Student's t distribution with `nu` degrees of freedom, which need not be whole; `None`
    /// below 0.1, where the distribution is too wide to be of use.
    ///
    /// From 1,000 on by its expansion about z, which is then exact to 1e-10 of its value; the root finding of the
    /// library loses digits there. Source: M. Abramowitz, I. A. Stegun, "Handbook of Mathematical Functions", 26.7.5.
    pub(super) fn t(self, nu: f64) -> Option<f64> {
        if nu.is_nan() || nu < 0.1 {
            return None;
        }
        if nu < 1_000.0 {
            return Some(StudentsT::new(0.0, 1.0, nu).ok()?.inverse_cdf(self.upper_tail_starts()));
        }
        let z = self.z();
        let z2 = z * z;
        let first = (z2 + 1.0) / 4.0;
        let second = ((5.0 * z2 + 16.0) * z2 + 3.0) / 96.0;
        let third = (((3.0 * z2 + 19.0) * z2 + 17.0) * z2 - 15.0) / 384.0;
        Some(z * (1.0 + (first + (second + third / nu) / nu) / nu))
    }

    fn upper_tail_starts(self) -> f64 {
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
    fn quantiles_of_the_normal_distribution() {
        for (share, z) in [
            (0.5, 0.674_489_750_196),
            (0.8, 1.281_551_565_544),
            (0.9, 1.644_853_626_951),
            (0.95, 1.959_963_984_540),
            (0.99, 2.575_829_303_548),
            (0.999_999, 4.891_638_475_692),
        ] {
            let found = Level::new(share).expect("a level").z();
            assert!((found / z - 1.0).abs() < 1e-11, "{share}: {found} {z}");
        }
        for share in [0.0, -0.5, 1.0, 1.5, f64::NAN, f64::INFINITY] {
            assert_eq!(Level::new(share), None);
        }
    }

    #[test]
    fn quantiles_of_students_distribution() {
        for (degrees, t80, t95, t99) in [
            (0.5, 10.270_324_410_234, 164.557_673_504_880, 4_113.964_588_804_174),
            (1.0, 3.077_683_537_175, 12.706_204_736_174, 63.656_741_162_871),
            (2.0, 1.885_618_083_164, 4.302_652_729_749, 9.924_843_200_918),
            (3.7, 1.557_565_838_861, 2.867_520_707_191, 4.869_252_253_227),
            (10.0, 1.372_183_641_110, 2.228_138_851_986, 3.169_272_672_616),
            (29.0, 1.311_433_647_301, 2.045_229_642_132, 2.756_385_903_670),
            (1_234.5, 1.282_237_711_663, 1.961_887_483_331, 2.579_817_729_733),
            (1e5, 1.281_560_031_449, 1.959_987_707_534, 2.575_878_469_908),
            (1e7, 1.281_551_650_203, 1.959_964_221_767, 2.575_829_795_203),
        ] {
            for (share, t) in [(0.8, t80), (0.95, t95), (0.99, t99)] {
                let found = Level::new(share).and_then(|level| level.t(degrees)).expect("a quantile");
                assert!((found / t - 1.0).abs() < 1e-9, "{degrees} {share}: {found} {t}");
            }
        }
    }
}
