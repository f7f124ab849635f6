//! From exact integers to the figure that is shown.

/// 100·`part`/`whole`; `None` over nothing.
pub(crate) fn percent(part: i128, whole: i128) -> Option<f64> {
    ratio(100 * part, u128::try_from(whole).ok()?)
}

/// `count` as the nearest `f64`: exact up to 2⁵³, within half a unit in the last place beyond.
pub fn real(count: u128) -> f64 {
    count as f64
}

/// `numerator / denominator`, or `None` over 0.
///
/// The fraction is reduced first, so that whole numbers and small counts give exactly the `f64` that dividing the plain
/// counts gives, whatever the fixed-point unit of the sums.
pub fn ratio(numerator: i128, denominator: u128) -> Option<f64> {
    if denominator == 0 {
        return None;
    }
    let magnitude = numerator.unsigned_abs();
    let divisor = greatest_common_divisor(magnitude, denominator);
    let quotient = real(magnitude / divisor) / real(denominator / divisor);
    Some(if numerator < 0 { -quotient } else { quotient })
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The whole part of a number from 0 to 2⁶⁴; beyond, the nearest of these.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the whole part is what is wanted")]
pub(crate) fn floor(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn a_ratio_is_that_of_the_reduced_fraction() {
        let unit = 1_000_000_000_000_i128;
        for (a, b) in [(1_i128, 3_u128), (-2, 7), (35_491, 53_961), (0, 5), (7, 7)] {
            let plain = f64::from(i32::try_from(a).unwrap()) / f64::from(u32::try_from(b).unwrap());
            assert_eq!(ratio(a, b), Some(plain));
            assert_eq!(ratio(a * unit, b * unit.unsigned_abs()), Some(plain));
        }
        assert_eq!(ratio(1, 0), None);
        assert_eq!(ratio(0, 0), None);
    }
}
