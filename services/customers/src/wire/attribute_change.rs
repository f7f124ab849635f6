//! Changes of attributes: message ⇄ row.

use barometer_chassis::{
    clock::Micros,
    door::{Door, PageToken, Stages},
};
use barometer_proto::customers::v1::{self as wire, Attribute, FactKind, attribute_change::Customer, fact::Fact};

use super::parse_value_band;
use crate::{
    attribute_change::{Column, Model},
    customer::CustomerId,
    noun::{Noun, columns, external_id, parse_customer},
    store::CustomerRef,
};

impl Noun for Model {
    type Wire = wire::AttributeChange;
    const FIELD: &'static str = "attribute_change";
    const ID_FIELD: &'static str = "attribute_change_id";
    const AMENDABLE: &'static [&'static str] =
        &["customer_id", "customer_key", "attribute", "value", "leaves", "time", "dimensions"];

    fn parse(door: &mut Door, message: wire::AttributeChange, _stages: &Stages, actor: String) -> (Self, CustomerRef) {
        let wire::AttributeChange {
            customer,
            attribute,
            value,
            leaves,
            time,
            external_id: key,
            dimensions,
            attribute_change_id: _,
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
        let attribute: Attribute = door.choice("attribute", attribute);
        let value = match attribute {
            Attribute::ValueBand => parse_value_band(door, "value", value),
            _ => door.text("value", value, 64),
        };
        match attribute {
            Attribute::Segment if value.is_empty() => door.missing("value"),
            Attribute::Member if !matches!(value.as_str(), "" | "true" | "false") => {
                door.refuse("value", "NOT_A_BOOLEAN", "is neither `true` nor `false` nor empty");
            }
            _ => {}
        }
        if leaves && attribute != Attribute::Segment {
            door.refuse("leaves", "NOT_TOGETHER", "goes with segments only");
        }
        let time = door.time("time", time);
        if time > door.now() {
            door.refuse("time", "IN_THE_FUTURE", "lies in the future");
        }
        let (external_system, external_key) = columns(door.optional_key("external_id", key));
        let row = Model {
            attribute: attribute.into(),
            value,
            leaves,
            time,
            dimensions: door.dimensions(dimensions),
            external_system,
            external_id: external_key,
            actor,
            ..Model::default()
        };
        (row, customer)
    }

    fn render(self, position: String) -> wire::AttributeChange {
        let Model {
            id,
            number: _,
            position: _,
            version,
            customer_id,
            time,
            attribute,
            value,
            leaves,
            dimensions,
            external_system,
            external_id: external_key,
            fingerprint: _,
            actor: _,
            create_time,
            update_time,
            withdraw_time,
        } = self;
        wire::AttributeChange {
            attribute_change_id: id.to_string(),
            customer: Some(Customer::CustomerId(customer_id.to_string())),
            time: Some(time.to_wire()),
            attribute,
            value,
            leaves,
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
            attribute,
            value,
            leaves,
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
        Model { customer_id, time, attribute, value, leaves, dimensions, ..old }
    }

    fn place(&self) -> PageToken {
        PageToken { key: self.time.0, id: self.id }
    }

    fn named(message: &wire::AttributeChange) -> (&str, &str) {
        (&message.attribute_change_id, &message.etag)
    }

    fn set_customer(&mut self, customer: CustomerId) {
        self.customer_id = customer;
    }

    fn customer(&self) -> Option<CustomerId> {
        Some(self.customer_id)
    }
}

/// A change for watchers.
pub(crate) fn attribute_change_fact(row: Model) -> wire::Fact {
    let head = (row.id, row.number, row.version, row.update_time);
    super::fact(head, FactKind::AttributeChange, row.withdraw_time.is_some(), || {
        Fact::AttributeChange(wire::AttributeChangeFact {
            customer_id: row.customer_id.to_string(),
            time: Some(row.time.to_wire()),
            attribute: row.attribute,
            value: row.value,
            leaves: row.leaves,
            dimensions: row.dimensions.0,
        })
    })
}

/// The condition that a list's filter by attribute sets.
pub(crate) fn attribute_filter(door: &mut Door, attribute: i32) -> Option<sea_orm::sea_query::SimpleExpr> {
    use sea_orm::ColumnTrait;
    let attribute: Attribute = door.optional_choice("attribute", attribute);
    (attribute != Attribute::Unspecified).then(|| Column::Attribute.eq(i32::from(attribute)))
}
