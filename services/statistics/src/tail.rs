//! p-values: how much of a distribution lies at least as far out as what was found.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

/// P(|Z| ≥ |z|) of the standard normal distribution, 0 to 1.
pub(crate) fn normal(z: f64) -> f64 {
    (2.0 * Normal::standard().sf(z.abs())).min(1.0)
}

/// P(|T| ≥ |t|) of Student's distribution with `nu` > 0 degrees of freedom, 0 to 1.
///
/// Above 100,000 of them it is the tail of the normal distribution at z = (8ν + 1)/(8ν + 3)·√(ν ln(1 + t²/ν)), which
/// differs by less than 1e-8 of itself down to tails of 1e-9, and by less than 1e-6 down to 1e-190. Source: D. L.
/// Wallace, "Bounds on Normal Approximations to Student's and the Chi-Square Distributions", Annals of Mathematical
/// Statistics 30 (1959), 1121–1130.
pub(crate) fn student(t: f64, nu: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, nu) {
        Ok(distribution) if nu <= 1e5 => (2.0 * distribution.sf(t.abs())).min(1.0),
        _ => normal((8.0 * nu + 1.0) / (8.0 * nu + 3.0) * (nu * (t / nu.sqrt()).powi(2).ln_1p()).sqrt()),
    }
}

/// P(X ≥ x) of the χ² distribution with `degrees` ≥ 1 degrees of freedom, 0 to 1.
pub(crate) fn chi_squared(x: f64, degrees: usize) -> f64 {
    ChiSquared::new(degrees as f64).map_or(1.0, |distribution| distribution.sf(x).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(found: f64, expected: f64) {
        assert!((found / expected - 1.0).abs() < 1e-8, "{found}, not {expected}");
    }

    #[test]
    fn tails() {
        for (t, nu, p) in [
            (2.0, 1.5, 0.224_188_330_356_051),
            (2.0, 99_999.0, 0.045_502_963_484_502_4),
            (-2.0, 2e5, 0.045_501_613_673_726_9),
            (6.0, 2e5, 1.976_549_887_934_805e-9),
            (1.0, 1e9, 0.317_310_508_104_885),
        ] {
            assert_close(student(t, nu), p);
        }
        assert!((student(30.0, 2e5) / 2.699_004_422_186_838e-197 - 1.0).abs() < 1e-6);
        assert_close(chi_squared(16.79, 1), 4.175_275_130_919_8e-5);
        assert_close(chi_squared(300.0, 3), 9.948_758_346_327_588e-65);
        assert_close(chi_squared(40.0, 49), 0.816_777_074_827_530);
        assert_eq!((normal(0.0), student(0.0, 3.0), chi_squared(0.0, 1)), (1.0, 1.0, 1.0));
        assert_eq!((normal(1e9), student(1e9, 1e7), chi_squared(1e9, 1)), (0.0, 0.0, 0.0));
    }
}
