//! The interaction: a contact between the customer and the company.

use barometer_chassis::{
    clock::Micros,
    door::Dimensions,
    error::Error,
    recorded_head,
    writer::{Pending, Recorded, Write},
};
use futures_util::future::BoxFuture;
use sea_orm::entity::prelude::*;
use serde::Serialize;

use crate::{
    customer::CustomerId,
    store::{CustomerRef, find_customers},
};

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "interaction")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// First position in the feed.
    pub number: i64,
    /// Latest position in the feed.
    pub position: i64,
    /// From 1, one more with each change.
    pub version: i64,
    /// Whose.
    pub customer_id: CustomerId,
    /// When.
    pub time: Micros,
    /// The channel.
    pub channel: String,
    /// Who turned to whom, as `Direction`.
    pub direction: i32,
    /// The point of contact.
    pub touchpoint: String,
    /// The caller's key of the journey.
    pub journey_id: String,
    /// The caller's key of the session.
    pub session_id: String,
    /// Stage of the journey.
    pub journey_stage: String,
    /// First page.
    pub landing_page: String,
    /// Last page.
    pub exit_page: String,
    /// The campaign.
    pub campaign: String,
    /// System of the key of the contact that is answered.
    pub in_answer_to_system: Option<String>,
    /// Key of the contact that is answered.
    pub in_answer_to_id: Option<String>,
    /// Personal data.
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// Working time spent, in microseconds.
    pub handling_micros: Option<i64>,
    /// Currency of the cost.
    pub cost_currency: Option<String>,
    /// Micro-units.
    pub cost: Option<i64>,
    /// Who handled it.
    pub employee: String,
    /// The team.
    pub team: String,
    /// What came of it.
    pub outcome: String,
    /// Declared dimensions.
    #[sea_orm(column_type = "JsonBinary")]
    pub dimensions: Dimensions,
    /// System of the caller's key.
    pub external_system: Option<String>,
    /// The caller's key.
    pub external_id: Option<String>,
    /// Hash of what was first recorded.
    pub fingerprint: i64,
    /// Who recorded it; no part of what was recorded, so none of its fingerprint.
    #[serde(skip)]
    pub actor: String,
    /// When it was recorded.
    pub create_time: Micros,
    /// When it was last changed.
    pub update_time: Micros,
    /// When it was withdrawn.
    pub withdraw_time: Option<Micros>,
}

/// Nothing: rows refer to customers by id.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Recorded for Model {
    type Table = Entity;
    type Active = ActiveModel;
    type Context = CustomerRef;
    const NOUN: &'static str = "interaction";

    recorded_head!();

    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(find_customers(write, rows))
    }
}
