//! What happens in the loyalty programme.

use barometer_proto::customers::v1::MembershipEventFact;
use serde::{Deserialize, Serialize};

use super::{
    Stamp, Unreadable,
    attributes::{Attributes, Enrolment},
    choice::{Choice, known},
    customer,
    declared::Declared,
    dictionary::Column,
    instant, micros,
    people::{Ids, NOBODY},
    rows::{Rows, put},
    timelines::{Timelines, done},
    times::{NEVER, Times},
    uuid,
};

const TYPES: [&str; 11] = [
    "",
    "join",
    "leave",
    "earn",
    "redeem",
    "expire",
    "adjust",
    "grant_voucher",
    "redeem_voucher",
    "expire_voucher",
    "gesture",
];

/// What happened, as the contract numbers it.
pub(crate) mod event {
    pub(crate) const JOIN: u8 = 1;
    pub(crate) const LEAVE: u8 = 2;
    pub(crate) const EARN: u8 = 3;
    pub(crate) const REDEEM: u8 = 4;
    pub(crate) const EXPIRE: u8 = 5;
    pub(crate) const ADJUST: u8 = 6;
    pub(crate) const GRANT_VOUCHER: u8 = 7;
    pub(crate) const REDEEM_VOUCHER: u8 = 8;
    pub(crate) const EXPIRE_VOUCHER: u8 = 9;
}

/// All events of memberships.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memberships {
    pub(crate) rows: Rows,
    pub(crate) times: Times,
    pub(crate) customers: Vec<u32>,
    pub(crate) kind: Choice,
    pub(crate) points: Vec<i64>,
    /// The number of the voucher among them; [`NOBODY`] where there is none.
    pub(crate) vouchers: Vec<u32>,
    /// Vouchers by number.
    known_vouchers: Ids,
    /// Micro-units (1e-6) of the currency; 0 where nobody told.
    pub(crate) values: Vec<i64>,
    /// Of the value; empty where nobody told.
    pub(crate) currency: Column,
    pub(crate) programme: Column,
    pub(crate) reason: Column,
    pub(crate) channel: Column,
    pub(crate) campaign: Column,
    pub(crate) declared: Declared,
    #[serde(skip)]
    timelines: Timelines,
}

impl Memberships {
    /// Puts in an event, or its later version. Joining and leaving are told to the attributes too.
    pub(crate) fn put(
        &mut self,
        stamp: Stamp,
        fact: MembershipEventFact,
        people: &mut Ids,
        attributes: &mut Attributes,
    ) -> Result<(), Unreadable> {
        let MembershipEventFact {
            customer_id,
            time,
            r#type,
            programme,
            points,
            voucher_id,
            value,
            cost: _,
            reason,
            channel,
            campaign,
            expire_time: _,
            dimensions,
        } = fact;
        let customer = customer(people, &customer_id)?;
        let at = instant(time)?;
        let kind = known(r#type, &TYPES, "type")?;
        let voucher = match voucher_id.as_str() {
            "" => NOBODY,
            id => self.known_vouchers.number(uuid(id).ok_or(Unreadable("voucher_id"))?),
        };
        let worth = value.as_ref().map(micros).transpose()?.unwrap_or_default();
        if let Some(row) = self.rows.claim(stamp) {
            let before = self.enrolment(row);
            self.timelines.note(done(&self.customers, &self.times, row), (customer, at));
            self.times.put(row, at, stamp.written);
            put(&mut self.customers, row, customer);
            self.kind.set(row, kind);
            put(&mut self.points, row, points);
            put(&mut self.vouchers, row, voucher);
            put(&mut self.values, row, worth);
            self.currency.set(row, value.as_ref().map_or("", |value| &value.currency_code));
            self.programme.set(row, &programme);
            self.reason.set(row, &reason);
            self.channel.set(row, &channel);
            self.campaign.set(row, &campaign);
            self.declared.set(row, &dimensions);
            attributes.tell_membership(stamp.number, before, self.enrolment(row));
        }
        Ok(())
    }

    /// Takes an event out.
    pub(crate) fn withdraw(&mut self, stamp: Stamp, attributes: &mut Attributes) {
        if let Some(row) = self.rows.claim(stamp) {
            attributes.tell_membership(stamp.number, self.enrolment(row), None);
            self.timelines.note(done(&self.customers, &self.times, row), (NOBODY, NEVER));
            self.times.put(row, NEVER, stamp.written);
            put(&mut self.customers, row, NOBODY);
            self.kind.set(row, 0);
            put(&mut self.points, row, 0);
            put(&mut self.vouchers, row, NOBODY);
            put(&mut self.values, row, 0);
            self.currency.set(row, "");
            self.programme.set(row, "");
            self.reason.set(row, "");
            self.channel.set(row, "");
            self.campaign.set(row, "");
            self.declared.set(row, &Default::default());
        }
    }

    /// Who joined or left by the event of a row.
    fn enrolment(&self, row: usize) -> Option<Enrolment> {
        let joins = match self.kind.get(row) {
            event::JOIN => true,
            event::LEAVE => false,
            _ => return None,
        };
        Some(Enrolment { customer: *self.customers.get(row)?, at: self.times.at(row), joins })
    }

    /// How many vouchers were ever told of.
    pub(crate) fn vouchers_known(&self) -> usize {
        self.known_vouchers.len()
    }

    /// The instants of events by customer, of so many customers.
    pub(crate) fn timelines(&self, people: usize) -> &Timelines {
        self.timelines.get(people, || (0..self.customers.len()).map(|row| done(&self.customers, &self.times, row)))
    }

    /// Makes again what a snapshot leaves out, also what attributes know of memberships.
    pub(crate) fn restore(&mut self, attributes: &mut Attributes) {
        self.rows.restore();
        self.times.restore();
        self.known_vouchers.restore();
        self.currency.restore();
        self.programme.restore();
        self.reason.restore();
        self.channel.restore();
        self.campaign.restore();
        self.declared.restore();
        for row in 0..self.customers.len() {
            attributes.tell_membership(self.rows.number(row), None, self.enrolment(row));
        }
    }
}
