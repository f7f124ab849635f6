//! A trace of somebody who was erased: what comes by it is refused.

use sea_orm::entity::prelude::*;

/// The row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "erased_trace")]
pub struct Model {
    /// Keyed hash of a [`crate::erasure::Trace`].
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: String,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
