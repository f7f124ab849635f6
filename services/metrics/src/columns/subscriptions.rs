//! Events of subscriptions: starts, changes and cancellations.

use barometer_proto::customers::v1::SubscriptionEventFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    customer,
    declared::Declared,
    dictionary::{Column, EMPTY},
    instant, micros,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    timelines::{Timelines, done},
    times::{NEVER, Times},
    uuid,
};
use crate::rules::contract::{Event, What};

/// What happened, as the contract numbers it.
const TYPES: [&str; 4] = ["", "start", "change", "cancel"];
const CHANGE: u8 = 2;
const CANCEL: u8 = 3;
/// Whether the customer chose it.
pub(crate) const VOLUNTARY: [&str; 3] = ["", "false", "true"];
/// Stands for no subscription, in rows that were withdrawn.
const NONE: u32 = u32::MAX;

/// All events of subscriptions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Subscriptions {
    pub(crate) rows: Rows,
    /// When each was agreed.
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    ids: Ids,
    subscriptions: Vec<u32>,
    what: Choice,
    /// When each takes effect, in microseconds; [`NEVER`] of what was withdrawn.
    pub(crate) effective: Vec<i64>,
    /// Micro-units (1e-6) of the currency a month; 0 of a cancellation.
    amounts: Vec<i64>,
    pub(crate) currency: Column,
    pub(crate) plan: Column,
    pub(crate) reason: Column,
    pub(crate) voluntary: Choice,
    pub(crate) declared: Declared,
    #[serde(skip)]
    timelines: Timelines,
}

impl Subscriptions {
    /// Puts in an event, or its later version.
    pub(crate) fn put(
        &mut self,
        stamp: Stamp,
        fact: SubscriptionEventFact,
        people: &mut Ids,
    ) -> Result<(), Unreadable> {
        let SubscriptionEventFact {
            customer_id,
            subscription_id,
            r#type,
            time,
            effective_time,
            plan,
            monthly_amount,
            reason,
            voluntary,
            dimensions,
        } = fact;
        let customer = customer(people, &customer_id)?;
        let subscription = self.ids.number(uuid(&subscription_id).ok_or(Unreadable("subscription_id"))?);
        let what = known(r#type, &TYPES, "type")?;
        let (at, effective) = (instant(time)?, instant(effective_time)?);
        let amount = monthly_amount.as_ref().map(micros).transpose()?;
        let amount = match what {
            0 => return Err(Unreadable("type")),
            CANCEL => amount.unwrap_or_default(),
            _ => amount.ok_or(Unreadable("monthly_amount"))?,
        };
        if let Some(row) = self.rows.claim(stamp) {
            self.timelines.note(done(&self.customers, &self.times, row), (customer, at));
            self.times.put(row, at, stamp.written);
            put(&mut self.customers, row, customer);
            put(&mut self.subscriptions, row, subscription);
            self.what.set(row, what);
            put(&mut self.effective, row, effective);
            put(&mut self.amounts, row, amount);
            self.currency.set(row, monthly_amount.as_ref().map_or("", |money| &money.currency_code));
            self.plan.set(row, &plan);
            self.reason.set(row, &reason);
            self.voluntary.set(row, voluntary.map_or(0, |chosen| 1 + u8::from(chosen)));
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes an event out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.timelines.note(done(&self.customers, &self.times, row), (NOBODY, NEVER));
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.customers, row, NOBODY);
            put(&mut self.subscriptions, row, NONE);
            self.what.set(row, 0);
            put(&mut self.effective, row, NEVER);
            put(&mut self.amounts, row, 0);
            self.currency.set(row, "");
            self.plan.set(row, "");
            self.reason.set(row, "");
            self.voluntary.set(row, 0);
            self.declared.set(row, &Default::default());
        }
    }

    /// The rows of all events, by customer, then by subscription, and those of one as they take effect: of several at the same
    /// instant that which was agreed last is the last.
    pub(crate) fn in_order(&self) -> Vec<u32> {
        let rows = (0..).zip(&self.effective).filter(|(_, effective)| **effective != NEVER).map(|(row, _)| row);
        let mut rows: Vec<u32> = rows.collect();
        rows.sort_unstable_by_key(|row| {
            let index = *row as usize;
            let (who, at) = (self.customers[index], self.effective[index]);
            (who, self.subscriptions[index], at, self.times.at(index), self.rows.number(index))
        });
        rows
    }

    /// Whether two events are of one subscription.
    pub(crate) fn are_of_one(&self, one: u32, other: u32) -> bool {
        let of = |row: u32| (self.customers[row as usize], self.subscriptions[row as usize]);
        of(one) == of(other)
    }

    /// What happened in a row.
    pub(crate) fn event(&self, row: u32) -> Event {
        let index = row as usize;
        // Amounts are not negative.
        let amount = self.amounts[index].unsigned_abs();
        let what = match self.what.get(index) {
            CANCEL => What::Cancel,
            CHANGE => What::Change(amount),
            _ => What::Start(amount),
        };
        Event { row, at: self.effective[index], what }
    }

    /// The number of the fact in a row.
    pub(crate) fn number(&self, row: u32) -> i64 {
        self.rows.number(row as usize)
    }

    /// What each event says of its subscription, or, where it says nothing, the one before it said.
    pub(crate) fn carried(&self, column: &Column) -> Vec<u32> {
        let mut codes = column.codes().to_vec();
        codes.resize(self.effective.len(), EMPTY);
        for pair in self.in_order().windows(2) {
            let (before, row) = (pair[0], pair[1]);
            if codes[row as usize] == EMPTY && self.are_of_one(before, row) {
                codes[row as usize] = codes[before as usize];
            }
        }
        codes
    }

    /// The instants of events by customer, of so many customers.
    pub(crate) fn timelines(&self, people: usize) -> &Timelines {
        self.timelines.get(people, || (0..self.customers.len()).map(|row| done(&self.customers, &self.times, row)))
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.ids.restore();
        self.currency.restore();
        self.plan.restore();
        self.reason.restore();
        self.declared.restore();
    }
}
