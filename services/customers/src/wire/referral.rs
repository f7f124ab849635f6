//! Referrals: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken, Stages, money},
    error::Error,
};
use barometer_proto::customers::v1::{
    self as wire, FactKind,
    fact::Fact,
    referral::{Customer, Referred},
};

use super::parse_cost;
use crate::{
    customer::CustomerId,
    noun::{Noun, columns, external_id, not_reversed, parse_customer, parse_customer_in},
    referral::{Model, Named},
};

/// Nobody recommends the company to itself.
const SAME: &str = "SAME_CUSTOMER";

impl Noun for Model {
    type Wire = wire::Referral;
    const FIELD: &'static str = "referral";
    const ID_FIELD: &'static str = "referral_id";
    const AMENDABLE: &'static [&'static str] = &[
        "customer_id",
        "customer_key",
        "referred_customer_id",
        "referred_customer_key",
        "time",
        "join_time",
        "channel",
        "campaign",
        "reward",
        "dimensions",
    ];

    fn parse(door: &mut Door, message: wire::Referral, _stages: &Stages, actor: String) -> (Self, Named) {
        let wire::Referral {
            customer,
            referred,
            time,
            join_time,
            channel,
            campaign,
            reward,
            external_id: key,
            dimensions,
            referral_id: _,
            etag: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            position: _,
        } = message;
        let customer = match customer {
            Some(Customer::CustomerId(id)) => parse_customer(door, Some(id), None),
            Some(Customer::CustomerKey(key)) => parse_customer(door, None, Some(key)),
            None => parse_customer(door, None, None),
        };
        let fields = ("referred_customer_id", "referred_customer_key");
        let referred = referred.map(|referred| match referred {
            Referred::ReferredCustomerId(id) => parse_customer_in(door, fields, Some(id), None),
            Referred::ReferredCustomerKey(key) => parse_customer_in(door, fields, None, Some(key)),
        });
        if referred.as_ref() == Some(&customer) {
            door.refuse("referred_customer_id", SAME, "is who recommends");
        }
        let time = door.past_time("time", time);
        let join_time = join_time.map(|at| door.past_time("join_time", Some(at)));
        if join_time.is_some() && referred.is_none() {
            door.refuse("join_time", "NOT_TOGETHER", "needs to know who was recommended");
        }
        not_reversed(door, "join_time", time, join_time);
        let (reward_currency, reward) = parse_cost(door, "reward", reward);
        let (external_system, external_key) = columns(door.optional_key("external_id", key));
        let row = Model {
            time,
            join_time,
            channel: door.text("channel", channel, 64),
            campaign: door.text("campaign", campaign, 128),
            reward_currency,
            reward,
            dimensions: door.dimensions(dimensions),
            external_system,
            external_id: external_key,
            actor,
            ..Model::default()
        };
        (row, Named { customer, referred })
    }

    /// Of one who is named by an id and a key, or by two keys, only ids tell.
    fn check(&self) -> Result<(), Error> {
        match self.referred_customer_id == Some(self.customer_id) {
            true => Err(Error::invalid("referral.referred_customer_id", SAME, "is who recommends")),
            false => Ok(()),
        }
    }

    fn render(self, position: String) -> wire::Referral {
        let Model {
            id,
            number: _,
            position: _,
            version,
            customer_id,
            referred_customer_id,
            time,
            join_time,
            channel,
            campaign,
            reward_currency,
            reward,
            dimensions,
            external_system,
            external_id: external_key,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        wire::Referral {
            referral_id: id.to_string(),
            customer: Some(Customer::CustomerId(customer_id.to_string())),
            referred: referred_customer_id.map(|id| Referred::ReferredCustomerId(id.to_string())),
            time: Some(time.to_wire()),
            join_time: join_time.map(Micros::to_wire),
            channel,
            campaign,
            reward: reward_currency.zip(reward).map(|(currency, micros)| money(&currency, micros)),
            external_id: external_id(external_system, external_key),
            dimensions: dimensions.0,
            etag: version.to_string(),
            create_time: Some(create_time.to_wire()),
            update_time: Some(update_time.to_wire()),
            withdraw_time: withdraw_time.map(Micros::to_wire),
            position,
        }
    }

    fn amended(old: Self, new: Self) -> Self {
        let Model {
            customer_id,
            referred_customer_id,
            time,
            join_time,
            channel,
            campaign,
            reward_currency,
            reward,
            dimensions,
            id: _,
            number: _,
            position: _,
            version: _,
            external_system: _,
            external_id: _,
            fingerprint: _,
            actor: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
        } = new;
        Model {
            customer_id,
            referred_customer_id,
            time,
            join_time,
            channel,
            campaign,
            reward_currency,
            reward,
            dimensions,
            ..old
        }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::Referral) -> (&str, &str) {
        (&message.referral_id, &message.etag)
    }

    fn set_customer(&mut self, customer: CustomerId) {
        self.customer_id = customer;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }

    fn set_other(&mut self, other: CustomerId) {
        self.referred_customer_id = Some(other);
    }

    fn other(&self) -> Option<CustomerId> {
        self.referred_customer_id
    }
}

/// A referral for watchers.
pub(crate) fn referral_fact(row: Model) -> wire::Fact {
    let head = (row.id, row.number, row.version, row.update_time);
    super::fact(head, FactKind::Referral, row.withdraw_time.is_some(), || {
        Fact::Referral(wire::ReferralFact {
            customer_id: row.customer_id.to_string(),
            referred_customer_id: row.referred_customer_id.map(|id| id.to_string()).unwrap_or_default(),
            time: Some(row.time.to_wire()),
            join_time: row.join_time.map(Micros::to_wire),
            channel: row.channel,
            campaign: row.campaign,
            reward: row.reward_currency.zip(row.reward).map(|(currency, micros)| money(&currency, micros)),
            dimensions: row.dimensions.0,
        })
    })
}
