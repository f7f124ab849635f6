//! Alarms, and the steps of ladders that were taken. Cases of before were not imported with a past, as far as is known.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [("case", big_integer_null("quiet_until")), ("case_entry", uuid_null("escalation_id"))];
        for (table, column) in columns {
            manager.alter_table(Table::alter().table(table).add_column(column).to_owned()).await?;
        }
        manager.create_table(alarm()).await?;
        manager.create_table(escalation()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn alarm() -> TableCreateStatement {
    Table::create()
        .table("alarm")
        .col(uuid("subject_id").primary_key())
        .col(integer("subject"))
        .col(uuid_null("case_id"))
        .col(big_integer("time"))
        .col(big_integer("set_time"))
        .to_owned()
}

fn escalation() -> TableCreateStatement {
    Table::create()
        .table("escalation")
        .col(uuid("id").primary_key())
        .col(big_integer("position"))
        .col(uuid("case_id"))
        .col(big_integer("case_number"))
        .col(uuid("clock_id"))
        .col(integer("kind"))
        .col(integer("instance"))
        .col(integer("step"))
        .col(integer("repetition"))
        .col(integer("missed"))
        .col(big_integer("time"))
        .col(big_integer("fire_time"))
        .col(string("policy_name"))
        .col(big_integer("policy_set_version"))
        .col(integer("priority"))
        .col(integer("previous_priority"))
        .col(string("employee"))
        .col(string("team"))
        .col(string("previous_employee"))
        .col(string("previous_team"))
        .col(json_binary("notified"))
        .col(big_integer("create_time"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    let index = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create();
        index.name(name).table(table);
        for column in columns {
            index.col(*column);
        }
        index
    };
    vec![
        index("alarm_time", "alarm", &["time", "subject_id"]),
        index("alarm_case", "alarm", &["case_id"]),
        index("escalation_position", "escalation", &["position"]).unique().to_owned(),
        // Each once.
        index("escalation_step", "escalation", &["clock_id", "step", "repetition"]).unique().to_owned(),
        index("escalation_case", "escalation", &["case_id", "fire_time", "id"]),
        index("escalation_fired", "escalation", &["fire_time", "id"]),
    ]
}
