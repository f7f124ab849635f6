//! Durations for people.

use crate::decimal::rounded;

/// From how many seconds on a unit is used, which is where the one below would round up to a whole one; its seconds; its
/// name; and its decimals.
const UNITS: [(f64, f64, &str, usize); 3] =
    [(86_398.2, 86_400.0, "d", 4), (3_599.7, 3_600.0, "h", 3), (59.995, 60.0, "min", 2)];

/// Seconds in the largest unit of which there is one: `2.8632 d`, `5.2 h`, `12.5 min`, `0.25 s`. Days have four decimals,
/// which is within ten seconds; needless zeros are left out.
pub(crate) fn text(seconds: f64) -> String {
    let fitting = UNITS.into_iter().find(|(from, ..)| seconds.abs() >= *from);
    let (_, size, unit, decimals) = fitting.unwrap_or((0.0, 1.0, "s", 2));
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
            (247_379.568, "2.8632 d"),
            (86_400.0, "1 d"),
            (864_000.0, "10 d"),
            (604_800_000.0, "7,000 d"),
            (86_399.999, "1 d"),
            (86_390.0, "23.997 h"),
            (18_720.0, "5.2 h"),
            (750.0, "12.5 min"),
            (3_600.0, "1 h"),
            (3_599.9, "1 h"),
            (3_599.0, "59.98 min"),
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
