//! The team: who works on cases together, by which calendar, and to whom it turns.

use barometer_chassis::clock::Micros;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::calendar_version::CalendarId;

/// A team's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "team")]
pub struct Model {
    /// Id, for the ledger of requests only: callers name teams by their names.
    #[sea_orm(primary_key, auto_increment = false)]
    #[serde(skip)]
    pub id: Uuid,
    /// Unique; what cases carry.
    pub name: String,
    /// From 1, one more with each change.
    #[serde(skip)]
    pub version: i64,
    /// By which it works; that of each case's policy when it has none.
    pub calendar_id: Option<CalendarId>,
    /// Who leads it, by the company's key; empty when nobody does.
    pub lead: String,
    /// To whom the lead turns; empty when there is nobody.
    pub manager: String,
    /// Who created it.
    #[serde(skip)]
    pub actor: String,
    /// When it was created.
    #[serde(skip)]
    pub create_time: Micros,
    /// When it was last changed.
    #[serde(skip)]
    pub update_time: Micros,
}

/// Nothing: cases name teams by their names.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
