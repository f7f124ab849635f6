//! Receipts of erasures, and what is refused after them.

use sea_orm_migration::{prelude::*, schema::*};

use super::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let erasure = Table::create()
            .table("erasure")
            .col(uuid("id").primary_key())
            .col(string("customer_hash").unique_key())
            .col(uuid_null("customer_id"))
            .col(uuid_null("anonymous_id"))
            .col(json_binary("counts"))
            .col(string("actor"))
            .col(big_integer("create_time"))
            .col(big_integer_null("end_time"))
            .to_owned();
        manager.create_table(erasure).await?;
        let erased = Table::create().table("erased_trace").col(string("hash").primary_key()).to_owned();
        manager.create_table(erased).await?;
        // One row: by which traces are hashed.
        let secret =
            Table::create().table("erasure_secret").col(integer("id").primary_key()).col(string("secret")).to_owned();
        manager.create_table(secret).await?;
        let under_way = Index::create().name("erasure_under_way").table("erasure").col("end_time").to_owned();
        manager.create_index(under_way).await?;
        // Only messages of incidents name customers.
        manager.create_index(index("delivery_event", "delivery", &["event", "id"])).await
    }
}
