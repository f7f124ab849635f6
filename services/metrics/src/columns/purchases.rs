//! Purchases and returns.

use barometer_proto::customers::v1::{PurchaseFact, PurchaseLineFact};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable, customer,
    declared::Declared,
    dictionary::{Column, Dictionary, EMPTY},
    instant, micros, optional_instant,
    people::{Ids, NOBODY},
    revisions::Revisions,
    rows::{Rows, put},
    timelines::Timelines,
    times::{NEVER, Times},
};
use crate::rules::money::is_sale;

/// All purchases and returns.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Purchases {
    pub(crate) rows: Rows,
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    /// Micro-units (1e-6) of the currency.
    pub(crate) amounts: Vec<i64>,
    pub(crate) currency: Column,
    pub(crate) channel: Column,
    /// Country of the sale; its values are those of the customers' attribute.
    pub(crate) countries: Vec<u32>,
    pub(crate) vouchers: Vec<bool>,
    /// What each came to by category, each category once; nothing when it has no lines.
    parts: Vec<Box<[Part]>>,
    pub(crate) categories: Dictionary,
    /// When payment is due and when it was made, each [`NEVER`] where that was not told; as long as the last row that is due.
    payments: Vec<(i64, i64)>,
    /// By when payment is due.
    pub(crate) dues: Revisions,
    pub(crate) declared: Declared,
    #[serde(skip)]
    timelines: Timelines,
    #[serde(skip)]
    returns: Timelines,
}

/// What the lines of one category came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Code of the category.
    pub(crate) category: u32,
    /// Micro-units of the purchase's currency.
    pub(crate) amount: i64,
}

