//! What somebody said that a customer is worth. Nobody has said it of customers of before.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let value_band = string("value_band").default("").to_owned();
        manager.alter_table(Table::alter().table("customer").add_column(value_band).to_owned()).await
    }
}
