//! What cases are, what is said with their verbs, and how they belong together. Each column has a value for what is there already, and for what a
//! replica of the release before still writes.

use sea_orm_migration::{prelude::*, schema::*};

use super::index;

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
        manager.create_table(case_link()).await?;
        for index in indices() {
            manager.create_index(index).await?;
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
        uuid_null("merged_into"),
        integer_null("unmerged_state"),
        json_binary_null("outcome"),
        big_integer_null("ask_time"),
        boolean_null("accepted"),
        integer_null("satisfaction"),
        big_integer_null("answer_time"),
    ]
}

fn case_entry() -> Vec<ColumnDef> {
    vec![
        integer("reply").default(0).to_owned(),
        boolean("needs_no_answer").default(false).to_owned(),
        integer("priority").default(0).to_owned(),
        integer("previous_priority").default(0).to_owned(),
        json_binary("attachments").default("[]").to_owned(),
        uuid_null("other_case_id"),
        integer("link").default(0).to_owned(),
        json_binary_null("outcome"),
        boolean_null("accepted"),
        integer_null("satisfaction"),
    ]
}

fn case_link() -> TableCreateStatement {
    Table::create()
        .table("case_link")
        .col(uuid("id").primary_key())
        .col(uuid("case_id"))
        .col(uuid("other_case_id"))
        .col(integer("type"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    vec![
        index("case_merged_into", "case", &["merged_into"]),
        index("case_link_ends", "case_link", &["case_id", "other_case_id", "type"]).unique().to_owned(),
        index("case_link_other", "case_link", &["other_case_id"]),
    ]
}
