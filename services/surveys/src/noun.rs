//! What answers and invitations have in common: each is a row to a survey, a message, and the way between them.

use barometer_chassis::{
    door::{Door, PageToken, Stages},
    error::Error,
    fingerprint,
    writer::{Recorded, Write},
};
use barometer_directory::{CustomerId, CustomerRef};
use barometer_proto::common::v1::ExternalId;
use futures_util::future::BoxFuture;
use prost::{Message, Name};
use prost_types::FieldMask;
use sea_orm::DatabaseConnection;

use crate::{store::SurveyRef, survey};

/// A new row; who it is of; and what else it names.
pub(crate) type Parsed<N> = (N, CustomerRef, <N as Recorded>::Context);

/// A kind of fact that callers record of surveys.
pub(crate) trait Noun: Recorded + serde::Serialize {
    /// Its message.
    type Wire: Message + Name + Default + Clone;
    /// The message's field in requests, e.g. `response`.
    const FIELD: &'static str;
    /// The field that holds its id, e.g. `response_id`.
    const ID_FIELD: &'static str;
    /// The fields that an amendment may set.
    const AMENDABLE: &'static [&'static str];

    /// Which survey a message names. Noted as a violation when it names none.
    fn survey(door: &mut Door, message: &Self::Wire) -> Option<SurveyRef>;

    /// The caller's key of the customer, where a message names one by that.
    fn customer_key(message: &Self::Wire) -> Option<&ExternalId>;

    /// A new row to `survey`, when that is known; ids, positions and times are the writer's.
    fn parse(
        door: &mut Door,
        message: Self::Wire,
        survey: Option<&survey::Model>,
        stages: &Stages,
        actor: String,
    ) -> Parsed<Self>;

    /// The hash of what is recorded.
    fn fingerprint_with(&self, _context: &Self::Context) -> Result<i64, Error> {
        fingerprint::of(self)
    }

    /// The row of an import.
    fn imported(self) -> Self {
        self
    }

    /// The row for callers.
    fn render(self, position: String) -> Self::Wire;

    /// Adds to messages what other rows tell of them.
    fn complete<'d>(db: &'d DatabaseConnection, messages: &'d mut [Self::Wire]) -> BoxFuture<'d, Result<(), Error>> {
        let _ = (db, messages);
        Box::pin(async { Ok(()) })
    }

    /// Leaves out of a message what follows from the fields that an amendment sets, so that those can be amended alone.
    fn leave_out_derived(_shown: &mut Self::Wire, _patch: &Self::Wire, _mask: Option<&FieldMask>) {}

    /// Holds an amended row against the rows that it names, and that name it.
    fn check<'w>(
        write: &'w Write<'w>,
        old: &'w Self,
        new: &'w mut Self,
        context: Self::Context,
    ) -> BoxFuture<'w, Result<(), Error>>;

    /// New values under the head of the old row.
    fn amended(old: Self, new: Self) -> Self;

    /// Its place in a list.
    fn place(&self) -> PageToken;

    /// The id and the etag that a message holds.
    fn named(message: &Self::Wire) -> (&str, &str);

    /// Puts a customer's id in place of a key.
    fn set_customer(&mut self, customer: Option<CustomerId>);
}

/// How one of them is named in a request.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// By its id.
    Id(String),
    /// By the caller's key.
    Key(ExternalId),
}
