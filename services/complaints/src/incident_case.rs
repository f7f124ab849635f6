//! A case of an incident.

use barometer_chassis::clock::Micros;
use sea_orm::entity::prelude::*;

use crate::{case_entry::CaseId, incident::IncidentId};

/// The row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident_case")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The incident.
    pub incident_id: IncidentId,
    /// The case.
    pub case_id: CaseId,
    /// Whether the rule linked it.
    pub by_rule: bool,
    /// Whether it was taken out by hand: then the rule does not link it again.
    pub unlinked: bool,
    /// What became of it when the incident was ended, as `IncidentCaseResult`.
    pub result: i32,
    /// When it was linked.
    pub create_time: Micros,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
