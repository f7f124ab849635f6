//! The cost: what it takes to win customers, to be in touch with them, and to run the loyalty programme.

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

/// How an amount of money is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "i32", db_type = "Integer")]
pub enum Basis {
    /// A sum that was spent.
    #[default]
    Sum = 0,
    /// For each contact.
    PerContact = 1,
    /// For each hour of handling time.
    PerHour = 2,
}

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "cost")]
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
    /// For whom; none when for nobody in particular.
    pub customer_id: Option<CustomerId>,
    /// What for, as `CostKind`.
    pub kind: i32,
    /// From when on.
    pub time: Micros,
    /// Until when, excluded.
    pub end_time: Option<Micros>,
    /// How the amount is meant.
    pub basis: Basis,
    /// Currency of the amount.
    pub currency: String,
    /// Micro-units.
    pub amount: i64,
    /// The channel.
    pub channel: String,
    /// The team.
    pub team: String,
    /// The campaign.
    pub campaign: String,
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
    type Context = Option<CustomerRef>;
    const NOUN: &'static str = "cost";

    recorded_head!();

    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(find_customers(write, rows))
    }
}
