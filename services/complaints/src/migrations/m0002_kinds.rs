//! What cases are, and what is said with their verbs. Each column has a value for what is there already, and for what a
//! replica of the release before still writes.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

/// A complaint, of medium severity and normal priority: what every case was.
const COMPLAINT: i32 = 3;
const MEDIUM: i32 = 2;
const NORMAL: i32 = 2;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [("case", case()), ("case_entry", case_entry())];
        for (table, columns) in columns {
            for column in columns {
                // SQLite adds one at a time.
                manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
            }
        }
        Ok(())
    }
}

fn case() -> Vec<ColumnDef> {
    vec![
        integer("kind").default(COMPLAINT).to_owned(),
        integer("severity").default(MEDIUM).to_owned(),
        integer("priority").default(NORMAL).to_owned(),
        boolean("priority_overridden").default(false).to_owned(),
        string("value_band").default("unknown").to_owned(),
        integer("remedy_sought").default(0).to_owned(),
        json_binary("tags").default("[]").to_owned(),
        json_binary("attachments").default("[]").to_owned(),
        big_integer_null("cancel_time"),
        boolean("self_served").default(false).to_owned(),
    ]
}

fn case_entry() -> Vec<ColumnDef> {
    vec![
        integer("reply").default(0).to_owned(),
        boolean("needs_no_answer").default(false).to_owned(),
        integer("priority").default(0).to_owned(),
        integer("previous_priority").default(0).to_owned(),
        json_binary("attachments").default("[]").to_owned(),
    ]
}
