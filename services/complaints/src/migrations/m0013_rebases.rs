//! What cases were counted by before they were put under other policies.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("case_entry").add_column(json_binary_null("rebase")).to_owned();
        manager.alter_table(column).await
    }
}
