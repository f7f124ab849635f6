//! The customer: who it is. What is recorded of it stands in tables of its own.

use std::collections::BTreeSet;

use barometer_chassis::{clock::Micros, door::Dimensions, id};
use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

id! {
    /// Id of a customer.
    CustomerId
}

/// A customer's row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "customer")]
pub struct Model {
    /// Id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CustomerId,
    /// First position in the feed.
    pub number: i64,
    /// Latest position in the feed.
    pub position: i64,
    /// From 1, one more with each change.
    pub version: i64,
    /// Personal data.
    pub display_name: String,
    /// Personal data.
    pub email: String,
    /// Personal data.
    pub phone: String,
    /// BCP 47 tag.
    pub language: String,
    /// Since when it is a customer.
    pub since: Option<Micros>,
    /// Declared dimensions.
    #[sea_orm(column_type = "JsonBinary")]
    pub dimensions: Dimensions,
    /// The tier that holds now; derived from the attribute's changes, as the next four are.
    pub tier: String,
    /// The country that holds now.
    pub country: String,
    /// Whether it is a member now.
    pub member: Option<bool>,
    /// The segments it is in now.
    #[sea_orm(column_type = "JsonBinary")]
    pub segments: Segments,
    /// What somebody said that it is worth, and holds now; empty when nobody did. Left out of the fingerprint where it is
    /// not given, so that a repeat of an older request is still known as one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value_band: String,
    /// Who created it; no part of what was asked for, so none of its fingerprint.
    #[serde(skip)]
    pub actor: String,
    /// When it was created.
    pub create_time: Micros,
    /// When it was last changed.
    pub update_time: Micros,
}

/// Names of segments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Segments(pub BTreeSet<String>);

/// Nothing: rows are looked up by id.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The keys under which other systems know customers.
pub mod key {
    use sea_orm::entity::prelude::*;

    use super::CustomerId;

    /// A key's row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "customer_key")]
    pub struct Model {
        /// The system that gave it.
        #[sea_orm(primary_key, auto_increment = false)]
        pub system: String,
        /// The key.
        #[sea_orm(primary_key, auto_increment = false)]
        pub value: String,
        /// Whose it is.
        pub customer_id: CustomerId,
    }

    /// Nothing: rows are looked up by key or customer.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The tags of customers.
pub mod tag {
    use sea_orm::entity::prelude::*;

    use super::CustomerId;

    /// A tag's row.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "customer_tag")]
    pub struct Model {
        /// The tag.
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag: String,
        /// Whose it is.
        #[sea_orm(primary_key, auto_increment = false)]
        pub customer_id: CustomerId,
    }

    /// Nothing: rows are looked up by tag or customer.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
