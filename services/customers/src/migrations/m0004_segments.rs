//! Who ever had a value of an attribute: so a list finds the customers of a segment.

use sea_orm_migration::prelude::*;

use super::index;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = ["attribute", "value", "customer_id"];
        manager.create_index(index("attribute_change_value", "attribute_change", &columns)).await
    }
}
