//! Definitions, version by version.

use barometer_chassis::database::feed_tables;
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed_tables(manager).await?;
        manager.create_table(definition_version()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn definition_version() -> TableCreateStatement {
    Table::create()
        .table("definition_version")
        .col(uuid("id"))
        .col(big_integer("version"))
        .col(big_integer("number"))
        .col(boolean("latest"))
        .col(string("name"))
        .col(json_binary("definition"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .col(big_integer_null("retire_time"))
        .primary_key(Index::create().col("id").col("version"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    let latest = |name: &str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table("definition_version").and_where(Expr::col("latest"));
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        latest("definition_latest", &["id"]).unique().to_owned(),
        latest("definition_name", &["name"]).unique().to_owned(),
        latest("definition_number", &["number"]).unique().to_owned(),
        latest("definition_created", &["create_time", "id"]).to_owned(),
    ]
}