impl Purchases {
    /// Puts in a purchase, or its later version. `countries` are the values of the customers' attribute.
    pub(crate) fn put(
        &mut self,
        stamp: Stamp,
        fact: PurchaseFact,
        people: &mut Ids,
        countries: &mut Dictionary,
    ) -> Result<(), Unreadable> {
        let PurchaseFact {
            customer_id,
            time,
            amount,
            lines,
            channel,
            country,
            voucher,
            due_time,
            paid_time,
            dimensions,
        } = fact;
        let customer = customer(people, &customer_id)?;
        let at = instant(time)?;
        let amount = amount.ok_or(Unreadable("amount"))?;
        let micros = micros(&amount)?;
        let parts = self.parts(lines)?;
        let due = optional_instant(due_time)?.unwrap_or(NEVER);
        let paid = optional_instant(paid_time)?.unwrap_or(NEVER);
        if let Some(row) = self.rows.claim(stamp) {
            let before = (self.sale(row), self.take_back(row));
            self.times.put(row, at, stamp.written);
            put(&mut self.customers, row, customer);
            put(&mut self.amounts, row, micros);
            self.note(row, before);
            self.currency.set(row, &amount.currency_code);
            self.channel.set(row, &channel);
            put(&mut self.countries, row, countries.code(&country));
            put(&mut self.vouchers, row, voucher);
            put(&mut self.parts, row, parts);
            self.put_payment(row, (due, paid), stamp.written);
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes a purchase out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            let before = (self.sale(row), self.take_back(row));
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.customers, row, NOBODY);
            put(&mut self.amounts, row, 0);
            self.note(row, before);
            self.currency.set(row, "");
            self.channel.set(row, "");
            put(&mut self.countries, row, EMPTY);
            put(&mut self.vouchers, row, false);
            put(&mut self.parts, row, Box::default());
            self.put_payment(row, (NEVER, NEVER), stamp.written);
            self.declared.set(row, &Default::default());
        }
    }

    /// What a purchase came to by category: the whole of one without lines has none.
    pub(crate) fn parts_of(&self, row: u32) -> impl Iterator<Item = Part> {
        let row = row as usize;
        let parts = &self.parts[row];
        let whole = parts.is_empty().then(|| Part { category: EMPTY, amount: self.amounts[row] });
        parts.iter().copied().chain(whole)
    }

    /// The sales that were to be paid at some instant and were not by then: whose they are, and that instant.
    pub(crate) fn late_payments(&self) -> impl Iterator<Item = (u32, i64)> {
        let payments = (0..).zip(&self.payments);
        let late = payments.filter(|(_, (due, paid))| *due != NEVER && (*paid == NEVER || paid > due));
        late.map(|(row, (due, _))| (self.sale(row).0, *due))
    }

    /// When payment of a purchase is due; [`NEVER`] where that was not told.
    pub(crate) fn due(&self, row: u32) -> i64 {
        self.payments.get(row as usize).map_or(NEVER, |(due, _)| *due)
    }

    /// When a purchase that is due was paid, if it was.
    pub(crate) fn paid(&self, row: u32) -> Option<i64> {
        self.payments.get(row as usize).map(|(_, paid)| *paid).filter(|paid| *paid != NEVER)
    }

    /// Rows among which are all that are due at some time.
    pub(crate) fn due_rows(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.payments.len()).unwrap_or(u32::MAX)
    }

    fn put_payment(&mut self, row: usize, (due, paid): (i64, i64), written: Option<i64>) {
        let before = self.payments.get(row).map_or(NEVER, |(due, _)| *due);
        self.dues.note(before, due, written);
        if row >= self.payments.len() {
            if due == NEVER {
                return;
            }
            self.payments.resize(row + 1, (NEVER, NEVER));
        }
        self.payments[row] = (due, paid);
    }

    /// The number of the purchase in a row.
    pub(crate) fn number(&self, row: u32) -> i64 {
        self.rows.number(row as usize)
    }

    /// The instants of sales by customer, of so many customers.
    pub(crate) fn timelines(&self, people: usize) -> &Timelines {
        self.timelines.get(people, || (0..self.customers.len()).map(|row| self.sale(row)))
    }

    /// The instants of returns by customer, of so many customers.
    pub(crate) fn returns(&self, people: usize) -> &Timelines {
        self.returns.get(people, || (0..self.customers.len()).map(|row| self.take_back(row)))
    }

    fn note(&mut self, row: usize, (sale, take_back): ((u32, i64), (u32, i64))) {
        self.timelines.note(sale, self.sale(row));
        self.returns.note(take_back, self.take_back(row));
    }

    /// Who brought something back in a row, and when; nobody and never where that is a sale, or nothing yet.
    fn take_back(&self, row: usize) -> (u32, i64) {
        match (self.customers.get(row), self.amounts.get(row)) {
            (Some(customer), Some(amount)) if !is_sale(*amount) => (*customer, self.times.at(row)),
            _ => (NOBODY, NEVER),
        }
    }

    /// Who bought in a row, and when; nobody and never where that is no sale, or nothing yet.
    fn sale(&self, row: usize) -> (u32, i64) {
        match (self.customers.get(row), self.amounts.get(row)) {
            (Some(customer), Some(amount)) if is_sale(*amount) => (*customer, self.times.at(row)),
            _ => (NOBODY, NEVER),
        }
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.currency.restore();
        self.channel.restore();
        self.categories.restore();
        self.declared.restore();
    }

    /// Lines added up by category.
    fn parts(&mut self, lines: Vec<PurchaseLineFact>) -> Result<Box<[Part]>, Unreadable> {
        let mut parts: Vec<Part> = Vec::with_capacity(lines.len());
        for line in lines {
            let PurchaseLineFact { category, quantity: _, discount: _, amount } = line;
            let amount = micros(&amount.ok_or(Unreadable("lines.amount"))?)?;
            let category = self.categories.code(&category);
            match parts.iter_mut().find(|part| part.category == category) {
                Some(part) => part.amount = part.amount.checked_add(amount).ok_or(Unreadable("lines.amount"))?,
                None => parts.push(Part { category, amount }),
            }
        }
        Ok(parts.into())
    }
}
