//! What customers says of the customers of cases. Of cases of before nobody is asked.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            string("customer_tier").default("").to_owned(),
            string("customer_country").default("").to_owned(),
            boolean("value_pending").default(false).to_owned(),
        ];
        for column in columns {
            // SQLite adds one at a time.
            manager.alter_table(Table::alter().table("case").add_column(column).to_owned()).await?;
        }
        let mut pending = Index::create();
        pending.name("case_value_pending").table("case").col("id").and_where(Expr::col("value_pending"));
        manager.create_index(pending).await
    }
}
