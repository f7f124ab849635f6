//! Promises to customers, and the entries of cases about them.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(promise()).await?;
        let column = Table::alter().table("case_entry").add_column(uuid_null("promise_id")).to_owned();
        manager.alter_table(column).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn promise() -> TableCreateStatement {
    Table::create()
        .table("promise")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(uuid_null("case_id"))
        .col(uuid_null("customer_id"))
        .col(text("description"))
        .col(string("employee"))
        .col(string("team"))
        .col(big_integer("make_time"))
        .col(big_integer("due_time"))
        .col(big_integer("lead"))
        .col(big_integer("original_due_time"))
        .col(integer("moves"))
        .col(integer("state"))
        .col(big_integer_null("notice_time"))
        .col(big_integer_null("due_soon_time"))
        .col(big_integer_null("next_time"))
        .col(big_integer_null("keep_time"))
        .col(big_integer_null("break_time"))
        .col(string_null("external_system"))
        .col(string_null("external_id"))
        .col(big_integer("fingerprint"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .col(big_integer_null("withdraw_time"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    let index = |name: &str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table("promise");
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        index("promise_position", &["position"]).unique().to_owned(),
        index("promise_key", &["external_system", "external_id"]).unique().to_owned(),
        index("promise_due", &["due_time", "id"]),
        index("promise_next", &["next_time"]),
        index("promise_case", &["case_id"]),
        index("promise_customer", &["customer_id", "due_time"]),
        index("promise_employee", &["employee", "due_time"]),
        index("promise_team", &["team", "due_time"]),
    ]
}
