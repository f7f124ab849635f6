//! How long something may take, as people write it: `30 minutes`, `4 working hours`, `3 working days`, `8 weeks`.

use barometer_proto::complaints::v1::{ClockDuration, DurationUnit};

/// Reads one; hours are minutes times 60.
///
/// # Errors
/// When it is none, in words that stand after the field's name.
pub(super) fn parse(text: &str) -> Result<ClockDuration, String> {
    let wrong =
        || format!("`{text}` is no amount such as `30 minutes`, `4 working hours`, `3 working days` or `8 weeks`");
    let mut words = text.split_whitespace();
    let amount: i32 = words.next().and_then(|amount| amount.parse().ok()).ok_or_else(wrong)?;
    let words: Vec<&str> = words.collect();
    let (unit, factor) = match words.as_slice() {
        ["minute" | "minutes"] => (DurationUnit::ElapsedMinutes, 1),
        ["hour" | "hours"] => (DurationUnit::ElapsedMinutes, 60),
        ["working", "minute" | "minutes"] => (DurationUnit::WorkingMinutes, 1),
        ["working", "hour" | "hours"] => (DurationUnit::WorkingMinutes, 60),
        ["working", "day" | "days"] => (DurationUnit::WorkingDays, 1),
        ["day" | "days"] => (DurationUnit::CalendarDays, 1),
        ["week" | "weeks"] => (DurationUnit::Weeks, 1),
        ["month" | "months"] => (DurationUnit::Months, 1),
        _ => return Err(wrong()),
    };
    let amount = amount.checked_mul(factor).ok_or_else(wrong)?;
    Ok(ClockDuration { amount, unit: unit.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_number_and_a_unit() {
        for (text, amount, unit) in [
            ("30 minutes", 30, DurationUnit::ElapsedMinutes),
            ("1 hour", 60, DurationUnit::ElapsedMinutes),
            ("4  working hours", 240, DurationUnit::WorkingMinutes),
            ("90 working minutes", 90, DurationUnit::WorkingMinutes),
            ("1 working day", 1, DurationUnit::WorkingDays),
            ("5 days", 5, DurationUnit::CalendarDays),
            ("8 weeks", 8, DurationUnit::Weeks),
            ("1 month", 1, DurationUnit::Months),
        ] {
            assert_eq!(parse(text), Ok(ClockDuration { amount, unit: unit.into() }), "{text}");
        }
        for bad in ["", "3", "days", "3days", "half a day", "3 working weeks", "3.5 hours", "2000000000 hours"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
