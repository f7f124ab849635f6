//! Amounts that are spread over a time.

use std::ops::Range;

/// What a part of a time bears of an amount that is spread evenly over `over`, or that falls on the instant at which that
/// begins when it is empty; both in any unit. Rounded so that the parts of any division of the time add up to the amount:
/// as the difference of what has come together by the end of the part and by its beginning.
pub fn portion(amount: i64, over: &Range<i64>, part: &Range<i64>) -> i128 {
    if over.is_empty() {
        return if part.contains(&over.start) { i128::from(amount) } else { 0 };
    }
    let length = i128::from(over.end) - i128::from(over.start);
    let until = |at: i64| {
        let passed = i128::from(at.clamp(over.start, over.end)) - i128::from(over.start);
        i128::from(amount) * passed / length
    };
    until(part.end.max(part.start)) - until(part.start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_part_bears_as_much_as_it_is_long() {
        assert_eq!(portion(100, &(0..10), &(0..5)), 50);
        assert_eq!(portion(100, &(0..10), &(-5..1)), 10);
        assert_eq!(portion(100, &(0..10), &(9..99)), 10);
        assert_eq!(portion(100, &(0..10), &(10..20)), 0);
        assert_eq!(portion(100, &(0..10), &(-9..0)), 0);
        assert_eq!([0..1, 1..2, 2..3].map(|part| portion(100, &(0..3), &part)), [33, 33, 34]);
        assert_eq!([0..1, 1..2, 2..3].map(|part| portion(-100, &(0..3), &part)), [-33, -33, -34]);
    }

    #[test]
    fn what_is_spent_at_once_falls_on_its_instant() {
        assert_eq!([portion(7, &(5..5), &(0..5)), portion(7, &(5..5), &(5..6))], [0, 7]);
    }

    proptest! {
        #[test]
        fn parts_add_up(
            amount in any::<i64>(),
            from in -1_000_000_i64..1_000_000,
            length in 0_i64..1_000_000,
            mut cuts in proptest::collection::vec(-2_000_000_i64..3_000_000, 0..20),
        ) {
            let over = from..from + length;
            cuts.extend([i64::MIN, i64::MAX]);
            cuts.sort_unstable();
            let parts: Vec<i128> = cuts.windows(2).map(|pair| portion(amount, &over, &(pair[0]..pair[1]))).collect();
            prop_assert_eq!(parts.iter().sum::<i128>(), i128::from(amount));
            // None goes the other way, and none bears more than all.
            prop_assert!(parts.iter().all(|part| part.signum() * i128::from(amount).signum() >= 0));
            prop_assert!(parts.iter().all(|part| part.unsigned_abs() <= u128::from(amount.unsigned_abs())));
        }
    }
}
