//! Calendars and policies, version by version.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(calendar_version()).await?;
        manager.create_table(policy_set()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn calendar_version() -> TableCreateStatement {
    Table::create()
        .table("calendar_version")
        .col(uuid("id"))
        .col(big_integer("version"))
        .col(boolean("latest"))
        .col(string("name"))
        .col(json_binary("calendar"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .primary_key(Index::create().col("id").col("version"))
        .to_owned()
}

fn policy_set() -> TableCreateStatement {
    Table::create()
        .table("policy_set")
        .col(uuid("id").primary_key())
        .col(big_integer("version"))
        .col(json_binary("policies"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    let latest = |name: &str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table("calendar_version").and_where(Expr::col("latest"));
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        latest("calendar_latest", &["id"]).unique().to_owned(),
        latest("calendar_name", &["name"]).unique().to_owned(),
        latest("calendar_created", &["create_time", "id"]).to_owned(),
        Index::create().name("policy_set_version").table("policy_set").col("version").unique().to_owned(),
    ]
}
