//! Messages to rows and back.

mod attribute_change;
mod customer;
mod customer_value;
mod interaction;
mod purchase;
mod subscription_event;

use barometer_proto::customers::v1 as wire;

pub(crate) use self::{
    attribute_change::{attribute_change_fact, attribute_filter},
    customer::{MUTABLE, customer_fact, parse_customer, parse_list_customers, render_customer},
    customer_value::{parse_value_band, render_value},
    interaction::interaction_fact,
    purchase::purchase_fact,
    subscription_event::subscription_event_fact,
};

/// A fact for watchers; a tombstone when it was withdrawn.
fn fact(
    (id, number, version): (uuid::Uuid, i64, i64),
    kind: wire::FactKind,
    withdrawn: bool,
    fact: impl FnOnce() -> wire::fact::Fact,
) -> wire::Fact {
    let fact = match withdrawn {
        true => wire::fact::Fact::Tombstone(wire::Tombstone { kind: kind.into() }),
        false => fact(),
    };
    wire::Fact { id: id.to_string(), number, version, fact: Some(fact) }
}
