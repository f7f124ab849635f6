//! Webhooks and their deliveries.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(webhook()).await?;
        manager.create_table(delivery()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn webhook() -> TableCreateStatement {
    Table::create()
        .table("webhook")
        .col(uuid("id").primary_key())
        .col(string("name"))
        .col(text("url"))
        .col(json_binary("events"))
        .col(boolean("disabled"))
        .col(string("secret"))
        .col(string_null("previous_secret"))
        .col(big_integer_null("previous_secret_expire_time"))
        .col(big_integer("waiting"))
        .col(big_integer("dropped"))
        .col(integer("failures"))
        .col(big_integer_null("pause_time"))
        .col(big_integer("version"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .col(big_integer_null("delete_time"))
        .to_owned()
}

fn delivery() -> TableCreateStatement {
    Table::create()
        .table("delivery")
        .col(uuid("id").primary_key())
        .col(uuid("webhook_id"))
        .col(integer("event"))
        .col(integer("state"))
        .col(text("body"))
        .col(integer("attempts"))
        .col(big_integer("next_time"))
        .col(big_integer_null("last_time"))
        .col(integer("last_error"))
        .col(integer("last_status"))
        .col(big_integer("wait_time"))
        .col(big_integer("create_time"))
        .col(big_integer_null("settle_time"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    let index = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table(table);
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        index("webhook_name", "webhook", &["name"]).and_where(Expr::col("delete_time").is_null()).unique().to_owned(),
        index("delivery_due", "delivery", &["webhook_id", "state", "next_time"]),
        index("delivery_waiting", "delivery", &["state", "wait_time"]),
        index("delivery_settled", "delivery", &["state", "settle_time"]),
        index("delivery_created", "delivery", &["create_time", "id"]),
    ]
}
