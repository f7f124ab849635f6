//! Cases and their histories.

use barometer_chassis::database::feed_tables;
use sea_orm_migration::{prelude::*, schema::*};

use super::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed_tables(manager).await?;
        manager.create_table(case()).await?;
        manager.create_table(case_entry()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn case() -> TableCreateStatement {
    Table::create()
        .table("case")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(uuid_null("customer_id"))
        .col(integer("state"))
        .col(text("subject"))
        .col(text("description"))
        .col(string("category"))
        .col(string("product"))
        .col(string("channel"))
        .col(string("touchpoint"))
        .col(string("journey_stage"))
        .col(big_integer("open_time"))
        .col(string("employee"))
        .col(string("team"))
        .col(json_binary("dimensions"))
        .col(big_integer_null("acknowledge_time"))
        .col(big_integer_null("first_response_time"))
        .col(big_integer_null("first_resolve_time"))
        .col(big_integer_null("resolve_time"))
        .col(big_integer_null("close_time"))
        .col(big_integer("move_time"))
        .col(integer("reopenings"))
        .col(integer("hand_offs"))
        .col(string_null("external_system"))
        .col(string_null("external_id"))
        .col(big_integer("fingerprint"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .col(big_integer_null("withdraw_time"))
        .to_owned()
}

fn case_entry() -> TableCreateStatement {
    Table::create()
        .table("case_entry")
        .col(uuid("id").primary_key())
        .col(big_integer("position"))
        .col(uuid("case_id"))
        .col(big_integer("case_number"))
        .col(integer("type"))
        .col(big_integer("time"))
        .col(string("actor"))
        .col(text("text"))
        .col(integer("state"))
        .col(string("employee"))
        .col(string("team"))
        .col(string("previous_employee"))
        .col(string("previous_team"))
        .col(big_integer("create_time"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    vec![
        index("case_position", "case", &["position"]).unique().to_owned(),
        index("case_key", "case", &["external_system", "external_id"]).unique().to_owned(),
        index("case_open", "case", &["open_time", "id"]).to_owned(),
        index("case_customer", "case", &["customer_id", "open_time"]).to_owned(),
        index("case_employee", "case", &["employee", "open_time"]).to_owned(),
        index("case_team", "case", &["team", "open_time"]).to_owned(),
        index("case_entry_position", "case_entry", &["position"]).unique().to_owned(),
        index("case_entry_case", "case_entry", &["case_id", "time", "position"]).to_owned(),
    ]
}
