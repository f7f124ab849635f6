//! The purchase, or the return of one.

use barometer_chassis::{
    clock::Micros,
    door::Dimensions,
    error::Error,
    recorded_head,
    writer::{Pending, Recorded, Write},
};
use futures_util::future::BoxFuture;
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{
    customer::CustomerId,
    store::{CustomerRef, find_customers},
};

/// A row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "purchase")]
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
    /// Currency of all its amounts.
    pub currency: String,
    /// Micro-units; negative for a return.
    pub amount: i64,
    /// What was bought.
    #[sea_orm(column_type = "JsonBinary")]
    pub lines: Lines,
    /// System of the key of the sale that is returned.
    pub return_of_system: Option<String>,
    /// Key of the sale that is returned.
    pub return_of_id: Option<String>,
    /// Where.
    pub channel: String,
    /// Country of the sale.
    pub country: String,
    /// Voucher redeemed.
    pub voucher: String,
    /// When payment is due.
    pub due_time: Option<Micros>,
    /// When it was made.
    pub paid_time: Option<Micros>,
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
    const NOUN: &'static str = "purchase";

    recorded_head!();

    fn prepare<'w>(write: &'w Write<'w>, rows: &'w mut [Pending<Self>]) -> BoxFuture<'w, Result<(), Error>> {
        Box::pin(find_customers(write, rows))
    }
}

/// Lines of a purchase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Lines(pub Vec<Line>);

/// One line; amounts are micro-units of the purchase's currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The article.
    pub product: String,
    /// Its category.
    pub category: String,
    /// How many.
    pub quantity: i64,
    /// Price of one by the list.
    pub list_price: Option<i64>,
    /// What was taken off.
    pub discount: Option<i64>,
    /// Voucher redeemed.
    pub voucher: String,
    /// What it came to.
    pub amount: i64,
}
