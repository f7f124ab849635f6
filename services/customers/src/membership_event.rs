//! The event of a membership: what happened to a customer in the loyalty programme.

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
#[sea_orm(table_name = "membership_event")]
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
    /// What happened, as `MembershipEventType`.
    #[sea_orm(column_name = "type")]
    pub event_type: i32,
    /// The programme, where there are several.
    pub programme: String,
    /// How many points.
    pub points: i64,
    /// The caller's key of the voucher; empty of other events.
    pub voucher: String,
    /// Currency of the value.
    pub value_currency: Option<String>,
    /// Micro-units that it is worth to the customer.
    pub value: Option<i64>,
    /// Currency of the cost.
    pub cost_currency: Option<String>,
    /// Micro-units that it costs the company.
    pub cost: Option<i64>,
    /// Why.
    pub reason: String,
    /// How it came about.
    pub channel: String,
    /// The campaign.
    pub campaign: String,
    /// When the points or the voucher will expire.
    pub expire_time: Option<Micros>,
    /// System of the key of the purchase.
    pub purchase_system: Option<String>,
    /// Key of the purchase by which it was earned or redeemed.
    pub purchase_id: Option<String>,
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
    const NOUN: &'static str = "membership event";

    recorded_head!();

    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(find_customers(write, rows))
    }
}
