//! Teams, claims, and the order of the queues.

use sea_orm_migration::{prelude::*, schema::*};

use super::index;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The open cases of each team and employee, the most urgent first. The expression is that of `urgency`, as it was then.
const QUEUE: &str = "CREATE INDEX case_queue ON \"case\" (team, employee, (\
     COALESCE(due_time, open_time + 604800000000) \
     - CASE value_band WHEN 'high' THEN 14400000000 WHEN 'low' THEN 0 ELSE 7200000000 END \
     - CASE priority WHEN 4 THEN 28800000000 WHEN 3 THEN 14400000000 WHEN 2 THEN 7200000000 ELSE 0 END\
     ), id) WHERE withdraw_time IS NULL AND state IN (1, 2, 3, 4, 5)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [uuid_null("calendar_id"), big_integer("calendar_version").default(0).to_owned()];
        for column in columns {
            // SQLite adds one at a time.
            manager.alter_table(Table::alter().table("case_entry").add_column(column).to_owned()).await?;
        }
        manager.create_table(team()).await?;
        manager.create_table(claim()).await?;
        for index in indices() {
            manager.create_index(index).await?;
        }
        manager.get_connection().execute_unprepared(QUEUE).await?;
        Ok(())
    }
}

fn team() -> TableCreateStatement {
    Table::create()
        .table("team")
        .col(uuid("id").primary_key())
        .col(string("name"))
        .col(big_integer("version"))
        .col(uuid_null("calendar_id"))
        .col(string("lead"))
        .col(string("manager"))
        .col(string("actor"))
        .col(big_integer("create_time"))
        .col(big_integer("update_time"))
        .to_owned()
}

fn claim() -> TableCreateStatement {
    Table::create()
        .table("claim")
        .col(uuid("id").primary_key())
        .col(big_integer("number"))
        .col(big_integer("position"))
        .col(big_integer("version"))
        .col(uuid("case_id"))
        .col(big_integer("case_number"))
        .col(string("employee"))
        .col(string("team"))
        .col(big_integer("start_time"))
        .col(big_integer("heartbeat_time"))
        .col(big_integer("lease_micros"))
        .col(big_integer("lease_time"))
        .col(big_integer_null("end_time"))
        .col(integer("end"))
        .col(big_integer_null("handling_micros"))
        .col(string("actor"))
        .col(big_integer("update_time"))
        .to_owned()
}

fn indices() -> Vec<IndexCreateStatement> {
    let running = |name: &str, columns: &[&'static str]| {
        let mut index = index(name, "claim", columns);
        index.and_where(Expr::col("end_time").is_null());
        index
    };
    vec![
        index("team_name", "team", &["name"]).unique().to_owned(),
        index("team_created", "team", &["create_time", "id"]),
        index("claim_position", "claim", &["position"]).unique().to_owned(),
        index("claim_started", "claim", &["start_time", "id"]),
        index("claim_employee", "claim", &["employee", "start_time"]),
        index("claim_case", "claim", &["case_id", "start_time"]),
        running("claim_running", &["case_id"]).unique().to_owned(),
        running("claim_lease", &["lease_time"]),
        running("claim_worker", &["employee"]),
        // 7 is ASSIGNED.
        index("case_entry_assigned", "case_entry", &["time"]).and_where(Expr::col("type").eq(7)).to_owned(),
    ]
}
