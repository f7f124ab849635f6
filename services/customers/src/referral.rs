//! The referral: that a customer recommended the company to somebody.

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
    noun::Naming,
    store::{CustomerRef, find_customers},
};

/// Whom a referral names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Who recommends.
    pub customer: CustomerRef,
    /// Who was recommended, when somebody knows.
    pub referred: Option<CustomerRef>,
}

impl Naming for Named {
    fn customer(&self) -> Option<&CustomerRef> {
        Some(&self.customer)
    }

    fn other(&self) -> Option<&CustomerRef> {
        self.referred.as_ref()
    }
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "referral")]
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
    /// Who recommends.
    pub customer_id: CustomerId,
    /// Who was recommended.
    pub referred_customer_id: Option<CustomerId>,
    /// When.
    pub time: Micros,
    /// When the other one became a customer by it.
    pub join_time: Option<Micros>,
    /// How it was recommended.
    pub channel: String,
    /// The campaign.
    pub campaign: String,
    /// Currency of the reward.
    pub reward_currency: Option<String>,
    /// Micro-units that the customer who recommended got for it.
    pub reward: Option<i64>,
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
    type Context = Named;
    const NOUN: &'static str = "referral";

    recorded_head!();

    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(find_customers(write, rows))
    }
}
