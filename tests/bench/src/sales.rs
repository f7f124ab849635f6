//! Generated purchases: the same on every machine. Customers come evenly over the time and buy less and less often.

use barometer_proto::{common::v1::Money, customers::v1 as wire};

use crate::answers::{Bits, DAYS, START, id, mix, timestamp};

/// The kinds' numbers do not meet: those of purchases begin here.
const FIRST_PURCHASE: u64 = 1 << 40;

/// One purchase, or a return.
#[derive(Clone, Copy, Debug)]
pub struct Purchase {
    index: u64,
    /// When, in microseconds; grows with the index.
    pub time: i64,
    /// Whose, from 0.
    pub customer: u64,
    /// In whole units; negative for a return.
    pub amount: i64,
}

impl Purchase {
    /// The purchase of this index among so many of so many customers, which fill two years.
    pub fn new(index: u64, of: u64, customers: u64) -> Self {
        let mut bits = Bits(mix(index));
        let part = |of_all: i128| i64::try_from(i128::from(index) * of_all / i128::from(of.max(1))).unwrap_or_default();
        let time = START * 1_000_000 + part(i128::from(DAYS) * 86_400_000_000);
        let known = part(i128::from(customers)).unsigned_abs() + 1;
        // Each is known with a purchase of its own; then those who came later buy more often.
        let is_first = index == 0 || Self::known(index - 1, of, customers) < known;
        let customer = if is_first { known - 1 } else { (bits.next() % known).max(bits.next() % known) };
        let sign = if !is_first && bits.next() % 100 < 3 { -1 } else { 1 };
        let amount = sign * i64::try_from(1 + bits.next() % 200).unwrap_or(1);
        Purchase { index, time, customer, amount }
    }

    fn known(index: u64, of: u64, customers: u64) -> u64 {
        u64::try_from(u128::from(index) * u128::from(customers) / u128::from(of.max(1))).unwrap_or_default() + 1
    }

    /// As it is watched.
    pub fn fact(&self) -> wire::Fact {
        let fact = wire::PurchaseFact {
            customer_id: id(self.customer).to_string(),
            time: Some(timestamp(self.time)),
            amount: Some(Money { currency_code: "EUR".to_owned(), units: self.amount, nanos: 0 }),
            ..wire::PurchaseFact::default()
        };
        whole(FIRST_PURCHASE + self.index, wire::fact::Fact::Purchase(fact))
    }
}

/// A customer as it is watched.
pub fn customer_fact(customer: u64) -> wire::Fact {
    let fact = wire::CustomerFact { create_time: Some(timestamp(START * 1_000_000)), ..wire::CustomerFact::default() };
    whole(customer, wire::fact::Fact::Customer(fact))
}

fn whole(number: u64, fact: wire::fact::Fact) -> wire::Fact {
    let id = id(number).to_string();
    let number = i64::try_from(number).unwrap_or(i64::MAX) + 1;
    wire::Fact { id, number, version: 1, fact: Some(fact), ..wire::Fact::default() }
}
