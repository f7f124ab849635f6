//! What happened to each case last of its sort, so that what is told late does not undo it. A case of before knows nothing of
//! that, nor does what a replica of the release before does to one.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            integer("customer_messages").default(0).to_owned(),
            big_integer_null("last_message_time"),
            big_integer_null("last_reply_time"),
            big_integer_null("assign_time"),
            big_integer_null("prioritize_time"),
            big_integer_null("decide_time"),
            boolean("person_needed").default(false).to_owned(),
        ];
        for column in columns {
            // SQLite adds one at a time.
            manager.alter_table(Table::alter().table("case").add_column(column).to_owned()).await?;
        }
        Ok(())
    }
}
