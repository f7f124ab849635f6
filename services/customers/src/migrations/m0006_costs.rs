//! What it costs to win customers, to be in touch with them, and to run the loyalty programme.

use sea_orm_migration::{prelude::*, schema::*};

use super::{create_recorded, m0002_facts::recorded};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_recorded(manager, "cost", cost()).await
    }
}

fn cost() -> TableCreateStatement {
    recorded("cost", uuid_null("customer_id"))
        .col(integer("kind"))
        .col(big_integer_null("end_time"))
        .col(integer("basis"))
        .col(string("currency"))
        .col(big_integer("amount"))
        .col(string("channel"))
        .col(string("team"))
        .col(string("campaign"))
        .to_owned()
}
