//! What a customer is worth to the company: as somebody said, or by what the customer spends.

use std::{collections::BTreeMap, fmt, str::FromStr};

use barometer_chassis::{clock::Micros, door::Currency};

/// Over how long what a customer spent counts: 365 days, in microseconds.
pub const WINDOW: i64 = 365 * Micros::DAY;

/// The value band of whom nothing is known.
pub const UNKNOWN: &str = "unknown";

/// What a customer is worth, from the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Band {
    /// Less than others.
    Low,
    /// As others.
    Medium,
    /// More than others.
    High,
}

impl Band {
    /// All of them, from the lowest.
    pub const ALL: [Band; 3] = [Band::Low, Band::Medium, Band::High];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Band::Low => "low",
            Band::Medium => "medium",
            Band::High => "high",
        }
    }
}

/// What a customer spent in one currency, in micro-units, returns taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spend {
    /// The currency.
    pub currency: Currency,
    /// May be negative.
    pub micros: i128,
}

/// The company's thresholds: from how much spent in [`WINDOW`] a customer is of medium and of high value, for each
/// currency. Currencies without thresholds tell nothing.
///
/// As text: `EUR=200,1000;USD=220,1100`, in whole units of the currency. Empty for none, which is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thresholds(BTreeMap<Currency, [i64; 2]>);

impl Thresholds {
    /// The currencies that have some.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        self.0.keys().copied()
    }

    /// The value of who spent this, in each currency in which they ever bought: the highest of all currencies, as amounts
    /// of different ones are never added up. Nothing of who never bought in a currency that tells.
    pub fn band(&self, spent: &[Spend]) -> Option<Band> {
        spent.iter().filter_map(|spend| Some(band(*self.0.get(&spend.currency)?, spend.micros))).max()
    }
}

fn band([medium, high]: [i64; 2], micros: i128) -> Band {
    let reached = |units: i64| micros >= i128::from(units) * 1_000_000;
    match (reached(high), reached(medium)) {
        (true, _) => Band::High,
        (false, true) => Band::Medium,
        (false, false) => Band::Low,
    }
}

impl FromStr for Thresholds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut thresholds = BTreeMap::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (currency, amounts) = part.split_once('=').ok_or_else(|| format!("`{part}` is no CURRENCY=…"))?;
            let code = Currency::parse(currency.trim());
            let code = code.ok_or_else(|| format!("`{currency}` is not three capital letters as in ISO 4217"))?;
            let amounts: Option<Vec<i64>> = amounts.split(',').map(|amount| amount.trim().parse().ok()).collect();
            let amounts = amounts.and_then(|amounts| <[i64; 2]>::try_from(amounts).ok());
            let amounts = amounts.filter(|[medium, high]| 0 < *medium && medium < high);
            let amounts =
                amounts.ok_or_else(|| format!("`{part}`: two whole amounts above 0, the second above the first"))?;
            if thresholds.insert(code, amounts).is_some() {
                return Err(format!("`{currency}` is given twice"));
            }
        }
        Ok(Thresholds(thresholds))
    }
}

impl fmt::Display for Thresholds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part =
            |(currency, [medium, high]): (&Currency, &[i64; 2])| format!("{}={medium},{high}", currency.as_str());
        f.write_str(&self.0.iter().map(part).collect::<Vec<_>>().join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thresholds(text: &str) -> Thresholds {
        text.parse().expect(text)
    }

    fn spend(currency: &str, micros: i128) -> Spend {
        Spend { currency: Currency::parse(currency).expect("a currency"), micros }
    }

    #[test]
    fn who_reaches_a_threshold_is_in_its_band() {
        let eur = thresholds("EUR=200,1000");
        let of = |micros| eur.band(&[spend("EUR", micros)]);
        assert_eq!(of(-5), Some(Band::Low));
        assert_eq!(of(199_999_999), Some(Band::Low));
        assert_eq!(of(200_000_000), Some(Band::Medium));
        assert_eq!(of(999_999_999), Some(Band::Medium));
        assert_eq!(of(1_000_000_000), Some(Band::High));
        assert_eq!(of(i128::from(i64::MAX) * 1_000), Some(Band::High));
    }

    #[test]
    fn currencies_are_never_added_up_and_the_best_one_counts() {
        let both = thresholds("EUR=200,1000; USD=220,1100");
        let much = [spend("EUR", 900_000_000), spend("USD", 900_000_000)];
        assert_eq!(both.band(&much), Some(Band::Medium));
        assert_eq!(both.band(&[spend("EUR", 0), spend("USD", 1_100_000_000)]), Some(Band::High));
    }

    #[test]
    fn what_tells_nothing_is_no_band() {
        let eur = thresholds("EUR=200,1000");
        assert_eq!(eur.band(&[]), None);
        assert_eq!(eur.band(&[spend("JPY", 9_000_000_000_000)]), None);
        assert_eq!(thresholds("").band(&[spend("EUR", 9_000_000_000_000)]), None);
    }

    #[test]
    fn thresholds_are_read_as_they_are_written() {
        for text in ["", "EUR=200,1000", "EUR=200,1000;USD=1,2"] {
            assert_eq!(thresholds(text).to_string(), text);
        }
        for (text, wrong) in [
            ("EUR", "`EUR` is no CURRENCY=…"),
            ("euro=1,2", "`euro` is not three capital letters as in ISO 4217"),
            ("EUR=1", "`EUR=1`: two whole amounts above 0, the second above the first"),
            ("EUR=2,2", "`EUR=2,2`: two whole amounts above 0, the second above the first"),
            ("EUR=0,2", "`EUR=0,2`: two whole amounts above 0, the second above the first"),
            ("EUR=1.5,2", "`EUR=1.5,2`: two whole amounts above 0, the second above the first"),
            ("EUR=1,2;EUR=1,3", "`EUR` is given twice"),
        ] {
            assert_eq!(text.parse::<Thresholds>(), Err(wrong.to_owned()));
        }
    }
}
