//! Numbers for programs: exact, never rounded.

use serde_json::value::RawValue;

/// A double with all the digits that it takes to read the same one again; whole numbers without a point.
pub(crate) fn text(number: f64) -> String {
    // Beyond this not every whole number is a double.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < WHOLE {
        // Adding zero takes the sign from a negative zero.
        format!("{:.0}", number + 0.0)
    } else {
        // What no number of JSON can say does not occur in figures.
        serde_json::to_string(&number).unwrap_or_else(|_| "null".to_owned())
    }
}

/// Text that is a number, for JSON.
pub(crate) fn raw(text: String) -> Option<Box<RawValue>> {
    RawValue::from_string(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_numbers_have_no_point() {
        assert_eq!(text(2746.0), "2746");
        assert_eq!(text(-0.0), "0");
        assert_eq!(text(39.84), "39.84");
        assert_eq!(text(1e300), "1e+300");
    }

    proptest! {
        #[test]
        fn no_digit_is_lost(number in any::<f64>().prop_filter("finite", |number| number.is_finite())) {
            prop_assert_eq!(text(number).parse(), Ok(number));
            prop_assert!(raw(text(number)).is_some());
        }
    }
}
