//! The segment of the customers whom an incident's task names. Tasks of before name nobody by one.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let segment = string("segment").default("").to_owned();
        manager.alter_table(Table::alter().table("incident_task").add_column(segment).to_owned()).await
    }
}
