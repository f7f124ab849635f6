//! Which answers were imported. Of those of before it is not known, and replicas of the release before do not say.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = boolean("imported").default(false).to_owned();
        manager.alter_table(Table::alter().table("response").add_column(column).to_owned()).await
    }
}
