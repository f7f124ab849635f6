//! A published list of the rules of follow-ups as it is kept: a row for each version.

use barometer_chassis::clock::Micros;
use sea_orm::entity::prelude::*;

use crate::follow_up::RuleList;

/// A version's row. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "follow_up_rule_set")]
pub struct Model {
    /// Id of the version.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// From 1, one more with each that is published.
    pub version: i64,
    /// The rules.
    #[sea_orm(column_type = "JsonBinary")]
    pub rules: RuleList,
    /// Who published it.
    pub actor: String,
    /// When it was published.
    pub create_time: Micros,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
