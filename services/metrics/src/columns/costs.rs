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

/// All costs. Of rates nothing is kept but that they are there: no figure is made of them yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Costs {
    pub(crate) rows: Rows,
    /// From when on.
    pub(crate) times: Times,
    /// Until when; of what was spent at once, its instant.
    ends: Vec<i64>,
    kind: Choice,
    /// Micro-units (1e-6) of the currency; 0 of rates.
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
        let (kind, amount) = match basis.ok_or(Unreadable("basis"))? {
            Basis::Amount(amount) => (kind, amount),
            Basis::PerItem(_) | Basis::PerHour(_) => (0, Default::default()),
        };
        let spent = micros(&amount)?;
        if let Some(row) = self.rows.claim(stamp) {
            self.times.put(row, at, stamp.written);
            put(&mut self.ends, row, end);
            self.kind.set(row, kind);
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
            self.kind.get(row) == ACQUISITION && self.times.at(row) != NEVER
        };
        (0..u32::try_from(self.ends.len()).unwrap_or(u32::MAX)).filter(is_one)
    }

    /// Over which time the sum of a row is spread; empty where it was spent at once.
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
