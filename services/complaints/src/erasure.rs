//! The erasure: what becomes of a customer's data when they are to be forgotten.
//!
//! [`DECISIONS`] says of every column that may hold something personal what becomes of it; a test finds those columns, and
//! fails for one of which nothing is said.

use std::collections::BTreeMap;

use barometer_chassis::{clock::Micros, door::ExternalKey, fingerprint};
use barometer_directory::CustomerId;
use barometer_proto::complaints::v1::{ErasedKind, ErasureAction};
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::case::{Attachments, Outcome};

/// What becomes of a column when a customer is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is emptied.
    Emptied,
    /// What is personal of it is emptied.
    Stripped,
    /// The new customer stands in it.
    Moved,
    /// It is emptied, and a keyed hash of it refuses whoever brings it again.
    Refused,
    /// It stays: it says nothing of a customer.
    Kept,
    /// It goes when the erasure is done.
    Passing,
}

/// Every column that may hold something personal: its table, its name, and what becomes of it.
pub const DECISIONS: &[(&str, &str, Decision)] = &[
    ("case", "attachments", Decision::Emptied),
    ("case", "customer_id", Decision::Moved),
    ("case", "description", Decision::Emptied),
    ("case", "external_id", Decision::Refused),
    ("case", "external_system", Decision::Refused),
    ("case", "outcome", Decision::Stripped),
    ("case", "subject", Decision::Emptied),
    ("case_entry", "attachments", Decision::Emptied),
    ("case_entry", "outcome", Decision::Stripped),
    ("case_entry", "text", Decision::Emptied),
    ("delivery", "body", Decision::Moved),
    ("erasure", "customer_id", Decision::Passing),
    // What traces are hashed by.
    ("erasure_secret", "secret", Decision::Kept),
    ("follow_up", "customer_id", Decision::Moved),
    // What came of it, in one word.
    ("follow_up", "outcome", Decision::Kept),
    // The company's own key of an interruption.
    ("incident", "external_id", Decision::Kept),
    ("incident", "external_system", Decision::Kept),
    ("incident_customer", "customer_id", Decision::Moved),
    ("promise", "customer_id", Decision::Moved),
    ("promise", "description", Decision::Emptied),
    ("promise", "external_id", Decision::Refused),
    ("promise", "external_system", Decision::Refused),
    ("survey_answer", "customer_id", Decision::Moved),
    ("webhook", "secret", Decision::Kept),
];

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
    /// When nothing was left.
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
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    /// Names under which something personal stands, whatever is said of it.
    const NAMES: [&str; 5] = ["customer_id", "external_id", "external_system", "secret", "outcome"];

    /// The columns of this crate's tables that are said to be personal, or are called so.
    fn personal() -> BTreeSet<(String, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut found = BTreeSet::new();
        for file in fs::read_dir(folder).expect("the sources").filter_map(Result::ok) {
            let Ok(text) = fs::read_to_string(file.path()) else { continue };
            let Some((_, rest)) = text.split_once("table_name = \"") else { continue };
            let (table, rest) = rest.split_once('"').expect("a name");
            let (_, body) = rest.split_once("pub struct Model {").expect("a row");
            let (body, _) = body.split_once("\n}").expect("its end");
            let (mut told, mut renamed) = (false, None);
            for line in body.lines().map(str::trim) {
                told |= line.starts_with("///") && line.contains("ersonal data");
                if let Some((_, name)) = line.split_once("column_name = \"") {
                    renamed = name.split('"').next().map(str::to_owned);
                }
                if let Some(name) = line.strip_prefix("pub ").and_then(|line| line.split(':').next()) {
                    if told || NAMES.contains(&name) {
                        found.insert((table.to_owned(), renamed.take().unwrap_or_else(|| name.to_owned())));
                    }
                    (told, renamed) = (false, None);
                }
            }
        }
        found
    }

    #[test]
    fn of_every_personal_column_it_is_decided_what_becomes_of_it() {
        let found = personal();
        assert!(found.contains(&("case".to_owned(), "subject".to_owned())), "the sources are read: {found:?}");
        let decided: BTreeSet<_> =
            DECISIONS.iter().map(|(table, column, _)| ((*table).to_owned(), (*column).to_owned())).collect();
        assert_eq!(found, decided, "left: personal, right: decided in DECISIONS");
    }

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
