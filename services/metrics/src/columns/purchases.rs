//! Purchases and returns.

use barometer_proto::customers::v1::{PurchaseFact, PurchaseLineFact};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable, customer,
    declared::Declared,
    dictionary::{Column, Dictionary, EMPTY},
    instant, micros,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    times::{NEVER, Times},
};

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
    pub(crate) declared: Declared,
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
            due_time: _,
            paid_time: _,
            dimensions,
        } = fact;
        let customer = customer(people, &customer_id)?;
        let at = instant(time)?;
        let amount = amount.ok_or(Unreadable("amount"))?;
        let micros = micros(&amount)?;
        let parts = self.parts(lines)?;
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, at, stamp.written);
            put(&mut self.customers, row, customer);
            put(&mut self.amounts, row, micros);
            self.currency.set(row, &amount.currency_code);
            self.channel.set(row, &channel);
            put(&mut self.countries, row, countries.code(&country));
            put(&mut self.vouchers, row, voucher);
            put(&mut self.parts, row, parts);
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes a purchase out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.customers, row, NOBODY);
            put(&mut self.amounts, row, 0);
            self.currency.set(row, "");
            self.channel.set(row, "");
            put(&mut self.countries, row, EMPTY);
            put(&mut self.vouchers, row, false);
            put(&mut self.parts, row, Box::default());
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

    /// The number of the purchase in a row.
    pub(crate) fn number(&self, row: u32) -> i64 {
        self.rows.number(row as usize)
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
