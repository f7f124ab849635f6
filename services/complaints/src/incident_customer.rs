//! A customer whom an incident affects.

use barometer_chassis::clock::Micros;
use barometer_directory::CustomerId;
use sea_orm::entity::prelude::*;

use crate::incident::IncidentId;

/// The row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident_customer")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The incident.
    pub incident_id: IncidentId,
    /// Whom it affects.
    pub customer_id: CustomerId,
    /// When they were named.
    pub create_time: Micros,
    /// In which order they were named: from 1 in each incident.
    pub number: i64,
}

/// Nothing: rows of this service refer to one another by id only.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
