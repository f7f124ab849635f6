//! What the four kinds of recorded facts have in common: each is a row, a message, and the way between them.

use barometer_chassis::{
    door::{Door, ExternalKey, PageToken, Stages},
    error::Error,
    writer::Recorded,
};
use barometer_proto::common::v1::ExternalId;
use prost::{Message, Name};

use crate::store::CustomerRef;

/// A kind of fact that callers record of customers.
pub(crate) trait Noun: Recorded<Context = CustomerRef> + serde::Serialize {
    /// Its message.
    type Wire: Message + Name + Default + Clone;
    /// The message's field in requests, e.g. `purchase`.
    const FIELD: &'static str;
    /// The field that holds its id, e.g. `purchase_id`.
    const ID_FIELD: &'static str;
    /// The fields that an amendment may set.
    const AMENDABLE: &'static [&'static str];

    /// A new row and its customer; ids, positions and times are the writer's.
    fn parse(door: &mut Door, message: Self::Wire, stages: &Stages, actor: String) -> (Self, CustomerRef);

    /// The row for callers.
    fn render(self, position: String) -> Self::Wire;

    /// Leaves out of a message what follows from its other fields, so that those can be amended alone.
    fn leave_out_derived(_message: &mut Self::Wire) {}

    /// New values under the head of the old row.
    fn amended(old: Self, new: Self) -> Self;

    /// Its place in a list.
    fn place(&self) -> PageToken;

    /// The id and the etag that a message holds.
    fn named(message: &Self::Wire) -> (&str, &str);

    /// Puts a customer's id in place of a key.
    fn set_customer(&mut self, customer: crate::customer::CustomerId);

    /// The customer.
    fn customer(&self) -> crate::customer::CustomerId;
}

/// How one of them is named in a request.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// By its id.
    Id(String),
    /// By the caller's key.
    Key(ExternalId),
}

/// A customer as a message names it. Noted as a violation when it names none.
pub(crate) fn parse_customer(door: &mut Door, id: Option<String>, key: Option<ExternalId>) -> CustomerRef {
    match (id, key) {
        (Some(id), _) => CustomerRef::Id(crate::customer::CustomerId(door.id("customer_id", &id))),
        (None, Some(key)) => CustomerRef::Key(door.inside("customer_key", |door| door.key(key))),
        (None, None) => {
            door.missing("customer_id");
            CustomerRef::Id(crate::customer::CustomerId::default())
        }
    }
}

/// A key in two columns.
pub(crate) fn columns(key: Option<ExternalKey>) -> (Option<String>, Option<String>) {
    key.map(|key| (key.system, key.value)).unzip()
}

/// A key from two columns.
pub(crate) fn external_id(system: Option<String>, value: Option<String>) -> Option<ExternalId> {
    system.zip(value).map(|(system, value)| ExternalId { system, value })
}

/// Checks that `from` is not after `until`, where both are given.
pub(crate) fn not_reversed<T: Ord>(door: &mut Door, field: &str, from: T, until: Option<T>) -> Option<()> {
    if until? < from {
        door.refuse(field, "OUT_OF_ORDER", "lies before `time`");
    }
    Some(())
}

/// The error for an answer that can not be: a row that has just been written is not there.
pub(crate) fn vanished(noun: &'static str) -> Error {
    Error::Internal(format!("a {noun} that was written is not there"))
}
