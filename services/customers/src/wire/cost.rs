//! Costs: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Amount, Door, PageToken, Stages, money},
};
use barometer_proto::customers::v1::{
    self as wire, CostKind, FactKind,
    cost::{Basis as Told, Customer},
    cost_fact,
    fact::Fact,
};

use crate::{
    cost::{Basis, Model},
    customer::CustomerId,
    noun::{Noun, columns, external_id, parse_customer},
    store::CustomerRef,
};

/// The longest time over which a sum is spread: ten years.
const MAX_SPREAD: i64 = 3_653 * Micros::DAY;

impl Noun for Model {
    type Wire = wire::Cost;
    const FIELD: &'static str = "cost";
    const ID_FIELD: &'static str = "cost_id";
    const AMENDABLE: &'static [&'static str] = &[
        "customer_id",
        "customer_key",
        "kind",
        "time",
        "end_time",
        "amount",
        "per_contact",
        "per_hour",
        "channel",
        "team",
        "campaign",
        "dimensions",
    ];

    fn parse(door: &mut Door, message: wire::Cost, _stages: &Stages, actor: String) -> (Self, Option<CustomerRef>) {
        let wire::Cost {
            customer,
            kind,
            time,
            end_time,
            basis,
            channel,
            team,
            campaign,
            external_id: key,
            dimensions,
            cost_id: _,
            etag: _,
            create_time: _,
            update_time: _,
            withdraw_time: _,
            position: _,
        } = message;
        let customer = customer.map(|customer| match customer {
            Customer::CustomerId(id) => parse_customer(door, Some(id), None),
            Customer::CustomerKey(key) => parse_customer(door, None, Some(key)),
        });
        let kind: CostKind = door.choice("kind", kind);
        let time = door.past_time("time", time);
        let end_time = door.optional_time("end_time", end_time);
        let (basis, amount) = parse_basis(door, basis);
        let campaign = door.text("campaign", campaign, 128);
        check_end(door, basis, time, end_time);
        if basis != Basis::Sum {
            check_rate(door, basis, kind, customer.as_ref(), &campaign);
        }
        let (external_system, external_key) = columns(door.optional_key("external_id", key));
        let row = Model {
            kind: kind.into(),
            time,
            end_time,
            basis,
            currency: amount.map(|amount| amount.currency.as_str().to_owned()).unwrap_or_default(),
            amount: amount.map(|amount| amount.micros).unwrap_or_default(),
            channel: door.text("channel", channel, 64),
            team: door.text("team", team, 64),
            campaign,
            dimensions: door.dimensions(dimensions),
            external_system,
            external_id: external_key,
            actor,
            ..Model::default()
        };
        (row, customer)
    }

    fn render(self, position: String) -> wire::Cost {
        let Model {
            id,
            number: _,
            position: _,
            version,
            customer_id,
            kind,
            time,
            end_time,
            basis,
            currency,
            amount,
            channel,
            team,
            campaign,
            dimensions,
            external_system,
            external_id: external_key,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        let amount = money(&currency, amount);
        wire::Cost {
            cost_id: id.to_string(),
            customer: customer_id.map(|id| Customer::CustomerId(id.to_string())),
            kind,
            time: Some(time.to_wire()),
            end_time: end_time.map(Micros::to_wire),
            basis: Some(match basis {
                Basis::Sum => Told::Amount(amount),
                Basis::PerContact => Told::PerContact(amount),
                Basis::PerHour => Told::PerHour(amount),
            }),
            channel,
            team,
            campaign,
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
            kind,
            time,
            end_time,
            basis,
            currency,
            amount,
            channel,
            team,
            campaign,
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
        Model { customer_id, kind, time, end_time, basis, currency, amount, channel, team, campaign, dimensions, ..old }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::Cost) -> (&str, &str) {
        (&message.cost_id, &message.etag)
    }

    fn set_customer(&mut self, customer: CustomerId) {
        self.customer_id = Some(customer);
    }

    fn customer(&self) -> Option<CustomerId> {
        self.customer_id
    }
}

/// A cost for watchers.
pub(crate) fn cost_fact(row: Model) -> wire::Fact {
    let head = (row.id, row.number, row.version, row.update_time);
    super::fact(head, FactKind::Cost, row.withdraw_time.is_some(), || {
        let amount = money(&row.currency, row.amount);
        Fact::Cost(wire::CostFact {
            customer_id: row.customer_id.map(|id| id.to_string()).unwrap_or_default(),
            kind: row.kind,
            time: Some(row.time.to_wire()),
            end_time: row.end_time.map(Micros::to_wire),
            basis: Some(match row.basis {
                Basis::Sum => cost_fact::Basis::Amount(amount),
                Basis::PerContact => cost_fact::Basis::PerItem(amount),
                Basis::PerHour => cost_fact::Basis::PerHour(amount),
            }),
            channel: row.channel,
            team: row.team,
            campaign: row.campaign,
            dimensions: row.dimensions.0,
        })
    })
}

/// How much, and how that is meant.
fn parse_basis(door: &mut Door, basis: Option<Told>) -> (Basis, Option<Amount>) {
    match basis {
        Some(Told::Amount(amount)) => (Basis::Sum, door.optional_money("amount", Some(amount))),
        Some(Told::PerContact(amount)) => (Basis::PerContact, door.optional_cost("per_contact", Some(amount))),
        Some(Told::PerHour(amount)) => (Basis::PerHour, door.optional_cost("per_hour", Some(amount))),
        None => {
            door.missing("amount");
            (Basis::Sum, None)
        }
    }
}

fn check_end(door: &mut Door, basis: Basis, time: Micros, end_time: Option<Micros>) {
    let Some(end) = end_time else { return };
    if end <= time {
        door.refuse("end_time", "OUT_OF_ORDER", "does not lie after `time`");
    } else if basis == Basis::Sum && end.0 - time.0 > MAX_SPREAD {
        door.refuse("end_time", "OUT_OF_RANGE", "lies more than 3,653 days after `time`");
    }
}

/// Rates are of contacts, and nobody's in particular.
fn check_rate(door: &mut Door, basis: Basis, kind: CostKind, customer: Option<&CustomerRef>, campaign: &str) {
    let field = if basis == Basis::PerContact { "per_contact" } else { "per_hour" };
    if !matches!(kind, CostKind::Contact | CostKind::Unspecified) {
        door.refuse(field, "NOT_TOGETHER", "goes with CONTACT only");
    }
    match customer {
        Some(CustomerRef::Id(_)) => door.refuse("customer_id", "NOT_TOGETHER", "does not go with a rate"),
        Some(CustomerRef::Key(_)) => door.refuse("customer_key", "NOT_TOGETHER", "does not go with a rate"),
        None => {}
    }
    if !campaign.is_empty() {
        door.refuse("campaign", "NOT_TOGETHER", "does not go with a rate");
    }
}
