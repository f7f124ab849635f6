//! What each case is bound to. A case of before is bound to nothing, as is one that a replica of the release before writes.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            big_integer("policy_set_version").default(0).to_owned(),
            string("policy_name").default("").to_owned(),
            uuid_null("calendar_id"),
            big_integer("calendar_version").default(0).to_owned(),
        ];
        for column in columns {
            // SQLite adds one at a time.
            manager.alter_table(Table::alter().table("case").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
