//! What was spent.

use std::ops::Range;

use barometer_proto::customers::v1::{CostFact, cost_fact::Basis};
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    choice::{Choice, known},
    declared::Declared,
    dictionary::Column,
    instant, micros, optional_instant,
    rows::{Rows, put},
    times::{NEVER, Times},
};

const KINDS: [&str; 4] = ["", "acquisition", "contact", "programme"];
const ACQUISITION: u8 = 1;
const CONTACT: u8 = 2;
/// What an amount is of: a sum, or a rate.
const SUM: u8 = 0;
const PER_CONTACT: u8 = 1;
const PER_HOUR: u8 = 2;

/// All costs: sums that were spent, and rates at which contacts are reckoned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Costs {
    pub(crate) rows: Rows,
    /// From when on.
    pub(crate) times: Times,
    /// Until when; of what was spent at once, and of a rate that holds until the next, its beginning.
    ends: Vec<i64>,
    kind: Choice,
    basis: Choice,
    /// Micro-units (1e-6) of the currency; of rates for each contact, or for each hour.
    pub(crate) amounts: Vec<i64>,
    pub(crate) currency: Column,
    pub(crate) channel: Column,
    pub(crate) team: Column,
    pub(crate) campaign: Column,
    pub(crate) declared: Declared,
}

impl Costs {
    /// Puts in a cost, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: CostFact) -> Result<(), Unreadable> {
        let CostFact { customer_id: _, kind, time, end_time, basis, channel, team, campaign, dimensions } = fact;
        let at = instant(time)?;
        let end = optional_instant(end_time)?.unwrap_or(at);
        let kind = known(kind, &KINDS, "kind")?;
        let (basis, amount) = match basis.ok_or(Unreadable("basis"))? {
            Basis::Amount(amount) => (SUM, amount),
            Basis::PerItem(amount) => (PER_CONTACT, amount),
            Basis::PerHour(amount) => (PER_HOUR, amount),
        };
        let spent = micros(&amount)?;
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, at, stamp.written);
            put(&mut self.ends, row, end);
            self.kind.set(row, kind);
            self.basis.set(row, basis);
            put(&mut self.amounts, row, spent);
            self.currency.set(row, &amount.currency_code);
            self.channel.set(row, &channel);
            self.team.set(row, &team);
            self.campaign.set(row, &campaign);
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes a cost out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.ends, row, NEVER);
            self.kind.set(row, 0);
            self.basis.set(row, SUM);
            put(&mut self.amounts, row, 0);
            self.currency.set(row, "");
            self.channel.set(row, "");
            self.team.set(row, "");
            self.campaign.set(row, "");
            self.declared.set(row, &Default::default());
        }
    }

    /// The rows of sums that were spent to win customers.
    pub(crate) fn of_acquisition(&self) -> impl Iterator<Item = u32> {
        let is_one = |row: &u32| {
            let row = *row as usize;
            self.kind.get(row) == ACQUISITION && self.basis.get(row) == SUM && self.times.at(row) != NEVER
        };
        self.rows().filter(is_one)
    }

    /// The rows of rates for each contact.
    pub(crate) fn per_contact(&self) -> impl Iterator<Item = u32> {
        self.rates(PER_CONTACT)
    }

    /// The rows of rates for each hour of a contact.
    pub(crate) fn per_hour(&self) -> impl Iterator<Item = u32> {
        self.rates(PER_HOUR)
    }

    fn rates(&self, basis: u8) -> impl Iterator<Item = u32> {
        let is_one = move |row: &u32| {
            let row = *row as usize;
            self.kind.get(row) == CONTACT && self.basis.get(row) == basis && self.times.at(row) != NEVER
        };
        self.rows().filter(is_one)
    }

    fn rows(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    /// The number of the cost in a row.
    pub(crate) fn number(&self, row: u32) -> i64 {
        self.rows.number(row as usize)
    }

    /// Over which time the sum of a row is spread, or its rate holds; empty where it was spent at once, or holds until the next.
    pub(crate) fn spread(&self, row: u32) -> Range<i64> {
        self.times.at(row as usize)..self.ends[row as usize]
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.currency.restore();
        self.channel.restore();
        self.team.restore();
        self.campaign.restore();
        self.declared.restore();
    }
}
