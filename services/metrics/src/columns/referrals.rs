//! Who recommended whom.

use barometer_proto::customers::v1::ReferralFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable, customer,
    declared::Declared,
    dictionary::Column,
    instant, micros, optional_instant,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    timelines::{Timelines, done},
    times::{NEVER, Times},
};

/// All referrals.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Referrals {
    pub(crate) rows: Rows,
    pub(crate) times: Times,
    /// Who recommended.
    pub(crate) customers: Vec<u32>,
    /// Who was recommended; nobody where nobody knows.
    referred: Vec<u32>,
    /// Whether the other one became a customer.
    joined: Vec<bool>,
    /// Micro-units (1e-6) of the currency; 0 where there is none.
    pub(crate) rewards: Vec<i64>,
    /// Of the reward; empty where there is none.
    pub(crate) currency: Column,
    pub(crate) channel: Column,
    pub(crate) campaign: Column,
    pub(crate) declared: Declared,
    #[serde(skip)]
    timelines: Timelines,
}

impl Referrals {
    /// Puts in a referral, or its later version.
    pub(crate) fn put(&mut self, stamp: Stamp, fact: ReferralFact, people: &mut Ids) -> Result<(), Unreadable> {
        let ReferralFact { customer_id, referred_customer_id, time, join_time, channel, campaign, reward, dimensions } =
            fact;
        let person = customer(people, &customer_id)?;
        let other = match referred_customer_id.as_str() {
            "" => NOBODY,
            id => customer(people, id).map_err(|_| Unreadable("referred_customer_id"))?,
        };
        let at = instant(time)?;
        let joined = optional_instant(join_time)?.is_some();
        let worth = reward.as_ref().map(micros).transpose()?.unwrap_or_default();
        if let Some(row) = self.rows.claim(stamp) {
            self.timelines.note(done(&self.customers, &self.times, row), (person, at));
            self.times.put(row, at, stamp.written);
            put(&mut self.customers, row, person);
            put(&mut self.referred, row, other);
            put(&mut self.joined, row, joined);
            put(&mut self.rewards, row, worth);
            self.currency.set(row, reward.as_ref().map_or("", |reward| &reward.currency_code));
            self.channel.set(row, &channel);
            self.campaign.set(row, &campaign);
            self.declared.set(row, &dimensions);
        }
        Ok(())
    }

    /// Takes a referral out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp) {
        if let Some(row) = self.rows.claim(stamp) {
            self.timelines.note(done(&self.customers, &self.times, row), (NOBODY, NEVER));
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.customers, row, NOBODY);
            put(&mut self.referred, row, NOBODY);
            put(&mut self.joined, row, false);
            put(&mut self.rewards, row, 0);
            self.currency.set(row, "");
            self.channel.set(row, "");
            self.campaign.set(row, "");
            self.declared.set(row, &Default::default());
        }
    }

    /// For each row whether it brought a customer: of those by which one was recommended that came, the first did.
    pub(crate) fn brought(&self, people: usize) -> Vec<bool> {
        let mut first = vec![None; people];
        let came = |row: &usize| self.joined[*row] && self.times.at(*row) != NEVER;
        for row in (0..self.referred.len()).filter(came) {
            let Some(first) = first.get_mut(self.referred[row] as usize) else { continue };
            let this = (self.times.at(row), self.rows.number(row), row);
            *first = Some(first.map_or(this, |other| this.min(other)));
        }
        let mut brought = vec![false; self.referred.len()];
        first.into_iter().flatten().for_each(|(_, _, row)| brought[row] = true);
        brought
    }

    /// The instants of recommendations by customer, of so many customers.
    pub(crate) fn timelines(&self, people: usize) -> &Timelines {
        self.timelines.get(people, || (0..self.customers.len()).map(|row| done(&self.customers, &self.times, row)))
    }

    /// Makes again what a snapshot leaves out.
    pub(crate) fn restore(&mut self) {
        self.rows.restore();
        self.times.restore();
        self.currency.restore();
        self.channel.restore();
        self.campaign.restore();
        self.declared.restore();
    }
}
