//! Decimal numbers of money: exact, never by way of binary fractions.

use std::fmt;
use std::str::FromStr;

use barometer_proto::common::v1::Money;

/// Decimals that the suite keeps of an amount.
const MAX_DECIMALS: usize = 6;

/// A decimal number as on the wire: whole units and billionths, both with the same sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i64,
    nanos: i32,
}

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecimalError {
    /// It is not written as one.
    NotANumber,
    /// More decimals than are kept.
    TooPrecise,
    /// Beyond what can be held.
    OutOfRange,
}

impl Decimal {
    /// As money of a currency.
    pub fn of(self, currency: &str) -> Money {
        Money { currency_code: currency.to_owned(), units: self.units, nanos: self.nanos }
    }

    /// With the decimals that it has, but at least two, and thousands set apart: `8,348,208.56`.
    pub fn grouped(self) -> String {
        let digits = grouped(self.units.unsigned_abs());
        format!("{}{digits}.{:0<2}", self.sign(), self.decimals())
    }

    fn sign(self) -> &'static str {
        if self.units < 0 || self.nanos < 0 { "-" } else { "" }
    }

    fn decimals(self) -> String {
        let digits = format!("{:09}", self.nanos.unsigned_abs());
        digits.trim_end_matches('0').to_owned()
    }
}

/// A whole number with its thousands set apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl From<&Money> for Decimal {
    fn from(money: &Money) -> Self {
        Self { units: money.units, nanos: money.nanos }
    }
}

/// Exact, without needless zeros: `-483794.7`, `12`.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.decimals();
        let point = if decimals.is_empty() { "" } else { "." };
        write!(formatter, "{}{}{point}{decimals}", self.sign(), self.units.unsigned_abs())
    }
}

/// Digits with at most one point and an optional sign; no thousands separators, which mean other things elsewhere.
impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + decimals.len() == 0 || !all_digits(whole) || !all_digits(decimals) {
            return Err(DecimalError::NotANumber);
        }
        let decimals = decimals.trim_end_matches('0');
        if decimals.len() > MAX_DECIMALS {
            return Err(DecimalError::TooPrecise);
        }
        let parse = |digits: &str| format!("0{digits}").parse::<i64>().map_err(|_| DecimalError::OutOfRange);
        let (units, nanos) = (parse(whole)?, parse(&format!("{decimals:0<9}"))?);
        let nanos = i32::try_from(nanos).map_err(|_| DecimalError::OutOfRange)?;
        Ok(if negative { Self { units: -units, nanos: -nanos } } else { Self { units, nanos } })
    }
}

impl fmt::Display for DecimalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NotANumber => "is not a number such as 12.50",
            Self::TooPrecise => "has more than six decimals",
            Self::OutOfRange => "is too large",
        })
    }
}

impl std::error::Error for DecimalError {}

/// A double for people: rounded to `decimals`, thousands set apart.
pub(crate) fn rounded(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), String::new()), |(w, r)| (w, format!(".{r}")));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    // What rounds to zero has no sign.
    let sign = if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) { "-" } else { "" };
    format!("{sign}{whole}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_exactly() {
        let parts = |text: &str| text.parse::<Decimal>().map(|d| (d.units, d.nanos));
        assert_eq!(parts("505.3"), Ok((505, 300_000_000)));
        assert_eq!(parts("-0.05"), Ok((0, -50_000_000)));
        assert_eq!(parts("+12"), Ok((12, 0)));
        assert_eq!(parts(".5"), Ok((0, 500_000_000)));
        assert_eq!(parts("1.100000000000"), Ok((1, 100_000_000)));
        assert_eq!(parts("9223372036854775807"), Ok((i64::MAX, 0)));
        for bad in ["", "-", ".", "1,5", "1e3", "NaN", "--1", "1.2.3", "€5", " 1", "٣"] {
            assert_eq!(parts(bad), Err(DecimalError::NotANumber), "{bad}");
        }
        assert_eq!(parts("0.0000001"), Err(DecimalError::TooPrecise));
        assert_eq!(parts("9223372036854775808"), Err(DecimalError::OutOfRange));
    }

    #[test]
    fn people_see_thousands_set_apart() {
        let grouped = |text: &str| text.parse::<Decimal>().map(Decimal::grouped);
        assert_eq!(grouped("8348208.56"), Ok("8,348,208.56".to_owned()));
        assert_eq!(grouped("-483794.7"), Ok("-483,794.70".to_owned()));
        assert_eq!(grouped("-0.0625"), Ok("-0.0625".to_owned()));
        assert_eq!(rounded(-1234.567, 2), "-1,234.57");
        assert_eq!(rounded(-0.001, 2), "0.00");
        assert_eq!(rounded(2746.0, 0), "2,746");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(micros in any::<i64>()) {
            let money = Money {
                currency_code: String::new(),
                units: micros / 1_000_000,
                nanos: i32::try_from(micros % 1_000_000 * 1_000).expect("less than a unit"),
            };
            let decimal = Decimal::from(&money);
            prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
            prop_assert_eq!(decimal.grouped().replace(',', "").parse(), Ok(decimal));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.]{0,30}") {
            if let Ok(decimal) = text.parse::<Decimal>() {
                prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
            }
        }
    }
}
