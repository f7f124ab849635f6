//! How many for every thousand, for every hundred, or for each.

pub(crate) use barometer_statistics::number::ratio;

/// 1000 · `count` / `base`: nothing over a base of nobody. Not a share: one of the base can bring several.
pub fn per_thousand(count: u64, base: u64) -> Option<f64> {
    ratio(1_000 * i128::from(count), u128::from(base))
}

/// 100 · `part` / `whole`: nothing over nothing.
pub fn percent_of(part: u64, whole: u64) -> Option<f64> {
    ratio(100 * i128::from(part), u128::from(whole))
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
        assert_eq!((percent_of(1, 4), percent_of(0, 0)), (Some(25.0), None));
        assert_eq!((per_thousand(3, 0), per_one(1, 0), per_one(1, 4)), (None, None, Some(0.25)));
    }
}
