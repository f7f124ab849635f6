//! Money: exact sums of one currency each.
//!
//! Amounts are whole micro-units (1e-6) of a currency. Amounts of different currencies are never added up.

use std::collections::BTreeMap;
use std::fmt;

/// A currency by its three letters, as in ISO 4217.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Currency([u8; 3]);

impl Currency {
    /// A currency code of three upper-case letters; `None` for anything else.
    pub fn parse(code: &str) -> Option<Self> {
        let letters: [u8; 3] = code.as_bytes().try_into().ok()?;
        letters.iter().all(u8::is_ascii_uppercase).then_some(Self(letters))
    }

    /// The code, e.g. `EUR`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// Sales and returns of one currency, counted and added up.
///
/// A purchase of 0 or more is a sale, one below 0 is a return.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct MoneyTally {
    gross: i128,
    returns: i128,
    sale_count: u64,
    return_count: u64,
}

impl MoneyTally {
    /// Counts a purchase of so many micro-units.
    pub fn add(&mut self, amount: i64) {
        if is_sale(amount) {
            self.gross += i128::from(amount);
            self.sale_count += 1;
        } else {
            self.returns += i128::from(amount);
            self.return_count += 1;
        }
    }

    /// Takes out a purchase that was counted so.
    pub fn remove(&mut self, amount: i64) {
        if is_sale(amount) {
            self.gross -= i128::from(amount);
            self.sale_count -= 1;
        } else {
            self.returns -= i128::from(amount);
            self.return_count -= 1;
        }
    }

    /// Adds what another tally of the same currency counted.
    pub fn merge(&mut self, other: &Self) {
        let Self { gross, returns, sale_count, return_count } = *other;
        self.gross += gross;
        self.returns += returns;
        self.sale_count += sale_count;
        self.return_count += return_count;
    }

    /// What all sales came to, in micro-units; 0 or more.
    pub fn gross(&self) -> i128 {
        self.gross
    }

    /// What all returns came to, in micro-units; 0 or less.
    pub fn returns(&self) -> i128 {
        self.returns
    }

    /// Sales and returns together, in micro-units.
    pub fn net(&self) -> i128 {
        self.gross + self.returns
    }

    /// How many sales there are, those of 0 included.
    pub fn sale_count(&self) -> u64 {
        self.sale_count
    }

    /// How many returns there are.
    pub fn return_count(&self) -> u64 {
        self.return_count
    }

    fn is_empty(&self) -> bool {
        self.sale_count == 0 && self.return_count == 0
    }
}

/// Whether a purchase of so many micro-units is a sale. A sale of 0 is one; a return makes nobody active.
pub fn is_sale(amount: i64) -> bool {
    amount >= 0
}

/// Sales and returns by currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct MoneyTotals(BTreeMap<Currency, MoneyTally>);

impl MoneyTotals {
    /// Counts a purchase of so many micro-units of `currency`.
    pub fn add(&mut self, currency: Currency, amount: i64) {
        self.0.entry(currency).or_default().add(amount);
    }

    /// Takes out a purchase that was counted so. A currency without purchases leaves no trace.
    pub fn remove(&mut self, currency: Currency, amount: i64) {
        let tally = self.0.entry(currency).or_default();
        tally.remove(amount);
        if tally.is_empty() {
            self.0.remove(&currency);
        }
    }

    /// Adds what other totals counted.
    pub fn merge(&mut self, other: &Self) {
        for (currency, tally) in &other.0 {
            self.0.entry(*currency).or_default().merge(tally);
        }
    }

    /// The tally of `currency`; empty when nothing was counted in it.
    pub fn of(&self, currency: Currency) -> MoneyTally {
        self.0.get(&currency).copied().unwrap_or_default()
    }

    /// Every currency that something was counted in, in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = (Currency, &MoneyTally)> {
        self.0.iter().map(|(currency, tally)| (*currency, tally))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).expect("a currency")
    }

    fn totals(purchases: &[(Currency, i64)]) -> MoneyTotals {
        let mut totals = MoneyTotals::default();
        purchases.iter().for_each(|(currency, amount)| totals.add(*currency, *amount));
        totals
    }

    #[test]
    fn currencies_are_three_upper_case_letters() {
        assert_eq!(currency("EUR").code(), "EUR");
        for code in ["", "EU", "eur", "EURO", "E1R", "€€", "ÄB"] {
            assert_eq!(Currency::parse(code), None, "{code:?}");
        }
    }

    #[test]
    fn sales_and_returns() {
        let mut tally = MoneyTally::default();
        [12_500_000, 0, -2_500_000, 1].iter().for_each(|amount| tally.add(*amount));
        assert_eq!((tally.gross(), tally.returns(), tally.net()), (12_500_001, -2_500_000, 10_000_001));
        assert_eq!((tally.sale_count(), tally.return_count()), (3, 1));
    }

    #[test]
    fn the_largest_amounts_add_up() {
        let mut tally = MoneyTally::default();
        for _ in 0..1_000 {
            tally.add(i64::MAX);
            tally.add(i64::MIN);
        }
        assert_eq!(tally.net(), -1_000);
    }

    #[test]
    fn currencies_are_kept_apart() {
        let (euro, yen) = (currency("EUR"), currency("JPY"));
        let mut totals = totals(&[(yen, 5), (euro, 1), (euro, -2)]);
        assert_eq!(
            totals.iter().map(|(currency, tally)| (currency, tally.net())).collect::<Vec<_>>(),
            [(euro, -1), (yen, 5)]
        );
        assert_eq!(totals.of(currency("USD")), MoneyTally::default());
        totals.remove(yen, 5);
        assert_eq!(totals.iter().count(), 1);
    }

    fn currencies() -> impl Strategy<Value = Currency> {
        prop::sample::select(&["EUR", "JPY", "USD"]).prop_map(currency)
    }

    proptest! {
        #[test]
        fn totals_add_up_and_forget(
            mut purchases in prop::collection::vec((currencies(), any::<i64>()), 0..100),
            cut in 0_usize..100,
        ) {
            let whole = totals(&purchases);
            let (left, right) = purchases.split_at(cut.min(purchases.len()));
            let mut merged = totals(right);
            merged.merge(&totals(left));
            prop_assert_eq!(&merged, &whole);
            left.iter().for_each(|(currency, amount)| merged.remove(*currency, *amount));
            prop_assert_eq!(merged, totals(right));

            for (currency, tally) in whole.iter() {
                let of_currency = purchases.iter().filter(|(of, _)| *of == currency);
                let amounts = || of_currency.clone().map(|(_, amount)| i128::from(*amount));
                prop_assert_eq!(tally.net(), amounts().sum::<i128>());
                prop_assert_eq!(tally.gross(), amounts().filter(|amount| *amount >= 0).sum::<i128>());
            }
            purchases.reverse();
            prop_assert_eq!(totals(&purchases), whole);
        }
    }
}
