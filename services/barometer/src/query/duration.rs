//! Durations for people.

use crate::decimal::rounded;

const UNITS: [(f64, &str, usize); 4] = [(86_400.0, "d", 4), (3_600.0, "h", 3), (60.0, "min", 2), (1.0, "s", 2)];

/// Seconds in the largest unit of which there is one: `2.8632 d`, `5.2 h`, `12.5 min`, `0.25 s`. Days have four decimals,
/// which is within ten seconds; needless zeros are left out.
pub(super) fn text(seconds: f64) -> String {
    let fits = |(size, _, decimals): &(f64, &str, usize)| {
        // What rounds up to a whole one is one.
        seconds.abs() + size * 0.5 * 0.1_f64.powi(i32::try_from(*decimals).unwrap_or_default()) >= *size
    };
    let (size, unit, decimals) = UNITS.into_iter().find(fits).unwrap_or(UNITS[UNITS.len() - 1]);
    let number = rounded(seconds / size, decimals);
    let number = number.trim_end_matches('0').trim_end_matches('.');
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_their_unit() {
        for (seconds, expected) in [
            (247_382.734, "2.8633 d"),
            (86_400.0, "1 d"),
            (864_000.0, "10 d"),
            (604_800_000.0, "7,000 d"),
            (86_399.999, "1 d"),
            (86_390.0, "23.997 h"),
            (18_720.0, "5.2 h"),
            (750.0, "12.5 min"),
            (3_600.0, "1 h"),
            (59.99, "59.99 s"),
            (59.999, "1 min"),
            (0.25, "0.25 s"),
            (0.0, "0 s"),
            (-90.0, "-1.5 min"),
        ] {
            assert_eq!(text(seconds), expected, "{seconds}");
        }
    }
}
