//! How many for every thousand.

use super::number::ratio;

/// 1000 · `count` / `base`: nothing over a base of nobody. Not a share: one of the base can bring several.
pub fn per_thousand(count: u64, base: u64) -> Option<f64> {
    ratio(1_000 * i128::from(count), u128::from(base))
}

/// `count` / `base`: how many for each.
pub fn per_one(count: u64, base: u64) -> Option<f64> {
    ratio(i128::from(count), u128::from(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact_and_nothing_over_nobody() {
        assert_eq!(
            (per_thousand(3, 1_500), per_thousand(3, 1), per_thousand(0, 7)),
            (Some(2.0), Some(3_000.0), Some(0.0))
        );
        assert_eq!((per_thousand(3, 0), per_one(1, 0), per_one(1, 4)), (None, None, Some(0.25)));
    }
}
