//! The order of whole queues, whoever has their cases: by urgency and by what is due.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

/// The open cases of each team, the most urgent first. The expression is that of `urgency`, as it was then.
const URGENT: &str = "CREATE INDEX case_team_urgent ON \"case\" (team, (\
     COALESCE(due_time, open_time + 604800000000) \
     - CASE value_band WHEN 'high' THEN 14400000000 WHEN 'low' THEN 0 ELSE 7200000000 END \
     - CASE priority WHEN 4 THEN 28800000000 WHEN 3 THEN 14400000000 WHEN 2 THEN 7200000000 ELSE 0 END\
     ), id) WHERE withdraw_time IS NULL AND state IN (1, 2, 3, 4, 5)";

/// The open cases of each team, what is due first first.
const DUE: &str = "CREATE INDEX case_team_due ON \"case\" (team, due_time, id) \
     WHERE withdraw_time IS NULL AND state IN (1, 2, 3, 4, 5)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in [URGENT, DUE] {
            manager.get_connection().execute_unprepared(index).await?;
        }
        Ok(())
    }
}
