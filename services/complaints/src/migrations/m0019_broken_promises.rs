//! Who answered for a promise when it was broken. Of those of before it is who answers for it now, until it is handed over.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["due_employee", "due_team"] {
            // SQLite adds one at a time.
            let column = Table::alter().table("promise").add_column(string_null(column)).to_owned();
            manager.alter_table(column).await?;
        }
        Ok(())
    }
}
