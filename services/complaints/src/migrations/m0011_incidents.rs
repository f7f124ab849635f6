//! Incidents, whom they affect, which cases belong to them, and what is done for them.

use sea_orm_migration::{prelude::*, schema::*};

use super::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [incident(), incident_case(), incident_customer(), incident_task()] {
            manager.create_table(table).await?;
        }
        manager.alter_table(Table::alter().table("case_entry").add_column(uuid_null("incident_id")).to_owned()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn incident() -> TableCreateStatement {
    Table::create()
        .table("incident")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(integer("state"))
        .col(string("title"))
        .col(text("description"))
        .col(string("product"))
        .col(string("category"))
        .col(string("country"))
        .col(big_integer("start_time"))
        .col(json_binary_null("rule"))
        .col(big_integer_null("end_time"))
        .col(big_integer_null("close_time"))
        .col(big_integer("affected_customers"))
        .col(big_integer("linked_cases"))
        .col(big_integer("resolved_cases"))
        .col(big_integer("passed_over_cases"))
        .col(string_null("external_system"))
        .col(string_null("external_id"))
        .col(big_integer("fingerprint"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .col(big_integer_null("withdraw_time"))
        .to_owned()
}

fn incident_case() -> TableCreateStatement {
    Table::create()
        .table("incident_case")
        .col(uuid("id").primary_key())
        .col(uuid("incident_id"))
        .col(uuid("case_id"))
        .col(boolean("by_rule"))
        .col(boolean("unlinked"))
        .col(integer("result"))
        .col(big_integer("create_time"))
        .to_owned()
}

fn incident_customer() -> TableCreateStatement {
    Table::create()
        .table("incident_customer")
        .col(uuid("id").primary_key())
        .col(uuid("incident_id"))
        .col(uuid("customer_id"))
        .col(big_integer("create_time"))
        .col(big_integer("number"))
        .to_owned()
}

fn incident_task() -> TableCreateStatement {
    Table::create()
        .table("incident_task")
        .col(uuid("id").primary_key())
        .col(uuid("incident_id"))
        .col(integer("type"))
        .col(boolean("done"))
        .col(text("place"))
        .col(text("message"))
        .col(string("country"))
        .col(string("tier"))
        .col(string("tag"))
        .col(big_integer("count"))
        .col(string("last_failure"))
        .col(big_integer("next_time"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer_null("end_time"))
        .col(big_integer("last_number"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    vec![
        index("incident_position", "incident", &["position"]).unique().to_owned(),
        index("incident_key", "incident", &["external_system", "external_id"]).unique().to_owned(),
        index("incident_start", "incident", &["start_time", "id"]),
        index("incident_state", "incident", &["state"]),
        index("incident_case_ends", "incident_case", &["incident_id", "case_id"]).unique().to_owned(),
        index("incident_case_of", "incident_case", &["case_id"]),
        index("incident_case_result", "incident_case", &["incident_id", "unlinked", "result", "id"]),
        index("incident_case_created", "incident_case", &["incident_id", "create_time", "id"]),
        index("incident_customer_ends", "incident_customer", &["incident_id", "customer_id"]).unique().to_owned(),
        index("incident_customer_of", "incident_customer", &["customer_id"]),
        index("incident_customer_in_turn", "incident_customer", &["incident_id", "number"]),
        index("incident_customer_created", "incident_customer", &["incident_id", "create_time", "id"]),
        index("incident_task_of", "incident_task", &["incident_id", "create_time", "id"]),
        index("incident_task_running", "incident_task", &["done", "next_time"]),
    ]
}
