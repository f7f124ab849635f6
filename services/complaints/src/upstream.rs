//! How far a feed was read that this service follows.

use sea_orm::entity::prelude::*;

/// A feed's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "upstream")]
pub struct Model {
    /// The name of the service whose feed it is.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// How often it was begun anew, as its history was another.
    pub generation: i64,
    /// The token of the position reached; empty at the beginning.
    pub position: String,
    /// Whether it was begun anew and has not been caught up with since.
    pub rereading: bool,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
