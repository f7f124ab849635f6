//! What the kinds of recorded facts have in common: each is a row, a message, and the way between them.

use barometer_chassis::{
    door::{Door, ExternalKey, PageToken, Stages},
    error::Error,
    writer::Recorded,
};
use barometer_proto::common::v1::ExternalId;
use prost::{Message, Name};
use serde::Serialize;

use crate::{customer::CustomerId, store::CustomerRef};

/// A kind of fact that callers record of customers. What a row is told apart by, when it comes again, is a hash of the row and
/// of its context, for as long as it is stored: neither may come to be written otherwise.
pub(crate) trait Noun: Recorded<Context: Naming> + Serialize {
    /// Its message.
    type Wire: Message + Name + Default + Clone;
    /// The message's field in requests, e.g. `purchase`.
    const FIELD: &'static str;
    /// The field that holds its id, e.g. `purchase_id`.
    const ID_FIELD: &'static str;
    /// The fields that an amendment may set.
    const AMENDABLE: &'static [&'static str];

    /// A new row and whom it names; ids, positions and times are the writer's.
    fn parse(door: &mut Door, message: Self::Wire, stages: &Stages, actor: String) -> (Self, Self::Context);

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
    fn set_customer(&mut self, customer: CustomerId);

    /// The customer; none of what is nobody's.
    fn customer(&self) -> Option<CustomerId>;

    /// The same for the other customer, of what is about two.
    fn set_other(&mut self, _other: CustomerId) {}

    /// The other customer.
    fn other(&self) -> Option<CustomerId> {
        None
    }

    /// What can be checked only when it is known who the customers are.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

/// Whom a message names.
pub(crate) trait Naming: Serialize {
    /// The customer; none when it is nobody's.
    fn customer(&self) -> Option<&CustomerRef>;

    /// The other customer, of what is about two.
    fn other(&self) -> Option<&CustomerRef> {
        None
    }
}

impl Naming for CustomerRef {
    fn customer(&self) -> Option<&CustomerRef> {
        Some(self)
    }
}

impl Naming for Option<CustomerRef> {
    fn customer(&self) -> Option<&CustomerRef> {
        self.as_ref()
    }
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
    parse_customer_in(door, ("customer_id", "customer_key"), id, key)
}

/// The same under other names of fields.
pub(crate) fn parse_customer_in(
    door: &mut Door,
    (id_field, key_field): (&str, &str),
    id: Option<String>,
    key: Option<ExternalId>,
) -> CustomerRef {
    match (id, key) {
        (Some(id), _) => CustomerRef::Id(CustomerId(door.id(id_field, &id))),
        (None, Some(key)) => CustomerRef::Key(door.inside(key_field, |door| door.key(key))),
        (None, None) => {
            door.missing(id_field);
            CustomerRef::Id(CustomerId::default())
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
