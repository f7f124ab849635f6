//! Messages to rows and back.

mod attribute_change;
mod cost;
mod customer;
mod customer_value;
mod interaction;
mod membership_event;
mod purchase;
mod referral;
mod subscription_event;

use barometer_chassis::{clock::Micros, door::Door};
use barometer_proto::{common::v1::Money, customers::v1 as wire};

use crate::customer::CustomerId;

pub(crate) use self::{
    attribute_change::{attribute_change_fact, attribute_filter},
    cost::cost_fact,
    customer::{MUTABLE, customer_fact, parse_customer, parse_list_customers, render_customer},
    customer_value::{parse_value_band, render_value},
    interaction::interaction_fact,
    membership_event::membership_event_fact,
    purchase::purchase_fact,
    referral::referral_fact,
    subscription_event::subscription_event_fact,
};

/// A fact for watchers; a tombstone when it was withdrawn.
fn fact(
    (id, number, version, written): (uuid::Uuid, i64, i64, Micros),
    kind: wire::FactKind,
    withdrawn: bool,
    fact: impl FnOnce() -> wire::fact::Fact,
) -> wire::Fact {
    let fact = match withdrawn {
        true => wire::fact::Fact::Tombstone(wire::Tombstone { kind: kind.into() }),
        false => fact(),
    };
    wire::Fact { id: id.to_string(), number, version, fact: Some(fact), write_time: Some(written.to_wire()) }
}

/// Names something in the feed, where the caller's own key of it must not be: a customer's subscription, or voucher.
fn id_of_key(customer: CustomerId, key: &str) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(customer.0.as_bytes()).update(key.as_bytes());
    let mut bytes = [0; 16];
    hash.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

/// Money that must not be negative, in two columns; none when it is not given.
fn parse_cost(door: &mut Door, field: &str, money: Option<Money>) -> (Option<String>, Option<i64>) {
    let amount = door.optional_cost(field, money);
    amount.map(|amount| (amount.currency.as_str().to_owned(), amount.micros)).unzip()
}
