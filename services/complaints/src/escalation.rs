//! The escalation: a step of a ladder that was taken. It never changes.

use barometer_chassis::clock::Micros;
use sea_orm::{FromJsonQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::case_entry::CaseId;

/// An escalation's row: one for each run of a clock or a promise, step and repetition.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "escalation")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Position in the feed: the first and only one.
    pub position: i64,
    /// The case; nil of a promise that stands alone.
    pub case_id: CaseId,
    /// The case's number in the feed; 0 without one.
    pub case_number: i64,
    /// The clock's row, or the promise's.
    #[sea_orm(column_name = "clock_id")]
    pub subject_id: Uuid,
    /// The promise, if it is one's.
    pub promise_id: Option<Uuid>,
    /// Which clock, as `ClockKind`; unspecified of a promise's.
    pub kind: i32,
    /// The how-manieth of its kind in the case, from 1; of a promise, one more each time that it was moved.
    pub instance: i32,
    /// Its place in the ladder, from 0.
    pub step: i32,
    /// The how-manieth time, from 0.
    pub repetition: i32,
    /// How many times before it were left out.
    pub missed: i32,
    /// When it was to be taken.
    pub time: Micros,
    /// When it was.
    pub fire_time: Micros,
    /// The policy whose ladder it was.
    pub policy_name: String,
    /// The version of the policies that it stands in.
    pub policy_set_version: i64,
    /// Priority of the case after it.
    pub priority: i32,
    /// Priority of the case before it.
    pub previous_priority: i32,
    /// Who has the case after it.
    pub employee: String,
    /// The team that has the case after it.
    pub team: String,
    /// Who had it before.
    pub previous_employee: String,
    /// The team that had it before.
    pub previous_team: String,
    /// Who was told, as `Audience`.
    #[sea_orm(column_type = "JsonBinary")]
    pub notified: Notified,
    /// When it was recorded.
    pub create_time: Micros,
}

/// Who was told of a step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Notified(pub Vec<i32>);

/// What is later than this after its instant is marked late.
const LATE: i64 = 5 * Micros::SECOND;

impl Model {
    /// The case, if there is one.
    pub(crate) fn case(&self) -> Option<CaseId> {
        Some(self.case_id).filter(|id| !id.0.is_nil())
    }

    /// Whether it was taken late.
    pub(crate) fn is_late(&self) -> bool {
        self.fire_time.0 - self.time.0 > LATE
    }
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
