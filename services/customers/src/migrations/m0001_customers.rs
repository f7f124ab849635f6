//! Customers, their keys and their tags.

use barometer_chassis::database::feed_tables;
use sea_orm_migration::{prelude::*, schema::*};

use super::index;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed_tables(manager).await?;
        manager.create_table(customer()).await?;
        manager.create_table(customer_key()).await?;
        manager.create_table(customer_tag()).await?;
        manager.create_index(index("customer_position", "customer", &["position"]).unique().to_owned()).await?;
        manager.create_index(index("customer_create_time", "customer", &["create_time", "id"])).await?;
        manager.create_index(index("customer_key_customer", "customer_key", &["customer_id"])).await?;
        manager.create_index(index("customer_tag_customer", "customer_tag", &["customer_id"])).await
    }
}

fn customer() -> TableCreateStatement {
    Table::create()
        .table("customer")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(string("display_name"))
        .col(string("email"))
        .col(string("phone"))
        .col(string("language"))
        .col(big_integer_null("since"))
        .col(json_binary("dimensions"))
        .col(string("tier"))
        .col(string("country"))
        .col(boolean_null("member"))
        .col(json_binary("segments"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .to_owned()
}

fn customer_key() -> TableCreateStatement {
    Table::create()
        .table("customer_key")
        .col(string("system"))
        .col(string("value"))
        .col(uuid("customer_id"))
        .primary_key(Index::create().col("system").col("value"))
        .to_owned()
}

fn customer_tag() -> TableCreateStatement {
    Table::create()
        .table("customer_tag")
        .col(string("tag"))
        .col(uuid("customer_id"))
        .primary_key(Index::create().col("tag").col("customer_id"))
        .to_owned()
}
