//! The event of a subscription: its start, a change, its end.

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
#[sea_orm(table_name = "subscription_event")]
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
    /// The caller's key of the subscription.
    pub subscription: String,
    /// What happened, as `SubscriptionEventType`.
    #[sea_orm(column_name = "type")]
    pub event_type: i32,
    /// When it takes effect.
    pub effective_time: Micros,
    /// The plan.
    pub plan: String,
    /// Currency of the amount.
    pub currency: Option<String>,
    /// Micro-units in a month from then on.
    pub monthly_amount: Option<i64>,
    /// Why.
    pub reason: String,
    /// Whether the customer chose it.
    pub voluntary: Option<bool>,
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
    const NOUN: &'static str = "subscription event";

    recorded_head!();

    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(find_customers(write, rows))
    }
}
