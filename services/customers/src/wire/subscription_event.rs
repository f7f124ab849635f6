//! Events of subscriptions: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken, Stages, money},
};
use barometer_proto::customers::v1::{
    self as wire, FactKind, SubscriptionEventType, fact::Fact, subscription_event::Customer,
};

use super::id_of_key;
use crate::{
    customer::CustomerId,
    noun::{Noun, columns, external_id, not_reversed, parse_customer},
    store::CustomerRef,
    subscription_event::Model,
};

impl Noun for Model {
    type Wire = wire::SubscriptionEvent;
    const FIELD: &'static str = "subscription_event";
    const ID_FIELD: &'static str = "subscription_event_id";
    const AMENDABLE: &'static [&'static str] = &[
        "customer_id",
        "customer_key",
        "subscription",
        "type",
        "time",
        "effective_time",
        "plan",
        "monthly_amount",
        "reason",
        "voluntary",
        "dimensions",
    ];

    fn parse(
        door: &mut Door,
        message: wire::SubscriptionEvent,
        _stages: &Stages,
        actor: String,
    ) -> (Self, CustomerRef) {
        let wire::SubscriptionEvent {
            customer,
            subscription,
            r#type,
            time,
            effective_time,
            plan,
            monthly_amount,
            reason,
            voluntary,
            external_id: key,
            dimensions,
            subscription_event_id: _,
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
        let event_type: SubscriptionEventType = door.choice("type", r#type);
        let time = door.past_time("time", time);
        let effective_time = door.optional_time("effective_time", effective_time);
        let has_amount = monthly_amount.is_some();
        let amount = door.optional_cost("monthly_amount", monthly_amount);
        let cancels = event_type == SubscriptionEventType::Cancel;
        if cancels && has_amount {
            door.refuse("monthly_amount", "NOT_TOGETHER", "does not go with a cancellation");
        } else if !cancels && !has_amount {
            door.missing("monthly_amount");
        }
        if cancels {
            not_reversed(door, "effective_time", time, effective_time);
        } else if voluntary.is_some() {
            door.refuse("voluntary", "NOT_TOGETHER", "goes with a cancellation only");
        }
        let (external_system, external_key) = columns(door.optional_key("external_id", key));
        let row = Model {
            time,
            subscription: door.required_text("subscription", subscription, 128),
            event_type: event_type.into(),
            effective_time: effective_time.unwrap_or(time),
            plan: door.text("plan", plan, 64),
            currency: amount.map(|amount| amount.currency.as_str().to_owned()),
            monthly_amount: amount.map(|amount| amount.micros),
            reason: door.text("reason", reason, 64),
            voluntary,
            dimensions: door.dimensions(dimensions),
            external_system,
            external_id: external_key,
            actor,
            ..Model::default()
        };
        (row, customer)
    }

    fn render(self, position: String) -> wire::SubscriptionEvent {
        let Model {
            id,
            number: _,
            position: _,
            version,
            customer_id,
            time,
            subscription,
            event_type,
            effective_time,
            plan,
            currency,
            monthly_amount,
            reason,
            voluntary,
            dimensions,
            external_system,
            external_id: external_key,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        wire::SubscriptionEvent {
            subscription_event_id: id.to_string(),
            customer: Some(Customer::CustomerId(customer_id.to_string())),
            time: Some(time.to_wire()),
            subscription,
            r#type: event_type,
            effective_time: Some(effective_time.to_wire()),
            plan,
            monthly_amount: currency.zip(monthly_amount).map(|(currency, micros)| money(&currency, micros)),
            reason,
            voluntary,
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
            time,
            subscription,
            event_type,
            effective_time,
            plan,
            currency,
            monthly_amount,
            reason,
            voluntary,
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
            time,
            subscription,
            event_type,
            effective_time,
            plan,
            currency,
            monthly_amount,
            reason,
            voluntary,
            dimensions,
            ..old
        }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::SubscriptionEvent) -> (&str, &str) {
        (&message.subscription_event_id, &message.etag)
    }

    fn set_customer(&mut self, customer: CustomerId) {
        self.customer_id = customer;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }
}

/// An event for watchers.
pub(crate) fn subscription_event_fact(row: Model) -> wire::Fact {
    let head = (row.id, row.number, row.version, row.update_time);
    super::fact(head, FactKind::SubscriptionEvent, row.withdraw_time.is_some(), || {
        Fact::SubscriptionEvent(wire::SubscriptionEventFact {
            customer_id: row.customer_id.to_string(),
            time: Some(row.time.to_wire()),
            subscription_id: id_of_key(row.customer_id, &row.subscription),
            r#type: row.event_type,
            effective_time: Some(row.effective_time.to_wire()),
            plan: row.plan,
            monthly_amount: row.currency.zip(row.monthly_amount).map(|(currency, micros)| money(&currency, micros)),
            reason: row.reason,
            voluntary: row.voluntary,
            dimensions: row.dimensions.0,
        })
    })
}
