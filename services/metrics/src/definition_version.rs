//! A definition as it is kept: a row for each of its versions.

use barometer_chassis::clock::Micros;
use barometer_proto::metrics::v1::definition::State;
use sea_orm::entity::prelude::*;

use crate::definition::Definition;

/// A version's row. It never changes, but for being the latest, and for whether that is in use.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "definition_version")]
pub struct Model {
    /// The same in all versions.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// From 1, one more with each revision.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// How many were defined before; the same in all versions.
    pub number: i64,
    /// Whether no other follows.
    pub latest: bool,
    /// The id that callers know, as in `custom.web_nps`; the same in all versions.
    pub name: String,
    /// What was defined.
    #[sea_orm(column_type = "JsonBinary")]
    pub(crate) definition: Definition,
    /// Who made this version.
    pub actor: String,
    /// When the metric was defined.
    pub create_time: Micros,
    /// When this version came to be.
    pub update_time: Micros,
    /// When it was retired, of the latest that is.
    pub retire_time: Option<Micros>,
}

/// Nothing: there is no other table.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Whether it can be asked for.
    pub(crate) fn state(&self) -> State {
        if self.retire_time.is_some() { State::Retired } else { State::Active }
    }

    /// Another one after each revision, and as long as it is retired.
    pub(crate) fn etag(&self) -> String {
        match self.retire_time {
            Some(at) => format!("{}-{}", self.version, at.0),
            None => self.version.to_string(),
        }
    }
}
