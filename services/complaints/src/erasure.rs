//! The erasure: what becomes of a customer's data when they are to be forgotten.
//!
//! [`DECISIONS`] says of every column that may hold something personal what becomes of it.

mod decisions;

use std::collections::BTreeMap;

use barometer_chassis::{clock::Micros, door::ExternalKey, fingerprint};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{CaseEntryType, ErasedKind, ErasureAction};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

pub use self::decisions::{DECISIONS, Decision};
use crate::case::{Attachments, Outcome};

/// Entries of what customers do themselves, so that whoever is said to have done it may be they.
pub const OF_CUSTOMERS: [CaseEntryType; 3] =
    [CaseEntryType::Opened, CaseEntryType::CustomerWrote, CaseEntryType::AcceptanceRecorded];

/// An erasure's row: the receipt.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erasure")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Keyed hash of the customer's id.
    #[sea_orm(unique)]
    pub customer_hash: String,
    /// Whose data; nothing once it is done.
    pub customer_id: Option<CustomerId>,
    /// The new customer; nothing once it is done, so that nobody can tell who it was.
    pub anonymous_id: Option<CustomerId>,
    /// What was found until now.
    #[sea_orm(column_type = "JsonBinary")]
    pub counts: Counts,
    /// Who asked for it.
    pub actor: String,
    /// When it was asked for first.
    pub create_time: Micros,
    /// When nothing was left, also where the database keeps what was deleted for a while.
    pub end_time: Option<Micros>,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// How much was found of each kind, by the numbers of [`ErasedKind`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Counts(pub BTreeMap<i32, i64>);

impl Counts {
    /// So many more were found.
    pub fn add(&mut self, kind: ErasedKind, found: usize) {
        if found > 0 {
            *self.0.entry(kind.into()).or_default() += i64::try_from(found).unwrap_or(i64::MAX);
        }
    }
}

/// What is done with what is found of a kind.
pub fn action(kind: ErasedKind) -> ErasureAction {
    match kind {
        ErasedKind::Unspecified => ErasureAction::Unspecified,
        ErasedKind::ExternalIds => ErasureAction::Deleted,
        ErasedKind::Cases
        | ErasedKind::CaseEntries
        | ErasedKind::Promises
        | ErasedKind::Incidents
        | ErasedKind::Deliveries
        | ErasedKind::FollowUps
        | ErasedKind::Answers => ErasureAction::Anonymized,
    }
}

/// Something by which a customer, or what is theirs, could come in again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trace<'t> {
    /// The suite's id of a customer.
    Customer(CustomerId),
    /// A caller's key of a customer.
    Key(&'t ExternalKey),
    /// A caller's key of a thing, e.g. of a `case`: its noun, system and value.
    Thing(&'static str, &'t str, &'t str),
}

impl Trace<'_> {
    /// Its hash by a secret: nobody who has not got it can tell whose it is.
    pub fn hash(&self, secret: &str) -> String {
        // Each part with its length, so that no two traces are one text.
        let part = |text: &str| format!("{}:{text}", text.len());
        let text = match self {
            Trace::Customer(id) => format!("customer {id}"),
            Trace::Key(key) => format!("key {}{}", part(&key.system), part(&key.value)),
            Trace::Thing(noun, system, value) => format!("{noun} {}{}", part(system), part(value)),
        };
        fingerprint::keyed(secret, &text)
    }
}

/// An outcome without what is personal of it.
pub fn stripped(outcome: Outcome) -> Outcome {
    let mut outcome = outcome;
    outcome.lesson.clear();
    outcome.redress.iter_mut().for_each(|redress| redress.reference.clear());
    outcome
}

/// No attachments.
pub fn none() -> Attachments {
    Attachments::default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn traces_differ_and_need_their_secret() {
        let key = |system: &str, value: &str| ExternalKey { system: system.to_owned(), value: value.to_owned() };
        let (one, two) = (key("a", "b1:c"), key("ab", "1:c"));
        let id = CustomerId(Uuid::from_u128(1));
        let traces = [Trace::Customer(id), Trace::Key(&one), Trace::Key(&two), Trace::Thing("case", "a", "b1:c")];
        let hashes: BTreeSet<_> = traces.iter().map(|trace| trace.hash("secret")).collect();
        assert_eq!(hashes.len(), traces.len());
        assert!(traces.iter().all(|trace| trace.hash("another") != trace.hash("secret")));
    }
}
