//! A calendar as it is kept: a row for each of its versions.

use barometer_chassis::{clock::Micros, id};
use sea_orm::entity::prelude::*;

use crate::calendar::Calendar;

id! {
    /// Id of a calendar, the same in all its versions.
    CalendarId
}

/// A version's row. It never changes, but for being the latest.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_version")]
pub struct Model {
    /// Id of the calendar.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarId,
    /// From 1, one more with each change.
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    /// Whether no other follows.
    pub latest: bool,
    /// Unique among the latest.
    pub name: String,
    /// When the desk works.
    #[sea_orm(column_type = "JsonBinary")]
    pub calendar: Calendar,
    /// Who made this version.
    pub actor: String,
    /// When the calendar was created.
    pub create_time: Micros,
    /// When this version came to be.
    pub update_time: Micros,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
